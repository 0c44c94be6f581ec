/**
 * The shape of the log: the Merkle tree of RFC 9162 section 2.1.1 over SHA-256, grown one leaf at a time.
 *
 * Leaves and inner nodes are hashed under different first bytes, so that no inner node can be shown as an entry. A tree of n
 * leaves splits after the largest power of two smaller than n; so its left part never changes again, and what is needed
 * to go on appending is only the *right edge*: the roots of the perfect subtrees that stand side by side, largest first, one for
 * each bit that is set in n. A tree of 13 leaves has three, of 8, 4 and 1 leaves.
 */

import { sha256 } from '@noble/hashes/sha2.js';

/** `SHA-256(0x00 ‖ entry)`; also a record's public identifier. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length);
  input.set(entry, 1);
  return sha256(input);
}

/** `SHA-256(0x01 ‖ left ‖ right)`, the hash of an inner node over the hashes of its two children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + left.length + right.length);
  input[0] = 1;
  input.set(left, 1);
  input.set(right, 1 + left.length);
  return sha256(input);
}

/** Where the tree of `size` leaves splits: the largest power of two smaller than `size`. Requires 2 leaves or more. */
export function splitPoint(size: number): number {
  let left = 1;
  while (2 * left < size) left *= 2;
  return left;
}

/** A tree as far as appending needs to know it. */
export type RightEdge = {
  /** The number of leaves. */
  readonly size: number;
  /** The roots of the perfect subtrees from left to right, so from the largest to the smallest. */
  readonly hashes: readonly Uint8Array[];
};

/** The tree without leaves. */
export const emptyEdge: RightEdge = { size: 0, hashes: [] };

/**
 * The tree with one leaf more, given by its leaf hash.
 * @param node stands in for `nodeHash` where the platform has something faster
 * @throws {Error} if the edge's hashes do not fit its size
 */
export function appendLeaf(edge: RightEdge, hash: Uint8Array, node = nodeHash): RightEdge {
  const hashes = [...edge.hashes];
  let last = hash;
  // Like a carry in binary addition: two perfect subtrees of the same size side by side become one of twice the size.
  for (let rest = edge.size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = hashes.pop();
    if (left === undefined)
      throw new Error(`the edge of a tree of ${edge.size} has only ${edge.hashes.length} hashes`);
    last = node(left, last);
  }
  return { size: edge.size + 1, hashes: [...hashes, last] };
}

/** The root of the tree. @throws {Error} for the tree without leaves: a log is never empty */
export function edgeRoot(edge: RightEdge): Uint8Array {
  const [smallest, ...larger] = [...edge.hashes].reverse();
  if (smallest === undefined) throw new Error('a tree without leaves has no root');
  return larger.reduce((right, left) => nodeHash(left, right), smallest);
}
