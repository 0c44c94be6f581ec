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
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
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
  const characters = scratch(Math.ceil((bytes.length * 4) / 3));
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
  if (pendingBits > 0) characters[at++] = alphabet.charCodeAt((pending << (6 - pendingBits)) & 63);
  return decoder.decode(characters.subarray(0, at));
}

const scratchLength = 1 << 14;
const shared = new Uint8Array(scratchLength);

/** Room for bytes that nobody keeps: most are few, and making an array for them costs more than filling it. */
function scratch(length: number): Uint8Array {
  return length <= scratchLength ? shared : new Uint8Array(length);
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
  // Read as bytes, since a text that is a part of another one takes twice as long to read character by character.
  const room = scratch(3 * text.length);
  const { written } = encoder.encodeInto(text, room);
  const bytes = new Uint8Array(decodedLength(written));
  return decodeInto(room, 0, written, bytes, 0, values) ? bytes : undefined;
}

function decodedLength(characters: number): number {
  return Math.floor((characters * 3) / 4);
}

/** Decodes the characters from `i` to `end` into `bytes` from `at` on, where there is room. False where `decode64` gives nothing. */
function decodeInto(
  characters: Uint8Array,
  start: number,
  end: number,
  bytes: Uint8Array,
  into: number,
  values: Uint8Array,
): boolean {
  if ((end - start) % 4 === 1) return false;
  let [i, at] = [start, into];
  // Four characters are three bytes; what is left is taken bit by bit.
  for (; i + 4 <= end; i += 4) {
    const a = values[characters[i] ?? 0] ?? foreign;
    const b = values[characters[i + 1] ?? 0] ?? foreign;
    const c = values[characters[i + 2] ?? 0] ?? foreign;
    const d = values[characters[i + 3] ?? 0] ?? foreign;
    if ((a | b | c | d) > 63) return false;
    bytes[at++] = (a << 2) | (b >> 4);
    bytes[at++] = (b << 4) | (c >> 2);
    bytes[at++] = (c << 6) | d;
  }
  let pending = 0;
  let pendingBits = 0;
  for (; i < end; i++) {
    const value = values[characters[i] ?? 0] ?? foreign;
    if (value === foreign) return false;
    pending = (pending << 6) | value;
    pendingBits += 6;
    if (pendingBits >= 8) {
      pendingBits -= 8;
      bytes[at++] = pending >> pendingBits;
      pending &= (1 << pendingBits) - 1;
    }
  }
  return pending === 0;
}

/** A text in UTF-8, and each of the parts between its dots read as base64url: undefined where that is not canonical. */
export type DottedText = {
  readonly bytes: Uint8Array;
  readonly parts: readonly (Uint8Array | undefined)[];
};

/**
 * Reads a text whose parts stand between dots, as in a compact JWS: what `utf8` and `parseBase64url` give one by one, and where it is
 * short in one piece of memory. A service makes that piece for each statement it takes, and three or four would cost it more than
 * reading them.
 */
export function parseDotted(text: string): DottedText {
  // Of a long text a part may be kept for long: it is not to keep the rest.
  if (text.length > 4_096)
    return { bytes: utf8(text), parts: text.split('.').map(part => decode64(part, urlValues)) };
  const all = new Uint8Array(text.length + decodedLength(text.length));
  // Whatever is not ASCII takes more bytes than it has characters, so it does not all fit.
  const isAscii = encoder.encodeInto(text, all.subarray(0, text.length)).read === text.length;
  const parts: (Uint8Array | undefined)[] = [];
  let at = text.length;
  for (let start = 0; start <= text.length; ) {
    const dot = text.indexOf('.', start);
    const end = dot < 0 ? text.length : dot;
    const length = decodedLength(end - start);
    const isGood = isAscii && decodeInto(all, start, end, all, at, urlValues);
    parts.push(isGood ? all.subarray(at, at + length) : undefined);
    at += length;
    start = end + 1;
  }
  return { bytes: isAscii ? all.subarray(0, text.length) : utf8(text), parts };
}

/** An unsigned integer as 8 bytes, big-endian. Requires a safe integer. */
export function formatUint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  // Two halves byte by byte: a BigInt takes several times as long, and so does a view, for which so few bytes get a buffer of their own.
  const [high, low] = [Math.floor(value / 2 ** 32), value % 2 ** 32];
  for (let i = 0; i < 4; i++) {
    bytes[i] = high >>> (24 - 8 * i);
    bytes[4 + i] = low >>> (24 - 8 * i);
  }
  return bytes;
}

/** Reads 8 bytes, big-endian. @throws {FormatError} beyond 2^53 - 1, where numbers are no longer exact */
export function parseUint64(bytes: Uint8Array, place = ''): number {
  if (bytes.length < 8) throw new RangeError(`${bytes.length} bytes, want 8`);
  let [high, low] = [0, 0];
  for (let i = 0; i < 4; i++) {
    high = high * 256 + (bytes[i] ?? 0);
    low = low * 256 + (bytes[4 + i] ?? 0);
  }
  if (high >= 2 ** 21)
    throw FormatError.at(place, `${(BigInt(high) << 32n) + BigInt(low)} is beyond 2^53 - 1`);
  return high * 2 ** 32 + low;
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
