import { describe, expect, it } from 'vitest';
import { grouped, ProgressLine } from '../../scripts/progress.ts';

function aLine(isTTY: boolean) {
  const written: string[] = [];
  const time = { ms: 0 };
  const to = { isTTY, write: (text: string) => written.push(text) };
  const line = new ProgressLine(to, 'events', () => time.ms);
  return {
    line,
    written,
    at(ms: number, done: number, fraction?: number) {
      time.ms = ms;
      line.update({ done, fraction });
    },
  };
}

describe('ProgressLine', () => {
  it('writes a plain line every few seconds, with rate and time left from where it began', () => {
    const { at, written } = aLine(false);
    at(0, 5_000, 0.5);
    at(1_000, 6_000, 0.6);
    at(5_000, 7_500, 0.75);
    at(6_000, 8_000, 0.8);
    at(10_000, 9_000, 0.9);
    expect(written).toEqual([
      '7,500 events, 75 %, 500/s, 0:05 left\n',
      '9,000 events, 90 %, 400/s, 0:03 left\n',
    ]);
  });

  it('writes one line over on a terminal, and leaves it empty', () => {
    const { at, line, written } = aLine(true);
    at(0, 0, 0);
    at(100, 1, 0);
    at(200, 10, 0.01);
    line.clear();
    line.clear();
    expect(written).toEqual(['\r\u001b[K10 events, 1 %, 50/s, 0:20 left', '\r\u001b[K']);
  });

  it('says nothing of the end where nobody knows it', () => {
    const { at, written } = aLine(false);
    at(0, 0);
    at(7_200_000, 1_234_567);
    expect(written).toEqual(['1,234,567 events, 171/s\n']);
  });

  it('says hours where there are hours', () => {
    const { at, written } = aLine(false);
    at(0, 0, 0);
    at(10_000, 100, 0.001);
    expect(written).toEqual(['100 events, 0 %, 10/s, 2:46:30 left\n']);
  });

  it('writes nothing where there is nowhere to write', () => {
    const line = new ProgressLine(undefined, 'events', () => 10_000);
    line.update({ done: 1 });
    line.clear();
  });
});

describe('grouped', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_000, '1,000'],
    [1_234_567, '1,234,567'],
  ])('%i is %s', (count, text) => expect(grouped(count)).toBe(text));
});
