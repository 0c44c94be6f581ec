/**
 * QBFT's extraData (Hyperledger Besu), and the two hashes of a header that leave parts of it out.
 *
 * extraData = RLP[vanity (32 bytes), [validators], vote, round, [seals]]; the vote is [], or [recipient, 0xff to add | nothing to
 * drop]. Validators seal the header with the list of seals emptied. The block's hash is that of the header with the round emptied
 * as well, since nodes may have gathered other seals, in another round. It is not the hash of the header as it stands.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { FormatError } from './errors.ts';
import { type Header, headerWithExtra } from './header.ts';
import { decodeString, encodeList, splitList } from './rlp.ts';

/** What evidence needs of QBFT's extraData. */
export type QbftExtra = {
  /** The validators that the header lists; empty where a contract chooses them. */
  readonly validators: readonly Uint8Array[];
  readonly seals: readonly Uint8Array[];
};

/** Reads QBFT's extraData in the form that Besu writes. @throws {FormatError} otherwise */
export function parseQbftExtra(extraData: Uint8Array): QbftExtra {
  const { validators, vote, round, seals } = splitExtra(extraData);
  const listed = splitList(validators).map(decodeString);
  if (listed.some(address => address.length !== 20)) {
    throw FormatError.at('', 'a listed validator is not an address of 20 bytes');
  }
  if (!isVote(splitList(vote).map(decodeString))) {
    throw FormatError.at('', 'vote is neither empty nor a recipient with 0xff or nothing');
  }
  // Besu's rounds are Java ints. IBFT 2.0 writes them with leading zeros: that is another engine's header.
  const roundBytes = decodeString(round);
  if (roundBytes.length > 4 || roundBytes[0] === 0) {
    throw FormatError.at('', 'round is not an integer of at most 4 bytes without leading zeros');
  }
  return { validators: listed, seals: splitList(seals).map(decodeString) };
}

/** What validators seal: Keccak-256 of the header without seals, with the round. @throws {FormatError} on other extraData */
export function qbftSealDigest(header: Header): Uint8Array {
  const { vanity, validators, vote, round } = splitExtra(header.extraData);
  return hashWithExtra(header, [vanity, validators, vote, round, emptyList]);
}

/** The block's hash: Keccak-256 of the header without seals and round. @throws {FormatError} on other extraData */
export function qbftBlockHash(header: Header): Uint8Array {
  const { vanity, validators, vote } = splitExtra(header.extraData);
  return hashWithExtra(header, [vanity, validators, vote, emptyString, emptyList]);
}

/** The least number of seals that is more than two thirds of n validators (and so at least Besu's ⌈2n/3⌉). */
export function qbftQuorum(n: number): number {
  return Math.floor((2 * n) / 3) + 1;
}

const emptyString = Uint8Array.of(0x80);
const emptyList = Uint8Array.of(0xc0);

/** The five items, each as it was encoded: the hashes are over these very bytes. */
function splitExtra(extraData: Uint8Array) {
  const items = splitList(extraData);
  const [vanity, validators, vote, round, seals, ...more] = items;
  if (!vanity || !validators || !vote || !round || !seals || more.length > 0) {
    throw FormatError.at('', `extraData has ${items.length} items, want 5`);
  }
  const { length } = decodeString(vanity);
  if (length !== 32) throw FormatError.at('', `vanity of ${length} bytes, want 32`);
  return { vanity, validators, vote, round, seals };
}

function isVote(vote: readonly Uint8Array[]): boolean {
  const [recipient, kind, ...more] = vote;
  if (recipient === undefined) return true;
  if (recipient.length !== 20 || kind === undefined || more.length > 0) return false;
  return kind.length === 0 || (kind.length === 1 && kind[0] === 0xff);
}

function hashWithExtra(header: Header, extraItems: readonly Uint8Array[]): Uint8Array {
  return keccak_256(headerWithExtra(header, encodeList(extraItems)));
}
