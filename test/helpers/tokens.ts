/** Tokens to read as tests need them: good by default, and wrong where the test says. */

import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import type { Algorithm } from '../../merkle/signature.ts';
import { testOrigin } from './builders.ts';
import { keyFor, kidOf, type PrivateJwk, signAs } from './keys.ts';

let tokens = 0;

/** A token by the test key of an algorithm, made now. A claim or a header's member that is undefined is left out. */
export function aToken({
  alg = 'ES256',
  key = keyFor(alg),
  nowMs = Date.now(),
  header = {},
  claims = {},
}: {
  alg?: Algorithm;
  key?: PrivateJwk;
  nowMs?: number;
  header?: Readonly<Record<string, unknown>>;
  claims?: Readonly<Record<string, unknown>>;
} = {}): string {
  const iat = Math.floor(nowMs / 1000);
  const jti = `token-${tokens++}`;
  return signToken(
    alg,
    key,
    JSON.stringify({ alg, kid: kidOf(key), typ: 'zegel-read+jwt', ...header }),
    JSON.stringify({ aud: testOrigin, iat, exp: iat + 120, jti, ...claims }),
  );
}

/** Signs a header and claims in whatever spelling. */
export function signToken(alg: Algorithm, key: PrivateJwk, header: string, claims: string): string {
  const input = `${formatBase64url(utf8(header))}.${formatBase64url(utf8(claims))}`;
  return `${input}.${formatBase64url(signAs(alg, key, input))}`;
}

/** The field that carries a token. */
export function bearer(token: string = aToken()): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}
