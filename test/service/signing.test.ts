/** Nothing false is ever signed: whatever is not as it must be keeps the signer from being asked at all. */

import { describe, expect, it } from 'vitest';
import { formatEntry } from '../../merkle/entry.ts';
import { leafHash } from '../../merkle/tree.ts';
import { memoryGuard } from '../../service/guard.ts';
import type { Head } from '../../service/layout.ts';
import { signHead } from '../../service/signing.ts';
import { Store } from '../../service/store.ts';
import { copyOf, FaultyLevel } from '../helpers/faulty-level.ts';
import { aLog, aSubmission } from '../helpers/ledger.ts';

/** A log of three entries, of which the last was added since the checkpoint of the first two. */
async function aGrownLog() {
  const log = await aLog();
  const ledger = await log.open();
  await ledger.submit(aSubmission({ id: '1' }));
  const last = ledger.signed();
  const guard = memoryGuard();
  await guard.write(last.checkpoint);
  await ledger.submit(aSubmission({ id: '2' }));
  const { size, root, time } = ledger.signed();
  const head: Head = { size, root, time, recordsUpTo: size, chainEntry: null, term: 2 };
  const entry = await ledger.read.entry(2);

  let asked = 0;
  const sign = (message: Uint8Array) => {
    asked++;
    return log.signer.sign(message);
  };
  const parts = { origin: ledger.origin, read: ledger.read, signer: { ...log.signer, sign }, guard };
  return { parts, head, last, added: [{ entry, leafHash: leafHash(entry) }], asked: () => asked };
}

describe('signHead', () => {
  it('signs what extends the last checkpoint, and has it in the guard before it gives it out', async () => {
    const { parts, head, last, added, asked } = await aGrownLog();
    const signed = await signHead(parts, head, last, added);
    expect(signed).toMatchObject({ size: 3, root: head.root, time: head.time });
    expect(await parts.guard.read()).toBe(signed.checkpoint);
    expect(asked()).toBe(1);
  });

  it.each<[string, (world: Awaited<ReturnType<typeof aGrownLog>>) => unknown, string]>([
    [
      'a root that the tiles do not give',
      ({ parts, head, last, added }) => signHead(parts, { ...head, root: last.root }, last, added),
      'two ways to the root of size 3 give different roots',
    ],
    [
      'an entry that is another one on disk',
      ({ parts, head, last }) => {
        const entry = formatEntry({
          kind: 'audit',
          time: head.time,
          keyId: new Uint8Array(32).fill(1),
          commitment: new Uint8Array(32),
        });
        return signHead(parts, head, last, [{ entry, leafHash: leafHash(entry) }]);
      },
      'entry 2 on disk is not the one in the tree',
    ],
    [
      'a tree that does not extend the one signed last',
      ({ parts, head, last, added }) =>
        signHead(parts, head, { ...last, root: new Uint8Array(32).fill(1) }, added),
      'the stored tree gives a proof of consistency that does not verify',
    ],
    [
      'what another process has signed past',
      async ({ parts, head, last, added }) => {
        await parts.guard.write('another checkpoint\n');
        await signHead(parts, head, last, added);
      },
      'the guard does not hold the checkpoint that this process signed last',
    ],
  ])('does not sign %s', async (_, sign, message) => {
    const world = await aGrownLog();
    const before = await world.parts.guard.read();
    await expect(async () => sign(world)).rejects.toThrow(message);
    expect(world.asked()).toBe(0);
    expect([before, 'another checkpoint\n']).toContain(await world.parts.guard.read());
  });
});

describe('D12: two processes on copies of one data folder', () => {
  it('with one guard: the second one stops before it signs another history', async () => {
    const database = new FaultyLevel();
    const log = await aLog({ database });
    const first = await log.open();
    const copy = await aCopy(log, database);
    await first.submit(aSubmission({ id: 'a' }));
    await expect(copy.ledger.submit(aSubmission({ id: 'b' }))).rejects.toMatchObject({
      code: 'LOG_STOPPING',
    });
    expect(copy.faults).toMatchObject([
      { message: expect.stringContaining('another process has written it') },
    ]);
    await first.submit(aSubmission({ id: 'c' }));
    expect(first.signed().size).toBe(3);
  });
});

async function aCopy(log: Awaited<ReturnType<typeof aLog>>, database: FaultyLevel) {
  const faults: unknown[] = [];
  const onFault = (cause: unknown) => faults.push(cause);
  const store = new Store(await copyOf(database), onFault);
  return { faults, ledger: await log.open({ store, onFault }) };
}
