import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import { formatEntry } from '../../merkle/entry.ts';
import { FormatError, type Issue } from '../../merkle/errors.ts';
import { JsonReader, parseJson } from '../../merkle/json.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import {
  formatEvidence,
  formatReceipt,
  formatRecord,
  parseReceipt,
  type Receipt,
  type ReceiptRecord,
  readEvidence,
  readRecord,
} from '../../merkle/receipt.ts';
import { keyFor, publicJwk, testKeys } from '../helpers/keys.ts';

const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
const text = (byte: number, length = 32) => formatBase64url(filled(byte, length));

const entry = formatEntry({ kind: 'transaction', time: 1000, keyId: filled(1), commitment: filled(2) });
const chainEntry = formatEntry({ kind: 'chain', time: 1000, keyId: filled(0), commitment: filled(2) });
const key = publicJwk(testKeys.es256);

const record: ReceiptRecord = { statement: 'a.b.c', salt: filled(4), key };
const batch = { event: filled(5, 9), salt: filled(6), index: 3, path: [filled(7)] };
const receipt: Receipt = {
  entry,
  inclusion: { index: 41, path: [filled(3), filled(8)] },
  checkpoint: 'not read here\n',
  evidence: { headers: [filled(9, 500)], nodes: [filled(10, 40), filled(11, 50)] },
  record,
};

/** The receipt with a batch as JSON.parse would give it, to be spoilt. */
function aDocument() {
  return {
    version: 1 as unknown,
    entry: formatBase64url(entry) as unknown,
    inclusion: { index: 41 as unknown, path: [text(3), text(8)] as unknown } as unknown,
    checkpoint: 'not read here\n' as unknown,
    evidence: {
      headers: [text(9, 500)] as unknown,
      nodes: [text(10, 40), text(11, 50)] as unknown,
    } as unknown,
    record: {
      statement: 'a.b.c' as unknown,
      salt: text(4) as unknown,
      key: { ...key } as unknown,
      batch: { event: text(5, 9), salt: text(6), index: 3, path: [text(7)] } as unknown,
    } as unknown,
  };
}

function faultsOf(document: unknown): readonly Issue[] {
  try {
    parseReceipt(utf8(typeof document === 'string' ? document : JSON.stringify(document)));
  } catch (error) {
    if (error instanceof FormatError) return error.issues;
    throw error;
  }
  return [];
}

describe('parseReceipt', () => {
  it('reads every member', () => {
    expect(parseReceipt(utf8(JSON.stringify(aDocument())))).toStrictEqual({
      ...receipt,
      record: { ...record, batch },
    });
  });

  it('reads a receipt without record, which has no such member', () => {
    const { record: _, ...proofOnly } = aDocument();
    expect(parseReceipt(utf8(JSON.stringify(proofOnly)))).not.toHaveProperty('record');
  });

  it('reads a receipt that is not yet anchored', () => {
    expect(parseReceipt(utf8(JSON.stringify({ ...aDocument(), evidence: null }))).evidence).toBeNull();
  });

  it('reads members in any order, with white space between them', () => {
    const reversed = Object.fromEntries(Object.entries(aDocument()).reverse());
    expect(parseReceipt(utf8(JSON.stringify(reversed, undefined, '\t')))).toStrictEqual(
      parseReceipt(utf8(JSON.stringify(aDocument()))),
    );
  });

  // Statement, note and RLP are foreign formats: the steps that verify them read them.
  it('leaves statement, checkpoint, headers and nodes to those who verify them', () => {
    const document = {
      ...aDocument(),
      checkpoint: '',
      evidence: { headers: [''], nodes: [''] },
      record: { statement: '', salt: text(4), key },
    };
    expect(faultsOf(document)).toEqual([]);
  });

  it('names every fault with its place', () => {
    const document = {
      version: 2,
      entry: text(1, 73),
      inclusion: { index: -1, path: [text(3), text(3, 31), `${text(3)}=`] },
      checkpoint: 7,
      evidence: { headers: [], nodes: [null], block: 1 },
      record: { statement: {}, key: { kty: 'EC', crv: 'P-521' }, batch: null },
    };
    expect(faultsOf(document).map(({ place, message }) => `${place}: ${message}`)).toEqual([
      'version: want 1',
      'entry: 73 bytes, want 74',
      'inclusion.index: want an integer from 0 to 2^53 - 1 in decimal digits, got -1',
      'inclusion.path[1]: 31 bytes, want 32',
      expect.stringMatching(
        /^inclusion.path\[2\]: .* is not canonical base64url: it has U\+003D at character 43$/,
      ),
      'checkpoint: want a string, got the number 7',
      'evidence: unknown member "block"',
      'evidence.nodes[0]: want a string, got null',
      'evidence.headers: want at least one header',
      'record: member "salt" is missing',
      'record.statement: want a string, got an object',
      expect.stringMatching(/^record.key: member "x" is missing$/),
      expect.stringMatching(/^record.key: member "y" is missing$/),
      expect.stringMatching(/^record.key.crv: "P-521" is not /),
      'record.batch: want an object, got null',
    ]);
  });

  it('names the fault in the JSON itself', () => {
    expect(faultsOf('{"version":1,"version":1}')).toEqual([
      { place: '', message: expect.stringContaining('"version" stands twice') },
    ]);
    expect(faultsOf(`${JSON.stringify(aDocument())}x`)).toEqual([
      { place: '', message: expect.stringContaining('something follows') },
    ]);
  });

  it.each<[string, unknown]>([
    ['1.0', 'version'],
    ['"1"', 'version'],
    ['true', 'version'],
    ['10', 'version'],
  ])('refuses version %s', (spelling, place) => {
    const faults = faultsOf(JSON.stringify(aDocument()).replace('"version":1', `"version":${spelling}`));
    expect(faults.map(fault => fault.place)).toEqual([place]);
  });

  it.each<[string, (bytes: Uint8Array) => void, RegExp]>([
    ['version 2', bytes => bytes.set([2], 0), /version/],
    ['kind 4', bytes => bytes.set([4], 1), /kind/],
    ['a time of 2^53', bytes => bytes.set([0, 0x20, 0, 0, 0, 0, 0, 0], 2), /2\^53/],
    ['no key id', bytes => bytes.fill(0, 10, 42), /key id/],
  ])('refuses an entry with %s', (_, spoil, message) => {
    const bytes = entry.slice();
    spoil(bytes);
    const faults = faultsOf({ ...aDocument(), entry: formatBase64url(bytes) });
    expect(faults.map(fault => `${fault.place} ${fault.message}`).join()).toMatch(message);
    expect(faults).toHaveLength(1);
  });

  it('refuses a record on an entry that has none', () => {
    expect(faultsOf({ ...aDocument(), entry: formatBase64url(chainEntry) })).toEqual([
      { place: 'record', message: 'there is none behind a chain entry' },
    ]);
  });

  it('refuses a record and a batch that are null, which is not left out', () => {
    expect(faultsOf({ ...aDocument(), record: null })).toContainEqual({
      place: 'record',
      message: 'want an object, got null',
    });
    const { record } = aDocument();
    expect(faultsOf({ ...aDocument(), record: { ...Object(record), batch: null } })).toEqual([
      { place: 'record.batch', message: 'want an object, got null' },
    ]);
  });

  it.each(['version', 'entry', 'inclusion', 'checkpoint', 'evidence'])('misses %s', name => {
    const document = Object.fromEntries(Object.entries(aDocument()).filter(([other]) => other !== name));
    expect(faultsOf(document)).toContainEqual({ place: '', message: `member "${name}" is missing` });
  });
});

describe('formatReceipt', () => {
  it("prints the members in DESIGN's order, without white space", () => {
    expect(formatReceipt({ ...receipt, record: { ...record, batch } })).toBe(
      JSON.stringify({
        version: 1,
        entry: formatBase64url(entry),
        inclusion: { index: 41, path: [text(3), text(8)] },
        checkpoint: 'not read here\n',
        evidence: { headers: [text(9, 500)], nodes: [text(10, 40), text(11, 50)] },
        record: {
          statement: 'a.b.c',
          salt: text(4),
          key: { kty: 'EC', crv: 'P-256', x: testKeys.es256.x, y: testKeys.es256.y },
          batch: { event: text(5, 9), salt: text(6), index: 3, path: [text(7)] },
        },
      }),
    );
  });

  it('leaves out the record of a proof-only receipt, and prints evidence that is not there as null', () => {
    const { record: _, ...proofOnly } = receipt;
    expect(JSON.parse(formatReceipt({ ...proofOnly, evidence: null }))).toEqual({
      version: 1,
      entry: formatBase64url(entry),
      inclusion: { index: 41, path: [text(3), text(8)] },
      checkpoint: 'not read here\n',
      evidence: null,
    });
  });

  it('prints no more of a key than its public members', () => {
    for (const name of ['es256', 'rs256', 'ed25519'] as const) {
      // A private JWK fits the type of a public one.
      const key: Jwk = testKeys[name];
      const printed: Jwk = formatRecord({ ...record, key }).key;
      expect(printed).toStrictEqual(publicJwk(testKeys[name]));
    }
  });

  const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
  const path = fc.array(bytes(32), { maxLength: 5 });
  const index = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  const anyRecord = fc.record(
    {
      statement: fc.string({ unit: 'grapheme' }),
      salt: bytes(32),
      key: fc.constantFrom(
        ...(['ES256', 'ES384', 'RS256', 'Ed25519'] as const).map(alg => publicJwk(keyFor(alg))),
      ),
      batch: fc.record({ event: bytes(0, 50), salt: bytes(32), index, path }),
    },
    { requiredKeys: ['statement', 'salt', 'key'] },
  );
  const anyReceipt = fc.record(
    {
      entry: fc.constant(entry),
      inclusion: fc.record({ index, path }),
      checkpoint: fc.string({ unit: 'grapheme' }),
      evidence: fc.option(
        fc.record({
          headers: fc.array(bytes(0, 50), { minLength: 1, maxLength: 3 }),
          nodes: fc.array(bytes(0, 50), { maxLength: 5 }),
        }),
      ),
      record: anyRecord,
    },
    { requiredKeys: ['entry', 'inclusion', 'checkpoint', 'evidence'], noNullPrototype: true },
  );

  it('prints what parseReceipt reads as the same, and what it has read byte for byte', () => {
    fc.assert(
      fc.property(anyReceipt, any => {
        const printed = formatReceipt(any);
        const read = parseReceipt(utf8(printed));
        expect(read).toEqual(any);
        expect(formatReceipt(read)).toBe(printed);
      }),
    );
  });
});

describe('readRecord and readEvidence', () => {
  it('read what formatRecord and formatEvidence give, at the place where it stands', () => {
    const reader = new JsonReader();
    const answer = parseJson(
      utf8(
        JSON.stringify({
          record: formatRecord({ ...record, batch }),
          evidence: formatEvidence({ headers: [filled(1)], nodes: [] }),
        }),
      ),
    );
    const members = reader.object(answer, '', ['record', 'evidence']);
    expect(readRecord(reader, members.get('record'), 'record')).toStrictEqual({ ...record, batch });
    expect(readEvidence(reader, members.get('evidence'), 'evidence')).toStrictEqual({
      headers: [filled(1)],
      nodes: [],
    });
    reader.finish(undefined);

    readRecord(reader, parseJson(utf8('{"statement":1}')), 'items[3].record');
    readEvidence(reader, parseJson(utf8('{"headers":[],"nodes":[]}')), 'items[3].evidence');
    expect(faultsOfReader(reader)).toEqual([
      'items[3].record: member "salt" is missing',
      'items[3].record: member "key" is missing',
      'items[3].record.statement: want a string, got the number 1',
      'items[3].record.key: want an object, got nothing',
      'items[3].evidence.headers: want at least one header',
    ]);
  });
});

function faultsOfReader(reader: JsonReader): string[] {
  try {
    reader.finish(undefined);
  } catch (error) {
    if (error instanceof FormatError) return error.issues.map(({ place, message }) => `${place}: ${message}`);
    throw error;
  }
  return [];
}
