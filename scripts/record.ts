/** Records from files: what opens an entry, put into a receipt that lacks it once it is seen to be the entry's own. */

import { parseEntry } from '../merkle/entry.ts';
import { FormatError } from '../merkle/errors.ts';
import { JsonReader, parseJson } from '../merkle/json.ts';
import { type Receipt, type ReceiptRecord, readRecord } from '../merkle/receipt.ts';
import { verifySignature } from '../merkle/signature.ts';
import { verifyBatch, verifyCommitment, verifyRecordStatement } from '../merkle/steps.ts';
import { CommandError, readInput } from './command.ts';

/**
 * Reads the record in a file: alone, or as the member `record` of a receipt, of an export's line, or of an answer to a retry.
 *
 * @throws {CommandError} exit code 2 if it has none
 */
export async function readRecordFile(path: string): Promise<ReceiptRecord> {
  try {
    const document = parseJson(await readInput(path));
    const value = document instanceof Map && document.has('record') ? document.get('record') : document;
    const reader = new JsonReader();
    return reader.finish(readRecord(reader, value, 'record'));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CommandError(2, `${path} has no record: ${error.message}`, error);
  }
}

/** The receipt with its record. @throws {ProofError} if the entry does not commit to it, or the agency's key did not sign it */
export async function withRecord(receipt: Receipt, record: ReceiptRecord): Promise<Receipt> {
  const entry = parseEntry(receipt.entry);
  const statement = await verifyRecordStatement(record, entry, receipt.checkpoint, verifySignature);
  verifyCommitment(record, statement, entry);
  if (record.batch !== undefined) verifyBatch(record.batch, statement);
  return { ...receipt, record };
}
