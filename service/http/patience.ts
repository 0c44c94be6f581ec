/** Patience with one who sends or reads in parts: how long we wait in all, and what makes us wait longer. */

import type { Elapsed } from './allowance.ts';

/**
 * A budget of waiting. It is used up while the other side is waited for, comes back with every byte that arrives, and is there again
 * as a whole after each thing that was worth the wait. So whoever brings nothing is cut off in the end, however cleverly they drip,
 * and whoever sends a good line now and then is not.
 */
export class Patience {
  readonly #limitMs: number;
  readonly #bytesPerMs: number;
  readonly #elapsed: Elapsed;
  readonly #onLate: () => void;
  #leftMs: number;
  #startedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: {
    readonly limitMs: number;
    /** The least speed: bytes that come faster leave the budget as it was. */
    readonly bytesPerS: number;
    readonly elapsed: Elapsed;
    readonly onLate: () => void;
  }) {
    this.#limitMs = parts.limitMs;
    this.#bytesPerMs = parts.bytesPerS / 1_000;
    this.#elapsed = parts.elapsed;
    this.#onLate = parts.onLate;
    this.#leftMs = parts.limitMs;
  }

  /** Begins to wait, unless it waits already. */
  start(): void {
    if (this.#startedAt !== undefined) return;
    this.#startedAt = this.#elapsed();
    this.#timer = setTimeout(() => this.#look(), Math.max(0, this.#leftMs)).unref();
  }

  /** Stops waiting. */
  stop(): void {
    if (this.#startedAt === undefined) return;
    this.#leftMs -= this.#elapsed() - this.#startedAt;
    this.#startedAt = undefined;
    clearTimeout(this.#timer);
  }

  /** Takes note that so many bytes came or went. */
  moved(bytes: number): void {
    this.#grant(this.#leftMs + bytes / this.#bytesPerMs);
  }

  /** Gives the whole budget again. */
  renew(): void {
    this.#grant(Number.POSITIVE_INFINITY);
  }

  #grant(ms: number): void {
    // While it runs, the part that is used up counts, too. The timer finds out by itself.
    const usedMs = this.#startedAt === undefined ? 0 : this.#elapsed() - this.#startedAt;
    this.#leftMs = Math.min(ms, this.#limitMs + usedMs);
  }

  #look(): void {
    if (this.#startedAt === undefined) return;
    const leftMs = this.#leftMs - (this.#elapsed() - this.#startedAt);
    if (leftMs > 0) this.#timer = setTimeout(() => this.#look(), leftMs).unref();
    else this.#onLate();
  }
}
