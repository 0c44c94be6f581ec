/** When records may be accepted: the chain was heard, and the clock agrees with it. */

import { describe, expect, it } from 'vitest';
import { Hearing } from '../../service/hearing.ts';

const start = 1_800_000_000_000;

/** Hearing with a clock that the test moves, in seconds after the start. */
function aHearing() {
  let nowS = 0;
  let jumpS = 0;
  const hearing = new Hearing(
    () => start + (nowS + jumpS) * 1000,
    () => nowS * 1000,
  );
  return {
    hearing,
    /** Somebody sets the clock. */
    jump(seconds: number) {
      jumpS += seconds;
    },
    at(seconds: number) {
      nowS = seconds;
      return hearing;
    },
    /** A block is heard at once, whose time is so many seconds after the start. */
    hear(atS: number, block: number, timeS: number) {
      nowS = atS;
      hearing.heard({ number: block, time: start / 1000 + timeS }, start + (nowS + jumpS) * 1000);
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

describe('an answer that takes long', () => {
  it('is about the moment when it was asked for', () => {
    const { hearing, at } = aHearing();
    at(55);
    hearing.heard({ number: 1, time: start / 1000 }, start);
    at(60).ready();
    expect(() => at(61).ready()).toThrow('the chain has not been heard for 61 s');
  });

  it('is no word about a record that bears a later time than the clock has', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.at(40).ready(start + 60_000);
    expect(() => world.hearing.ready(start + 61_000)).toThrow(
      expect.objectContaining({ code: 'CHAIN_SILENT' }),
    );
  });
});

describe('a clock that jumps', () => {
  it.each([
    [31, 'ahead'],
    [86_400 * 27_000, 'ahead'],
    [-3_600, 'back'],
  ])('by %i s is refused at once', (seconds, side) => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.hear(2, 2, 1);
    world.jump(seconds);
    const refusal = {
      code: 'CLOCK_OFF',
      message: expect.stringMatching(`jumped ${Math.abs(seconds)} s ${side}`),
    };
    expect(() => world.hearing.ready()).toThrow(expect.objectContaining(refusal));
    // A chain that stands still does not show it right, nor does a block that may have been made before the jump.
    world.hear(4, 2, 1);
    world.hear(6, 2, 1);
    expect(() => world.hearing.ready()).toThrow(expect.objectContaining(refusal));
  });

  it('is refused although a block comes that was made before', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.jump(3_600);
    world.hear(2, 2, 1);
    expect(() => world.hearing.ready()).toThrow(expect.objectContaining({ code: 'CLOCK_OFF' }));
  });

  it('is taken as it is once a block made since agrees with it', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    // The machine slept for an hour.
    world.jump(3_600);
    expect(() => world.hearing.ready()).toThrow('jumped');
    world.hear(2, 2, 3_602);
    expect(() => world.hearing.ready()).toThrow('jumped');
    world.hear(4, 3, 3_604);
    world.hearing.ready();
  });

  it('is refused as off once a block made since says so', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.jump(3_600);
    world.hear(2, 2, 2);
    world.hear(4, 3, 4);
    world.hear(6, 4, 6);
    expect(() => world.hearing.ready()).toThrow("the service's clock is 3598 s ahead of the chain's");
  });

  it('by less than the tolerance goes unnoticed, and so does time that passes', () => {
    const world = aHearing();
    world.hear(0, 1, 0);
    world.jump(29);
    world.at(30).ready();
    world.hear(86_400, 1, 0);
    world.hearing.ready();
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
