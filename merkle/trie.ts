/**
 * Walks through a Merkle Patricia trie (yellow paper, appendix D): from a root down to what the trie holds under a key, taking
 * each node by its Keccak-256 hash, so that a wrong node cannot be taken.
 *
 * A node is an RLP list. A branch has 17 items: a child for each next nibble of the key, and the value of the key that ends
 * there. A leaf and an extension have two: nibbles that the key goes on with, and the value, or the one child. A child is
 * written as its hash, or as the node itself if that takes fewer than 32 bytes. The nibbles are packed by hex-prefix encoding:
 * the first one says whether it is a leaf (2) and whether the number of nibbles is odd (1); if even, a zero nibble follows it.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { equalBytes, formatHex, formatHex0x } from './bytes.ts';
import { FormatError, ProofError } from './errors.ts';
import { decodeString, splitList } from './rlp.ts';

/** Where a walk gets its nodes from. */
export type NodeSource = {
  /** The node with this hash. @throws {ProofError} when there is none */
  take(hash: Uint8Array): Uint8Array;
};

/**
 * The nodes of a piece of evidence. One is given out when it is the next one or when it was given out before: so each node stands
 * once, in the order in which the walks first need it, and none is surplus (DESIGN 3.5).
 */
export class NodeBag implements NodeSource {
  readonly #nodes: readonly Uint8Array[];
  readonly #taken = new Map<string, Uint8Array>();

  constructor(nodes: readonly Uint8Array[]) {
    this.#nodes = nodes;
  }

  take(hash: Uint8Array): Uint8Array {
    const key = formatHex(hash);
    const before = this.#taken.get(key);
    if (before !== undefined) return before;

    // A node that stood twice would be the next one twice; the second time it is not asked for here, so it stays in the way.
    const next = this.#nodes[this.#taken.size];
    if (next === undefined) throw new ProofError(`node ${formatHex0x(hash)} is missing`);
    const nextHash = keccak_256(next);
    if (!equalBytes(nextHash, hash)) {
      throw new ProofError(
        `nodes[${this.#taken.size}] has the hash ${formatHex0x(nextHash)}, the walk needs ${formatHex0x(hash)}`,
      );
    }
    this.#taken.set(key, next);
    return next;
  }

  /** Ends the last walk. @throws {ProofError} when nodes are left over */
  finish(): void {
    const left = this.#nodes.length - this.#taken.size;
    if (left > 0) throw new ProofError(`no walk needs nodes[${this.#taken.size}], ${left} left over`);
  }
}

/** Nodes in any order, repeated or surplus; remembers those that walks took, in the order that a bag wants. */
export class NodeCollector implements NodeSource {
  readonly #nodes = new Map<string, Uint8Array>();
  readonly #taken = new Set<Uint8Array>();

  constructor(nodes: Iterable<Uint8Array>) {
    for (const node of nodes) this.#nodes.set(formatHex(keccak_256(node)), node);
  }

  take(hash: Uint8Array): Uint8Array {
    const node = this.#nodes.get(formatHex(hash));
    if (node === undefined) throw new ProofError(`node ${formatHex0x(hash)} is missing`);
    this.#taken.add(node);
    return node;
  }

  /** The nodes that were taken, each once, in the order of first need. */
  collected(): Uint8Array[] {
    return [...this.#taken];
  }
}

/** The root of a trie that holds nothing: the hash of an empty RLP string. No node is needed to see that. */
const emptyRoot = keccak_256(Uint8Array.of(0x80));

/**
 * What the trie with this root holds under a key; undefined where the nodes prove that it holds nothing. State and storage tries
 * are keyed by Keccak-256 of the address or slot: the caller hashes.
 * @throws {ProofError} when the source lacks a node on the way, or a node is malformed
 */
export function walk(source: NodeSource, root: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  if (equalBytes(root, emptyRoot)) return undefined;
  let rest = nibblesOf(key);
  let child: Child = { hash: root };
  for (;;) {
    const node: Node = 'hash' in child ? readNode(source.take(child.hash)) : child.embedded;
    if (node.kind === 'branch') {
      const [nibble] = rest;
      if (nibble === undefined) return node.value;
      const next: Child | undefined = node.children[nibble];
      if (next === undefined) return undefined;
      rest = rest.subarray(1);
      child = next;
      continue;
    }
    if (!equalBytes(rest.subarray(0, node.path.length), node.path)) return undefined;
    rest = rest.subarray(node.path.length);
    if (node.kind === 'leaf') return rest.length === 0 ? node.value : undefined;
    child = node.child;
  }
}

type Node =
  | {
      readonly kind: 'branch';
      readonly children: readonly (Child | undefined)[];
      readonly value: Uint8Array | undefined;
    }
  | { readonly kind: 'leaf'; readonly path: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'extension'; readonly path: Uint8Array; readonly child: Child };

type Child = { readonly hash: Uint8Array } | { readonly embedded: Node };

function readNode(encoded: Uint8Array): Node {
  try {
    return parseNode(encoded);
  } catch (error) {
    // Its hash is the right one: so it is the state that is not in its form, not the evidence.
    if (!(error instanceof FormatError)) throw error;
    throw new ProofError(`node ${formatHex0x(keccak_256(encoded))} is malformed: ${error.message}`);
  }
}

function parseNode(encoded: Uint8Array): Node {
  const items = splitList(encoded);
  const [first, second] = items;
  if (items.length === 17) {
    const value = decodeString(items[16] ?? new Uint8Array(0));
    return {
      kind: 'branch',
      children: items.slice(0, 16).map(parseChild),
      value: value.length === 0 ? undefined : value,
    };
  }
  if (items.length !== 2 || first === undefined || second === undefined) {
    throw FormatError.at('', `${items.length} items, want 2 or 17`);
  }

  const { isLeaf, path } = parseHexPrefix(decodeString(first));
  if (isLeaf) {
    const value = decodeString(second);
    if (value.length === 0) throw FormatError.at('', 'a leaf without a value');
    return { kind: 'leaf', path, value };
  }
  // Without nibbles, or without a child, the trie would have been built without this node.
  if (path.length === 0) throw FormatError.at('', 'an extension without nibbles');
  const child = parseChild(second);
  if (child === undefined) throw FormatError.at('', 'an extension without a child');
  return { kind: 'extension', path, child };
}

/** Reads a child from its encoding: nothing, a hash, or a node small enough to stand there itself. */
function parseChild(encoded: Uint8Array): Child | undefined {
  const isList = (encoded[0] ?? 0) >= 0xc0;
  if (isList) {
    // The limit also bounds how deep nodes can stand in each other.
    if (encoded.length >= 32) throw FormatError.at('', `${encoded.length} bytes embedded, want a hash`);
    return { embedded: parseNode(encoded) };
  }
  const hash = decodeString(encoded);
  if (hash.length === 0) return undefined;
  if (hash.length !== 32) throw FormatError.at('', `a child of ${hash.length} bytes`);
  return { hash };
}

/** Unpacks hex-prefix encoding (yellow paper, appendix C). */
function parseHexPrefix(packed: Uint8Array): { isLeaf: boolean; path: Uint8Array } {
  const nibbles = nibblesOf(packed);
  const [flags = 4, padding = 0] = nibbles;
  const isOdd = flags % 2 === 1;
  if (flags > 3 || (!isOdd && padding !== 0))
    throw FormatError.at('', 'a path that is not hex-prefix encoded');
  return { isLeaf: flags >= 2, path: nibbles.subarray(isOdd ? 1 : 2) };
}

function nibblesOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: 2 * bytes.length }, (_, i) => {
    const byte = bytes[Math.floor(i / 2)] ?? 0;
    return i % 2 === 0 ? byte >> 4 : byte & 15;
  });
}
