import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Deadline } from '../../../service/http/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Deadline', () => {
  test('is told once when the time is up', () => {
    const onLate = vi.fn();
    new Deadline(100, onLate).start();
    vi.advanceTimersByTime(99);
    expect(onLate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(500);
    expect(onLate).toHaveBeenCalledTimes(1);
  });

  test('gives no more time by being started again, and all of it after a stop', () => {
    const onLate = vi.fn();
    const deadline = new Deadline(100, onLate);
    deadline.start();
    vi.advanceTimersByTime(60);
    deadline.start();
    vi.advanceTimersByTime(39);
    deadline.stop();
    vi.advanceTimersByTime(500);
    deadline.start();
    vi.advanceTimersByTime(99);
    expect(onLate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onLate).toHaveBeenCalledTimes(1);
  });
});
