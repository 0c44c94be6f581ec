/** Signatures: which ones are good, with the same answer from every verifier and for ever (DESIGN 3.1). */

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, parseBase64url } from './bytes.ts';
import { ProofError } from './errors.ts';
import type { EcCurve, EcJwk, Jwk, RsaJwk } from './jwk.ts';

/** The JWS algorithms that a key may be registered for (RFC 7518, RFC 8812, RFC 9864). */
export type Algorithm = 'ES256' | 'ES384' | 'ES256K' | 'RS256' | 'PS256' | 'Ed25519';

type AlgorithmFacts = {
  readonly name: Algorithm;
  /** How the key registry spells it. */
  readonly number: number;
  readonly kty: Jwk['kty'];
  readonly crv?: string;
};

export const algorithms: readonly AlgorithmFacts[] = [
  { name: 'ES256', number: 1, kty: 'EC', crv: 'P-256' },
  { name: 'ES384', number: 2, kty: 'EC', crv: 'P-384' },
  { name: 'ES256K', number: 3, kty: 'EC', crv: 'secp256k1' },
  { name: 'RS256', number: 4, kty: 'RSA' },
  { name: 'PS256', number: 5, kty: 'RSA' },
  { name: 'Ed25519', number: 6, kty: 'OKP', crv: 'Ed25519' },
];

/** The algorithm that the key registry writes as this number. @throws {ProofError} if there is none */
export function algorithmName(number: number): Algorithm {
  const facts = algorithms.find(algorithm => algorithm.number === number);
  if (facts === undefined) throw new ProofError(`${number} is not an algorithm number, want 1 to 6`);
  return facts.name;
}

/** How the key registry writes an algorithm. */
export function algorithmNumber(name: Algorithm): number {
  return algorithmFacts(name).number;
}

/** @throws {ProofError} if an algorithm is for keys of another type or on another curve */
export function verifyAlgorithmFits(alg: Algorithm, jwk: Jwk): void {
  const { kty, crv } = algorithmFacts(alg);
  if (jwk.kty !== kty || (jwk.kty !== 'RSA' && jwk.crv !== crv)) {
    const type = jwk.kty === 'RSA' ? jwk.kty : `${jwk.kty} ${jwk.crv}`;
    throw new ProofError(`algorithm ${alg} does not fit a key of type ${type}`);
  }
}

function algorithmFacts(name: Algorithm): AlgorithmFacts {
  const facts = algorithms.find(algorithm => algorithm.name === name);
  if (facts === undefined) throw new Error(`unknown algorithm ${name}`);
  return facts;
}

/**
 * Verifies a signature, or rejects with a ProofError. Whoever implements it anew (the service does, over OpenSSL) answers as
 * `verifySignature` does: for the key, too, unless `verifyPublicKey` has accepted that key before.
 */
export type VerifySignature = (
  alg: Algorithm,
  jwk: Jwk,
  message: Uint8Array,
  signature: Uint8Array,
) => Promise<void>;

/** Verifies a signature by any of the six algorithms. Rejects with a ProofError if key or signature is not good. */
export const verifySignature: VerifySignature = async (alg, jwk, message, signature) => {
  verifyAlgorithmFits(alg, jwk);
  switch (jwk.kty) {
    case 'EC':
      return verifyEcdsa(alg, jwk, message, signature);
    case 'RSA':
      return verifyRsa(alg, jwk, message, signature);
    case 'OKP':
      return verifyEd25519(parseBase64url(jwk.x), message, signature);
  }
};

/**
 * Verifies that a public key is one under which signatures mean something: a point of its curve; for Ed25519 one in the
 * prime-order subgroup; for RSA a modulus of 2048 to 4096 bits and the exponent 65537. Asked when a key is registered.
 * @throws {ProofError} otherwise
 */
export function verifyPublicKey(jwk: Jwk): void {
  switch (jwk.kty) {
    case 'EC':
      ecPoint(jwk);
      break;
    case 'RSA':
      verifyRsaKey(jwk);
      break;
    case 'OKP':
      ed25519Key(parseBase64url(jwk.x));
  }
}

// Each curve comes with its hash: SHA-256 for P-256 and secp256k1, SHA-384 for P-384 (RFC 7518 section 3.4, RFC 8812).
const curves = { 'P-256': p256, 'P-384': p384, secp256k1 } as const satisfies Record<EcCurve, unknown>;

/** ECDSA with r ‖ s at full length (RFC 7518 section 3.4), never DER. A high s is as good as a low one: honest signers make both. */
function verifyEcdsa(alg: Algorithm, jwk: EcJwk, message: Uint8Array, signature: Uint8Array): void {
  const publicKey = ecPoint(jwk);
  const curve = curves[jwk.crv];
  const { BYTES: length, ORDER: order } = curve.Point.Fn;
  if (signature.length !== 2 * length)
    throw new ProofError(`${alg} signature has ${signature.length} bytes, want ${2 * length}`);
  for (const [name, half] of [
    ['r', signature.subarray(0, length)],
    ['s', signature.subarray(length)],
  ] as const) {
    const value = bigEndian(half);
    if (value === 0n || value >= order)
      throw new ProofError(`${name} of the ${alg} signature is not from 1 to n - 1`);
  }
  if (!curve.verify(signature, message, publicKey, { lowS: false, format: 'compact' }))
    throw new ProofError(`${alg} signature does not verify`);
}

/** An EC key as an uncompressed point (SEC 1 section 2.3.3). */
function ecPoint(jwk: EcJwk): Uint8Array {
  const point = concatBytes(Uint8Array.of(4), parseBase64url(jwk.x), parseBase64url(jwk.y));
  try {
    curves[jwk.crv].Point.fromBytes(point).assertValidity();
  } catch (cause) {
    throw new ProofError(`key is not a point of ${jwk.crv}`, { cause });
  }
  return point;
}

/** RSASSA-PKCS1-v1_5 (RS256) or RSASSA-PSS with a salt as long as the hash and no other (PS256; RFC 7518 sections 3.3, 3.5). */
async function verifyRsa(
  alg: Algorithm,
  jwk: RsaJwk,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  verifyRsaKey(jwk);
  const modulusLength = parseBase64url(jwk.n).length;
  // RFC 8017 sections 8.1.2 and 8.2.2, step 1; not every library insists.
  if (signature.length !== modulusLength)
    throw new ProofError(`${alg} signature has ${signature.length} bytes, want ${modulusLength}`);

  const name = alg === 'PS256' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5';
  const key = await importRsaKey(jwk, name);
  // Copies, because WebCrypto's types refuse views of shared memory.
  const good = await crypto.subtle.verify(
    { name, saltLength: 32 },
    key,
    new Uint8Array(signature),
    new Uint8Array(message),
  );
  if (!good) throw new ProofError(`${alg} signature does not verify`);
}

async function importRsaKey({ kty, n, e }: RsaJwk, name: string): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('jwk', { kty, n, e }, { name, hash: 'SHA-256' }, false, ['verify']);
  } catch (cause) {
    // Only what the standard says about a bad key. A platform without WebCrypto proves nothing about a signature.
    if (cause instanceof DOMException && cause.name === 'DataError')
      throw new ProofError('RSA key is not usable', { cause });
    throw cause;
  }
}

function verifyRsaKey({ n, e }: RsaJwk): void {
  const modulus = parseBase64url(n);
  const bits = 8 * modulus.length - (Math.clz32(modulus[0] ?? 0) - 24);
  if (bits < 2048 || bits > 4096) throw new ProofError(`RSA modulus has ${bits} bits, want 2048 to 4096`);
  // Two primes give an odd one. Platforms differ in whether and how they refuse an even one, so it does not get that far.
  if ((modulus.at(-1) ?? 0) % 2 === 0) throw new ProofError('RSA modulus is even');
  const exponent = parseBase64url(e);
  // Its length first: the time to print a number grows with the square of its length, which here is anybody's choice.
  if (exponent.length > 8) throw new ProofError(`RSA exponent has ${exponent.length} bytes, want 3`);
  if (e !== 'AQAB') throw new ProofError(`RSA exponent is ${bigEndian(exponent)}, want 65537`);
}

type EdwardsPoint = ReturnType<typeof ed25519.Point.fromBytes>;

/** The order of Ed25519's prime-order subgroup, L in RFC 8032 section 5.1. */
const subgroupOrder = ed25519.Point.Fn.ORDER;

/**
 * Verifies an Ed25519 signature (RFC 8032 section 5.1.7) under one rule.
 *
 * The RFC leaves room: libraries disagree about points with a part of small order, about points in a second spelling and about
 * the cofactor, so that one receipt could get two verdicts. Here every point is canonical and in the prime-order subgroup, s is
 * below L, and the equation stands without the cofactor. What is accepted here, every library that follows the RFC accepts.
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

  // [s]B = R + [k]A with k = SHA-512(R ‖ A ‖ message): the equation of section 5.1.7, not multiplied by 8.
  const k = littleEndian(sha512(concatBytes(nonce, publicKey, message))) % subgroupOrder;
  const left = ed25519.Point.BASE.multiplyUnsafe(s);
  const right = point.add(key.multiplyUnsafe(k));
  if (!left.equals(right)) throw new ProofError('Ed25519 signature does not verify');
}

/** A public key's point. The neutral point is in the subgroup, but under it anybody can sign. */
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

function bigEndian(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
