/**
 * How far an audit of the log has come, as it is written down: what is needed to go on, and what has been counted so far.
 *
 * It holds no entry. The tree is in it as the hashes of the last, partial tile of each level (`CompactRange.of`), from which the root
 * follows; so whoever goes on from here and meets a signed root has proved that the log still begins as it did. A position is
 * either inside a stretch that the chain covers, or at an anchored size: nothing that waits for its anchor is behind it.
 */

import { z } from 'zod';
import { formatHex, parseHex } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { CompactRange } from './compact-range.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
const time = z.int().nonnegative();

/** Records since the last anchor. Times of entries in milliseconds, of blocks in seconds since 1970; null where there is none. */
const segmentShape = z.strictObject({
  records: count,
  firstTime: time.nullable(),
  lastTime: time.nullable(),
  /** The block of the last chain entry before the first record: all of these records are later. */
  lowerBlockTime: time.nullable(),
});
export type Segment = z.infer<typeof segmentShape>;

/** An anchor, with the records that it is the first to cover. */
const anchorShape = z.strictObject({
  size: count.positive(),
  root: hex,
  block: count,
  blockTime: time,
  gasUsed: count,
  ...segmentShape.shape,
});
export type AnchorFigures = z.infer<typeof anchorShape>;

const keyShape = z.strictObject({
  records: count.positive(),
  firstIndex: count,
  lastIndex: count,
  firstTime: time,
  lastTime: time,
});
export type KeyFigures = z.infer<typeof keyShape>;

/** `unreadable` are those that are not served in their form. */
const kindsShape = z.strictObject({
  genesis: count,
  transaction: count,
  audit: count,
  chain: count,
  unreadable: count,
});

const stateShape = z.strictObject({
  version: z.literal(1),
  origin: z.string(),
  /** Whether the entries were held against a chain. */
  judged: z.boolean(),
  size: count.positive(),
  root: hex,
  /** By level, the hashes of the last tile where it is not full. */
  tiles: z.array(z.array(hex).max(255)),
  /** Of the last entry, milliseconds since 1970. */
  time,
  chainEntry: z.strictObject({ index: count.positive(), block: count, blockTime: time }).nullable(),
  segment: segmentShape,
  anchors: z.array(anchorShape),
  kinds: kindsShape,
  /** By key id. */
  keys: z.record(hex, keyShape),
  /** Records by day (days since 1970, UTC) and key id. */
  days: z.record(z.string().regex(/^[0-9]{1,9}$/), z.record(hex, count.positive())),
  /** The newest checkpoint that was seen and held; its size may be beyond this position. */
  checkpoint: z.string().nullable(),
});

/** Plain data: JSON.stringify gives its one text. */
export type LogState = z.infer<typeof stateShape>;

/** The text of a state. */
export function formatLogState(state: LogState): string {
  return JSON.stringify(stateShape.parse(state));
}

/** Reads a state. @throws {FormatError} unless it is one that `formatLogState` prints, and true in itself */
export function parseLogState(text: string): LogState {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw FormatError.at('', 'the state is not JSON');
  }
  const parsed = stateShape.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw FormatError.at(issue?.path.join('.') ?? '', issue?.message ?? 'is not in its form');
  }
  const state = parsed.data;
  if (formatLogState(state) !== text) throw FormatError.at('', 'the state is not in its one spelling');

  const range = rangeOf(state);
  if (range.size !== state.size || formatHex(range.root()) !== state.root)
    throw FormatError.at('tiles', `they are of a tree of ${range.size}, or of another root`);
  const entries = Object.values(state.kinds).reduce((total, each) => total + each, 0);
  if (entries !== state.size) throw FormatError.at('kinds', `they are not ${state.size} entries`);
  const sum = (counts: readonly number[]): number => counts.reduce((total, each) => total + each, 0);
  const records = state.kinds.transaction + state.kinds.audit;
  const sums = {
    keys: sum(Object.values(state.keys).map(key => key.records)),
    days: sum(Object.values(state.days).flatMap(keys => Object.values(keys))),
    anchors: sum([...state.anchors.map(anchor => anchor.records), state.segment.records]),
  };
  for (const [place, total] of Object.entries(sums))
    if (total !== records) throw FormatError.at(place, `they are of ${total} records, want ${records}`);
  state.anchors.forEach(({ size }, i) => {
    if (size > state.size || size <= (state.anchors[i - 1]?.size ?? 0))
      throw FormatError.at(`anchors[${i}]`, `the size ${size} is out of order`);
  });
  return state;
}

/** The tree at the position. */
export function rangeOf({ tiles }: Pick<LogState, 'tiles'>): CompactRange {
  return CompactRange.of(tiles.map(hashes => hashes.map(hash => parseHex(hash, 32))));
}

/** The tree as a state holds it. Full tiles must have been taken. */
export function tilesOf(range: CompactRange): string[][] {
  return range.partialTiles().map(hashes => hashes.map(formatHex));
}
