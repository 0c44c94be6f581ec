/** The anchorer: takes one step of anchoring after another, says how it stands, and tells those who wait. */

import type { Logger } from 'pino';
import { formatHex0x } from '../merkle/bytes.ts';
import { parseEntry } from '../merkle/entry.ts';
import { type AnchorFaultCode, advice, faultCodeOf, isAlarm } from './anchor-faults.ts';
import { Anchoring, type AnchoringCounts, type AnchoringParts } from './anchoring.ts';
import type { AnchorBook } from './anchors.ts';

/** A fault, and since when it lasts, milliseconds since 1970. */
export type StandingFault = {
  readonly code: AnchorFaultCode;
  readonly message: string;
  readonly since: number;
};

/** What an operator looks at. Times are milliseconds since 1970. */
export type AnchorerStatus = {
  /** Why the last step came to nothing. */
  readonly fault: StandingFault | null;
  /** The last fault for which somebody should be woken, also when it has passed. */
  readonly alarm: StandingFault | null;
  /** Entries in a block of the chain, and in a final one. */
  readonly anchoredSize: number;
  readonly finalSize: number;
  readonly pending: {
    readonly size: number;
    readonly createdAt: number;
    readonly transaction: string | null;
  } | null;
  /** Time of the oldest entry whose anchor is not final, while a record waits. */
  readonly waitingSince: number | null;
  readonly counts: AnchoringCounts & { readonly steps: number; readonly faults: number };
};

export type AnchorerParts = AnchoringParts;

export class Anchorer {
  readonly #ledger: AnchoringParts['ledger'];
  readonly #book: AnchorBook;
  readonly #anchoring: Anchoring;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #counts = { steps: 0, faults: 0 };
  readonly #waiters = new Set<() => void>();
  #ticking: Promise<void> | undefined;
  #fault: StandingFault | null = null;
  #alarm: StandingFault | null = null;
  #waitingSince: number | null = null;

  constructor(parts: AnchorerParts) {
    this.#ledger = parts.ledger;
    this.#book = parts.book;
    this.#anchoring = new Anchoring(parts);
    this.#now = parts.now;
    this.#log = parts.log;
  }

  /** Does what can be done now. A chain that is down, wrong or refuses shows in `status`. Rejects only on a fault of our own. */
  tick(): Promise<void> {
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = undefined;
    });
    return this.#ticking;
  }

  /** Waits until the entry with this index is covered by a final anchor; false when the time is up before. */
  waitFor(index: number, timeoutMs: number): Promise<boolean> {
    const isFinal = () => index < this.#book.finalSize;
    if (isFinal()) return Promise.resolve(true);
    return new Promise(resolve => {
      const end = () => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve(isFinal());
      };
      const look = () => {
        if (isFinal()) end();
      };
      const timer = setTimeout(end, timeoutMs).unref();
      this.#waiters.add(look);
    });
  }

  status(): AnchorerStatus {
    const { anchoredSize, finalSize, pending } = this.#book;
    const hash = pending?.transaction?.attempts.at(-1)?.hash;
    return {
      fault: this.#fault,
      alarm: this.#alarm,
      anchoredSize,
      finalSize,
      pending: pending
        ? { size: pending.size, createdAt: pending.createdAt, transaction: hash ? formatHex0x(hash) : null }
        : null,
      waitingSince: this.#waitingSince,
      counts: { ...this.#counts, ...this.#anchoring.counts },
    };
  }

  async #tick(): Promise<void> {
    this.#counts.steps++;
    try {
      await this.#anchoring.step();
      if (this.#fault !== null) this.#log.info({ code: this.#fault.code }, 'anchoring goes on');
      this.#fault = null;
    } catch (error) {
      const code = faultCodeOf(error);
      if (code === undefined || !(error instanceof Error)) throw error;
      this.#report(code, error.message);
    }
    for (const look of [...this.#waiters]) look();

    const { finalSize } = this.#book;
    const isWaiting = this.#ledger.recordsUpTo() > finalSize;
    this.#waitingSince = isWaiting ? parseEntry(await this.#ledger.read.entry(finalSize)).time : null;
  }

  #report(code: AnchorFaultCode, message: string): void {
    this.#counts.faults++;
    const isNew = this.#fault?.code !== code;
    this.#fault = { code, message, since: isNew || this.#fault === null ? this.#now() : this.#fault.since };
    if (isAlarm(code)) this.#alarm = this.#fault;
    if (!isNew) return;
    const facts = { code, reason: message, advice: advice[code] };
    this.#log[isAlarm(code) ? 'error' : 'warn'](facts, 'cannot anchor');
  }
}
