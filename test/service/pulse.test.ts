/** The pulse of the log: what is counted, what is remembered, and what it costs when nobody watches. */

import { describe, expect, it } from 'vitest';
import { formatEntry } from '../../merkle/entry.ts';
import type { Anchor } from '../../service/anchors.ts';
import { type Beat, Pulse, type PulseParts } from '../../service/pulse.ts';

const start = Date.parse('2026-11-24T08:00:00Z');
const minuteMs = 60_000;

/** A log whose anchors each cover ten entries more, a pulse over it, and how often it was asked for what. */
function aPulse() {
  const state = { ms: start, final: 0, signed: 0, asked: 0, read: 0, errors: [] as unknown[] };
  const ticks = new Set<() => void>();
  const anchorOf = (size: number): Anchor => ({
    size,
    root: new Uint8Array(32),
    block: size,
    blockHash: new Uint8Array(32),
    blockTime: start / 1000 + size,
    transaction: new Uint8Array(32),
    checkpoint: 'note',
  });
  const parts: PulseParts = {
    sizes: () => ({
      sequenced: state.signed,
      signed: state.signed,
      anchored: state.final,
      final: state.final,
    }),
    condition: () => ({ status: 'UP', reasons: [], waitingSince: null }),
    anchors: {
      newest: async limit => {
        state.asked++;
        const count = Math.min(limit, state.final / 10);
        return Array.from({ length: count }, (_, i) => anchorOf(state.final - 10 * i));
      },
    },
    read: {
      entry: async () => {
        state.read++;
        const [keyId, commitment] = [new Uint8Array(32).fill(1), new Uint8Array(32)];
        return formatEntry({ kind: 'audit', time: start, keyId, commitment });
      },
    },
    now: () => state.ms,
    every: (_, task) => {
      ticks.add(task);
      return () => ticks.delete(task);
    },
    onError: error => state.errors.push(error),
  };
  return { pulse: new Pulse(parts), state, ticks };
}

const kinds = (beats: readonly Beat[]) => beats.map(({ kind }) => kind);

describe('new records', () => {
  it('are counted by the minute, for an hour', async () => {
    const { pulse, state } = aPulse();
    for (let minute = 0; minute < 200; minute++) {
      state.ms = start + minute * minuteMs;
      pulse.count(minute);
      pulse.count(1);
    }
    const { minutes, since, now } = await pulse.view();
    expect(minutes).toEqual(Array.from({ length: 60 }, (_, i) => 141 + i));
    expect([since, now]).toEqual([start, start + 199 * minuteMs]);
    state.ms += 58 * minuteMs;
    expect((await pulse.view()).minutes.filter(count => count > 0)).toEqual([199, 200]);
    state.ms += 60 * minuteMs;
    expect((await pulse.view()).minutes).toEqual(Array(60).fill(0));
  });
});

describe('anchors', () => {
  it('are read when there are new ones, and their entries once for each', async () => {
    const { pulse, state } = aPulse();
    state.final = 50;
    expect((await pulse.view()).anchors.map(({ size }) => size)).toEqual([50, 40, 30, 20, 10]);
    expect((await pulse.view()).anchors[0]?.lagMs).toBe(50_000);
    expect((await pulse.view()).anchors.at(-1)?.lagMs).toBeUndefined();
    expect(state).toMatchObject({ asked: 1, read: 4 });
    state.final = 60;
    await pulse.view();
    expect(state).toMatchObject({ asked: 2, read: 5 });
  });

  it('are remembered up to a hundred, and the older ones are not told', async () => {
    const { pulse, state } = aPulse();
    state.final = 5_000;
    const beats: Beat[] = [];
    const end = await pulse.watch({ signed: 0, final: 0 }, beat => beats.push(beat));
    const sizes = beats.flatMap(beat => (beat.kind === 'anchor' ? [beat.anchor.size] : []));
    expect(sizes).toEqual(Array.from({ length: 100 }, (_, i) => 4_010 + 10 * i));
    expect(beats.every(beat => beat.kind !== 'anchor' || beat.anchor.lagMs !== undefined)).toBe(true);
    end();
  });
});

describe('a minute', () => {
  it('that begins is told, so that charts go on when nothing comes', async () => {
    const { pulse, state, ticks } = aPulse();
    const beats: Beat[] = [];
    const end = await pulse.watch(undefined, beat => beats.push(beat));
    const tick = async () => {
      for (const each of ticks) each();
      for (let i = 0; i < 10; i++) await Promise.resolve();
    };
    await tick();
    expect(kinds(beats)).toEqual(['size', 'health']);
    state.ms += minuteMs;
    await tick();
    expect(kinds(beats)).toEqual(['size', 'health', 'size']);
    end();
  });
});

describe('without watchers', () => {
  it('no timer runs, also when they have come and gone many times', async () => {
    const { pulse, ticks } = aPulse();
    expect(ticks.size).toBe(0);
    for (let i = 0; i < 3; i++) {
      const ends = await Promise.all([1, 2, 3].map(() => pulse.watch(undefined, () => undefined)));
      expect(ticks.size).toBe(1);
      for (const end of ends) end();
      for (const end of ends) end();
      expect(ticks.size).toBe(0);
      expect(pulse.watching).toBe(0);
    }
  });
});
