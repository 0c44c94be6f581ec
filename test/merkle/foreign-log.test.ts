import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { parseCheckpoint, readCheckpoint } from '../../merkle/checkpoint.ts';
import { FormatError } from '../../merkle/errors.ts';
import { parseNote, parseVerifierKey, verifyNote } from '../../merkle/note.ts';
import {
  proveConsistency,
  proveInclusion,
  rootFromTiles,
  type TileReader,
  treeRoot,
} from '../../merkle/prove.ts';
import {
  bundlePath,
  formatBundle,
  formatTile,
  grownTiles,
  parseBundle,
  parseTile,
  parseTilePath,
  tilePath,
} from '../../merkle/tiles.ts';
import { appendLeaf, edgeRoot, emptyEdge, leafHash } from '../../merkle/tree.ts';
import { verifyConsistency, verifyInclusion } from '../../merkle/verify.ts';

const folder = new URL('../../../shared/vectors/tlog/log/', import.meta.url);
const present = existsSync(folder);

const sizes = Array.from({ length: 15 }, (_, i) => i + 1);
const words = 'one two three four five six seven eit nain ten ileven twelf threeten fourten fivten'.split(
  ' ',
);
const key = () =>
  parseVerifierKey('example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx');

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(path, folder)));
const readNote = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const readTiles: TileReader = async tiles => tiles.map(tile => parseTile(read(tilePath(tile))));
const checkpointAt = (size: number) => readCheckpoint(readNote(`checkpoint.${size}`));

/** A log that another implementation has written, at every size from 0 to 15. */
describe.skipIf(!present)(`vectors/tlog${present ? '' : ' (skipped: ../shared is absent)'}`, () => {
  test('its verifier key signed all of its checkpoints', () => {
    for (const size of [0, ...sizes])
      expect(verifyNote(readNote(`checkpoint.${size}`), [key()]), `checkpoint.${size}`).toEqual([key()]);
    expect(readNote('checkpoint')).toBe(readNote('checkpoint.15'));
  });

  test('its checkpoints are read, but for that of the empty log', () => {
    for (const size of sizes)
      expect(checkpointAt(size)).toMatchObject({ origin: 'example.com/log/testdata', size });
    const empty = parseNote(readNote('checkpoint.0')).text;
    expect(() => parseCheckpoint(empty)).toThrow(FormatError);
    expect(() => parseCheckpoint(empty)).toThrow(/line 2: "0" is not a size/);
  });

  test('its files have the names that an append from each size to the next writes', () => {
    const written = sizes.flatMap(size => grownTiles(size - 1, size));
    expect(
      readdirSync(new URL('tile/0/000.p/', folder))
        .map(width => `tile/0/000.p/${width}`)
        .sort(),
    ).toEqual(written.map(tilePath).sort());
    for (const tile of written) {
      expect(parseTilePath(tilePath(tile))).toEqual({ kind: 'tile', tile });
      expect(existsSync(new URL(bundlePath(tile.index, tile.width), folder))).toBe(true);
    }
  });

  test('its bundles hold its entries and are formatted as we would', () => {
    for (const size of sizes) {
      const bytes = read(bundlePath(0, size));
      expect(parseBundle(bytes)).toEqual(words.slice(0, size).map(utf8));
      expect(formatBundle(parseBundle(bytes))).toEqual(bytes);
    }
  });

  test('its tiles hold the leaf hashes of its entries and are formatted as we would', () => {
    for (const size of sizes) {
      const bytes = read(tilePath({ level: 0, index: 0, width: size }));
      expect(parseTile(bytes)).toEqual(words.slice(0, size).map(word => leafHash(utf8(word))));
      expect(formatTile(parseTile(bytes))).toEqual(bytes);
    }
  });

  test('its roots come out of its tiles, of its entries and of the right edge', async () => {
    let edge = emptyEdge;
    for (const size of sizes) {
      const { root } = checkpointAt(size);
      edge = appendLeaf(edge, leafHash(utf8(words[size - 1] ?? '')));
      expect(edgeRoot(edge)).toEqual(root);
      expect(await rootFromTiles(size, readTiles)).toEqual(root);
      expect(treeRoot(words.slice(0, size).map(word => leafHash(utf8(word))))).toEqual(root);
    }
  });

  test('every inclusion that we prove from its tiles verifies against its checkpoint', async () => {
    for (const size of sizes)
      for (let index = 0; index < size; index++)
        verifyInclusion({
          index,
          size,
          leafHash: leafHash(utf8(words[index] ?? '')),
          path: await proveInclusion(index, size, readTiles),
          root: checkpointAt(size).root,
        });
  });

  test('every consistency that we prove from its tiles verifies between its checkpoints', async () => {
    for (const second of sizes)
      for (let first = 1; first <= second; first++)
        verifyConsistency({
          first,
          second,
          firstRoot: checkpointAt(first).root,
          secondRoot: checkpointAt(second).root,
          path: await proveConsistency(first, second, readTiles),
        });
  });
});
