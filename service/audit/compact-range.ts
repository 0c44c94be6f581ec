/**
 * The auditor's own way from leaf hashes to the log's roots and tiles (RFC 9162 section 2.1, C2SP tlog-tiles).
 *
 * A compact range is what remains of a tree that grows to the right: the roots of its perfect subtrees, one for each bit that is
 * set in the size. Here they stand in a row by height, as the digits of a binary counter do, and a new leaf is a carry through them.
 * Every 8th height is a level of tiles, so the hashes of each tile pass by as well. It shares no line with `merkle/tree.ts` and
 * `merkle/prove.ts`, by which the service makes what is checked here, and it hashes with OpenSSL.
 */

import { hash } from 'node:crypto';

/** How many hashes a full tile has. */
const tileWidth = 256;
const heightsOfTile = 8;

/** `SHA-256(0x00 ‖ entry)`. */
export function leafHashOf(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length);
  input.set(entry, 1);
  return hash('sha256', input, 'buffer');
}

/** A tile that has just become full: all its hashes, from left to right. */
export type FullTile = {
  readonly level: number;
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
};

export class CompactRange {
  #size = 0;
  /** At `h`, the root of the perfect subtree of 2^h leaves, where the size has that bit. */
  readonly #subtrees: (Uint8Array | undefined)[] = [];
  /** The hashes of the last tile of each level, as far as it is there. */
  readonly #tiles: Uint8Array[][] = [[]];
  readonly #pair = new Uint8Array(1 + 32 + 32).fill(1, 0, 1);

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf by its hash. After every 256th, `takeFull` is to be called. */
  append(leaf: Uint8Array): void {
    this.#size++;
    this.#put(leaf, 0);
  }

  /** The root of the tree. @throws {Error} of the tree without leaves, which has none */
  root(): Uint8Array {
    let right: Uint8Array | undefined;
    for (const subtree of this.#subtrees)
      if (subtree !== undefined) right = right === undefined ? subtree : this.#node(subtree, right);
    if (right === undefined) throw new Error('a tree without leaves has no root');
    return new Uint8Array(right);
  }

  /** The tiles that the last leaf has filled, from level 0 up. Each is given once. */
  takeFull(): readonly FullTile[] {
    const full: FullTile[] = [];
    for (const [level, hashes] of this.#tiles.entries()) {
      if (hashes.length < tileWidth) break;
      full.push({ level, index: this.#size / tileWidth ** (level + 1) - 1, hashes });
      this.#tiles[level] = [];
    }
    return full;
  }

  /** The hashes of the last tile of each level that is not full; none where it would be empty. */
  partialTiles(): readonly (readonly Uint8Array[])[] {
    return this.#tiles;
  }

  copy(): CompactRange {
    return CompactRange.of(this.#tiles);
  }

  /**
   * The range whose last tiles, not full, have these hashes: all that is needed to go on, and nothing else.
   * @throws {Error} if a tile has 256 hashes or more, or the last level has none
   */
  static of(partialTiles: readonly (readonly Uint8Array[])[]): CompactRange {
    const range = new CompactRange();
    // From the top down, so that no carry ever meets what stands right of it.
    for (const [level, hashes] of [...partialTiles.entries()].reverse()) {
      if (hashes.length >= tileWidth) throw new Error(`a tile of ${hashes.length} hashes is not partial`);
      for (const hash of hashes) {
        range.#size += tileWidth ** level;
        range.#put(hash, heightsOfTile * level);
      }
    }
    return range;
  }

  /** Puts the root of a perfect subtree to the right of all that is there. */
  #put(root: Uint8Array, at: number): void {
    let node = root;
    let height = at;
    this.#noteTileHash(node, height);
    for (;;) {
      const left = this.#subtrees[height];
      if (left === undefined) break;
      node = this.#node(left, node);
      this.#subtrees[height] = undefined;
      height++;
      this.#noteTileHash(node, height);
    }
    while (this.#subtrees.length < height) this.#subtrees.push(undefined);
    this.#subtrees[height] = node;
  }

  #noteTileHash(node: Uint8Array, height: number): void {
    if (height % heightsOfTile !== 0) return;
    const level = height / heightsOfTile;
    while (this.#tiles.length <= level) this.#tiles.push([]);
    this.#tiles[level]?.push(node);
  }

  /** `SHA-256(0x01 ‖ left ‖ right)`. */
  #node(left: Uint8Array, right: Uint8Array): Uint8Array {
    this.#pair.set(left, 1);
    this.#pair.set(right, 33);
    return hash('sha256', this.#pair, 'buffer');
  }
}
