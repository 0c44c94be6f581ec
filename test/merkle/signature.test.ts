import { constants, createHash, createPublicKey, verify as opensslVerify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, formatBase64url, parseBase64url, parseHex, utf8 } from '../../merkle/bytes.ts';
import { ProofError } from '../../merkle/errors.ts';
import type { EcJwk, Jwk, RsaJwk } from '../../merkle/jwk.ts';
import {
  type Algorithm,
  algorithmName,
  algorithmNumber,
  algorithms,
  verifyEd25519,
  verifyPublicKey,
  verifySignature,
} from '../../merkle/signature.ts';
import { keyFor, publicJwk, signAs, signPss, testKeys } from '../helpers/keys.ts';
import { disproof } from '../helpers/refusals.ts';

const message = utf8('what the agency said');

/** Whether OpenSSL, through node:crypto, finds a signature good: a second opinion that shares nothing with ours. */
function openssl(alg: Algorithm, jwk: Jwk, text: Uint8Array, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    switch (alg) {
      case 'RS256':
        return opensslVerify('sha256', text, key, signature);
      case 'PS256':
        return opensslVerify(
          'sha256',
          text,
          { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
          signature,
        );
      case 'Ed25519':
        return opensslVerify(null, text, key, signature);
      default:
        return opensslVerify(
          alg === 'ES384' ? 'sha384' : 'sha256',
          text,
          { key, dsaEncoding: 'ieee-p1363' },
          signature,
        );
    }
  } catch {
    return false;
  }
}

/** Whether we find it good. Anything but a ProofError fails the test. */
async function ours(alg: Algorithm, jwk: Jwk, text: Uint8Array, signature: Uint8Array): Promise<boolean> {
  try {
    await verifySignature(alg, jwk, text, signature);
    return true;
  } catch (error) {
    if (error instanceof ProofError) return false;
    throw error;
  }
}

describe('algorithms', () => {
  it('have the numbers of the key registry', () => {
    expect(algorithms.map(({ name, number }) => [name, number])).toEqual([
      ['ES256', 1],
      ['ES384', 2],
      ['ES256K', 3],
      ['RS256', 4],
      ['PS256', 5],
      ['Ed25519', 6],
    ]);
    for (const { name, number } of algorithms) {
      expect(algorithmName(number)).toBe(name);
      expect(algorithmNumber(name)).toBe(number);
    }
  });

  it.each([0, 7, 255, 1.5, -1, Number.NaN])('have no number %d', async number => {
    expect(await disproof(() => algorithmName(number))).toBe(
      `${number} is not an algorithm number, want 1 to 6`,
    );
  });
});

describe.each(algorithms)('$name', ({ name }) => {
  const jwk = publicJwk(keyFor(name));
  const signature = signAs(name, keyFor(name), message);

  it('accepts what OpenSSL signed', async () => {
    verifyPublicKey(jwk);
    await verifySignature(name, jwk, message, signature);
    await verifySignature(name, jwk, new Uint8Array(0), signAs(name, keyFor(name), ''));
  });

  it('refuses another message, another key of its type, and any flipped bit of some bytes', async () => {
    expect(await disproof(() => verifySignature(name, jwk, utf8('what it did not say'), signature))).toMatch(
      /does not verify$/,
    );
    for (const at of [0, 1, Math.floor(signature.length / 2), signature.length - 1]) {
      const flipped = signature.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(await ours(name, jwk, message, flipped)).toBe(false);
    }
  });

  it.each([
    ['empty', () => new Uint8Array(0)],
    ['without its last byte', () => signature.slice(0, -1)],
    ['with a zero after it', () => concatBytes(signature, Uint8Array.of(0))],
    ['with a zero before it', () => concatBytes(Uint8Array.of(0), signature)],
    ['twice', () => concatBytes(signature, signature)],
  ])('refuses a signature that is %s, by its length', async (_, change) => {
    const changed = change();
    expect(await disproof(() => verifySignature(name, jwk, message, changed))).toBe(
      `${name} signature has ${changed.length} bytes, want ${signature.length}`,
    );
  });

  it('refuses a signature of zeros', async () => {
    expect(await ours(name, jwk, message, new Uint8Array(signature.length))).toBe(false);
  });

  it('refuses keys of every other type or curve', async () => {
    for (const other of algorithms) {
      const { kty, crv } = other;
      const own = algorithms.find(algorithm => algorithm.name === name);
      if (kty === own?.kty && crv === own.crv) continue;
      expect(
        await disproof(() => verifySignature(name, publicJwk(keyFor(other.name)), message, signature)),
      ).toBe(`algorithm ${name} does not fit a key of type ${kty}${crv === undefined ? '' : ` ${crv}`}`);
    }
  });
});

describe('signatures of the RFCs', () => {
  it('verify: RFC 7515 appendix A.3 (ES256)', async () => {
    const jwk: Jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    };
    const input =
      'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
    const signature =
      'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';
    await verifySignature('ES256', jwk, utf8(input), parseBase64url(signature));
  });

  it('verify: RFC 7515 appendix A.2 (RS256)', async () => {
    const jwk: Jwk = {
      kty: 'RSA',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
      e: 'AQAB',
    };
    const input =
      'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';
    const signature =
      'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw';
    await verifySignature('RS256', jwk, utf8(input), parseBase64url(signature));
  });

  it('verify: RFC 8037 appendix A.4 (Ed25519)', async () => {
    const jwk: Jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    const signature =
      'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
    await verifySignature(
      'Ed25519',
      jwk,
      utf8('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc'),
      parseBase64url(signature),
    );
  });

  it.each([
    [
      'TEST 1',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ],
    [
      'TEST 2',
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ],
    [
      'TEST 3',
      'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      'af82',
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ],
  ])('verify: RFC 8032 section 7.1 %s', (_, key, text, signature) => {
    verifyEd25519(parseHex(key, 32), parseHex(text, text.length / 2), parseHex(signature, 64));
  });
});

describe.each([
  { alg: 'ES256', curve: p256, half: 32 },
  { alg: 'ES384', curve: p384, half: 48 },
  { alg: 'ES256K', curve: secp256k1, half: 32 },
] as const)('ECDSA: $alg', ({ alg, curve, half }) => {
  const jwk = publicJwk(keyFor(alg)) as EcJwk;
  const order = curve.Point.Fn.ORDER;
  const signature = signAs(alg, keyFor(alg), message);
  const r = signature.subarray(0, half);
  const s = signature.subarray(half);
  const number = (value: bigint) => parseHex(value.toString(16).padStart(2 * half, '0'), half);
  const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

  it('accepts the high and the low s of a signature alike', async () => {
    await verifySignature(alg, jwk, message, concatBytes(r, s));
    await verifySignature(alg, jwk, message, concatBytes(r, number(order - numberOf(s))));
  });

  it.each<[string, Uint8Array, string]>([
    ['r = 0', concatBytes(number(0n), s), 'r'],
    ['s = 0', concatBytes(r, number(0n)), 's'],
    ['r = n', concatBytes(number(order), s), 'r'],
    ['s = n', concatBytes(r, number(order)), 's'],
    ['r of all ones', concatBytes(new Uint8Array(half).fill(255), s), 'r'],
    ['s of all ones', concatBytes(r, new Uint8Array(half).fill(255)), 's'],
  ])('refuses %s', async (_, changed, name) => {
    expect(await disproof(() => verifySignature(alg, jwk, message, changed))).toBe(
      `${name} of the ${alg} signature is not from 1 to n - 1`,
    );
    expect(openssl(alg, jwk, message, changed)).toBe(false);
  });

  it('refuses r and s in the other order, and r = s = 1', async () => {
    for (const changed of [
      concatBytes(s, r),
      concatBytes(number(1n), number(1n)),
      concatBytes(number(order - 1n), s),
    ]) {
      expect(await disproof(() => verifySignature(alg, jwk, message, changed))).toBe(
        `${alg} signature does not verify`,
      );
      expect(openssl(alg, jwk, message, changed)).toBe(false);
    }
  });

  it('refuses DER, even where its length is right', async () => {
    const integer = (bytes: Uint8Array) => concatBytes(Uint8Array.of(2, bytes.length), bytes);
    const body = concatBytes(integer(concatBytes(Uint8Array.of(0), r)), integer(s));
    const der = concatBytes(Uint8Array.of(0x30, body.length), body);
    expect(await disproof(() => verifySignature(alg, jwk, message, der))).toBe(
      `${alg} signature has ${der.length} bytes, want ${2 * half}`,
    );
    expect(await ours(alg, jwk, message, der.slice(0, 2 * half))).toBe(false);
  });

  it('refuses a key that is no point of the curve, before it looks at the signature', async () => {
    const zero = formatBase64url(new Uint8Array(half));
    const bad: EcJwk[] = [
      { ...jwk, x: jwk.y, y: jwk.x },
      { ...jwk, x: zero, y: zero },
      { ...jwk, y: formatBase64url(number(numberOf(parseBase64url(jwk.y)) ^ 1n)) },
      { ...jwk, x: formatBase64url(new Uint8Array(half).fill(255)) },
    ];
    for (const key of bad) {
      expect(await disproof(() => verifyPublicKey(key))).toBe(`key is not a point of ${jwk.crv}`);
      expect(await disproof(() => verifySignature(alg, key, message, signature))).toBe(
        `key is not a point of ${jwk.crv}`,
      );
    }
  });

  it('refuses a coordinate that is not below the field prime, though the point it stands for exists', async () => {
    const prime = curve.Point.Fp.ORDER;
    // A point with so small an x that x + p has no more bytes.
    const small = Array.from({ length: 100 }, (_, i) => number(BigInt(i + 1))).flatMap(x => {
      try {
        return [curve.Point.fromBytes(concatBytes(Uint8Array.of(2), x)).toAffine()];
      } catch {
        return [];
      }
    })[0];
    if (small === undefined) throw new Error('no small point');
    const key = (x: bigint): EcJwk => ({
      ...jwk,
      x: formatBase64url(number(x)),
      y: formatBase64url(number(small.y)),
    });
    verifyPublicKey(key(small.x));
    expect(await disproof(() => verifyPublicKey(key(small.x + prime)))).toBe(
      `key is not a point of ${jwk.crv}`,
    );
  });
});

describe('RSA', () => {
  const rs256 = publicJwk(testKeys.rs256) as RsaJwk;
  const ps256 = publicJwk(testKeys.ps256) as RsaJwk;

  it.each([0, 1, 20, 31, 33, 64, 222])('PS256 refuses a salt of %d bytes', async saltLength => {
    const signature = signPss(testKeys.ps256, message, saltLength);
    expect(await disproof(() => verifySignature('PS256', ps256, message, signature))).toBe(
      'PS256 signature does not verify',
    );
  });

  it('PS256 accepts a salt of 32 bytes', async () => {
    await verifySignature('PS256', ps256, message, signPss(testKeys.ps256, message, 32));
  });

  it('tells RS256 and PS256 apart, under one key', async () => {
    expect(await ours('PS256', rs256, message, signAs('RS256', testKeys.rs256, message))).toBe(false);
    expect(await ours('RS256', ps256, message, signAs('PS256', testKeys.ps256, message))).toBe(false);
    expect(await ours('PS256', rs256, message, signAs('PS256', testKeys.rs256, message))).toBe(true);
  });

  it('refuses a signature whose leading zero is left out', async () => {
    for (let i = 0; ; i++) {
      const text = utf8(`message ${i}`);
      const signature = signAs('RS256', testKeys.rs256, text);
      if (signature[0] !== 0) continue;
      await verifySignature('RS256', rs256, text, signature);
      expect(await disproof(() => verifySignature('RS256', rs256, text, signature.slice(1)))).toBe(
        'RS256 signature has 255 bytes, want 256',
      );
      break;
    }
  });

  it('refuses a signature that is the modulus larger than the good one', async () => {
    const modulus = BigInt(`0x${Buffer.from(rs256.n, 'base64url').toString('hex')}`);
    for (let i = 0; ; i++) {
      const text = utf8(`message ${i}`);
      const signature = signAs('RS256', testKeys.rs256, text);
      const larger = BigInt(`0x${Buffer.from(signature).toString('hex')}`) + modulus;
      if (larger >= 2n ** 2048n) continue;
      expect(await ours('RS256', rs256, text, parseHex(larger.toString(16), 256))).toBe(false);
      break;
    }
  });

  it.each([
    ['1024', 1024, 'RSA modulus has 1024 bits, want 2048 to 4096'],
    ['2047', 2047, 'RSA modulus has 2047 bits, want 2048 to 4096'],
    ['2048', 2048, undefined],
    ['2049', 2049, undefined],
    ['3072', 3072, undefined],
    ['4096', 4096, undefined],
    ['4097', 4097, 'RSA modulus has 4097 bits, want 2048 to 4096'],
    ['a million', 1_000_000, 'RSA modulus has 1000000 bits, want 2048 to 4096'],
  ])('takes a modulus of %s bits as it should', async (_, bits, refusal) => {
    const modulus = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
    modulus[0] = 2 ** (bits % 8 || 8) - 1;
    const jwk: Jwk = { kty: 'RSA', n: formatBase64url(modulus), e: 'AQAB' };
    if (refusal === undefined) {
      verifyPublicKey(jwk);
      // A number that is no product of two primes proves nothing, but is refused in an orderly way.
      expect(await ours('RS256', jwk, message, new Uint8Array(modulus.length))).toBe(false);
    } else {
      expect(await disproof(() => verifyPublicKey(jwk))).toBe(refusal);
      expect(
        await disproof(() => verifySignature('PS256', jwk, message, new Uint8Array(modulus.length))),
      ).toBe(refusal);
    }
  });

  it.each([
    ['3', 'Aw'],
    ['1', 'AQ'],
    ['65536', 'AQAA'],
    ['65539', 'AQAD'],
  ])('refuses an exponent of %s', async (exponent, e) => {
    expect(await disproof(() => verifyPublicKey({ ...rs256, e }))).toBe(
      `RSA exponent is ${exponent}, want 65537`,
    );
  });

  it('refuses an exponent of any length at once', async () => {
    const e = formatBase64url(new Uint8Array(1_000_000).fill(1));
    expect(await disproof(() => verifyPublicKey({ ...rs256, e }))).toBe(
      'RSA exponent has 1000000 bytes, want 3',
    );
  });

  it.each([
    ['even', new Uint8Array(256).fill(0xfe)],
    ['a power of two', Uint8Array.from({ length: 256 }, (_, i) => (i === 0 ? 0x80 : 0))],
  ])('refuses a signature under a modulus that is %s, in an orderly way', async (_, modulus) => {
    const jwk: Jwk = { kty: 'RSA', n: formatBase64url(modulus), e: 'AQAB' };
    for (const alg of ['RS256', 'PS256'] as const)
      for (const fill of [0, 1])
        expect(await ours(alg, jwk, message, new Uint8Array(256).fill(fill))).toBe(false);
  });
});

describe('Ed25519', () => {
  const { Point } = ed25519;
  const order = Point.Fn.ORDER;
  const { scalar, point: honest } = ed25519.utils.getExtendedPublicKey(new Uint8Array(32).fill(7));
  const little = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const littleBytes = (value: bigint) => parseHex(value.toString(16).padStart(64, '0'), 32).reverse();
  const hash = (...parts: Uint8Array[]) =>
    new Uint8Array(
      createHash('sha512')
        .update(concatBytes(...parts))
        .digest(),
    );
  const modOrder = (value: bigint) => ((value % order) + order) % order;

  // The eight points of small order, each in its one spelling.
  const torsion = [
    '0100000000000000000000000000000000000000000000000000000000000000',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    '0000000000000000000000000000000000000000000000000000000000000000',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ].map(text => parseHex(text, 32));
  const torsionPoint = (i: number) => Point.fromBytes(torsion[((i % 8) + 8) % 8] ?? new Uint8Array(0));

  /**
   * Signs with chosen bytes for the key and for R, where R stands for `nonce` times the base plus something of small order:
   * s = nonce + k × scalar with k over the bytes as they are spelt, which is what an attacker who chooses their key can do.
   */
  function forge(
    keyBytes: Uint8Array,
    nonceBytes: Uint8Array,
    nonce: bigint,
    text: Uint8Array,
    secret = scalar,
  ) {
    const k = modOrder(little(hash(nonceBytes, keyBytes, text)));
    return { k, signature: concatBytes(nonceBytes, littleBytes(modOrder(nonce + k * secret))) };
  }

  const okp = (bytes: Uint8Array): Jwk => ({ kty: 'OKP', crv: 'Ed25519', x: formatBase64url(bytes) });
  const nonce = 0x1234567890abcdefn;
  const noncePoint = Point.BASE.multiply(nonce);

  it('knows all points of small order: multiples of one of order 8', () => {
    const generator = torsionPoint(1);
    expect(torsion).toHaveLength(8);
    torsion.forEach((bytes, i) => {
      const multiple = generator.multiplyUnsafe(BigInt(i));
      expect(multiple.toBytes()).toEqual(bytes);
    });
    expect(generator.multiplyUnsafe(8n).is0()).toBe(true);
  });

  it('accepts what is forged without any twist, so that the forgeries below fail for their twist only', () => {
    const { signature } = forge(honest.toBytes(), noncePoint.toBytes(), nonce, message);
    verifyEd25519(honest.toBytes(), message, signature);
    expect(openssl('Ed25519', okp(honest.toBytes()), message, signature)).toBe(true);
  });

  it.each(torsion.map((bytes, i) => [i, bytes] as const))(
    'refuses point %d of small order as a key',
    async (i, bytes) => {
      expect(await disproof(() => verifyPublicKey(okp(bytes)))).toBe('Ed25519 key is a point of small order');
      // Grind for a message whose k kills the point: then [s]B = R + [k]A holds, even without the cofactor.
      for (let n = 0; ; n++) {
        const text = utf8(`message ${n}`);
        const { k, signature } = forge(bytes, noncePoint.toBytes(), nonce, text, 0n);
        if ((k * BigInt(i)) % 8n !== 0n) continue;
        expect(await disproof(() => verifyEd25519(bytes, text, signature))).toBe(
          'Ed25519 key is a point of small order',
        );
        break;
      }
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7])(
    'refuses a key with the part %d of small order, also where OpenSSL accepts',
    async i => {
      const key = honest.add(torsionPoint(i)).toBytes();
      expect(await disproof(() => verifyPublicKey(okp(key)))).toBe('Ed25519 key has a part of small order');
      for (let n = 0; ; n++) {
        const text = utf8(`message ${n}`);
        const { k, signature } = forge(key, noncePoint.toBytes(), nonce, text);
        if (k % 8n !== 0n) continue;
        expect(openssl('Ed25519', okp(key), text, signature)).toBe(true);
        expect(await disproof(() => verifyEd25519(key, text, signature))).toBe(
          'Ed25519 key has a part of small order',
        );
        break;
      }
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7])(
    'refuses an R with the part %d of small order, which only the cofactor forgives',
    async i => {
      const { signature } = forge(
        honest.toBytes(),
        noncePoint.add(torsionPoint(i)).toBytes(),
        nonce,
        message,
      );
      expect(ed25519.verify(signature, message, honest.toBytes(), { zip215: false })).toBe(true);
      expect(openssl('Ed25519', okp(honest.toBytes()), message, signature)).toBe(false);
      expect(await disproof(() => verifyEd25519(honest.toBytes(), message, signature))).toBe(
        'R of the Ed25519 signature has a part of small order',
      );
    },
  );

  it('refuses parts of small order in key and R that cancel out, which OpenSSL accepts', async () => {
    const key = honest.add(torsionPoint(1)).toBytes();
    for (let n = 0, found = 0; found < 3; n++) {
      const text = utf8(`message ${n}`);
      const part = 1 + (n % 7);
      const { k, signature } = forge(key, noncePoint.add(torsionPoint(part)).toBytes(), nonce, text);
      if ((BigInt(part) + k) % 8n !== 0n) continue;
      found++;
      expect(openssl('Ed25519', okp(key), text, signature)).toBe(true);
      expect(await disproof(() => verifyEd25519(key, text, signature))).toBe(
        'Ed25519 key has a part of small order',
      );
    }
  });

  it('accepts the neutral point as R, which is in the subgroup, but no other point of small order', async () => {
    for (const [i, bytes] of torsion.entries()) {
      const { signature } = forge(honest.toBytes(), bytes, 0n, message);
      expect(await ours('Ed25519', okp(honest.toBytes()), message, signature)).toBe(i === 0);
      // OpenSSL 3.0 and Go agree; OpenSSL 3.5 refuses the neutral point, too, which no honest signer ever meets.
      if (i !== 0) expect(openssl('Ed25519', okp(honest.toBytes()), message, signature)).toBe(false);
    }
  });

  // y from p to 2^255 - 1, with both signs, and the two points with x = 0 under a sign.
  const prime = Point.Fp.ORDER;
  const sign = 2n ** 255n;
  const secondSpellings = [
    ...Array.from({ length: 19 }, (_, i) => prime + BigInt(i)).flatMap(y => [y, y + sign]),
    1n + sign,
    prime - 1n + sign,
  ].map(littleBytes);

  it('refuses every second spelling of a point as a key', async () => {
    expect(secondSpellings).toHaveLength(40);
    for (const bytes of secondSpellings) {
      const refusal = await disproof(() => verifyPublicKey(okp(bytes)));
      expect(refusal).toBe('Ed25519 key is not the canonical spelling of a point');
      expect(await disproof(() => verifyEd25519(bytes, message, new Uint8Array(64)))).toBe(refusal);
    }
  });

  it('refuses every second spelling of a point as R', async () => {
    for (const bytes of secondSpellings) {
      // For the neutral point's second spellings this signature is one that laxer rules accept.
      const { signature } = forge(honest.toBytes(), bytes, 0n, message);
      expect(await disproof(() => verifyEd25519(honest.toBytes(), message, signature))).toBe(
        'R of the Ed25519 signature is not the canonical spelling of a point',
      );
      expect(openssl('Ed25519', okp(honest.toBytes()), message, signature)).toBe(false);
    }
    const neutral = littleBytes(prime + 1n);
    const lax = forge(honest.toBytes(), neutral, 0n, message).signature;
    expect(ed25519.verify(lax, message, honest.toBytes(), { zip215: true })).toBe(true);
  });

  it('refuses y that no point has', async () => {
    expect(await disproof(() => verifyPublicKey(okp(littleBytes(2n))))).toBe(
      'Ed25519 key is not the canonical spelling of a point',
    );
  });

  it('refuses s that is not below the group order, as OpenSSL does', async () => {
    const key = honest.toBytes();
    const { signature } = forge(key, noncePoint.toBytes(), nonce, message);
    const s = little(signature.subarray(32));
    for (let larger = s + order; larger < 2n ** 256n; larger += order) {
      const changed = concatBytes(signature.subarray(0, 32), littleBytes(larger));
      expect(openssl('Ed25519', okp(key), message, changed)).toBe(false);
      expect(await disproof(() => verifyEd25519(key, message, changed))).toBe(
        's of the Ed25519 signature is not below the group order',
      );
    }
    const exactly = concatBytes(torsion[0] ?? new Uint8Array(0), littleBytes(order));
    expect(await disproof(() => verifyEd25519(key, message, exactly))).toBe(
      's of the Ed25519 signature is not below the group order',
    );
  });

  it.each([0, 31, 33, 64])('refuses a key of %d bytes', async length => {
    expect(await disproof(() => verifyEd25519(new Uint8Array(length), message, new Uint8Array(64)))).toMatch(
      /^Ed25519 key/,
    );
  });

  it('refuses Ed25519ph and Ed25519ctx signatures', async () => {
    const { ed25519ctx, ed25519ph } = await import('@noble/curves/ed25519.js');
    const secret = new Uint8Array(32).fill(7);
    for (const signature of [
      ed25519ph.sign(message, secret),
      ed25519ctx.sign(message, secret, { context: utf8('c') }),
    ])
      expect(await disproof(() => verifyEd25519(honest.toBytes(), message, signature))).toBe(
        'Ed25519 signature does not verify',
      );
  });
});

describe('a platform without WebCrypto', () => {
  let subtle: PropertyDescriptor | undefined;
  beforeAll(() => {
    subtle = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  });

  it('is an error of its own and never a verdict', async () => {
    Object.defineProperty(globalThis, 'crypto', { configurable: true, value: {} });
    try {
      const verdict = verifySignature('RS256', publicJwk(testKeys.rs256), message, new Uint8Array(256));
      await expect(verdict).rejects.toThrow(TypeError);
    } finally {
      if (subtle !== undefined) Object.defineProperty(globalThis, 'crypto', subtle);
    }
  });
});
