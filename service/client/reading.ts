/** Reading back: an agency's own records, each request under a token of its own, and each answer held against the log's entry. */

import { randomBytes } from 'node:crypto';
import { equalBytes, formatBase64url, formatHex, utf8 } from '../../merkle/bytes.ts';
import { parseEntry } from '../../merkle/entry.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { type ExportedRecord, parseExportedRecord } from '../../merkle/exported.ts';
import { formatRecord, parseReceipt, type Receipt, type ReceiptRecord } from '../../merkle/receipt.ts';
import { type VerifySignature, verifySignature } from '../../merkle/signature.ts';
import { parseStatement } from '../../merkle/statement.ts';
import { verifyBatch, verifyCommitment, verifyRecordStatement } from '../../merkle/steps.ts';
import { leafHash } from '../../merkle/tree.ts';
import { readable } from './answers.ts';
import type { LedgerClient } from './client.ts';
import { RefusedError, UnavailableError } from './errors.ts';
import { linesOf } from './lines.ts';
import { Retry, type RetryLimits, retryLimits } from './retry.ts';
import type { StatementSigner } from './signer.ts';
import { signReadToken } from './token.ts';

/** A record as the service gives it back. */
export type OwnRecord = ExportedRecord;

export type ReadingOptions = {
  /** Signs the tokens: any key of the agency that is valid now. */
  readonly signer: StatementSigner;
  /** The log that the tokens are good for. The service is asked for it if it is left out, and might name another log. */
  readonly origin?: string | undefined;
  /** Verifies the signatures of what comes back; a server may pass one that is faster than the core's own. */
  readonly verify?: VerifySignature;
};

export type ExportOptions = ReadingOptions & {
  /** The first index; 0 if it is left out. */
  readonly from?: number;
  /** The index after the last one; the signed size at the beginning, if it is left out. */
  readonly to?: number;
  readonly retries?: Partial<RetryLimits>;
  /** Told before each pause. */
  readonly onRetry?: (reason: UnavailableError) => void;
};

/** How many entries one request asks for: the service looks through them once before it answers, a hundred thousand in a second. */
const rangeMax = 1_000_000;

/** How long a line may be: an event of the largest size that a service may allow, twice in base64url. */
const lineMaxBytes = 4 << 20;

/**
 * Reads one record back.
 * @throws {RefusedError} if there is none of this agency with this leaf hash (404), it has been erased (410), or the token is refused;
 *   {UnavailableError} if it may go through later; {ProofError} if the record is not what the entry commits to
 */
export async function readRecord(
  client: LedgerClient,
  hash: Uint8Array,
  options: ReadingOptions,
): Promise<OwnRecord & { readonly record: ReceiptRecord }> {
  const origin = await originOf(client, options);
  const path = `/v1/records/${formatHex(hash)}`;
  const { body } = await authorised(client, origin, options, headers =>
    client.requests.text(path, { headers }),
  );
  const { record, ...own } = await verified(utf8(body), origin, options.verify);
  requireSame(own.leafHash, hash);
  if (record === null) throw new ProofError('the answer has no record');
  return { ...own, record };
}

/** Reads the newest receipt with its record. @throws as `readRecord` does */
export async function readReceipt(
  client: LedgerClient,
  hash: Uint8Array,
  options: ReadingOptions,
): Promise<Receipt> {
  const origin = await originOf(client, options);
  const path = `/v1/records/${formatHex(hash)}/receipt`;
  const { body } = await authorised(client, origin, options, headers =>
    client.requests.text(path, { headers }),
  );
  const receipt = readable('receipt', () => parseReceipt(utf8(body)));
  requireSame(leafHash(receipt.entry), hash);
  if (receipt.record === undefined) throw new ProofError('the receipt has no record');
  await verifyRecord(receipt.record, receipt.entry, origin, options.verify);
  return receipt;
}

/**
 * Reads the agency's records of a range of indexes, in their order. What is cut off is asked for again from where it ended, so that
 * the iteration ends only when all of it was there.
 * @throws {RefusedError} if the token or the range is refused; {UnavailableError} if the service could not be reached for too long;
 *   {ProofError} if a record is not what its entry commits to, or stands where none can
 */
export async function* exportRecords(
  client: LedgerClient,
  options: ExportOptions,
): AsyncGenerator<OwnRecord> {
  const { from = 0, onRetry = () => undefined } = options;
  const origin = await originOf(client, options);
  const to = options.to ?? (await client.about()).sizes.signed;
  if (from > to) throw FormatError.at('from', `${from} is greater than to, ${to}`);
  const retry = new Retry(client.clock, { ...retryLimits, ...options.retries });
  for (let next = from; next < to; ) {
    const end = Math.min(to, next + rangeMax);
    try {
      for await (const own of exportOnce(client, origin, { ...options, from: next, to: end })) {
        next = own.index + 1;
        retry.progressed();
        yield own;
      }
      next = end;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      onRetry(error);
      await retry.pause(error);
    }
  }
}

async function* exportOnce(
  client: LedgerClient,
  origin: string,
  options: ReadingOptions & { readonly from: number; readonly to: number },
): AsyncGenerator<OwnRecord> {
  const { from, to } = options;
  const path = `/v1/records/export?from=${from}&to=${to}`;
  const chunks = await authorised(client, origin, options, headers =>
    client.requests.stream(path, { headers }),
  );
  let least = from;
  for await (const { bytes, isWhole } of linesOf(chunks, lineMaxBytes)) {
    if (bytes === undefined || !isWhole)
      throw new UnavailableError(`${client.requests.base} ends in the middle of a record`);
    const own = await verified(bytes, origin, options.verify);
    if (own.index < least || own.index >= to)
      throw new ProofError(`the answer has entry ${own.index}, want one from ${least} to ${to - 1}`);
    least = own.index + 1;
    yield own;
  }
}

/** A record as one line of text, as the service writes it, without the line feed. */
export function formatOwnRecord({ leafHash: hash, index, entry, record }: OwnRecord): string {
  return JSON.stringify({
    leafHash: formatHex(hash),
    index,
    entry: formatBase64url(entry),
    record: record === null ? null : formatRecord(record),
  });
}

/** Asks under a new token. */
async function authorised<T>(
  client: LedgerClient,
  origin: string,
  { signer }: ReadingOptions,
  ask: (headers: { readonly authorization: string }) => Promise<T>,
): Promise<T> {
  const attempt = async () => {
    const token = await signReadToken({ origin, signer, nowMs: Date.now(), randomBytes });
    return ask({ authorization: `Bearer ${token}` });
  };
  try {
    return await attempt();
  } catch (error) {
    // Tokens are dated in whole seconds, so for up to one of them none is as new as a service that has just started.
    if (!(error instanceof RefusedError && error.problem === 'token-before-start')) throw error;
    await client.clock.sleep(1_000);
    return attempt();
  }
}

async function originOf(client: LedgerClient, { origin }: ReadingOptions): Promise<string> {
  return origin ?? (await client.about()).origin;
}

/** Reads a record and holds it against its entry. @throws {ProofError} */
async function verified(bytes: Uint8Array, origin: string, verify?: VerifySignature): Promise<OwnRecord> {
  const own = readable('record', () => parseExportedRecord(bytes));
  if (!equalBytes(leafHash(own.entry), own.leafHash))
    throw new ProofError('the answer has another leaf hash than its entry');
  if (own.record !== null) await verifyRecord(own.record, own.entry, origin, verify);
  return own;
}

/** An agency's key signed it for this log, and it is what the entry commits to. @throws {ProofError} */
async function verifyRecord(
  record: ReceiptRecord,
  entryBytes: Uint8Array,
  origin: string,
  verify: VerifySignature = verifySignature,
): Promise<void> {
  const entry = readable('entry', () => parseEntry(entryBytes));
  readable('statement', () => parseStatement(record.statement));
  // The step asks a checkpoint for its first line only.
  const statement = await verifyRecordStatement(record, entry, `${origin}\n`, verify);
  readable('event', () => verifyCommitment(record, statement, entry));
  const { batch } = record;
  if (batch !== undefined) readable('batch', () => verifyBatch(batch, statement));
}

function requireSame(hash: Uint8Array, wanted: Uint8Array): void {
  if (!equalBytes(hash, wanted))
    throw new ProofError(`the answer has leaf hash ${formatHex(hash)}, want ${formatHex(wanted)}`);
}
