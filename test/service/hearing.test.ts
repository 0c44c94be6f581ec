/** When records may be accepted: the chain was heard, and the clock agrees with it. */

import { describe, expect, it } from 'vitest';
import { Hearing } from '../../service/hearing.ts';

const start = 1_800_000_000_000;

/** Hearing with a clock that the test moves, in seconds after the start. */
function aHearing() {
  let nowS = 0;
  const hearing = new Hearing(() => start + nowS * 1000);
  return {
    hearing,
    at(seconds: number) {
      nowS = seconds;
      return hearing;
    },
    /** A block is heard at once, whose time is so many seconds after the start. */
    hear(atS: number, block: number, timeS: number) {
      nowS = atS;
      hearing.heard({ number: block, time: start / 1000 + timeS }, start + atS * 1000);
    },
  };
}

describe('silence', () => {
  it('is there until the chain was heard for the first time', () => {
    const { hearing } = aHearing();
    expect(() => hearing.ready()).toThrow(expect.objectContaining({ code: 'CHAIN_SILENT', retryAfterS: 5 }));
  });

  it('begins 60 s after the last answer, not before, and ends with the next', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.at(60).ready();
    expect(() => world.at(61).ready()).toThrow('the chain has not been heard for 61 s');
    world.hear(62, 1, 0);
    world.hearing.ready();
  });

  it('is not there while a chain answers that stands still for a day', () => {
    const world = aHearing();
    for (let t = 0; t <= 86_400; t += 30) world.hear(t, 7, 0);
    world.hearing.ready();
    expect(world.hearing.clockOffMs).toBe(0);
  });
});

describe('the clock', () => {
  it.each([
    { offS: 31, code: 'CLOCK_OFF', message: 'behind' },
    { offS: 30, code: undefined, message: '' },
    { offS: -30, code: undefined, message: '' },
    { offS: -32, code: 'CLOCK_OFF', message: 'ahead of' },
  ])('is held against a new block: $offS s off', ({ offS, code, message }) => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.hear(1, 2, offS + (offS < 0 ? 0 : 1));
    if (code === undefined) return world.hearing.ready();
    expect(() => world.hearing.ready()).toThrow(expect.objectContaining({ code }));
    expect(() => world.hearing.ready()).toThrow(
      `the service's clock is ${Math.abs(offS)} s ${message} the chain's`,
    );
  });

  it('is never held against the block that stood there at the start', () => {
    const world = aHearing();
    world.hear(0, 9, -86_400);
    world.hear(1, 9, -86_400);
    world.hearing.ready();
  });

  it('is not held against a block that was made while we did not hear', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    // Made a second after the last answer, seen 50 s later.
    world.hear(51, 2, 1);
    world.hearing.ready();
  });

  it('is not held against an older block that a reorganisation or another node shows', () => {
    const world = aHearing();
    world.hear(100, 5, 100);
    world.hear(101, 4, 40);
    world.hearing.ready();
    world.hear(102, 5, 41);
    world.hearing.ready();
  });

  it('agrees again when the next block says so', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.hear(1, 2, 100);
    expect(() => world.hearing.ready()).toThrow(expect.objectContaining({ code: 'CLOCK_OFF' }));
    world.hear(101, 3, 101);
    world.hearing.ready();
  });
});
