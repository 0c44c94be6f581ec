/** The keys that `zegel submit` is given: private ones that sign, and public ones that statements were signed with. */

import { FormatError } from '../merkle/errors.ts';
import { type Json, JsonReader, parseJson } from '../merkle/json.ts';
import { type Jwk, readJwk } from '../merkle/jwk.ts';
import type { StatementSigner } from '../service/client/signer.ts';
import { CommandError, readInput } from './command.ts';
import { readSigner } from './sign.ts';

export type Keys = {
  /** Undefined where only public keys were given. */
  readonly signer: StatementSigner | undefined;
  readonly public: readonly Jwk[];
};

/**
 * Reads key files: PKCS#8 PEM; or JSON, a public JWK or what `zegel key generate` made for the registrar.
 *
 * @throws {CommandError} exit code 2 for more than one private key: which one should sign?
 */
export async function readKeys(
  files: readonly string[],
  alg: unknown,
  passphraseFile: string | undefined,
): Promise<Keys> {
  let signer: StatementSigner | undefined;
  const keys: Jwk[] = [];
  for (const file of files) {
    const key = await readPublicKey(file);
    if (key !== undefined) {
      keys.push(key);
      continue;
    }
    if (signer !== undefined)
      throw new CommandError(2, `${file} is a second private key: which one should sign?`);
    signer = await readSigner(file, alg, passphraseFile);
    keys.push(signer.key);
  }
  return { signer, public: keys };
}

/** A public key in JSON; undefined for a file that is not JSON. */
async function readPublicKey(file: string): Promise<Jwk | undefined> {
  const bytes = await readInput(file);
  let document: Json;
  try {
    document = parseJson(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  const reader = new JsonReader();
  const members = document instanceof Map && document.has('key') ? document.get('key') : document;
  try {
    return reader.finish(readJwk(reader, members, ''));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CommandError(2, `${file} is not a public key: ${error.message}`, error);
  }
}
