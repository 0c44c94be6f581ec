/**
 * The ledger: one writer that puts records in order.
 *
 * Whatever waits is taken together, given indexes, a time and salts, and written in one synced batch: the commit point. Only then
 * is the new root signed, after it was found in a second way and proved to extend the last signed one, and only then are the
 * answers sent. So 201 means durable, in the tree and provable, and a crash at any line leaves either nothing or a record whose
 * retry finds it.
 */

import { equalBytes } from '../merkle/bytes.ts';
import { parseEntry } from '../merkle/entry.ts';
import { type Genesis, logId } from '../merkle/genesis.ts';
import type { NoteSigner } from '../merkle/note.ts';
import type { TileReader } from '../merkle/prove.ts';
import { appendLeaf, edgeRoot, leafHash, type RightEdge } from '../merkle/tree.ts';
import {
  type ChainItem,
  commitLength,
  type Draft,
  draftAfter,
  type Placed,
  type RecordItem,
} from './draft.ts';
import { LedgerError, type LedgerErrorCode } from './errors.ts';
import { type Growth, grow } from './growth.ts';
import type { Guard } from './guard.ts';
import { HmacKey } from './hashing.ts';
import { appendWrites, type Head, type NewEntry } from './layout.ts';
import { eventOf, LogReader } from './log-reader.ts';
import { recoverLog } from './recovery.ts';
import { signHead } from './signing.ts';
import { type Retry, sortItems } from './sorting.ts';
import type { Store } from './store.ts';
import type { Acknowledgement, SignedCheckpoint, Submission } from './submission.ts';

type Item = RecordItem | ChainItem;

/** What a ledger is made of. Nothing is opened here: `main` does. */
export type LedgerParts = {
  readonly store: Store;
  readonly signer: NoteSigner;
  readonly guard: Guard;
  readonly now: () => number;
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
  /** The most records that one commit takes. */
  readonly batchMax: number;
  /** Told when an append failed with an unknown outcome: the process must end. */
  readonly onFault: (cause: unknown) => void;
  /** Told once per commit, for metrics and the log. */
  readonly observe?: (batch: {
    readonly size: number;
    readonly records: number;
    readonly retries: number;
  }) => void;
};

/** More than this many waiting records mean that we are behind: refusing is better than a promise we might break. */
const queueMax = 20_000;

/** So many records must wait for the next batch to be written while the one before it is signed. */
const overlapMin = 128;

export class Ledger {
  readonly genesis: Genesis;
  readonly genesisDocument: string;
  readonly logId: Uint8Array;
  readonly read: LogReader;

  readonly #parts: LedgerParts;
  readonly #secret: HmacKey;
  readonly #queue: Item[] = [];
  readonly #tilesOf = new WeakMap<SignedCheckpoint, TileReader>();
  #head: Head;
  #edge: RightEdge;
  #growth: Growth;
  #signed: SignedCheckpoint;
  #committing: Promise<void> | undefined;
  #signing: Promise<void> = Promise.resolve();
  #fault: { readonly cause: unknown } | undefined;
  #closed: { readonly code: LedgerErrorCode; readonly why: string } | undefined;

  private constructor(
    parts: LedgerParts,
    reader: LogReader,
    recovered: Awaited<ReturnType<typeof recoverLog>>,
  ) {
    this.#parts = parts;
    this.read = reader;
    this.genesis = recovered.genesis;
    this.genesisDocument = recovered.genesisDocument;
    this.logId = logId(this.genesis.chainId, this.genesis.registry, this.genesis.origin);
    this.#secret = new HmacKey(recovered.secret);
    this.#head = recovered.head;
    this.#edge = recovered.edge;
    this.#growth = recovered.growth;
    this.#signed = recovered.signed;
  }

  /** Opens the log in a store: checks its edge, raises the writer's term, and signs what was committed but not yet signed. */
  static async open(parts: LedgerParts): Promise<Ledger> {
    const reader = new LogReader(parts.store);
    const ledger = new Ledger(parts, reader, await recoverLog({ ...parts, reader }));
    await ledger.#sign(ledger.#head, []);
    return ledger;
  }

  get origin(): string {
    return this.genesis.origin;
  }

  get verifierKey() {
    return this.#parts.signer.key;
  }

  get term(): number {
    return this.#head.term;
  }

  /** Entries on disk. Those beyond the signed size are not yet spoken of. */
  get sequenced(): number {
    return this.#head.size;
  }

  /** The newest signed checkpoint: nothing that is given out goes beyond it. */
  signed(): SignedCheckpoint {
    return this.#signed;
  }

  /** The size just after the newest record; 0 when there is none. Only records call for an anchor. */
  recordsUpTo(): number {
    return this.#head.recordsUpTo;
  }

  /** The newest chain entry, with the time of its block in seconds. */
  lastChainEntry(): Head['chainEntry'] {
    return this.#head.chainEntry;
  }

  /**
   * Puts a record in order, or finds that it is there already.
   * @throws {LedgerError} EVENT_CONFLICT for other bytes under the same agency, source and id; RECORD_ERASED; LOG_BUSY and the
   *   reasons of `stop` and `freeze`; what `admit` throws. Nothing has changed then.
   */
  submit(submission: Submission): Promise<Acknowledgement> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ kind: 'record', submission, resolve, reject });
    });
  }

  /**
   * The inclusion path of an acknowledged record in the tree of its checkpoint, verified against that root before it is given out.
   * Not part of every acknowledgement, since whoever sends many makes the paths from the log's tiles.
   */
  async prove({ index, leafHash, signed }: Acknowledgement): Promise<readonly Uint8Array[]> {
    // Records that are acknowledged together lie together, and their tiles were read before the tree was signed.
    return this.read.proveInclusion(index, leafHash, signed, this.#tilesOf.get(signed));
  }

  /** Adds an entry that holds the hash of a final block: what stands after it is later than that block (time in seconds). */
  appendChainEntry(block: {
    readonly hash: Uint8Array;
    readonly blockTime: number;
  }): Promise<SignedCheckpoint> {
    return new Promise((resolve, reject) => {
      this.#enqueue({ kind: 'chain', block, resolve, reject });
    });
  }

  /** Why no further submissions are taken, where that is for good. */
  get refusal(): LedgerErrorCode | undefined {
    return this.#closed?.code;
  }

  /** Takes no further submissions, for a reason that is shown to callers; reads go on. The first reason stays. */
  freeze(code: LedgerErrorCode, why: string): void {
    this.#closed ??= { code, why };
  }

  /** Takes no further submissions and finishes those it has taken. */
  async stop(): Promise<void> {
    this.freeze('LOG_STOPPING', 'the service is stopping');
    await this.#committing;
    await this.#signing;
  }

  #enqueue(item: Item): void {
    if (this.#closed !== undefined) {
      // A log that is closed or forked stays so; one that is stopping is soon there again.
      const { code, why } = this.#closed;
      item.reject(new LedgerError(code, why, code === 'LOG_STOPPING' ? { retryAfterS: 5 } : {}));
    } else if (this.#queue.length >= queueMax) {
      item.reject(
        new LedgerError('LOG_BUSY', `${this.#queue.length} records are waiting`, { retryAfterS: 1 }),
      );
    } else {
      this.#queue.push(item);
      this.#committing ??= this.#commitWaiting();
    }
  }

  /**
   * Group commit without a timer: while one batch is written, the next one gathers. And while one is signed, the next one is written,
   * but not signed before the first: trees are spoken of in their order.
   */
  async #commitWaiting(): Promise<void> {
    // One turn of the event loop lets everything that has arrived together be taken together.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) {
      // Few that come one by one are better taken together: each batch costs a tree, a signature and three syncs, whatever its size.
      if (this.#queue.length < Math.min(overlapMin, this.#parts.batchMax)) await this.#signing;
      const taken = this.#queue.splice(0, commitLength(this.#queue, this.#parts.batchMax));
      try {
        const batch = await this.#commit(taken);
        await this.#signing;
        this.#signing = this.#acknowledge(batch).catch(cause => this.#fail(taken, cause));
      } catch (cause) {
        this.#fail(taken, cause);
      }
    }
    // In the same turn as the last look at the queue: whoever comes now begins anew.
    this.#committing = undefined;
  }

  /** Nobody knows what of a batch is on disk, or it is there and cannot be signed. Only a new start can tell. */
  #fail(taken: readonly Item[], cause: unknown): void {
    this.freeze('LOG_STOPPING', 'the service has met a fault and is stopping');
    const unknown =
      'the service has met a fault; whether the record is in the log is unknown, sending it again is safe';
    const error = new LedgerError('LOG_STOPPING', unknown, { cause, retryAfterS: 5 });
    for (const item of [...taken, ...this.#queue.splice(0)]) item.reject(error);
    if (this.#fault === undefined) this.#parts.onFault(cause);
    this.#fault ??= { cause };
  }

  /** Puts a batch on disk. Nothing of it is spoken of yet. */
  async #commit(taken: readonly Item[]): Promise<Batch> {
    const { fresh, retries } = await sortItems(taken, { store: this.#parts.store, secret: this.#secret });
    const draft = await draftAfter(this.#head, fresh, this.#parts);
    for (const { item, error } of draft.refused) item.reject(error);
    if (draft.entries.length === 0) return { draft, head: this.#head, retries };

    const leafHashes = draft.entries.map(entry => entry.leafHash);
    // The edge is hashed by the core, the tiles that the root is found from again by OpenSSL: both must agree on it.
    const edge = leafHashes.reduce((edge, hash) => appendLeaf(edge, hash), this.#edge);
    const { growth, tiles } = grow(this.#growth, this.#head.size, leafHashes);
    const head: Head = { ...draft.head, size: edge.size, root: edgeRoot(edge) };

    // Commit point: entries, records, indexes, tiles and the new head are durable together or not at all. A crash after this
    // line leaves the larger tree, whose root the next start signs; a crash before it leaves the smaller one. The batch before it
    // may not be signed yet: then one signature at the next start covers both.
    await this.#parts.store.write(appendWrites(this.#head.size, draft.entries, tiles, head));
    [this.#head, this.#edge, this.#growth] = [head, edge, growth];
    return { draft, head, retries };
  }

  /** Signs what a batch has made of the tree, and answers. */
  async #acknowledge({ draft, head, retries }: Batch): Promise<void> {
    // The batch before this one could not be signed, so this one cannot either.
    if (this.#fault !== undefined) throw this.#fault.cause;
    await this.#sign(head, draft.entries);
    await this.#answer(draft.placed, retries);
    const records = draft.placed.filter(({ item }) => item.kind === 'record').length;
    this.#parts.observe?.({ size: head.size, records, retries: retries.length });
  }

  /** Signs a committed head, if it is not signed yet. */
  async #sign(head: Head, added: readonly NewEntry[]): Promise<void> {
    if (head.size <= this.#signed.size) return;
    const { signer, guard } = this.#parts;
    const readTiles = this.read.cachedTiles();
    const parts = { origin: this.origin, read: this.read, signer, guard };
    this.#signed = await signHead(parts, head, this.#signed, added, readTiles);
    this.#tilesOf.set(this.#signed, readTiles);
  }

  async #answer(placed: readonly Placed[], retries: readonly Retry[]): Promise<void> {
    const signed = this.#signed;
    const placedBy = new Map<Item, Placed>(placed.map(place => [place.item, place]));
    for (const place of placed) {
      if (!('salt' in place)) {
        place.item.resolve(signed);
        continue;
      }
      const { item, index, time, leafHash, salt } = place;
      item.resolve({ status: 201, leafHash, index, time, salt, signed });
    }
    for (const { item, of } of retries) {
      const index = typeof of === 'number' ? of : placedBy.get(of)?.index;
      if (index === undefined) {
        // Its twin in the same batch was not admitted, so this one is the first of its name now.
        this.#enqueue(item);
      } else {
        await this.#answerRetry(item, index).catch(item.reject);
      }
    }
  }

  async #answerRetry({ submission, resolve }: RecordItem, index: number): Promise<void> {
    const record = await this.read.record(index);
    if (record === 'erased')
      throw new LedgerError('RECORD_ERASED', 'this event was recorded and has been erased');
    if (!equalBytes(eventOf(record), submission.event)) {
      throw new LedgerError(
        'EVENT_CONFLICT',
        'an event with this source and id is recorded in other bytes: send those, or choose another id',
      );
    }
    const entry = await this.read.entry(index);
    const { time } = parseEntry(entry);
    const { salt } = record;
    resolve({ status: 200, leafHash: leafHash(entry), index, time, salt, signed: this.#signed, record });
  }
}

/** What was taken together: once it is on disk, with the head that it has made. */
type Batch = { readonly draft: Draft; readonly head: Head; readonly retries: readonly Retry[] };
