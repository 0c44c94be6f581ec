import { describe, expect, test } from 'vitest';
import { Allowance, burstS } from '../../../service/http/allowance.ts';

function anAllowance(perS: number) {
  const clock = { ms: 5_000 };
  return { allowance: new Allowance(perS, () => clock.ms), clock };
}

describe('Allowance', () => {
  test('allows what adds up in its burst at once, and then what each second brings', () => {
    const { allowance, clock } = anAllowance(10);
    for (let i = 0; i < 10 * burstS; i++) {
      expect(allowance.waitMs()).toBe(0);
      allowance.take(1);
    }
    expect(allowance.waitMs()).toBeGreaterThan(0);
    let taken = 0;
    for (let i = 0; i < 1_000; i++) {
      clock.ms += 10;
      if (allowance.waitMs() > 0) continue;
      allowance.take(1);
      taken++;
    }
    expect(taken).toBeGreaterThan(98);
    expect(taken).toBeLessThan(102);
  });

  test('says for how long nothing is allowed once it is overdrawn, and means it', () => {
    const { allowance, clock } = anAllowance(10);
    allowance.take(10 * burstS + 35);
    expect(allowance.waitMs()).toBe(3_500);
    clock.ms += 3_499;
    expect(allowance.waitMs()).toBe(1);
    clock.ms += 2;
    expect(allowance.waitMs()).toBe(0);
  });

  test('adds up no more than its burst, however long nobody asks', () => {
    const { allowance, clock } = anAllowance(1);
    allowance.take(burstS);
    clock.ms += 10_000_000;
    expect(allowance.waitMs()).toBe(0);
    allowance.take(burstS + 1);
    expect(allowance.waitMs()).toBe(1_000);
  });

  test('takes back what was not owed, and no more than its burst', () => {
    const { allowance } = anAllowance(1);
    allowance.take(burstS + 100);
    allowance.giveBack(101);
    expect(allowance.waitMs()).toBe(0);
    allowance.giveBack(1_000_000);
    allowance.take(burstS);
    expect(allowance.waitMs()).toBeGreaterThan(0);
  });

  test('of 0 allows everything', () => {
    const { allowance } = anAllowance(0);
    allowance.take(1e15);
    expect(allowance.waitMs()).toBe(0);
    allowance.giveBack(1e15);
    expect(allowance.waitMs()).toBe(0);
  });
});
