/** Allowances: so much at once, and so much more with every second that passes. */

/** The time in milliseconds, from any beginning: it must only never go back. */
export type Elapsed = () => number;

/** For how many seconds an allowance adds up while nobody uses it: who sends in bursts may, as long as the mean holds. */
export const burstS = 20;

/**
 * One allowance, a token bucket that may be overdrawn: what a thing costs is often known only once it is done. Then nothing more is
 * allowed until time has paid for it.
 */
export class Allowance {
  readonly #perMs: number;
  readonly #most: number;
  readonly #elapsed: Elapsed;
  #left: number;
  #at: number;

  /** @param perS how much is allowed for each second; 0 for as much as anybody likes */
  constructor(perS: number, elapsed: Elapsed) {
    this.#perMs = perS / 1_000;
    this.#most = perS === 0 ? Number.POSITIVE_INFINITY : perS * burstS;
    this.#elapsed = elapsed;
    this.#left = this.#most;
    this.#at = elapsed();
  }

  take(cost: number): void {
    this.#left -= cost;
  }

  /** Gives back what was taken before it was known that nothing is owed. */
  giveBack(cost: number): void {
    this.#left = Math.min(this.#most, this.#left + cost);
  }

  /** For how many milliseconds nothing is allowed; 0 if something is. */
  waitMs(): number {
    // Time is looked at only by who has used up what there was: for all others this is one comparison.
    if (this.#left > 0) return 0;
    const now = this.#elapsed();
    this.#left = Math.min(this.#most, this.#left + (now - this.#at) * this.#perMs);
    this.#at = now;
    return this.#left > 0 ? 0 : Math.max(1, Math.ceil(-this.#left / this.#perMs));
  }
}
