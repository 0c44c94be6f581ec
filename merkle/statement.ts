/**
 * Statements: what an agency signs. A compact JWS over one event, or over the Merkle root of many (DESIGN 3.1).
 *
 * The protected header has exactly `alg`, `kid` (the key's RFC 7638 thumbprint), `typ` and `aud` (the log's origin). Under
 * `zegel+jws` the payload is the event's bytes. Under `zegel-batch+jws` it is `{"root":"<base64url>","size":<n>}`, exactly so
 * spelt: the RFC 9162 tree hash over the leaves SHA-256(0x00 ‖ salt_i ‖ event_i) with salt_i = HMAC-SHA-256(secret, u64be i).
 * A leaf's salt differs from its neighbours' and cannot be computed from them, so a path to one event says nothing about the rest.
 */

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, formatBase64url, formatUint64, utf8 } from './bytes.ts';
import { FormatError, ProofError } from './errors.ts';
import { parseOrigin } from './genesis.ts';
import { JsonReader, parseJson } from './json.ts';
import { type Jwk, thumbprint } from './jwk.ts';
import { formatJws, type Jws, jwsSigningInput, parseJws } from './jws.ts';
import { type Algorithm, type VerifySignature, verifyAlgorithmFits, verifySignature } from './signature.ts';
import { leafHash } from './tree.ts';

export type StatementType = 'zegel+jws' | 'zegel-batch+jws';

/** A statement taken apart. Nothing in it is verified yet. */
export type Statement = Jws<StatementType>;

/** Reads a statement. @throws {FormatError} naming every fault */
export function parseStatement(compact: string): Statement {
  const statement = parseJws(compact, { typs: ['zegel+jws', 'zegel-batch+jws'], aud: true });
  parseOrigin(statement.aud, 'header.aud');
  return statement;
}

/** What an agency's key signs, as text in ASCII. `kid` is the thumbprint in base64url, `aud` the log's origin. */
export function signingInput(
  { alg, kid, typ, aud }: { alg: Algorithm; kid: string; typ: StatementType; aud: string },
  payload: Uint8Array,
): string {
  return jwsSigningInput({ alg, kid, typ, aud }, payload);
}

/** The statement, from what was signed and the signature. */
export function formatStatement(signingInput: string, signature: Uint8Array): string {
  return formatJws(signingInput, signature);
}

/**
 * Verifies that a key made a statement. Which agency's key it is, and whether it was valid, is for the key registry to say.
 * @param verify stands in for `verifySignature` where the platform has something faster
 * @throws {ProofError} if `kid` is another key's, the algorithm is not for such a key, or the signature does not verify
 */
export async function verifyStatement(
  statement: Jws<string>,
  jwk: Jwk,
  verify: VerifySignature = verifySignature,
): Promise<void> {
  const kid = formatBase64url(thumbprint(jwk));
  if (statement.kid !== kid) throw new ProofError(`kid is ${statement.kid}, the key's thumbprint is ${kid}`);
  verifyAlgorithmFits(statement.alg, jwk);
  await verify(statement.alg, jwk, statement.signingInput, statement.signature);
}

/** How many events a batch statement may cover. */
export const maxBatchSize = 65_536;

/** The salt of a batch's event, 32 bytes, from the batch's secret (32 random bytes, never stored). */
export function batchSalt(secret: Uint8Array, index: number): Uint8Array {
  return hmac(sha256, secret, formatUint64(index));
}

/** An event's leaf hash in a batch statement's tree. */
export function batchLeafHash(salt: Uint8Array, event: Uint8Array): Uint8Array {
  return leafHash(concatBytes(salt, event));
}

/** A batch statement's payload. */
export function formatBatchPayload(root: Uint8Array, size: number): string {
  return `{"root":"${formatBase64url(root)}","size":${size}}`;
}

/** Reads a batch statement's payload in its one spelling. @throws {FormatError} on any other, and on a size not from 1 to 65,536 */
export function parseBatchPayload(payload: Uint8Array): { root: Uint8Array; size: number } {
  const reader = new JsonReader();
  const members = reader.object(parseJson(payload, 'payload'), 'payload', ['root', 'size']);
  const root = reader.bytes(members.get('root'), 'payload.root', 32);
  const size = reader.integer(members.get('size'), 'payload.size');
  reader.finish(undefined);
  if (size < 1 || size > maxBatchSize)
    throw FormatError.at('payload.size', `a batch of ${size} events, want 1 to ${maxBatchSize}`);
  if (!equalBytes(payload, utf8(formatBatchPayload(root, size))))
    throw FormatError.at(
      'payload',
      'is not spelt {"root":"…","size":…}, in this order and without white space',
    );
  return { root, size };
}
