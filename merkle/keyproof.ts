/**
 * Proof of possession: with its own key an agency signs that this key shall be its, in this key registry (DESIGN 3.7).
 *
 * A compact JWS whose header has exactly `alg`, `kid` and `typ` `zegel-key+jws`, and whose payload is
 * `{"agency":"…","chainId":"…","registry":"0x…"}`, exactly so spelt: the key registry's address in lower case. So nobody can
 * register a key that is not theirs, and no proof is good for another agency, chain or registry.
 */

import { equalBytes, formatHex0x, utf8 } from './bytes.ts';
import { ProofError } from './errors.ts';
import type { Jwk } from './jwk.ts';
import { jwsSigningInput, parseJws } from './jws.ts';
import { type Algorithm, type VerifySignature, verifyPublicKey } from './signature.ts';
import { verifyStatement } from './statement.ts';

/** What a proof of possession says. */
export type KeyClaim = {
  readonly agency: string;
  /** In decimal. */
  readonly chainId: string;
  /** The key registry's address, 20 bytes. */
  readonly registry: Uint8Array;
};

/** The payload of a proof of possession. */
export function formatKeyProofPayload({ agency, chainId, registry }: KeyClaim): string {
  return `{"agency":"${agency}","chainId":"${chainId}","registry":"${formatHex0x(registry)}"}`;
}

/** What the key signs, as text in ASCII. `kid` is the thumbprint in base64url. */
export function keyProofSigningInput({ alg, kid }: { alg: Algorithm; kid: string }, claim: KeyClaim): string {
  return jwsSigningInput({ alg, kid, typ: 'zegel-key+jws' }, utf8(formatKeyProofPayload(claim)));
}

/**
 * Verifies a proof of possession against what is registered. Rejects with a FormatError if it is no such JWS, with a ProofError
 * if it is by another key, for another algorithm, or says something else.
 */
export async function verifyKeyProof(
  proof: string,
  registered: KeyClaim & { readonly jwk: Jwk; readonly algorithm: Algorithm },
  verify?: VerifySignature,
): Promise<void> {
  verifyPublicKey(registered.jwk);
  const jws = parseJws(proof, { typs: ['zegel-key+jws'], aud: false });
  if (jws.alg !== registered.algorithm)
    throw new ProofError(`key proof is by ${jws.alg}, the key is registered for ${registered.algorithm}`);
  const payload = formatKeyProofPayload(registered);
  if (!equalBytes(jws.payload, utf8(payload))) throw new ProofError(`key proof does not say ${payload}`);
  await verifyStatement(jws, registered.jwk, verify);
}
