import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  abbreviate,
  concatBytes,
  equalBytes,
  formatBase64,
  formatBase64url,
  formatHex,
  formatHex0x,
  formatUint64,
  parseBase64,
  parseBase64url,
  parseDotted,
  parseHex,
  parseHex0x,
  parseSafeInteger,
  parseUint64,
  parseUtf8,
  utf8,
} from '../../merkle/bytes.ts';
import { faultsOf } from '../helpers/refusals.ts';

const bytes = () => fc.uint8Array({ maxLength: 100 });

describe('concatBytes and equalBytes', () => {
  it('join in order and tell a difference in any byte or in length', () => {
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    expect(concatBytes()).toEqual(new Uint8Array(0));
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
    expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  });
});

describe('parseDotted', () => {
  const readAlone = (part: string) => {
    try {
      return parseBase64url(part);
    } catch {
      return undefined;
    }
  };

  it('reads each part as it would be read alone, and the whole text as UTF-8', () => {
    const part = fc.oneof(
      fc.base64String().map(text => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')),
      bytes().map(formatBase64url),
      fc.uint8Array({ minLength: 2_000, maxLength: 4_000 }).map(formatBase64url),
      fc.constantFrom('', 'A', 'é', '😀', '\ud800', 'AA==', 'AB', '\0'),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), parts => {
        const text = parts.join('.');
        const read = parseDotted(text);
        expect(read.bytes).toEqual(utf8(text));
        // Beside a part that is not ASCII, the others are left to be read alone.
        const isAscii = utf8(text).length === text.length;
        const isReadAlone = isAscii || text.length > 4_096;
        expect(read.parts).toEqual(parts.map(part => (isReadAlone ? readAlone(part) : undefined)));
      }),
    );
  });
});

describe('parseUtf8', () => {
  it('keeps what it reads, a byte order mark included', () => {
    expect(parseUtf8(utf8('a\0é€😀'))).toBe('a\0é€😀');
    expect(parseUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\uFEFFa');
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s', (_, invalid) => {
    expect(faultsOf(() => parseUtf8(Uint8Array.from(invalid), 'line 3'))).toEqual([
      'line 3: is not valid UTF-8',
    ]);
  });
});

describe('parseHex and parseHex0x', () => {
  it('read what is printed', () => {
    fc.assert(
      fc.property(bytes(), value => {
        expect(formatHex(value)).toBe(Buffer.from(value).toString('hex'));
        expect(parseHex(formatHex(value), value.length)).toEqual(value);
        expect(parseHex0x(formatHex0x(value), value.length)).toEqual(value);
      }),
    );
  });

  it.each(['0A', '0', '000', 'zz', '0x', ' 0', '0\n', '-1', '٠٠'])('refuse "%s" as one byte', text => {
    expect(faultsOf(() => parseHex(text, 1, 'root'))).toHaveLength(1);
    expect(faultsOf(() => parseHex0x(`0x${text}`, 1, 'root'))[0]).toMatch(/^root: /);
  });

  it('want exactly one 0x', () => {
    expect(faultsOf(() => parseHex0x('00', 1))).toEqual([': "00" is not 0x and 2 hexadecimal digits']);
    expect(faultsOf(() => parseHex0x('0X00', 1))).toHaveLength(1);
    expect(faultsOf(() => parseHex0x('0x0x', 1))).toHaveLength(1);
  });
});

describe.each([
  { name: 'base64url', format: formatBase64url, parse: parseBase64url, encoding: 'base64url' },
  { name: 'base64', format: formatBase64, parse: parseBase64, encoding: 'base64' },
] as const)('$name', ({ format, parse, encoding }) => {
  it('prints what Node prints and reads it back', () => {
    fc.assert(
      fc.property(bytes(), value => {
        const text = Buffer.from(value).toString(encoding);
        expect(format(value)).toBe(text);
        expect(parse(text)).toEqual(value);
      }),
    );
  });

  it('accepts of all texts only those that Node would print', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ABYZabyz0189+/-_= \n.é'), maxLength: 9 });
    fc.assert(
      fc.property(text, spelling => {
        const canonical = Buffer.from(spelling, encoding).toString(encoding) === spelling;
        if (canonical) expect(format(parse(spelling))).toBe(spelling);
        else expect(faultsOf(() => parse(spelling, 'salt'))[0]).toMatch(/^salt: .* is not canonical base64/);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses every spelling with unused bits set', () => {
    const alphabet = format(
      Uint8Array.from(
        Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'base64'),
      ),
    );
    expect(new Set(alphabet).size).toBe(64);
    const padding = (count: number) => (encoding === 'base64' ? '='.repeat(count) : '');
    let accepted = 0;
    for (const [value, last] of [...alphabet].entries()) {
      for (const [text, unusedBits] of [
        [`A${last}${padding(2)}`, 4],
        [`AA${last}${padding(1)}`, 2],
      ] as const) {
        if (value % 2 ** unusedBits === 0) {
          expect(format(parse(text))).toBe(text);
          accepted++;
        } else {
          expect(faultsOf(() => parse(text))).toHaveLength(1);
        }
      }
    }
    expect(accepted).toBe(4 + 16);
  });
});

describe('base64 padding', () => {
  it.each(['AA', 'AA=', 'AA===', 'AAA', 'AAA==', '====', '=', 'AA==AA==', 'AA==\n'])('refuses "%s"', text => {
    expect(faultsOf(() => parseBase64(text))).toHaveLength(1);
  });

  it('is refused in base64url', () => {
    expect(faultsOf(() => parseBase64url('AA=='))).toEqual([': "AA==" is not canonical base64url']);
  });
});

describe('parseUint64', () => {
  it('reads what is printed, big-endian, also inside a larger buffer', () => {
    expect(formatHex(formatUint64(0x0102030405))).toBe('0000000102030405');
    const surrounded = concatBytes(Uint8Array.of(9), formatUint64(Number.MAX_SAFE_INTEGER), Uint8Array.of(9));
    expect(parseUint64(surrounded.subarray(1, 9))).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('refuses what a number cannot hold exactly', () => {
    expect(faultsOf(() => parseUint64(parseHex('0020000000000000', 8), 'time'))).toEqual([
      'time: 9007199254740992 is beyond 2^53 - 1',
    ]);
    expect(faultsOf(() => parseUint64(new Uint8Array(8).fill(255)))).toHaveLength(1);
  });
});

describe('parseSafeInteger', () => {
  it.each([0, 7, 2 ** 32, Number.MAX_SAFE_INTEGER])('accepts %d as it is printed', value => {
    expect(parseSafeInteger(String(value))).toBe(value);
  });

  it.each([
    '',
    ' 7',
    '7 ',
    '+7',
    '-7',
    '-0',
    '07',
    '7.0',
    '7e0',
    '0x7',
    '1_0',
    'NaN',
    'Infinity',
    '9007199254740992',
    '9007199254740993',
    '٧',
  ])('refuses "%s"', text => {
    expect(parseSafeInteger(text)).toBeUndefined();
  });
});

describe('abbreviate', () => {
  it('makes visible whatever a terminal would obey', () => {
    expect(abbreviate('a\u001b[2Jb\r\nc')).toBe('a\\u001b[2Jb\\r\\nc');
    expect(abbreviate('\u009b31m')).toBe('\\u{009b}31m');
    expect(abbreviate('\u202etxt\u2028\u200b\ufeff')).toBe('\\u{202e}txt\\u{2028}\\u{200b}\\u{feff}');
    expect(abbreviate('\u{e0041}')).toBe('\\u{e0041}');
    expect(abbreviate('\ud800"\\')).toBe('\\ud800\\"\\\\');
  });

  it('never lets one through, however long the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), text => {
        expect(abbreviate(text)).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u);
      }),
    );
  });

  it('quotes 40 characters at most', () => {
    expect(abbreviate('x'.repeat(40))).toBe('x'.repeat(40));
    expect(abbreviate('x'.repeat(41))).toBe(`${'x'.repeat(40)}…`);
  });
});
