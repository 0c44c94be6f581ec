/** Whether the service is well: what `/health` says, and the moment from which nothing may be acknowledged any more. */

import type { Logger } from 'pino';
import type { AnchorFaultCode } from './anchor-faults.ts';
import type { AnchorerStatus } from './anchorer.ts';
import { LedgerError, type LedgerErrorCode } from './errors.ts';
import type { KeyView } from './keys.ts';
import type { Ledger } from './ledger.ts';
import { StoreBrokenError, StoreCorruptError } from './store.ts';

/** UP: all is well. DEGRADED: reads go on; submissions or anchors may not. DOWN: the process is ending. */
export type Health = {
  readonly status: 'UP' | 'DEGRADED' | 'DOWN';
  /** Why it is not UP. */
  readonly reasons: readonly (LedgerErrorCode | AnchorFaultCode | 'STORE_FAULT' | 'ANCHOR_LATE')[];
};

/** A record that waits longer than this for a final anchor is worth a look, milliseconds. */
const anchorLateMs = 600_000;

export class Vitals {
  readonly #log: Logger;
  readonly #onFatal: (error: unknown) => void;
  readonly #stopping = new AbortController();
  #fatal = false;
  #isCorrupt = false;

  /** @param onFatal called once, with the first error after which the process must end */
  constructor(log: Logger, onFatal: (error: unknown) => void) {
    this.#log = log;
    this.#onFatal = onFatal;
  }

  /** Aborted once the service is stopping. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Takes note that the service is stopping. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Ends it: what is on disk, or what was promised, is not certain any more. */
  readonly fail = (error: unknown): void => {
    // What still fails while things are being closed was not promised to anybody.
    if (this.#fatal || this.stopping.aborted) return;
    this.#fatal = true;
    this.#log.fatal({ err: error }, 'cannot go on');
    this.#onFatal(error);
  };

  /**
   * Takes note of an error that a request met. A write of unknown outcome ends the service. A value that is not what was written
   * ends that request only: what is acknowledged and signed is checked by itself, and else anybody could end the service, again and
   * again, by asking for that value.
   */
  readonly report = (error: unknown, request: Readonly<Record<string, string>>): void => {
    this.#log.error({ ...request, err: error }, 'met a fault');
    if (error instanceof StoreCorruptError) this.#isCorrupt = true;
    if (error instanceof StoreBrokenError) this.fail(error);
  };

  /** The state of health, from what the chain's side knows. */
  health({ keys, anchorer, ledger, now }: Watched): Health {
    if (this.#fatal) return { status: 'DOWN', reasons: ['STORE_FAULT'] };
    if (this.stopping.aborted) return { status: 'DOWN', reasons: ['LOG_STOPPING'] };

    const { fault, waitingSince } = anchorer.status();
    const isLate = waitingSince !== null && now() - waitingSince > anchorLateMs;
    const found = [
      this.#isCorrupt ? 'STORE_FAULT' : undefined,
      refusalOf(keys),
      ledger.refusal,
      fault?.code,
      isLate ? 'ANCHOR_LATE' : undefined,
    ] as const;
    const reasons = [...new Set(found.filter(reason => reason !== undefined))];
    return { status: reasons.length === 0 ? 'UP' : 'DEGRADED', reasons };
  }

  /** Whether a good submission would be taken now. */
  isAccepting({ keys, ledger }: Watched): boolean {
    const isRefusing = ledger.refusal !== undefined || refusalOf(keys) !== undefined;
    return !this.#fatal && !this.stopping.aborted && !isRefusing;
  }
}

/** What is asked for its state. */
export type Watched = {
  readonly keys: Pick<KeyView, 'ready'>;
  readonly anchorer: { readonly status: () => Pick<AnchorerStatus, 'fault' | 'waitingSince'> };
  readonly ledger: Pick<Ledger, 'refusal'>;
  readonly now: () => number;
};

function refusalOf(keys: Pick<KeyView, 'ready'>): LedgerErrorCode | undefined {
  try {
    keys.ready();
    return undefined;
  } catch (error) {
    if (error instanceof LedgerError) return error.code;
    throw error;
  }
}
