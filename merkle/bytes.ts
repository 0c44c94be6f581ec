/** Bytes and their textual forms: each text is accepted only in the one spelling that we would print. */

import { FormatError } from './errors.ts';

/** Joins byte strings. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Says whether two public byte strings are the same. Not for secrets: it stops at the first difference. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const encoder = new TextEncoder();
// `ignoreBOM` keeps a byte order mark in the text, where the JSON reader refuses it, instead of dropping it unseen.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text as UTF-8. Lone surrogates have no UTF-8 and are never printed by us. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Reads UTF-8. @throws {FormatError} on invalid UTF-8, which the platform would silently replace by default */
export function parseUtf8(bytes: Uint8Array, place = ''): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw FormatError.at(place, 'is not valid UTF-8');
  }
}

/** Lower-case hexadecimal, without a prefix. */
export function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexPairs[byte];
  return text;
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hexadecimal with `0x`, as people know addresses, block hashes and log ids. */
export function formatHex0x(bytes: Uint8Array): string {
  return `0x${formatHex(bytes)}`;
}

/** Reads lower-case hexadecimal of a known length. @throws {FormatError} on any other spelling */
export function parseHex(text: string, lengthBytes: number, place = ''): Uint8Array {
  if (text.length !== 2 * lengthBytes || !/^[0-9a-f]*$/.test(text)) {
    throw FormatError.at(
      place,
      `"${abbreviate(text)}" is not ${lengthBytes} bytes in lower-case hexadecimal`,
    );
  }
  return Uint8Array.from({ length: lengthBytes }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Reads `0x` and lower-case hexadecimal of a known length. @throws {FormatError} on any other spelling */
export function parseHex0x(text: string, lengthBytes: number, place = ''): Uint8Array {
  if (!text.startsWith('0x')) {
    throw FormatError.at(place, `"${abbreviate(text)}" is not 0x and ${2 * lengthBytes} hexadecimal digits`);
  }
  return parseHex(text.slice(2), lengthBytes, place);
}

const standardAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const urlAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** base64url without padding (RFC 4648 section 5, RFC 7515 section 2). */
export function formatBase64url(bytes: Uint8Array): string {
  return encode64(bytes, urlAlphabet);
}

/** Reads base64url without padding in its canonical spelling: unused bits are zero. @throws {FormatError} otherwise */
export function parseBase64url(text: string, place = ''): Uint8Array {
  const bytes = decode64(text, urlValues);
  if (bytes === undefined)
    throw FormatError.at(place, `"${abbreviate(text)}" is not canonical base64url${stranger(text)}`);
  return bytes;
}

/** Names the character that base64url does not have, where the abbreviated text no longer shows it: padding or a line feed, mostly. */
function stranger(text: string): string {
  const at = text.search(/[^A-Za-z0-9_-]/);
  if (at === -1 || !abbreviate(text).endsWith('…')) return '';
  const codePoint = (text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `: it has U+${codePoint} at character ${at}`;
}

/** Standard base64 with padding (RFC 4648 section 4), which signed notes use. */
export function formatBase64(bytes: Uint8Array): string {
  const text = encode64(bytes, standardAlphabet);
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

/** Reads standard base64 with padding in its canonical spelling. @throws {FormatError} otherwise */
export function parseBase64(text: string, place = ''): Uint8Array {
  const bytes = decode64(text.replace(/={1,2}$/, ''), standardValues);
  if (bytes === undefined || formatBase64(bytes) !== text) {
    throw FormatError.at(place, `"${abbreviate(text)}" is not canonical base64`);
  }
  return bytes;
}

function encode64(bytes: Uint8Array, alphabet: string): string {
  // Characters as bytes, since a string that grows by a character at a time takes minutes over what a hostile note may hold.
  const characters = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let at = 0;
  let pending = 0;
  let pendingBits = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    pendingBits += 8;
    while (pendingBits >= 6) {
      pendingBits -= 6;
      characters[at++] = alphabet.charCodeAt((pending >> pendingBits) & 63);
    }
    pending &= (1 << pendingBits) - 1;
  }
  if (pendingBits > 0) characters[at] = alphabet.charCodeAt((pending << (6 - pendingBits)) & 63);
  return decoder.decode(characters);
}

const foreign = 255;
const urlValues = valuesOf(urlAlphabet);
const standardValues = valuesOf(standardAlphabet);

/** The value of each character in an alphabet, by its byte in UTF-8. */
function valuesOf(alphabet: string): Uint8Array {
  const values = new Uint8Array(256).fill(foreign);
  for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value;
  return values;
}

/** Decodes unpadded base64; undefined for a foreign character, an impossible length, or unused bits that are set. */
function decode64(text: string, values: Uint8Array): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  // Read as bytes, since a text that is a part of another one takes twice as long to read character by character.
  const characters = utf8(text);
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let at = 0;
  let i = 0;
  // Four characters are three bytes; what is left is taken bit by bit.
  for (; i + 4 <= characters.length; i += 4) {
    const a = values[characters[i] ?? 0] ?? foreign;
    const b = values[characters[i + 1] ?? 0] ?? foreign;
    const c = values[characters[i + 2] ?? 0] ?? foreign;
    const d = values[characters[i + 3] ?? 0] ?? foreign;
    if ((a | b | c | d) > 63) return undefined;
    bytes[at++] = (a << 2) | (b >> 4);
    bytes[at++] = (b << 4) | (c >> 2);
    bytes[at++] = (c << 6) | d;
  }
  let pending = 0;
  let pendingBits = 0;
  for (; i < characters.length; i++) {
    const value = values[characters[i] ?? 0] ?? foreign;
    if (value === foreign) return undefined;
    pending = (pending << 6) | value;
    pendingBits += 6;
    if (pendingBits >= 8) {
      pendingBits -= 8;
      bytes[at++] = pending >> pendingBits;
      pending &= (1 << pendingBits) - 1;
    }
  }
  return pending === 0 ? bytes : undefined;
}

/** An unsigned integer as 8 bytes, big-endian. Requires a safe integer. */
export function formatUint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  // Two halves, since a BigInt takes several times as long.
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value % 2 ** 32);
  return bytes;
}

/** Reads 8 bytes, big-endian. @throws {FormatError} beyond 2^53 - 1, where numbers are no longer exact */
export function parseUint64(bytes: Uint8Array, place = ''): number {
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw FormatError.at(place, `${value} is beyond 2^53 - 1`);
  return Number(value);
}

/** Accepts a decimal number from 0 to 2^53 - 1 in the one form that we would print; undefined otherwise. */
export function parseSafeInteger(text: string): number | undefined {
  // Number('') is 0 and Number(' 7 ') is 7, so what counts is that printing gives the same text again.
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 && String(value) === text ? value : undefined;
}

/**
 * A text short enough to be quoted in a message, with everything made visible that a terminal would obey rather than show:
 * controls, line separators, and what turns the direction of writing.
 */
export function abbreviate(text: string): string {
  if (/^[\w.:/-]{0,40}$/.test(text)) return text;
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return JSON.stringify(short)
    .slice(1, -1)
    .replace(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
      character => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`,
    );
}
