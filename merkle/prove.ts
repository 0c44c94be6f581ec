/**
 * Makes proofs from a log's tiles, and trees whose leaves are all at hand. Only makers of proofs load this file; checking them
 * (`verify.ts`) shares nothing with it but the hash of a node.
 *
 * merkletreejs builds the trees. With its default options an odd node out is promoted as it is, which over RFC 9162's node hash
 * gives RFC 9162's shape; its options `sortPairs`, `duplicateOdd` and `isBitcoinTree` would let different trees share a root.
 *
 * A log is too large for one such tree, so it is taken as a tree of tiles: each 256 leaves form a group whose root is a leaf of
 * the next level, grouped again, and so on. The last group of a level may be short. Its root is in no tile, but it can be
 * computed, level by level, and carried up to stand after the last hash of the tile above.
 */

import { MerkleTree } from 'merkletreejs';
import { equalBytes } from './bytes.ts';
import { ProofError } from './errors.ts';
import { rightmostTiles, type Tile, tilePath, tileWidth, tileWidthAt } from './tiles.ts';
import { nodeHash } from './tree.ts';

/**
 * Gives the hashes of each tile asked for, exactly `width` of them. All that one proof needs is asked for in one call. An array that
 * it gave may be given again, and is not changed meanwhile.
 */
export type TileReader = (tiles: readonly Tile[]) => Promise<readonly (readonly Uint8Array[])[]>;

/** The hash of an inner node over those of its two children. */
export type NodeHash = typeof nodeHash;

/** A tree over leaf hashes that are all at hand, built once for any number of paths. */
export class LeafTree {
  readonly size: number;
  readonly root: Uint8Array;
  readonly #tree: MerkleTree;

  /**
   * @param node stands in for `nodeHash` where the platform has something faster
   * @throws {RangeError} without leaves
   */
  constructor(leafHashes: readonly Uint8Array[], node: NodeHash = nodeHash) {
    if (leafHashes.length === 0) throw new RangeError('a tree without leaves has no root');
    this.#tree = new MerkleTree([...leafHashes], (pair: Uint8Array) => hashPair(pair, node));
    this.size = leafHashes.length;
    this.root = new Uint8Array(this.#tree.getRoot());
  }

  /** The inclusion path of a leaf, from the leaf to the root (RFC 9162 section 2.1.3). @throws {RangeError} for another index */
  path(index: number): Uint8Array[] {
    if (!isIndex(index, this.size)) throw new RangeError(`leaf ${index} is outside a tree of ${this.size}`);
    // Without the index the library would look for the first leaf that is equal.
    return this.#tree.getProof(this.#tree.getLeaf(index), index).map(({ data }) => new Uint8Array(data));
  }
}

function isIndex(value: number, size: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < size;
}

/** The library hands over the children joined. */
function hashPair(pair: Uint8Array, node: NodeHash): Uint8Array {
  const middle = pair.length / 2;
  return node(pair.subarray(0, middle), pair.subarray(middle));
}

/** The root of a tree whose leaf hashes are all at hand. @throws {RangeError} without leaves */
export function treeRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  return new LeafTree(leafHashes).root;
}

/** One inclusion path in a tree whose leaf hashes are all at hand; for many, build a `LeafTree`. */
export function treePath(leafHashes: readonly Uint8Array[], index: number): Uint8Array[] {
  return new LeafTree(leafHashes).path(index);
}

/**
 * The inclusion path of the leaf at `index` in the tree of `size` leaves (RFC 9162 section 2.1.3).
 *
 * @throws {RangeError} unless `index` < `size`
 */
export async function proveInclusion(
  index: number,
  size: number,
  readTiles: TileReader,
  node: NodeHash = nodeHash,
): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(size) || !isIndex(index, size))
    throw new RangeError(`leaf ${index} is outside a tree of ${size}`);
  return (await climb(index, size, readTiles, node)).path;
}

/**
 * The consistency proof between the trees of `first` and of `second` leaves (RFC 9162 section 2.1.4); empty if they are one.
 *
 * @throws {RangeError} unless 1 ≤ `first` ≤ `second`
 */
export async function proveConsistency(
  first: number,
  second: number,
  readTiles: TileReader,
  node: NodeHash = nodeHash,
): Promise<Uint8Array[]> {
  if (!Number.isSafeInteger(second) || !isIndex(first - 1, second))
    throw new RangeError(`a tree of ${first} is not the beginning of a tree of ${second}`);
  if (first === second) return [];

  // The old tree ends in a perfect subtree of 2^height leaves, and the proof is that subtree's root and the root's siblings. They all
  // are in the inclusion path of the old tree's last leaf, whose first siblings lie inside the subtree, each to the left.
  let height = 0;
  for (let rest = first; rest % 2 === 0; rest /= 2) height++;
  const { leaf, path } = await climb(first - 1, second, readTiles, node);
  const subtree = path.slice(0, height).reduce((hash, left) => node(left, hash), leaf);
  const siblings = path.slice(height);
  return first === 2 ** height ? siblings : [subtree, ...siblings];
}

/**
 * The root of the tree of `size` leaves, from the last tile of each level only: a way to the root that is independent of the right
 * edge kept while appending. Read back what was written, and compare, before a root is signed.
 *
 * @throws {ProofError} if one of these tiles is full and its root is not the hash that stands for it a level up
 * @throws {RangeError} unless `size` is at least 1
 */
export async function rootFromTiles(
  size: number,
  readTiles: TileReader,
  node: NodeHash = nodeHash,
): Promise<Uint8Array> {
  const tiles = Number.isSafeInteger(size) ? rightmostTiles(size) : [];
  const hashesOf = await readAll(tiles, readTiles);
  let carried: Uint8Array | undefined;
  for (const [i, tile] of tiles.entries()) {
    const hashes = hashesOf(tile);
    const above = tiles[i + 1];
    if (tile.width < tileWidth) carried = treeOver(hashes, carried === undefined ? [] : [carried], node).root;
    // The root of a full tile is the last hash above it. What was carried so far stands alone in its group and goes on as it is.
    else if (above !== undefined) verifyParent(tile, treeOver(hashes, [], node).root, hashesOf(above));
  }
  if (carried === undefined) throw new RangeError(`a tree of ${size} has no root`);
  return carried;
}

function verifyParent(tile: Tile, root: Uint8Array, above: readonly Uint8Array[]): void {
  const parent = above.at(-1);
  if (parent === undefined || !equalBytes(parent, root))
    throw new ProofError(`the root of ${tilePath(tile)} is not the hash that stands for it a level up`);
}

/** A leaf's hash and its inclusion path, from at most two tiles of each level: the one above the leaf, and the last one. */
async function climb(
  index: number,
  size: number,
  readTiles: TileReader,
  node: NodeHash,
): Promise<{ readonly leaf: Uint8Array; readonly path: Uint8Array[] }> {
  const groups = groupsAbove(index, size);
  const hashesOf = await readAll(
    groups.flatMap(({ own, short }) => (short === undefined ? own : [own, short])),
    readTiles,
  );

  let leaf: Uint8Array | undefined;
  const path: Uint8Array[] = [];
  let carried: readonly Uint8Array[] = [];
  for (const { position, own, short } of groups) {
    const shortTree = short === undefined ? undefined : treeOver(hashesOf(short), carried, node);
    const ownTree = shortTree !== undefined && own === short ? shortTree : treeOver(hashesOf(own), [], node);
    leaf ??= hashesOf(own)[position];
    path.push(...ownTree.path(position));
    if (shortTree !== undefined) carried = [shortTree.root];
  }
  if (leaf === undefined) throw new Error(`no tile has leaf ${index}`);
  return { leaf, path };
}

/**
 * The tree over a tile's hashes and what is carried up beside them. It is kept for as long as the array of hashes lives: a reader
 * that gives the same array again gets the paths of a whole batch from one tree for each tile.
 */
function treeOver(hashes: readonly Uint8Array[], carried: readonly Uint8Array[], node: NodeHash): LeafTree {
  const [beside] = carried;
  const known = built.get(hashes);
  const isSame =
    known !== undefined &&
    (beside === undefined || known.beside === undefined
      ? beside === known.beside
      : equalBytes(beside, known.beside));
  if (isSame) return known.tree;
  const tree = new LeafTree([...hashes, ...carried], node);
  built.set(hashes, { tree, beside });
  return tree;
}

const built = new WeakMap<
  readonly Uint8Array[],
  { readonly tree: LeafTree; readonly beside: Uint8Array | undefined }
>();

/** The groups between a leaf and the root, from level 0 up. */
function groupsAbove(
  index: number,
  size: number,
): {
  /** Where in its group the leaf, or the group below, stands. */
  readonly position: number;
  /** The tile of that group. It is empty where the group has nothing but what is carried up. */
  readonly own: Tile;
  /** The tile of the level's last group, if that group is short; the same object as `own` where they are one. */
  readonly short: Tile | undefined;
}[] {
  const groups = [];
  for (let level = 0, nodes = size; level === 0 || nodes > 1; level++, nodes = Math.ceil(nodes / tileWidth)) {
    const tileAt = (i: number): Tile => ({ level, index: i, width: tileWidthAt(level, i, size) });
    const node = Math.floor(index / tileWidth ** level);
    const isShort = size % tileWidth ** (level + 1) !== 0;
    const short = isShort ? tileAt(Math.ceil(nodes / tileWidth) - 1) : undefined;
    const own = tileAt(Math.floor(node / tileWidth));
    groups.push({ position: node % tileWidth, own: short?.index === own.index ? short : own, short });
  }
  return groups;
}

/** Reads each tile once, all in one call. The reader's promise is checked here, where it is cheap. */
async function readAll(
  tiles: readonly Tile[],
  readTiles: TileReader,
): Promise<(tile: Tile) => readonly Uint8Array[]> {
  const wanted = [...new Set(tiles)].filter(({ width }) => width > 0);
  const rows = await readTiles(wanted);
  const hashes = new Map<Tile, readonly Uint8Array[]>();
  for (const [i, tile] of wanted.entries()) {
    const row = rows[i] ?? [];
    if (row.length !== tile.width) throw new Error(`${tilePath(tile)} was read with ${row.length} hashes`);
    hashes.set(tile, row);
  }
  return tile => hashes.get(tile) ?? [];
}
