/**
 * Encrypts a private key as PKCS #8 under a passphrase: PBES2 (RFC 8018) with scrypt (RFC 7914) and AES-256-CBC, in PEM (RFC 7468).
 *
 * node:crypto writes such files, too, but with PBKDF2 at 2,048 rounds, which a stolen file does not withstand for long. What is made
 * here is read by node:crypto, `openssl pkey` and the usual libraries of Python and Java.
 */

import { createCipheriv, type KeyObject, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { parseHex } from '../merkle/bytes.ts';

// 16 MiB and five passes: with more memory OpenSSL refuses to read the file under its default limit of 32 MiB.
const [cost, blockSize, parallelization] = [16_384, 8, 5];

// ASN.1 object identifiers, encoded: 1.2.840.113549.1.5.13, 1.3.6.1.4.1.11591.4.11, 2.16.840.1.101.3.4.1.42.
const pbes2 = parseHex('2a864886f70d01050d', 9);
const scryptId = parseHex('2b06010401da47040b', 9);
const aes256Cbc = parseHex('60864801650304012a', 9);

const derive = promisify<string, Uint8Array, number, object, Buffer>(scrypt);

/** @param randomBytes gives so many bytes that nobody can foresee */
export async function encryptPrivateKey(
  key: KeyObject,
  passphrase: string,
  randomBytes: (length: number) => Uint8Array,
): Promise<string> {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const secret = await derive(passphrase, salt, 32, { cost, blockSize, parallelization });
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const encrypted = Buffer.concat([
    cipher.update(key.export({ format: 'der', type: 'pkcs8' })),
    cipher.final(),
  ]);

  const kdf = sequence(
    object(scryptId),
    sequence(octets(salt), integer(cost), integer(blockSize), integer(parallelization)),
  );
  const scheme = sequence(object(aes256Cbc), octets(iv));
  const info = sequence(sequence(object(pbes2), sequence(kdf, scheme)), octets(encrypted));
  const lines = info.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${lines.join('\n')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
}

// DER (X.690), as far as this one structure needs it.
const sequence = (...parts: readonly Uint8Array[]) => encode(0x30, Buffer.concat(parts));
const object = (id: Uint8Array) => encode(0x06, id);
const octets = (bytes: Uint8Array) => encode(0x04, bytes);
/** A positive number below 2^15. */
const integer = (value: number) =>
  encode(0x02, value < 0x80 ? Uint8Array.of(value) : Uint8Array.of(value >> 8, value & 0xff));

function encode(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size = length.toString(16).padStart(length < 0x100 ? 2 : 4, '0');
  const prefix = length < 0x80 ? [length] : [0x80 + size.length / 2, ...Buffer.from(size, 'hex')];
  return Buffer.concat([Uint8Array.of(tag, ...prefix), content]);
}
