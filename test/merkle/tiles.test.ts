import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import {
  bundlePath,
  formatBundle,
  formatTile,
  grownTiles,
  parseBundle,
  parseTile,
  parseTilePath,
  rightmostTiles,
  tilePath,
  tileWidth,
  tileWidthAt,
} from '../../merkle/tiles.ts';

const maxSize = 2 ** 53 - 1;

describe('tilePath and bundlePath', () => {
  test('cut the index into groups of three digits, as tlog-tiles shows it', () => {
    expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 1, index: 4, width: 210 })).toBe('tile/1/004.p/210');
    expect(tilePath({ level: 2, index: 0, width: 1 })).toBe('tile/2/000.p/1');
    expect(tilePath({ level: 0, index: 999, width: 256 })).toBe('tile/0/999');
    expect(tilePath({ level: 0, index: 1000, width: 256 })).toBe('tile/0/x001/000');
    expect(bundlePath(0, 3)).toBe('tile/entries/000.p/3');
    expect(bundlePath(123456789, 256)).toBe('tile/entries/x123/x456/789');
    expect(bundlePath(maxSize, 255)).toBe('tile/entries/x009/x007/x199/x254/x740/991.p/255');
  });
});

describe('parseTilePath', () => {
  const aWidth = fc.integer({ min: 1, max: tileWidth });
  const anIndex = fc.oneof(fc.maxSafeNat(), fc.nat(3000));

  test('reads what tilePath and bundlePath print', () => {
    fc.assert(
      fc.property(fc.nat(6), anIndex, aWidth, (level, index, width) => {
        expect(parseTilePath(tilePath({ level, index, width }))).toEqual({
          kind: 'tile',
          tile: { level, index, width },
        });
        expect(parseTilePath(bundlePath(index, width))).toEqual({ kind: 'bundle', index, width });
      }),
    );
  });

  test('reads no other spelling', () => {
    const almost = fc
      .tuple(
        fc.constantFrom('tile/', 'tile', '/tile/', 'Tile/', ''),
        fc.constantFrom('0', '1', '6', '7', '00', '01', '10', '-1', 'entries', 'entry', ''),
        fc.constantFrom(
          '/000',
          '/001',
          '/x000/001',
          '/x001/000',
          '/x001/x000/000',
          '/001/000',
          '/x001',
          '/1',
          '',
        ),
        fc.constantFrom('', '.p/1', '.p/255', '.p/256', '.p/0', '.p/01', '.p/', '.p', '/', ' ', '\n'),
      )
      .map(parts => parts.join(''));
    fc.assert(
      fc.property(almost, path => {
        let parsed: ReturnType<typeof parseTilePath>;
        try {
          parsed = parseTilePath(path);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          return;
        }
        expect(parsed.kind === 'tile' ? tilePath(parsed.tile) : bundlePath(parsed.index, parsed.width)).toBe(
          path,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['', 'nothing'],
    ['/tile/0/000', 'a leading slash'],
    ['tile/0/000/', 'a trailing slash'],
    ['tile/0/000\n', 'a line feed'],
    ['tile/7/000', 'a level that no log reaches'],
    ['tile/00/000', 'a level with a leading zero'],
    ['tile/-1/000', 'a negative level'],
    ['tile/data/000', 'the name of another tile layout'],
    ['tile/0/0', 'a group of one digit'],
    ['tile/0/0000', 'a group of four digits'],
    ['tile/0/1000', 'an index that is not cut'],
    ['tile/0/x000/001', 'a leading group of zeros'],
    ['tile/0/001/234', 'a group without x before the last'],
    ['tile/0/x001', 'an x before the last group'],
    ['tile/0/X001/234', 'a capital X'],
    ['tile/0/x009/x007/x199/x254/x740/992', 'index 2^53'],
    ['tile/0/x001/x000/x000/x000/x000/x000/000', 'index 10^18'],
    ['tile/0/000.p/0', 'width 0'],
    ['tile/0/000.p/256', 'the full width'],
    ['tile/0/000.p/01', 'a width with a leading zero'],
    ['tile/0/000.p/1000', 'a width of four digits'],
    ['tile/0/000.p/', 'no width'],
    ['tile/0/٠٠٠', 'other digits'],
    ['tile/entries/000.p/256', 'the full width of a bundle'],
    ['tile/entries/../000', 'dots'],
  ])('refuses "%s": %s', path => {
    expect(() => parseTilePath(path)).toThrow(FormatError);
    expect(() => parseTilePath(path)).toThrow(/is not the name of a tile or an entry bundle/);
  });
});

describe('tileWidthAt', () => {
  test('gives the widths of the example in tlog-tiles: a tree of 70,000', () => {
    expect(tileWidthAt(0, 272, 70000)).toBe(256);
    expect(tileWidthAt(0, 273, 70000)).toBe(112);
    expect(tileWidthAt(0, 274, 70000)).toBe(0);
    expect(tileWidthAt(1, 0, 70000)).toBe(256);
    expect(tileWidthAt(1, 1, 70000)).toBe(17);
    expect(tileWidthAt(1, 2, 70000)).toBe(0);
    expect(tileWidthAt(2, 0, 70000)).toBe(1);
    expect(tileWidthAt(3, 0, 70000)).toBe(0);
  });

  test('has no tile for an index beyond any log', () => {
    expect(tileWidthAt(6, maxSize, maxSize)).toBe(0);
    expect(tileWidthAt(0, maxSize, maxSize)).toBe(0);
  });

  test('adds up to the leaves at the largest size', () => {
    expect(tileWidthAt(6, 0, maxSize)).toBe(31);
    expect(tileWidthAt(0, 2 ** 45 - 1, maxSize)).toBe(255);
    expect(tileWidthAt(0, 2 ** 45 - 2, maxSize)).toBe(256);
  });
});

describe('rightmostTiles', () => {
  test.each([
    [0, []],
    [1, ['tile/0/000.p/1']],
    [255, ['tile/0/000.p/255']],
    [256, ['tile/0/000', 'tile/1/000.p/1']],
    [257, ['tile/0/001.p/1', 'tile/1/000.p/1']],
    [65536, ['tile/0/255', 'tile/1/000', 'tile/2/000.p/1']],
    [65537, ['tile/0/256.p/1', 'tile/1/000', 'tile/2/000.p/1']],
    [70000, ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1']],
  ])('names the last tile of each level of a tree of %d', (size, paths) => {
    expect(rightmostTiles(size).map(tilePath)).toEqual(paths);
  });

  test('needs seven levels for the largest size', () => {
    expect(rightmostTiles(maxSize).map(({ width }) => width)).toEqual([255, 255, 255, 255, 255, 255, 31]);
  });
});

describe('grownTiles', () => {
  test.each([
    [0, 1, ['tile/0/000.p/1']],
    [1, 1, []],
    [255, 256, ['tile/0/000', 'tile/1/000.p/1']],
    [256, 257, ['tile/0/001.p/1']],
    [255, 513, ['tile/0/000', 'tile/0/001', 'tile/0/002.p/1', 'tile/1/000.p/2']],
    [65535, 65537, ['tile/0/255', 'tile/0/256.p/1', 'tile/1/000', 'tile/2/000.p/1']],
  ])('names what an append from %d to %d writes', (oldSize, newSize, paths) => {
    expect(grownTiles(oldSize, newSize).map(tilePath)).toEqual(paths);
  });

  test('names exactly the tiles whose width differs', () => {
    const aSize = fc.integer({ min: 0, max: 3000 });
    fc.assert(
      fc.property(aSize, aSize, (a, b) => {
        const [oldSize, newSize] = [Math.min(a, b), Math.max(a, b)];
        const different = [0, 1, 2].flatMap(level =>
          Array.from({ length: 13 }, (_, index) => ({
            level,
            index,
            width: tileWidthAt(level, index, newSize),
          })).filter(({ index, width }) => width !== tileWidthAt(level, index, oldSize)),
        );
        expect(grownTiles(oldSize, newSize)).toEqual(different);
      }),
    );
  });

  test('is short for a short append at any size', () => {
    expect(grownTiles(maxSize - 1, maxSize).map(tilePath)).toEqual([
      tilePath({ level: 0, index: 2 ** 45 - 1, width: 255 }),
    ]);
    expect(grownTiles(2 ** 48 - 1, 2 ** 48)).toHaveLength(7);
  });
});

describe('formatTile and parseTile', () => {
  const aHash = fc.uint8Array({ minLength: 32, maxLength: 32 });

  test('give back each tile', () => {
    fc.assert(
      fc.property(fc.array(aHash, { minLength: 1, maxLength: tileWidth }), hashes => {
        const bytes = formatTile(hashes);
        expect(bytes).toHaveLength(32 * hashes.length);
        expect(parseTile(bytes)).toEqual(hashes);
      }),
    );
  });

  test('refuse to format an empty tile, one too wide, and a hash of another length', () => {
    const hash = new Uint8Array(32);
    expect(formatTile(Array(256).fill(hash))).toHaveLength(8192);
    expect(() => formatTile([])).toThrow(new RangeError('a tile of 0 hashes, want 1 to 256'));
    expect(() => formatTile(Array(257).fill(hash))).toThrow(
      new RangeError('a tile of 257 hashes, want 1 to 256'),
    );
    expect(() => formatTile([hash, new Uint8Array(31)])).toThrow(
      new RangeError('a hash of 31 bytes, want 32'),
    );
  });

  test.each([0, 1, 31, 33, 8191, 8193, 8224])('refuse to parse %d bytes', length => {
    expect(() => parseTile(new Uint8Array(length))).toThrow(FormatError);
    expect(() => parseTile(new Uint8Array(length))).toThrow(`a tile of ${length} bytes`);
  });

  test('give plain arrays of their own, also from a Buffer', () => {
    const file = Buffer.alloc(64, 7);
    const [hash] = parseTile(file);
    file.fill(0);
    expect(hash?.constructor).toBe(Uint8Array);
    expect(hash).toEqual(new Uint8Array(32).fill(7));
  });
});

describe('formatBundle and parseBundle', () => {
  test('give back each bundle', () => {
    const anEntry = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.integer({ min: 250, max: 70 * 256 }).map(length => new Uint8Array(length).fill(1)),
    );
    fc.assert(
      fc.property(fc.array(anEntry, { minLength: 1, maxLength: tileWidth }), entries => {
        expect(parseBundle(formatBundle(entries))).toEqual(entries);
      }),
    );
  });

  test('put the length before the entry, big-endian', () => {
    expect(formatBundle([utf8('one'), utf8('')])).toEqual(Uint8Array.of(0, 3, 0x6f, 0x6e, 0x65, 0, 0));
    expect(formatBundle([new Uint8Array(0x1234)]).subarray(0, 2)).toEqual(Uint8Array.of(0x12, 0x34));
  });

  test('carry entries of up to 65,535 bytes, and up to 256 of them', () => {
    const longest = new Uint8Array(65535).fill(1);
    expect(parseBundle(formatBundle([longest]))).toEqual([longest]);
    expect(() => formatBundle([new Uint8Array(65536)])).toThrow(
      new RangeError('an entry of 65536 bytes, want at most 65535'),
    );
    expect(() => formatBundle([])).toThrow(new RangeError('a bundle of 0 entries, want 1 to 256'));
    expect(() => formatBundle(Array(257).fill(longest))).toThrow(
      new RangeError('a bundle of 257 entries, want 1 to 256'),
    );
  });

  test('refuse a bundle cut anywhere, and one with something behind it', () => {
    const bytes = formatBundle([utf8('one'), utf8('two')]);
    // Byte 5 ends the first entry, and what stands before it is a bundle of one.
    for (const length of [1, 2, 3, 4, 6, 7, 8, 9])
      expect(() => parseBundle(bytes.subarray(0, length)), `${length} bytes`).toThrow(
        /of the bundle ends at byte/,
      );
    expect(() => parseBundle(Uint8Array.of(...bytes, 0))).toThrow(
      'entry 2 of the bundle ends at byte 12, the bundle at 11',
    );
    expect(() => parseBundle(new Uint8Array(0))).toThrow(/a bundle of 0 entries, want 1 to 256/);
    expect(() => parseBundle(new Uint8Array(2 * 257))).toThrow(/a bundle of 257 entries, want 1 to 256/);
    expect(() => parseBundle(Uint8Array.of(0))).toThrow(FormatError);
  });

  test('give plain arrays of their own, also from a Buffer inside a larger one', () => {
    const file = Buffer.from([9, 9, 0, 1, 7, 9]).subarray(2, 5);
    const [entry] = parseBundle(file);
    file.fill(0);
    expect(entry?.constructor).toBe(Uint8Array);
    expect(entry).toEqual(Uint8Array.of(7));
  });
});
