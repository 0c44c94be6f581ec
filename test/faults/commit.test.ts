/**
 * Every write of a short life of a log fails twice: lost, and lost but persisted. Whatever happens, each acknowledged record is
 * there once, in its place, and the retry of every other one goes in.
 */

import { describe, expect, it } from 'vitest';
import { formatHex } from '../../merkle/bytes.ts';
import { parseEntry } from '../../merkle/entry.ts';
import { verifyNote } from '../../merkle/note.ts';
import { leafHash } from '../../merkle/tree.ts';
import { type Guard, memoryGuard } from '../../service/guard.ts';
import type { Ledger } from '../../service/ledger.ts';
import type { Acknowledgement } from '../../service/submission.ts';
import { type FaultMode, FaultyLevel } from '../helpers/faulty-level.ts';
import { aLog, aSubmission, type TestLog } from '../helpers/ledger.ts';
import { Twin } from '../helpers/twin.ts';

/** A guard whose write number `failAt` fails, once. */
function faultyGuard(): Guard & { writes: number; failAt: number; mode: FaultMode } {
  const inner = memoryGuard();
  const guard = {
    writes: 0,
    failAt: Number.POSITIVE_INFINITY,
    mode: 'lost' as FaultMode,
    read: inner.read,
    write: async (checkpoint: string) => {
      guard.writes++;
      const fails = guard.writes === guard.failAt;
      if (!fails || guard.mode === 'lost but persisted') await inner.write(checkpoint);
      if (fails) throw new Error('EIO');
    },
  };
  return guard;
}

const ids = Array.from({ length: 12 }, (_, i) => `${i}`);

/** Submits every record in batches of three until a batch fails; gives what was acknowledged. */
async function liveUntilFault(ledger: Ledger): Promise<Acknowledgement[]> {
  const acknowledged: Acknowledgement[] = [];
  for (let i = 0; i < ids.length; i += 3) {
    const results = await Promise.allSettled(
      ids.slice(i, i + 3).map(id => ledger.submit(aSubmission({ id }))),
    );
    for (const result of results) {
      if (result.status === 'fulfilled') acknowledged.push(result.value);
      else expect(result.reason).toMatchObject({ code: 'LOG_STOPPING' });
    }
  }
  return acknowledged;
}

/**
 * Submits every record at once, so that each batch of three but the first is drafted and written while the one before it is signed;
 * gives what was acknowledged.
 */
async function liveAtOnce(ledger: Ledger): Promise<Acknowledgement[]> {
  const results = await Promise.allSettled(ids.map(id => ledger.submit(aSubmission({ id }))));
  const rejected = results.filter(({ status }) => status === 'rejected');
  for (const result of rejected) expect(result).toMatchObject({ reason: { code: 'LOG_STOPPING' } });
  return results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
}

/** Opens the log again, sends everything again, and checks the whole log from its entries. */
async function checkAfterRestart(log: TestLog, acknowledged: readonly Acknowledgement[]): Promise<void> {
  const ledger = await log.open();
  for (const { index, leafHash: hash } of acknowledged) {
    expect(formatHex(leafHash(await ledger.read.entry(index)))).toBe(formatHex(hash));
  }
  const again = await Promise.all(ids.map(id => ledger.submit(aSubmission({ id }))));
  for (const { leafHash: hash, index } of acknowledged) {
    expect(again.find(answer => answer.index === index)).toMatchObject({ status: 200, leafHash: hash });
  }

  const size = ids.length + 1;
  expect(ledger.sequenced).toBe(size);
  expect(new Set(again.map(({ index }) => index)).size).toBe(ids.length);
  const entries = await ledger.read.entries(0, size);
  const times = entries.map(entry => parseEntry(entry).time);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(formatHex(ledger.signed().root)).toBe(
    formatHex(Twin.of(i => entries[i] ?? new Uint8Array(0)).root(size)),
  );
  verifyNote(ledger.signed().checkpoint, [log.signer.key]);
  await ledger.stop();
}

const modes: readonly FaultMode[] = ['lost', 'lost but persisted'];

describe.each(modes)('a write of the database that is %s', mode => {
  // The term of the start, then four batches.
  it.each([1, 2, 3, 4, 5])('leaves a whole log when it is number %i', async number => {
    const database = new FaultyLevel();
    const log = await aLog({ database });
    database.mode = mode;
    database.failAt = database.writes + number;
    const ledger = await log.open().catch(() => undefined);
    const acknowledged = ledger === undefined ? [] : await liveUntilFault(ledger);
    expect(acknowledged).toHaveLength(3 * Math.max(0, number - 2));
    expect(log.faults.length).toBeGreaterThan(0);
    await checkAfterRestart(log, acknowledged);
  });
});

describe.each(modes)('a write of the guard that is %s', mode => {
  it.each([1, 2, 3, 4])('leaves a whole log when it is number %i', async number => {
    const guard = faultyGuard();
    const log = await aLog({ guard });
    guard.mode = mode;
    guard.failAt = guard.writes + number;
    const acknowledged = await liveUntilFault(await log.open());
    expect(acknowledged).toHaveLength(3 * (number - 1));
    expect(log.faults).toHaveLength(1);
    await checkAfterRestart(log, acknowledged);
  });
});

// With the next batch drafted or written already when something fails: what is acknowledged is always the beginning of the log.
describe.each(modes)('batches that follow one another closely, and a fault that is %s', mode => {
  it.each([2, 3, 4, 5])('leave a whole log when it is write number %i of the database', async number => {
    const database = new FaultyLevel();
    const log = await aLog({ database });
    database.mode = mode;
    database.failAt = database.writes + number;
    const acknowledged = await liveAtOnce(await log.open({ batchMax: 3 }));
    // The batch before the one that failed was durable, and may have been signed before the fault or not.
    expect([3 * (number - 3), 3 * (number - 2)].map(count => Math.max(0, count))).toContain(
      acknowledged.length,
    );
    expect(acknowledged.map(({ index }) => index)).toEqual(acknowledged.map((_, i) => i + 1));
    expect(log.faults.length).toBeGreaterThan(0);
    await checkAfterRestart(log, acknowledged);
  });

  it.each([1, 2, 3, 4])('leave a whole log when it is write number %i of the guard', async number => {
    const guard = faultyGuard();
    const log = await aLog({ guard });
    guard.mode = mode;
    guard.failAt = guard.writes + number;
    const ledger = await log.open({ batchMax: 3 });
    const acknowledged = await liveAtOnce(ledger);
    expect(acknowledged.map(({ index }) => index)).toEqual(
      Array.from({ length: 3 * (number - 1) }, (_, i) => i + 1),
    );
    expect(log.faults).toHaveLength(1);
    // On disk there may be one batch more than was signed; nothing of it was spoken of.
    expect(ledger.sequenced - ledger.signed().size).toBeLessThanOrEqual(6);
    expect(ledger.signed().size).toBe(acknowledged.length + 1);
    await checkAfterRestart(log, acknowledged);
  });

  it('leave a whole log when the signer fails', async () => {
    const log = await aLog();
    let signatures = 0;
    const sign: typeof log.signer.sign = async message => {
      if (++signatures === 2) throw new Error('HSM does not answer');
      return log.signer.sign(message);
    };
    const ledger = await log.open({ batchMax: 3, signer: { key: log.signer.key, sign } });
    const acknowledged = await liveAtOnce(ledger);
    expect(acknowledged.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(log.faults).toHaveLength(1);
    await checkAfterRestart(log, acknowledged);
  });
});

describe('two faults in a row', () => {
  it('stop the start as well, and lose nothing', async () => {
    const database = new FaultyLevel();
    const log = await aLog({ database });
    const ledger = await log.open();
    database.failAt = database.writes + 2;
    const acknowledged = await liveUntilFault(ledger);
    expect(acknowledged).toHaveLength(3);

    database.failAt = database.writes + 1;
    await expect(log.open()).rejects.toThrow('a write failed, and whether it is on disk is unknown');
    await checkAfterRestart(log, acknowledged);
  });
});

describe('a signer that fails', () => {
  it('leaves the batch unanswered and is signed by the next start', async () => {
    const log = await aLog();
    const sign = () => Promise.reject(new Error('HSM does not answer'));
    const ledger = await log.open({ signer: { key: log.signer.key, sign } });
    expect(await liveUntilFault(ledger)).toEqual([]);
    expect(log.faults).toHaveLength(1);
    await checkAfterRestart(log, []);
  });
});
