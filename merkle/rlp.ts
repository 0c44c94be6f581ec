/**
 * RLP, the encoding of Ethereum's headers and state (yellow paper, appendix B), read only in its one canonical form.
 *
 * An item is a byte string or a list of items. One byte below 0x80 stands for itself; up to 55 bytes follow a head of 0x80 (or
 * 0xc0 for a list) plus their number; more follow a head of 0xb7 (0xf7) plus the length of the big-endian number that then
 * gives theirs. Whoever hashes what was encoded must not accept two encodings of one item, so a longer head than needed is
 * refused, as are bytes after the item.
 */

import { concatBytes } from './bytes.ts';
import { FormatError } from './errors.ts';

/** A byte string, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Lists nest less than this in headers and state; unbounded nesting would let an input exhaust the stack. */
export const maxRlpDepth = 16;

/** Lists of headers and state have a few dozen items, or a validator each; a list without bound would let an input exhaust memory. */
export const maxRlpItems = 4096;

/** Reads one item. @throws {FormatError} unless the bytes are its canonical encoding and nothing else */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  return decodeItem(bytes, 0);
}

/** Reads one byte string. @throws {FormatError} on a list, or on bytes that are not canonical */
export function decodeString(bytes: Uint8Array): Uint8Array {
  const { isList, start } = readWhole(bytes);
  if (isList) throw FormatError.at('', 'RLP list where a byte string is wanted');
  return bytes.subarray(start);
}

/**
 * Takes one list apart into its items' encodings, which concatenated are the list's content again. Only the outermost level is
 * read: an item that is a list may be malformed inside.
 * @throws {FormatError} on a byte string, or on bytes that are not canonical
 */
export function splitList(bytes: Uint8Array): Uint8Array[] {
  const { isList, start } = readWhole(bytes);
  if (!isList) throw FormatError.at('', 'RLP byte string where a list is wanted');
  return splitItems(bytes.subarray(start));
}

/** The canonical encoding of an item. */
export function encodeRlp(item: RlpItem): Uint8Array {
  if (!(item instanceof Uint8Array)) return encodeList(item.map(encodeRlp));
  const [first] = item;
  if (item.length === 1 && first !== undefined && first < 0x80) return item.slice();
  return concatBytes(encodeHead(0x80, item.length), item);
}

/** A list of items that are encoded already. */
export function encodeList(encodedItems: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...encodedItems);
  return concatBytes(encodeHead(0xc0, content.length), content);
}

/** What an item's first bytes say: its kind, and where in the bytes its content lies. */
type Head = { readonly isList: boolean; readonly start: number; readonly end: number };

/** Reads the head of the item that the bytes begin with. */
function readHead(bytes: Uint8Array): Head {
  const [first] = bytes;
  if (first === undefined) throw FormatError.at('', 'RLP item of no bytes');
  if (first < 0x80) return { isList: false, start: 0, end: 1 };

  const isList = first >= 0xc0;
  const short = first - (isList ? 0xc0 : 0x80);
  const head = short <= 55 ? { start: 1, length: short } : readLength(bytes, short - 55);
  const end = head.start + head.length;
  if (end > bytes.length) {
    throw FormatError.at(
      '',
      `RLP item announces ${head.length} bytes, ${bytes.length - head.start} are there`,
    );
  }
  // A single small byte is its own encoding.
  if (!isList && head.length === 1 && (bytes[head.start] ?? 0) < 0x80) {
    throw FormatError.at('', 'RLP item has a head that it does not need');
  }
  return { isList, start: head.start, end };
}

/** Reads the length of a long item: `lengthBytes` big-endian bytes after the first one. */
function readLength(bytes: Uint8Array, lengthBytes: number): { start: number; length: number } {
  const start = 1 + lengthBytes;
  const digits = bytes.subarray(1, start);
  if (digits.length < lengthBytes) throw FormatError.at('', 'RLP item ends inside its head');
  // Beyond 2^53 the sum is rounded, but then it is larger than any input all the same.
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  if (digits[0] === 0 || length <= 55) throw FormatError.at('', 'RLP item has a longer head than it needs');
  return { start, length };
}

function readWhole(bytes: Uint8Array): Head {
  const head = readHead(bytes);
  if (head.end < bytes.length) {
    throw FormatError.at('', `RLP item is followed by ${bytes.length - head.end} bytes`);
  }
  return head;
}

function splitItems(content: Uint8Array): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    if (items.length === maxRlpItems) throw FormatError.at('', `RLP list of more than ${maxRlpItems} items`);
    const { end } = readHead(content.subarray(at));
    items.push(content.subarray(at, at + end));
    at += end;
  }
  return items;
}

function decodeItem(bytes: Uint8Array, depth: number): RlpItem {
  const { isList, start } = readWhole(bytes);
  const content = bytes.subarray(start);
  if (!isList) return content;
  if (depth === maxRlpDepth) throw FormatError.at('', `RLP lists nested deeper than ${maxRlpDepth}`);
  return splitItems(content).map(item => decodeItem(item, depth + 1));
}

function encodeHead(offset: number, length: number): Uint8Array {
  if (length <= 55) return Uint8Array.of(offset + length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Uint8Array.of(offset + 55 + digits.length, ...digits);
}
