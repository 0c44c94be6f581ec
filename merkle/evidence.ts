/**
 * What a registry's storage says, proved against a block's state root: the walk to the contract's account, with its pinned code,
 * and from there to one storage slot. A zero is never evidence: it is also what a slot holds that nobody wrote.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, equalBytes, formatHex0x } from './bytes.ts';
import { FormatError, ProofError } from './errors.ts';
import { decodeString, splitList } from './rlp.ts';
import { type NodeBag, NodeCollector, type NodeSource, walk } from './trie.ts';

/** What the key registry keeps about a key. Times are seconds since 1970; `validFrom` is inclusive, `validUntil` is not. */
export type RegisteredKey = {
  readonly agency: string;
  /** The algorithm's number, 1 to 6 (DESIGN 3.1). */
  readonly algorithm: number;
  readonly validFrom: number;
  readonly validUntil: number;
};

/** The `validUntil` of a key that has no end: the largest uint40. */
export const noEnd = 2 ** 40 - 1;

/** An unsigned integer as a 32-byte word. Requires a safe integer, or a bigint below 2^256. */
export function wordOf(value: number | bigint): Uint8Array {
  const word = new Uint8Array(32);
  let rest = BigInt(value);
  for (let i = 31; rest > 0n; i--, rest >>= 8n) word[i] = Number(rest & 0xffn);
  return word;
}

/** Where Solidity keeps `m[key]` when the mapping `m` is at a slot; both are 32-byte words. */
export function mappingSlot(key: Uint8Array, slot: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(key, slot));
}

/** The slot of `roots[logId][size]` in the anchor registry, whose mapping `roots` is at `rootsSlot`. */
export function rootSlot(logId: Uint8Array, size: number, rootsSlot: number): Uint8Array {
  return mappingSlot(wordOf(size), mappingSlot(logId, wordOf(rootsSlot)));
}

/** The slot of `keys[keyId]` in the key registry, whose mapping `keys` is at `keysSlot`. */
export function keySlot(keyId: Uint8Array, keysSlot: number): Uint8Array {
  return mappingSlot(keyId, wordOf(keysSlot));
}

/** An account in the state: the root of its storage, and the Keccak-256 of its code. */
export type Account = { readonly storageRoot: Uint8Array; readonly codeHash: Uint8Array };

/**
 * Walks to an account; undefined where the nodes prove that there is none.
 * @throws {ProofError} when a node is not the next one, or the account is malformed
 */
export function accountAt(
  source: NodeSource,
  stateRoot: Uint8Array,
  address: Uint8Array,
): Account | undefined {
  const leaf = walk(source, stateRoot, keccak_256(address));
  return leaf && asProof(`account ${formatHex0x(address)}`, () => parseAccount(leaf));
}

/**
 * Walks to a contract's account and gives the root of its storage.
 * @throws {ProofError} when a node is not the next one, there is no such account, or it has other code
 */
export function verifyAccount(
  bag: NodeBag,
  stateRoot: Uint8Array,
  address: Uint8Array,
  codeHash: Uint8Array,
): Uint8Array {
  const name = `account ${formatHex0x(address)}`;
  const account = accountAt(bag, stateRoot, address);
  if (account === undefined) throw new ProofError(`there is no ${name}`);
  if (!equalBytes(account.codeHash, codeHash)) {
    throw new ProofError(
      `${name} has code ${formatHex0x(account.codeHash)}, the trust file wants ${formatHex0x(codeHash)}`,
    );
  }
  return account.storageRoot;
}

/**
 * Walks to a storage slot and gives its 32-byte word, which is not zero.
 * @throws {ProofError} when a node is not the next one, or the slot is empty or zero
 */
export function verifySlot(bag: NodeBag, storageRoot: Uint8Array, slot: Uint8Array): Uint8Array {
  const name = `slot ${formatHex0x(slot)}`;
  const leaf = walk(bag, storageRoot, keccak_256(slot));
  if (leaf === undefined) throw new ProofError(`${name} is empty`);
  const value = asProof(name, () => decodeString(leaf));
  // Anvil keeps slots that are set to zero as leaves that say so.
  if (value.length === 0) throw new ProofError(`${name} holds zero`);
  if (value.length > 32 || value[0] === 0) throw new ProofError(`${name} does not hold a word`);
  return concatBytes(new Uint8Array(32 - value.length), value);
}

/**
 * Takes the word of `keys[keyId]` apart. Solidity packs a struct from the low-order end, so that the word reads, big-endian:
 * validUntil (5 bytes), validFrom (5), algorithm (1), agency (21, filled up with zeros on its right).
 * @throws {ProofError} when the agency or the algorithm is none that the registry accepts
 */
export function parseKeySlot(word: Uint8Array): RegisteredKey {
  const [algorithm = 0] = word.subarray(10);
  if (algorithm < 1 || algorithm > 6)
    throw new ProofError(`the key is registered for algorithm ${algorithm}`);
  // Each byte as the character of that code: what is not ASCII fails the test below.
  const padded = String.fromCharCode(...word.subarray(11));
  const agency = /^([A-Z0-9:.-]{1,21})\0*$/.exec(padded)?.[1];
  if (agency === undefined) {
    throw new ProofError(
      `the key is registered for ${formatHex0x(word.subarray(11))}, which names no agency`,
    );
  }
  return {
    agency,
    algorithm,
    validFrom: unsigned(word.subarray(5, 10)),
    validUntil: unsigned(word.subarray(0, 5)),
  };
}

/** An account, and one slot of its storage. */
export type StorageWalk = { readonly address: Uint8Array; readonly slot: Uint8Array };

/**
 * Makes evidence's `nodes` from those that a node answered to `eth_getProof`, in any order, repeated or surplus: each one that the
 * walks need, once, in the order of first need. It judges nothing: whether the walks prove what is wanted, verifying says.
 * @throws {ProofError} when a node is missing
 */
export function gatherWalks(
  stateRoot: Uint8Array,
  walks: Iterable<StorageWalk>,
  nodes: Iterable<Uint8Array>,
): Uint8Array[] {
  const collector = new NodeCollector(nodes);
  for (const { address, slot } of walks) {
    const account = accountAt(collector, stateRoot, address);
    if (account !== undefined) walk(collector, account.storageRoot, keccak_256(slot));
  }
  return collector.collected();
}

/** Reads an account: [nonce, balance, storageRoot, codeHash] (yellow paper, section 4.1). */
function parseAccount(leaf: Uint8Array): Account {
  const [nonce, balance, storageRoot, codeHash, ...rest] = splitList(leaf).map(decodeString);
  if (
    !isInteger(nonce, 8) ||
    !isInteger(balance, 32) ||
    storageRoot?.length !== 32 ||
    codeHash?.length !== 32
  ) {
    throw FormatError.at('', 'want nonce, balance, storage root and code hash');
  }
  if (rest.length > 0) throw FormatError.at('', `${4 + rest.length} items, want 4`);
  return { storageRoot, codeHash };
}

function isInteger(bytes: Uint8Array | undefined, maxLength: number): boolean {
  return bytes !== undefined && bytes.length <= maxLength && bytes[0] !== 0;
}

/** Bytes that the state root vouches for, but that are not in their form, prove nothing: that is not the input's form. */
function asProof<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new ProofError(`${name} is malformed: ${error.message}`);
  }
}

function unsigned(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
