import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../service/client/errors.ts';
import { type Clock, Retry, retrying } from '../../../service/client/retry.ts';

/** A clock that stands still but for its sleeps, which it writes down. */
function aClock(random = 0) {
  const pauses: number[] = [];
  let time = 0;
  const clock: Clock = {
    now: () => time,
    sleep: async ms => {
      pauses.push(ms);
      time += ms;
    },
    random: () => random,
  };
  return {
    clock,
    pauses,
    pass(ms: number) {
      time += ms;
    },
  };
}

const limits = { firstMs: 500, longestMs: 8_000, giveUpMs: 60_000 };
const outage = new UnavailableError('busy');

describe('Retry', () => {
  it('doubles its pauses up to the longest', async () => {
    const { clock, pauses } = aClock();
    const retry = new Retry(clock, limits);
    for (let i = 0; i < 7; i++) await retry.pause(outage);
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
  });

  it('draws each pause from the upper half of its time', async () => {
    const { clock, pauses } = aClock(0.999);
    const retry = new Retry(clock, limits);
    for (let i = 0; i < 3; i++) await retry.pause(outage);
    expect(pauses).toEqual([500, 1_000, 1_999]);
  });

  it('comes back no sooner than it was asked to', async () => {
    const { clock, pauses } = aClock();
    await new Retry(clock, limits).pause(new UnavailableError('busy', 7));
    expect(pauses).toEqual([7_250]);
  });

  it('gives up when nothing was done for so long, and begins anew when something was', async () => {
    const { clock, pauses, pass } = aClock();
    const retry = new Retry(clock, limits);
    await retry.pause(outage);
    pass(59_000);
    retry.progressed();
    await retry.pause(outage);
    expect(pauses).toEqual([250, 250]);
    pass(59_500);
    await expect(retry.pause(outage)).rejects.toBe(outage);
    expect(pauses).toEqual([250, 250]);
  });

  it('does not wait for what is further away than its end', async () => {
    const { clock, pauses } = aClock();
    const late = new UnavailableError('closed for the night', 36_000);
    await expect(new Retry(clock, limits).pause(late)).rejects.toBe(late);
    expect(pauses).toEqual([]);
  });
});

describe('retrying', () => {
  it('tries again after an outage, and not after anything else', async () => {
    const { clock, pauses } = aClock();
    const answers = [outage, outage, 'done'];
    const work = async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    };
    expect(await retrying(work, new Retry(clock, limits))).toBe('done');
    expect(pauses).toHaveLength(2);
    const fault = new TypeError('a mistake');
    await expect(retrying(() => Promise.reject(fault), new Retry(clock, limits))).rejects.toBe(fault);
    expect(pauses).toHaveLength(2);
  });
});
