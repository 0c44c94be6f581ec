/**
 * Clique's extraData (EIP-225): vanity (32 bytes) ‖ signers (20 bytes each, at epoch blocks only) ‖ seal (65 bytes).
 *
 * The seal is over the header with the seal cut off; the block's hash is that of the header as it stands. One header shows one
 * signer, so a majority takes several headers in a row.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { FormatError } from './errors.ts';
import { type Header, headerWithExtra } from './header.ts';

/** Clique's extraData, taken apart. */
export type CliqueExtra = {
  /** The signers that the header lists; empty between epochs. */
  readonly signers: readonly Uint8Array[];
  readonly seal: Uint8Array;
};

/** Reads Clique's extraData. @throws {FormatError} when its length fits no number of signers */
export function parseCliqueExtra(extraData: Uint8Array): CliqueExtra {
  const list = extraData.subarray(vanityLength, -sealLength);
  if (extraData.length < vanityLength + sealLength || list.length % addressLength !== 0) {
    throw FormatError.at('', `extraData of ${extraData.length} bytes is not vanity, signers and seal`);
  }
  const signers: Uint8Array[] = [];
  for (let at = 0; at < list.length; at += addressLength) signers.push(list.subarray(at, at + addressLength));
  return { signers, seal: extraData.subarray(-sealLength) };
}

/** What a signer seals: Keccak-256 of the header without the seal. Requires extraData that can be read. */
export function cliqueSealDigest(header: Header): Uint8Array {
  return keccak_256(headerWithExtra(header, header.extraData.subarray(0, -sealLength)));
}

const vanityLength = 32;
const addressLength = 20;
const sealLength = 65;
