import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { type Json, JsonNumber, JsonReader, maxDepth, maxValues, parseJson } from '../../merkle/json.ts';
import { faultsOf } from '../helpers/refusals.ts';

/** What JSON.parse would give, for comparison. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (value instanceof Map) return new Map([...value].map(([name, member]) => [name, plain(member)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

/** The same shape from JSON.parse: Maps, since `toEqual` looks away from `__proto__`. */
function mapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).map(([name, member]) => [name, mapped(member)]));
  return value;
}

const read = (text: string) => parseJson(utf8(text));

describe('parseJson', () => {
  it('gives the values that JSON.parse gives', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 6, stringUnit: 'binary' }),
        fc.constantFrom(undefined, 1, '\t'),
        (text, indent) => {
          const spelling = JSON.stringify(JSON.parse(text), null, indent);
          expect(plain(read(spelling))).toEqual(mapped(JSON.parse(spelling)));
        },
      ),
    );
  });

  it('accepts and refuses as JSON.parse does, but for duplicates and lone surrogates', () => {
    // Short texts from characters that matter: most are wrong, many are nearly right.
    const unit = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '"',
        '"a"',
        '"b"',
        '\\',
        '\\u00',
        '0',
        '1',
        '-',
        '.',
        'e',
        'E',
        '+',
        ' ',
        '\n',
        '\u00a0',
        'true',
        'null',
        'fals',
        '\u0001',
        '\u007f',
        '\ufeff',
      ],
    );
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 8 }), text => {
        let wanted: unknown;
        try {
          wanted = mapped(JSON.parse(text));
        } catch {
          expect(faultsOf(() => read(text))).toHaveLength(1);
          return;
        }
        if (/("[ab]").*\1/su.test(text) && text.includes('{')) return; // may hold a duplicate, which has its own test
        expect(plain(read(text))).toEqual(wanted);
      }),
      { numRuns: 20_000 },
    );
  });

  it('keeps the spelling of numbers', () => {
    for (const text of ['0', '-0', '41', '41.0', '4.1e1', '1E+400', '12345678901234567890', '-0.0e-0'])
      expect(read(text)).toEqual(new JsonNumber(text));
  });

  it('keeps the order of members, and a member called __proto__ as a member', () => {
    const document = read('{"b":1,"__proto__":{"admin":true},"a":2,"1":3}');
    expect(document).toBeInstanceOf(Map);
    expect([...(document as Map<string, Json>).keys()]).toEqual(['b', '__proto__', 'a', '1']);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('reads every escape', () => {
    expect(read('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00E9\\ud83d\\ude00"')).toBe('"\\/\b\f\n\r\t\0é😀');
  });

  it(`nests ${maxDepth} deep and no deeper, whatever the mix`, () => {
    const nested = (depth: number) =>
      '{"a":['.repeat(depth / 2) + (depth % 2 ? '[]' : '1') + ']}'.repeat(depth / 2);
    expect(plain(read('[['.repeat(16) + ']]'.repeat(16)))).toBeDefined();
    expect(read(nested(32))).toBeInstanceOf(Map);
    expect(faultsOf(() => read(nested(33)))[0]).toMatch(/: nested deeper than 32 \(at character 96\)$/);
    // Depth is what is open, not what was ever opened.
    expect(read(`[${'[[]],'.repeat(100)}[]]`)).toHaveLength(101);
    // Far too deep is refused at the same place, not by an overflowing stack.
    expect(faultsOf(() => read('['.repeat(1_000_000)))[0]).toMatch(
      /nested deeper than 32 \(at character 32\)$/,
    );
  });

  it('reads a million values and not one more, wherever they are', () => {
    // The array is a value, too, and each pair in it is two.
    const list = (pairs: number) => `[0${',[0]'.repeat(pairs)}]`;
    expect(read(list((maxValues - 2) / 2))).toHaveLength(maxValues / 2);
    expect(faultsOf(() => read(list(maxValues / 2)))[0]).toMatch(
      /^\[500000\]: more than 1000000 values \(at character \d+\)$/,
    );
  });

  it.each<[string, string, string]>([
    ['nothing', '', ': want a JSON value (at character 0)'],
    ['white space only', ' \n', ': want a JSON value (at character 2)'],
    ['a byte order mark', '\ufeff{}', ': want a JSON value, not a byte order mark (at character 0)'],
    ['a second value', '{} {}', ': something follows the JSON value (at character 3)'],
    ['a NUL after the value', '{}\0', ': something follows the JSON value (at character 2)'],
    ['a comment', '{/**/}', ': want a member name (at character 1)'],
    ['single quotes', "{'a':1}", ': want a member name (at character 1)'],
    ['a name without quotes', '{a:1}', ': want a member name (at character 1)'],
    ['a trailing comma in an object', '{"a":1,}', ': want a member name (at character 7)'],
    ['a trailing comma in an array', '{"a":[1,]}', 'a[1]: want a JSON value (at character 8)'],
    ['a leading comma', '[,1]', '[0]: want a JSON value (at character 1)'],
    ['a missing colon', '{"a" 1}', ': want a colon after "a" (at character 5)'],
    ['a missing comma', '{"a":1 "b":2}', ': want a comma or the end of the object (at character 7)'],
    [
      'an object without end',
      '{"a":[{"b":1',
      'a[0]: want a comma or the end of the object (at character 12)',
    ],
    ['an array without end', '[1', ': want a comma or the end of the array (at character 2)'],
    ['a string without end', '{"a":"b', 'a: string without end (at character 7)'],
    ['a string that ends in a backslash', '"\\', ': unknown escape in a string (at character 1)'],
    ['an unknown escape', '["\\x41"]', '[0]: unknown escape in a string (at character 2)'],
    ['a short unicode escape', '"\\u12"', ': unknown escape in a string (at character 1)'],
    ['a signed unicode escape', '"\\u+123"', ': unknown escape in a string (at character 1)'],
    ['a line feed in a string', '{"a":"b\nc"}', 'a: control character in a string (at character 7)'],
    ['a NUL in a string', '"\0"', ': control character in a string (at character 1)'],
    ['a lone high surrogate', '{"a":"\\ud800"}', 'a: lone surrogate in a string (at character 13)'],
    ['a lone low surrogate', '["\\udc00"]', '[0]: lone surrogate in a string (at character 9)'],
    ['surrogates in the wrong order', '"\\ude00\\ud83d"', ': lone surrogate in a string (at character 14)'],
    ['a lone surrogate in a name', '{"\\ud800":1}', ': lone surrogate in a string (at character 9)'],
    ['a leading zero', '{"a":{"b":01}}', 'a: want a comma or the end of the object (at character 11)'],
    ['a plus sign', '[+1]', '[0]: want a JSON value (at character 1)'],
    ['a bare minus', '[-]', '[0]: want a JSON value (at character 1)'],
    ['a fraction without digits', '[1.]', ': want a comma or the end of the array (at character 2)'],
    ['a fraction without a whole', '[.5]', '[0]: want a JSON value (at character 1)'],
    ['an exponent without digits', '[1e]', ': want a comma or the end of the array (at character 2)'],
    ['hexadecimal', '[0x10]', ': want a comma or the end of the array (at character 2)'],
    ['NaN', '[NaN]', '[0]: want a JSON value (at character 1)'],
    ['Infinity', '[-Infinity]', '[0]: want a JSON value (at character 1)'],
    ['undefined', '[undefined]', '[0]: want a JSON value (at character 1)'],
    ['a word in capitals', '[True]', '[0]: want a JSON value (at character 1)'],
    ['a cut word', '[nul]', '[0]: want a JSON value (at character 1)'],
    ['a no-break space', '[\u00a01]', '[0]: want a JSON value (at character 1)'],
    ['a duplicate member', '{"a":1,"a":1}', ': member "a" stands twice (at character 10)'],
    [
      'a duplicate spelt with an escape',
      '{"a":1,"\\u0061":1}',
      ': member "a" stands twice (at character 15)',
    ],
    [
      'a duplicate of __proto__',
      '{"__proto__":1,"__proto__":2}',
      ': member "__proto__" stands twice (at character 26)',
    ],
    [
      'a duplicate further down',
      '{"a":[0,{"b":{},"b":{}}]}',
      'a[1]: member "b" stands twice (at character 19)',
    ],
    [
      'a name that a terminal would obey',
      '{"\\u001b[2J":x}',
      '\\u001b[2J: want a JSON value (at character 13)',
    ],
  ])('refuses %s', (_, text, fault) => {
    expect(faultsOf(() => read(text))).toEqual([fault]);
  });

  it('refuses invalid UTF-8', () => {
    expect(faultsOf(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), 'event'))).toEqual([
      'event: is not valid UTF-8',
    ]);
  });

  it('names places below the place that it is told', () => {
    expect(faultsOf(() => parseJson(utf8('{"alg":x}'), 'header'))[0]).toMatch(
      /^header\.alg: want a JSON value/,
    );
    expect(faultsOf(() => parseJson(utf8('{} 1'), 'header'))[0]).toMatch(/^header: something follows/);
  });
});

describe('JsonReader', () => {
  it('collects every fault with its place, and gives nothing then', () => {
    const reader = new JsonReader();
    const members = reader.object(
      read('{"n":1.0,"s":2,"b":"AA","w":"no","h":"0xZZ","l":[1,"AA"],"x\\u001b":0}'),
      '',
      ['n', 's', 'b', 'w', 'h', 'l', 'gone'],
    );
    reader.integer(members.get('n'), 'n');
    reader.string(members.get('s'), 's');
    reader.bytes(members.get('b'), 'b', 2);
    expect(reader.word(members.get('w'), 'w', ['yes', 'maybe'])).toBeUndefined();
    reader.hex(members.get('h'), 'h', 2);
    reader.hashes(members.get('l'), 'l');
    expect(reader.string(members.get('gone'), 'gone')).toBe('');
    expect(faultsOf(() => reader.finish('never'))).toEqual([
      ': member "gone" is missing',
      ': unknown member "x\\u001b"',
      'n: want an integer from 0 to 2^53 - 1 in decimal digits, got 1.0',
      's: want a string, got the number 2',
      'b: 1 bytes, want 2',
      'w: "no" is not yes or maybe',
      'h: "ZZ" is not 2 bytes in lower-case hexadecimal',
      'l[0]: want a string, got the number 1',
      'l[1]: 1 bytes, want 32',
    ]);
  });

  it('gives the value where there is no fault', () => {
    const reader = new JsonReader();
    const members = reader.object(
      read('{"n":41,"s":"t","b":"AAA","w":"yes","h":"0x00ff","o":[]}'),
      '',
      ['n', 's', 'b', 'w', 'h'],
      ['o', 'p'],
    );
    expect(reader.integer(members.get('n'), 'n')).toBe(41);
    expect(reader.string(members.get('s'), 's')).toBe('t');
    expect(reader.bytes(members.get('b'), 'b')).toEqual(Uint8Array.of(0, 0));
    expect(reader.word(members.get('w'), 'w', ['yes', 'maybe'])).toBe('yes');
    expect(reader.hex(members.get('h'), 'h', 2)).toEqual(Uint8Array.of(0, 255));
    expect(reader.array(members.get('o'), 'o')).toEqual([]);
    expect(reader.finish('value')).toBe('value');
  });

  it.each<[string, string]>([
    ['null', 'null'],
    ['true', 'a boolean'],
    ['"text"', 'a string'],
    ['7', 'the number 7'],
    ['[]', 'an array'],
  ])('says that %s is %s where an object is wanted', (text, kind) => {
    const reader = new JsonReader();
    expect(reader.object(read(text), 'record', ['a', 'b']).size).toBe(0);
    expect(faultsOf(() => reader.finish(0))).toEqual([`record: want an object, got ${kind}`]);
  });

  it('takes in the faults of another parser, and lets other errors pass', () => {
    const reader = new JsonReader();
    const refuse = (place: string) => () => {
      throw FormatError.at(place, 'is bad');
    };
    expect(reader.parse('outer', refuse(''), 'otherwise')).toBe('otherwise');
    reader.parse('outer', refuse('line 3'), undefined);
    expect(faultsOf(() => reader.finish(0))).toEqual(['outer: is bad', 'line 3: is bad']);
    expect(() =>
      reader.parse(
        'outer',
        () => {
          throw new TypeError('a bug');
        },
        0,
      ),
    ).toThrow(TypeError);
  });
});
