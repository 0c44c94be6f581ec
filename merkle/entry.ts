/** The entry: the 74 public bytes that stand in the log for a record (DESIGN 3.3). */

import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, formatUint64, parseUint64, utf8 } from './bytes.ts';
import { FormatError } from './errors.ts';

/** What an entry stands for. The position of a kind in this list is its byte. */
const kinds = ['genesis', 'transaction', 'audit', 'chain'] as const;
export type EntryKind = (typeof kinds)[number];

/**
 * An entry, at these offsets: 0 the version, 1; 1 the kind; 2 the time, unsigned big-endian; 10 the key id; 42 the commitment.
 */
export type Entry = {
  readonly kind: EntryKind;
  /** Milliseconds since 1970, a safe integer. */
  readonly time: number;
  /** 32 bytes: the thumbprint of the agency's key; zeros exactly for kinds that no agency signs. */
  readonly keyId: Uint8Array;
  /** 32 bytes: `commitmentOf` a record; the hash of the genesis document, or of a final block. */
  readonly commitment: Uint8Array;
};

export const entryLength = 74;

const version = 1;

/** Says whether an agency's key vouches for entries of a kind: the others are the service's own. */
export function isRecord(kind: EntryKind): boolean {
  return kind === 'transaction' || kind === 'audit';
}

/** The 74 bytes of an entry. Requires lengths and a key id as the type says. */
export function formatEntry({ kind, time, keyId, commitment }: Entry): Uint8Array {
  return concatBytes(Uint8Array.of(version, kinds.indexOf(kind)), formatUint64(time), keyId, commitment);
}

/** Reads the 74 bytes of an entry. @throws {FormatError} naming every fault */
export function parseEntry(bytes: Uint8Array): Entry {
  if (bytes.length !== entryLength)
    throw FormatError.at('', `entry has ${bytes.length} bytes, want ${entryLength}`);
  const [versionByte, kindByte] = bytes;
  if (versionByte !== version) throw FormatError.at('', `entry version is ${versionByte}, want ${version}`);
  const kind = kinds[kindByte ?? kinds.length];
  if (kind === undefined)
    throw FormatError.at('', `entry kind is ${kindByte}, want 0 to ${kinds.length - 1}`);
  const time = parseUint64(bytes.subarray(2, 10), 'entry time');
  const keyId = bytes.slice(10, 42);
  if (isRecord(kind) !== keyId.some(byte => byte !== 0))
    throw FormatError.at('', `entry of kind ${kind} ${isRecord(kind) ? 'without' : 'with'} a key id`);
  return { kind, time, keyId, commitment: bytes.slice(42) };
}

/**
 * What a record's entry commits to. The salt is erased with the record, and the hash then says nothing about anybody.
 * @param salt 32 random bytes
 * @param event the event's bytes, exactly as signed
 * @param statement the compact JWS
 */
export function commitmentOf(salt: Uint8Array, event: Uint8Array, statement: string): Uint8Array {
  return sha256(concatBytes(salt, sha256(event), sha256(utf8(statement))));
}

/** Milliseconds since 1970 in UTC, as `2026-11-24T08:00:00.000Z`; past the year 9999, which RFC 3339 cannot spell, as a number. */
export function formatTime(ms: number): string {
  return ms < firstBeyondRfc3339 ? new Date(ms).toISOString() : `${ms} ms since 1970`;
}

const firstBeyondRfc3339 = Date.UTC(10_000, 0, 1);
