/**
 * Real state tries for tests, built by the recursive definition of the yellow paper (appendix D): accounts and their storage give a
 * state root, and the nodes that prove what is in it, or is not. Made without merkle/trie.ts, so that each checks the other.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, formatHex } from '../../merkle/bytes.ts';
import { encodeRlp, type RlpItem } from '../../merkle/rlp.ts';

/** A trie over keys as they are, hashed or not. */
export type Trie = {
  readonly root: Uint8Array;
  /** The nodes from the root towards a key, as far as the trie leads; those embedded in others are part of these. */
  prove(key: Uint8Array): Uint8Array[];
};

/** Builds a trie. Keys may be of any lengths; no key stands twice, no value is empty. */
export function buildTrie(entries: Iterable<readonly [key: Uint8Array, value: Uint8Array]>): Trie {
  const list = Array.from(entries, ([key, value]) => ({ path: nibbles(key), value }));
  const root = list.length === 0 ? undefined : build(list);
  return {
    root: keccak_256(root === undefined ? encodeRlp(new Uint8Array(0)) : encodeRlp(root.item)),
    prove: key => (root === undefined ? [] : proofOf(root, nibbles(key))),
  };
}

/** An account, with defaults for what a test does not care about. */
export type AccountState = {
  readonly address: Uint8Array;
  readonly nonce?: number;
  readonly balance?: bigint;
  /** Of no code, if left out. */
  readonly codeHash?: Uint8Array;
  /** Slots and their values, both 32-byte words. A zero value is no entry in the trie. */
  readonly storage?: Iterable<readonly [slot: Uint8Array, value: Uint8Array]>;
  /** Writes zero values into the trie, as anvil does. */
  readonly keepsZeros?: boolean;
};

/** The world at one block. */
export type State = {
  readonly root: Uint8Array;
  /** What `eth_getProof` answers; `storageProof` is empty for an absent account. */
  prove(
    address: Uint8Array,
    slot: Uint8Array,
  ): { readonly accountProof: Uint8Array[]; readonly storageProof: Uint8Array[] };
  /** Evidence's nodes for these walks in their order: each once, in the order of first need. */
  evidence(walks: Iterable<{ readonly address: Uint8Array; readonly slot: Uint8Array }>): Uint8Array[];
};

export function buildState(accounts: readonly AccountState[]): State {
  const storages = new Map<string, Trie>();
  const trie = buildTrie(
    accounts.map(account => {
      const storage = buildTrie(storageEntries(account));
      storages.set(formatHex(account.address), storage);
      return [keccak_256(account.address), encodeAccount(account, storage.root)];
    }),
  );
  const prove: State['prove'] = (address, slot) => ({
    accountProof: trie.prove(keccak_256(address)),
    storageProof: storages.get(formatHex(address))?.prove(keccak_256(slot)) ?? [],
  });
  return {
    root: trie.root,
    prove,
    evidence: walks => {
      const nodes = new Map<string, Uint8Array>();
      for (const { address, slot } of walks) {
        const { accountProof, storageProof } = prove(address, slot);
        for (const node of [...accountProof, ...storageProof]) nodes.set(formatHex(node), node);
      }
      return [...nodes.values()];
    },
  };
}

/** What the account's leaf holds. */
export function encodeAccount(account: AccountState, storageRoot: Uint8Array): Uint8Array {
  return encodeRlp([
    integer(account.nonce ?? 1),
    integer(account.balance ?? 0n),
    storageRoot,
    account.codeHash ?? keccak_256(new Uint8Array(0)),
  ]);
}

/** An integer as RLP wants it: big-endian without leading zeros. */
export function integer(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = BigInt(value); rest > 0n; rest /= 256n) bytes.unshift(Number(rest % 256n));
  return Uint8Array.from(bytes);
}

function* storageEntries({ storage = [], keepsZeros = false }: AccountState) {
  for (const [slot, word] of storage) {
    const firstSet = word.findIndex(byte => byte !== 0);
    const value = firstSet < 0 ? new Uint8Array(0) : word.slice(firstSet);
    if (value.length > 0 || keepsZeros) yield [keccak_256(slot), encodeRlp(value)] as const;
  }
}

type Entry = { readonly path: readonly number[]; readonly value: Uint8Array };

/** A node, with the nodes below it under the nibbles that lead there. */
type Built = { readonly item: RlpItem; readonly below: readonly (readonly [readonly number[], Built])[] };

function build(entries: readonly Entry[]): Built {
  const [first, ...others] = entries;
  if (first === undefined) throw new Error('a node needs an entry');
  if (others.length === 0) return { item: [hexPrefix(first.path, true), first.value], below: [] };

  const shared = Math.min(...others.map(({ path }) => sharedLength(path, first.path)));
  if (shared > 0) {
    const child = build(entries.map(({ path, value }) => ({ path: path.slice(shared), value })));
    const path = first.path.slice(0, shared);
    return { item: [hexPrefix(path, false), reference(child)], below: [[path, child]] };
  }

  const below: (readonly [readonly number[], Built])[] = [];
  const items: RlpItem[] = [];
  for (let nibble = 0; nibble < 16; nibble++) {
    const under = entries.filter(({ path }) => path[0] === nibble);
    if (under.length === 0) {
      items.push(new Uint8Array(0));
      continue;
    }
    const child = build(under.map(({ path, value }) => ({ path: path.slice(1), value })));
    below.push([[nibble], child]);
    items.push(reference(child));
  }
  const here = entries.find(({ path }) => path.length === 0)?.value;
  return { item: [...items, here ?? new Uint8Array(0)], below };
}

/** How a node stands in the one above it: as it is if it is short, else as its hash. */
function reference({ item }: Built): RlpItem {
  const encoded = encodeRlp(item);
  return encoded.length < 32 ? item : keccak_256(encoded);
}

function proofOf(root: Built, key: readonly number[]): Uint8Array[] {
  const nodes = [encodeRlp(root.item)];
  let node: Built | undefined = root;
  let rest = key;
  while (node !== undefined) {
    const next: readonly [readonly number[], Built] | undefined = node.below.find(
      ([path]) => sharedLength(path, rest) === path.length,
    );
    if (next === undefined) break;
    rest = rest.slice(next[0].length);
    node = next[1];
    const encoded = encodeRlp(node.item);
    if (encoded.length >= 32) nodes.push(encoded);
  }
  return nodes;
}

function hexPrefix(path: readonly number[], isLeaf: boolean): Uint8Array {
  const flag = isLeaf ? 2 : 0;
  const padded = path.length % 2 === 1 ? [flag + 1, ...path] : [flag, 0, ...path];
  return concatBytes(
    ...Array.from({ length: padded.length / 2 }, (_, i) =>
      Uint8Array.of((padded[2 * i] ?? 0) * 16 + (padded[2 * i + 1] ?? 0)),
    ),
  );
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

function nibbles(bytes: Uint8Array): number[] {
  return Array.from(formatHex(bytes), digit => Number.parseInt(digit, 16));
}
