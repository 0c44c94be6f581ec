/** How the log lies in the store's tables: keys, values, and the writes of one append. Format version 1. */

import { z } from 'zod';
import { concatBytes, formatHex, formatUint64, parseHex, parseUtf8, utf8 } from '../merkle/bytes.ts';
import { formatTile, type Tile } from '../merkle/tiles.ts';
import type { GrownTile } from './growth.ts';
import type { HmacKey } from './hashing.ts';
import { StoreCorruptError, type Write } from './store.ts';

/** The version of everything in this file and in records.ts. Another one is never read: a migration has its own tool. */
export const formatVersion = '1';

/** Keys of single values. */
export const metaKeys = { format: utf8('format'), genesis: utf8('genesis'), secret: utf8('secret') } as const;
export const headKey = utf8('head');

/** The state of the log that one append replaces as a whole. */
export type Head = {
  readonly size: number;
  readonly root: Uint8Array;
  /** Time of the last entry, milliseconds since 1970: the next one is not earlier. */
  readonly time: number;
  /** Size just after the newest entry of kind transaction or audit; 0 when there is none. */
  readonly recordsUpTo: number;
  /** The newest chain entry: its index, and the time of its block in seconds. */
  readonly chainEntry: { readonly index: number; readonly blockTime: number } | null;
  /** The writer's term, raised at each start: of two writers on a shared store, the older one can be told. */
  readonly term: number;
};

const headShape = z.strictObject({
  size: z.int().positive(),
  root: z.string().regex(/^[0-9a-f]{64}$/),
  time: z.int().nonnegative(),
  recordsUpTo: z.int().nonnegative(),
  chainEntry: z.strictObject({ index: z.int().positive(), blockTime: z.int().nonnegative() }).nullable(),
  term: z.int().positive(),
});

export function formatHead(head: Head): Uint8Array {
  return utf8(JSON.stringify({ ...head, root: formatHex(head.root) }));
}

export function parseHead(value: Uint8Array): Head {
  const parsed = headShape.safeParse(JSON.parse(parseUtf8(value)));
  if (!parsed.success)
    throw new StoreCorruptError('the head of the log is not in its format', { cause: parsed.error });
  return { ...parsed.data, root: parseHex(parsed.data.root, 32) };
}

/** Tiles are stored at the width they have reached; a narrower one is a prefix of it. */
export function tileKey({ level, index }: Pick<Tile, 'level' | 'index'>): Uint8Array {
  return concatBytes(Uint8Array.of(level), formatUint64(index));
}

/**
 * The natural key of an event, HMAC-SHA-256 over the JSON array [agency, source, id] under a secret of the log: who reads the
 * index, or an old backup of it, cannot try out whose events it holds.
 */
export function nameKey(secret: HmacKey, agency: string, source: string, id: string): Uint8Array {
  return secret.mac(utf8(JSON.stringify([agency, source, id])));
}

/** What the store keeps of one entry beside its place in the tree. The service's own entries have no record. */
export type NewEntry = {
  readonly entry: Uint8Array;
  readonly leafHash: Uint8Array;
  readonly record?: { readonly name: Uint8Array; readonly salt: Uint8Array; readonly sealed: Uint8Array };
};

/** The writes that add entries from index `from` on: entries, indexes, records, tiles and the new head. */
export function appendWrites(
  from: number,
  entries: readonly NewEntry[],
  tiles: readonly GrownTile[],
  head: Head,
): readonly Write[] {
  const writes: Write[] = [];
  entries.forEach(({ entry, leafHash, record }, i) => {
    const index = formatUint64(from + i);
    writes.push({ table: 'entry', key: index, value: entry }, { table: 'leaf', key: leafHash, value: index });
    if (record === undefined) return;
    writes.push(
      { table: 'name', key: record.name, value: index },
      { table: 'record', key: index, value: record.sealed },
      { table: 'salt', key: index, value: record.salt },
    );
  });
  for (const { tile, hashes } of tiles)
    writes.push({ table: 'tile', key: tileKey(tile), value: formatTile(hashes) });
  writes.push({ table: 'head', key: headKey, value: formatHead(head) });
  return writes;
}
