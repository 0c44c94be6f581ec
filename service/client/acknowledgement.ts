/**
 * What the service acknowledges is not believed: the entry is made again from what was sent, and must have the leaf hash that was
 * answered. (That the entry is in the log's tree is for an inclusion proof to say.)
 */

import { equalBytes, formatHex } from '../../merkle/bytes.ts';
import { commitmentOf, formatEntry, parseEntry } from '../../merkle/entry.ts';
import { ProofError } from '../../merkle/errors.ts';
import { recordKind } from '../../merkle/event.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import type { BatchedEvent, ReceiptRecord } from '../../merkle/receipt.ts';
import { type VerifySignature, verifySignature } from '../../merkle/signature.ts';
import { parseStatement } from '../../merkle/statement.ts';
import { verifyBatch, verifyRecordStatement } from '../../merkle/steps.ts';
import { leafHash } from '../../merkle/tree.ts';
import { type Acknowledged, readable } from './answers.ts';

/** What was sent for one record. */
export type Sent = {
  readonly statement: string;
  /** The public key that signed it. */
  readonly key: Jwk;
  readonly event: Uint8Array;
  /** Where the statement is over many events. */
  readonly batch?: BatchedEvent;
};

/** A record in the log, as far as the answer says: its entry, and what opens it. */
export type Recorded = {
  readonly entry: Uint8Array;
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly record: ReceiptRecord;
};

/**
 * Makes the entry again. A retry is answered with the record as it stands: the same event under an earlier signature, perhaps by
 * another key, perhaps in a batch; then that signature is verified, too.
 *
 * @param origin of the log that was sent to
 * @throws {ProofError} if the answer is not about what was sent
 */
export async function recordedAs(
  sent: Sent,
  answer: Acknowledged,
  origin: string,
  verify: VerifySignature = verifySignature,
): Promise<Recorded> {
  const { statement, key, event, batch } = sent;
  const record = answer.record ?? {
    statement,
    salt: answer.salt,
    key,
    ...(batch === undefined ? {} : { batch }),
  };
  const entry = formatEntry({
    kind: recordKind(event),
    time: answer.time,
    keyId: thumbprint(record.key),
    commitment: commitmentOf(record.salt, event, record.statement),
  });
  if (answer.record !== undefined) await verifyEarlier(answer.record, sent, entry, origin, verify);

  const hash = leafHash(entry);
  if (!equalBytes(hash, answer.leafHash)) {
    throw new ProofError(
      `the answer has leaf hash ${formatHex(answer.leafHash)}, what was sent gives ${formatHex(hash)}`,
    );
  }
  return { entry, leafHash: hash, index: answer.index, record };
}

async function verifyEarlier(
  record: ReceiptRecord,
  { statement, key, event, batch }: Sent,
  entry: Uint8Array,
  origin: string,
  verify: VerifySignature,
): Promise<void> {
  const said = readable('statement', () => parseStatement(record.statement));
  if (!equalBytes(record.batch?.event ?? said.payload, event))
    throw new ProofError('the answer is about another event than the one that was sent');
  // Our own signature need not be verified to us, but that it is by our key is the answer's word.
  if (record.statement === statement && (record.batch === undefined) === (batch === undefined)) {
    if (!equalBytes(thumbprint(record.key), thumbprint(key)))
      throw new ProofError('the answer has another key than the one that signed');
  } else {
    // The step asks a checkpoint for its first line only.
    await verifyRecordStatement(record, parseEntry(entry), `${origin}\n`, verify);
  }
  const { batch: earlier } = record;
  if (earlier !== undefined) readable('batch', () => verifyBatch(earlier, said));
}
