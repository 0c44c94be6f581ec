/**
 * The pulse of the log: how far it has come, its newest anchors and its health, for those who watch.
 *
 * Watchers don't cost the log anything: while there are any, one timer looks once a second at what has changed, and tells all of them
 * the same. Nothing is kept for those who are away: where somebody stands is told by two sizes, and the log has the rest.
 */

import { parseEntry } from '../merkle/entry.ts';
import type { Anchor } from './anchors.ts';
import type { LogReader } from './log-reader.ts';
import type { LogSizes } from './metrics.ts';
import type { Health } from './vitals.ts';

/** An anchor as it is shown. */
export type ShownAnchor = Omit<Anchor, 'checkpoint'> & {
  /** Milliseconds from the first entry that it covers to its block; undefined for the opening, which covers nothing new. */
  readonly lagMs: number | undefined;
};

/** How the service is, and since when (milliseconds) a record has waited for its anchor. */
export type Condition = Health & { readonly waitingSince: number | null };

export type Beat =
  | {
      readonly kind: 'size';
      readonly now: number;
      readonly sizes: LogSizes;
      readonly minutes: readonly number[];
    }
  | { readonly kind: 'anchor'; readonly anchor: ShownAnchor }
  | { readonly kind: 'health'; readonly condition: Condition }
  /** Nothing has happened for a while: so that the other side knows that it is still there. */
  | { readonly kind: 'rest' };

/** Where a watcher stands: the signed and the final size that it has been told of. */
export type Position = { readonly signed: number; readonly final: number };

export type Watcher = (beat: Beat, position: Position) => void;

export type PulseParts = {
  readonly sizes: () => LogSizes;
  readonly condition: () => Condition;
  /** The newest final anchors, newest first. */
  readonly anchors: { newest(limit: number): Promise<readonly Anchor[]> };
  readonly read: Pick<LogReader, 'entry'>;
  readonly now: () => number;
  /** Does something again and again, until what it gives is called. */
  readonly every: (ms: number, task: () => void) => () => void;
  /** Told of what is our fault. */
  readonly onError: (error: unknown) => void;
};

/** How often it is looked at what has changed, milliseconds; and after how many looks a watcher hears something in any case. */
const lookMs = 1_000;
const looksOfRest = 15;

/** Anchors that are remembered, and those that somebody is shown who comes for the first time. */
const remembered = 100;
export const shownAnchors = 10;

/** For so many minutes it is known how many records came in each. */
const minutesShown = 60;
const minuteMs = 60_000;

export class Pulse {
  readonly #parts: PulseParts;
  readonly #startedAt: number;
  readonly #watchers = new Set<Watcher>();
  /** New records by the minute, counted from 1970. */
  readonly #perMinute = new Map<number, number>();
  /** Oldest first. */
  #anchors: readonly ShownAnchor[] = [];
  #told: { sizes: string; health: string; minute: number } = { sizes: '', health: '', minute: 0 };
  #looking: Promise<void> | undefined;
  #stop: (() => void) | undefined;
  #rested = 0;

  constructor(parts: PulseParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
  }

  /** Takes note of new records. */
  count(records: number): void {
    const minute = this.#minute();
    this.#perMinute.set(minute, (this.#perMinute.get(minute) ?? 0) + records);
    if (this.#perMinute.size <= minutesShown) return;
    for (const each of this.#perMinute.keys())
      if (each <= minute - minutesShown) this.#perMinute.delete(each);
  }

  /** How many watch. */
  get watching(): number {
    return this.#watchers.size;
  }

  /** What there is to see now. */
  async view(): Promise<{
    readonly now: number;
    /** Since when records have been counted, milliseconds. */
    readonly since: number;
    readonly sizes: LogSizes;
    readonly minutes: readonly number[];
    /** Newest first. */
    readonly anchors: readonly ShownAnchor[];
    readonly condition: Condition;
  }> {
    await this.#look();
    const { sizes, condition, now } = this.#parts;
    return {
      now: now(),
      since: this.#startedAt,
      sizes: sizes(),
      minutes: this.#minutes(),
      anchors: this.#anchors.slice(-shownAnchors).reverse(),
      condition: condition(),
    };
  }

  /**
   * Tells a watcher how things are, or what has come after its position, and from then on all that changes.
   *
   * @param from where it stands; undefined for one who comes for the first time
   * @param watcher must not throw
   * @returns what ends it
   */
  async watch(from: Position | undefined, watcher: Watcher): Promise<() => void> {
    await this.#look();
    // From here to the end in one turn: whatever changes later, it is told of as all others are.
    const position = this.#position();
    // Who stands further than the log is talking of another one.
    const isKnown = from !== undefined && from.signed <= position.signed && from.final <= position.final;
    const missed = isKnown
      ? this.#anchors.filter(({ size }) => size > from.final)
      : this.#anchors.slice(-shownAnchors);
    for (const anchor of missed) watcher({ kind: 'anchor', anchor }, { ...position, final: anchor.size });
    watcher(this.#sizeBeat(), position);
    watcher({ kind: 'health', condition: this.#parts.condition() }, position);
    this.#watchers.add(watcher);
    this.#stop ??= this.#parts.every(lookMs, () => void this.#look().catch(this.#parts.onError));
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const known = this.#anchors.at(-1)?.size ?? 0;
    if (this.#parts.sizes().final > known) await this.#readAnchors();
    let isQuiet = true;
    const tell = (beat: Beat, position: Position) => {
      isQuiet = false;
      for (const watcher of [...this.#watchers]) watcher(beat, position);
    };
    const position = this.#position();
    for (const anchor of this.#anchors)
      if (anchor.size > known) tell({ kind: 'anchor', anchor }, { ...position, final: anchor.size });

    const condition = this.#parts.condition();
    const now = {
      sizes: JSON.stringify(this.#parts.sizes()),
      health: JSON.stringify(condition),
      minute: this.#minute(),
    };
    const before = this.#told;
    this.#told = now;
    if (now.sizes !== before.sizes || now.minute !== before.minute) tell(this.#sizeBeat(), position);
    if (now.health !== before.health) tell({ kind: 'health', condition }, position);

    this.#rested = isQuiet ? this.#rested + 1 : 0;
    if (this.#rested >= looksOfRest) {
      tell({ kind: 'rest' }, position);
      this.#rested = 0;
    }
  }

  /** Reads the newest anchors, and how late each was. */
  async #readAnchors(): Promise<void> {
    const newest = await this.#parts.anchors.newest(remembered + 1);
    const known = new Map(this.#anchors.map(anchor => [anchor.size, anchor]));
    const shown = await Promise.all(
      newest.map(async ({ checkpoint: _, ...anchor }, i) => {
        const shownBefore = known.get(anchor.size);
        if (shownBefore !== undefined) return shownBefore;
        const before = newest[i + 1]?.size;
        return { ...anchor, lagMs: before === undefined ? undefined : await this.#lagOf(anchor, before) };
      }),
    );
    this.#anchors = shown.slice(0, remembered).reverse();
  }

  /** Blocks have whole seconds, so one may seem to be before what it covers. */
  async #lagOf({ blockTime }: Pick<Anchor, 'blockTime'>, firstIndex: number): Promise<number> {
    const { time } = parseEntry(await this.#parts.read.entry(firstIndex));
    return Math.max(0, blockTime * 1000 - time);
  }

  /** Only what is signed and final is counted as told: whoever comes again from here misses nothing. */
  #position(): Position {
    return { signed: this.#parts.sizes().signed, final: this.#anchors.at(-1)?.size ?? 0 };
  }

  #sizeBeat(): Beat {
    const { now, sizes } = this.#parts;
    return { kind: 'size', now: now(), sizes: sizes(), minutes: this.#minutes() };
  }

  #minute(): number {
    return Math.floor(this.#parts.now() / minuteMs);
  }

  /** New records in each of the last minutes, oldest first; the last one is not over. */
  #minutes(): readonly number[] {
    const first = this.#minute() - minutesShown + 1;
    return Array.from({ length: minutesShown }, (_, i) => this.#perMinute.get(first + i) ?? 0);
  }
}

/** The machine's own timer. It keeps no process alive. */
export const every: PulseParts['every'] = (ms, task) => {
  const timer = setInterval(task, ms).unref();
  return () => clearInterval(timer);
};
