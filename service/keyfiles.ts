/**
 * Private keys in files: created once and exclusively, and read only where no other user could have read them.
 *
 * Where a file with a passphrase is named, new keys are encrypted under it; encrypted ones are known by their form when they are read.
 */

import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { decryptKeystoreJson, encryptKeystoreJson, isKeystoreJson, Wallet } from 'ethers';
import { formatHex0x, parseBase64url } from '../merkle/bytes.ts';
import { type NoteSigner, verifierKey } from '../merkle/note.ts';
import { encryptPrivateKey } from './pkcs8.ts';

/** A key file that is missing, readable by others, or not what it should be. The message says what to do. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/** Creates a log key: Ed25519, PKCS#8 PEM, mode 0600. @throws {KeyFileError} if the file exists */
export async function createLogKey(path: string, passphraseFile?: string): Promise<void> {
  await createPrivateKeyFile(path, generateKeyPairSync('ed25519').privateKey, passphraseFile);
}

/**
 * Reads a log key. The signer's name is the log's origin, as DESIGN 3.6 wants.
 *
 * @throws {KeyFileError} if the file is missing, readable by others, or does not hold an Ed25519 key
 */
export async function readLogKey(path: string, origin: string, passphraseFile?: string): Promise<NoteSigner> {
  const key = await readPrivateKeyFile(path, passphraseFile);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new KeyFileError(
      `${path} holds a key of type ${key.asymmetricKeyType}, want Ed25519 for a log key`,
    );
  const { x } = key.export({ format: 'jwk' });
  const signOnThread = promisify(sign);
  return {
    key: verifierKey(origin, parseBase64url(x ?? '')),
    sign: async message => new Uint8Array(await signOnThread(null, message, key)),
  };
}

/** Creates a file with any private key as PKCS#8 PEM, mode 0600. @throws {KeyFileError} if the file exists */
export async function createPrivateKeyFile(
  path: string,
  key: KeyObject,
  passphraseFile?: string,
): Promise<void> {
  const pem =
    passphraseFile === undefined
      ? key.export({ format: 'pem', type: 'pkcs8' }).toString()
      : await encryptPrivateKey(key, await readPassphrase(passphraseFile), randomBytes);
  await createKeyFile(path, pem);
}

/** Reads a private key in PKCS#8 PEM, encrypted or not. @throws {KeyFileError} if it cannot be used */
export async function readPrivateKeyFile(path: string, passphraseFile?: string): Promise<KeyObject> {
  const pem = await readKeyFile(path);
  const isEncrypted = pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----');
  const passphrase = isEncrypted ? await passphraseFor(path, passphraseFile) : undefined;
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    // OpenSSL's reason could quote the file.
    if (isEncrypted) throw notOpened(path, passphraseFile);
    throw new KeyFileError(`${path} is not a private key in PKCS#8 PEM`);
  }
}

/**
 * Creates a key for an account on the chain: `0x` and 32 bytes of hexadecimal, or with a passphrase a Web3 keystore (version 3,
 * scrypt); mode 0600. Gives the key.
 */
export async function createAccountKey(path: string, passphraseFile?: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const { d } = privateKey.export({ format: 'jwk' });
  const hex = formatHex0x(parseBase64url(d ?? ''));
  const content =
    passphraseFile === undefined
      ? hex
      : await encryptKeystoreJson(new Wallet(hex), await readPassphrase(passphraseFile));
  await createKeyFile(path, `${content}\n`);
  return hex;
}

/**
 * Reads a key for an account on the chain: `0x` and 64 hexadecimal digits, or a Web3 keystore. Gives the digits.
 *
 * @throws {KeyFileError} if it cannot be used
 */
export async function readAccountKey(path: string, passphraseFile?: string): Promise<string> {
  const content = (await readKeyFile(path)).trim();
  if (content.startsWith('{')) return readKeystore(path, content, passphraseFile);
  if (/^0x[0-9a-f]{64}$/.test(content) && !/^0x0{64}$/.test(content)) return content;
  throw new KeyFileError(
    `${path} does not hold one key: want 0x and 64 lower-case hexadecimal digits, or a Web3 keystore`,
  );
}

async function readKeystore(path: string, json: string, passphraseFile?: string): Promise<string> {
  if (!isKeystoreJson(json)) throw new KeyFileError(`${path} is not a Web3 keystore of version 3`);
  const passphrase = await passphraseFor(path, passphraseFile);
  try {
    return (await decryptKeystoreJson(json, passphrase)).privateKey;
  } catch {
    throw notOpened(path, passphraseFile);
  }
}

/** OpenSSL, and so Node.js, opens nothing with a longer one, though it would encrypt under it. */
const passphraseMaxBytes = 1_024;

/** Reads a passphrase: the first line of a file that only its owner can read. @throws {KeyFileError} if there is none */
export async function readPassphrase(path: string): Promise<string> {
  const [line = ''] = (await readKeyFile(path, 'passphrase')).split('\n');
  // Other programs would take the carriage return for a part of the passphrase.
  if (line.endsWith('\r')) throw new KeyFileError(`${path} has lines that end in CR LF, want LF`);
  if (line === '') throw new KeyFileError(`${path} begins with an empty line, want a passphrase`);
  const { length } = Buffer.from(line);
  if (length > passphraseMaxBytes)
    throw new KeyFileError(`${path} has a first line of ${length} bytes, want at most ${passphraseMaxBytes}`);
  return line;
}

async function passphraseFor(path: string, passphraseFile: string | undefined): Promise<string> {
  if (passphraseFile !== undefined) return readPassphrase(passphraseFile);
  const how = 'set ZEGEL_PASSPHRASE_FILE (or --passphrase-file) to a file with its passphrase';
  throw new KeyFileError(`${path} is encrypted: ${how}`);
}

function notOpened(path: string, passphraseFile: string | undefined): KeyFileError {
  return new KeyFileError(
    `the passphrase in ${passphraseFile} does not open ${path}: it is another one's, or the file is damaged`,
  );
}

/** Creates a file that only its owner can read; durable when this returns. @throws {KeyFileError} if it exists */
export async function createKeyFile(path: string, content: string): Promise<void> {
  // 'wx' fails on whatever is there, a link included: no key is ever overwritten.
  const file = await open(path, 'wx', 0o600).catch(error => {
    throw refusal(path, error, 'created');
  });
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  // The name must survive a power cut as well: a log whose key is lost cannot be extended.
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Reads a file that only its owner can read. @throws {KeyFileError} if others can, or if it cannot be read */
export async function readKeyFile(path: string, what = 'private key'): Promise<string> {
  const file = await open(path, 'r').catch(error => {
    throw refusal(path, error, 'read');
  });
  try {
    // The open file is asked, not the name: between two questions a name can change its file.
    const facts = await file.stat();
    if (!facts.isFile()) throw new KeyFileError(`${path} is not a file, want a file with one ${what}`);
    if (process.platform !== 'win32' && (facts.mode & 0o077) !== 0) {
      const mode = (facts.mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyFileError(
        `${path} has mode ${mode}, so other users can reach the ${what}: run chmod 600 ${path}`,
      );
    }
    if (facts.size > 65_536)
      throw new KeyFileError(`${path} has ${facts.size} bytes, too many for a ${what}`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function refusal(path: string, error: unknown, act: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EEXIST') return new KeyFileError(`${path} exists already, and a key is never overwritten`);
  if (code === 'ENOENT') return new KeyFileError(`${path} cannot be ${act}: no such file or folder`);
  if (code === 'EACCES' || code === 'EPERM')
    return new KeyFileError(`${path} cannot be ${act}: permission denied`);
  return error;
}
