/**
 * Checks of inclusion and consistency proofs: RFC 9162 sections 2.1.3.2 and 2.1.4.2.
 *
 * Both follow one node of the tree up to the root and are handed the sibling that it meets on each level. Index and size alone
 * say how many siblings there are and on which side each of them stands, so a proof of another length is refused before anything is
 * hashed, and what remains is one loop over the proof. Sizes are halved by arithmetic: bit operators cut at 32 bits.
 *
 * What the proofs do not bind: an inclusion proof fits some other sizes of the tree, too, and a consistency proof some other new
 * sizes. Whoever relies on a size takes it from where it is bound to the root: the checkpoint's signature, or the registry's slot.
 */

import { equalBytes } from './bytes.ts';
import { ProofError } from './errors.ts';
import { nodeHash } from './tree.ts';

/** How many hashes an inclusion proof for the leaf at `index` has in a tree of `size`. Requires `index` < `size`. */
export function inclusionPathLength(index: number, size: number): number {
  return siblingSides(index, size).length;
}

/**
 * Verifies that the leaf at `index` of the tree with `size` leaves and `root` has `leafHash` (RFC 9162 section 2.1.3.2).
 * `path` goes from the leaf to the root.
 *
 * @param node stands in for `nodeHash` where the platform has something faster
 * @throws {ProofError} if it does not
 */
export function verifyInclusion(
  {
    index,
    size,
    leafHash,
    path,
    root,
  }: {
    readonly index: number;
    readonly size: number;
    readonly leafHash: Uint8Array;
    readonly path: readonly Uint8Array[];
    readonly root: Uint8Array;
  },
  node = nodeHash,
): void {
  if (!isSize(size) || !Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new ProofError(`leaf ${index} is outside a tree of ${size}`);

  const sides = siblingSides(index, size);
  verifyLength('inclusion', path.length, sides.length);
  verifyHashes([leafHash, root, ...path]);

  const computed = path.reduce(
    (hash, sibling, i) => (sides[i] === 'left' ? node(sibling, hash) : node(hash, sibling)),
    leafHash,
  );
  if (!equalBytes(computed, root))
    throw new ProofError(`inclusion proof does not lead from leaf ${index} to the root`);
}

/**
 * Verifies that the tree of `first` leaves with `firstRoot` is how the tree of `second` leaves with `secondRoot` began (RFC
 * 9162 section 2.1.4.2). Sizes are at least 1: every tree begins with the empty one.
 *
 * @throws {ProofError} if it is not
 */
export function verifyConsistency({
  first,
  second,
  firstRoot,
  secondRoot,
  path,
}: {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly path: readonly Uint8Array[];
}): void {
  if (!isSize(first) || !isSize(second) || first > second)
    throw new ProofError(`a tree of ${first} is not the beginning of a tree of ${second}`);

  if (first === second) {
    verifyLength('consistency', path.length, 0);
    verifyHashes([firstRoot, secondRoot]);
    if (!equalBytes(firstRoot, secondRoot))
      throw new ProofError(`two different roots for a tree of ${first}`);
    return;
  }

  // Where the perfect subtree in which the old tree ends is the whole old tree, the proof leaves it out: it is at hand.
  const { isWhole, sides } = oldTreeIn(first, second);
  verifyLength('consistency', path.length, isWhole ? sides.length : 1 + sides.length);
  verifyHashes([firstRoot, secondRoot, ...path]);
  const roots = rootsFromConsistency(first, second, isWhole ? [firstRoot, ...path] : path);
  if (!equalBytes(roots.firstRoot, firstRoot))
    throw new ProofError(`consistency proof does not lead to the root of the tree of ${first}`);
  if (!equalBytes(roots.secondRoot, secondRoot))
    throw new ProofError(`consistency proof does not lead to the root of the tree of ${second}`);
}

/**
 * What the nodes of a consistency proof say: the roots of the tree of `first` leaves and of that of `second`, which has it as its
 * beginning. `nodes` begins with the root of the perfect subtree in which the first tree ends, also where that is the whole of it.
 *
 * @throws {ProofError} unless 1 ≤ `first` < `second` and there are as many nodes as these sizes need, of 32 bytes each
 */
export function rootsFromConsistency(
  first: number,
  second: number,
  nodes: readonly Uint8Array[],
): { readonly firstRoot: Uint8Array; readonly secondRoot: Uint8Array } {
  if (!isSize(first) || !isSize(second) || first >= second)
    throw new ProofError(`a tree of ${first} is not the beginning of a larger one of ${second}`);
  const { sides } = oldTreeIn(first, second);
  const [start, ...siblings] = nodes;
  if (start === undefined || siblings.length !== sides.length)
    throw new ProofError(`${nodes.length} nodes, want ${1 + sides.length}`);
  verifyHashes(nodes);

  let firstRoot = start;
  let secondRoot = start;
  for (const [i, sibling] of siblings.entries()) {
    // What stands left was there before; what stands right has come since.
    if (sides[i] === 'left') {
      firstRoot = nodeHash(sibling, firstRoot);
      secondRoot = nodeHash(sibling, secondRoot);
    } else {
      secondRoot = nodeHash(secondRoot, sibling);
    }
  }
  return { firstRoot, secondRoot };
}

/**
 * The old tree ends in a perfect subtree, which the new tree has as a node, too: whether it is the whole old tree, and on which sides
 * that node's siblings stand up to the new root.
 */
function oldTreeIn(first: number, second: number) {
  let node = first - 1;
  let last = second - 1;
  while (isOdd(node)) {
    node = half(node);
    last = half(last);
  }
  return { isWhole: node === 0, sides: siblingSides(node, last + 1) };
}

/**
 * On which side the siblings of a node stand, from its own level up to the root: the node at `index` of a level that has `width`
 * nodes. The last node of a level has no sibling when nothing stands left of it within its pair; it then counts one level up as it is.
 */
function siblingSides(index: number, width: number): readonly ('left' | 'right')[] {
  const sides: ('left' | 'right')[] = [];
  for (let node = index, last = width - 1; last > 0; node = half(node), last = half(last)) {
    if (isOdd(node)) sides.push('left');
    else if (node < last) sides.push('right');
  }
  return sides;
}

function verifyLength(kind: 'inclusion' | 'consistency', got: number, want: number): void {
  if (got !== want) throw new ProofError(`${kind} proof has ${got} hashes, want ${want}`);
}

/** Two hashes of other lengths could join to the same 64 bytes as two honest ones, and so to the same parent. */
function verifyHashes(hashes: readonly Uint8Array[]): void {
  for (const hash of hashes) {
    if (hash.length !== 32) throw new ProofError(`proof has a hash of ${hash.length} bytes, want 32`);
  }
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
