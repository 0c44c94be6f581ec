/** The growing edge of the tree as tiles: what an append adds to them, without reading the disk. */

import { type Tile, tileWidth } from '../merkle/tiles.ts';
import { nodeHash } from './hashing.ts';

/**
 * The hashes of the last, not yet full tile of each level (0 to 255 of them). A level that has never had a hash is absent.
 * Together with the size they say which tiles there are.
 */
export type Growth = readonly (readonly Uint8Array[])[];

/** A tile with its hashes, as it stands after an append. */
export type GrownTile = { readonly tile: Tile; readonly hashes: readonly Uint8Array[] };

/** Appends leaf hashes to a tree of `size` leaves: the new edge, and every tile that is new or wider, with all its hashes. */
export function grow(
  growth: Growth,
  size: number,
  leafHashes: readonly Uint8Array[],
): { readonly growth: Growth; readonly tiles: readonly GrownTile[] } {
  const next: Uint8Array[][] = [];
  const tiles: GrownTile[] = [];
  let arrivals = leafHashes;
  let before = size;
  for (let level = 0; arrivals.length > 0; level++) {
    const current = [...(growth[level] ?? [])];
    const completed: Uint8Array[] = [];
    let index = Math.floor(before / tileWidth);
    for (const hash of arrivals) {
      current.push(hash);
      if (current.length < tileWidth) continue;
      tiles.push({ tile: { level, index, width: tileWidth }, hashes: [...current] });
      completed.push(subtreeRoot(current));
      current.length = 0;
      index++;
    }
    if (current.length > 0)
      tiles.push({ tile: { level, index, width: current.length }, hashes: [...current] });
    next.push(current);
    before = Math.floor(before / tileWidth);
    arrivals = completed;
  }
  return { growth: [...next, ...growth.slice(next.length)], tiles };
}

/** The root of a perfect subtree over the hashes side by side of one level. Requires a power of two of them. */
export function subtreeRoot(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2)
      above.push(nodeHash(row[i] ?? missing(i), row[i + 1] ?? missing(i + 1)));
    row = above;
  }
  return row[0] ?? missing(0);
}

function missing(i: number): never {
  throw new Error(`tile has no hash ${i}`);
}
