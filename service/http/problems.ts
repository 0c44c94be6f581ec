/** Problems: what a refusal looks like on the wire (RFC 9457), the same shape every time and nothing of ours in it. */

import type { Middleware } from 'koa';
import type { z } from 'zod';
import type { Issue } from '../../merkle/errors.ts';
import { LedgerError, type LedgerErrorCode } from '../errors.ts';
import type { problem } from './openapi/answers.ts';

/** The one table from codes to statuses. The compiler keeps it complete. */
const table = {
  RECORD_MALFORMED: { status: 400, title: 'The record is not in its format' },
  REQUEST_MALFORMED: { status: 400, title: 'The request is not in its format' },
  AUDIENCE_OTHER: { status: 403, title: 'The statement is meant for another log' },
  KEY_UNKNOWN: { status: 403, title: 'The key is not registered' },
  KEY_NOT_VALID: { status: 403, title: 'The key is not valid at this time' },
  KEY_ALGORITHM: { status: 403, title: 'The key is registered for another algorithm' },
  SIGNATURE_INVALID: { status: 403, title: 'The signature does not verify' },
  TOKEN_MISSING: { status: 401, title: 'A token is needed' },
  TOKEN_MALFORMED: { status: 401, title: 'The token is not in its format' },
  TOKEN_AUDIENCE: { status: 401, title: 'The token is meant for another log' },
  TOKEN_KEY_UNKNOWN: { status: 401, title: "The token's key is not registered" },
  TOKEN_KEY_ALGORITHM: { status: 401, title: "The token's key is registered for another algorithm" },
  TOKEN_KEY_NOT_VALID: { status: 401, title: "The token's key is not valid at this time" },
  TOKEN_SIGNATURE: { status: 401, title: "The token's signature does not verify" },
  TOKEN_EXPIRED: { status: 401, title: 'The token has ended' },
  TOKEN_AHEAD: { status: 401, title: 'The token is dated in the future' },
  TOKEN_BEFORE_START: { status: 401, title: 'The token is older than this run of the service' },
  TOKEN_USED: { status: 401, title: 'The token has been used' },
  TOKENS_EXHAUSTED: { status: 429, title: 'Too many tokens have been used' },
  EXPORTS_EXHAUSTED: { status: 429, title: 'Too many exports are under way' },
  READING_OFF: { status: 503, title: 'Records are not given back here' },
  SERVICE_KEY_UNUSABLE: { status: 503, title: 'The key under which reads are recorded cannot be used' },
  READ_NOT_RECORDED: { status: 503, title: 'The read cannot be recorded' },
  RECORD_NOT_FOUND: { status: 404, title: 'There is no such record' },
  RESOURCE_NOT_FOUND: { status: 404, title: 'There is no such resource' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The resource does not allow this method' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request came too slowly' },
  EVENT_CONFLICT: { status: 409, title: 'Another event with this source and id is recorded' },
  RECORD_ERASED: { status: 410, title: 'The record has been erased' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, title: 'The body has an unsupported media type or encoding' },
  KEY_LIMIT: { status: 429, title: 'The key has brought more than its limit' },
  ADDRESS_LIMIT: { status: 429, title: 'The address has sent more than its limit' },
  CHAIN_SILENT: { status: 503, title: 'The chain does not answer' },
  CLOCK_OFF: { status: 503, title: 'The clock of the service is off' },
  LOG_BUSY: { status: 503, title: 'The log is busy' },
  LOG_CLOSED: { status: 503, title: 'The log is closed' },
  LOG_FORKED: { status: 503, title: 'The registry holds another root than the log' },
  LOG_STOPPING: { status: 503, title: 'The service is stopping' },
} as const satisfies Record<LedgerErrorCode, { readonly status: number; readonly title: string }>;

/** The body of a refusal. Every member is always there. */
export type Problem = Readonly<z.output<typeof problem>>;

/** The HTTP status of a refusal. */
export function statusOf(code: LedgerErrorCode): number {
  return table[code].status;
}

/** A refusal as a problem. */
export function problemOf({ code, message, issues }: LedgerError): Problem {
  const { status, title } = table[code];
  return {
    type: typeOf(code),
    title,
    status,
    detail: printable(message, 500),
    issues: listed(issues),
  };
}

/** What all types begin with; the rest is the problem's name. */
export const typePrefix = 'urn:problem-type:zegel:';

function typeOf(code: string): string {
  return `${typePrefix}${code.toLowerCase().replaceAll('_', '-')}`;
}

/** All that the world learns of a fault of ours. */
export const internalProblem: Problem = {
  type: 'urn:problem-type:zegel:internal-error',
  title: 'The service has met a fault',
  status: 500,
  detail: 'the fault is in the log of the service, under the x-request-id of this answer',
  issues: [],
};

/** Every problem that a request can meet once it has been read. `guidance.ts` tells what to do about each. */
export const problemTypes: readonly Pick<Problem, 'type' | 'status' | 'title'>[] = [
  ...Object.entries(table).map(([code, { status, title }]) => ({ type: typeOf(code), status, title })),
  internalProblem,
];

export type Report = (error: unknown, request: Readonly<Record<string, string>>) => void;

/**
 * Answers refusals with their problem and everything else with a constant one.
 *
 * @param report told of what is no refusal, with the request's identifiers: a fault of ours, on which `main` decides whether the
 *   service can go on
 */
export function problems(report: Report): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const refusal = error instanceof LedgerError ? error : undefined;
      if (refusal === undefined) report(error, ctx.state['ids']);
      else if (refusal.retryAfterS !== undefined) ctx.set('Retry-After', String(refusal.retryAfterS));
      const problem = refusal === undefined ? internalProblem : problemOf(refusal);
      ctx.state['problem'] = problem.type;
      ctx.status = problem.status;
      if (problem.status === 401) ctx.set('WWW-Authenticate', challenge(refusal?.code));
      ctx.set('Cache-Control', 'no-store');
      ctx.remove('ETag');
      ctx.body = JSON.stringify(problem);
      ctx.set('Content-Type', 'application/problem+json');
    }
  };
}

/** What a 401 must say (RFC 6750 section 3): that a token is wanted, and whether one was there that is not good. */
function challenge(code: LedgerErrorCode | undefined): string {
  return code === 'TOKEN_MISSING' ? 'Bearer realm="zegel"' : 'Bearer realm="zegel", error="invalid_token"';
}

// A document with a thousand faults has one cause; a hundred lines are as many as a person reads.
const mostIssues = 100;

function listed(issues: readonly Issue[]): Issue[] {
  const shown = issues.slice(0, mostIssues).map(({ place, message }) => ({
    place: printable(place, 200),
    message: printable(message, 300),
  }));
  if (issues.length <= mostIssues) return shown;
  return [...shown, { place: '', message: `${issues.length - mostIssues} more faults` }];
}

/** What a caller sent comes back in answers, logs and terminals: no control or format character passes, and nothing endless. */
function printable(text: string, most: number): string {
  return text
    .slice(0, most)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
}
