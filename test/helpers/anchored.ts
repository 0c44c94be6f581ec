/** Whole ledgers on a real chain: contracts deployed, agencies registered, logs opened, and the service's parts over a database. */

import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { expect } from 'vitest';
import { formatHex0x, parseHex0x, utf8 } from '../../merkle/bytes.ts';
import { parseEntry } from '../../merkle/entry.ts';
import { canonicalJwk, thumbprint } from '../../merkle/jwk.ts';
import { formatJws } from '../../merkle/jws.ts';
import { keyProofSigningInput } from '../../merkle/keyproof.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import type { ChainRules } from '../../merkle/seals.ts';
import { type Algorithm, algorithmNumber } from '../../merkle/signature.ts';
import { leafHash } from '../../merkle/tree.ts';
import type { Trust } from '../../merkle/trust.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import { encodeAgency } from '../../service/abi.ts';
import { Anchorer } from '../../service/anchorer.ts';
import { AnchorBook } from '../../service/anchors.ts';
import { createLog } from '../../service/creation.ts';
import { type Deployment, trustOf } from '../../service/deployment.ts';
import { type Guard, memoryGuard } from '../../service/guard.ts';
import { KeyView } from '../../service/keys.ts';
import { Ledger } from '../../service/ledger.ts';
import { Receipts } from '../../service/receipts.ts';
import { Registry } from '../../service/registry.ts';
import { type Database, Store } from '../../service/store.ts';
import type { Submission } from '../../service/submission.ts';
import { accountSigner } from '../../service/transactions.ts';
import { anEvent, aStatement } from './builders.ts';
import type { TestChain } from './chain.ts';
import { deployRegistries, type Registries } from './contracts.ts';
import { keyFor, kidOf, publicJwk, signAs } from './keys.ts';
import { aNoteSigner, memoryDatabase } from './ledger.ts';

export const agency = 'OVO002949';

/** A chain with the contracts on it, and one agency with an ES256 key. */
export type Site = {
  readonly chain: TestChain;
  readonly registries: Registries;
  readonly deployment: Deployment;
};

/** Deploys the contracts. */
export async function aSite(chain: TestChain): Promise<Site> {
  const registries = await deployRegistries(chain.admin);
  const genesis = (await chain.ask('eth_getBlockByNumber', '0x0', false)) as { readonly hash: string };
  const { contracts, rootsSlot, keysSlot } = registries.deployment;
  const placed = <N extends keyof typeof contracts>(name: N) => {
    const { address, codeHash, block, transaction } = contracts[name];
    return {
      name,
      address: parseHex0x(address, 20),
      codeHash: parseHex0x(codeHash, 32),
      block,
      transaction: parseHex0x(transaction, 32),
    };
  };
  const deployment: Deployment = {
    network: 'test',
    chainId: String(BigInt((await chain.ask('eth_chainId')) as string)),
    genesisHash: parseHex0x(genesis.hash, 32),
    rules: { consensus: 'none', validators: [] },
    contracts: {
      AccessManager: placed('AccessManager'),
      AnchorRegistry: placed('AnchorRegistry'),
      KeyRegistry: placed('KeyRegistry'),
    },
    rootsSlot,
    keysSlot,
    logs: [],
    agencies: { [agency]: 'Departement Voorbeeld' },
  };
  return { chain, registries, deployment };
}

/** Registers an agency. */
export async function registerAgency({ registries }: Site, name = 'Departement Voorbeeld', id = agency) {
  const call = registries.keyRegistry.getFunction('registerAgency');
  await (await call(encodeAgency(id), name, `0x${'00'.repeat(19)}09`)).wait();
}

/** Adds the test key of an algorithm, with its proof of possession unless the test has another. */
export async function addKey(
  { registries, deployment }: Site,
  alg: Algorithm = 'ES256',
  changes: { readonly proof?: string; readonly validFrom?: number; readonly validUntil?: number } = {},
): Promise<Uint8Array> {
  const key = keyFor(alg);
  const { validFrom = 0, validUntil = 2 ** 40 - 1, proof = aKeyProof(deployment, alg) } = changes;
  const jwk = utf8(canonicalJwk(publicJwk(key)));
  const call = registries.keyRegistry.getFunction('addKey');
  await (
    await call(encodeAgency(agency), algorithmNumber(alg), jwk, validFrom, validUntil, utf8(proof))
  ).wait();
  return thumbprint(publicJwk(key));
}

export function aKeyProof({ chainId, contracts }: Deployment, alg: Algorithm, of = agency): string {
  const key = keyFor(alg);
  const claim = { agency: of, chainId, registry: contracts.KeyRegistry.address };
  const input = keyProofSigningInput({ alg, kid: kidOf(key) }, claim);
  return formatJws(input, signAs(alg, key, input));
}

/** A log that is open in the registry, with an anchor key of its own. */
export type OpenLog = {
  readonly site: Site;
  readonly origin: string;
  readonly logId: string;
  readonly anchorKey: string;
  readonly anchorer: string;
  readonly database: Database;
  readonly guard: Guard;
  readonly trust: Trust;
  /** Starts the service's parts over the database; again, after a crash. */
  start(changes?: Start): Promise<Started>;
  /** A record of the agency, in this log. */
  record(id: string): Submission;
};

export type Start = {
  readonly rpcUrl?: string | readonly string[];
  readonly database?: Database;
  readonly guard?: Guard;
  /** What is pinned about the anchor registry, where it is not what is on the chain. */
  readonly anchorRegistry?: Partial<Deployment['contracts']['AnchorRegistry']>;
  readonly rules?: ChainRules;
  readonly confirmations?: number;
  readonly intervalMs?: number;
  readonly now?: () => number;
  readonly anchorKey?: string;
  readonly timeoutMs?: number;
};

export type Started = {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly book: AnchorBook;
  readonly anchorer: Anchorer;
  readonly receipts: Receipts;
  readonly keys: KeyView;
  /** What was logged, line by line. */
  readonly logged: Record<string, unknown>[];
};

let opened = 0;

/** Makes a log and opens it in the registry of a site. */
export async function aLogOn(
  site: Site,
  options: { readonly database?: Database; readonly funded?: boolean; readonly open?: boolean } = {},
): Promise<OpenLog> {
  const { chain, registries, deployment } = site;
  const { database = memoryDatabase(), funded = true, open = true } = options;
  const origin = `ledger.test/${++opened}`;
  const signer = aNoteSigner(origin);
  const guard = memoryGuard();
  const { chainId, contracts } = deployment;
  const genesisLeaf = await createLog({
    store: new Store(database, () => undefined),
    guard,
    signer,
    genesis: {
      chainId,
      created: new Date().toISOString(),
      origin,
      previous: null,
      registry: contracts.AnchorRegistry.address,
    },
    randomBytes,
  });
  const anchorKey = `0x${randomBytes(32).toString('hex')}`;
  const anchorer = formatHex0x(accountSigner(anchorKey).address);
  if (funded) await fund(chain, anchorer);
  if (open) {
    await (await registries.anchorRegistry.getFunction('openLog')(origin, anchorer, genesisLeaf)).wait();
  }
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: line => logged.push(JSON.parse(line)) });

  async function start(changes: Start = {}): Promise<Started> {
    const { rpcUrl = chain.url, rules = deployment.rules, now = Date.now, intervalMs = 0 } = changes;
    const { confirmations = 0, timeoutMs = 5_000 } = changes;
    const store = new Store(changes.database ?? database, () => undefined);
    const parts = {
      store,
      signer,
      guard: changes.guard ?? guard,
      now,
      randomBytes,
      batchMax: 1_000,
      onFault: () => undefined,
    };
    const ledger = await Ledger.open(parts);
    const registry = Registry.connect({
      rpcUrl,
      deployment: {
        ...deployment,
        rules,
        contracts: {
          ...contracts,
          AnchorRegistry: { ...contracts.AnchorRegistry, ...changes.anchorRegistry },
        },
      },
      confirmations,
      timeoutMs,
    });
    const book = await AnchorBook.open(store);
    const account = accountSigner(changes.anchorKey ?? anchorKey);
    const anchorer = new Anchorer({ ledger, registry, book, signer: account, intervalMs, now, log });
    const receipts = new Receipts({ ledger, book });
    const keys = await KeyView.open({ store, registry, log, now });
    return { store, ledger, registry, book, anchorer, receipts, keys, logged };
  }

  const placed = { origin, logId: logIdOf(site, origin), verifierKey: signer.key };
  const trust = trustOf({ ...deployment, logs: [placed] }, { sequence: 1, issued: '2026-11-24T08:00:00Z' });
  const record = (id: string) => aRecord(origin, id);
  const logId = formatHex0x(placed.logId);
  return { site, origin, logId, anchorKey, anchorer, database, guard, trust, start, record };
}

function logIdOf({ deployment }: Site, origin: string): Uint8Array {
  return Registry.connect({ rpcUrl: 'http://unused.invalid', deployment }).logId(origin);
}

function aRecord(origin: string, id: string): Submission {
  const key = keyFor('ES256');
  const event = anEvent({ id });
  return {
    statement: aStatement({ aud: origin, payload: event }),
    key: publicJwk(key),
    keyId: thumbprint(publicJwk(key)),
    agency,
    source: 'https://permits.example/decisions',
    id,
    kind: 'transaction',
    event,
    admit: () => undefined,
  };
}

/** Gives an account one ether. */
export async function fund(chain: TestChain, address: string, wei = 10n ** 18n): Promise<void> {
  const client = String(await chain.ask('web3_clientVersion'));
  if (client.startsWith('Geth')) {
    await (await chain.admin.sendTransaction({ to: address, value: wei })).wait();
    return;
  }
  const method = client.startsWith('anvil') ? 'anvil_setBalance' : 'hardhat_setBalance';
  await chain.ask(method, address, `0x${wei.toString(16)}`);
  // Until the next block, no header has the state in which the account has it.
  await chain.ask('evm_mine');
}

/** The sizes that the registry has anchored for a log, in order, from its events. */
export async function anchoredSizes({ site, logId }: OpenLog): Promise<number[]> {
  const { anchorRegistry } = site.registries;
  const events = await anchorRegistry.queryFilter(anchorRegistry.filters.Anchored?.(logId) ?? '*');
  return events.map(event => ('args' in event ? Number(event.args.size) : -1));
}

/** A log whose opening is final. */
export async function anOpenLog(site: Site, start: Start = {}) {
  const log = await aLogOn(site);
  const started = await log.start(start);
  await started.anchorer.tick();
  expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 1 });
  return { log, ...started };
}

/** So many steps of anchoring. */
export async function ticks({ anchorer }: Pick<Started, 'anchorer'>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await anchorer.tick();
}

/** A step that sends, and a step that sees it mined: Anvil mines a moment after it has taken a transaction. */
export async function ticksAcrossMining(
  { site }: Pick<OpenLog, 'site'>,
  { anchorer }: Pick<Started, 'anchorer'>,
): Promise<void> {
  await anchorer.tick();
  const hash = anchorer.status().pending?.transaction;
  for (let i = 0; i < 500 && hash; i++) {
    if ((await site.chain.ask('eth_getTransactionReceipt', hash)) !== null) break;
    await setTimeout(10);
  }
  await anchorer.tick();
}

/** Everything that the log has is in a receipt that verifies with nothing but the trust file. */
export async function expectAllProved(log: OpenLog, { ledger, receipts }: Started): Promise<void> {
  const { size } = ledger.signed();
  for (const entry of await ledger.read.entries(0, size)) {
    const receipt = await receipts.receipt(leafHash(entry), { complete: true });
    if (receipt === undefined) throw new Error('every entry has a receipt');
    const { verdict, steps } = await judgeReceipt(utf8(formatReceipt(receipt)), log.trust);
    expect(verdict, JSON.stringify(steps.at(-1))).toBe('matches');
  }
}

/** The kinds of all entries, in order. */
export async function kindsOf({ ledger }: Started): Promise<string[]> {
  const entries = await ledger.read.entries(0, ledger.sequenced);
  return entries.map(entry => parseEntry(entry).kind);
}
