/**
 * The ledger: one writer that puts records in order.
 *
 * Whatever waits is taken together, given indexes, a time and salts, and written in one synced batch: the commit point. Only then
 * is the new root signed, after it was found in a second way and proved to extend the last signed one, and only then are the
 * answers sent. So 201 means durable, in the tree and provable, and a crash at any line leaves either nothing or a record whose
 * retry finds it.
 */

import { equalBytes, formatHex, parseUint64 } from '../merkle/bytes.ts';
import { type Checkpoint, formatCheckpoint } from '../merkle/checkpoint.ts';
import { commitmentOf, formatEntry, parseEntry } from '../merkle/entry.ts';
import { type Genesis, logId } from '../merkle/genesis.ts';
import { type NoteSigner, signNote } from '../merkle/note.ts';
import type { ReceiptRecord } from '../merkle/receipt.ts';
import { appendLeaf, edgeRoot, leafHash, type RightEdge } from '../merkle/tree.ts';
import { LedgerError, type LedgerErrorCode } from './errors.ts';
import { type Growth, grow } from './growth.ts';
import type { Guard } from './guard.ts';
import { clockToleranceMs } from './hearing.ts';
import { appendWrites, type Head, type NewEntry, nameKey } from './layout.ts';
import { eventOf, LogReader } from './log-reader.ts';
import { sealRecord } from './records.ts';
import { recoverLog } from './recovery.ts';
import type { Store } from './store.ts';

/** A record whose signature was verified, ready to be put in order. */
export type Submission = {
  readonly statement: string;
  readonly key: ReceiptRecord['key'];
  readonly keyId: Uint8Array;
  readonly agency: string;
  readonly source: string;
  readonly id: string;
  readonly kind: 'transaction' | 'audit';
  readonly event: Uint8Array;
  readonly batch?: Omit<NonNullable<ReceiptRecord['batch']>, 'event'>;
  /**
   * Says, at the moment when a new record gets its time (milliseconds), whether it may go in: the key is good at that time and
   * the chain was heard. Not asked for a retry, which is answered even under a retired key. @throws {LedgerError}
   */
  readonly admit: (timeMs: number) => void;
};

/** The answer to a submission: what is proved from now on. */
export type Acknowledgement = {
  /** 201 for a new record; 200 for a retry, which gets the whole record as it stands. */
  readonly status: 201 | 200;
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly time: number;
  readonly salt: Uint8Array;
  readonly inclusion: { readonly index: number; readonly path: readonly Uint8Array[] };
  readonly checkpoint: string;
  readonly record?: ReceiptRecord;
};

/** A checkpoint with its signed note. */
export type SignedCheckpoint = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly checkpoint: string;
  /** Time of the last entry, milliseconds since 1970. */
  readonly time: number;
};

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

type Item =
  | {
      readonly kind: 'record';
      readonly submission: Submission;
      readonly resolve: (acknowledgement: Acknowledgement) => void;
      readonly reject: (error: unknown) => void;
    }
  | {
      readonly kind: 'chain';
      readonly block: { readonly hash: Uint8Array; readonly blockTime: number };
      readonly resolve: (signed: SignedCheckpoint) => void;
      readonly reject: (error: unknown) => void;
    };

type RecordItem = Extract<Item, { kind: 'record' }>;

/** More than this many waiting records mean that we are behind: refusing is better than a promise we might break. */
const queueMax = 20_000;

export class Ledger {
  readonly genesis: Genesis;
  readonly genesisDocument: string;
  readonly logId: Uint8Array;
  readonly read: LogReader;

  readonly #parts: LedgerParts;
  readonly #secret: Uint8Array;
  readonly #queue: Item[] = [];
  #head: Head;
  #edge: RightEdge;
  #growth: Growth;
  #signed: SignedCheckpoint;
  #working: Promise<void> | undefined;
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
    this.#secret = recovered.secret;
    this.#head = recovered.head;
    this.#edge = recovered.edge;
    this.#growth = recovered.growth;
    this.#signed = recovered.signed;
  }

  /** Opens the log in a store: checks its edge, raises the writer's term, and signs what was committed but not yet signed. */
  static async open(parts: LedgerParts): Promise<Ledger> {
    const reader = new LogReader(parts.store);
    const ledger = new Ledger(parts, reader, await recoverLog({ ...parts, reader }));
    await ledger.#sign();
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
    await this.#working;
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
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined;
      });
    }
  }

  /** Group commit without a timer: while one batch is written, the next one gathers. */
  async #work(): Promise<void> {
    // One turn of the event loop lets everything that has arrived together be taken together.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) {
      const taken = this.#queue.splice(0, this.#parts.batchMax);
      try {
        await this.#append(taken);
      } catch (cause) {
        // Nobody knows what of this batch is on disk, or it is there and cannot be signed. Only a new start can tell.
        this.freeze('LOG_STOPPING', 'the service has met a fault and is stopping');
        const unknown =
          'the service has met a fault; whether the record is in the log is unknown, sending it again is safe';
        const error = new LedgerError('LOG_STOPPING', unknown, { cause, retryAfterS: 5 });
        for (const item of [...taken, ...this.#queue.splice(0)]) item.reject(error);
        this.#parts.onFault(cause);
      }
    }
  }

  async #append(taken: readonly Item[]): Promise<void> {
    const { fresh, retries } = await this.#sort(taken);
    const draft = this.#draft(fresh);

    if (draft.entries.length > 0) {
      const leafHashes = draft.entries.map(entry => entry.leafHash);
      const edge = leafHashes.reduce(appendLeaf, this.#edge);
      const { growth, tiles } = grow(this.#growth, this.#head.size, leafHashes);
      const head: Head = { ...draft.head, size: edge.size, root: edgeRoot(edge) };

      // Commit point: entries, records, indexes, tiles and the new head are durable together or not at all. A crash after this
      // line leaves the larger tree, whose root the next start signs; a crash before it leaves the smaller one.
      await this.#parts.store.write(appendWrites(this.#head.size, draft.entries, tiles, head));
      [this.#head, this.#edge, this.#growth] = [head, edge, growth];
      await this.#sign(draft.entries);
    }

    await this.#answer(draft.placed, retries);
    this.#parts.observe?.({ size: this.#head.size, records: draft.placed.length, retries: retries.length });
  }

  /** Tells new records from retries, by natural key, within the batch as well. Refuses conflicts. */
  async #sort(taken: readonly Item[]): Promise<{ fresh: readonly Named[]; retries: readonly Retry[] }> {
    const names = taken.map(item => (item.kind === 'record' ? this.#nameOf(item.submission) : undefined));
    const known = await this.#parts.store.getMany(
      'name',
      names.filter(name => name !== undefined),
    );
    const fresh: Named[] = [];
    const retries: Retry[] = [];
    const inBatch = new Map<string, RecordItem>();
    let at = 0;
    for (const [i, item] of taken.entries()) {
      const name = names[i];
      if (item.kind === 'chain' || name === undefined) {
        fresh.push({ item, name: undefined });
        continue;
      }
      const index = known[at++];
      const first = inBatch.get(formatHex(name));
      if (index !== undefined) {
        retries.push({ item, of: parseUint64(index) });
      } else if (first === undefined) {
        inBatch.set(formatHex(name), item);
        fresh.push({ item, name });
      } else {
        retries.push({ item, of: first });
      }
    }
    return { fresh, retries };
  }

  #nameOf({ agency, source, id }: Submission): Uint8Array {
    return nameKey(this.#secret, agency, source, id);
  }

  /** Gives each new item its index, time and salt. Whoever is not admitted is answered here and leaves no trace. */
  #draft(fresh: readonly Named[]): Draft {
    const entries: NewEntry[] = [];
    const placed: Placed[] = [];
    let head: Head = this.#head;
    for (const { item, name } of fresh) {
      const index = this.#head.size + entries.length;
      const time = this.#timeAfter(head, item);
      try {
        const made =
          item.kind === 'chain' ? this.#chainEntry(item, time) : this.#recordEntry(item, name, time);
        entries.push(made.entry);
        placed.push({ item, index, time, leafHash: made.entry.leafHash, salt: made.salt });
        head = {
          ...head,
          time,
          ...(item.kind === 'chain'
            ? { chainEntry: { index, blockTime: item.block.blockTime } }
            : { recordsUpTo: index + 1 }),
        };
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error;
        item.reject(error);
      }
    }
    return { entries, placed, head };
  }

  /** Times never decrease, and from a chain entry on they are not earlier than its block by more than the tolerance (DESIGN 3.3). */
  #timeAfter(head: Head, item: Item): number {
    const blockTime = item.kind === 'chain' ? item.block.blockTime : (head.chainEntry?.blockTime ?? 0);
    return Math.max(this.#parts.now(), head.time, blockTime * 1000 - clockToleranceMs);
  }

  #chainEntry(
    { block }: Extract<Item, { kind: 'chain' }>,
    time: number,
  ): { entry: NewEntry; salt: Uint8Array } {
    const entry = formatEntry({ kind: 'chain', time, keyId: new Uint8Array(32), commitment: block.hash });
    return { entry: { entry, leafHash: leafHash(entry) }, salt: new Uint8Array(0) };
  }

  #recordEntry({ submission }: RecordItem, name: Uint8Array | undefined, time: number) {
    if (name === undefined) throw new Error('a record has a natural key');
    const behindMs = this.#head.time - this.#parts.now();
    // A clock that has gone back further than this is wrong, not merely adjusted.
    if (behindMs > clockToleranceMs) {
      const why = `the service's clock is ${behindMs} ms behind the last entry of the log`;
      throw new LedgerError('CLOCK_OFF', why, { retryAfterS: 60 });
    }
    submission.admit(time);

    const { statement, key, event, batch } = submission;
    const salt = this.#parts.randomBytes(32);
    const commitment = commitmentOf(salt, event, statement);
    const entry = formatEntry({ kind: submission.kind, time, keyId: submission.keyId, commitment });
    const hash = leafHash(entry);
    const record = { statement, salt, key, ...(batch === undefined ? {} : { batch: { ...batch, event } }) };
    return {
      entry: { entry, leafHash: hash, record: { name, salt, sealed: sealRecord(record, hash) } },
      salt,
    };
  }

  /**
   * Signs the committed root, if it is not signed yet. Before a signature nothing is taken for granted: the entries are read back
   * and hashed again, the root is found a second time from the stored tiles by other code, and the tree must extend the one that
   * was signed last.
   */
  async #sign(added: readonly NewEntry[] = []): Promise<void> {
    const { size, root, time } = this.#head;
    const last = this.#signed;
    if (size === last.size && equalBytes(root, last.root) && last.checkpoint !== '') return;

    const stored = await this.read.entries(size - added.length, size);
    stored.forEach((entry, i) => {
      if (!equalBytes(leafHash(entry), added[i]?.leafHash ?? leafHash(entry))) {
        throw new Error(`entry ${size - added.length + i} on disk is not the one in the tree`);
      }
    });
    const second = await this.read.rootAt(size);
    if (!equalBytes(second, root))
      throw new Error(`two ways to the root of size ${size} give different roots`);
    await this.read.proveConsistency(last.size, size, last.root, root);

    const checkpoint: Checkpoint = { origin: this.origin, size, root };
    const note = await signNote(formatCheckpoint(checkpoint), this.#parts.signer);
    await this.#parts.guard.write(note);
    this.#signed = { size, root, time, checkpoint: note };
  }

  async #answer(placed: readonly Placed[], retries: readonly Retry[]): Promise<void> {
    const signed = this.#signed;
    const readTiles = this.read.cachedTiles();
    const placedBy = new Map<Item, Placed>(placed.map(place => [place.item, place]));
    for (const { item, index, time, leafHash: hash, salt } of placed) {
      if (item.kind === 'chain') {
        item.resolve(signed);
        continue;
      }
      const path = await this.read.proveInclusion(index, signed.size, signed.root, readTiles);
      const { checkpoint } = signed;
      item.resolve({
        status: 201,
        leafHash: hash,
        index,
        time,
        salt,
        inclusion: { index, path },
        checkpoint,
      });
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
      throw new LedgerError('EVENT_CONFLICT', 'another event with the same source and id is recorded');
    }
    const entry = await this.read.entry(index);
    const { size, root, checkpoint } = this.#signed;
    const path = await this.read.proveInclusion(index, size, root);
    const { time } = parseEntry(entry);
    const inclusion = { index, path };
    resolve({
      status: 200,
      leafHash: leafHash(entry),
      index,
      time,
      salt: record.salt,
      inclusion,
      checkpoint,
      record,
    });
  }
}

type Named = { readonly item: Item; readonly name: Uint8Array | undefined };

/** A submission of an event that is recorded at an index, or that another submission of the same batch brings in. */
type Retry = { readonly item: RecordItem; readonly of: number | RecordItem };

type Placed = {
  readonly item: Item;
  readonly index: number;
  readonly time: number;
  readonly leafHash: Uint8Array;
  readonly salt: Uint8Array;
};

type Draft = {
  readonly entries: readonly NewEntry[];
  readonly placed: readonly Placed[];
  readonly head: Head;
};
