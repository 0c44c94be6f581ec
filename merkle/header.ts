/**
 * Block headers, read from RLP and kept as they were encoded, because consensus engines hash a header with one item changed.
 *
 * A header is an RLP list of byte strings: parentHash, ommersHash, coinbase, stateRoot, transactionsRoot, receiptsRoot,
 * logsBloom, difficulty, number, gasLimit, gasUsed, timestamp, extraData, mixHash, nonce, and then whatever later forks
 * appended. How many items follow is the fork's affair: they are hashed, and not looked at.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { abbreviate, parseHex0x } from './bytes.ts';
import { FormatError, type Issue } from './errors.ts';
import { decodeString, encodeList, encodeRlp, splitList } from './rlp.ts';

/** A header whose form was checked. */
export type Header = {
  /** All items, each as it was encoded. */
  readonly items: readonly Uint8Array[];
  readonly parentHash: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly number: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly extraData: Uint8Array;
};

/**
 * The items in their order (yellow paper, section 4.4.3; EIPs 1559, 4895, 4844, 4788, 7685), under the names of the JSON-RPC
 * method `eth_getBlockByNumber`. A number is a length in bytes; a quantity is a minimal big-endian integer; bytes are free.
 */
const fields: readonly (readonly [name: string, form: number | 'quantity' | 'bytes'])[] = [
  ['parentHash', 32],
  ['sha3Uncles', 32],
  ['miner', 20],
  ['stateRoot', 32],
  ['transactionsRoot', 32],
  ['receiptsRoot', 32],
  ['logsBloom', 256],
  ['difficulty', 'quantity'],
  ['number', 'quantity'],
  ['gasLimit', 'quantity'],
  ['gasUsed', 'quantity'],
  ['timestamp', 'quantity'],
  ['extraData', 'bytes'],
  ['mixHash', 32],
  ['nonce', 8],
  ['baseFeePerGas', 'quantity'],
  ['withdrawalsRoot', 32],
  ['blobGasUsed', 'quantity'],
  ['excessBlobGas', 'quantity'],
  ['parentBeaconBlockRoot', 32],
  ['requestsHash', 32],
];
const requiredFields = 15;
const extraDataItem = 12;

/**
 * Reads one header. Its first fifteen items have their fixed lengths or are minimal integers; number and time are safe integers.
 * @throws {FormatError} otherwise, and on RLP that is not canonical
 */
export function parseHeader(rlp: Uint8Array): Header {
  const items = splitList(rlp);
  const values = items.map(decodeString);
  if (items.length < requiredFields) {
    throw FormatError.at('', `header has ${items.length} items, want ${requiredFields} or more`);
  }
  const known = new Map<string, Uint8Array>();
  for (const [i, [name, form]] of fields.slice(0, requiredFields).entries()) {
    const value = values[i] ?? new Uint8Array(0);
    if (typeof form === 'number' && value.length !== form) {
      throw FormatError.at('', `header's ${name} has ${value.length} bytes, want ${form}`);
    }
    if (form === 'quantity' && value[0] === 0) {
      throw FormatError.at('', `header's ${name} is an integer with a leading zero`);
    }
    known.set(name, value);
  }
  const item = (name: string) => known.get(name) ?? new Uint8Array(0);
  return {
    items,
    parentHash: item('parentHash'),
    stateRoot: item('stateRoot'),
    number: safeInteger(item('number'), 'number'),
    time: safeInteger(item('timestamp'), 'timestamp'),
    extraData: item('extraData'),
  };
}

/** Keccak-256 of the header as it stands: the block's hash, except under QBFT (see `blockHash`). */
export function headerHash(header: Header): Uint8Array {
  return keccak_256(encodeList(header.items));
}

/** The header's RLP with other extraData. */
export function headerWithExtra(header: Header, extraData: Uint8Array): Uint8Array {
  return encodeList(header.items.map((item, i) => (i === extraDataItem ? encodeRlp(extraData) : item)));
}

/**
 * Rebuilds a header's RLP from the answer to `eth_getBlockByNumber`, of which it takes the items that are there. A node may
 * answer anything, so the caller compares the block's hash with what `blockHash` makes of the result.
 * @throws {FormatError} naming every member that is missing or not spelt as the JSON-RPC specification says, and every member
 * of a later fork that stands without the ones before it
 */
export function headerFromRpc(block: Readonly<Record<string, unknown>>): Uint8Array {
  const issues: Issue[] = [];
  const items: Uint8Array[] = [];
  let firstAbsent: string | undefined;
  for (const [i, [name, form]] of fields.entries()) {
    const value = block[name] ?? undefined;
    if (value === undefined && i >= requiredFields) {
      firstAbsent ??= name;
      continue;
    }
    if (firstAbsent !== undefined) issues.push({ place: name, message: `is there without ${firstAbsent}` });
    try {
      items.push(encodeRlp(form === 'quantity' ? parseQuantity(value, name) : parseBytes(value, form, name)));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new FormatError(issues);
  return encodeList(items);
}

function safeInteger(bytes: Uint8Array, name: string): number {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  // From 2^53 on the sum may be rounded, but never below it.
  if (!Number.isSafeInteger(value)) throw FormatError.at('', `header's ${name} is beyond 2^53 - 1`);
  return value;
}

/** A quantity of JSON-RPC, `0x0` or hexadecimal without leading zeros, as minimal big-endian bytes: none for zero. */
function parseQuantity(value: unknown, place: string): Uint8Array {
  const digits = typeof value === 'string' ? /^0x(0|[1-9a-f][0-9a-f]*)$/.exec(value)?.[1] : undefined;
  if (digits === undefined) throw FormatError.at(place, `${describe(value)} is not a hexadecimal quantity`);
  if (digits === '0') return new Uint8Array(0);
  const even = digits.padStart(digits.length + (digits.length % 2), '0');
  return parseHex0x(`0x${even}`, even.length / 2, place);
}

function parseBytes(value: unknown, form: number | 'bytes', place: string): Uint8Array {
  if (typeof value !== 'string') throw FormatError.at(place, `${describe(value)} is not hexadecimal data`);
  return parseHex0x(value, form === 'bytes' ? Math.max(0, Math.floor(value.length / 2) - 1) : form, place);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `"${abbreviate(value)}"`;
  return value === undefined ? 'a missing member' : `a ${typeof value}`;
}
