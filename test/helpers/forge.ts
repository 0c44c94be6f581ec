/**
 * Forges receipts: a small honest ledger from its events to sealed headers, on each kind of chain, and the trust file to it.
 *
 * A receipt that is bad is broken where it is made: a test says what to change in which piece (`change`), and everything made after
 * that is honest again. So it breaks one rule, and the step that the rule belongs to must say so.
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, utf8 } from '../../merkle/bytes.ts';
import { type Checkpoint, formatCheckpoint } from '../../merkle/checkpoint.ts';
import { commitmentOf, type Entry, type EntryKind, formatEntry, isRecord } from '../../merkle/entry.ts';
import {
  keySlot,
  noEnd,
  type RegisteredKey,
  rootSlot,
  type StorageWalk,
  wordOf,
} from '../../merkle/evidence.ts';
import { formatGenesis, genesisEntry, logId } from '../../merkle/genesis.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import { type NoteSigner, signNote, verifierKey } from '../../merkle/note.ts';
import { LeafTree } from '../../merkle/prove.ts';
import { qbftQuorum } from '../../merkle/qbft.ts';
import { type Evidence, formatReceipt, type Receipt, type ReceiptRecord } from '../../merkle/receipt.ts';
import { encodeList } from '../../merkle/rlp.ts';
import type { Consensus } from '../../merkle/seals.ts';
import { type Algorithm, algorithmNumber } from '../../merkle/signature.ts';
import { batchLeafHash, batchSalt, formatBatchPayload } from '../../merkle/statement.ts';
import { leafHash } from '../../merkle/tree.ts';
import { formatTrust, parseTrust, type Trust, type TrustedLog } from '../../merkle/trust.ts';
import { anEvent, aStatement, testOrigin } from './builders.ts';
import { keyFor, type PrivateJwk, publicJwk } from './keys.ts';
import {
  type HeaderFields,
  headerItems,
  type QbftSealing,
  sealCliqueChain,
  sealQbft,
  someValidators,
  type Validator,
} from './sealer.ts';
import { type AccountState, buildState } from './state.ts';

/** What the receipt is to be about; good by default. */
export type Plan = {
  readonly consensus?: Consensus;
  /** How many validators the chain has. */
  readonly validators?: number;
  readonly origin?: string;
  readonly kind?: EntryKind;
  /** The tree has `size` entries, and the receipt's one is at `index`. */
  readonly size?: number;
  readonly index?: number;
  readonly time?: number;
  readonly alg?: Algorithm;
  readonly key?: PrivateJwk;
  /** What the statement's header says otherwise. */
  readonly statement?: Parameters<typeof aStatement>[0];
  /** The statement is over so many events, and the receipt is for the one at `index`. */
  readonly batch?: { readonly size: number; readonly index: number };
  readonly proofOnly?: boolean;
  readonly pending?: boolean;
  /** Who signs the checkpoint; the log's present key, if left out. */
  readonly signers?: readonly NoteSigner[];
  /** How many other accounts, slots and keys stand beside those that count. */
  readonly neighbours?: number;
  readonly change?: { readonly [Name in keyof Pieces]?: (piece: Pieces[Name]) => Pieces[Name] };
};

/** The pieces of a receipt in the order in which they are made. */
export type Pieces = {
  event: Uint8Array;
  /** The leaf hashes of the batch. */
  batchLeaves: readonly Uint8Array[];
  /** What a batch statement signs. */
  payload: Uint8Array;
  statement: string;
  entry: Entry;
  entryBytes: Uint8Array;
  checkpoint: Checkpoint;
  /** The checkpoint's text before it is signed. */
  text: string;
  note: string;
  registered: Registered;
  /** The anchor registry, the key registry, then others. */
  accounts: readonly Account[];
  walks: readonly StorageWalk[];
  header: HeaderFields;
  qbft: QbftSealing;
  clique: readonly Validator[];
  headers: readonly Uint8Array[];
  nodes: readonly Uint8Array[];
  receipt: Receipt;
  json: string;
};

export type Account = AccountState & { readonly storage: readonly (readonly [Uint8Array, Uint8Array])[] };

/** What the key registry holds; the agency in its bytes, without the zeros that fill them up. */
export type Registered = Omit<RegisteredKey, 'agency'> & { readonly agency: Uint8Array };

export type Forged = {
  readonly receipt: Receipt;
  readonly bytes: Uint8Array;
  readonly trust: Trust;
  /** The entry as it was logged. */
  readonly entry: Entry;
  readonly checkpoint: Checkpoint;
};

export const agency = 'OVO002949';

/** When the logs begin. */
export const startTime = Date.UTC(2026, 10, 24, 8);

/** The block that anchors them. */
export const block = { number: 1234, time: startTime / 1000 + 60 };

/** Keys that sign notes: the log's, those of the other logs, and one that the trust file does not know. */
export const logKeys = {
  rotated: aLogKey(testOrigin, 'rotated'),
  present: aLogKey(testOrigin, 'present'),
  other: aLogKey('ledger.example/other', 'other'),
  closed: aLogKey('ledger.example/closed', 'closed'),
  witness: aLogKey('witness.example', 'witness'),
};

/** The rotated key signs for no larger tree. */
export const rotatedUntilSize = 20;

/** The closed log has no larger tree. */
export const closedAtSize = 12;

/** A note signer whose key follows from a name. */
export function aLogKey(origin: string, name: string): NoteSigner {
  const privateKey = sha256(utf8(`test log key ${name}`));
  return {
    key: verifierKey(origin, ed25519.getPublicKey(privateKey)),
    sign: async message => ed25519.sign(message, privateKey),
  };
}

const anchorRegistry = {
  address: filled(20, 0xa1),
  codeHash: keccak_256(utf8('anchor registry')),
  rootsSlot: 1,
};
const keyRegistry = { address: filled(20, 0xb2), codeHash: keccak_256(utf8('key registry')), keysSlot: 1 };

/** The trust file: a chain of that consensus, the log, another log, and a closed one. */
export function aTrust(consensus: Consensus = 'qbft', validatorCount = defaultValidators[consensus]): Trust {
  const validators = someValidators(validatorCount).map(({ address }) => address);
  const chain = {
    chainId: '2026',
    genesisHash: keccak_256(utf8('genesis block')),
    consensus,
    validators: consensus === 'none' ? [] : [{ fromBlock: 0, addresses: validators }],
  };
  const registries = { chain, anchorRegistry, keyRegistry };
  const logs: TrustedLog[] = [
    {
      origin: testOrigin,
      ...registries,
      verifierKeys: [{ key: logKeys.rotated.key, untilSize: rotatedUntilSize }, { key: logKeys.present.key }],
    },
    { origin: 'ledger.example/other', ...registries, verifierKeys: [{ key: logKeys.other.key }] },
    {
      origin: 'ledger.example/closed',
      ...registries,
      verifierKeys: [{ key: logKeys.closed.key }],
      closedAt: closedAtSize,
    },
  ];
  const trust = {
    sequence: 1,
    issued: '2026-11-24T08:00:00Z',
    chains: [chain],
    logs,
    agencies: new Map([[agency, 'Departement Voorbeeld']]),
  };
  return parseTrust(utf8(formatTrust(trust)));
}

const defaultValidators: Readonly<Record<Consensus, number>> = { qbft: 4, clique: 3, none: 0 };

/** Forges one receipt. */
export async function forge(plan: Plan = {}): Promise<Forged> {
  const consensus = plan.consensus ?? 'qbft';
  const trust = aTrust(consensus, plan.validators);
  const index = plan.index ?? (plan.kind === 'genesis' ? 0 : 4);
  const made = <Name extends keyof Pieces>(name: Name, piece: Pieces[Name]): Pieces[Name] =>
    plan.change?.[name]?.(piece) ?? piece;

  const signed = isRecord(plan.kind ?? 'transaction') ? forgeRecord(plan, made) : undefined;
  const entry = made('entry', forgeEntry(plan, index, signed));
  const entryBytes = made('entryBytes', formatEntry(entry));
  const tree = new LeafTree(
    Array.from({ length: plan.size ?? 11 }, (_, i) => leafHash(i === index ? entryBytes : filled(74, i))),
  );
  const checkpoint = made('checkpoint', { origin: originOf(plan), size: tree.size, root: tree.root });
  const text = made('text', formatCheckpoint(checkpoint));
  const note = made('note', await signAll(text, plan.signers ?? [signerOf(originOf(plan))]));
  const evidence = plan.pending === true ? null : forgeEvidence(plan, entry, checkpoint, made);

  const receipt = made('receipt', {
    entry: entryBytes,
    inclusion: { index, path: tree.path(index) },
    checkpoint: note,
    evidence,
    ...(signed === undefined || plan.proofOnly === true ? {} : { record: signed.record }),
  });
  return { receipt, bytes: utf8(made('json', formatReceipt(receipt))), trust, entry, checkpoint };
}

type Made = <Name extends keyof Pieces>(name: Name, piece: Pieces[Name]) => Pieces[Name];

type SignedEvent = { readonly event: Uint8Array; readonly record: ReceiptRecord };

function forgeRecord(plan: Plan, made: Made): SignedEvent {
  const alg = plan.alg ?? 'ES256';
  const key = plan.key ?? keyFor(alg);
  const event = made('event', anEvent({ recordkind: plan.kind ?? 'transaction' }));
  const batch = plan.batch === undefined ? undefined : forgeBatch(event, plan.batch, made);
  const content =
    batch === undefined ? { payload: event } : { typ: 'zegel-batch+jws' as const, payload: batch.payload };
  const statement = made(
    'statement',
    aStatement({ alg, key, aud: originOf(plan), ...content, ...plan.statement }),
  );
  const record = { statement, salt: sha256(utf8("the record's salt")), key: publicJwk(key) };
  return { event, record: batch === undefined ? record : { ...record, batch: batch.batched } };
}

function forgeBatch(event: Uint8Array, { size, index }: { size: number; index: number }, made: Made) {
  const secret = sha256(utf8("the batch's secret"));
  const eventAt = (i: number) => (i === index ? event : anEvent({ id: `neighbour-${i}` }));
  const leaves = Array.from({ length: size }, (_, i) => batchLeafHash(batchSalt(secret, i), eventAt(i)));
  const tree = new LeafTree(made('batchLeaves', leaves));
  return {
    payload: made('payload', utf8(formatBatchPayload(tree.root, tree.size))),
    batched: { event, salt: batchSalt(secret, index), index, path: tree.path(index) },
  };
}

function forgeEntry(plan: Plan, index: number, signed: SignedEvent | undefined): Entry {
  const kind = plan.kind ?? 'transaction';
  const time = plan.time ?? startTime + 100 * index;
  if (signed !== undefined) {
    const { event, record } = signed;
    const commitment = commitmentOf(record.salt, event, record.statement);
    return { kind, time, keyId: thumbprint(record.key), commitment };
  }
  const document = formatGenesis({
    chainId: '2026',
    created: '2026-11-24T08:00:00.000Z',
    origin: originOf(plan),
    previous: null,
    registry: anchorRegistry.address,
  });
  return { ...genesisEntry(document, time), kind };
}

function forgeEvidence(plan: Plan, entry: Entry, checkpoint: Checkpoint, made: Made): Evidence {
  const anchored = {
    address: anchorRegistry.address,
    slot: rootSlot(logId('2026', anchorRegistry.address, checkpoint.origin), checkpoint.size, 1),
  };
  const registered = { address: keyRegistry.address, slot: keySlot(entry.keyId, 1) };
  const key = made('registered', {
    agency: utf8(agency),
    algorithm: algorithmNumber(plan.alg ?? 'ES256'),
    validFrom: startTime / 1000 - 3600,
    validUntil: noEnd,
  });
  const others = Array.from({ length: plan.neighbours ?? 20 }, (_, i) => keccak_256(wordOf(i)));
  const state = buildState(
    made('accounts', [
      {
        ...anchorRegistry,
        storage: [[anchored.slot, checkpoint.root], ...others.map(word => [word, word] as const)],
      },
      {
        ...keyRegistry,
        storage: [[registered.slot, keyWord(key)], ...others.map(word => [word, word] as const)],
      },
      ...others.map(word => ({ address: word.subarray(12), storage: [] })),
    ]),
  );
  const nodes = state.evidence(made('walks', isRecord(entry.kind) ? [anchored, registered] : [anchored]));
  const header = made('header', { stateRoot: state.root, ...block });
  return { headers: made('headers', sealHeaders(plan, header, made)), nodes: made('nodes', nodes) };
}

function sealHeaders(plan: Plan, header: HeaderFields, made: Made): readonly Uint8Array[] {
  const consensus = plan.consensus ?? 'qbft';
  const validators = someValidators(plan.validators ?? defaultValidators[consensus]);
  if (consensus === 'none') return [encodeList(headerItems(header))];
  if (consensus === 'clique') {
    const majority = validators.slice(0, Math.floor(validators.length / 2) + 1);
    return sealCliqueChain(header, made('clique', majority));
  }
  const signers = validators.slice(0, qbftQuorum(validators.length));
  return [sealQbft(header, made('qbft', { signers, validators }))];
}

/** The struct as Solidity packs it into its one slot. */
export function keyWord({ agency, algorithm, validFrom, validUntil }: Registered): Uint8Array {
  return concatBytes(
    wordOf(validUntil).subarray(27),
    wordOf(validFrom).subarray(27),
    Uint8Array.of(algorithm),
    agency,
    new Uint8Array(21 - agency.length),
  );
}

/** A note with a line for each signer, in their order. */
export async function signAll(text: string, signers: readonly NoteSigner[]): Promise<string> {
  const notes = await Promise.all(signers.map(signer => signNote(text, signer)));
  return `${text}\n${notes.map(note => note.slice(text.length + 1)).join('')}`;
}

function originOf({ origin }: Plan): string {
  return origin ?? testOrigin;
}

function signerOf(origin: string): NoteSigner {
  const known = [logKeys.present, logKeys.other, logKeys.closed].find(({ key }) => key.name === origin);
  return known ?? aLogKey(origin, 'of a log that nobody knows');
}

function filled(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte);
}
