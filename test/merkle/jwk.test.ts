import { createHash } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { formatBase64url, formatHex, utf8 } from '../../merkle/bytes.ts';
import { JsonReader, parseJson } from '../../merkle/json.ts';
import { canonicalJwk, parseJwk, readJwk, thumbprint } from '../../merkle/jwk.ts';
import { publicJwk, testKeys } from '../helpers/keys.ts';
import { faultsOf } from '../helpers/refusals.ts';

const ec = publicJwk(testKeys.es256);
const rsa = publicJwk(testKeys.rs256);
const okp = publicJwk(testKeys.ed25519);

const parse = (jwk: unknown) => parseJwk(utf8(JSON.stringify(jwk)));

describe('thumbprint', () => {
  it.each([
    [
      'RFC 7638 section 3.1',
      {
        kty: 'RSA',
        n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
        e: 'AQAB',
      },
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    ],
    [
      'RFC 8037 appendix A.3',
      { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    ],
  ])('is that of %s', (_, jwk, want) => {
    expect(formatBase64url(thumbprint(parse(jwk)))).toBe(want);
  });

  it.each(Object.entries(testKeys))('of the %s test key is what jose computes', async (_, key) => {
    const jwk = publicJwk(key);
    expect(formatBase64url(thumbprint(jwk))).toBe(await calculateJwkThumbprint({ ...jwk }, 'sha256'));
  });

  it('is the SHA-256 of the canonical text, pinned so that nobody changes it by accident', () => {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: formatBase64url(new Uint8Array(32).fill(1)),
      y: formatBase64url(new Uint8Array(32)),
    } as const;
    const text =
      '{"crv":"P-256","kty":"EC","x":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}';
    expect(canonicalJwk(jwk)).toBe(text);
    expect(formatHex(thumbprint(jwk))).toBe(createHash('sha256').update(text).digest('hex'));
  });
});

describe('canonicalJwk', () => {
  it('has the members in lexicographic order, and parses to the same key', () => {
    for (const key of Object.values(testKeys)) {
      const jwk = publicJwk(key);
      const text = canonicalJwk(jwk);
      expect(Object.keys(JSON.parse(text))).toEqual(Object.keys(JSON.parse(text)).sort());
      expect(parseJwk(utf8(text))).toEqual(jwk);
    }
  });
});

describe('parseJwk', () => {
  it('takes members in any order and with white space, and gives exactly them', () => {
    expect(parseJwk(utf8(JSON.stringify(Object.fromEntries(Object.entries(ec).reverse()), null, 1)))).toEqual(
      ec,
    );
  });

  it.each<[string, unknown, string[]]>([
    ['a string', 'key', [': want an object, got a string']],
    ['null', null, [': want an object, got null']],
    ['an array', [ec], [': want an object, got an array']],
    ['an empty object', {}, [': member "kty" is missing']],
    ['a type that is a number', { ...ec, kty: 2 }, ['kty: want a string, got the number 2']],
    ['a symmetric key', { kty: 'oct', k: 'AA' }, ['kty: "oct" is not EC or RSA or OKP']],
    ['a type in lower case', { ...ec, kty: 'ec' }, ['kty: "ec" is not EC or RSA or OKP']],
    ['a private EC key', testKeys.es256, [': unknown member "d"']],
    ['a private RSA key', { ...rsa, d: 'AQ' }, [': unknown member "d"']],
    ['a kid', { ...okp, kid: 'AA' }, [': unknown member "kid"']],
    ['an alg', { ...okp, alg: 'Ed25519' }, [': unknown member "alg"']],
    ['a certificate', { ...ec, x5c: [] }, [': unknown member "x5c"']],
    ['a member of another type', { ...okp, y: 'AA' }, [': unknown member "y"']],
    ['no y', { ...ec, y: undefined }, [': member "y" is missing']],
    ['no curve', { ...ec, crv: undefined }, [': member "crv" is missing']],
    ['P-521', { ...ec, crv: 'P-521' }, ['crv: "P-521" is not P-256 or P-384 or secp256k1']],
    [
      'P-256K, as secp256k1 was once called',
      { ...ec, crv: 'P-256K' },
      ['crv: "P-256K" is not P-256 or P-384 or secp256k1'],
    ],
    ['X25519', { ...okp, crv: 'X25519' }, ['crv: "X25519" is not Ed25519']],
    ['Ed448', { ...okp, crv: 'Ed448' }, ['crv: "Ed448" is not Ed25519']],
    [
      'a coordinate that is short',
      { ...ec, x: formatBase64url(new Uint8Array(31)) },
      ['x: 31 bytes, want 32'],
    ],
    [
      'a coordinate that is long',
      { ...ec, y: formatBase64url(new Uint8Array(33)) },
      ['y: 33 bytes, want 32'],
    ],
    [
      'P-384 with the length of P-256',
      { ...ec, crv: 'P-384' },
      ['x: 32 bytes, want 48', 'y: 32 bytes, want 48'],
    ],
    ['an Ed25519 key that is short', { ...okp, x: 'AA' }, ['x: 1 bytes, want 32']],
    ['an empty coordinate', { ...ec, x: '' }, ['x: 0 bytes, want 32']],
    ['a coordinate that is a number', { ...ec, x: 1 }, ['x: want a string, got the number 1']],
    [
      'padding',
      { ...okp, x: `${formatBase64url(new Uint8Array(32))}=` },
      [`x: "${'A'.repeat(40)}…" is not canonical base64url: it has U+003D at character 43`],
    ],
    ['unused bits', { kty: 'RSA', n: 'gB', e: 'AQAB' }, ['n: "gB" is not canonical base64url']],
    ['an empty modulus', { ...rsa, n: '' }, ['n: is not a positive number without leading zeros']],
    [
      'a modulus with a leading zero',
      { ...rsa, n: 'AIA' },
      ['n: is not a positive number without leading zeros'],
    ],
    [
      'an exponent with a leading zero',
      { ...rsa, e: 'AAEAAQ' },
      ['e: is not a positive number without leading zeros'],
    ],
    ['an exponent of zero', { ...rsa, e: 'AA' }, ['e: is not a positive number without leading zeros']],
    ['no modulus and no exponent', { kty: 'RSA' }, [': member "e" is missing', ': member "n" is missing']],
    [
      'several faults',
      { ...ec, x: 1, kid: 'k', y: undefined },
      [': member "y" is missing', ': unknown member "kid"', 'x: want a string, got the number 1'],
    ],
  ])('refuses %s', (_, jwk, faults) => {
    expect(faultsOf(() => parse(jwk))).toEqual(faults);
  });

  it('refuses a member that stands twice', () => {
    expect(faultsOf(() => parseJwk(utf8('{"kty":"RSA","kty":"EC"}')))).toEqual([
      ': member "kty" stands twice (at character 18)',
    ]);
  });
});

describe('readJwk', () => {
  it('names places below the one where the key stands', () => {
    const reader = new JsonReader();
    readJwk(reader, parseJson(utf8('{"kty":"OKP","crv":"X","x":1,"y":2}')), 'record.key');
    readJwk(reader, undefined, 'record.other');
    expect(faultsOf(() => reader.finish(0))).toEqual([
      'record.key: unknown member "y"',
      'record.key.crv: "X" is not Ed25519',
      'record.key.x: want a string, got the number 1',
      'record.other: want an object, got nothing',
    ]);
  });
});
