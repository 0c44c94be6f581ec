/** Tokens as an agency makes them: one for each request that reads back what it has submitted. */

import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import { formatJws } from '../../merkle/jws.ts';
import { readTokenSigningInput } from '../../merkle/token.ts';
import { kidOf, type StatementSigner } from './signer.ts';

/**
 * Signs a token for one request that reads: it goes into `Authorization: Bearer …`, and is good once, and for its life.
 *
 * @param parts.origin the log's
 * @param parts.nowMs the time, milliseconds since 1970
 * @param parts.lifeS how long it is good, 1 to 300 seconds; enough for a clock that is a little behind the service's
 */
export async function signReadToken({
  origin,
  signer,
  nowMs,
  randomBytes,
  lifeS = 120,
}: {
  readonly origin: string;
  readonly signer: StatementSigner;
  readonly nowMs: number;
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
  readonly lifeS?: number;
}): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  const jti = formatBase64url(new Uint8Array(randomBytes(16)));
  const claims = { aud: origin, iat, exp: iat + lifeS, jti };
  const input = readTokenSigningInput({ alg: signer.alg, kid: kidOf(signer) }, claims);
  return formatJws(input, await signer.sign(utf8(input)));
}
