/**
 * A log as an auditor meets it, made of nothing but its entries: whatever they are, they are signed, served, anchored and listed as an
 * honest service would do it. So each lie is one change: to an entry, to an answer, or to what the chain says.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { formatBase64url, formatHex, formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { formatCheckpoint } from '../../merkle/checkpoint.ts';
import { commitmentOf, type Entry, type EntryKind, formatEntry, formatTime } from '../../merkle/entry.ts';
import { noEnd, rootSlot, wordOf } from '../../merkle/evidence.ts';
import { formatGenesis, genesisEntry, logId } from '../../merkle/genesis.ts';
import { canonicalJwk, thumbprint } from '../../merkle/jwk.ts';
import { formatJws } from '../../merkle/jws.ts';
import { keyProofSigningInput } from '../../merkle/keyproof.ts';
import { formatVerifierKey, signNote } from '../../merkle/note.ts';
import { treeRoot } from '../../merkle/prove.ts';
import type { ReceiptRecord } from '../../merkle/receipt.ts';
import { formatEvidence, formatRecord } from '../../merkle/receipt.ts';
import { encodeList } from '../../merkle/rlp.ts';
import { type Algorithm, algorithmNumber, algorithms } from '../../merkle/signature.ts';
import { formatBundle, formatTile, parseTilePath, tileWidthAt } from '../../merkle/tiles.ts';
import { leafHash } from '../../merkle/tree.ts';
import { formatTrust, parseTrust, type Trust, type TrustedLog } from '../../merkle/trust.ts';
import type { ChainAnchor, ChainKey, ChainView } from '../../service/audit/chain-view.ts';
import type { ListedAnchor } from '../../service/audit/sources.ts';
import { anEvent, aStatement, testOrigin } from './builders.ts';
import { agency, aLogKey, startTime } from './forge.ts';
import { keyFor, kidOf, publicJwk, signAs } from './keys.ts';
import { headerItems } from './sealer.ts';
import { buildState } from './state.ts';

export const chainId = '2026';
const anchorRegistry = { address: new Uint8Array(20).fill(0xa1), codeHash: keccak_256(utf8('anchors')) };
const keyRegistry = { address: new Uint8Array(20).fill(0xb2), codeHash: keccak_256(utf8('keys')) };
const id = logId(chainId, anchorRegistry.address, testOrigin);

export type TestBlock = { readonly number: number; readonly hash: Uint8Array; readonly time: number };

/** What a service answers. */
export type TestAnswer = {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array | string;
};

/** What is changed on the way to the auditor; by default nothing. */
export type Lie = (
  path: string,
  answer: TestAnswer,
) => TestAnswer | Response | Promise<TestAnswer | Response>;

export class ForgedLog {
  readonly signer = aLogKey(testOrigin, 'present');
  readonly entries: Uint8Array[] = [];
  readonly blocks: TestBlock[] = [];
  readonly anchors: ChainAnchor[] = [];
  readonly listed: ListedAnchor[] = [];
  readonly keys = new Map<string, ChainKey>();
  readonly agencies = new Map([[agency, 'Departement Voorbeeld']]);
  readonly trust: Trust;
  readonly genesis: string;
  /** Milliseconds. */
  now = startTime;
  /** Hashes by level, for the entries that there were when they were made. */
  #levels: Uint8Array[][] = [];

  constructor() {
    this.genesis = formatGenesis({
      chainId,
      created: formatTime(startTime),
      origin: testOrigin,
      previous: null,
      registry: anchorRegistry.address,
    });
    const chain = {
      chainId,
      genesisHash: keccak_256(utf8('block 0')),
      consensus: 'none',
      validators: [],
    } as const;
    const log: TrustedLog = {
      origin: testOrigin,
      chain,
      anchorRegistry: { ...anchorRegistry, rootsSlot: 1 },
      keyRegistry: { ...keyRegistry, keysSlot: 1 },
      verifierKeys: [{ key: this.signer.key }],
    };
    const trust = { sequence: 1, issued: '2026-11-24T08:00:00Z', chains: [chain], logs: [log] };
    this.trust = parseTrust(utf8(formatTrust({ ...trust, agencies: this.agencies })));
    for (const { name } of algorithms) this.keys.set(kidHex(name), aChainKey(name));
  }

  /** A log with its genesis, anchored. */
  static async open(): Promise<ForgedLog> {
    const log = new ForgedLog();
    log.mine();
    log.add(genesisEntry(log.genesis, startTime));
    await log.anchor();
    return log;
  }

  get log(): TrustedLog {
    const [log] = this.trust.logs;
    if (log === undefined) throw new Error('the trust file has one log');
    return log;
  }

  get size(): number {
    return this.entries.length;
  }

  /** The next block, two seconds after the clock moved on by one. */
  mine(): TestBlock {
    this.now += 1000;
    const number = this.blocks.length;
    const block = { number, hash: keccak_256(wordOf(number)), time: Math.ceil(this.now / 1000) };
    this.blocks.push(block);
    return block;
  }

  add(entry: Entry | Uint8Array): number {
    this.entries.push(entry instanceof Uint8Array ? entry : formatEntry(entry));
    return this.size - 1;
  }

  /** Entries under the ES256 key, whose records nobody has. */
  addSome(count: number, changes: Partial<Entry> = {}): void {
    for (let i = 0; i < count; i++) {
      this.now += 10;
      this.add({
        kind: 'transaction',
        time: Math.floor(this.now),
        keyId: thumbprint(publicJwk(keyFor('ES256'))),
        commitment: sha256(wordOf(this.size)),
        ...changes,
      });
    }
  }

  /** A record with its entry. What is given otherwise goes into the log as it is. */
  addRecord({
    alg = 'ES256',
    members = { id: `record-${this.size}` },
    event = anEvent(members),
    kind = 'transaction',
    statement = aStatement({ alg, payload: event }),
    batch,
    salt = sha256(utf8(`salt ${this.size}`)),
    entry = {},
  }: {
    readonly alg?: Algorithm;
    readonly members?: Readonly<Record<string, unknown>>;
    readonly event?: Uint8Array;
    readonly kind?: EntryKind;
    readonly statement?: string;
    readonly batch?: Omit<NonNullable<ReceiptRecord['batch']>, 'event'>;
    readonly salt?: Uint8Array;
    readonly entry?: Partial<Entry>;
  } = {}): string {
    this.now += 10;
    const key = publicJwk(keyFor(alg));
    const commitment = commitmentOf(salt, event, statement);
    const index = this.add({ kind, time: this.now, keyId: thumbprint(key), commitment, ...entry });
    const record: ReceiptRecord = {
      statement,
      salt,
      key,
      ...(batch === undefined ? {} : { batch: { event, ...batch } }),
    };
    return this.line(index, record);
  }

  /** A line of an export. */
  line(index: number, record: ReceiptRecord | null): string {
    const entry = this.entries[index] ?? new Uint8Array(0);
    return `${JSON.stringify({
      leafHash: formatHex(leafHash(entry)),
      index,
      entry: formatBase64url(entry),
      record: record === null ? null : formatRecord(record),
    })}\n`;
  }

  addChainEntry(block = this.blocks.at(-1), time = this.now): number {
    const commitment = block?.hash ?? new Uint8Array(32);
    return this.add({ kind: 'chain', time, keyId: new Uint8Array(32), commitment });
  }

  rootAt(size: number): Uint8Array {
    return treeRoot(this.entries.slice(0, size).map(leafHash));
  }

  sign(size = this.size, root = this.rootAt(size)): Promise<string> {
    return signNote(formatCheckpoint({ origin: testOrigin, size, root }), this.signer);
  }

  /** What is there is anchored in the next block, listed with its checkpoint and evidence, and final. */
  async anchor({
    root = this.rootAt(this.size),
    checkpoint,
  }: {
    readonly root?: Uint8Array;
    readonly checkpoint?: string;
  } = {}): Promise<ChainAnchor> {
    const { size } = this;
    const block = this.mine();
    const transaction = sha256(utf8(`anchor of ${size}`));
    const anchor = { size, root, block: block.number, blockTime: block.time, transaction, gasUsed: 70_000 };
    this.anchors.push(anchor);
    const slot = rootSlot(id, size, 1);
    const state = buildState([
      { ...anchorRegistry, storage: [[slot, root]] },
      { ...keyRegistry, storage: [] },
    ]);
    const nodes = state.evidence([{ address: anchorRegistry.address, slot }]);
    const header = encodeList(headerItems({ stateRoot: state.root, number: block.number, time: block.time }));
    this.listed.push({
      ...{ size, root, transaction, block: block.number, blockHash: block.hash },
      blockTime: formatTime(block.time * 1000),
      checkpoint: checkpoint ?? (await this.sign(size)),
      evidence: { headers: [header], nodes },
    });
    return anchor;
  }

  /** The chain as an honest replay of it tells it. */
  view(changes: Partial<ChainView> = {}): ChainView {
    const last = this.blocks.at(-1);
    if (last === undefined) throw new Error('there is a block');
    const byHash = new Map(this.blocks.map(block => [formatHex(block.hash), block]));
    return {
      final: { ...last, stateRoot: new Uint8Array(32) },
      finality: 'unproved',
      anchors: [...this.anchors],
      closed: false,
      paused: false,
      anchorer: new Uint8Array(20),
      key: keyId => this.keys.get(formatHex(keyId)),
      agencies: this.agencies,
      blockByHash: hash => byHash.get(formatHex(hash)),
      contracts: [],
      counts: { blocks: this.blocks.length, transactions: 0, replayed: 0, reverted: 0 },
      ...changes,
    };
  }

  /** What an honest service answers, as `fetch` gives it, once a liar has had it in hand. */
  fetch(lie: Lie = (_, answer) => answer): (url: string) => Promise<Response> {
    return async url => {
      const { pathname, search } = new URL(url);
      const answer = await lie(pathname + search, await this.#answer(pathname, new URLSearchParams(search)));
      if (answer instanceof Response) return answer;
      const { status, type, body } = answer;
      return new Response(typeof body === 'string' ? body : new Uint8Array(body), {
        status,
        headers: { 'content-type': type },
      });
    };
  }

  async #answer(path: string, query: URLSearchParams): Promise<TestAnswer> {
    if (path === '/log/checkpoint')
      return { status: 200, type: 'text/plain; charset=utf-8', body: await this.sign() };
    if (path === '/v1/log') return json(this.#about());
    if (path === '/v1/anchors') {
      const rest = this.listed.filter(({ size }) => size > Number(query.get('cursor')));
      const next = rest.length > 3 ? `http://elsewhere.example/v1/anchors?cursor=${rest[2]?.size}` : null;
      return json({ items: rest.slice(0, 3).map(formatListed), next });
    }
    const file = parseTilePath(path.slice('/log/'.length));
    const { level, index, width } = file.kind === 'tile' ? file.tile : { ...file, level: 0 };
    if (width > tileWidthAt(level, index, this.size)) return { status: 404, type: 'text/plain', body: '' };
    const from = index * 256;
    const body =
      file.kind === 'tile'
        ? formatTile(this.#hashes(level).slice(from, from + width))
        : formatBundle(this.entries.slice(from, from + width));
    return { status: 200, type: 'application/octet-stream', body };
  }

  #hashes(level: number): Uint8Array[] {
    if (this.#levels[0]?.length !== this.size) this.#levels = [this.entries.map(leafHash)];
    for (let above = this.#levels.length; above <= level; above++) {
      const below = this.#levels[above - 1] ?? [];
      const roots = Array.from({ length: Math.floor(below.length / 256) }, (_, i) =>
        treeRoot(below.slice(256 * i, 256 * (i + 1))),
      );
      this.#levels.push(roots);
    }
    return this.#levels[level] ?? [];
  }

  #about() {
    return {
      origin: testOrigin,
      logId: formatHex0x(id),
      verifierKey: formatVerifierKey(this.signer.key),
      genesis: this.genesis,
      chainId,
      sizes: { sequenced: this.size, signed: this.size, anchored: 1, final: 1 },
      contracts: [{ name: 'AnchorRegistry', address: formatHex0x(anchorRegistry.address), block: 1 }],
    };
  }
}

export function kidHex(alg: Algorithm): string {
  return formatHex(thumbprint(publicJwk(keyFor(alg))));
}

/** A test key as it is registered. */
export function aChainKey(alg: Algorithm, changes: Partial<ChainKey> = {}): ChainKey {
  const key = keyFor(alg);
  const claim = { agency, chainId, registry: keyRegistry.address };
  const input = keyProofSigningInput({ alg, kid: kidOf(key) }, claim);
  return {
    agency,
    algorithm: algorithmNumber(alg),
    jwk: utf8(canonicalJwk(publicJwk(key))),
    proof: formatJws(input, signAs(alg, key, input)),
    validFrom: startTime / 1000 - 3600,
    validUntil: noEnd,
    addedBlock: 0,
    retirements: [],
    ...changes,
  };
}

function json(value: unknown): TestAnswer {
  return { status: 200, type: 'application/json', body: JSON.stringify(value) };
}

export function formatListed({ root, blockHash, transaction, evidence, ...rest }: ListedAnchor) {
  return {
    ...rest,
    root: formatBase64url(root),
    blockHash: formatHex0x(blockHash),
    transaction: formatHex0x(transaction),
    evidence: evidence === null ? null : formatEvidence(evidence),
  };
}
