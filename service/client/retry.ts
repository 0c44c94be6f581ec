/** Trying again: after longer and longer pauses, no two senders in step, and not for ever. */

import { setTimeout } from 'node:timers/promises';
import { UnavailableError } from './errors.ts';

/** Time and chance, as the one who waits has them. */
export type Clock = {
  /** Milliseconds, from any beginning. */
  readonly now: () => number;
  /** Waits so many milliseconds, or rejects as soon as the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>;
  /** A number from 0 up to 1. */
  readonly random: () => number;
};

/** The clock of this machine. */
export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }),
  random: Math.random,
};

export type RetryLimits = {
  /** The longest of the first pauses. */
  readonly firstMs: number;
  /** The longest that any pause gets, unless the service asks for more. */
  readonly longestMs: number;
  /** After so long without anything done, it is given up. */
  readonly giveUpMs: number;
};

export const retryLimits: RetryLimits = { firstMs: 500, longestMs: 30_000, giveUpMs: 600_000 };

/** One row of attempts at one thing. */
export class Retry {
  readonly #clock: Clock;
  readonly #limits: RetryLimits;
  #pauses = 0;
  #lastProgress: number;

  constructor(clock: Clock = realClock, limits: RetryLimits = retryLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#lastProgress = clock.now();
  }

  /** Says that something was done: the next pause is a short one again. */
  progressed(): void {
    this.#pauses = 0;
    this.#lastProgress = this.#clock.now();
  }

  /**
   * Pauses before the next attempt: at least as long as the service asked for, and otherwise for a random part of a time that doubles
   * (so that many who were refused together do not come back together).
   *
   * @returns for how many milliseconds
   * @throws {UnavailableError} what was given, when it has gone on for too long; what `sleep` throws when the signal aborts
   */
  async pause(reason: UnavailableError, signal?: AbortSignal): Promise<number> {
    const { firstMs, longestMs, giveUpMs } = this.#limits;
    const longest = Math.min(longestMs, firstMs * 2 ** Math.min(this.#pauses, 30));
    const jitter = longest * (0.5 + this.#clock.random() / 2);
    const ms = Math.round((reason.retryAfterS ?? 0) * 1000 + jitter);
    if (this.#clock.now() + ms - this.#lastProgress > giveUpMs) throw reason;
    this.#pauses++;
    await this.#clock.sleep(ms, signal);
    return ms;
  }
}

/** Does something until it succeeds or is refused. @throws what `Retry.pause` does, and whatever is no outage */
export async function retrying<T>(
  work: () => Promise<T>,
  retry: Retry,
  {
    signal,
    onRetry,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly onRetry?: (reason: UnavailableError) => void;
  } = {},
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      onRetry?.(error);
      await retry.pause(error, signal);
    }
  }
}
