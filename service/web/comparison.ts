/** What lies beside a receipt, compared with what was signed: the event itself, or a document that the event names by its SHA-256. */

import { sha256 } from '@noble/hashes/sha2.js';
import { equalBytes, formatBase64, formatBase64url, formatHex } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { type Json, JsonNumber, parseJson } from '../../merkle/json.ts';
import { linesOf } from './event.ts';

export type Comparison =
  /** Byte for byte the event that was signed; or the same JSON, otherwise spelt. */
  | { readonly kind: 'event' | 'event-respelt' }
  /** The event has this file's SHA-256 at this path. */
  | { readonly kind: 'document'; readonly path: readonly string[] }
  /** Another event; or another file than the document that was signed. */
  | { readonly kind: 'other-event' | 'other-document' }
  /** The receipt has no event, or an event that names no document: nothing can be said. */
  | { readonly kind: 'no-event' | 'no-fingerprint' };

/** Whether a comparison shows that the file is not what was signed. */
export function isOther({ kind }: Comparison): boolean {
  return kind === 'other-event' || kind === 'other-document';
}

/** No event is larger. */
const maxEventBytes = 2 ** 20;

/** Compares a file with a signed event. @throws {DOMException} if the file cannot be read */
export async function compare(event: Uint8Array | undefined, file: Blob): Promise<Comparison> {
  if (event === undefined) return { kind: 'no-event' };
  const signed = parseJson(event);
  let isEvent = false;
  if (file.size <= maxEventBytes) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (equalBytes(bytes, event)) return { kind: 'event' };
    const other = jsonIn(bytes);
    if (other !== undefined && equalJson(other, signed)) return { kind: 'event-respelt' };
    isEvent = other instanceof Map && other.has('specversion');
  }
  const digest = await digestOf(file);
  const spellings = [formatHex(digest), formatBase64(digest), formatBase64url(digest)];
  // Hexadecimal is written in either case, and often with a word before it.
  for (const { path, value } of linesOf(signed, []))
    if (spellings.some(text => value === text || value.toLowerCase().replace(/^sha-?256:/, '') === text))
      return { kind: 'document', path };
  if (isEvent) return { kind: 'other-event' };
  return { kind: namesDocument(signed) ? 'other-document' : 'no-fingerprint' };
}

/** Whether an event is one that `zegel submit --documents` makes, which is about one document and says so. */
function namesDocument(event: Json): boolean {
  const data = event instanceof Map ? event.get('data') : undefined;
  return (
    event instanceof Map &&
    event.get('type') === 'zegel.document' &&
    data instanceof Map &&
    typeof data.get('sha256') === 'string'
  );
}

async function digestOf(file: Blob): Promise<Uint8Array> {
  const hash = sha256.create();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return hash.digest();
    hash.update(value);
  }
}

function jsonIn(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Whether two documents hold the same, whatever the order of members, the white space, and how a number is spelt. */
function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([name, value]) => b.has(name) && equalJson(value, b.get(name)));
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => equalJson(item, b[i]));
  if (a instanceof JsonNumber && b instanceof JsonNumber) return exactValue(a) === exactValue(b);
  return a === b;
}

/** A number's exact value in one spelling, `125e2` for 12500.00: programs that copy an event write numbers in their own way. */
function exactValue({ text }: JsonNumber): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(-?\d+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return '0';
  const significant = digits.replace(/0+$/, '');
  // An exponent may be of any size, and must not be rounded.
  const exponent = BigInt(power) + BigInt(digits.length - significant.length - fraction.length);
  return `${sign}${significant}e${exponent}`;
}
