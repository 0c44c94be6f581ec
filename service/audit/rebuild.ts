/**
 * The log's tree, rebuilt from the entries as they are served, and held against its tiles and against every root that is known.
 *
 * When a tile of leaf hashes does not fit its bundle, one of the two lies. The tree is then also grown from the tile's hashes, until
 * the next known root says which: if the tiles lead to it, the bundle was wrong, and the tree goes on from the tiles.
 */

import { equalBytes, formatHex, formatHex0x } from '../../merkle/bytes.ts';
import { type Tile, tilePath, tileWidth } from '../../merkle/tiles.ts';
import type { CompactRange, FullTile } from './compact-range.ts';
import type { Finding, Report } from './findings.ts';

/** A root that somebody vouches for. */
export type KnownRoot = { readonly size: number; readonly root: Uint8Array } & (
  | { readonly by: 'anchor'; readonly block: number; readonly transaction: Uint8Array }
  | { readonly by: 'checkpoint'; readonly note: string }
);

/** A tile as it was served; no hashes where it is not as long as it must be. */
export type ServedTile = { readonly tile: Tile; readonly hashes: readonly Uint8Array[] | undefined };

/** A tile, as served, against the tile that each of the two trees has. */
type OpenTile = {
  readonly served: ServedTile;
  readonly byEntries: readonly Uint8Array[];
  readonly byTiles: readonly Uint8Array[];
};

export class Rebuild {
  #range: CompactRange;
  /** The tree as the tiles of leaf hashes have it, since the first of them that does not fit. */
  #byTiles: CompactRange | undefined;
  /** What is said of bundles and tiles once the next known root has decided between them. */
  #openEntries: { readonly tile: number; readonly ifBundle: Finding; readonly ifTile: Finding }[] = [];
  #openTiles: OpenTile[] = [];
  #full: FullTile[] = [];
  #fullByTiles: FullTile[] = [];
  readonly #report: Report;
  /** Roots by size, wherever one was asked for. */
  readonly roots = new Map<number, Uint8Array>();

  constructor(range: CompactRange, report: Report) {
    this.#range = range;
    this.#report = report;
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#range.size;
  }

  /** The tree, unless it is open which of two it is. */
  get settled(): CompactRange | undefined {
    return this.#byTiles === undefined ? this.#range : undefined;
  }

  /** The tree so far. */
  get root(): Uint8Array {
    return this.#range.root();
  }

  /**
   * Where an audit goes on inside a bundle: holds the leaves that stand before the tree's end against those that it was grown from.
   * `start` is the index of the bundle's first leaf.
   */
  holdKnown(start: number, leaves: readonly Uint8Array[], entries: readonly Uint8Array[]): void {
    for (const [i, hash] of (this.#range.partialTiles()[0] ?? []).entries()) {
      const leaf = leaves[i];
      if (leaf === undefined || equalBytes(leaf, hash)) continue;
      this.#report(
        differingEntry(start + i, entries[i], leaf, hash, 'the last audit had another entry there'),
      );
      return;
    }
  }

  /** Appends the leaf of an entry, with the tile of leaf hashes that it stands in. */
  append(leaf: Uint8Array, entry: Uint8Array, { tile, hashes }: ServedTile): void {
    const at = this.size % tileWidth;
    const hash = hashes?.[at];
    if (hash !== undefined && Buffer.compare(hash, leaf) !== 0) {
      this.#byTiles ??= this.#range.copy();
      // The first of each tile is enough.
      if (this.#openEntries.at(-1)?.tile !== tile.index)
        this.#openEntries.push({
          tile: tile.index,
          ifBundle: differingEntry(this.size, entry, leaf, hash, 'the tiles lead to the known root'),
          ifTile: differingTile(tile, at, leaf, hash),
        });
    }
    this.#range.append(leaf);
    this.#byTiles?.append(hash ?? leaf);
    if (this.size % tileWidth !== 0) return;
    this.#full.push(...this.#range.takeFull());
    this.#fullByTiles.push(...(this.#byTiles?.takeFull() ?? []));
  }

  /** Holds the tiles above level 0 that have just become full against those that are served. */
  holdFull(served: readonly ServedTile[]): void {
    const [full, fullByTiles] = [this.#full, this.#fullByTiles];
    this.#full = [];
    this.#fullByTiles = [];
    for (const each of served) {
      const { level, index } = each.tile;
      const same = (tile: FullTile) => tile.level === level && tile.index === index;
      this.#hold(each, full.find(same)?.hashes, fullByTiles.find(same)?.hashes);
    }
  }

  /** Holds the last tiles above level 0, which are not full, against those that are served. */
  holdPartial(served: readonly ServedTile[]): void {
    for (const each of served) {
      const { level } = each.tile;
      this.#hold(each, this.#range.partialTiles()[level], this.#byTiles?.partialTiles()[level]);
    }
  }

  #hold(
    served: ServedTile,
    byEntries: readonly Uint8Array[] = [],
    byTiles: readonly Uint8Array[] = byEntries,
  ): void {
    if (this.#byTiles !== undefined) this.#openTiles.push({ served, byEntries, byTiles });
    else this.#compare(served, byEntries);
  }

  #compare({ tile, hashes }: ServedTile, own: readonly Uint8Array[]): void {
    if (hashes === undefined) return;
    const at = own.findIndex((hash, i) => !equalBytes(hash, hashes[i] ?? hash));
    const [mine, theirs] = [own[at], hashes[at]];
    if (mine !== undefined && theirs !== undefined) this.#report(differingTile(tile, at, mine, theirs));
  }

  /** Holds the tree, at the size that it has now, against the roots that are known for it. */
  holdRoots(known: readonly KnownRoot[]): void {
    const own = this.#range.root();
    const wrong = known.filter(({ root }) => !equalBytes(root, own));
    const alternative = this.#byTiles?.root();
    // The chain's word before the service's.
    const [decisive] = wrong.toSorted((a, b) => a.by.localeCompare(b.by));
    if (decisive !== undefined && alternative !== undefined && equalBytes(alternative, decisive.root)) {
      this.#decide('tiles', decisive);
      this.holdRoots(known);
      return;
    }
    this.roots.set(this.size, own);
    for (const each of wrong) this.#report(differingRoot(each, own));
    if (known.length > 0) this.#decide('entries', undefined);
  }

  /** Nothing more is known that could decide: what does not fit is said of the tile. */
  end(): void {
    this.#decide('entries', undefined);
  }

  #decide(truth: 'entries' | 'tiles', by: KnownRoot | undefined): void {
    const [entries, tiles, byTiles] = [this.#openEntries, this.#openTiles, this.#byTiles];
    this.#openEntries = [];
    this.#openTiles = [];
    this.#byTiles = undefined;
    if (truth === 'tiles' && byTiles !== undefined) {
      this.#range = byTiles;
      this.#full = this.#fullByTiles;
    }
    this.#fullByTiles = [];
    for (const { ifBundle, ifTile } of entries)
      this.#report(
        truth === 'entries' ? ifTile : { ...ifBundle, proof: { ...ifBundle.proof, ...vouching(by) } },
      );
    for (const open of tiles) this.#compare(open.served, truth === 'entries' ? open.byEntries : open.byTiles);
  }
}

function differingEntry(
  index: number,
  entry: Uint8Array | undefined,
  leaf: Uint8Array,
  wanted: Uint8Array,
  why: string,
): Finding {
  return {
    code: 'BUNDLE_DIFFERS',
    place: { index },
    message: `entry ${index} is served with leaf hash ${formatHex(leaf)}, the log has ${formatHex(wanted)}: ${why}`,
    proof: { entry: entry === undefined ? '' : formatHex(entry), leafHash: formatHex(wanted) },
  };
}

function differingTile(tile: Tile, at: number, own: Uint8Array, served: Uint8Array): Finding {
  const file = tilePath(tile);
  const covered = 256 ** tile.level;
  return {
    code: 'TILE_DIFFERS',
    place: { index: (tile.index * 256 + at) * covered },
    message: `hash ${at} of ${file} is ${formatHex(served)}, the entries give ${formatHex(own)}`,
    proof: { file, served: formatHex(served), entries: formatHex(own) },
  };
}

function differingRoot(known: KnownRoot, own: Uint8Array): Finding {
  const { size, root } = known;
  const message = `the entries give the root ${formatHex(own)} at size ${size}`;
  const proof = { entries: formatHex(own), root: formatHex(root), ...vouching(known) };
  return known.by === 'anchor'
    ? {
        code: 'ANCHOR_ROOT_DIFFERS',
        place: { size, block: known.block },
        message: `${message}, block ${known.block} has ${formatHex(root)}`,
        proof,
      }
    : {
        code: 'CHECKPOINT_ROOT_DIFFERS',
        place: { size },
        message: `${message}, the signed checkpoint has ${formatHex(root)}`,
        proof,
      };
}

function vouching(known: KnownRoot | undefined): Readonly<Record<string, string>> {
  if (known === undefined) return {};
  return known.by === 'anchor' ? { transaction: formatHex0x(known.transaction) } : { checkpoint: known.note };
}
