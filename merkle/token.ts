/**
 * Tokens: with one, an agency shows for a few minutes, and for one request, that it is the agency who asks (DESIGN 4).
 *
 * A JWT (RFC 7519) as a compact JWS whose header has exactly `alg`, `kid` and `typ`, and whose payload is a JSON object with exactly
 * `aud` (the log's origin), `iat` and `exp` (whole seconds since 1970, the second 1 to 300 after the first), and `jti` (1 to 128
 * characters, never used twice under one key). What `typ` says is all that it opens: one for reading cannot be used to erase.
 */

import { utf8 } from './bytes.ts';
import { type JsonObject, JsonReader, parseJson } from './json.ts';
import { type Jws, jwsSigningInput, parseJws } from './jws.ts';
import type { Algorithm } from './signature.ts';

/** How long a token may be good, in seconds. */
export const tokenMaxLifeS = 300;

const jtiMaxLength = 128;

/** What every token says; times in seconds since 1970. */
export type TokenClaims = {
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
};

/** A token taken apart. Nothing in it is verified yet. */
export type Token<Typ extends string = string> = { readonly jws: Jws<Typ>; readonly claims: TokenClaims };

export type ReadToken = Token<'zegel-read+jwt'>;

/** Reads a token that opens an agency's own records to it. @throws {FormatError} naming every fault */
export function parseReadToken(compact: string): ReadToken {
  const jws = parseJws(compact, { typs: ['zegel-read+jwt'], aud: false });
  const reader = new JsonReader();
  const members = reader.object(parseJson(jws.payload, 'claims'), 'claims', commonClaims);
  return reader.finish({ jws, claims: readClaims(reader, members) });
}

/** What a key signs for a token to read, as text in ASCII. `kid` is the thumbprint in base64url. */
export function readTokenSigningInput(
  { alg, kid }: { readonly alg: Algorithm; readonly kid: string },
  { aud, iat, exp, jti }: TokenClaims,
): string {
  return jwsSigningInput({ alg, kid, typ: 'zegel-read+jwt' }, utf8(JSON.stringify({ aud, iat, exp, jti })));
}

const commonClaims = ['aud', 'iat', 'exp', 'jti'];

function readClaims(reader: JsonReader, members: JsonObject): TokenClaims {
  const claims = {
    aud: reader.string(members.get('aud'), 'claims.aud'),
    iat: reader.integer(members.get('iat'), 'claims.iat'),
    exp: reader.integer(members.get('exp'), 'claims.exp'),
    jti: reader.string(members.get('jti'), 'claims.jti'),
  };
  const { iat, exp, jti } = claims;
  // A time of 0 is what a fault leaves, or so long ago that no service takes it.
  const areTimes = iat > 0 && exp > 0;
  if (areTimes && (exp <= iat || exp - iat > tokenMaxLifeS))
    reader.fail('claims.exp', `is ${exp - iat} s after iat, want 1 to ${tokenMaxLifeS}`);
  if (typeof members.get('jti') === 'string' && (jti.length < 1 || jti.length > jtiMaxLength))
    reader.fail('claims.jti', `has ${jti.length} characters, want 1 to ${jtiMaxLength}`);
  return claims;
}
