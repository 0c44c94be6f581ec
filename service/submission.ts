/** What goes into the ledger, and what comes out: a submission, its acknowledgement, and the checkpoint that covers it. */

import type { ReceiptRecord } from '../merkle/receipt.ts';

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
  /** A checkpoint that covers it. */
  readonly signed: SignedCheckpoint;
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
