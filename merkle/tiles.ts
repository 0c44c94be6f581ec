/**
 * The log's public files: C2SP tlog-tiles, byte for byte.
 *
 * A *tile* is up to 256 hashes that stand side by side: at level 0 leaf hashes, and at every level above the roots of the full
 * tiles below, so that hash `i` of level `l` covers the 256^l leaves from `i * 256^l` on. It is those hashes, 32 bytes each, one
 * after another. An *entry bundle* is the entries under a tile of level 0, each after its length in two bytes, big-endian. A file
 * is named after its level, its index in the level, and its width where it is not full:
 *
 *     tile/0/x001/234        tile 1234 of leaf hashes, full
 *     tile/1/004.p/210       tile 4 of level 1, with 210 hashes
 *     tile/entries/000.p/3   the first three entries
 *
 * The index is cut into groups of three digits, all but the last behind an `x`. What is full never changes again.
 */

import { abbreviate, concatBytes, parseSafeInteger } from './bytes.ts';
import { FormatError } from './errors.ts';

/** How many hashes a full tile has, and how many entries a full bundle. */
export const tileWidth = 256;

/** Level 7 would begin at 256^7 leaves, beyond 2^53 - 1. */
const maxLevel = 6;

const hashLength = 32;
const maxEntryLength = 65535;

/** The first `width` hashes of the tile at `index` of `level`. */
export type Tile = { readonly level: number; readonly index: number; readonly width: number };

/** The tile's name under the log's base URL, without a leading slash: `tile/1/004.p/210`. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${placeName(index, width)}`;
}

/** An entry bundle's name under the log's base URL, without a leading slash: `tile/entries/000.p/3`. */
export function bundlePath(index: number, width: number): string {
  return `tile/entries/${placeName(index, width)}`;
}

function placeName(index: number, width: number): string {
  const digits = String(index);
  const groups = digits.padStart(3 * Math.ceil(digits.length / 3), '0').match(/.../g) ?? [];
  const place = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === tileWidth ? place : `${place}.p/${width}`;
}

/** Reads a tile's or a bundle's name. @throws {FormatError} unless it is spelt as we would spell it */
export function parseTilePath(
  path: string,
):
  | { readonly kind: 'tile'; readonly tile: Tile }
  | { readonly kind: 'bundle'; readonly index: number; readonly width: number } {
  const fault = FormatError.at('', `"${abbreviate(path)}" is not the name of a tile or an entry bundle`);
  const match = /^tile\/(entries|[0-9])\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path);
  if (match === null) throw fault;

  const [, kind = '', place = '', partial] = match;
  const index = parseSafeInteger(place.replaceAll(/x|\//g, '').replace(/^0+(?=.)/, ''));
  const width = partial === undefined ? tileWidth : Number(partial);
  if (index === undefined || width < 1) throw fault;

  if (kind === 'entries') {
    if (bundlePath(index, width) !== path) throw fault;
    return { kind: 'bundle', index, width };
  }
  const tile = { level: Number(kind), index, width };
  if (tile.level > maxLevel || tilePath(tile) !== path) throw fault;
  return { kind: 'tile', tile };
}

/** How wide the tile at `index` of `level` is in a tree of `size` leaves; 0 if it is not there. For bundles: level 0. */
export function tileWidthAt(level: number, index: number, size: number): number {
  return Math.max(0, Math.min(tileWidth, hashesAt(level, size) - index * tileWidth));
}

/** The last tile of each level in a tree of `size` leaves, full or not, from level 0 up. None for the tree without leaves. */
export function rightmostTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level++) {
    const index = Math.ceil(hashesAt(level, size) / tileWidth) - 1;
    tiles.push({ level, index, width: tileWidthAt(level, index, size) });
  }
  return tiles;
}

/** The tiles that are new or wider in the tree of `newSize` leaves than in that of `oldSize`, from level 0 up, left to right. */
export function grownTiles(oldSize: number, newSize: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashesAt(level, newSize) > hashesAt(level, oldSize); level++) {
    const end = Math.ceil(hashesAt(level, newSize) / tileWidth);
    for (let index = Math.floor(hashesAt(level, oldSize) / tileWidth); index < end; index++)
      tiles.push({ level, index, width: tileWidthAt(level, index, newSize) });
  }
  return tiles;
}

/** How many hashes a level has: one for each 256^level leaves that are complete. */
function hashesAt(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level);
}

/** A tile's file. @throws {RangeError} unless it has 1 to 256 hashes of 32 bytes: empty tiles are not served */
export function formatTile(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length < 1 || hashes.length > tileWidth)
    throw new RangeError(`a tile of ${hashes.length} hashes, want 1 to ${tileWidth}`);
  for (const hash of hashes)
    if (hash.length !== hashLength)
      throw new RangeError(`a hash of ${hash.length} bytes, want ${hashLength}`);
  return concatBytes(...hashes);
}

/** Reads a tile's file. @throws {FormatError} unless it is 1 to 256 hashes of 32 bytes */
export function parseTile(bytes: Uint8Array): Uint8Array[] {
  const width = bytes.length / hashLength;
  if (!Number.isInteger(width) || width < 1 || width > tileWidth)
    throw FormatError.at(
      '',
      `a tile of ${bytes.length} bytes, want ${hashLength} for each of 1 to ${tileWidth} hashes`,
    );
  // A copy, so that the hashes outlive the buffer that they were read into; and a plain one, whatever was handed in.
  const copy = new Uint8Array(bytes);
  return Array.from({ length: width }, (_, i) => copy.subarray(i * hashLength, (i + 1) * hashLength));
}

/** An entry bundle's file. @throws {RangeError} unless it has 1 to 256 entries of at most 65,535 bytes */
export function formatBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > tileWidth)
    throw new RangeError(`a bundle of ${entries.length} entries, want 1 to ${tileWidth}`);
  return concatBytes(
    ...entries.flatMap(entry => {
      if (entry.length > maxEntryLength)
        throw new RangeError(`an entry of ${entry.length} bytes, want at most ${maxEntryLength}`);
      return [Uint8Array.of(Math.floor(entry.length / 256), entry.length % 256), entry];
    }),
  );
}

/** Reads an entry bundle's file. @throws {FormatError} unless it is 1 to 256 entries and nothing else */
export function parseBundle(bytes: Uint8Array): Uint8Array[] {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < copy.length; ) {
    const start = at + 2;
    const end = start > copy.length ? start : start + view.getUint16(at);
    if (end > copy.length)
      throw FormatError.at(
        '',
        `entry ${entries.length} of the bundle ends at byte ${end}, the bundle at ${copy.length}`,
      );
    entries.push(copy.subarray(start, end));
    at = end;
  }
  if (entries.length < 1 || entries.length > tileWidth)
    throw FormatError.at('', `a bundle of ${entries.length} entries, want 1 to ${tileWidth}`);
  return entries;
}
