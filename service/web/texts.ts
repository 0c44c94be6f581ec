/** All that the page says, as a type: a language that lacks a sentence does not compile. Dutch is the authoritative one. */

import type { StepName, Verdict } from '../../merkle/verification.ts';
import type { Comparison } from './comparison.ts';
import type { NotSent } from './sent.ts';

/** Why a verdict could not be given. None of these says anything about a record. */
export type Reason =
  | NotSent
  | 'other-record'
  | 'not-verified'
  | 'no-trust'
  | 'too-large'
  | 'too-many'
  | 'unreadable'
  | 'document'
  | 'event'
  | 'trust'
  | 'fork'
  | 'link-damaged'
  | 'not-recognised'
  | 'no-receipts'
  | 'fault';

/** What a sentence about a receipt is made of; all of it is shown as text. */
export type Said = {
  /** The agency's name and identifier, or the identifier alone. */
  readonly agency: string;
  /** The block's time, as people write it. */
  readonly date: string;
};

/** A heading, and a sentence or two. */
export type Explained = { readonly title: string; readonly text: string };

export type Texts = {
  /** How the language is called in itself. */
  readonly language: string;
  /** Says that this is a translation; null in the authoritative language. */
  readonly translation: string | null;
  readonly title: string;
  readonly question: string;
  readonly lead: string;
  readonly skip: string;
  readonly languages: string;
  readonly noScript: string;

  readonly ways: {
    readonly heading: string;
    readonly choose: string;
    readonly drop: string;
    readonly release: string;
    readonly field: string;
    readonly fieldHint: string;
    readonly check: string;
    readonly private: string;
    readonly retry: string;
    readonly again: string;
    readonly busy: string;
    readonly busyMany: (done: string, all: string) => string;
  };

  readonly verdicts: Readonly<Record<Verdict, string>>;
  /** One plain sentence for each way in which a receipt may be found good. */
  readonly matches: {
    readonly record: (said: Said) => string;
    readonly proofOnly: (said: Said) => string;
    readonly own: (said: Said) => string;
  };
  readonly pending: { readonly record: string; readonly proofOnly: string; readonly own: string };
  /** Ends the sentence that begins with `doesNotMatch`. */
  readonly doesNotMatch: string;
  readonly wrong: Readonly<Record<StepName | 'original', string>>;
  readonly couldNotCheck: string;
  readonly reasons: Readonly<Record<Reason, string>>;
  readonly advice: {
    readonly wrong: string;
    readonly otherLog: string;
    readonly olderTrust: string;
    readonly original: string;
    readonly unchecked: string;
    readonly development: string;
    readonly completed: string;
  };
  readonly waiting: {
    readonly expected: (date: string) => string;
    readonly late: string;
    readonly unknown: string;
    readonly bySelf: string;
    readonly noService: string;
    readonly unreachable: string;
    readonly notFound: string;
    readonly notVerified: string;
    readonly asked: (time: string) => string;
  };

  readonly who: string;
  readonly what: string;
  readonly when: string;
  readonly labels: {
    readonly agency: string;
    readonly nameFrom: string;
    readonly unproved: string;
    readonly key: string;
    readonly nobody: string;
    readonly log: string;
    readonly kind: string;
    readonly kinds: Readonly<Record<'transaction' | 'audit' | 'genesis' | 'chain', string>>;
    readonly type: string;
    readonly subject: string;
    readonly id: string;
    readonly source: string;
    readonly eventTime: string;
    readonly eventTimeBy: string;
    readonly content: string;
    readonly more: (count: string) => string;
    readonly asSigned: string;
    readonly asSignedHint: string;
    readonly noContent: string;
    readonly entryTime: string;
    readonly entryTimeBy: string;
    readonly blockTime: string;
    readonly blockTimeBy: (block: string) => string;
    readonly notYet: string;
    readonly code: string;
    readonly codeHint: string;
  };

  readonly steps: {
    readonly heading: string;
    readonly lead: string;
    readonly passed: string;
    readonly failed: string;
    readonly skipped: string;
    readonly notReached: string;
    readonly verifier: string;
    readonly each: Readonly<Record<StepName, Explained>>;
  };

  readonly limits: {
    readonly heading: string;
    readonly proves: string;
    readonly provesNot: string;
    readonly signed: (said: Said) => string;
    readonly existed: (said: Said) => string;
    readonly unchanged: string;
    readonly accepted: string;
    readonly signedOnly: string;
    readonly sealed: string;
    readonly truth: string;
    readonly later: string;
    readonly exactTime: string;
    readonly contentMissing: string;
    readonly notFinal: string;
    readonly notAnchored: string;
    readonly trust: string;
  };

  readonly original: {
    readonly heading: string;
    /** The heading once there is one. */
    readonly beside: string;
    readonly lead: string;
    readonly choose: string;
    readonly busy: string;
    readonly unreadable: string;
    readonly loose: (names: string) => string;
    readonly found: Readonly<Record<Exclude<Comparison['kind'], 'document'>, string>>;
    /** `path`: where in the event; null where that goes without saying. */
    readonly document: (path: string | null) => string;
  };

  readonly trust: {
    readonly heading: string;
    readonly lead: string;
    readonly ofPage: string;
    readonly ofVisitor: string;
    readonly none: string;
    readonly fingerprint: string;
    readonly how: string;
    readonly compare: string;
    readonly same: string;
    readonly different: string;
    readonly partial: string;
    readonly issued: (number: string, date: string) => string;
    readonly logs: string;
    readonly own: string;
    readonly back: string;
    readonly fault: string;
    readonly download: string;
  };

  readonly self: {
    readonly heading: string;
    readonly lead: string;
    readonly receipt: string;
    readonly page: string;
    readonly pageHint: string;
    readonly print: string;
    readonly link: string;
  };

  readonly table: {
    readonly caption: string;
    readonly summary: (counts: Readonly<Record<Verdict, number>>) => string;
    readonly receipt: string;
    readonly verdict: string;
    readonly agency: string;
    readonly when: string;
    readonly what: string;
    readonly open: string;
    readonly back: string;
    readonly unnamed: (number: string) => string;
  };

  readonly foot: string;
};
