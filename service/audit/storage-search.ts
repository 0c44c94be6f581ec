/**
 * Where the storage of a contract differs on two chains: slot by slot, through all that the replayed transactions have touched.
 *
 * Roots can differ where no word does: some development nodes keep slots that hold zero in the trie, where the yellow paper has none.
 * So where no touched slot holds another word, the trie is built anew over those slots, with the zeros that the node keeps. If that is
 * the node's root, it holds these words and nothing else.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, equalBytes, formatHex0x } from '../../merkle/bytes.ts';
import { decodeString } from '../../merkle/rlp.ts';
import { NodeCollector, walk } from '../../merkle/trie.ts';
import type { FollowedContract } from './contracts.ts';
import { askProof, formatNodes, walking } from './state-proof.ts';
import type { Comparison } from './storage.ts';
import { trieRoot } from './trie-root.ts';

/** What differs, in words, and the bytes that prove it. */
export type Difference = { readonly message: string; readonly proof: Readonly<Record<string, string>> };

/** Slots in one question: nodes bound the work for one. */
const slotsMax = 100;

/**
 * The first slot that holds another word on the real chain than in the replay; undefined where both hold the same words everywhere.
 * @throws {CouldNotCheck, Refutation} as a contract's comparison does
 */
export async function findDifference(
  world: Comparison,
  contract: FollowedContract,
  storageRoot: Uint8Array,
): Promise<Difference | undefined> {
  const names = new Map(
    [...world.events.slots(world.slots)].map(({ slot, name }) => [formatHex0x(slot), name]),
  );
  const slots = await world.replay.touchedSlots(contract.address);
  const kept: (readonly [Uint8Array, Uint8Array])[] = [];
  for (let at = 0; at < slots.length; at += slotsMax) {
    const some = slots.slice(at, at + slotsMax);
    const { storageProof } = await askProof(world, contract, some);
    for (const [i, slot] of some.entries()) {
      const nodes = storageProof[i]?.proof ?? [];
      const text = formatNodes(nodes);
      const leaf = walking(contract, world.final, text, () =>
        walk(new NodeCollector(nodes), storageRoot, keccak_256(slot)),
      );
      if (leaf !== undefined) kept.push([keccak_256(slot), leaf]);
      const found = wordIn(leaf);
      const wanted = await world.replay.slot(contract.address, slot);
      if (equalBytes(found, wanted)) continue;
      const name = names.get(formatHex0x(slot));
      const message = `${name === undefined ? '' : `${name}, `}slot ${formatHex0x(slot)}, holds ${formatHex0x(found)}, want ${formatHex0x(wanted)}`;
      const proof = { slot: formatHex0x(slot), storageProof: text, replayedWord: formatHex0x(wanted) };
      return { message, proof };
    }
  }
  if (equalBytes(trieRoot(kept), storageRoot)) return undefined;
  return { message: 'a slot holds a word that no transaction has touched', proof: {} };
}

/** A leaf's word; zero where there is none. */
function wordIn(leaf: Uint8Array | undefined): Uint8Array {
  const value = leaf === undefined ? new Uint8Array(0) : decodeString(leaf);
  return concatBytes(new Uint8Array(Math.max(0, 32 - value.length)), value);
}
