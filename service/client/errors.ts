/** How a program hears that the service has refused something, or cannot be asked. */

import { utf8 } from '../../merkle/bytes.ts';
import { FormatError, type Issue } from '../../merkle/errors.ts';
import { type Json, parseJson } from '../../merkle/json.ts';

/** A problem document (RFC 9457), as far as we go by it. */
export type Problem = {
  readonly status: number;
  /** The problem type's last part, such as `signature-invalid`; `unknown` where there is no such document. */
  readonly name: string;
  readonly detail: string;
  /** Every fault with its place in what was sent. */
  readonly issues: readonly Issue[];
};

/** The service has refused: what was sent must be changed. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  /** The problem type's last part, such as `signature-invalid`. */
  readonly problem: string;
  readonly issues: readonly Issue[];

  constructor({ status, name, detail, issues }: Problem) {
    super(detail);
    this.status = status;
    this.problem = name;
    this.issues = issues;
  }
}

/** The service could not be asked, or cannot answer now: the same call may go through later. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly retryAfterS: number | undefined;

  constructor(message: string, retryAfterS?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterS = retryAfterS;
  }
}

/** Reads a refusal's body. It may be anybody's, such as a proxy's page, and there is something to say all the same. */
export function parseProblem(status: number, body: string): Problem {
  try {
    return problemIn(status, parseJson(utf8(body)));
  } catch (error) {
    if (error instanceof FormatError) return problemIn(status, undefined);
    throw error;
  }
}

/** The problem that a value holds, or stands for. */
export function problemIn(status: number, value: Json | undefined): Problem {
  const members = membersOf(value);
  const issues = members.get('issues');
  return {
    status,
    name: textOf(members.get('type'))?.split(':').at(-1) ?? 'unknown',
    detail: textOf(members.get('detail')) ?? textOf(members.get('title')) ?? `status ${status}`,
    issues: (Array.isArray(issues) ? (issues as readonly Json[]) : []).map(issueIn),
  };
}

function issueIn(value: Json): Issue {
  const members = membersOf(value);
  return { place: textOf(members.get('place')) ?? '', message: textOf(members.get('message')) ?? '' };
}

function membersOf(value: Json | undefined): ReadonlyMap<string, Json> {
  return value instanceof Map ? value : new Map();
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
