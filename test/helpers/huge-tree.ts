/** Trees too large to have leaves: consistency proofs for sizes up to 2^53 - 1 over perfect subtrees whose hashes are made up. */

import { createHash } from 'node:crypto';

/**
 * The RFC 9162 trees of some sizes of one imaginary log. A perfect subtree that no size cuts in two is never looked into by these
 * trees' roots or by the proofs between them, so any hash will do for it; every other node is the hash of its children.
 */
export class HugeTree {
  readonly #sizes: readonly number[];
  readonly #hashes = new Map<string, Buffer>();

  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
  }

  /** The root of the tree of this size, as 0x-prefixed hexadecimal. */
  root(size: number): string {
    return hex(this.#hash(0, size));
  }

  /** PROOF of RFC 9162 section 2.1.4.1 between two of the sizes, as 0x-prefixed hexadecimal. Requires 1 <= oldSize < newSize. */
  consistencyProof(oldSize: number, newSize: number): string[] {
    return this.#subproof(oldSize, 0, newSize, true).map(hex);
  }

  #subproof(oldSize: number, start: number, size: number, complete: boolean): Buffer[] {
    if (oldSize === size) return complete ? [] : [this.#hash(start, size)];
    const k = splitPoint(size);
    return oldSize <= k
      ? [...this.#subproof(oldSize, start, k, complete), this.#hash(start + k, size - k)]
      : [...this.#subproof(oldSize - k, start + k, size - k, false), this.#hash(start, k)];
  }

  /** The hash of the subtree over `size` leaves from `start`. */
  #hash(start: number, size: number): Buffer {
    const place = `${start}+${size}`;
    const known = this.#hashes.get(place);
    if (known !== undefined) return known;

    const whole = splitPoint(size) * 2 === size || size === 1;
    const cut = this.#sizes.some(boundary => start < boundary && boundary < start + size);
    const k = splitPoint(size);
    const hash =
      whole && !cut
        ? sha256(Buffer.from(place))
        : sha256(Buffer.of(1), this.#hash(start, k), this.#hash(start + k, size - k));
    this.#hashes.set(place, hash);
    return hash;
  }
}

/** The largest power of two below a size, without bit operators, which cut at 32 bits. */
function splitPoint(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function hex(hash: Buffer): string {
  return `0x${hash.toString('hex')}`;
}
