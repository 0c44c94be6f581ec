/** Signatures: which ones are good, with the same answer from every verifier and for ever. */

import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from './bytes.ts';
import { ProofError } from './errors.ts';

type EdwardsPoint = ReturnType<typeof ed25519.Point.fromBytes>;

/** The order of Ed25519's prime-order subgroup, L in RFC 8032 section 5.1. */
const subgroupOrder = ed25519.Point.CURVE().n;

/**
 * Verifies an Ed25519 signature (RFC 8032 section 5.1.7) under the one rule of DESIGN 3.1.
 *
 * The RFC leaves room: libraries disagree about points with a part of small order, about points in a second spelling and about
 * the cofactor, and a receipt could get two verdicts. So every point is canonical and in the prime-order subgroup, s is below L,
 * and the equation stands without the cofactor. What is accepted here, every library that follows the RFC accepts.
 *
 * @throws {ProofError} if the key breaks the rule or the signature does not verify
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  const key = ed25519Key(publicKey);
  if (signature.length !== 64)
    throw new ProofError(`Ed25519 signature has ${signature.length} bytes, want 64`);
  const nonce = signature.subarray(0, 32);
  const point = canonicalPoint(nonce, 'R of the Ed25519 signature');
  if (!point.isTorsionFree()) throw new ProofError('R of the Ed25519 signature has a part of small order');
  const s = littleEndian(signature.subarray(32));
  if (s >= subgroupOrder) throw new ProofError('s of the Ed25519 signature is not below the group order');

  // [s]B = R + [k]A, with k = SHA-512(R ‖ A ‖ message): the group equation of section 5.1.7, not multiplied by 8.
  const k = littleEndian(sha512(concatBytes(nonce, publicKey, message))) % subgroupOrder;
  const left = ed25519.Point.BASE.multiplyUnsafe(s);
  if (!left.equals(point.add(key.multiplyUnsafe(k))))
    throw new ProofError('Ed25519 signature does not verify');
}

/** A public key's point. The neutral point is in the subgroup, but under it everybody can sign. */
function ed25519Key(publicKey: Uint8Array): EdwardsPoint {
  const key = canonicalPoint(publicKey, 'Ed25519 key');
  if (key.isSmallOrder()) throw new ProofError('Ed25519 key is a point of small order');
  if (!key.isTorsionFree()) throw new ProofError('Ed25519 key has a part of small order');
  return key;
}

/** Reads a point in its one spelling: y below the field's order, and no sign where x is 0 (RFC 8032 section 5.1.3). */
function canonicalPoint(bytes: Uint8Array, what: string): EdwardsPoint {
  try {
    return ed25519.Point.fromBytes(bytes, false);
  } catch (cause) {
    throw new ProofError(`${what} is not the canonical spelling of a point`, { cause });
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
