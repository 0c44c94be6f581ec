import { describe, expect, test } from 'vitest';
import { SharedBytes } from '../../service/shares.ts';

/** Has a share take as much as it gets, and says how much that was. */
function fill({ take }: ReturnType<SharedBytes['share']>): number {
  let taken = 0;
  while (take(1)) taken++;
  return taken;
}

describe('SharedBytes', () => {
  test('gives one that is alone half of all', () => {
    expect(fill(new SharedBytes(1_000).share())).toBe(500);
  });

  test.each([2, 3, 4, 10, 99])('leaves room for the next one, though %i take all they can get', count => {
    const shared = new SharedBytes(1_000_000);
    const greedy = Array.from({ length: count }, () => shared.share());
    for (const share of greedy) fill(share);
    const next = shared.share();
    // At worst each has taken half of what the ones before have left.
    expect(next.take(1)).toBe(count < 20);
  });

  test('are equal where all grow together, and as much is left as each has', () => {
    const shared = new SharedBytes(1_000_000);
    const greedy = Array.from({ length: 4 }, () => ({ share: shared.share(), held: 0 }));
    for (let goesOn = true; goesOn; ) {
      goesOn = false;
      for (const each of greedy) {
        if (!each.share.take(100)) continue;
        each.held += 100;
        goesOn = true;
      }
    }
    for (const { held } of greedy) expect(Math.abs(held - 200_000)).toBeLessThan(500);
    expect(shared.share().take(90_000)).toBe(true);
  });

  test('gets back what is given back', () => {
    const shared = new SharedBytes(1_000);
    const share = shared.share();
    expect(share.take(500)).toBe(true);
    expect(share.take(1)).toBe(false);
    share.give(500);
    expect(share.take(500)).toBe(true);
  });
});
