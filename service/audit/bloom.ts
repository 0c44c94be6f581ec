/**
 * A block's bloom filter (yellow paper, section 4.4.1): 2,048 bits in its header, three of which are set for every address that has
 * emitted an event and for every topic. So a block without an address's bits holds no event of it, on the header's word.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';

/** The three bits of an address or topic, as the byte of the filter in which each lies, and its mask there. */
export type BloomBits = readonly { readonly byte: number; readonly mask: number }[];

/** The bits that an address sets. */
export function bloomBits(address: Uint8Array): BloomBits {
  const hash = keccak_256(address);
  return [0, 2, 4].map(at => {
    const bit = ((hash[at] ?? 0) * 256 + (hash[at + 1] ?? 0)) % 2048;
    // Bit 0 is the lowest one of the last byte.
    return { byte: 255 - Math.floor(bit / 8), mask: 2 ** (bit % 8) };
  });
}

/** Whether a filter may hold an address: false is certain, true is not. */
export function mayHold(bloom: Uint8Array, bits: BloomBits): boolean {
  return bits.every(({ byte, mask }) => ((bloom[byte] ?? 0) & mask) !== 0);
}
