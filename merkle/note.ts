/**
 * Signed notes: C2SP signed-note with Ed25519 keys, the envelope of a checkpoint.
 *
 * A note is a text that ends in a line feed, a blank line, and a line for each signature:
 *
 *     — <key name> <base64 of key id (4 bytes) ‖ signature>
 *
 * The text may have blank lines; the last one in the note ends it. A key is known by its name and its id, the first four
 * bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)`, and is written `<name>+<id in hex>+<base64 of 0x01 ‖ public key>`. Signatures by
 * unknown keys say nothing, and are ignored so that witnesses and new keys can join.
 *
 * The format leaves two gaps through which a note could change and still verify, and which we close: a known key
 * signs once, and in canonical base64.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { abbreviate, concatBytes, equalBytes, formatBase64, formatHex, parseBase64, utf8 } from './bytes.ts';
import { FormatError, ProofError } from './errors.ts';
import { verifyEd25519 } from './signature.ts';

/** What a verifier must know of a key: its name, its id (4 bytes) and the public key itself (32 bytes). */
export type VerifierKey = {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly publicKey: Uint8Array;
};

/** Whoever holds the private key of `key`: a file, or a device. `sign` gives the 64 bytes of an Ed25519 signature. */
export type NoteSigner = {
  readonly key: VerifierKey;
  sign(message: Uint8Array): Promise<Uint8Array>;
};

/** One signature line, not yet believed. */
export type NoteSignature = {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
  /** Whether the line's base64 is the one spelling of these bytes, with the unused bits zero. */
  readonly isCanonical: boolean;
};

/** A signed note taken apart. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

const ed25519 = 0x01;
const keyIdLength = 4;
const publicKeyLength = 32;
const signatureLength = 64;
/** More than any log has witnesses; signed-note asks for a limit, and for 16 at least. */
const maxSignatures = 100;

/** The verifier key of an Ed25519 public key under a name. @throws {FormatError} if no key may have that name */
export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw FormatError.at('', `"${abbreviate(name)}" is not a key name`);
  if (publicKey.length !== publicKeyLength)
    throw FormatError.at('', `a public key of ${publicKey.length} bytes, want ${publicKeyLength}`);
  const keyId = sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(ed25519), publicKey)).slice(
    0,
    keyIdLength,
  );
  return { name, keyId, publicKey };
}

/** A verifier key as it is published: `<name>+<id in hex>+<base64>`. */
export function formatVerifierKey({ name, keyId, publicKey }: VerifierKey): string {
  return `${name}+${formatHex(keyId)}+${formatBase64(concatBytes(Uint8Array.of(ed25519), publicKey))}`;
}

/** Reads a published verifier key. @throws {FormatError} unless it is an Ed25519 key in its one spelling, under its own id */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name = '', , encoded = ''] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? [];
  const typed = parseBase64(encoded);
  if (typed[0] !== ed25519) throw FormatError.at('', `"${abbreviate(text)}" is not an Ed25519 verifier key`);
  const key = verifierKey(name, typed.slice(1));
  if (formatVerifierKey(key) !== text)
    throw FormatError.at('', `"${abbreviate(text)}" is not spelt as ${formatVerifierKey(key)}`);
  return key;
}

/** The text as a note with one signature. @throws {Error} if a note cannot have that text, or this is no Ed25519 signature */
export async function signNote(text: string, signer: NoteSigner): Promise<string> {
  if (!isNoteText(text) || !text.endsWith('\n'))
    throw new Error('a note is text in which a line feed is the only control character, and the last one');
  const signature = await signer.sign(utf8(text));
  if (signature.length !== signatureLength)
    throw new Error(`the signer gave ${signature.length} bytes, want ${signatureLength}`);
  const { name, keyId } = signer.key;
  return `${text}\n${linePrefix}${name} ${formatBase64(concatBytes(keyId, signature))}\n`;
}

/**
 * Takes a signed note apart without believing it: who claims to have signed what.
 *
 * @throws {FormatError} unless it is a text, a blank line, and 1 to 100 well-formed signature lines
 */
export function parseNote(signed: string): Note {
  if (!isNoteText(signed))
    throw FormatError.at('', 'the note has a lone surrogate or a control character other than line feed');
  const end = signed.lastIndexOf('\n\n');
  if (end < 0) throw FormatError.at('', 'the note has no blank line before its signatures');
  const lines = signed.slice(end + 2).split('\n');
  if (lines.pop() !== '') throw FormatError.at('', 'the note does not end in a line feed');
  if (lines.length < 1 || lines.length > maxSignatures)
    throw FormatError.at('', `the note has ${lines.length} signatures, want 1 to ${maxSignatures}`);
  return {
    text: signed.slice(0, end + 1),
    signatures: lines.map((line, i) => parseSignatureLine(line, `signature line ${i + 1}`)),
  };
}

/**
 * Verifies a signed note against all the keys that a verifier knows, and gives those that signed it: at least one, in the order of
 * their lines. Lines by other keys are ignored once they are well formed.
 *
 * @throws {FormatError} if it is not a signed note
 * @throws {ProofError} if no known key has signed; if one has signed badly, twice or in non-canonical base64
 */
export function verifyNote(signed: string, known: readonly VerifierKey[]): VerifierKey[] {
  const { text, signatures } = parseNote(signed);
  const message = utf8(text);
  const signers: VerifierKey[] = [];
  for (const { name, keyId, signature, isCanonical } of signatures) {
    const [key, ...others] = known.filter(k => k.name === name && equalBytes(k.keyId, keyId));
    if (key === undefined) continue;

    // Four bytes of key id can be made to collide. Which key is meant must not depend on the order of a list.
    if (others.length > 0) throw new ProofError(`two known keys are called ${keyLabel(key)}`);
    if (signers.includes(key)) throw new ProofError(`${keyLabel(key)} signed twice`);
    if (!isCanonical) throw new ProofError(`the signature by ${keyLabel(key)} is not canonical base64`);
    verifyEd25519(key.publicKey, message, signature);
    signers.push(key);
  }
  if (signers.length === 0) throw new ProofError('no known key has signed the note');
  return signers;
}

const linePrefix = '— ';

/** Whether a text is padded base64. A pattern that repeats groups of four would run out of stack on a line of some megabytes. */
function isPaddedBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function parseSignatureLine(line: string, place: string): NoteSignature {
  const [name = '', encoded = '', ...rest] = line.slice(linePrefix.length).split(' ');
  if (!line.startsWith(linePrefix) || !isKeyName(name) || !isPaddedBase64(encoded) || rest.length > 0)
    throw FormatError.at(place, `"${abbreviate(line)}" is not a dash, a key name and base64`);

  // Unused bits that are set may pass in a line by an unknown key. `atob` drops them, where `parseBase64` would refuse.
  const characters = atob(encoded);
  const bytes = Uint8Array.from({ length: characters.length }, (_, i) => characters.charCodeAt(i));
  if (bytes.length <= keyIdLength)
    throw FormatError.at(place, `${bytes.length} bytes, want a key id of ${keyIdLength} and a signature`);
  return {
    name,
    keyId: bytes.slice(0, keyIdLength),
    signature: bytes.slice(keyIdLength),
    isCanonical: formatBase64(bytes) === encoded,
  };
}

/** Valid Unicode without control characters (those below U+0020) other than line feed. */
function isNoteText(text: string): boolean {
  return text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name);
}

function keyLabel({ name, keyId }: VerifierKey): string {
  return `${name}+${formatHex(keyId)}`;
}
