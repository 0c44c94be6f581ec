/**
 * Roots of Merkle Patricia tries (yellow paper, appendix D) whose entries are all at hand: a block's transactions or receipts, each
 * under the RLP encoding of its number, and a contract's storage. No key begins another, so no branch holds a value.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { encodeRlp, type RlpItem } from '../../merkle/rlp.ts';

/** The root over items, each as it is encoded for hashing (EIP-2718). */
export function orderedTrieRoot(items: readonly Uint8Array[]): Uint8Array {
  return trieRoot(items.map((value, i) => [encodeRlp(integerBytes(i)), value]));
}

/** The root over values by their keys, of which none stands twice and none begins another. */
export function trieRoot(items: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Uint8Array {
  if (items.length === 0) return keccak_256(encodeRlp(new Uint8Array(0)));
  const entries = items.map(([key, value]) => ({ path: nibblesOf(key), value }));
  return keccak_256(encodeRlp(build(entries, 0)));
}

type Entry = { readonly path: readonly number[]; readonly value: Uint8Array };

/** The node over entries that share their path's first `depth` nibbles. */
function build(entries: readonly Entry[], depth: number): RlpItem {
  const [first, ...others] = entries;
  if (first === undefined) throw new Error('a node of the trie has no entry');
  if (others.length === 0) return [hexPrefix(first.path.slice(depth), true), first.value];

  let shared = depth;
  while (others.every(({ path }) => path[shared] === first.path[shared])) shared++;
  if (shared > depth) return [hexPrefix(first.path.slice(depth, shared), false), child(entries, shared)];

  const children = Array.from({ length: 16 }, (_, nibble): RlpItem => {
    const under = entries.filter(({ path }) => path[depth] === nibble);
    return under.length === 0 ? new Uint8Array(0) : child(under, depth + 1);
  });
  return [...children, new Uint8Array(0)];
}

/** How a node stands in the one above it: by its hash, or itself where that is shorter. */
function child(entries: readonly Entry[], depth: number): RlpItem {
  const node = build(entries, depth);
  const encoded = encodeRlp(node);
  return encoded.length < 32 ? node : keccak_256(encoded);
}

/** Packs nibbles (yellow paper, appendix C): the first one says leaf (2) and odd (1). */
function hexPrefix(path: readonly number[], isLeaf: boolean): Uint8Array {
  const flag = isLeaf ? 2 : 0;
  const nibbles = path.length % 2 === 1 ? [flag + 1, ...path] : [flag, 0, ...path];
  return Uint8Array.from(
    { length: nibbles.length / 2 },
    (_, i) => (nibbles[2 * i] ?? 0) * 16 + (nibbles[2 * i + 1] ?? 0),
  );
}

function nibblesOf(bytes: Uint8Array): number[] {
  return Array.from(bytes).flatMap(byte => [byte >> 4, byte & 15]);
}

/** An integer as RLP has it: big-endian without leading zeros. */
function integerBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.from(bytes);
}
