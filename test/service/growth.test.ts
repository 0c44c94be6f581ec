/** Appending to the tiles in memory gives the tiles of the standard, in whatever steps the log grows. */

import { describe, expect, it } from 'vitest';
import { formatHex, formatUint64 } from '../../merkle/bytes.ts';
import { grownTiles, tilePath, tileWidth } from '../../merkle/tiles.ts';
import { leafHash, nodeHash } from '../../merkle/tree.ts';
import { type Growth, grow, subtreeRoot } from '../../service/growth.ts';

const leaves = Array.from({ length: 66_400 }, (_, i) => leafHash(formatUint64(i)));

/** MTH of RFC 9162 section 2.1.1 over a perfect range, straight from the definition. */
function perfectHash(from: number, count: number): Uint8Array {
  const leaf = leaves[from];
  if (leaf === undefined) throw new Error(`no leaf ${from}`);
  if (count === 1) return leaf;
  return nodeHash(perfectHash(from, count / 2), perfectHash(from + count / 2, count / 2));
}

describe('grow', () => {
  it.each([
    ['one by one', [...Array(600).fill(1)]],
    ['in uneven steps', [1, 254, 1, 1, 255, 256, 257, 511, 512, 700, 3]],
    ['across a tile of level 1', [65_535, 1, 1, 254, 1, 600]],
    ['at once', [66_400]],
  ])('gives the new tiles and nothing else, %s', (_, steps) => {
    let growth: Growth = [];
    let size = 0;
    for (const step of steps) {
      const grown = grow(growth, size, leaves.slice(size, size + step));
      expect(grown.tiles.map(({ tile }) => tilePath(tile)).sort()).toEqual(
        grownTiles(size, size + step)
          .map(tilePath)
          .sort(),
      );
      for (const { tile, hashes } of grown.tiles) {
        expect(hashes).toHaveLength(tile.width);
        const span = tileWidth ** tile.level;
        // The last hash of a tile is new; the ones before were checked when they were.
        const at = tile.index * tileWidth + tile.width - 1;
        expect(formatHex(hashes.at(-1) ?? new Uint8Array(0))).toBe(formatHex(perfectHash(at * span, span)));
      }
      growth = grown.growth;
      size += step;
    }
  });

  it('adds nothing for no leaves', () => {
    expect(grow([[]], 256, [])).toEqual({ growth: [[]], tiles: [] });
  });
});

describe('subtreeRoot', () => {
  it('hashes pairs up to the root', () => {
    for (const count of [1, 2, 4, 128])
      expect(subtreeRoot(leaves.slice(0, count))).toEqual(perfectHash(0, count));
  });
});
