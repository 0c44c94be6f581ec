import { describe, expect, test } from 'vitest';
import { noEnd } from '../../merkle/evidence.ts';
import { formatSeconds, parseTime } from '../../scripts/times.ts';

describe('a time on the command line', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2027-01-01T00:00:00Z', 1_798_761_600],
    ['2028-02-29T23:59:59Z', 1_835_481_599],
  ])('%s is %i', (text, seconds) => {
    expect(parseTime(text)).toBe(seconds);
    expect(formatSeconds(seconds)).toBe(text);
  });

  test('that is not given is none', () => {
    expect(parseTime(undefined)).toBeUndefined();
    expect(formatSeconds(noEnd)).toBe('further notice');
  });

  test.each([
    '2027-02-30T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2027-01-01T24:00:00Z',
    '2027-13-01T00:00:00Z',
    '2027-01-01',
    '2027-01-01T00:00:00.000Z',
    '2027-01-01T00:00:00+01:00',
    '1969-12-31T23:59:59Z',
    '1798761600',
    '',
  ])('"%s" is refused, and not taken for another', text => {
    expect(() => parseTime(text)).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: `"${text}" is not a time such as 2027-01-01T00:00:00Z`,
      }),
    );
  });
});
