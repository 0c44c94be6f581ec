/** What is told of one operation of the interface: who may call it, what they send, and everything that it can answer. */

import type { z } from 'zod';
import type { ProblemName } from '../guidance.ts';
import type { Parameter, Parameters } from '../parameters.ts';

export type Operation = {
  /** Its `operationId`. */
  readonly id: string;
  readonly method: 'get' | 'post';
  /** As OpenAPI spells it: `/v1/anchors/{size}`. */
  readonly path: string;
  /** The router's pattern, where the path does not say it. */
  readonly route?: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** Whether HEAD is answered, too. */
  readonly head: boolean;
  /** Whether a token can be sent: it must be, it may be, or it means nothing. */
  readonly token?: 'needed' | 'taken';
  readonly inPath?: { readonly [name: string]: Parameter | z.ZodString };
  readonly query?: { readonly parameters: Parameters; readonly required: boolean };
  readonly fields?: readonly RequestField[];
  readonly body?: Content & { readonly description: string };
  readonly answers: { readonly [status: number]: OperationAnswer };
  /** Problems that it gives beside those of every request. */
  readonly problems?: readonly ProblemName[];
  /** Problems that stand in a line of its answer. */
  readonly lineProblems?: readonly ProblemName[];
  /** Asked by machines that look whether we live: not held to limits, and it has no faults to meet. */
  readonly isProbe?: true;
};

/** A body: a schema of the whole, or of each line, or of the data of each event by its name. */
export type Content = {
  readonly mediaType: string;
  readonly schema: z.ZodType;
  readonly lines?: z.ZodType;
  readonly events?: Readonly<Record<string, z.ZodType>>;
};

export type OperationAnswer = Content & {
  readonly description: string;
  readonly fields?: readonly AnswerField[];
  /**
   * Whether caches may keep it for ever, or must ask each time: then it has an entity tag, and 304 is an answer, too. `either`: the
   * first once it can never change again, before that the second. Otherwise nobody may keep it.
   */
  readonly caching?: 'immutable' | 'no-cache' | 'either';
};

export type RequestField = 'Prefer' | 'Last-Event-ID';
export type AnswerField = 'Location' | 'Preference-Applied' | 'Vary';

export const tags = {
  Records: 'Submitting records, and having them again.',
  Proofs: 'Receipts, proofs and anchors: what anybody can check.',
  Log: 'The log as static files, as C2SP tlog-tiles describes them.',
  Service: 'For operators and their machines.',
  Pages: 'For people.',
} as const;
export type Tag = keyof typeof tags;

/** What every request can meet. */
export const commonProblems: readonly ProblemName[] = [
  'request-malformed',
  'request-unreadable',
  'request-timeout',
  'header-too-large',
];

/** What every request can meet but a probe. */
export const heldProblems: readonly ProblemName[] = ['address-limit', 'internal-error'];

/** All problems of an operation. */
export function problemsOf({ isProbe, problems = [] }: Operation): readonly ProblemName[] {
  return [...new Set([...commonProblems, ...(isProbe ? [] : heldProblems), ...problems])];
}
