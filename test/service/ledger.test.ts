/** The ledger puts records in order: one commit, one root, and the same answer however often it is asked. */

import { describe, expect, it } from 'vitest';
import { equalBytes, formatHex, formatUint64 } from '../../merkle/bytes.ts';
import { readCheckpoint } from '../../merkle/checkpoint.ts';
import { parseEntry } from '../../merkle/entry.ts';
import { verifyNote } from '../../merkle/note.ts';
import { verifyConsistency, verifyInclusion } from '../../merkle/verify.ts';
import { LedgerError } from '../../service/errors.ts';
import type { Ledger } from '../../service/ledger.ts';
import { Store } from '../../service/store.ts';
import type { Acknowledgement } from '../../service/submission.ts';
import { aLog, aSubmission, type TestLog, testStart } from '../helpers/ledger.ts';
import { Twin } from '../helpers/twin.ts';

/** What an agency can check with an acknowledgement and the proof that goes with it. */
async function verifyAcknowledgement(
  log: TestLog,
  ledger: Ledger,
  acknowledgement: Acknowledgement,
): Promise<void> {
  const { index, leafHash, signed } = acknowledgement;
  verifyNote(signed.checkpoint, [log.signer.key]);
  const { size, root } = readCheckpoint(signed.checkpoint);
  const path = await ledger.prove(acknowledgement);
  verifyInclusion({ index, size, leafHash, path, root });
}

async function refusal(promise: Promise<unknown>): Promise<LedgerError> {
  const error = await promise.then(
    () => undefined,
    reason => reason,
  );
  expect(error).toBeInstanceOf(LedgerError);
  return error as LedgerError;
}

const submitMany = (ledger: Ledger, count: number, from = 0) =>
  Promise.all(Array.from({ length: count }, (_, i) => ledger.submit(aSubmission({ id: `${from + i}` }))));

describe('submit', () => {
  it('proves every record in every tree up to 66, each root that of the RFC', async () => {
    const log = await aLog();
    const ledger = await log.open();
    const leaves = [await ledger.read.rootAt(1)];
    for (let size = 2; size <= 66; size++) {
      const acknowledgement = await ledger.submit(aSubmission({ id: `${size}` }));
      leaves.push(acknowledgement.leafHash);
      await verifyAcknowledgement(log, ledger, acknowledgement);
      expect(acknowledgement).toMatchObject({ status: 201, index: size - 1 });
      expect(ledger.signed().size).toBe(size);
      expect(formatHex(ledger.signed().root)).toBe(
        formatHex(new Twin(i => leaves[i] ?? new Uint8Array(0)).root(size)),
      );
    }
  });

  it.each([254, 255, 256, 257, 510, 511, 700])(
    'commits %i records at once across the borders of tiles',
    async count => {
      const log = await aLog();
      const ledger = await log.open();
      const acknowledgements = await submitMany(ledger, count);
      for (const acknowledgement of acknowledgements)
        await verifyAcknowledgement(log, ledger, acknowledgement);
      expect(new Set(acknowledgements.map(({ signed }) => signed.checkpoint)).size).toBe(1);
      expect(acknowledgements.map(({ index }) => index)).toEqual(acknowledgements.map((_, i) => i + 1));
    },
  );

  it('takes no more than the batch limit into one commit', async () => {
    const batches: number[] = [];
    const log = await aLog();
    const ledger = await log.open({ batchMax: 10, observe: ({ records }) => batches.push(records) });
    await submitMany(ledger, 35);
    expect(batches).toEqual([10, 10, 10, 5]);
  });

  it('writes the next batch while one is signed, and speaks of neither before its turn', async () => {
    const log = await aLog();
    const { promise: signature, resolve: signNow } = Promise.withResolvers<void>();
    const sign: typeof log.signer.sign = async message => {
      await signature;
      return log.signer.sign(message);
    };
    const ledger = await log.open({ batchMax: 2, signer: { key: log.signer.key, sign } });
    const answered: number[] = [];
    const submitted = [1, 2, 3, 4, 5].map(async id => {
      const { index } = await ledger.submit(aSubmission({ id: `${id}` }));
      answered.push(index);
    });
    const retried = ledger.submit(aSubmission({ id: '3' }));
    while (ledger.sequenced < 5) await new Promise(setImmediate);
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    expect([ledger.sequenced, ledger.signed().size, answered]).toEqual([5, 1, []]);

    signNow();
    await Promise.all(submitted);
    expect(answered).toEqual([1, 2, 3, 4, 5]);
    const retry = await retried;
    expect(retry).toMatchObject({ status: 200, index: 3 });
    expect(retry.signed.size).toBeGreaterThan(3);
  });

  it('takes no more than four megabytes of events into one commit, and a larger event alone', async () => {
    const batches: number[] = [];
    const log = await aLog();
    const ledger = await log.open({ observe: ({ records }) => batches.push(records) });
    const lengths = [1_500_000, 1_500_000, 1_500_000, 5_000_000, 10, 10];
    await Promise.all(
      lengths.map((length, i) => ledger.submit(aSubmission({ id: `${i}`, text: 'x'.repeat(length) }))),
    );
    expect(batches).toEqual([2, 1, 1, 2]);
  });

  it('counts the statement of a batch with each of its events', async () => {
    const batches: number[] = [];
    const log = await aLog();
    const ledger = await log.open({ observe: ({ records }) => batches.push(records) });
    const batch = { salt: new Uint8Array(32), index: 0, path: [] };
    const statement = 'x'.repeat(1_500_000);
    const submissions = Array.from({ length: 4 }, (_, i) => aSubmission({ id: `${i}`, statement, batch }));
    // Only the commit is looked at: retries would find no event behind such statements.
    await Promise.all(submissions.map(each => ledger.submit(each)));
    expect(batches).toEqual([2, 2]);
  });

  it('answers a retry with the record as it stands', async () => {
    const log = await aLog();
    const ledger = await log.open();
    const first = await ledger.submit(aSubmission());
    await submitMany(ledger, 5, 10);
    const resigned = aSubmission();
    expect(resigned.statement).not.toBe(aSubmission().statement);

    const again = await ledger.submit(resigned);
    await verifyAcknowledgement(log, ledger, again);
    expect(again).toMatchObject({
      status: 200,
      index: first.index,
      time: first.time,
      leafHash: first.leafHash,
      salt: first.salt,
    });
    expect(again.record?.salt).toEqual(first.salt);
    expect(ledger.sequenced).toBe(7);
  });

  it('finds retries and conflicts within one batch', async () => {
    const ledger = await (await aLog()).open();
    const [first, retry, conflict] = await Promise.allSettled([
      ledger.submit(aSubmission()),
      ledger.submit(aSubmission()),
      ledger.submit(aSubmission({ text: 'geweigerd' })),
    ]);
    expect(first).toMatchObject({ value: { status: 201, index: 1 } });
    expect(retry).toMatchObject({ value: { status: 200, index: 1 } });
    expect(conflict).toMatchObject({ reason: { code: 'EVENT_CONFLICT' } });
    expect(ledger.sequenced).toBe(2);
  });

  it('refuses other bytes under the same name, and changes nothing', async () => {
    const ledger = await (await aLog()).open();
    await ledger.submit(aSubmission());
    expect((await refusal(ledger.submit(aSubmission({ text: 'geweigerd' })))).code).toBe('EVENT_CONFLICT');
    expect(ledger.sequenced).toBe(2);
  });

  it('scopes names by agency', async () => {
    const ledger = await (await aLog()).open();
    await ledger.submit(aSubmission());
    const other = await ledger.submit(aSubmission({ agency: 'OVO000001', text: 'geweigerd' }));
    expect(other).toMatchObject({ status: 201, index: 2 });
  });

  it('tells apart names that run together', async () => {
    const ledger = await (await aLog()).open();
    const names = [
      { source: 'a', id: 'bc' },
      { source: 'ab', id: 'c' },
      { source: 'a","b', id: 'c' },
      { source: 'a', id: 'b","c' },
    ];
    for (const name of names) expect((await ledger.submit(aSubmission(name))).status).toBe(201);
  });

  it('answers 410 after erasure, whatever the bytes', async () => {
    const log = await aLog();
    const ledger = await log.open();
    const { index } = await ledger.submit(aSubmission());
    await new Store(log.database, () => undefined).write([
      { table: 'salt', key: formatUint64(index), value: null },
    ]);
    expect((await refusal(ledger.submit(aSubmission()))).code).toBe('RECORD_ERASED');
    expect((await refusal(ledger.submit(aSubmission({ text: 'x' })))).code).toBe('RECORD_ERASED');
  });

  it('asks for admission at the time that the entry gets, and leaves no trace of who is not admitted', async () => {
    const log = await aLog();
    const ledger = await log.open();
    log.now.ms += 5000;
    const asked: number[] = [];
    const admit = (ms: number) => {
      asked.push(ms);
      throw new LedgerError('KEY_NOT_VALID', 'the key is retired');
    };
    const results = await Promise.allSettled([
      ledger.submit(aSubmission({ id: 'a' })),
      ledger.submit(aSubmission({ id: 'b', admit })),
      ledger.submit(aSubmission({ id: 'c' })),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[2]).toMatchObject({ value: { index: 2 } });
    expect(asked).toEqual([testStart + 5000]);
    expect(ledger.sequenced).toBe(3);
  });

  it('admits the second of two twins when the first is not', async () => {
    const ledger = await (await aLog()).open();
    const admit = () => {
      throw new LedgerError('KEY_NOT_VALID', 'the key is retired');
    };
    const [refused, accepted] = await Promise.allSettled([
      ledger.submit(aSubmission({ admit })),
      ledger.submit(aSubmission()),
    ]);
    expect(refused).toMatchObject({ reason: { code: 'KEY_NOT_VALID' } });
    expect(accepted).toMatchObject({ value: { status: 201, index: 1 } });
  });

  it('answers a retry under a key that is no longer admitted', async () => {
    const ledger = await (await aLog()).open();
    await ledger.submit(aSubmission());
    const admit = () => {
      throw new LedgerError('KEY_NOT_VALID', 'the key is retired');
    };
    expect(await ledger.submit(aSubmission({ admit }))).toMatchObject({ status: 200, index: 1 });
  });

  it('never lets times decrease, and refuses when the clock has gone back far', async () => {
    const log = await aLog();
    const ledger = await log.open();
    log.now.ms += 90_000;
    const first = await ledger.submit(aSubmission({ id: 'a' }));
    log.now.ms -= 30_000;
    const second = await ledger.submit(aSubmission({ id: 'b' }));
    expect(second.time).toBe(first.time);
    log.now.ms -= 1;
    expect((await refusal(ledger.submit(aSubmission({ id: 'c' })))).code).toBe('CLOCK_OFF');
    expect(ledger.sequenced).toBe(3);
  });

  it('keeps each record behind its entry as it was sent', async () => {
    const ledger = await (await aLog()).open();
    const single = aSubmission({ id: 'single' });
    const batch = { salt: new Uint8Array(32).fill(1), index: 70_000, path: [new Uint8Array(32).fill(2)] };
    const batched = aSubmission({ id: 'batched', batch });
    const acknowledgements = [await ledger.submit(single), await ledger.submit(batched)];
    const [first, second] = await Promise.all(acknowledgements.map(({ index }) => ledger.read.record(index)));
    expect(first).toEqual({ statement: single.statement, salt: acknowledgements[0]?.salt, key: single.key });
    expect(second).toMatchObject({ statement: batched.statement, batch: { ...batch, event: batched.event } });
  });

  it('takes nothing once it is stopped, and finishes what it has', async () => {
    const ledger = await (await aLog()).open();
    const taken = submitMany(ledger, 20);
    const stopped = ledger.stop();
    expect((await refusal(ledger.submit(aSubmission({ id: 'late' })))).code).toBe('LOG_STOPPING');
    expect((await taken).map(({ status }) => status)).toEqual(Array(20).fill(201));
    await stopped;
    expect(ledger.sequenced).toBe(21);
  });
});

describe('prove', () => {
  it('gives out no path that does not lead from the record to the root of its checkpoint', async () => {
    const ledger = await (await aLog()).open();
    const [first, second] = await submitMany(ledger, 2);
    if (first === undefined || second === undefined) throw new Error('two records were submitted');
    const fault = 'the stored tree gives a proof of inclusion that does not verify';
    await expect(ledger.prove({ ...first, leafHash: second.leafHash })).rejects.toThrow(fault);
    const signed = { ...first.signed, root: second.leafHash };
    await expect(ledger.prove({ ...first, signed })).rejects.toThrow(fault);
  });
});

describe('appendChainEntry', () => {
  it('adds an entry that holds the block hash and asks for no anchor', async () => {
    const log = await aLog();
    const ledger = await log.open();
    await ledger.submit(aSubmission());
    const hash = new Uint8Array(32).fill(9);
    const blockTime = testStart / 1000;
    const signed = await ledger.appendChainEntry({ hash, blockTime });
    expect(signed.size).toBe(3);
    expect(parseEntry(await ledger.read.entry(2))).toEqual({
      kind: 'chain',
      time: testStart,
      keyId: new Uint8Array(32),
      commitment: hash,
    });
    expect(ledger.recordsUpTo()).toBe(2);
    expect(ledger.lastChainEntry()).toEqual({ index: 2, blockTime });
  });

  it('keeps it and all that follows within 30 seconds of the block, from below', async () => {
    const log = await aLog();
    const ledger = await log.open();
    const blockTime = testStart / 1000 + 60;
    await ledger.appendChainEntry({ hash: new Uint8Array(32), blockTime });
    const { time } = await ledger.submit(aSubmission());
    expect(parseEntry(await ledger.read.entry(1)).time).toBe(testStart + 30_000);
    expect(time).toBe(testStart + 30_000);
  });
});

describe('freeze', () => {
  it('refuses submissions with its reason and goes on reading', async () => {
    const ledger = await (await aLog()).open();
    await ledger.submit(aSubmission());
    ledger.freeze('LOG_FORKED', 'the registry holds another root');
    expect(await refusal(ledger.submit(aSubmission({ id: '2' })))).toMatchObject({
      code: 'LOG_FORKED',
      message: 'the registry holds another root',
    });
    expect(await ledger.read.record(1)).toMatchObject({ statement: expect.any(String) });
  });
});

describe('open', () => {
  it('goes on where the log ended, under a higher term, in trees that extend each other', async () => {
    const log = await aLog();
    const roots: { size: number; root: Uint8Array }[] = [];
    for (const count of [1, 100, 155, 1, 256, 3]) {
      const ledger = await log.open();
      await submitMany(ledger, count, ledger.sequenced);
      await ledger.stop();
      roots.push(ledger.signed());
      expect(ledger.term).toBe(roots.length + 1);
    }
    const ledger = await log.open();
    const last = ledger.signed();
    expect(last.size).toBe(517);
    for (const { size, root } of roots) {
      expect(equalBytes(await ledger.read.rootAt(size), root)).toBe(true);
      const path = await ledger.read.proveConsistency(size, last.size, root, last.root);
      verifyConsistency({ first: size, second: last.size, firstRoot: root, secondRoot: last.root, path });
    }
  });
});
