import { describe, expect, it } from 'vitest';
import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { parseExportedRecord } from '../../merkle/exported.ts';

const entry = Uint8Array.from({ length: 74 }, (_, i) => i);
const members = { leafHash: 'ab'.repeat(32), index: 41, entry: formatBase64url(entry), record: null };

function issues(changed: Record<string, unknown>) {
  try {
    parseExportedRecord(utf8(JSON.stringify(changed)));
  } catch (error) {
    if (error instanceof FormatError) return error.issues;
    throw error;
  }
  return [];
}

describe('parseExportedRecord', () => {
  it('reads a record that has been erased', () => {
    expect(parseExportedRecord(utf8(JSON.stringify(members)))).toEqual({
      leafHash: new Uint8Array(32).fill(0xab),
      index: 41,
      entry,
      record: null,
    });
  });

  it('names each fault with its place', () => {
    const { record, ...rest } = members;
    expect(issues(rest)).toContainEqual({ place: '', message: expect.stringContaining('"record"') });
    expect(issues({ ...members, more: record })).toEqual([
      { place: '', message: expect.stringContaining('"more"') },
    ]);
    const spoilt = issues({ leafHash: 'AB'.repeat(32), index: -1, entry: 'AA', record: null });
    expect(spoilt.map(({ place }) => place).sort()).toEqual(['entry', 'index', 'leafHash']);
  });
});
