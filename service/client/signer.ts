/** An agency's key as its program holds it: signs statements and its own proof of possession. */

import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import { type Jwk, parseJwk, thumbprint } from '../../merkle/jwk.ts';
import { formatJws } from '../../merkle/jws.ts';
import { type KeyClaim, keyProofSigningInput } from '../../merkle/keyproof.ts';
import { type Algorithm, verifyAlgorithmFits } from '../../merkle/signature.ts';
import { signingInput } from '../../merkle/statement.ts';

/** Signs with one key by one algorithm. In a file here; an HSM or a key service fits behind the same three members. */
export type StatementSigner = {
  readonly alg: Algorithm;
  readonly key: Jwk;
  sign(message: Uint8Array): Promise<Uint8Array>;
};

/** A new private key for an algorithm. RSA keys have 3072 bits. */
export function generateKey(alg: Algorithm): KeyObject {
  switch (alg) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    case 'ES384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
    case 'ES256K':
      return generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    case 'RS256':
    case 'PS256':
      return generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
    case 'Ed25519':
      return generateKeyPairSync('ed25519').privateKey;
  }
}

/** The algorithm of a private key. An RSA key is good for two; then the caller must say which. */
export function algorithmOf(key: KeyObject): Algorithm | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return 'ES256';
    case 'secp384r1':
      return 'ES384';
    case 'secp256k1':
      return 'ES256K';
  }
  return undefined;
}

/** A signer over a private key. @throws {ProofError} if the algorithm is not for keys of this type */
export function keySigner(privateKey: KeyObject, alg: Algorithm): StatementSigner {
  const key = publicJwk(privateKey);
  verifyAlgorithmFits(alg, key);
  const onThread = promisify<string | null, Uint8Array, Parameters<typeof sign>[2], Buffer>(sign);
  const digest = alg === 'Ed25519' ? null : alg === 'ES384' ? 'sha384' : 'sha256';
  const options = {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
    ...(alg === 'PS256' ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}),
  } as const;
  return { alg, key, sign: async message => new Uint8Array(await onThread(digest, message, options)) };
}

/** The public key of a private one, with exactly the members that its thumbprint covers. */
export function publicJwk(privateKey: KeyObject): Jwk {
  return parseJwk(utf8(JSON.stringify(createPublicKey(privateKey).export({ format: 'jwk' }))));
}

/** Signs one event, whose bytes are kept exactly as they are, for the log with this origin (DESIGN 3.1). */
export async function signStatement(
  event: Uint8Array,
  origin: string,
  signer: StatementSigner,
): Promise<string> {
  const input = signingInput({ alg: signer.alg, kid: kidOf(signer), typ: 'zegel+jws', aud: origin }, event);
  return formatJws(input, await signer.sign(utf8(input)));
}

/** The key's proof that whoever registers it holds it: made for one agency and one key registry (DESIGN 3.7). */
export async function signKeyProof(claim: KeyClaim, signer: StatementSigner): Promise<string> {
  const input = keyProofSigningInput({ alg: signer.alg, kid: kidOf(signer) }, claim);
  return formatJws(input, await signer.sign(utf8(input)));
}

/** The key's thumbprint in base64url, as a JWS names it. */
export function kidOf(signer: StatementSigner): string {
  return formatBase64url(thumbprint(signer.key));
}
