/** The log's entries by index, a bundle at a time, each bundle proved to stand under the root that was audited. */

import { FormatError, ProofError } from '../../merkle/errors.ts';
import { proveInclusion } from '../../merkle/prove.ts';
import { bundlePath, parseBundle, parseTile, type Tile, tilePath, tileWidth } from '../../merkle/tiles.ts';
import { verifyInclusion } from '../../merkle/verify.ts';
import { leafHashOf } from './compact-range.ts';
import { CouldNotCheck } from './findings.ts';
import type { Source } from './sources.ts';

/** An entry's bytes, and their leaf hash. */
export type Place = { readonly entry: Uint8Array; readonly leafHash: Uint8Array };

/** Bundles and tiles that are kept, most of them some kilobytes. */
const kept = 64;

export class Places {
  readonly #source: Source;
  readonly #size: number;
  readonly #root: Uint8Array;
  readonly #bundles = new Map<number, Promise<readonly Place[]>>();
  readonly #tiles = new Map<string, Promise<readonly Uint8Array[]>>();

  /** @param tree what the log was found to be: size, and root as rebuilt */
  constructor(source: Source, tree: { readonly size: number; readonly root: Uint8Array }) {
    this.#source = source;
    this.#size = tree.size;
    this.#root = tree.root;
  }

  /** An entry; undefined beyond the size. @throws {CouldNotCheck} if its bundle is not what was audited */
  async at(index: number): Promise<Place | undefined> {
    if (index >= this.#size) return undefined;
    const bundle = Math.floor(index / tileWidth);
    const places = remembered(this.#bundles, bundle, () => this.#bundle(bundle));
    if (this.#bundles.has(bundle - 1)) this.#begin(bundle + 1);
    return (await places)[index % tileWidth];
  }

  /** Whoever reads bundles in their order reads the next one, too. */
  #begin(bundle: number): void {
    if (bundle * tileWidth >= this.#size || this.#bundles.has(bundle)) return;
    // Met by whoever asks for it.
    remembered(this.#bundles, bundle, () => this.#bundle(bundle)).catch(() => undefined);
  }

  async #bundle(index: number): Promise<readonly Place[]> {
    const start = index * tileWidth;
    const width = Math.min(tileWidth, this.#size - start);
    const file = bundlePath(index, width);
    try {
      const entries = parseBundle(await this.#source.bundle(index, width)).slice(0, width);
      const places = entries.map(entry => ({ entry, leafHash: leafHashOf(entry) }));
      const leaves = places.map(({ leafHash }) => leafHash);
      const [first] = leaves;
      if (leaves.length !== width || first === undefined) throw new ProofError(`${leaves.length} entries`);
      // The path of the first entry from its own bundle up: it has every other entry of the bundle in it.
      const path = await proveInclusion(start, this.#size, tiles =>
        Promise.all(
          tiles.map(tile => (tile.level === 0 && tile.index === index ? leaves : this.#tile(tile))),
        ),
      );
      verifyInclusion({ index: start, size: this.#size, leafHash: first, path, root: this.#root });
      return places;
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
      const why = `it is not what the log has under its root: ${error.message}`;
      throw new CouldNotCheck({ what: file, where: this.#source.where, why }, error);
    }
  }

  #tile(tile: Tile): Promise<readonly Uint8Array[]> {
    const name = tilePath(tile);
    return remembered(this.#tiles, name, async () => {
      const bytes = await this.#source.tile(tile);
      const hashes = bytes === undefined ? [] : parseTile(bytes).slice(0, tile.width);
      if (hashes.length !== tile.width) throw new ProofError(`${name} has ${hashes.length} hashes`);
      return hashes;
    });
  }
}

/** What was used last is dropped last. */
function remembered<K, V>(map: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const value = map.get(key) ?? make();
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > kept && oldest !== undefined) map.delete(oldest);
  return value;
}
