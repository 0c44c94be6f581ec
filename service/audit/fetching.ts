/** The entries of a log in their order, 256 at a time, each with the tiles that it completes, a few requests ahead. */

import { FormatError } from '../../merkle/errors.ts';
import { bundlePath, parseTile, rightmostTiles, type Tile, tilePath, tileWidth } from '../../merkle/tiles.ts';
import type { Report } from './findings.ts';
import { inOrder } from './lookahead.ts';
import type { ServedTile } from './rebuild.ts';
import type { Source } from './sources.ts';

/** Up to 256 entries that stand side by side, as they are served. */
export type Stretch = {
  /** The index of the first. */
  readonly start: number;
  readonly width: number;
  readonly bundle: Uint8Array;
  /** The bundle's name. */
  readonly file: string;
  /** The tile of their leaf hashes. */
  readonly tile: ServedTile;
  /** Tiles above level 0 that are full with the last of these entries. */
  readonly full: readonly ServedTile[];
  /** With the last stretch: the last tiles above level 0 that are not full. */
  readonly partial: readonly ServedTile[];
};

/** Stretches under way. Each is two files or more. */
const width = 6;

/** The stretches with the entries from `from` up to `size`. A tile that is not there is reported, and has no hashes. */
export function fetchStretches(
  source: Source,
  from: number,
  size: number,
  report: Report,
): AsyncGenerator<Stretch> {
  const tileAt = (tile: Tile) => serve(source, tile, report);
  function* jobs(): Generator<() => Promise<Stretch>> {
    for (let index = Math.floor(from / tileWidth); index * tileWidth < size; index++) {
      const start = index * tileWidth;
      if (start + tileWidth <= from) continue;
      yield () => fetchStretch(source, tileAt, index, size);
    }
  }
  return inOrder(jobs(), width);
}

async function fetchStretch(
  source: Source,
  tileAt: (tile: Tile) => Promise<ServedTile>,
  index: number,
  size: number,
): Promise<Stretch> {
  const start = index * tileWidth;
  const end = Math.min(size, start + tileWidth);
  const full: Tile[] = [];
  for (let level = 1; end % tileWidth ** (level + 1) === 0; level++)
    full.push({ level, index: end / tileWidth ** (level + 1) - 1, width: tileWidth });
  const partial =
    end < size ? [] : rightmostTiles(size).filter(tile => tile.level > 0 && tile.width < tileWidth);
  const [bundle, tile, fullTiles, partialTiles] = await Promise.all([
    source.bundle(index, end - start),
    tileAt({ level: 0, index, width: end - start }),
    Promise.all(full.map(tileAt)),
    Promise.all(partial.map(tileAt)),
  ]);
  return {
    start,
    width: end - start,
    bundle,
    file: bundlePath(index, end - start),
    tile,
    full: fullTiles,
    partial: partialTiles,
  };
}

async function serve(source: Source, tile: Tile, report: Report): Promise<ServedTile> {
  const file = tilePath(tile);
  const place = { index: tile.index * tileWidth ** (tile.level + 1) };
  const bytes = await source.tile(tile);
  if (bytes === undefined) {
    report({ code: 'TILE_MISSING', place, message: `${file} is not there (404)`, proof: { file } });
    return { tile, hashes: undefined };
  }
  const hashes = hashesOf(bytes);
  // A full one is there for a partial one once the log has grown.
  if (hashes?.length === tile.width || hashes?.length === tileWidth)
    return { tile, hashes: hashes.slice(0, tile.width) };
  report({
    code: 'TILE_DIFFERS',
    place,
    message: `${file} has ${bytes.length} bytes, want ${32 * tile.width}`,
    proof: { file, tile: Buffer.from(bytes).toString('base64url') },
  });
  return { tile, hashes: undefined };
}

function hashesOf(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  try {
    return parseTile(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
