/**
 * Signatures by OpenSSL on all cores, with the verdicts of `merkle/signature.ts`.
 *
 * OpenSSL's yes is good where the key is a good one and a signature has its length: RSA's is as long as the modulus, and every other
 * form it compares in full. For Ed25519, with a key in the prime-order subgroup, the R that it computes is there as well and
 * canonical, and it compares bytes. Its no is rare, and sometimes stricter (an R of zero), so the core has the last word on it.
 */

import { constants, createPublicKey, type KeyObject, verify as opensslVerify } from 'node:crypto';
import { parseBase64url } from '../../merkle/bytes.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import {
  type Algorithm,
  verifyAlgorithmFits,
  verifyPublicKey,
  verifySignature,
} from '../../merkle/signature.ts';

type Way = {
  readonly digest: string | null;
  readonly options: {
    readonly dsaEncoding?: 'ieee-p1363';
    readonly padding?: number;
    readonly saltLength?: number;
  };
};

const ecdsa = (digest: string): Way => ({ digest, options: { dsaEncoding: 'ieee-p1363' } });

const ways: Readonly<Record<Algorithm, Way>> = {
  ES256: ecdsa('sha256'),
  ES384: ecdsa('sha384'),
  ES256K: ecdsa('sha256'),
  RS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  Ed25519: { digest: null, options: {} },
};

/** A key that was found good, ready to verify under any number of times. */
export type ReadyKey = { readonly jwk: Jwk; readonly key: KeyObject; readonly rsaLength: number | undefined };

/** @throws {ProofError} if signatures under this key mean nothing */
export function readyKey(jwk: Jwk): ReadyKey {
  verifyPublicKey(jwk);
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return { jwk, key, rsaLength: jwk.kty === 'RSA' ? parseBase64url(jwk.n).length : undefined };
}

/** Verifies one signature off the main thread. Rejects with a ProofError if it is not good. */
export async function verifyUnder(
  { jwk, key, rsaLength }: ReadyKey,
  algorithm: Algorithm,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<void> {
  verifyAlgorithmFits(algorithm, jwk);
  const mayBeGood = rsaLength === undefined || signature.length === rsaLength;
  if (mayBeGood && (await isGood(ways[algorithm], key, message, signature))) return;
  await verifySignature(algorithm, jwk, message, signature);
}

function isGood(way: Way, key: KeyObject, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const { digest, options } = way;
  asked.push(() =>
    opensslVerify(digest, message, { key, ...options }, signature, (error, good) =>
      error === null ? resolve(good) : reject(error),
    ),
  );
  if (asked.length >= askedMax) askAll();
  else if (asked.length === 1) setImmediate(askAll);
  return promise;
}

/**
 * Questions that wait for company: a thread that has gone to sleep costs more to wake than a signature to hand over, and with many at
 * once there is only one to wake.
 */
let asked: (() => void)[] = [];
const askedMax = 128;

function askAll(): void {
  const questions = asked;
  asked = [];
  for (const ask of questions) ask();
}
