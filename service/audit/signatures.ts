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

/** How OpenSSL is to be asked: a digest, how long an ECDSA signature's two numbers are, options of RSA. */
type Way = {
  readonly digest: string | null;
  readonly half?: number;
  readonly options?: { readonly padding: number; readonly saltLength?: number };
};

const ways: Readonly<Record<Algorithm, Way>> = {
  ES256: { digest: 'sha256', half: 32 },
  ES384: { digest: 'sha384', half: 48 },
  ES256K: { digest: 'sha256', half: 32 },
  RS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  Ed25519: { digest: null },
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
  const way = ways[algorithm];
  const length = way.half === undefined ? rsaLength : 2 * way.half;
  const mayBeGood = length === undefined || signature.length === length;
  if (mayBeGood && (await isGood(way, key, message, signature))) return;
  await verifySignature(algorithm, jwk, message, signature);
}

function isGood(way: Way, key: KeyObject, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const { digest, half, options } = way;
  const asWhom = options === undefined ? key : { key, ...options };
  const spelt = half === undefined ? signature : derOf(signature, half);
  asked.push(() =>
    opensslVerify(digest, message, asWhom, spelt, (error, good) =>
      error === null ? resolve(good) : reject(error),
    ),
  );
  if (asked.length >= askedMax) askAll();
  else if (asked.length === 1) setImmediate(askAll);
  return promise;
}

/**
 * r ‖ s in DER (RFC 3279 section 2.2.3). Told of any option beside a key, Node takes 50 µs more on the main thread for each question,
 * as long as the check itself takes on another.
 */
function derOf(signature: Uint8Array, half: number): Uint8Array {
  const [r, s] = [leadOf(signature, 0, half), leadOf(signature, half, half)];
  const length = 4 + r.pad + s.pad + 2 * half - r.zeros - s.zeros;
  const der = new Uint8Array(2 + length);
  der[0] = 0x30;
  der[1] = length;
  let at = 2;
  for (const { start, zeros, pad } of [r, s]) {
    der[at] = 0x02;
    der[at + 1] = pad + half - zeros;
    der.set(signature.subarray(start + zeros, start + half), at + 2 + pad);
    at += 2 + pad + half - zeros;
  }
  return der;
}

/** How many zeros a number begins with that DER leaves out, and whether it needs one, so that its first bit is no sign. */
function leadOf(bytes: Uint8Array, start: number, half: number) {
  let zeros = 0;
  while (zeros < half - 1 && bytes[start + zeros] === 0) zeros++;
  return { start, zeros, pad: (bytes[start + zeros] ?? 0) >= 0x80 ? 1 : 0 };
}

/**
 * Questions that wait for company: a thread that has gone to sleep costs more to wake than a signature to hand over, and with many at
 * once there is only one to wake.
 */
let asked: (() => void)[] = [];
const askedMax = 48;

function askAll(): void {
  const questions = asked;
  asked = [];
  for (const ask of questions) ask();
}
