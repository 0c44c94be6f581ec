/** Figures of many anchors as few enough for a page: how long records waited, between which blocks they lie, and what an anchor cost. */

import { formatTime } from '../../merkle/entry.ts';
import type { AnchorFigures } from './log-state.ts';

/** Of some numbers: the smallest, the one in the middle, the largest. */
export type Spread = { readonly least: number; readonly median: number; readonly most: number };

/** Anchors that stand one after another. Times in seconds; null where none of them has any. */
export type AnchorGroup = {
  readonly anchors: number;
  /** Records that they are the first to cover. */
  readonly records: number;
  readonly lastSize: number;
  readonly firstBlockTime: string;
  readonly lastBlockTime: string;
  /** From the first record that an anchor covers to the anchor's block. Below 0 where clocks differ. */
  readonly lagS: Spread | null;
  /** From the block that an anchor's records are later than to the block that they are earlier than. */
  readonly bracketS: Spread | null;
  readonly gas: Spread | null;
};

/** The anchors of a log; the opening, which costs otherwise and covers no record, is none of them. */
export type AnchorSeries = {
  readonly all: AnchorGroup | null;
  /** The longest time between two anchors, in seconds. */
  readonly longestGapS: number | null;
  /** At most `groupsShown`, of nearly equal numbers of anchors. */
  readonly groups: readonly AnchorGroup[];
};

/** As many as a chart of this kind can show. */
export const groupsShown = 60;

export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  return least === undefined || most === undefined || median === undefined ? null : { least, median, most };
}

export function seriesOf(figures: readonly AnchorFigures[]): AnchorSeries {
  const anchors = figures.filter(({ size }) => size > 1);
  const groups: AnchorGroup[] = [];
  const wanted = Math.min(groupsShown, anchors.length);
  for (let i = 0; i < wanted; i++) {
    const from = Math.floor((i * anchors.length) / wanted);
    const to = Math.floor(((i + 1) * anchors.length) / wanted);
    const group = groupOf(anchors.slice(from, to));
    if (group !== null) groups.push(group);
  }
  let longestGapS: number | null = null;
  for (const [i, { blockTime }] of anchors.entries()) {
    const before = anchors[i - 1];
    if (before !== undefined) longestGapS = Math.max(longestGapS ?? 0, blockTime - before.blockTime);
  }
  return { all: groupOf(anchors), longestGapS, groups };
}

function groupOf(anchors: readonly AnchorFigures[]): AnchorGroup | null {
  const [first, last] = [anchors[0], anchors.at(-1)];
  if (first === undefined || last === undefined) return null;
  const lags = anchors.flatMap(({ firstTime, blockTime }) =>
    firstTime === null ? [] : [(blockTime * 1000 - firstTime) / 1000],
  );
  const brackets = anchors.flatMap(({ firstTime, lowerBlockTime, blockTime }) =>
    firstTime === null || lowerBlockTime === null ? [] : [blockTime - lowerBlockTime],
  );
  return {
    anchors: anchors.length,
    records: anchors.reduce((sum, { records }) => sum + records, 0),
    lastSize: last.size,
    firstBlockTime: formatTime(first.blockTime * 1000),
    lastBlockTime: formatTime(last.blockTime * 1000),
    lagS: spreadOf(lags),
    bracketS: spreadOf(brackets),
    gas: spreadOf(anchors.map(({ gasUsed }) => gasUsed)),
  };
}
