import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, formatHex, parseHex, utf8 } from '../../merkle/bytes.ts';
import {
  commitmentOf,
  type Entry,
  entryLength,
  formatEntry,
  formatTime,
  isRecord,
  parseEntry,
} from '../../merkle/entry.ts';
import { faultsOf } from '../helpers/refusals.ts';

const zeros = new Uint8Array(32);
const key = new Uint8Array(32).fill(0xaa);
const commitment = new Uint8Array(32).fill(0xbb);
const transaction: Entry = { kind: 'transaction', time: 1_795_507_200_000, keyId: key, commitment };

// Written by hand from DESIGN 3.3: version, kind, time, key id, commitment.
const golden: readonly (readonly [Entry, string])[] = [
  [transaction, `01${'01'}000001a20c91a000${'aa'.repeat(32)}${'bb'.repeat(32)}`],
  [
    { ...transaction, kind: 'audit', time: 1 },
    `01${'02'}0000000000000001${'aa'.repeat(32)}${'bb'.repeat(32)}`,
  ],
  [
    { ...transaction, kind: 'genesis', time: 0, keyId: zeros },
    `01${'00'}0000000000000000${'00'.repeat(32)}${'bb'.repeat(32)}`,
  ],
  [
    { ...transaction, kind: 'chain', time: Number.MAX_SAFE_INTEGER, keyId: zeros },
    `01${'03'}001fffffffffffff${'00'.repeat(32)}${'bb'.repeat(32)}`,
  ],
];

describe('formatEntry and parseEntry', () => {
  it.each(golden)('print and read %o as 74 bytes that never change', (entry, hex) => {
    expect(formatHex(formatEntry(entry))).toBe(hex);
    expect(parseEntry(parseHex(hex, entryLength))).toEqual(entry);
  });

  it('read back whatever they print', () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(
        fc.constantFrom('genesis', 'transaction', 'audit', 'chain'),
        fc.maxSafeNat(),
        bytes32,
        bytes32,
        (kind, time, id, hash) => {
          const keyId = isRecord(kind) ? concatBytes(id.subarray(1), Uint8Array.of(1)) : zeros;
          const entry: Entry = { kind, time, keyId, commitment: hash };
          const bytes = formatEntry(entry);
          expect(bytes).toHaveLength(entryLength);
          expect(parseEntry(bytes)).toEqual(entry);
          // Also where the entry is part of something larger.
          expect(parseEntry(concatBytes(Uint8Array.of(9), bytes).subarray(1))).toEqual(entry);
        },
      ),
    );
  });

  it('hold copies: an entry does not change with the bytes that it was read from', () => {
    const bytes = formatEntry(transaction);
    const entry = parseEntry(bytes);
    bytes.fill(0);
    expect(entry).toEqual(transaction);
  });

  const hex = formatHex(formatEntry(transaction));
  it.each([
    ['nothing', '', ': entry has 0 bytes, want 74'],
    ['73 bytes', hex.slice(2), ': entry has 73 bytes, want 74'],
    ['75 bytes', `${hex}00`, ': entry has 75 bytes, want 74'],
    ['version 0', `00${hex.slice(2)}`, ': entry version is 0, want 1'],
    ['version 2', `02${hex.slice(2)}`, ': entry version is 2, want 1'],
    ['kind 4', `0104${hex.slice(4)}`, ': entry kind is 4, want 0 to 3'],
    ['kind 255', `01ff${hex.slice(4)}`, ': entry kind is 255, want 0 to 3'],
    [
      'a time of 2^53',
      `01010020000000000000${hex.slice(20)}`,
      'entry time: 9007199254740992 is beyond 2^53 - 1',
    ],
    [
      'a time of 2^64 - 1',
      `0101ffffffffffffffff${hex.slice(20)}`,
      'entry time: 18446744073709551615 is beyond 2^53 - 1',
    ],
    [
      'a transaction without a key',
      `${hex.slice(0, 20)}${'00'.repeat(32)}${'bb'.repeat(32)}`,
      ': entry of kind transaction without a key id',
    ],
    [
      'an audit entry without a key',
      `0102${hex.slice(4, 20)}${'00'.repeat(32)}${'bb'.repeat(32)}`,
      ': entry of kind audit without a key id',
    ],
    ['a genesis entry with a key', `0100${hex.slice(4)}`, ': entry of kind genesis with a key id'],
    ['a chain entry with a key', `0103${hex.slice(4)}`, ': entry of kind chain with a key id'],
    [
      'a chain entry with one bit of a key',
      `0103${hex.slice(4, 20)}${'00'.repeat(31)}01${'bb'.repeat(32)}`,
      ': entry of kind chain with a key id',
    ],
  ])('refuses %s', (_, text, fault) => {
    expect(faultsOf(() => parseEntry(parseHex(text, text.length / 2)))).toEqual([fault]);
  });
});

describe('isRecord', () => {
  it('is true of what an agency signs', () => {
    expect((['genesis', 'transaction', 'audit', 'chain'] as const).filter(isRecord)).toEqual([
      'transaction',
      'audit',
    ]);
  });
});

describe('commitmentOf', () => {
  it('is SHA-256(salt ‖ SHA-256(event) ‖ SHA-256(statement))', () => {
    const sha256 = (...parts: (Uint8Array | string)[]) =>
      parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
    const salt = new Uint8Array(32).fill(1);
    const want = sha256(salt, sha256('{}'), sha256('a.b.c'));
    expect(formatHex(commitmentOf(salt, utf8('{}'), 'a.b.c'))).toBe(want.toString('hex'));
    expect(want.toString('hex')).toBe('38d30e465acbeaacb898024ef864635a7ab240d60e7636bc3a726888a4b99334');
  });
});

describe('formatTime', () => {
  it.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [1_795_507_200_000, '2026-11-24T08:00:00.000Z'],
    [253_402_300_799_999, '9999-12-31T23:59:59.999Z'],
    [253_402_300_800_000, '253402300800000 ms since 1970'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991 ms since 1970'],
  ])('prints %d as %s', (ms, text) => {
    expect(formatTime(ms)).toBe(text);
  });
});
