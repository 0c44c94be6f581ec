/**
 * The examples of the document: the steps of one story against a log of its own, and one answer for each problem. Nobody wrote them:
 * they are what the service answers to fixed keys, a fixed clock and fixed chance, and a test asks again and compares every byte.
 */

import { listedProblem } from '../catalogue.ts';
import type { ProblemName } from '../guidance.ts';
import problems from './problem-examples.json' with { type: 'json' };
import story from './story.json' with { type: 'json' };

/** A request and its answer. A body of JSON is a value, any other a text. */
export type Step = {
  /** The `operationId`. */
  readonly operation: string;
  readonly name: string;
  readonly summary: string;
  readonly request: { readonly path: string; readonly body?: unknown };
  readonly answer: { readonly status: number; readonly body?: unknown };
};

export const steps: readonly Step[] = story;

/** The example of a problem. */
export function problemExample(name: ProblemName): { readonly summary: string; readonly value: unknown } {
  const { type, title, status } = listedProblem(name);
  const { detail, issues } = examples[name] ?? { detail: '', issues: [] };
  return { summary: title, value: { type, title, status, detail, issues } };
}

type Example = {
  readonly detail: string;
  readonly issues: readonly { readonly place: string; readonly message: string }[];
};

const examples: Readonly<Record<string, Example>> = problems;
