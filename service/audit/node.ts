/**
 * The node that an auditor asks: patient where it is slow or busy for a moment, and never believed. What it does not answer in the end
 * could not be checked, which says nothing about the chain.
 */

import { ChainAnswerTooLarge, ChainRefused, ChainUnreachable, type Question, type Rpc } from '../rpc.ts';
import { CouldNotCheck } from './findings.ts';

/** Pauses before a question is asked again, in milliseconds. */
const pausesMs = [250, 1_000, 4_000];

export class ChainNode {
  readonly #rpc: Rpc;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(parts: { readonly rpc: Rpc; readonly sleep: (ms: number) => Promise<void> }) {
    this.#rpc = parts.rpc;
    this.#sleep = parts.sleep;
  }

  /** Asks one question. @throws {CouldNotCheck} when nobody answers it, naming what could not be looked at */
  async ask<T>(what: string, question: Question<T>): Promise<T> {
    const [answer] = await this.askAll(what, [question]);
    return answer as T; // One question gives one answer, of its shape.
  }

  /**
   * Asks questions of one kind together. An answer that is too large is asked for in halves.
   * @throws {CouldNotCheck} as `ask`
   */
  async askAll<T>(what: string, questions: readonly Question<T>[]): Promise<T[]> {
    for (let tries = 0; ; tries++) {
      try {
        return (await this.#rpc.askAll(questions)) as T[]; // Each answer has its question's shape.
      } catch (error) {
        if (!(error instanceof ChainUnreachable)) throw error;
        const isTooLarge = error instanceof ChainAnswerTooLarge;
        if (isTooLarge && questions.length > 1) return this.#inHalves(what, questions);
        const pauseMs = pausesMs[tries];
        // A refusal is an answer: the node has no such block, state or method.
        if (pauseMs === undefined || error instanceof ChainRefused || isTooLarge) {
          throw unanswered(what, error.message, error);
        }
        await this.#sleep(pauseMs);
      }
    }
  }

  async #inHalves<T>(what: string, questions: readonly Question<T>[]): Promise<T[]> {
    const half = Math.ceil(questions.length / 2);
    const first = await this.askAll(what, questions.slice(0, half));
    return [...first, ...(await this.askAll(what, questions.slice(half)))];
  }
}

/** Something that no node has said, or not in its form. */
export function unanswered(what: string, why: string, cause?: unknown): CouldNotCheck {
  return new CouldNotCheck({ what, where: 'the node', why }, cause);
}
