/**
 * Submitting many: what has its receipt already is passed over, the rest is sent as a stream, and each part of it has durable receipts
 * before the next one goes out. So it can be killed at any moment, and run again.
 */

import type { Receipt } from '../merkle/receipt.ts';
import { parseStatement } from '../merkle/statement.ts';
import type { LedgerClient } from '../service/client/client.ts';
import type { Item } from '../service/client/groups.ts';
import { Retry, retrying, retryLimits } from '../service/client/retry.ts';
import { type Outcome, type StreamOptions, submitStream } from '../service/client/stream.ts';
import { type Gap, type KeptReceipts, requireLog } from './kept.ts';

/** What became of how many. */
export type Tally = {
  /** New in the log. */
  recorded: number;
  /** Were in the log before. */
  known: number;
  /** Had their receipt, and were not sent. */
  kept: number;
  refused: number;
  /** The largest index of all that have a receipt. */
  lastIndex: number;
};

export type Refused = Outcome & { readonly kind: 'refused' };
type Recorded = Outcome & { readonly kind: 'recorded' };

export type SubmissionParts = {
  readonly client: LedgerClient;
  readonly items: AsyncIterable<Item>;
  readonly receipts: KeptReceipts;
  readonly options: StreamOptions;
  /** What the receipt of an event is called. */
  readonly nameOf: (line: number, item: Item, event: Uint8Array) => string;
  readonly stopAtRefusal: boolean;
  readonly onRefused: (outcome: Refused) => Promise<void>;
  readonly onProgress: (tally: Tally) => void;
};

/**
 * Ends in order when `options.stop` aborts, and after a refusal where it should.
 * @throws what `submitStream` and the receipts do. What is in the tally has its receipt, or was told of as refused
 */
export async function submitAll(parts: SubmissionParts, tally: Tally): Promise<void> {
  // What is under way when a line is refused has its receipts all the same.
  const halt = new AbortController();
  const { stop = halt.signal } = parts.options;
  const signal = AbortSignal.any([stop, halt.signal]);
  try {
    await submitUntil(signal, () => halt.abort(), parts, tally);
  } catch (error) {
    // What waited for the service throws that it was stopped.
    if (!(signal.aborted && isAbort(error))) throw error;
  }
}

async function submitUntil(
  stop: AbortSignal,
  halt: () => void,
  { stopAtRefusal, ...parts }: SubmissionParts,
  tally: Tally,
): Promise<void> {
  const { client, receipts, options, onRefused, onProgress } = parts;
  const { retries, onRetry = () => undefined } = options;
  const retry = new Retry(client.clock, { ...retryLimits, ...retries });
  // Asked before the kept receipts are looked at: they must be of this log.
  const { origin } =
    options.origin === undefined
      ? await retrying(() => client.about(), retry, { signal: stop, onRetry })
      : { origin: options.origin };
  const unsent = new Unsent(parts, origin, tally);
  for await (const part of submitStream(client, unsent.items(), { ...options, origin, stop })) {
    const kept: (readonly [Gap, Receipt])[] = [];
    const recorded: Recorded[] = [];
    const refused: Refused[] = [];
    for (const outcome of part) {
      const gap = unsent.take(outcome.line);
      if (gap === 'kept') continue;
      if (outcome.kind === 'refused') refused.push(outcome);
      else if (gap !== undefined) {
        kept.push([gap, outcome.receipt]);
        recorded.push(outcome);
      }
    }
    if (kept.length > 0) await receipts.keep(kept);
    // Counted when they have their receipts.
    for (const outcome of recorded) count(tally, outcome);
    for (const outcome of refused) await onRefused(outcome);
    tally.refused += refused.length;
    onProgress(tally);
    if (refused.length > 0 && stopAtRefusal) halt();
  }
}

/** Whether an error says that a signal has ended something. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function count(tally: Tally, { isNew, receipt }: Recorded): void {
  if (isNew) tally.recorded++;
  else tally.known++;
  tally.lastIndex = Math.max(tally.lastIndex, receipt.inclusion.index);
}

type UnsentParts = Pick<SubmissionParts, 'items' | 'receipts' | 'nameOf' | 'onProgress'>;

/** The items that have no receipt yet, and for those under way where their receipts belong. */
class Unsent {
  readonly #parts: UnsentParts;
  readonly #origin: string;
  readonly #tally: Tally;
  /** By line, of what is under way: as many as uploads have. An event of a batch may have its receipt and go along with the others. */
  readonly #gaps = new Map<number, Gap | 'kept'>();

  constructor(parts: UnsentParts, origin: string, tally: Tally) {
    this.#parts = parts;
    this.#origin = origin;
    this.#tally = tally;
  }

  async *items(): AsyncGenerator<Item> {
    for await (const item of this.#parts.items) {
      if (item.kind === 'refused') yield item;
      else if (item.kind === 'batch') {
        const lines = item.batch.events.map((_, i) => item.line + i);
        let missing = 0;
        for (const [i, event] of item.batch.events.entries()) {
          const line = item.line + i;
          if (await this.#isMissing(line, item, event)) missing++;
          else this.#gaps.set(line, 'kept');
        }
        // Its root covers all of them, so it is sent with those that have receipts, or not at all.
        if (missing > 0) yield item;
        else for (const line of lines) this.#gaps.delete(line);
      } else {
        const event = item.kind === 'event' ? item.event : parseStatement(item.statement).payload;
        if (await this.#isMissing(item.line, item, event)) yield item;
      }
    }
  }

  /** Where the receipt for a line belongs, or that it has one; undefined for what was never sent. */
  take(line: number): Gap | 'kept' | undefined {
    const gap = this.#gaps.get(line);
    this.#gaps.delete(line);
    return gap;
  }

  async #isMissing(line: number, item: Item, event: Uint8Array): Promise<boolean> {
    const { receipts, nameOf, onProgress } = this.#parts;
    const found = await receipts.find({ event, name: nameOf(line, item, event) });
    if ('name' in found) {
      this.#gaps.set(line, found);
      return true;
    }
    requireLog(found, this.#origin, receipts.path);
    this.#tally.kept++;
    this.#tally.lastIndex = Math.max(this.#tally.lastIndex, found.inclusion.index);
    onProgress(this.#tally);
    return false;
  }
}
