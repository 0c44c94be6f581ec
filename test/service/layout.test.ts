/** What lies on disk keeps its form: keys and values that a later version must still find. */

import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatHex, utf8 } from '../../merkle/bytes.ts';
import { HmacKey } from '../../service/hashing.ts';
import { appendWrites, formatHead, type Head, nameKey, parseHead, tileKey } from '../../service/layout.ts';
import { StoreCorruptError } from '../../service/store.ts';

const head: Head = {
  size: 3,
  root: new Uint8Array(32).fill(0xab),
  time: 1_795_507_200_000,
  recordsUpTo: 2,
  chainEntry: { index: 2, blockTime: 1_795_507_199 },
  term: 7,
};

describe('nameKey', () => {
  it('is the HMAC of agency, source and id as a JSON array, under the secret of the log', () => {
    const secret = new Uint8Array(32).fill(1);
    const expected = createHmac('sha256', secret)
      .update('["OVO002949","https://é.example/a\\"b","1"]')
      .digest('hex');
    const keyUnder = (bytes: Uint8Array) =>
      formatHex(nameKey(new HmacKey(bytes), 'OVO002949', 'https://é.example/a"b', '1'));
    expect(keyUnder(secret)).toBe(expected);
    expect(keyUnder(new Uint8Array(32))).not.toBe(expected);
  });
});

describe('formatHead and parseHead', () => {
  it('keep every field, in this very text', () => {
    const text =
      `{"size":3,"root":"${'ab'.repeat(32)}","time":1795507200000,"recordsUpTo":2,` +
      '"chainEntry":{"index":2,"blockTime":1795507199},"term":7}';
    expect(formatHead(head)).toEqual(utf8(text));
    expect(parseHead(utf8(text))).toEqual(head);
    expect(parseHead(formatHead({ ...head, chainEntry: null }))).toEqual({ ...head, chainEntry: null });
  });

  it.each([
    ['a field too many', { extra: 1 }],
    ['a size of 0', { size: 0 }],
    ['a root in upper case', { root: 'AB'.repeat(32) }],
    ['no term', { term: undefined }],
  ])('refuse %s', (_, change) => {
    const text = JSON.stringify({ ...head, root: 'ab'.repeat(32), ...change });
    expect(() => parseHead(utf8(text))).toThrow(StoreCorruptError);
  });
});

describe('tileKey', () => {
  it('is the level in one byte and the index in eight', () => {
    expect(formatHex(tileKey({ level: 1, index: 258 }))).toBe('010000000000000102');
  });
});

describe('appendWrites', () => {
  it('puts an entry, its indexes, its record and its salt at their keys, and the head last', () => {
    const entry = new Uint8Array(74).fill(1);
    const leafHash = new Uint8Array(32).fill(2);
    const record = { name: utf8('name'), salt: new Uint8Array(32).fill(3), sealed: utf8('sealed') };
    const tile = { level: 0, index: 0, width: 1 };
    const writes = appendWrites(258, [{ entry, leafHash, record }], [{ tile, hashes: [leafHash] }], head);
    const index = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2);
    expect(writes).toEqual([
      { table: 'entry', key: index, value: entry },
      { table: 'leaf', key: leafHash, value: index },
      { table: 'name', key: record.name, value: index },
      { table: 'record', key: index, value: record.sealed },
      { table: 'salt', key: index, value: record.salt },
      { table: 'tile', key: tileKey(tile), value: leafHash },
      { table: 'head', key: utf8('head'), value: formatHead(head) },
    ]);
  });
});
