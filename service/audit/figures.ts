/** What an audit counts while it reads: entries by kind, records by day and key, and what each anchor is the first to cover. */

import { formatHex } from '../../merkle/bytes.ts';
import { type Entry, type EntryKind, isRecord } from '../../merkle/entry.ts';
import type { ChainAnchor } from './chain-view.ts';
import type { AnchorFigures, KeyFigures, LogState, Segment } from './log-state.ts';

const dayMs = 86_400_000;

type Growing<T> = { -readonly [K in keyof T]: T[K] };

/** A key id in hexadecimal, as findings and states have it. */
export function keyName(keyId: Uint8Array): string {
  return Buffer.from(keyId.buffer, keyId.byteOffset, keyId.length).toString('hex');
}

/** How many keys and days are counted by themselves: a log that lies may name any number, and an audit must live to say so. */
const keysMax = 100_000;
const daysMax = 40_000;

/** What stands for all keys beyond them; no record has it. */
const otherKeys = '00'.repeat(32);

const noRecords: Segment = { records: 0, firstTime: null, lastTime: null, lowerBlockTime: null };

export class Figures {
  readonly kinds: Record<EntryKind | 'unreadable', number>;
  readonly keys: Map<string, Growing<KeyFigures>>;
  readonly anchors: AnchorFigures[];
  readonly #days: Map<number, Map<string, number>>;
  /** That was met first of all last. */
  #lastDay: number;
  #segment: Segment;

  /** @param from what was counted before */
  constructor(from: LogState | undefined) {
    this.kinds = { genesis: 0, transaction: 0, audit: 0, chain: 0, unreadable: 0, ...from?.kinds };
    this.keys = new Map(Object.entries(from?.keys ?? {}).map(([id, key]) => [id, { ...key }]));
    this.anchors = [...(from?.anchors ?? [])];
    const days = Object.entries(from?.days ?? {});
    this.#days = new Map(days.map(([day, keys]) => [Number(day), new Map(Object.entries(keys))]));
    this.#lastDay = [...this.#days.keys()].at(-1) ?? 0;
    this.#segment = from?.segment ?? noRecords;
  }

  /** What no anchor has covered so far. */
  get segment(): Segment {
    return this.#segment;
  }

  /** @param lowerBlockTime of the last chain entry before it, in seconds */
  add(index: number, { kind, time, keyId }: Entry, lowerBlockTime: number | null): void {
    this.kinds[kind]++;
    if (!isRecord(kind)) return;
    const id = this.#countedAs(keyName(keyId));
    const key = this.keys.get(id);
    if (key === undefined)
      this.keys.set(id, { records: 1, firstIndex: index, lastIndex: index, firstTime: time, lastTime: time });
    else {
      key.records++;
      key.lastIndex = index;
      key.lastTime = time;
    }
    const ofDay = this.#dayOf(Math.floor(time / dayMs));
    ofDay.set(id, (ofDay.get(id) ?? 0) + 1);

    const { records, firstTime, lowerBlockTime: lower } = this.#segment;
    this.#segment =
      records === 0
        ? { records: 1, firstTime: time, lastTime: time, lowerBlockTime }
        : { records: records + 1, firstTime, lastTime: time, lowerBlockTime: lower };
  }

  #countedAs(id: string): string {
    return this.keys.size < keysMax || this.keys.has(id) ? id : otherKeys;
  }

  /** Beyond them, with the last one that is. */
  #dayOf(day: number): Map<string, number> {
    const known =
      this.#days.get(day) ?? (this.#days.size < daysMax ? undefined : this.#days.get(this.#lastDay));
    if (known !== undefined) return known;
    const ofDay = new Map<string, number>();
    this.#days.set(day, ofDay);
    this.#lastDay = day;
    return ofDay;
  }

  /** What was read so far is covered by an anchor. Gives its figures. */
  cover({ size, root, block, blockTime, gasUsed }: ChainAnchor): AnchorFigures {
    const figures = { size, root: formatHex(root), block, blockTime, gasUsed, ...this.#segment };
    this.anchors.push(figures);
    this.#segment = noRecords;
    return figures;
  }

  /** As a state holds it, in one order however it came about. */
  state(): Pick<LogState, 'kinds' | 'keys' | 'anchors' | 'days' | 'segment'> {
    const days = sorted(this.#days, (a, b) => a - b).map(([day, keys]) => [day, sortedRecord(keys)]);
    return {
      segment: this.#segment,
      anchors: [...this.anchors],
      kinds: { ...this.kinds },
      // What is counted on is no part of what was told.
      keys: sortedRecord(new Map([...this.keys].map(([id, key]) => [id, { ...key }]))),
      days: Object.fromEntries(days),
    };
  }
}

function sorted<K, V>(map: ReadonlyMap<K, V>, order: (a: K, b: K) => number): [K, V][] {
  return [...map].sort(([a], [b]) => order(a, b));
}

function sortedRecord<V>(map: ReadonlyMap<string, V>): Record<string, V> {
  return Object.fromEntries(sorted(map, (a, b) => (a < b ? -1 : 1)));
}
