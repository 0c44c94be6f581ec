import { decodeRlp as decodeByEthers, encodeRlp as encodeByEthers } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, formatHex, formatHex0x, parseHex, utf8 } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import {
  decodeRlp,
  decodeString,
  encodeList,
  encodeRlp,
  maxRlpDepth,
  maxRlpItems,
  type RlpItem,
  splitList,
} from '../../merkle/rlp.ts';

// The yellow paper's heads, and the lengths on either side of where they change.
const examples: readonly (readonly [name: string, item: RlpItem, encoded: string])[] = [
  ['no bytes', new Uint8Array(0), '80'],
  ['no items', [], 'c0'],
  ['a zero byte', Uint8Array.of(0), '00'],
  ['the largest byte without a head', Uint8Array.of(0x7f), '7f'],
  ['the smallest byte with a head', Uint8Array.of(0x80), '8180'],
  ['two bytes', Uint8Array.of(4, 0), '820400'],
  ['"dog"', utf8('dog'), '83646f67'],
  ['a list of two', [utf8('cat'), utf8('dog')], 'c88363617483646f67'],
  ['three as a set', [[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
  ['55 bytes', new Uint8Array(55), `b7${'00'.repeat(55)}`],
  ['56 bytes', new Uint8Array(56), `b838${'00'.repeat(56)}`],
  ['256 bytes', new Uint8Array(256), `b90100${'00'.repeat(256)}`],
  ['65,536 bytes', new Uint8Array(65_536), `ba010000${'00'.repeat(65_536)}`],
  ['a list of 55 bytes', Array<Uint8Array>(55).fill(Uint8Array.of(1)), `f7${'01'.repeat(55)}`],
  ['a list of 56 bytes', Array<Uint8Array>(56).fill(Uint8Array.of(1)), `f838${'01'.repeat(56)}`],
];

const anItem: fc.Arbitrary<RlpItem> = fc.letrec<{ item: RlpItem; list: RlpItem[]; bytes: Uint8Array }>(
  tie => ({
    item: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('bytes'), tie('list')),
    list: fc.array(tie('item'), { maxLength: 6 }),
    bytes: fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ minLength: 50, maxLength: 300 })),
  }),
).item;

describe('encodeRlp and decodeRlp', () => {
  it.each(examples)('agree with the yellow paper on %s', (_, item, encoded) => {
    expect(formatHex(encodeRlp(item))).toBe(encoded);
    expect(decodeRlp(hex(encoded))).toStrictEqual(item);
  });

  it('read what they wrote, and write as ethers does', () => {
    fc.assert(
      fc.property(anItem, item => {
        const encoded = encodeRlp(item);
        expect(decodeRlp(encoded)).toStrictEqual(item);
        expect(formatHex0x(encoded)).toBe(encodeByEthers(plain(item)));
        expect(decodeByEthers(encoded)).toStrictEqual(plain(item));
      }),
      { numRuns: 300 },
    );
  });

  it('accept no bytes but those that they would write', () => {
    // Heads are likely here, and so are short inputs: most are refused, the others must be canonical.
    const almostRlp = fc.array(
      fc.oneof(fc.constantFrom(0x80, 0x81, 0xb8, 0xb9, 0xc0, 0xc1, 0xc2, 0xf8, 0xff), fc.nat(255)),
      { maxLength: 12 },
    );
    let accepted = 0;
    fc.assert(
      fc.property(almostRlp, bytes => {
        let item: RlpItem;
        try {
          item = decodeRlp(Uint8Array.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          return;
        }
        accepted++;
        expect(encodeRlp(item)).toStrictEqual(Uint8Array.from(bytes));
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('refuse every truncation, and a byte more', () => {
    fc.assert(
      fc.property(anItem, item => {
        const encoded = encodeRlp(item);
        for (let length = 0; length < encoded.length; length++) {
          expect(() => decodeRlp(encoded.subarray(0, length))).toThrow(FormatError);
        }
        expect(() => decodeRlp(concatBytes(encoded, Uint8Array.of(0)))).toThrow('is followed by 1 bytes');
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['8100', 'RLP item has a head that it does not need'],
    ['817f', 'RLP item has a head that it does not need'],
    ['b800', 'RLP item has a longer head than it needs'],
    [`b837${'00'.repeat(55)}`, 'RLP item has a longer head than it needs'],
    [`b90038${'00'.repeat(56)}`, 'RLP item has a longer head than it needs'],
    ['f800', 'RLP item has a longer head than it needs'],
    [`f90038${'00'.repeat(56)}`, 'RLP item has a longer head than it needs'],
    ['c28100', 'RLP item has a head that it does not need'],
    ['c1b8', 'RLP item ends inside its head'],
    ['c183', 'RLP item announces 3 bytes, 0 are there'],
    ['b9ff', 'RLP item ends inside its head'],
    ['', 'RLP item of no bytes'],
    [`bf${'ff'.repeat(8)}00`, 'RLP item announces 18446744073709552000 bytes, 1 are there'],
    [`ff${'ff'.repeat(8)}`, 'RLP item announces 18446744073709552000 bytes, 0 are there'],
  ])('refuse %s', (encoded, message) => {
    expect(() => decodeRlp(hex(encoded))).toThrow(message);
  });

  it('bound how deep lists nest', () => {
    const nested = (depth: number) => {
      let encoded: Uint8Array = encodeList([]);
      for (let i = 1; i < depth; i++) encoded = encodeList([encoded]);
      return encoded;
    };
    expect(decodeRlp(nested(maxRlpDepth))).toBeInstanceOf(Array);
    expect(() => decodeRlp(nested(maxRlpDepth + 1))).toThrow('RLP lists nested deeper than 16');
    expect(() => decodeRlp(nested(5000))).toThrow('RLP lists nested deeper than 16');
  });

  it('bound how many items a list has', () => {
    const wide = (items: number) => encodeRlp(Array(items).fill(Uint8Array.of(1)));
    expect(decodeRlp(wide(maxRlpItems))).toHaveLength(maxRlpItems);
    expect(() => decodeRlp(wide(maxRlpItems + 1))).toThrow('RLP list of more than 4096 items');
    expect(() => splitList(wide(maxRlpItems + 1))).toThrow('RLP list of more than 4096 items');
  });
});

describe('decodeString', () => {
  it('gives the bytes, and refuses a list', () => {
    expect(decodeString(hex('83646f67'))).toStrictEqual(utf8('dog'));
    expect(() => decodeString(hex('c0'))).toThrow('RLP list where a byte string is wanted');
    expect(() => decodeString(hex('83646f6700'))).toThrow('RLP item is followed by 1 bytes');
  });
});

describe('splitList', () => {
  it('gives encodings that make the list again', () => {
    fc.assert(
      fc.property(fc.array(anItem, { maxLength: 8 }), items => {
        const encoded = encodeRlp(items);
        const parts = splitList(encoded);
        expect(parts.map(decodeRlp)).toStrictEqual(items);
        expect(encodeList(parts)).toStrictEqual(encoded);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a byte string, and items that are not canonical', () => {
    expect(() => splitList(hex('83646f67'))).toThrow('RLP byte string where a list is wanted');
    expect(() => splitList(hex('c28100'))).toThrow('RLP item has a head that it does not need');
    expect(() => splitList(hex('c000'))).toThrow('RLP item is followed by 1 bytes');
  });
});

function hex(text: string): Uint8Array {
  return parseHex(text, text.length / 2);
}

type Plain = string | Plain[];

/** An item as ethers has it. */
function plain(item: RlpItem): Plain {
  return item instanceof Uint8Array ? formatHex0x(item) : item.map(plain);
}
