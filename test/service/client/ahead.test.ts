import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ahead } from '../../../service/client/ahead.ts';

async function* numbers(count: number, onTaken: (n: number) => void = () => undefined) {
  for (let n = 0; n < count; n++) {
    onTaken(n);
    yield n;
  }
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('ahead', () => {
  it('gives results in the order of the items, whichever is done first', async () => {
    const work = async (n: number) => {
      for (let i = 0; i < (7 * n) % 5; i++) await setImmediate();
      return n * n;
    };
    expect(await all(ahead(numbers(20), 4, work))).toEqual(Array.from({ length: 20 }, (_, n) => n * n));
  });

  it('begins no more than so much before results are taken', async () => {
    let begun = 0;
    const results = ahead(numbers(100), 3, async n => {
      begun++;
      return n;
    });
    await results.next();
    await setImmediate();
    expect(begun).toBeLessThanOrEqual(5);
    await results.return(undefined);
    await setImmediate();
    expect(begun).toBeLessThanOrEqual(5);
  });

  it('gives out what is done while the next item is still to come', async () => {
    const never = new Promise<never>(() => undefined);
    async function* slow() {
      yield 1;
      await never;
    }
    expect(await ahead(slow(), 8, async n => n).next()).toEqual({ done: false, value: 1 });
  });

  it('throws what the work throws, and what the source throws, in its place', async () => {
    const seen: number[] = [];
    const work = async (n: number) => {
      if (n === 2) throw new Error('two');
      return n;
    };
    const reading = async () => {
      for await (const n of ahead(numbers(5), 8, work)) seen.push(n);
    };
    await expect(reading()).rejects.toThrow('two');
    expect(seen).toEqual([0, 1]);

    async function* broken() {
      yield* numbers(2);
      throw new Error('the source');
    }
    const results = ahead(broken(), 8, async n => n);
    expect([await results.next(), await results.next()].map(({ value }) => value)).toEqual([0, 1]);
    await expect(results.next()).rejects.toThrow('the source');
  });
});
