import { describe, expect, test } from 'vitest';
import { longestWaitS, preferredWaitS } from '../../../service/http/prefer.ts';

describe('preferredWaitS', () => {
  test.each([
    ['wait=10', 10],
    ['wait=0', 0],
    ['Wait = 5', 5],
    ['wait="7"', 7],
    ['respond-async, wait=3', 3],
    ['wait=3; foo=bar', 3],
    ['wait=3, wait=9', 3],
    ['wait=61', longestWaitS],
    ['wait=999999999', longestWaitS],
  ])('reads %j as %i seconds', (header, seconds) => {
    expect(preferredWaitS(header)).toBe(seconds);
  });

  test.each([
    '',
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=1e3',
    'wait=x',
    'await=1',
    'wait=9999999999',
    'foo="wait=1"',
  ])('ignores %j', header => {
    expect(preferredWaitS(header)).toBeUndefined();
  });

  test('reads no more than the beginning of an endless field', () => {
    expect(preferredWaitS(`${'x,'.repeat(1_000)}wait=1`)).toBeUndefined();
  });
});
