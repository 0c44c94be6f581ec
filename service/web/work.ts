/** What is done off the main thread: every task is answered with plain data, and none of them asks anybody anything. */

import { equalBytes, utf8 } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { formatReceipt, parseReceipt, type Receipt } from '../../merkle/receipt.ts';
import type { Trust } from '../../merkle/trust.ts';
import { type Comparison, compare } from './comparison.ts';
import { eventOf, type Judgement, judge, leafHashOf, readTrust, type TrustFacts } from './judge.ts';

/** The tasks by their names: what each is given, and what it gives. `trust` is a trust file's text. */
export type Tasks = {
  /** Reads a trust file; `fault` says why it is none. */
  trust: { given: { trust: string }; gives: TrustFacts | { fault: string } };
  /** Judges a receipt. */
  judge: { given: { receipt: Uint8Array; trust: string }; gives: Judgement };
  /** Judges what a service has sent for a leaf hash; null if it is not for that one. */
  leaf: { given: { receipt: Uint8Array; leaf: string; trust: string }; gives: Judgement | null };
  /** Puts what a service has sent in the place of what was not anchored; null if that makes no receipt that holds. */
  complete: {
    given: { receipt: Uint8Array; sent: Uint8Array; trust: string };
    gives: Completed | 'pending' | null;
  };
  /** Compares a file with what a receipt's statement is about. */
  compare: { given: { receipt: Uint8Array; file: Blob }; gives: Comparison };
};

export type Completed = { readonly receipt: Uint8Array; readonly judgement: Judgement };

export type TaskName = keyof Tasks;

/** How each task is done. */
export const work: { readonly [N in TaskName]: (given: Tasks[N]['given']) => Promise<Tasks[N]['gives']> } = {
  async trust({ trust }) {
    try {
      return readTrust(trust).facts;
    } catch (error) {
      if (error instanceof FormatError) return { fault: error.message };
      throw error;
    }
  },

  judge: ({ receipt, trust }) => judge(receipt, trustIn(trust)),

  async leaf({ receipt, leaf, trust }) {
    const sent = receiptIn(receipt);
    return sent === undefined || leafHashOf(sent) !== leaf ? null : judge(receipt, trustIn(trust));
  },

  async complete({ receipt, sent, trust }) {
    const own = parseReceipt(receipt);
    const other = receiptIn(sent);
    if (other === undefined || !equalBytes(own.entry, other.entry)) return null;
    const { entry, inclusion, checkpoint, evidence } = other;
    const record = own.record === undefined ? {} : { record: own.record };
    const bytes = utf8(formatReceipt({ entry, inclusion, checkpoint, evidence, ...record }));
    const judgement = await judge(bytes, trustIn(trust));
    const { verdict } = judgement.verification;
    if (verdict === 'not-yet-anchored') return 'pending';
    return verdict === 'matches' ? { receipt: bytes, judgement } : null;
  },

  compare: ({ receipt, file }) => compare(eventOf(parseReceipt(receipt)), file),
};

let last: { readonly text: string; readonly trust: Trust } | undefined;

/** The trust file of this text, which has been read before. It stays the same for many receipts. */
function trustIn(text: string): Trust {
  if (last?.text !== text) last = { text, trust: readTrust(text).trust };
  return last.trust;
}

function receiptIn(bytes: Uint8Array): Receipt | undefined {
  try {
    return parseReceipt(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
