/** Where a log begins: its genesis document, its identifier, and the names that stand in them (DESIGN 3.3). */

import { sha256 } from '@noble/hashes/sha2.js';
import { abbreviate, concatBytes, formatHex0x, parseHex0x, utf8 } from './bytes.ts';
import { type Entry, formatTime } from './entry.ts';
import { FormatError } from './errors.ts';
import { type Json, JsonReader, parseJson } from './json.ts';

/**
 * What entry 0 commits to. Its text is
 * `{"chainId":"2026","created":"2026-11-24T08:00:00.000Z","origin":"ledger.example/2026","previous":null,"registry":"0x…"}`, or
 * with `"previous":{"logId":"0x…","root":"0x…","size":9}`: members in this order, no white space.
 */
export type Genesis = {
  /** The EVM chain that the log is anchored on, in decimal. */
  readonly chainId: string;
  /** UTC with milliseconds, as `formatTime` prints it. */
  readonly created: string;
  readonly origin: string;
  /** The closed log that this one succeeds. */
  readonly previous: null | PreviousLog;
  /** The anchor registry's address, 20 bytes. */
  readonly registry: Uint8Array;
};

export type PreviousLog = { readonly logId: Uint8Array; readonly root: Uint8Array; readonly size: number };

/** The text of a genesis document. */
export function formatGenesis({ chainId, created, origin, previous, registry }: Genesis): string {
  // JSON.stringify keeps this order, and no value needs escaping.
  return JSON.stringify({
    chainId,
    created,
    origin,
    previous: previous && {
      logId: formatHex0x(previous.logId),
      root: formatHex0x(previous.root),
      size: previous.size,
    },
    registry: formatHex0x(registry),
  });
}

/** Reads a genesis document in its one spelling. @throws {FormatError} naming every fault */
export function parseGenesis(text: string): Genesis {
  const reader = new JsonReader();
  const members = reader.object(parseJson(utf8(text)), '', [
    'chainId',
    'created',
    'origin',
    'previous',
    'registry',
  ]);
  const named = (name: string, parse: (text: string, place: string) => string): string => {
    const value = reader.string(members.get(name), name);
    return typeof members.get(name) === 'string' ? reader.parse(name, () => parse(value, name), '') : '';
  };
  const previous = members.get('previous');
  const genesis: Genesis = {
    chainId: named('chainId', parseChainId),
    created: named('created', parseCreated),
    origin: named('origin', parseOrigin),
    previous: previous === undefined || previous === null ? null : readPrevious(reader, previous),
    registry: reader.hex(members.get('registry'), 'registry', 20),
  };
  reader.finish(undefined);
  if (genesis.previous?.size === 0) throw FormatError.at('previous.size', 'is 0, but a log is never empty');
  if (formatGenesis(genesis) !== text)
    throw FormatError.at('', 'genesis document is not in its one spelling: members in order, no white space');
  return genesis;
}

function readPrevious(reader: JsonReader, value: Json): PreviousLog {
  const members = reader.object(value, 'previous', ['logId', 'root', 'size']);
  return {
    logId: reader.hex(members.get('logId'), 'previous.logId', 32),
    root: reader.hex(members.get('root'), 'previous.root', 32),
    size: reader.integer(members.get('size'), 'previous.size'),
  };
}

/**
 * A log's identifier, 32 bytes: SHA-256(chain id as uint256 ‖ the anchor registry's 20 bytes ‖ origin). With the chain and the
 * registry in it, no other chain can speak for the log.
 */
export function logId(chainId: string, registry: Uint8Array, origin: string): Uint8Array {
  return sha256(concatBytes(uint256(BigInt(chainId)), registry, utf8(origin)));
}

/** Entry 0 of a log. `time` in milliseconds since 1970. */
export function genesisEntry(document: string, time: number): Entry {
  return { kind: 'genesis', time, keyId: new Uint8Array(32), commitment: sha256(utf8(document)) };
}

/** Reads a log's origin: 1 to 128 of `[a-z0-9.:/_-]`. @throws {FormatError} otherwise */
export function parseOrigin(text: string, place = ''): string {
  if (!/^[a-z0-9.:/_-]{1,128}$/.test(text))
    throw FormatError.at(place, `"${abbreviate(text)}" is not an origin, want 1 to 128 of [a-z0-9.:/_-]`);
  return text;
}

/** Reads an agency's identifier: 1 to 21 of `[A-Z0-9:.-]`. @throws {FormatError} otherwise */
export function parseAgency(text: string, place = ''): string {
  if (!/^[A-Z0-9:.-]{1,21}$/.test(text))
    throw FormatError.at(place, `"${abbreviate(text)}" is not an agency, want 1 to 21 of [A-Z0-9:.-]`);
  return text;
}

/** Reads an EVM chain's id: a positive number below 2^256 in decimal. @throws {FormatError} otherwise */
export function parseChainId(text: string, place = ''): string {
  if (!/^[1-9][0-9]{0,77}$/.test(text) || BigInt(text) >= 2n ** 256n)
    throw FormatError.at(place, `"${abbreviate(text)}" is not a chain id, want a positive number in decimal`);
  return text;
}

function parseCreated(text: string, place: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || ms < 0 || formatTime(ms) !== text)
    throw FormatError.at(place, `"${abbreviate(text)}" is not a time such as 2026-11-24T08:00:00.000Z`);
  return text;
}

function uint256(value: bigint): Uint8Array {
  return parseHex0x(`0x${value.toString(16).padStart(64, '0')}`, 32);
}
