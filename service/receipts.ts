/** Receipts: what the log and the book of anchors hold about an entry, put together in the form that a citizen keeps. */

import { parseEntry } from '../merkle/entry.ts';
import type { Receipt } from '../merkle/receipt.ts';
import { leafHash as leafHashOf } from '../merkle/tree.ts';
import type { AnchorBook } from './anchors.ts';
import { LedgerError } from './errors.ts';
import type { Ledger } from './ledger.ts';

/** How far an entry has come (DESIGN 4): in the tree; in a block; in a block that cannot be undone by the chain's rules. */
export type RecordState = 'sequenced' | 'anchored' | 'final';

export class Receipts {
  readonly #ledger: Pick<Ledger, 'read' | 'signed'>;
  readonly #book: AnchorBook;

  constructor(parts: { readonly ledger: Pick<Ledger, 'read' | 'signed'>; readonly book: AnchorBook }) {
    this.#ledger = parts.ledger;
    this.#book = parts.book;
  }

  /**
   * The receipt of the entry with a leaf hash; undefined where the log has none. Once the first anchor that covers the entry is final
   * it never changes again; until then it has no evidence and the newest signed checkpoint.
   * @param options.complete with the record, for those who may read it
   * @throws {LedgerError} RECORD_ERASED for a complete receipt of a record that is no more
   */
  async receipt(
    leafHash: Uint8Array,
    options: { readonly complete?: boolean } = {},
  ): Promise<Receipt | undefined> {
    const { read } = this.#ledger;
    const signed = this.#ledger.signed();
    const index = await read.findLeaf(leafHash);
    // What is on disk but not signed yet is not spoken of.
    if (index === undefined || index >= signed.size) return undefined;

    const entry = await read.entry(index);
    const { kind, keyId } = parseEntry(entry);
    const hasRecord = kind === 'transaction' || kind === 'audit';
    const anchor = await this.#book.covering(index);
    const { size, root, checkpoint } = anchor ?? signed;
    // What is proved is the entry that is given out.
    const path = await read.proveInclusion(index, leafHashOf(entry), { size, root });
    const evidence = anchor ? await this.#book.evidence(size, hasRecord ? keyId : undefined) : null;
    const receipt = { entry, inclusion: { index, path }, checkpoint, evidence };
    if (!options.complete || !hasRecord) return receipt;

    const record = await read.record(index);
    if (record === 'erased') {
      throw new LedgerError('RECORD_ERASED', 'this event was recorded and has been erased');
    }
    return { ...receipt, record };
  }

  stateOf(index: number): RecordState {
    if (index < this.#book.finalSize) return 'final';
    return index < this.#book.anchoredSize ? 'anchored' : 'sequenced';
  }
}
