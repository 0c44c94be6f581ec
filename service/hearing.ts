/**
 * Whether the chain is heard, and whether our clock agrees with it. While either is not so, no record may be accepted: a key could
 * have been retired unseen, or an entry's time could lie outside the validity of its key or after its anchor (DESIGN 3.7).
 */

import { LedgerError } from './errors.ts';

/** Silence after which nothing is accepted. A retirement is announced 120 s ahead, so it is heard in time or we refuse. */
export const silenceMs = 60_000;
/** How far the clock may be off the time in a block. */
export const clockToleranceMs = 30_000;

export class Hearing {
  readonly #now: () => number;
  /** The newest block that was seen, and when the question was asked that showed it, or none newer, last. */
  #newest: { readonly block: number; readonly askedAt: number } | undefined;
  #heardAt: number | undefined;
  /** How far the clock is off: positive when it is ahead of the chain. Zero when it agrees, or nothing is known. */
  #clockOffMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** When the chain was heard last, milliseconds since 1970. */
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
    const answeredAt = this.#now();
    const last = this.#newest;
    const blockTimeMs = block.time * 1000;
    if (last !== undefined && block.number > last.block) {
      const aheadMs = last.askedAt - blockTimeMs;
      const behindMs = blockTimeMs - answeredAt;
      this.#clockOffMs = aheadMs > clockToleranceMs ? aheadMs : behindMs > clockToleranceMs ? -behindMs : 0;
    }
    this.#newest = { block: Math.max(block.number, last?.block ?? 0), askedAt };
    this.#heardAt = answeredAt;
  }

  /** Returns when records may be accepted. @throws {LedgerError} CHAIN_SILENT, CLOCK_OFF */
  ready(): void {
    if (this.#heardAt === undefined) {
      throw new LedgerError('CHAIN_SILENT', 'the chain has not been heard since the start', {
        retryAfterS: 5,
      });
    }
    const silentMs = this.#now() - this.#heardAt;
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
