import { describe, expect, it } from 'vitest';
import { wordOf } from '../../../merkle/evidence.ts';
import { Figures } from '../../../service/audit/figures.ts';

const commitment = new Uint8Array(32);

describe('Figures', () => {
  it('counts every record of a log that invents keys and days without end, in bounded memory', () => {
    const figures = new Figures(undefined);
    const records = 100_300;
    for (let i = 1; i <= records; i++)
      figures.add(i, { kind: 'audit', time: i * 86_400_000, keyId: wordOf(i), commitment }, null);
    const { keys, days, segment } = figures.state();
    expect(Object.keys(keys)).toHaveLength(100_001);
    expect(Object.keys(days)).toHaveLength(40_000);
    const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
    expect(sum(Object.values(keys).map(key => key.records))).toBe(records);
    expect(sum(Object.values(days).flatMap(counts => Object.values(counts)))).toBe(records);
    expect(segment.records).toBe(records);
  });

  it('gives what does not change when more is counted', () => {
    const figures = new Figures(undefined);
    const add = (index: number) =>
      figures.add(index, { kind: 'audit', time: index, keyId: wordOf(1), commitment }, null);
    add(1);
    const { keys } = figures.state();
    add(2);
    expect(Object.values(keys)).toMatchObject([{ records: 1, lastIndex: 1 }]);
  });
});
