import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { repeat } from '../../service/loop.ts';

describe('repeat', () => {
  test('runs a task at once and again, never twice at the same time', async () => {
    let running = 0;
    let most = 0;
    let rounds = 0;
    const enough = Promise.withResolvers<void>();
    const loop = repeat(
      1,
      async () => {
        most = Math.max(most, ++running);
        await setTimeout(3);
        running--;
        if (++rounds === 3) enough.resolve();
      },
      enough.reject,
    );
    await enough.promise;
    await loop.stop();
    expect(most).toBe(1);
    expect(running).toBe(0);
  });

  test('waits for the round under way, and starts none after it', async () => {
    const started = Promise.withResolvers<void>();
    let ended = 0;
    const loop = repeat(
      0,
      async () => {
        started.resolve();
        await setTimeout(20);
        ended++;
      },
      () => undefined,
    );
    await started.promise;
    await loop.stop();
    expect(ended).toBe(1);
    await setTimeout(30);
    expect(ended).toBe(1);
  });

  test('does not wait for the pause', async () => {
    const loop = repeat(
      3_600_000,
      async () => undefined,
      () => undefined,
    );
    await setTimeout(5);
    await loop.stop();
  });

  test('ends with the first error, which it tells', async () => {
    let rounds = 0;
    const told = Promise.withResolvers<unknown>();
    const fault = new Error('broken');
    const loop = repeat(
      0,
      async () => {
        rounds++;
        throw fault;
      },
      told.resolve,
    );
    expect(await told.promise).toBe(fault);
    await loop.stop();
    expect(rounds).toBe(1);
  });
});
