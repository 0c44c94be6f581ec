/**
 * Strict JSON: I-JSON (RFC 7493) that keeps the spelling of numbers.
 *
 * `JSON.parse` takes the last of two members with one name, replaces invalid UTF-8 and cannot tell 41 from 41.0 or 4.1e1. Two
 * readers could then see two documents in the same signed bytes. So this reader refuses duplicate names (compared after
 * unescaping), lone surrogates, a byte order mark, nesting deeper than 32, more than a million values, and names the place of the fault.
 */

import { abbreviate, parseBase64url, parseHex0x, parseSafeInteger, parseUtf8 } from './bytes.ts';
import { FormatError, type Issue } from './errors.ts';

/** A number as it was spelt: which spellings are good is for the reader of the member to say. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object's members in their order. A Map, since a plain object has a prototype that `__proto__` could reach. */
export type JsonObject = ReadonlyMap<string, Json>;

export type Json = null | boolean | string | JsonNumber | readonly Json[] | JsonObject;

/** How deep arrays and objects may nest (DESIGN 3.2). */
export const maxDepth = 32;

/** How many values a document may have: more than any receipt or event needs, and too few to exhaust memory. */
export const maxValues = 1_000_000;

/**
 * Reads one JSON text; `place` says what it is, where it is part of something larger.
 * @throws {FormatError} naming the place: a member's path, and the offset in the text
 */
export function parseJson(bytes: Uint8Array, place = ''): Json {
  return new Scanner(parseUtf8(bytes, place)).document(place);
}

// One token of each kind, anchored at the position where it must stand (RFC 8259 sections 6 and 7).
const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const plainCharacters = /[^"\\\u0000-\u001f]*/y;
const whiteSpace = /[ \t\n\r]*/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(place: string): Json {
    if (this.#text.startsWith('\ufeff')) throw this.#fault(place, 'want a JSON value, not a byte order mark');
    const value = this.#value(place);
    this.#skip();
    if (this.#at < this.#text.length) throw this.#fault(place, 'something follows the JSON value');
    return value;
  }

  #value(place: string): Json {
    if (++this.#values > maxValues) throw this.#fault(place, `more than ${maxValues} values`);
    this.#skip();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(place, () => this.#object(place));
      case '[':
        return this.#nested(place, () => this.#array(place));
      case '"':
        return this.#string(place);
      case 't':
        return this.#word(place, 'true', true);
      case 'f':
        return this.#word(place, 'false', false);
      case 'n':
        return this.#word(place, 'null', null);
    }
    const number = this.#match(numberToken);
    if (number === '') throw this.#fault(place, 'want a JSON value');
    return new JsonNumber(number);
  }

  #nested<T>(place: string, read: () => T): T {
    if (++this.#depth > maxDepth) throw this.#fault(place, `nested deeper than ${maxDepth}`);
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(place: string): JsonObject {
    const members = new Map<string, Json>();
    if (this.#take('}')) return members;
    do {
      this.#skip();
      if (this.#text[this.#at] !== '"') throw this.#fault(place, 'want a member name');
      const name = this.#string(place);
      if (members.has(name)) throw this.#fault(place, `member "${abbreviate(name)}" stands twice`);
      if (!this.#take(':')) throw this.#fault(place, `want a colon after "${abbreviate(name)}"`);
      members.set(name, this.#value(memberPlace(place, name)));
    } while (this.#take(','));
    if (!this.#take('}')) throw this.#fault(place, 'want a comma or the end of the object');
    return members;
  }

  #array(place: string): readonly Json[] {
    const items: Json[] = [];
    if (this.#take(']')) return items;
    do {
      items.push(this.#value(`${place}[${items.length}]`));
    } while (this.#take(','));
    if (!this.#take(']')) throw this.#fault(place, 'want a comma or the end of the array');
    return items;
  }

  #string(place: string): string {
    this.#at++;
    let value = '';
    for (;;) {
      value += this.#match(plainCharacters);
      const next = this.#text[this.#at];
      if (next === '"') break;
      if (next !== '\\')
        throw this.#fault(place, next === undefined ? 'string without end' : 'control character in a string');
      value += this.#escape(place);
    }
    this.#at++;
    if (!value.isWellFormed()) throw this.#fault(place, 'lone surrogate in a string');
    return value;
  }

  #escape(place: string): string {
    const letter = this.#text[this.#at + 1] ?? '';
    const plain = escapes[letter];
    if (plain !== undefined) {
      this.#at += 2;
      return plain;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits))
      throw this.#fault(place, 'unknown escape in a string');
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #word<T>(place: string, word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault(place, 'want a JSON value');
    this.#at += word.length;
    return value;
  }

  #match(token: RegExp): string {
    const start = this.#at;
    token.lastIndex = start;
    if (token.test(this.#text)) this.#at = token.lastIndex;
    return this.#text.slice(start, this.#at);
  }

  #skip(): void {
    // Where there is none, as almost everywhere in what machines write, one look is enough.
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#match(whiteSpace);
  }

  #take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fault(place: string, message: string): FormatError {
    return FormatError.at(place, `${message} (at character ${this.#at})`);
  }
}

/** The place of an object's member, for a fault's message. */
export function memberPlace(place: string, name: string): string {
  return place === '' ? abbreviate(name) : `${place}.${abbreviate(name)}`;
}

/**
 * Takes a parsed document apart and remembers every fault with its place, so that code which reads a document looks like the
 * document. A member that is wrong reads as an empty value of its type; `finish` then throws, so no such value gets out.
 */
export class JsonReader {
  readonly #issues: Issue[] = [];

  /** Records a fault. */
  fail(place: string, message: string): void {
    this.#issues.push({ place, message });
  }

  /** Gives the value if no fault was recorded. @throws {FormatError} with all faults otherwise */
  finish<T>(value: T): T {
    if (this.#issues.length > 0) throw new FormatError(this.#issues);
    return value;
  }

  /** Runs a parser of one value and records what it throws. */
  parse<T>(place: string, read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      for (const issue of error.issues) this.fail(issue.place === '' ? place : issue.place, issue.message);
      return otherwise;
    }
  }

  /** An object with exactly the required members, and no others but the optional ones. */
  object(
    value: Json | undefined,
    place: string,
    required: readonly string[],
    optional: readonly string[] = [],
  ): JsonObject {
    if (!(value instanceof Map)) {
      this.fail(place, `want an object, got ${kindOf(value)}`);
      // Its members would be named as missing one by one; the fault above says it all.
      return new Map();
    }
    for (const name of required) if (!value.has(name)) this.fail(place, `member "${name}" is missing`);
    for (const name of value.keys()) {
      if (!required.includes(name) && !optional.includes(name))
        this.fail(place, `unknown member "${abbreviate(name)}"`);
    }
    return value;
  }

  array(value: Json | undefined, place: string): readonly Json[] {
    if (Array.isArray(value)) return value as readonly Json[];
    if (value !== undefined) this.fail(place, `want an array, got ${kindOf(value)}`);
    return [];
  }

  string(value: Json | undefined, place: string): string {
    if (typeof value === 'string') return value;
    if (value !== undefined) this.fail(place, `want a string, got ${kindOf(value)}`);
    return '';
  }

  /** A string that is one of a few words; undefined after a fault. */
  word<Word extends string>(
    value: Json | undefined,
    place: string,
    words: readonly Word[],
  ): Word | undefined {
    const text = this.string(value, place);
    const word = words.find(known => known === text);
    if (word === undefined && typeof value === 'string')
      this.fail(place, `"${abbreviate(text)}" is not ${words.join(' or ')}`);
    return word;
  }

  /** An integer from 0 to 2^53 - 1, spelt with digits only. */
  integer(value: Json | undefined, place: string): number {
    const integer = value instanceof JsonNumber ? parseSafeInteger(value.text) : undefined;
    if (integer === undefined && value !== undefined) {
      const got = value instanceof JsonNumber ? abbreviate(value.text) : kindOf(value);
      this.fail(place, `want an integer from 0 to 2^53 - 1 in decimal digits, got ${got}`);
    }
    return integer ?? 0;
  }

  /** Canonical base64url, of a known length if one is given. */
  bytes(value: Json | undefined, place: string, lengthBytes?: number): Uint8Array {
    const text = this.string(value, place);
    const bytes = this.parse(place, () => parseBase64url(text), undefined);
    if (
      bytes !== undefined &&
      typeof value === 'string' &&
      lengthBytes !== undefined &&
      bytes.length !== lengthBytes
    ) {
      this.fail(place, `${bytes.length} bytes, want ${lengthBytes}`);
    }
    return bytes ?? new Uint8Array(0);
  }

  /** An array of 32-byte hashes in canonical base64url. */
  hashes(value: Json | undefined, place: string): readonly Uint8Array[] {
    return this.array(value, place).map((item, i) => this.bytes(item, `${place}[${i}]`, 32));
  }

  /** `0x` and lower-case hexadecimal of a known length. */
  hex(value: Json | undefined, place: string, lengthBytes: number): Uint8Array {
    if (value === undefined) return new Uint8Array(lengthBytes);
    const text = this.string(value, place);
    return this.parse(place, () => parseHex0x(text, lengthBytes), new Uint8Array(lengthBytes));
  }
}

function kindOf(value: Json | undefined): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (value instanceof JsonNumber) return `the number ${abbreviate(value.text)}`;
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return 'a boolean';
  return Array.isArray(value) ? 'an array' : 'an object';
}
