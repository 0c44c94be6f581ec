/** Public keys as JWK (RFC 7517), with exactly the members that their thumbprint covers (RFC 7638 section 3.2). */

import { sha256 } from '@noble/hashes/sha2.js';
import { formatBase64url, utf8 } from './bytes.ts';
import { type Json, JsonReader, memberPlace, parseJson } from './json.ts';

/**
 * A public key. Numbers are kept as the base64url text in which they were spelt; that text is canonical, so one key has one
 * spelling and one thumbprint. Whether it is a *good* key (on the curve, large enough) is for `verifyPublicKey` to say.
 */
export type Jwk = EcJwk | RsaJwk | OkpJwk;

/** An elliptic curve key (RFC 7518 section 6.2, RFC 8812 section 3.1): coordinates at full length, leading zeros kept. */
export type EcJwk = { readonly kty: 'EC'; readonly crv: EcCurve; readonly x: string; readonly y: string };
export type EcCurve = 'P-256' | 'P-384' | 'secp256k1';

/** An RSA key (RFC 7518 section 6.3): modulus and exponent without leading zeros. */
export type RsaJwk = { readonly kty: 'RSA'; readonly n: string; readonly e: string };

/** An Ed25519 key (RFC 8037 section 2). */
export type OkpJwk = { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };

const ecCurves: readonly EcCurve[] = ['P-256', 'P-384', 'secp256k1'];
const coordinateLength: Readonly<Record<EcCurve, number>> = { 'P-256': 32, 'P-384': 48, secp256k1: 32 };

/** Reads a JWK from a parsed document. Members beyond those of the thumbprint are faults: `kid` binds all that is there. */
export function readJwk(reader: JsonReader, value: Json | undefined, place: string): Jwk {
  const kty = value instanceof Map ? value.get('kty') : undefined;
  switch (kty) {
    case 'EC':
      return readEc(reader, value, place);
    case 'RSA':
      return readRsa(reader, value, place);
    case 'OKP':
      return readOkp(reader, value, place);
  }
  // Without a type that we know, the other members mean nothing: name the fault in the type only.
  reader.object(value, place, ['kty'], value instanceof Map ? [...value.keys()] : []);
  reader.word(kty, memberPlace(place, 'kty'), ['EC', 'RSA', 'OKP']);
  return { kty: 'RSA', n: '', e: '' };
}

/** Reads a JWK, in any order of its members. @throws {FormatError} naming every fault */
export function parseJwk(bytes: Uint8Array): Jwk {
  const reader = new JsonReader();
  return reader.finish(readJwk(reader, parseJson(bytes), ''));
}

/**
 * The one text of a key: members in lexicographic order, no white space (RFC 7638 section 3.3). This is what the key registry
 * holds. The values are base64url and names from short lists, so nothing needs escaping.
 */
export function canonicalJwk(jwk: Jwk): string {
  switch (jwk.kty) {
    case 'EC':
      return `{"crv":"${jwk.crv}","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`;
    case 'RSA':
      return `{"e":"${jwk.e}","kty":"RSA","n":"${jwk.n}"}`;
    case 'OKP':
      return `{"crv":"${jwk.crv}","kty":"OKP","x":"${jwk.x}"}`;
  }
}

/** A key's identifier, 32 bytes: the SHA-256 of its one text. On chain and in entries as bytes, as `kid` in base64url. */
export function thumbprint(jwk: Jwk): Uint8Array {
  return sha256(utf8(canonicalJwk(jwk)));
}

function readEc(reader: JsonReader, value: Json | undefined, place: string): EcJwk {
  const members = reader.object(value, place, ['crv', 'kty', 'x', 'y']);
  const crv = reader.word(members.get('crv'), memberPlace(place, 'crv'), ecCurves);
  // Without a curve, nothing can be said about its coordinates.
  if (crv === undefined) return { kty: 'EC', crv: 'P-256', x: '', y: '' };
  const coordinate = (name: 'x' | 'y') =>
    formatBase64url(reader.bytes(members.get(name), memberPlace(place, name), coordinateLength[crv]));
  return { kty: 'EC', crv, x: coordinate('x'), y: coordinate('y') };
}

function readRsa(reader: JsonReader, value: Json | undefined, place: string): RsaJwk {
  const members = reader.object(value, place, ['e', 'kty', 'n']);
  const number = (name: 'n' | 'e') => {
    const bytes = reader.bytes(members.get(name), memberPlace(place, name));
    // RFC 7518 section 6.3.1: the minimum number of octets.
    if (members.get(name) === '' || bytes[0] === 0)
      reader.fail(memberPlace(place, name), 'is not a positive number without leading zeros');
    return formatBase64url(bytes);
  };
  return { kty: 'RSA', n: number('n'), e: number('e') };
}

function readOkp(reader: JsonReader, value: Json | undefined, place: string): OkpJwk {
  const members = reader.object(value, place, ['crv', 'kty', 'x']);
  reader.word(members.get('crv'), memberPlace(place, 'crv'), ['Ed25519']);
  const x = formatBase64url(reader.bytes(members.get('x'), memberPlace(place, 'x'), 32));
  return { kty: 'OKP', crv: 'Ed25519', x };
}
