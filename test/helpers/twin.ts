/**
 * The naive twin of the tree: the recursive definitions of RFC 9162 sections 2.1.1, 2.1.3.1 and 2.1.4.1, and of C2SP tlog-tiles,
 * written down as they stand there and over another SHA-256, to compare with the fast code.
 *
 * `D[start:end]` in the standards is a pair of numbers here, and what has been hashed once is remembered.
 */

import { createHash } from 'node:crypto';
import type { TileReader } from '../../merkle/prove.ts';
import type { Tile } from '../../merkle/tiles.ts';

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** `k` of the standard: the largest power of two smaller than `n`. */
function largestPowerOfTwoBelow(n: number): number {
  const smaller = Array.from({ length: 53 }, (_, i) => 2 ** i).filter(power => power < n);
  return Math.max(...smaller);
}

/** An entry of the test logs: entries of different lengths, the first of them empty. */
export function anEntry(index: number): Uint8Array {
  return new TextEncoder().encode(index === 0 ? '' : `entry ${index}`);
}

export class Twin {
  readonly #leafHash: (index: number) => Uint8Array;
  readonly #isOpaque: (start: number, end: number) => boolean;
  readonly #known = new Map<string, Uint8Array>();

  constructor(leafHash: (index: number) => Uint8Array, isOpaque = (_start: number, _end: number) => false) {
    this.#leafHash = leafHash;
    this.#isOpaque = isOpaque;
  }

  /** The log whose entries are those. */
  static of(entry: (index: number) => Uint8Array = anEntry): Twin {
    return new Twin(index => sha256(Uint8Array.of(0), entry(index)));
  }

  /**
   * A log of any size, of which only a few leaves exist. A subtree that a hash in a tile stands for has an arbitrary root, unless one
   * of those leaves is in it.
   */
  static around(...leaves: readonly number[]): Twin {
    return new Twin(
      index => sha256(Uint8Array.of(0), anEntry(index)),
      (start, end) =>
        [1, 2, 3, 4, 5, 6].some(level => end - start === 256 ** level) &&
        !leaves.some(leaf => leaf >= start && leaf < end),
    );
  }

  /** MTH(D[start:end]) of section 2.1.1; the root of the tree of `end` leaves if `start` is 0. */
  hash(start: number, end: number): Uint8Array {
    const range = `${start}:${end}`;
    const hash = this.#known.get(range) ?? this.#hash(start, end);
    this.#known.set(range, hash);
    return hash;
  }

  #hash(start: number, end: number): Uint8Array {
    const n = end - start;
    if (n > 1 && this.#isOpaque(start, end)) return sha256(new TextEncoder().encode(`${start}:${end}`));
    if (n === 1) return this.#leafHash(start);
    const k = largestPowerOfTwoBelow(n);
    return sha256(Uint8Array.of(1), this.hash(start, start + k), this.hash(start + k, end));
  }

  root(size: number): Uint8Array {
    return this.hash(0, size);
  }

  leafHashes(size: number): Uint8Array[] {
    return Array.from({ length: size }, (_, i) => this.hash(i, i + 1));
  }

  /** PATH(index, D[0:size]) of section 2.1.3.1. */
  path(index: number, size: number): Uint8Array[] {
    return this.#path(index, 0, size);
  }

  #path(m: number, start: number, end: number): Uint8Array[] {
    const n = end - start;
    if (n === 1) return [];
    const k = largestPowerOfTwoBelow(n);
    return m < k
      ? [...this.#path(m, start, start + k), this.hash(start + k, end)]
      : [...this.#path(m - k, start + k, end), this.hash(start, start + k)];
  }

  /** PROOF(first, D[0:second]) of section 2.1.4.1. */
  proof(first: number, second: number): Uint8Array[] {
    return this.#subproof(first, 0, second, true);
  }

  #subproof(m: number, start: number, end: number, isWholeTree: boolean): Uint8Array[] {
    const n = end - start;
    if (m === n) return isWholeTree ? [] : [this.hash(start, end)];
    const k = largestPowerOfTwoBelow(n);
    return m <= k
      ? [...this.#subproof(m, start, start + k, isWholeTree), this.hash(start + k, end)]
      : [...this.#subproof(m - k, start + k, end, false), this.hash(start, start + k)];
  }

  /** The tile of tlog-tiles: with i from 0 to 255, MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]). */
  tile({ level: l, index: n, width }: Tile): Uint8Array[] {
    return Array.from({ length: width }, (_, i) =>
      this.hash((n * 256 + i) * 256 ** l, (n * 256 + i + 1) * 256 ** l),
    );
  }

  /** Reads tiles from here, and notes in `asked` which ones. */
  reader(asked: Tile[] = []): TileReader {
    return async tiles => {
      asked.push(...tiles);
      return tiles.map(tile => this.tile(tile));
    };
  }
}
