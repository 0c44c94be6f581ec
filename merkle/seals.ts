/**
 * Who vouches for a block: the seals under its header, checked against the validators that the trust file pins (DESIGN 3.5, step
 * `seals`). The headers' own forms are in qbft.ts and clique.ts.
 *
 * A seal is r ‖ s ‖ recovery id, a secp256k1 signature over a digest, which names its maker by the key that can be recovered from
 * it. Like both engines we take s in either half of its range: the twin with n - s is the same validator's, and counts no more.
 */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { equalBytes, formatHex } from './bytes.ts';
import { cliqueSealDigest, parseCliqueExtra } from './clique.ts';
import { FormatError, ProofError } from './errors.ts';
import { type Header, headerHash, parseHeader } from './header.ts';
import { parseQbftExtra, qbftBlockHash, qbftQuorum, qbftSealDigest } from './qbft.ts';

/** How a chain agrees on blocks; `none` is a development chain, whose headers nobody seals. */
export type Consensus = 'qbft' | 'clique' | 'none';

/** The validators from a block on, until the next set's. */
export type ValidatorSet = { readonly fromBlock: number; readonly addresses: readonly Uint8Array[] };

/** What the trust file pins about a chain's consensus. */
export type ChainRules = { readonly consensus: Consensus; readonly validators: readonly ValidatorSet[] };

/** A block that evidence may lean on. */
export type Block = {
  readonly header: Header;
  readonly hash: Uint8Array;
  /** Whether validators vouch for it; false on a chain of consensus `none`. */
  readonly sealed: boolean;
};

/** Says who vouches for a block, as `verifyHeaders` does. */
export type VerifyHeaders = (rules: ChainRules, headers: readonly Uint8Array[]) => Block;

/**
 * Checks that enough pinned validators vouch for the first header: under QBFT more than two thirds by their seals in it, under
 * Clique a majority by sealing it and its next descendants, one each. On a chain of `none` the header is only read.
 * @throws {FormatError} on a header, or its extraData, that cannot be read
 * @throws {ProofError} when the headers are more or fewer than needed, are no chain, list other validators than the pinned ones,
 * or bear a seal that is malformed, foreign or repeated
 */
export function verifyHeaders(rules: ChainRules, headers: readonly Uint8Array[]): Block {
  const [first] = headers;
  if (first === undefined) throw new ProofError('there is no header');
  const header = atHeader(0, () => parseHeader(first));
  // Counted before the others are read, of which there may be any number.
  const needed = headersNeeded(rules, header.number);
  if (headers.length !== needed) throw new ProofError(`${headers.length} headers, want ${needed}`);

  if (rules.consensus === 'qbft') atHeader(0, () => verifyQbft(rules, header));
  if (rules.consensus === 'clique') {
    verifyClique(
      rules,
      headers.map((rlp, i) => atHeader(i, () => parseHeader(rlp))),
    );
  }
  return { header, hash: blockHash(rules.consensus, header), sealed: rules.consensus !== 'none' };
}

/** How the chain names a block. @throws {FormatError} on a QBFT header whose extraData cannot be read */
export function blockHash(consensus: Consensus, header: Header): Uint8Array {
  return consensus === 'qbft' ? qbftBlockHash(header) : headerHash(header);
}

/**
 * How many headers evidence from this block takes: 1, or a majority of Clique's signers.
 * @throws {ProofError} under Clique when no signers are pinned for the block
 */
export function headersNeeded(rules: ChainRules, blockNumber: number): number {
  if (rules.consensus !== 'clique') return 1;
  return Math.floor(validatorsAt(rules, blockNumber).length / 2) + 1;
}

/**
 * The address of the account whose key made a seal.
 * @throws {ProofError} when it is not a signature with recovery id 0 or 1
 */
export function sealSigner(digest: Uint8Array, seal: Uint8Array): Uint8Array {
  const [recoveryId = 0] = seal.subarray(64);
  if (seal.length !== 65) throw new ProofError(`seal of ${seal.length} bytes, want 65`);
  if (recoveryId > 1) throw new ProofError(`seal has the recovery id ${recoveryId}, want 0 or 1`);
  // An address is the end of Keccak-256 of the public key, without the byte that says how the point is encoded.
  return keccak_256(recoverKey(digest, seal.subarray(0, 64), recoveryId).subarray(1)).subarray(12);
}

function verifyQbft(rules: ChainRules, header: Header): void {
  const { validators, seals } = parseQbftExtra(header.extraData);
  const pinned = validatorsAt(rules, header.number);
  verifyList(header, validators, pinned);

  const digest = qbftSealDigest(header);
  const sealed = new Set<string>();
  for (const seal of seals) verifySeal(header, digest, seal, pinned, sealed);
  const quorum = qbftQuorum(pinned.length);
  if (sealed.size < quorum) {
    throw new ProofError(`${sealed.size} of ${pinned.length} validators sealed, want ${quorum}`);
  }
}

function verifyClique(rules: ChainRules, headers: readonly Header[]): void {
  const sealed = new Set<string>();
  for (const [i, header] of headers.entries()) {
    atHeader(i, () => {
      const parent = headers[i - 1];
      if (parent !== undefined) verifyChild(header, parent);
      const { signers, seal } = parseCliqueExtra(header.extraData);
      const pinned = validatorsAt(rules, header.number);
      verifyList(header, signers, pinned);
      verifySeal(header, cliqueSealDigest(header), seal, pinned, sealed);
    });
  }
}

function verifyChild(header: Header, parent: Header): void {
  if (header.number !== parent.number + 1 || !equalBytes(header.parentHash, headerHash(parent))) {
    throw new ProofError(`block ${header.number} is not the child of block ${parent.number} before it`);
  }
}

/** The set that is pinned for a block: the last one that begins at or before it. */
function validatorsAt({ validators }: ChainRules, blockNumber: number): readonly Uint8Array[] {
  const [last] = validators
    .filter(set => set.fromBlock <= blockNumber)
    .toSorted((a, b) => b.fromBlock - a.fromBlock);
  if (last === undefined || last.addresses.length === 0) {
    throw new ProofError(`the trust file pins no validators for block ${blockNumber}`);
  }
  return last.addresses;
}

/**
 * A list in the header proves nothing, since whoever makes up a header makes up its list. But where it differs from the pinned
 * set, the trust file does not speak of this block.
 */
function verifyList(header: Header, listed: readonly Uint8Array[], pinned: readonly Uint8Array[]): void {
  if (listed.length === 0) return;
  if (listed.length !== pinned.length || !pinned.every(address => includes(listed, address))) {
    throw new ProofError(`block ${header.number} lists other validators than the trust file pins for it`);
  }
}

/** Checks that a seal is by one of the pinned validators who has not sealed before, and remembers who it is. */
function verifySeal(
  header: Header,
  digest: Uint8Array,
  seal: Uint8Array,
  pinned: readonly Uint8Array[],
  sealed: Set<string>,
): void {
  const signer = sealSigner(digest, seal);
  const name = formatHex(signer);
  if (!includes(pinned, signer)) {
    throw new ProofError(`block ${header.number} is sealed by 0x${name}, who is not pinned for it`);
  }
  if (sealed.has(name)) throw new ProofError(`0x${name} sealed twice`);
  sealed.add(name);
}

function includes(addresses: readonly Uint8Array[], address: Uint8Array): boolean {
  return addresses.some(other => equalBytes(other, address));
}

/** The uncompressed public key that made a signature (SEC 1 section 4.1.6). */
function recoverKey(digest: Uint8Array, signature: Uint8Array, recoveryId: number): Uint8Array {
  try {
    return secp256k1.Signature.fromBytes(signature, 'compact')
      .addRecoveryBit(recoveryId)
      .recoverPublicKey(digest)
      .toBytes(false);
  } catch (cause) {
    throw new ProofError(`seal ${formatHex(signature)} is no signature by any key`, { cause });
  }
}

/** Names the header in whatever is thrown about it. */
function atHeader<T>(index: number, check: () => T): T {
  try {
    return check();
  } catch (error) {
    const place = `headers[${index}]`;
    if (error instanceof FormatError) {
      throw new FormatError(error.issues.map(({ message }) => ({ place, message })));
    }
    if (error instanceof ProofError) throw new ProofError(`${place}: ${error.message}`, { cause: error });
    throw error;
  }
}
