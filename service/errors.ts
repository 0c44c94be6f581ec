/** What the ledger refuses, and why: the caller's doing, or a condition that passes. One stable code each. */

import type { Issue } from '../merkle/errors.ts';

/** Codes are added, never renamed: they are the names of the problem types that the API documents. */
export type LedgerErrorCode =
  | 'RECORD_MALFORMED'
  | 'REQUEST_MALFORMED'
  | 'AUDIENCE_OTHER'
  | 'KEY_UNKNOWN'
  | 'KEY_NOT_VALID'
  | 'KEY_ALGORITHM'
  | 'SIGNATURE_INVALID'
  | 'TOKEN_MISSING'
  | 'TOKEN_MALFORMED'
  | 'TOKEN_AUDIENCE'
  | 'TOKEN_KEY_UNKNOWN'
  | 'TOKEN_KEY_ALGORITHM'
  | 'TOKEN_KEY_NOT_VALID'
  | 'TOKEN_SIGNATURE'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_AHEAD'
  | 'TOKEN_BEFORE_START'
  | 'TOKEN_USED'
  | 'TOKENS_EXHAUSTED'
  | 'EXPORTS_EXHAUSTED'
  | 'READING_OFF'
  | 'SERVICE_KEY_UNUSABLE'
  | 'READ_NOT_RECORDED'
  | 'RECORD_NOT_FOUND'
  | 'RESOURCE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TIMEOUT'
  | 'EVENT_CONFLICT'
  | 'RECORD_ERASED'
  | 'BODY_TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'KEY_LIMIT'
  | 'ADDRESS_LIMIT'
  | 'CHAIN_SILENT'
  | 'CLOCK_OFF'
  | 'LOG_BUSY'
  | 'LOG_CLOSED'
  | 'LOG_FORKED'
  | 'LOG_STOPPING';

/** A refusal. Its message and issues may be shown to the caller; nothing has changed. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: LedgerErrorCode;
  /** Every fault that was found, each with its place in what the caller sent. */
  readonly issues: readonly Issue[];
  /** After how many seconds trying again makes sense, where it does. */
  readonly retryAfterS: number | undefined;

  constructor(
    code: LedgerErrorCode,
    message: string,
    more: {
      readonly issues?: readonly Issue[];
      readonly retryAfterS?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.issues = more.issues ?? [];
    this.retryAfterS = more.retryAfterS;
  }
}
