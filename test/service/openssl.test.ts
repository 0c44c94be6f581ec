import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateEncrypt,
  sign,
} from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { describe, expect, test } from 'vitest';
import { concatBytes, formatBase64url, parseBase64url, parseHex, utf8 } from '../../merkle/bytes.ts';
import { ProofError } from '../../merkle/errors.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import { type Algorithm, algorithms, type VerifySignature, verifySignature } from '../../merkle/signature.ts';
import { readyKey, verifyUnder } from '../../service/audit/signatures.ts';
import { verifyWithOpenSsl } from '../../service/openssl.ts';
import { keyFor, publicJwk, signAs, signPss, testKeys } from '../helpers/keys.ts';

const message = utf8('header.payload');

type Case = {
  readonly name: string;
  readonly signature: Uint8Array;
  readonly good?: boolean;
  readonly jwk?: Jwk;
};

async function verdict(
  verify: VerifySignature,
  alg: Algorithm,
  jwk: Jwk,
  signature: Uint8Array,
): Promise<string> {
  try {
    await verify(alg, jwk, message, signature);
    return 'good';
  } catch (error) {
    if (error instanceof ProofError) return 'refused';
    throw error;
  }
}

/** The auditor's own way to OpenSSL, which shares no line with the service's. */
const verifyForAuditor: VerifySignature = async (alg, jwk, message, signature) =>
  verifyUnder(readyKey(jwk), alg, message, signature);

describe.each([
  { name: 'verifyWithOpenSsl', verifyFast: verifyWithOpenSsl },
  { name: "the auditor's verifyUnder", verifyFast: verifyForAuditor },
])('$name', ({ verifyFast }) => {
  for (const { name: alg } of algorithms) {
    const jwk = publicJwk(keyFor(alg));
    const signature = signAs(alg, keyFor(alg), message);
    const cases: readonly Case[] = [
      { name: 'a good signature', signature, good: true },
      ...spoilt(signature),
      ...specific(alg, signature),
    ];
    test.each(cases)(
      `${alg}: gives the core's verdict on $name`,
      async ({ signature, good = false, jwk: other }) => {
        const expected = good ? 'good' : 'refused';
        expect(await verdict(verifySignature, alg, other ?? jwk, signature)).toBe(expected);
        expect(await verdict(verifyFast, alg, other ?? jwk, signature)).toBe(expected);
      },
    );
  }

  test('refuses a signature with any bit changed, of hundreds tried', async () => {
    for (const { name: alg } of algorithms) {
      const signature = signAs(alg, keyFor(alg), message);
      for (let i = 0; i < 64; i++) {
        const changed = signature.slice();
        const at = (i * 7919) % signature.length;
        changed[at] = (changed[at] ?? 0) ^ (1 << (i % 8));
        expect(await verdict(verifyFast, alg, publicJwk(keyFor(alg)), changed)).toBe('refused');
      }
    }
  });
});

/** What can be done to any signature. */
function spoilt(signature: Uint8Array): readonly Case[] {
  return [
    { name: 'nothing', signature: new Uint8Array(0) },
    { name: 'one byte', signature: signature.slice(0, 1) },
    { name: 'one byte less', signature: signature.slice(0, -1) },
    { name: 'one byte less in front', signature: signature.slice(1) },
    { name: 'a zero byte more', signature: concatBytes(signature, Uint8Array.of(0)) },
    { name: 'a zero byte more in front', signature: concatBytes(Uint8Array.of(0), signature) },
    { name: 'itself twice', signature: concatBytes(signature, signature) },
    { name: 'zeros', signature: new Uint8Array(signature.length) },
    { name: 'ones', signature: new Uint8Array(signature.length).fill(0xff) },
    { name: 'ten thousand bytes', signature: new Uint8Array(10_000).fill(1) },
  ];
}

function specific(alg: Algorithm, signature: Uint8Array): readonly Case[] {
  switch (alg) {
    case 'ES256':
      return ecdsa(alg, signature, p256.Point.Fn.ORDER, 'sha256');
    case 'ES384':
      return ecdsa(alg, signature, p384.Point.Fn.ORDER, 'sha384');
    case 'ES256K':
      return ecdsa(alg, signature, secp256k1.Point.Fn.ORDER, 'sha256');
    case 'RS256':
      return [...rsa(alg, signature), ...pkcs1()];
    case 'PS256':
      return [...rsa(alg, signature), ...pss()];
    case 'Ed25519':
      return eddsa(signature);
  }
}

function ecdsa(
  alg: 'ES256' | 'ES384' | 'ES256K',
  signature: Uint8Array,
  order: bigint,
  digest: string,
): readonly Case[] {
  const half = signature.length / 2;
  const [r, s] = [signature.slice(0, half), signature.slice(half)];
  const zero = new Uint8Array(half);
  const n = bytesOf(order, half);
  const negated = bytesOf(order - numberOf(s), half);
  const jwk = publicJwk(keyFor(alg));
  const other = alg === 'ES384' ? publicJwk(testKeys.es256) : publicJwk(testKeys.es384);
  const sameSize = alg === 'ES256' ? publicJwk(testKeys.es256k) : publicJwk(testKeys.es256);
  return [
    { name: 'the other s, high or low', signature: concatBytes(r, negated), good: true },
    { name: 'r = 0', signature: concatBytes(zero, s) },
    { name: 's = 0', signature: concatBytes(r, zero) },
    { name: 'r = n', signature: concatBytes(n, s) },
    { name: 's = n', signature: concatBytes(r, n) },
    { name: 's = n + 1', signature: concatBytes(r, bytesOf(order + 1n, half)) },
    { name: 'r and s swapped', signature: concatBytes(s, r) },
    {
      name: 'DER',
      signature: new Uint8Array(sign(digest, message, createPrivateKey({ key: keyFor(alg), format: 'jwk' }))),
    },
    { name: 'a key of another curve', signature, jwk: other },
    { name: 'a key of another curve of a common size', signature, jwk: sameSize },
    { name: 'a key of another type', signature, jwk: publicJwk(testKeys.rs256) },
    {
      name: 'a key that is no point',
      signature,
      jwk: { ...jwk, y: formatBase64url(new Uint8Array(half).fill(5)) } as Jwk,
    },
  ];
}

function rsa(alg: 'RS256' | 'PS256', signature: Uint8Array): readonly Case[] {
  const key = keyFor(alg);
  const modulus = numberOf(parseBase64url(key['n'] ?? ''));
  const small = rsaKey(1024);
  const large = rsaKey(4096);
  const cubic = rsaKey(2048, 3);
  const swapped = alg === 'RS256' ? signPss(key, message, 32) : signAs('RS256', key, message);
  return [
    { name: 'the modulus', signature: bytesOf(modulus, 256) },
    { name: 'the modulus less one', signature: bytesOf(modulus - 1n, 256) },
    { name: 'the other padding', signature: swapped },
    { name: 'a key of 4096 bits', signature: signAs(alg, large.key, message), jwk: large.jwk, good: true },
    { name: 'a key of 1024 bits', signature: signAs(alg, small.key, message), jwk: small.jwk },
    { name: 'a key with exponent 3', signature: signAs(alg, cubic.key, message), jwk: cubic.jwk },
    { name: 'a key of another type', signature, jwk: publicJwk(testKeys.es256) },
  ];
}

/** Encodings that lenient verifiers have taken for PKCS #1 v1.5 (Bleichenbacher 2006 and after). */
function pkcs1(): readonly Case[] {
  const digestInfo = parseHex('3031300d060960864801650304020105000420', 19);
  const withoutNull = parseHex('302f300b0609608648016503040201 0420'.replace(' ', ''), 17);
  const hash = sha256(message);
  const padded = (content: Uint8Array, padding = 0xff) =>
    concatBytes(
      Uint8Array.of(0, 1),
      new Uint8Array(256 - 3 - content.length).fill(padding),
      Uint8Array.of(0),
      content,
    );
  const raw = (encoded: Uint8Array) => {
    const key = createPrivateKey({ key: testKeys.rs256, format: 'jwk' });
    return new Uint8Array(privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded));
  };
  const trailing = concatBytes(
    Uint8Array.of(0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0),
    digestInfo,
    hash,
    new Uint8Array(256 - 11 - 19 - 32),
  );
  return [
    { name: 'the encoding by hand', signature: raw(padded(concatBytes(digestInfo, hash))), good: true },
    { name: 'a digest without NULL parameters', signature: raw(padded(concatBytes(withoutNull, hash))) },
    { name: 'a padding of other bytes', signature: raw(padded(concatBytes(digestInfo, hash), 0xfe)) },
    { name: 'a short padding and trailing bytes', signature: raw(trailing) },
    { name: 'a bare hash', signature: raw(padded(hash)) },
  ];
}

function pss(): readonly Case[] {
  return [0, 20, 31, 33, 64].map(length => ({
    name: `a salt of ${length} bytes`,
    signature: signPss(keyFor('PS256'), message, length),
  }));
}

function eddsa(signature: Uint8Array): readonly Case[] {
  const { G, order, scalar, publicKey } = ed25519Parts();
  const nonce = signature.slice(0, 32);
  const s = littleEndian(signature.slice(32));
  // [s]B = R + [k]A holds for R = neutral point and s = k·a, whatever R's spelling says.
  const under = (r: Uint8Array, key = publicKey, a = scalar) => {
    const k = littleEndian(sha512(concatBytes(r, key, message))) % order;
    return concatBytes(r, littleEndianBytes((k * a) % order));
  };
  const neutral = point('0100000000000000000000000000000000000000000000000000000000000000');
  const neutralSigned = point('0100000000000000000000000000000000000000000000000000000000000080');
  const neutralLarge = point('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
  const minusOne = point('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
  const orderEight = ed25519.Point.fromBytes(
    point('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'),
    true,
  );

  // A nonce with a part of small order, which a verifier with the cofactor takes for good.
  const mixedNonce = G.multiply(12345n).add(orderEight).toBytes();
  const kMixed = littleEndian(sha512(concatBytes(mixedNonce, publicKey, message))) % order;
  const withMixedNonce = concatBytes(mixedNonce, littleEndianBytes((12345n + kMixed * scalar) % order));

  const mixedKey = concatBytes(G.multiply(scalar).add(orderEight).toBytes());
  const okp = (x: Uint8Array): Jwk => ({ kty: 'OKP', crv: 'Ed25519', x: formatBase64url(x) });
  return [
    { name: 'R = the neutral point', signature: under(neutral), good: true },
    { name: 'R = the neutral point with a sign', signature: under(neutralSigned) },
    { name: 'R = the neutral point, y beyond the field', signature: under(neutralLarge) },
    { name: 'R = the point of order 2', signature: under(minusOne) },
    { name: 'R with a part of small order', signature: withMixedNonce },
    { name: 's + L', signature: concatBytes(nonce, littleEndianBytes(s + order)) },
    { name: 's = L', signature: concatBytes(nonce, littleEndianBytes(order)) },
    { name: 'the neutral key', signature: concatBytes(neutral, new Uint8Array(32)), jwk: okp(neutral) },
    { name: 'a key of order 2', signature: concatBytes(neutral, new Uint8Array(32)), jwk: okp(minusOne) },
    { name: 'a key with a part of small order', signature: under(neutral, mixedKey), jwk: okp(mixedKey) },
    { name: 'a key beyond the field', signature: under(neutral, neutralLarge, 0n), jwk: okp(neutralLarge) },
    { name: 'a key that is no point', signature, jwk: okp(new Uint8Array(32).fill(2)) },
    { name: 'a key of another type', signature, jwk: publicJwk(testKeys.es256) },
  ];
}

function ed25519Parts() {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(parseBase64url(testKeys.ed25519.d));
  // A plain copy: noble types its bytes more narrowly.
  return { G: ed25519.Point.BASE, order: ed25519.Point.Fn.ORDER, scalar, publicKey: concatBytes(pointBytes) };
}

function rsaKey(modulusLength: number, publicExponent = 65537) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
  const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const key = { ...privateKey.export({ format: 'jwk' }) } as Parameters<typeof signAs>[1];
  return { key, jwk: { kty: 'RSA', n, e } satisfies Jwk };
}

function point(hex: string): Uint8Array {
  return parseHex(hex, 32);
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function bytesOf(value: bigint, length: number): Uint8Array {
  return parseHex(value.toString(16).padStart(2 * length, '0'), length);
}

function littleEndian(bytes: Uint8Array): bigint {
  return numberOf(bytes.toReversed());
}

function littleEndianBytes(value: bigint): Uint8Array {
  return bytesOf(value, 32).reverse();
}
