/** What an audit counts while it reads: entries by kind, records by day and key, and what each anchor is the first to cover. */

import { formatHex } from '../../merkle/bytes.ts';
import { type Entry, type EntryKind, isRecord } from '../../merkle/entry.ts';
import type { ChainAnchor } from './chain-view.ts';
import type { AnchorFigures, KeyFigures, LogState, Segment } from './log-state.ts';

const dayMs = 86_400_000;

/** A key id in hexadecimal, as findings and states have it. */
export function keyName(keyId: Uint8Array): string {
  return Buffer.from(keyId.buffer, keyId.byteOffset, keyId.length).toString('hex');
}

const noRecords: Segment = { records: 0, firstTime: null, lastTime: null, lowerBlockTime: null };

export class Figures {
  readonly kinds: Record<EntryKind | 'unreadable', number>;
  readonly keys: Map<string, KeyFigures>;
  readonly anchors: AnchorFigures[];
  readonly #days: Map<number, Map<string, number>>;
  #segment: Segment;

  /** @param from what was counted before */
  constructor(from: LogState | undefined) {
    this.kinds = { genesis: 0, transaction: 0, audit: 0, chain: 0, unreadable: 0, ...from?.kinds };
    this.keys = new Map(Object.entries(from?.keys ?? {}).map(([id, key]) => [id, { ...key }]));
    this.anchors = [...(from?.anchors ?? [])];
    const days = Object.entries(from?.days ?? {});
    this.#days = new Map(days.map(([day, keys]) => [Number(day), new Map(Object.entries(keys))]));
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
    const id = keyName(keyId);
    const key = this.keys.get(id);
    if (key === undefined)
      this.keys.set(id, { records: 1, firstIndex: index, lastIndex: index, firstTime: time, lastTime: time });
    else this.keys.set(id, { ...key, records: key.records + 1, lastIndex: index, lastTime: time });

    const day = Math.floor(time / dayMs);
    const ofDay = this.#days.get(day) ?? new Map<string, number>();
    this.#days.set(day, ofDay.set(id, (ofDay.get(id) ?? 0) + 1));

    const { records, firstTime, lowerBlockTime: lower } = this.#segment;
    this.#segment =
      records === 0
        ? { records: 1, firstTime: time, lastTime: time, lowerBlockTime }
        : { records: records + 1, firstTime, lastTime: time, lowerBlockTime: lower };
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
      keys: sortedRecord(this.keys),
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
