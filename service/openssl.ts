/** Signatures by OpenSSL, on libuv's threads: the verdicts of `merkle/signature.ts` at several times its rate. */

import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { equalBytes } from '../merkle/bytes.ts';
import { ProofError } from '../merkle/errors.ts';
import type { Jwk } from '../merkle/jwk.ts';
import {
  type Algorithm,
  type VerifySignature,
  verifyPublicKey,
  verifySignature,
} from '../merkle/signature.ts';

/** What OpenSSL needs to know of an algorithm, and the type of key that it is for. */
type Recipe = {
  readonly keyType: string;
  readonly digest: string | null;
  /** Length of a signature where the algorithm fixes it; RSA's is the modulus's. */
  readonly lengthBytes?: number;
};

const recipes: Readonly<Record<Algorithm, Recipe>> = {
  ES256: { keyType: 'EC P-256', digest: 'sha256', lengthBytes: 64 },
  ES384: { keyType: 'EC P-384', digest: 'sha384', lengthBytes: 96 },
  ES256K: { keyType: 'EC secp256k1', digest: 'sha256', lengthBytes: 64 },
  RS256: { keyType: 'RSA', digest: 'sha256' },
  PS256: { keyType: 'RSA', digest: 'sha256' },
  Ed25519: { keyType: 'OKP Ed25519', digest: null, lengthBytes: 64 },
};

/**
 * Verifies a signature off the main thread.
 *
 * Ed25519 follows DESIGN 3.1 although OpenSSL checks less: the key was found canonical and in the prime-order subgroup, and
 * OpenSSL compares R's bytes with those of s·B − k·A, which then is in that subgroup and spelt canonically too. The one point of
 * that subgroup that OpenSSL refuses as R is the neutral one (measured with 3.5.8); the core judges it.
 *
 * @throws {ProofError} if the key is not a good one for the algorithm, or the signature does not verify
 */
export const verifyWithOpenSsl: VerifySignature = (algorithm, jwk, message, signature) =>
  new Promise((resolve, reject) => {
    const { keyType, digest, lengthBytes } = recipes[algorithm];
    if (typeOf(jwk) !== keyType)
      throw new ProofError(`key is ${typeOf(jwk)}, want ${keyType} for ${algorithm}`);
    const key = parsedKey(jwk);

    const wanted = lengthBytes ?? Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
    if (signature.length !== wanted)
      throw new ProofError(`${algorithm} signature has ${signature.length} bytes, want ${wanted}`);
    if (algorithm === 'Ed25519' && equalBytes(signature.subarray(0, 32), neutralPoint)) {
      resolve(verifySignature(algorithm, jwk, message, signature));
      return;
    }
    inTurn({
      digest,
      message,
      key: algorithm === 'PS256' ? { key, ...pss } : key,
      signature: jwk.kty === 'EC' ? derSignature(signature) : signature,
      done(error, isVerified) {
        // A no is an answer. An error says that OpenSSL could not do its work, which proves nothing about a signature.
        if (error !== null) reject(error);
        else if (isVerified) resolve();
        else reject(new ProofError(`${algorithm} signature does not verify`));
      },
    });
  });

/** RFC 8032 section 5.1.2: (0, 1). No honest signer meets it, but a verifier might be shown it. */
const neutralPoint = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));

/**
 * The disk is served by the same threads: with no more checks than this before it, a write waits for a millisecond or two, and not
 * for all that a thousand lines have brought.
 */
const underWayMax = 32;
let underWay = 0;
const waiting: Check[] = [];

/** What OpenSSL is asked, and who is told: an error, or whether the signature verifies. */
type Check = {
  readonly digest: string | null;
  readonly message: Uint8Array;
  readonly key: Parameters<typeof verify>[2];
  readonly signature: Uint8Array;
  readonly done: (error: Error | null, isVerified: boolean) => void;
};

/** Runs checks in their order, only so many at a time. */
function inTurn(check: Check): void {
  if (underWay >= underWayMax) {
    waiting.push(check);
    return;
  }
  underWay++;
  run(check);
}

function run({ digest, message, key, signature, done }: Check): void {
  const end = (error: Error | null, isVerified: boolean) => {
    // Whoever is next takes this one's place.
    const next = waiting.shift();
    if (next === undefined) underWay--;
    else run(next);
    done(error, isVerified);
  };
  try {
    verify(digest, message, key, signature, end);
  } catch (error) {
    // What it is asked fits: only Node itself can fail here.
    end(error instanceof Error ? error : new Error('OpenSSL cannot be asked', { cause: error }), false);
  }
}

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

/**
 * r ‖ s as OpenSSL reads it by itself: in DER (RFC 3279 section 2.2.3). Told of the other form, beside a key, Node takes a quarter of
 * the time of the whole check to prepare it (measured). It has at most 104 bytes, so that each length is one byte.
 */
function derSignature(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2;
  const der = new Uint8Array(2 + 2 * (3 + half));
  const end = putInteger(der, putInteger(der, 2, signature, 0, half), signature, half, half);
  der[0] = 0x30;
  der[1] = end - 2;
  return der.subarray(0, end);
}

/** Puts an integer of so many bytes at a place. Gives the place after it. */
function putInteger(der: Uint8Array, at: number, bytes: Uint8Array, from: number, length: number): number {
  let first = from;
  while (first < from + length - 1 && bytes[first] === 0) first++;
  // A leading zero keeps a high bit from being a sign.
  const sign = (bytes[first] ?? 0) >= 0x80 ? 1 : 0;
  const digits = from + length - first;
  der[at] = 0x02;
  der[at + 1] = sign + digits;
  for (let i = 0; i < digits; i++) der[at + 2 + sign + i] = bytes[first + i] ?? 0;
  return at + 2 + sign + digits;
}

function typeOf(jwk: Jwk): string {
  return jwk.kty === 'RSA' ? 'RSA' : `${jwk.kty} ${jwk.crv}`;
}

// Reading and checking a key costs more than a signature. The view of the registry holds one object per key, so this cache lives
// as long as that view and is no larger.
const parsedKeys = new WeakMap<Jwk, KeyObject>();

function parsedKey(jwk: Jwk): KeyObject {
  const known = parsedKeys.get(jwk);
  if (known !== undefined) return known;
  verifyPublicKey(jwk);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  parsedKeys.set(jwk, key);
  return key;
}
