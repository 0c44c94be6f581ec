import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Patience } from '../../../service/http/patience.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Patience of 1,000 ms, which 1,000 bytes a second leave as it is. */
function patient() {
  const onLate = vi.fn();
  const patience = new Patience({ limitMs: 1_000, bytesPerS: 1_000, elapsed: () => Date.now(), onLate });
  return { patience, onLate };
}

describe('Patience', () => {
  test('ends after the limit, once', () => {
    const { patience, onLate } = patient();
    patience.start();
    patience.start();
    vi.advanceTimersByTime(999);
    expect(onLate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5_000);
    expect(onLate).toHaveBeenCalledTimes(1);
  });

  test('is used up by all waits together', () => {
    const { patience, onLate } = patient();
    for (let i = 0; i < 9; i++) {
      patience.start();
      vi.advanceTimersByTime(100);
      patience.stop();
      vi.advanceTimersByTime(10_000);
    }
    expect(onLate).not.toHaveBeenCalled();
    patience.start();
    vi.advanceTimersByTime(101);
    expect(onLate).toHaveBeenCalledTimes(1);
  });

  test('lasts with bytes that come fast enough, and not with slower ones', () => {
    for (const [bytes, isLate] of [
      [100, false],
      [90, true],
    ] as const) {
      const { patience, onLate } = patient();
      for (let i = 0; i < 200; i++) {
        patience.start();
        vi.advanceTimersByTime(100);
        patience.moved(bytes);
        patience.stop();
      }
      expect(onLate.mock.calls.length > 0).toBe(isLate);
    }
  });

  test('is no longer than the limit, however much has come', () => {
    const { patience, onLate } = patient();
    patience.moved(1e9);
    patience.renew();
    patience.start();
    vi.advanceTimersByTime(1_001);
    expect(onLate).toHaveBeenCalledTimes(1);
  });

  test('is whole again after it is renewed, also in the middle of a wait', () => {
    const { patience, onLate } = patient();
    patience.start();
    vi.advanceTimersByTime(900);
    patience.renew();
    vi.advanceTimersByTime(200);
    expect(onLate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(onLate).toHaveBeenCalledTimes(1);
  });
});
