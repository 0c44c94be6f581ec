/**
 * Reading back: an agency gets the records that it has submitted, under whichever of its keys, and nobody else's.
 *
 * What is not the agency's is not there for it: an absent record, another agency's and the service's own entries give one and the
 * same refusal, after the same reads. What is read is recorded first (trail.ts).
 */

import { formatHex } from '../merkle/bytes.ts';
import { parseEntry } from '../merkle/entry.ts';
import type { Receipt } from '../merkle/receipt.ts';
import { parseReadToken } from '../merkle/token.ts';
import { leafHash } from '../merkle/tree.ts';
import { type Bearer, type Bearers, tokenIn } from './bearers.ts';
import { LedgerError } from './errors.ts';
import type { KeyView } from './keys.ts';
import type { Ledger } from './ledger.ts';
import type { IndexedEntry, IndexedRecord } from './log-reader.ts';
import type { Receipts } from './receipts.ts';
import type { Trail } from './trail.ts';

/** A record as its agency gets it back; `erased` in an export only, where a gap would say nothing. */
export type OwnRecord = IndexedRecord & { readonly leafHash: Uint8Array };

/** Indexes from one up to, and without, another; the second not beyond the signed size. */
export type IndexRange = { readonly from: number; readonly to: number };

/** How many entries are looked at between two turns of the event loop: an agency's own can be far apart. */
const stride = 256;

/** How many records are read together: few, for the largest take some megabytes each. */
const readTogether = 8;

/** How many exports may be under way: of one agency, and in all. Each holds some hundred kilobytes, and looks at every entry. */
const exportsMax = { perAgency: 4, inAll: 32 };

export class Reading {
  readonly #parts: ReadingParts;
  /** Whose exports are under way: an agency as often as it has one. */
  readonly #exporting: string[] = [];

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /**
   * Who asks. The token is used up when this returns, whatever it is then used for.
   * @throws {LedgerError} TOKEN_… if it is refused, and why nothing can be read at all; then it is not used up
   */
  async admit(authorization: string): Promise<Bearer> {
    const { bearers, trail } = this.#parts;
    const bearer = await bearers.verify(tokenIn(authorization, parseReadToken));
    trail.ready();
    bearers.spend(bearer);
    return bearer;
  }

  /** One record. @throws {LedgerError} RECORD_NOT_FOUND, RECORD_ERASED, READ_NOT_RECORDED */
  async record(by: Bearer, hash: Uint8Array): Promise<OwnRecord> {
    const { read } = this.#parts.ledger;
    const { index, entry, isTrace } = await this.#find(by, hash);
    const record = await read.record(index);
    if (record === 'erased')
      throw new LedgerError('RECORD_ERASED', 'this event was recorded and has been erased');
    if (!isTrace) await this.#parts.trail.record({ type: 'zegel.record.read', leafHash: hash }, by);
    return { leafHash: hash, index, entry, record };
  }

  /** A receipt with its record. @throws {LedgerError} RECORD_NOT_FOUND, RECORD_ERASED, READ_NOT_RECORDED */
  async receipt(by: Bearer, hash: Uint8Array): Promise<Receipt> {
    const { isTrace } = await this.#find(by, hash);
    const receipt = await this.#parts.receipts.receipt(hash, { complete: true });
    if (receipt === undefined) throw new Error('an entry that was found has no receipt');
    if (!isTrace) await this.#parts.trail.record({ type: 'zegel.receipt.read', leafHash: hash }, by);
    return receipt;
  }

  /**
   * The agency's records of a range, in their order: one read, which is recorded before this returns. The iteration holds no more
   * than one stride of entries and a few records.
   * @param over aborted when nobody wants the rest, and in any case at the end: then the next export has room, and the iteration
   *   fails with the signal's reason
   * @throws {LedgerError} EXPORTS_EXHAUSTED, READ_NOT_RECORDED
   */
  async export(by: Bearer, range: IndexRange, over: AbortSignal): Promise<AsyncIterable<OwnRecord>> {
    this.#begin(by, over);
    const own = this.#ownKeys(by);
    const counted = { records: 0, traces: 0 };
    for await (const { isTrace } of this.#entries(own, range, over)) {
      counted.records++;
      if (isTrace) counted.traces++;
    }
    if (counted.records > counted.traces)
      await this.#parts.trail.record(
        { type: 'zegel.records.exported', ...range, records: counted.records },
        by,
      );
    return this.#records(own, range, over);
  }

  #begin({ agency }: Bearer, over: AbortSignal): void {
    over.throwIfAborted();
    const count = this.#exporting.filter(each => each === agency).length;
    if (count >= exportsMax.perAgency || this.#exporting.length >= exportsMax.inAll)
      throw new LedgerError('EXPORTS_EXHAUSTED', `${count} exports of this agency are under way`, {
        retryAfterS: 10,
      });
    this.#exporting.push(agency);
    const end = () => this.#exporting.splice(this.#exporting.indexOf(agency), 1);
    over.addEventListener('abort', end, { once: true });
  }

  async *#records(own: OwnKeys, range: IndexRange, over: AbortSignal): AsyncGenerator<OwnRecord> {
    let some: OwnEntry[] = [];
    for await (const entry of this.#entries(own, range, over)) {
      some.push(entry);
      if (some.length < readTogether) continue;
      yield* this.#opened(some, over);
      some = [];
    }
    yield* this.#opened(some, over);
  }

  async *#opened(entries: readonly OwnEntry[], over: AbortSignal): AsyncGenerator<OwnRecord> {
    for (const opened of await this.#parts.ledger.read.records(entries)) {
      over.throwIfAborted();
      yield { leafHash: leafHash(opened.entry), ...opened };
    }
  }

  /** The entries of a range that are an agency's. */
  async *#entries(own: OwnKeys, { from, to }: IndexRange, over: AbortSignal): AsyncGenerator<OwnEntry> {
    const { ledger, trail } = this.#parts;
    for (let at = from; at < to; at += stride) {
      over.throwIfAborted();
      const entries = await ledger.read.entries(at, Math.min(to, at + stride));
      for (const [i, entry] of entries.entries()) {
        const { kind, keyId } = parseEntry(entry);
        if (own.has(formatHex(keyId)))
          yield { index: at + i, entry, isTrace: trail.isTrace({ kind, keyId }) };
      }
    }
  }

  #ownKeys({ agency }: Bearer): OwnKeys {
    const own = this.#parts.keys.keys().filter(key => key.agency === agency);
    return new Set(own.map(({ keyId }) => formatHex(keyId)));
  }

  /** Finds a record of an agency. Where there is none, the genesis entry stands in for it: it is read, and it is nobody's. */
  async #find({ agency }: Bearer, hash: Uint8Array): Promise<OwnEntry> {
    const { ledger, keys, trail } = this.#parts;
    const found = await ledger.read.findLeaf(hash);
    // What is on disk but not signed yet is not spoken of.
    const index = found === undefined || found >= ledger.signed().size ? 0 : found;
    const entry = await ledger.read.entry(index);
    const { kind, keyId } = parseEntry(entry);
    if (keys.find(keyId)?.agency !== agency)
      throw new LedgerError('RECORD_NOT_FOUND', 'no record of this agency has this leaf hash');
    return { index, entry, isTrace: trail.isTrace({ kind, keyId }) };
  }
}

/** An agency's key ids in hexadecimal, those of retired keys among them. */
type OwnKeys = ReadonlySet<string>;

type OwnEntry = IndexedEntry & { readonly isTrace: boolean };

/** What reading back is made of. */
export type ReadingParts = {
  readonly bearers: Pick<Bearers, 'verify' | 'spend'>;
  readonly trail: Pick<Trail, 'ready' | 'record' | 'isTrace'>;
  readonly keys: Pick<KeyView, 'find' | 'keys'>;
  readonly ledger: Pick<Ledger, 'read' | 'signed'>;
  readonly receipts: Pick<Receipts, 'receipt'>;
};
