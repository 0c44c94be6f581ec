/** What an agency's program imports as `zegel/client`: sign, submit, wait, fetch, verify. */

export { FormatError, type Issue, ProofError } from '../../merkle/errors.ts';
export { type Jwk, parseJwk } from '../../merkle/jwk.ts';
export {
  type BatchedEvent,
  type Evidence,
  formatReceipt,
  parseReceipt,
  type Receipt,
  type ReceiptRecord,
  type TreePath,
} from '../../merkle/receipt.ts';
export { type Algorithm, type VerifySignature, verifySignature } from '../../merkle/signature.ts';
export { parseTrust, type Trust } from '../../merkle/trust.ts';
export {
  type Facts,
  judgeReceipt,
  ReceiptError,
  type Step,
  type Verdict,
  type Verification,
  verifyReceipt,
} from '../../merkle/verification.ts';
export type { AboutLog, LogSizes } from './answers.ts';
export { type Batch, formatBatch, type SignedBatch, signBatch } from './batch.ts';
export { LedgerClient, receiptFile, type Submitted } from './client.ts';
export { type CompletionOptions, completeReceipts } from './completion.ts';
export { type Problem, RefusedError, UnavailableError } from './errors.ts';
export type { Item, Place } from './groups.ts';
export type { Judging } from './judge.ts';
export {
  type ExportOptions,
  exportRecords,
  formatOwnRecord,
  type OwnRecord,
  type ReadingOptions,
  readReceipt,
  readRecord,
} from './reading.ts';
export { type Clock, type RetryLimits, realClock, retryLimits } from './retry.ts';
export type { UploadLimits } from './shipment.ts';
export {
  algorithmOf,
  generateKey,
  keySigner,
  publicJwk,
  type StatementSigner,
  signStatement,
} from './signer.ts';
export { type Outcome, type StreamOptions, submitStream } from './stream.ts';
export { signReadToken } from './token.ts';
