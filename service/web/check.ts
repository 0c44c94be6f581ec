/** One check: what was given, how far it is, what came of it, and the one word that it all comes to. */

import type { Verdict } from '../../merkle/verification.ts';
import { type Comparison, isOther } from './comparison.ts';
import type { Judgement } from './judge.ts';
import type { Reason } from './texts.ts';

export type Outcome =
  | { readonly kind: 'busy' }
  /** `ms` is how long that took, to the worker and back; null where a service was asked. */
  | { readonly kind: 'judged'; readonly judgement: Judgement; readonly ms: number | null }
  | { readonly kind: 'unchecked'; readonly reason: Reason };

/** What is waited for while a receipt is not yet anchored. */
export type Waiting = {
  /** What came of the last question; null before the first. */
  readonly last: 'not-yet' | 'unreachable' | 'not-found' | 'not-verified' | 'no-service' | null;
  /** When it was asked, milliseconds since 1970. */
  readonly askedAt: number | null;
};

export type Original = {
  readonly name: string;
  readonly found: Comparison | 'busy' | 'unreadable';
};

export type Check = {
  readonly id: number;
  /** The file's name; null for what was pasted, linked or asked for. */
  readonly name: string | null;
  /** The file as it was given or sent, or as it was completed. */
  readonly receipt: Uint8Array | null;
  /** The file as it was given, before a service completed it. */
  readonly given: Uint8Array | null;
  /** The code for which a service sent it; null where it did not. */
  readonly leaf: string | null;
  readonly outcome: Outcome;
  readonly waiting: Waiting | null;
  readonly original: Original | null;
  /** Whether it became whole while the page was open. */
  readonly isCompleted: boolean;
};

/** What a check says in one word. A file beside it that is not what was signed makes the whole of it not match. */
export function verdictOf({ outcome, original }: Check): Verdict | 'busy' {
  if (outcome.kind === 'busy') return 'busy';
  if (outcome.kind === 'unchecked') return 'could-not-check';
  const { verdict } = outcome.judgement.verification;
  return verdict === 'does-not-match' || !isOtherOriginal(original) ? verdict : 'does-not-match';
}

export function isOtherOriginal(original: Original | null): boolean {
  return original !== null && typeof original.found === 'object' && isOther(original.found);
}
