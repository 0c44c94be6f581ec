import { describe, expect, it } from 'vitest';
import { wordOf } from '../../../merkle/evidence.ts';
import { treeRoot } from '../../../merkle/prove.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { CompactRange, type FullTile, leafHashOf } from '../../../service/audit/compact-range.ts';

const leaves = Array.from({ length: 600 }, (_, i) => leafHash(wordOf(i)));

/** Grows a range leaf by leaf, telling the full tiles. */
function grow(range: CompactRange, to: number, full: FullTile[] = []): CompactRange {
  for (const leaf of leaves.slice(range.size, to)) {
    range.append(leaf);
    full.push(...range.takeFull());
  }
  return range;
}

describe('CompactRange', () => {
  it('has the root of RFC 9162 at every size', () => {
    const range = CompactRange.of([]);
    expect(() => range.root()).toThrow('no root');
    for (let size = 1; size <= 530; size++)
      expect(grow(range, size).root(), `size ${size}`).toEqual(treeRoot(leaves.slice(0, size)));
  });

  it('gives each full tile once, with its hashes', () => {
    const full: FullTile[] = [];
    grow(CompactRange.of([]), 600, full);
    expect(full).toEqual([
      { level: 0, index: 0, hashes: leaves.slice(0, 256) },
      { level: 0, index: 1, hashes: leaves.slice(256, 512) },
    ]);
  });

  it('gives the tiles of a level when those below are full', () => {
    // A tree of 255 full tiles, as the tile above has it.
    const above = leaves.slice(0, 255);
    const range = CompactRange.of([[], above]);
    expect(range.size).toBe(255 * 256);
    const full: FullTile[] = [];
    for (const leaf of leaves.slice(0, 256)) {
      range.append(leaf);
      full.push(...range.takeFull());
    }
    expect(full).toEqual([
      { level: 0, index: 255, hashes: leaves.slice(0, 256) },
      { level: 1, index: 0, hashes: [...above, Buffer.from(treeRoot(leaves.slice(0, 256)))] },
    ]);
    expect(range.partialTiles().map(tile => tile.length)).toEqual([0, 0, 1]);
    expect(range.root()).toEqual(treeRoot([...above, treeRoot(leaves.slice(0, 256))]));
  });

  it('goes on from its partial tiles as if it had never stopped', () => {
    for (const size of [1, 2, 255, 256, 257, 300, 512]) {
      const stopped = grow(CompactRange.of([]), size);
      const copy = CompactRange.of(stopped.partialTiles());
      expect(copy.size).toBe(size);
      expect(copy.root()).toEqual(stopped.root());
      expect(grow(stopped.copy(), 600).root()).toEqual(treeRoot(leaves));
      expect(grow(copy, 600).root()).toEqual(treeRoot(leaves));
    }
  });

  it('refuses a tile that is full: it would be no partial one', () => {
    expect(() => CompactRange.of([leaves.slice(0, 256)])).toThrow('a tile of 256 hashes is not partial');
  });
});

describe('leafHashOf', () => {
  it("is RFC 9162's, whatever the entry is", () => {
    for (const entry of [new Uint8Array(0), wordOf(1), new Uint8Array(74).fill(3)])
      expect(new Uint8Array(leafHashOf(entry))).toEqual(leafHash(entry));
  });
});
