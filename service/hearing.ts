/**
 * Whether the chain is heard, and whether our clock agrees with it. While either is not so, no record may be accepted: a key could
 * have been retired unseen, or an entry's time could lie outside the validity of its key or after its anchor (DESIGN 3.7).
 */

import { LedgerError } from './errors.ts';

/** Silence after which nothing is accepted. A retirement is announced 120 s ahead, so it is heard in time or we refuse. */
export const silenceMs = 60_000;
/** How far the clock may be off the time in a block, and how far it may move at once. */
export const clockToleranceMs = 30_000;

export class Hearing {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  /**
   * The newest block that was seen, and when the question was asked that showed it, or none newer, last; undefined when the clock
   * has jumped since.
   */
  #newest: { readonly block: number; readonly askedAt: number | undefined } | undefined;
  #heardAt: number | undefined;
  /** How far the clock is off: positive when it is ahead of the chain. Zero when it agrees, or nothing is known. */
  #clockOffMs = 0;
  /** What the clock said more than has elapsed, when both were looked at last. */
  #offsetMs: number;
  /** How far the clock has jumped, as long as no block has shown whether rightly. */
  #jumpedMs = 0;

  /** @param elapsed milliseconds that nobody can set, from whenever on: it tells a jump of the clock from time that has passed */
  constructor(now: () => number, elapsed: () => number = now) {
    this.#now = now;
    this.#elapsed = elapsed;
    this.#offsetMs = now() - elapsed();
  }

  /** When the question was asked to which the chain gave its last answer, milliseconds since 1970. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  get clockOffMs(): number {
    return this.#clockOffMs;
  }

  /**
   * Takes note of an answer. A chain that stands still counts as heard, and says nothing about the clock: only a block that was not
   * there at the last answer was made since, and so its time lies between the two, give or take the tolerance.
   * @param askedAt when the question was asked
   */
  heard(block: { readonly number: number; readonly time: number }, askedAt: number): void {
    const hasJumped = this.#look();
    const answeredAt = this.#now();
    const last = this.#newest;
    const blockTimeMs = block.time * 1000;
    if (last?.askedAt !== undefined && block.number > last.block) {
      const aheadMs = last.askedAt - blockTimeMs;
      const behindMs = blockTimeMs - answeredAt;
      this.#clockOffMs = aheadMs > clockToleranceMs ? aheadMs : behindMs > clockToleranceMs ? -behindMs : 0;
      this.#jumpedMs = 0;
    }
    const newest = Math.max(block.number, last?.block ?? 0);
    this.#newest = { block: newest, askedAt: hasJumped ? undefined : askedAt };
    // The answer is about the moment when it was asked for: a slow node must not lengthen the time in which we take its word.
    this.#heardAt = askedAt;
  }

  /** Finds out whether the clock has jumped since the last look. If so, what was measured by it before says nothing any more. */
  #look(): boolean {
    const offsetMs = this.#now() - this.#elapsed();
    const movedMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(movedMs) <= clockToleranceMs) return false;
    this.#jumpedMs += movedMs;
    if (this.#newest !== undefined) this.#newest = { ...this.#newest, askedAt: undefined };
    return true;
  }

  /**
   * Returns when a record of a time may be accepted.
   * @param timeMs the entry's time, which is not the clock's when that has gone back a little
   * @throws {LedgerError} CHAIN_SILENT, CLOCK_OFF
   */
  ready(timeMs = 0): void {
    this.#look();
    if (this.#heardAt === undefined) {
      throw new LedgerError('CHAIN_SILENT', 'the chain has not been heard since the start', {
        retryAfterS: 5,
      });
    }
    if (this.#jumpedMs !== 0) {
      const [by, side] = [Math.round(Math.abs(this.#jumpedMs) / 1000), this.#jumpedMs > 0 ? 'ahead' : 'back'];
      const why = `the service's clock has jumped ${by} s ${side}, and no block made since has shown it right`;
      throw new LedgerError('CLOCK_OFF', why, { retryAfterS: 30 });
    }
    const silentMs = Math.max(this.#now(), timeMs) - this.#heardAt;
    if (silentMs > silenceMs) {
      const why = `the chain has not been heard for ${Math.floor(silentMs / 1000)} s`;
      throw new LedgerError('CHAIN_SILENT', why, { retryAfterS: 10 });
    }
    if (this.#clockOffMs !== 0) {
      const [off, side] = [Math.abs(this.#clockOffMs), this.#clockOffMs > 0 ? 'ahead of' : 'behind'];
      const why = `the service's clock is ${Math.round(off / 1000)} s ${side} the chain's`;
      throw new LedgerError('CLOCK_OFF', why, { retryAfterS: 30 });
    }
  }
}
