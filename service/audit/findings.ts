/**
 * Findings: what an audit says is wrong, each under a stable code, with its place and the bytes that prove it.
 *
 * A *fault* makes the verdict no; a *notice* is for people to look at, and does not. What could not be asked is neither: whoever
 * stalls, or sends a page of HTML, has said nothing about the log (`CouldNotCheck`).
 */

import { chainCodes } from './chain-codes.ts';
import { logCodes } from './log-codes.ts';
import { recordCodes } from './record-codes.ts';

export type Severity = 'fault' | 'notice';

/** What a code stands for. The documentation's table is held against these. */
export type CodeFacts = {
  readonly severity: Severity;
  /**
   * `signed`: the bytes in `proof` convince anybody who has the trust file, since a key or the chain vouches for them. `served`: they
   * are what the service, or whoever gave the export, handed out; who doubts it asks again.
   */
  readonly stands: 'signed' | 'served';
  /** One sentence: what does not hold. */
  readonly means: string;
  /** What to do. */
  readonly next: string;
};

/** Every code. Codes are added, never renamed. */
export const findingCodes = { ...logCodes, ...recordCodes, ...chainCodes } as const;

export type FindingCode = keyof typeof findingCodes;

export type Finding = {
  readonly code: FindingCode;
  readonly place: {
    /** An entry's index. */
    readonly index?: number;
    /** A tree's size. */
    readonly size?: number;
    readonly block?: number;
    readonly contract?: string;
  };
  /** What was met and what was wanted, for this one case. */
  readonly message: string;
  /** The bytes that prove it, by name: hashes and entries in hexadecimal, longer things in base64url, notes and JSON as they are. */
  readonly proof: Readonly<Record<string, string>>;
};

/** Takes findings, in the order in which they are met. */
export type Report = (finding: Finding) => void;

/** A question that got no answer in its form: unreachable, stalled, too large, HTML. It says nothing about the log or the chain. */
export class CouldNotCheck extends Error {
  override readonly name = 'CouldNotCheck';
  /** What was asked for. */
  readonly what: string;
  /** Who was asked: a URL without its query, or a file. */
  readonly where: string;

  constructor({ what, where, why }: { what: string; where: string; why: string }, cause?: unknown) {
    super(`${what} could not be had from ${where}: ${why}`, cause === undefined ? undefined : { cause });
    this.what = what;
    this.where = where;
  }
}

/** How many findings of one code are kept in full; beyond, they are only counted: a hostile log may have any number. */
export const keptOfOneCode = 100;

/** What was found. */
export type FindingsFound = {
  /** In the order in which they were met, at most `keptOfOneCode` of each code. */
  readonly kept: readonly Finding[];
  /** How often each code was met. */
  readonly counts: ReadonlyMap<FindingCode, number>;
  /** Whether the verdict is no. */
  readonly hasFault: boolean;
};

/** Collects findings. */
export class Findings {
  readonly #kept: Finding[] = [];
  readonly #counts = new Map<FindingCode, number>();

  /** Bound, so that it can be handed around. */
  readonly report: Report = finding => {
    const count = (this.#counts.get(finding.code) ?? 0) + 1;
    this.#counts.set(finding.code, count);
    if (count <= keptOfOneCode) this.#kept.push(finding);
  };

  found(): FindingsFound {
    const counts = new Map(this.#counts);
    const hasFault = [...counts.keys()].some(code => severityOf(code) === 'fault');
    return { kept: [...this.#kept], counts, hasFault };
  }
}

export function severityOf(code: FindingCode): Severity {
  return findingCodes[code].severity;
}
