import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProofError } from '../../merkle/errors.ts';
import {
  LeafTree,
  proveConsistency,
  proveInclusion,
  rootFromTiles,
  type TileReader,
  treePath,
  treeRoot,
} from '../../merkle/prove.ts';
import { type Tile, tilePath, tileWidthAt } from '../../merkle/tiles.ts';
import { verifyConsistency, verifyInclusion } from '../../merkle/verify.ts';
import { Twin } from '../helpers/twin.ts';

const twin = Twin.of();
const maxSize = 2 ** 53 - 1;
const around256 = [127, 128, 129, 254, 255, 256, 257, 258, 511, 512, 513];
const around65536 = [65_279, 65_280, 65_281, 65_535, 65_536, 65_537, 65_792, 65_793, 70_000];

/** Indexes where something could go wrong: the ends, the last leaves of tiles and the first ones after them. */
function tellingIndexes(size: number): number[] {
  const candidates = [0, 1, 127, 128, 255, 256, 257, 511, 512, 65_279, 65_280, 65_535, 65_536, 65_537];
  return [...new Set([...candidates, Math.floor(size / 2), size - 256, size - 2, size - 1])].filter(
    index => index >= 0 && index < size,
  );
}

/** A reader that checks what it is asked: once, for tiles that are there, and for so many of each level. */
function strictReader(from: Twin, size: number, tilesPerLevel: number): TileReader {
  let calls = 0;
  return async tiles => {
    expect(++calls).toBe(1);
    for (const tile of tiles) {
      expect(tile.width, tilePath(tile)).toBeGreaterThan(0);
      expect(tile.width, tilePath(tile)).toBe(tileWidthAt(tile.level, tile.index, size));
      expect(tiles.filter(({ level }) => level === tile.level).length).toBeLessThanOrEqual(tilesPerLevel);
    }
    expect(new Set(tiles.map(tilePath)).size).toBe(tiles.length);
    return from.reader()(tiles);
  };
}

describe('LeafTree, treeRoot and treePath', () => {
  test('give the roots and paths of the recursive definition for every size to 130 and every leaf', () => {
    for (let size = 1; size <= 130; size++) {
      const tree = new LeafTree(twin.leafHashes(size));
      expect(tree.size).toBe(size);
      expect(tree.root, `${size}`).toEqual(twin.root(size));
      for (let index = 0; index < size; index++)
        expect(tree.path(index), `${index} of ${size}`).toEqual(twin.path(index, size));
    }
  });

  test.each([255, 256, 257, 1000])('agree at size %d', size => {
    const leaves = twin.leafHashes(size);
    expect(treeRoot(leaves)).toEqual(twin.root(size));
    for (const index of tellingIndexes(size)) expect(treePath(leaves, index)).toEqual(twin.path(index, size));
  });

  test('tell leaves with the same hash apart by their index', () => {
    const twins = new Twin(() => new Uint8Array(32).fill(5));
    const tree = new LeafTree(twins.leafHashes(11));
    expect(tree.root).toEqual(twins.root(11));
    for (let index = 0; index < 11; index++) expect(tree.path(index)).toEqual(twins.path(index, 11));
  });

  test('give a different root when a leaf is doubled, dropped or swapped', () => {
    for (let size = 2; size <= 66; size++) {
      const leaves = twin.leafHashes(size);
      const root = treeRoot(leaves);
      const last = leaves[size - 1] ?? new Uint8Array(0);
      const first = leaves[0] ?? new Uint8Array(0);
      expect(treeRoot([...leaves, last])).not.toEqual(root);
      expect(treeRoot(leaves.slice(0, -1))).not.toEqual(root);
      expect(treeRoot([last, ...leaves.slice(1, -1), first])).not.toEqual(root);
    }
  });

  test('give plain arrays that are nobody else’s', () => {
    const leaves = twin.leafHashes(5).map(hash => Buffer.from(hash));
    const tree = new LeafTree(leaves);
    const path = tree.path(1);
    for (const hash of [tree.root, ...path, treeRoot(leaves.slice(0, 1))])
      expect(hash.constructor).toBe(Uint8Array);
    for (const hash of path) hash.fill(0);
    expect(tree.path(1)).toEqual(twin.path(1, 5));
  });

  test('take the largest batch, 65,536 leaves, and give any of its paths', () => {
    const tree = new LeafTree(twin.leafHashes(65_536));
    expect(tree.root).toEqual(twin.root(65_536));
    for (const index of tellingIndexes(65_536)) expect(tree.path(index)).toEqual(twin.path(index, 65_536));
  });

  test('refuse a tree without leaves and leaves that are not there', () => {
    expect(() => treeRoot([])).toThrow(new RangeError('a tree without leaves has no root'));
    const tree = new LeafTree(twin.leafHashes(7));
    for (const index of [7, -1, 0.5, Number.NaN])
      expect(() => tree.path(index)).toThrow(new RangeError(`leaf ${index} is outside a tree of 7`));
  });
});

describe('proveInclusion', () => {
  test('gives the path of the recursive definition for every leaf of every tree to 66', async () => {
    for (let size = 1; size <= 66; size++)
      for (let index = 0; index < size; index++)
        expect(await proveInclusion(index, size, twin.reader()), `${index} of ${size}`).toEqual(
          twin.path(index, size),
        );
  });

  test.each([...around256, ...around65536])('reads at most two tiles a level in a tree of %d', async size => {
    for (const index of tellingIndexes(size))
      expect(await proveInclusion(index, size, strictReader(twin, size, 2)), `${index}`).toEqual(
        twin.path(index, size),
      );
  });

  test('gives the path of the recursive definition for any leaf of any tree to 70,000', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70_000 }), fc.nat(), async (size, n) => {
        const index = n % size;
        expect(await proveInclusion(index, size, twin.reader())).toEqual(twin.path(index, size));
      }),
      { numRuns: 40 },
    );
  });

  test.each([2 ** 32 - 1, 2 ** 32, 2 ** 32 + 257, 2 ** 40, 2 ** 40 + 1, 2 ** 48, 2 ** 48 + 1, maxSize])(
    'proves in a tree of %d',
    async size => {
      for (const index of [0, 2 ** 31, size - 65_537, size - 257, size - 2, size - 1]) {
        const large = Twin.around(index);
        const path = await proveInclusion(index, size, strictReader(large, size, 2));
        expect(path).toEqual(large.path(index, size));
        verifyInclusion({
          index,
          size,
          leafHash: large.hash(index, index + 1),
          path,
          root: large.root(size),
        });
      }
    },
  );

  test.each([
    [0, 0],
    [7, 7],
    [-1, 7],
    [0.5, 7],
    [Number.NaN, 7],
    [0, Number.NaN],
    [0, 2 ** 53],
  ])('refuses leaf %d of %d', async (index, size) => {
    await expect(proveInclusion(index, size, twin.reader())).rejects.toThrow(
      new RangeError(`leaf ${index} is outside a tree of ${size}`),
    );
  });

  test('gives the same paths from a reader that hands out the same arrays again, at whatever sizes', async () => {
    const kept = new Map<string, readonly Uint8Array[]>();
    const keeping: TileReader = async tiles =>
      tiles.map(tile => {
        const hashes = kept.get(tilePath(tile)) ?? twin.tile(tile);
        kept.set(tilePath(tile), hashes);
        return hashes;
      });
    // Sizes that share tiles, of which some stand alone, and some beside what is carried up: one hash or another.
    for (const size of [512, 513, 514, 512, 767, 768, 513, 65_536, 65_537, 65_793, 65_537, 65_536])
      for (const index of tellingIndexes(size))
        expect(await proveInclusion(index, size, keeping), `${index} of ${size}`).toEqual(
          twin.path(index, size),
        );
  });

  test('does not prove from a tile that is narrower than asked for, or missing', async () => {
    const narrow: TileReader = async tiles => tiles.map(tile => twin.tile(tile).slice(1));
    await expect(proveInclusion(3, 300, narrow)).rejects.toThrow('tile/0/000 was read with 255 hashes');
    await expect(proveInclusion(3, 300, async () => [])).rejects.toThrow(/was read with 0 hashes/);
  });
});

describe('proveConsistency', () => {
  test('gives the proof of the recursive definition for every pair of trees to 66', async () => {
    for (let second = 1; second <= 66; second++)
      for (let first = 1; first <= second; first++)
        expect(await proveConsistency(first, second, twin.reader()), `${first} to ${second}`).toEqual(
          twin.proof(first, second),
        );
  });

  test.each([...around256, ...around65536])(
    'reads at most two tiles a level to a tree of %d',
    async second => {
      const firsts = new Set(
        [...tellingIndexes(second + 1), 192, 384, 32_768, 61_440].filter(n => n > 0 && n <= second),
      );
      for (const first of firsts)
        expect(await proveConsistency(first, second, strictReader(twin, second, 2)), `${first}`).toEqual(
          twin.proof(first, second),
        );
    },
  );

  test.each([
    [2 ** 31, 2 ** 32 - 1],
    [2 ** 32 - 1, 2 ** 32 + 257],
    [2 ** 32, 2 ** 32 + 1],
    [2 ** 32 + 256, 2 ** 40],
    [3 * 2 ** 38, 2 ** 40 + 1],
    [2 ** 48, maxSize],
    [2 ** 52 + 2 ** 44, maxSize],
    [maxSize - 1, maxSize],
    [1, maxSize],
  ])('proves from %d to %d', async (first, second) => {
    const large = Twin.around(first - 1, first, second - 1);
    const path = await proveConsistency(first, second, strictReader(large, second, 2));
    verifyConsistency({
      first,
      second,
      firstRoot: large.root(first),
      secondRoot: large.root(second),
      path,
    });
    expect(path).toEqual(large.proof(first, second));
  });

  test('needs no tile where both trees are one', async () => {
    const asked: Tile[] = [];
    expect(await proveConsistency(300, 300, twin.reader(asked))).toEqual([]);
    expect(asked).toEqual([]);
  });

  test.each([
    [0, 0],
    [0, 5],
    [6, 5],
    [-1, 5],
    [1.5, 5],
    [Number.NaN, 5],
    [1, Number.NaN],
    [1, 2 ** 53],
  ])('refuses %d to %d', async (first, second) => {
    await expect(proveConsistency(first, second, twin.reader())).rejects.toThrow(
      new RangeError(`a tree of ${first} is not the beginning of a tree of ${second}`),
    );
  });
});

describe('rootFromTiles', () => {
  test('gives the root of every tree to 600 from one tile of each level', async () => {
    for (let size = 1; size <= 600; size++)
      expect(await rootFromTiles(size, strictReader(twin, size, 1)), `${size}`).toEqual(twin.root(size));
  });

  test.each(around65536)('gives the root of a tree of %d from one tile of each level', async size => {
    expect(await rootFromTiles(size, strictReader(twin, size, 1))).toEqual(twin.root(size));
  });

  test.each([2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 48, 2 ** 48 + 65_536, maxSize])(
    'gives the root of a tree of %d',
    async size => {
      // The last tile of each level is looked into where it is full; so its subtree must be there.
      const large = Twin.around(...[0, 1, 2, 3, 4, 5, 6].map(level => size - (size % 256 ** level) - 1));
      expect(await rootFromTiles(size, strictReader(large, size, 1))).toEqual(large.root(size));
    },
  );

  test('finds any hash that was changed in any of these tiles', async () => {
    for (const size of [1, 3, 200, 256, 300, 512, 513, 65_536, 65_537, 65_792, 70_000]) {
      const asked: Tile[] = [];
      const root = await rootFromTiles(size, twin.reader(asked));
      for (const tile of asked) {
        for (const position of [0, Math.floor(tile.width / 2), tile.width - 1]) {
          const changed: TileReader = async tiles =>
            tiles.map(other => {
              const hashes = twin.tile(other);
              return tilePath(other) === tilePath(tile)
                ? hashes.with(position, new Uint8Array(32).fill(1))
                : hashes;
            });
          const got = await rootFromTiles(size, changed).catch((error: unknown) => error);
          if (got instanceof Error) expect(got).toBeInstanceOf(ProofError);
          else expect(got, `${size}: ${tilePath(tile)} at ${position}`).not.toEqual(root);
        }
      }
    }
  });

  test('says which full tile does not fit the level above', async () => {
    const changed: TileReader = async tiles =>
      tiles.map(tile => (tile.level === 0 ? twin.tile(tile).reverse() : twin.tile(tile)));
    await expect(rootFromTiles(512, changed)).rejects.toThrow(
      new ProofError('the root of tile/0/001 is not the hash that stands for it a level up'),
    );
  });

  test.each([0, -1, 0.5, Number.NaN, 2 ** 53])('refuses a size of %d', async size => {
    await expect(rootFromTiles(size, twin.reader())).rejects.toThrow(
      new RangeError(`a tree of ${size} has no root`),
    );
  });
});

describe('the verifying side', () => {
  test('does not have merkletreejs or the prover in its import graph', () => {
    const folder = new URL('../../merkle/', import.meta.url);
    for (const file of readdirSync(folder)) {
      const source = readFileSync(new URL(file, folder), 'utf8');
      if (file !== 'prove.ts') expect(source, file).not.toMatch(/from 'merkletreejs|from '\.\/prove\.ts'/);
    }
  });
});
