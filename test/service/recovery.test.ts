/** A log does not open over what is not its whole self, and says what to do. */

import { describe, expect, it } from 'vitest';
import { concatBytes, formatUint64, utf8 } from '../../merkle/bytes.ts';
import { formatCheckpoint } from '../../merkle/checkpoint.ts';
import { signNote } from '../../merkle/note.ts';
import { memoryGuard } from '../../service/guard.ts';
import { headKey, metaKeys, tileKey } from '../../service/layout.ts';
import { RecoveryError } from '../../service/recovery.ts';
import { type Database, Store, type Write } from '../../service/store.ts';
import { aLog, aNoteSigner, aSubmission, memoryDatabase, type TestLog } from '../helpers/ledger.ts';

const view = { keyEncoding: 'view', valueEncoding: 'view' } as const;

/** A log of 300 records, closed. */
async function aGrownLog(count = 300): Promise<TestLog> {
  const log = await aLog();
  const ledger = await log.open();
  await Promise.all(Array.from({ length: count }, (_, i) => ledger.submit(aSubmission({ id: `${i}` }))));
  await ledger.stop();
  return log;
}

const change = (log: TestLog, write: Write) => new Store(log.database, () => undefined).write([write]);

async function copyOf(database: Database): Promise<Database> {
  const copy = memoryDatabase();
  for await (const [key, value] of database.iterator(view)) await copy.put(key, value, view);
  return copy;
}

async function expectRefusal(log: TestLog, message: RegExp, changes = {}): Promise<void> {
  const error = await log.open(changes).then(
    () => undefined,
    reason => reason,
  );
  expect(error).toBeInstanceOf(RecoveryError);
  expect(error.message).toMatch(message);
}

describe('recoverLog', () => {
  it('opens what is whole, again and again', async () => {
    const log = await aGrownLog();
    for (let term = 3; term < 6; term++) expect((await log.open()).term).toBe(term);
  });

  it('refuses a store without a log, and one of another format', async () => {
    const log = await aGrownLog(1);
    await change(log, { table: 'meta', key: metaKeys.format, value: utf8('2') });
    await expectRefusal(log, /has format "2", this program reads format "1"/);
    await change(log, { table: 'meta', key: metaKeys.format, value: null });
    await expectRefusal(log, /holds no log: `zegel init` makes one/);
  });

  it('refuses the log key of another log', async () => {
    const log = await aGrownLog(1);
    await expectRefusal(log, /the log key is of "ledger.test\/2", the data folder of "ledger.test\/1"/, {
      signer: aNoteSigner('ledger.test/2'),
    });
  });

  it('refuses a guard by another key under the same name', async () => {
    const log = await aGrownLog(1);
    await expectRefusal(log, /the guard file is not a checkpoint that this log has signed/, {
      signer: aNoteSigner(),
    });
  });

  it.each([
    ['head', headKey, /the log has no head/],
    ['meta', metaKeys.genesis, /the log has no genesis/],
    ['meta', metaKeys.secret, /the log has no secret/],
  ] as const)('refuses a lost value of %s', async (table, key, message) => {
    const log = await aGrownLog(1);
    await change(log, { table, key, value: null });
    await expectRefusal(log, message);
  });

  it('refuses a hole in the last entries, wherever it is', async () => {
    const log = await aGrownLog();
    for (const index of [0, 1, 100, 255, 256, 299, 300]) {
      const key = formatUint64(index);
      const entry = (await new Store(log.database, () => undefined).get('entry', key)) ?? new Uint8Array(0);
      await change(log, { table: 'entry', key, value: null });
      await expect(log.open()).rejects.toThrow(`entry ${index} is missing`);
      await change(log, { table: 'entry', key, value: entry });
    }
    await log.open();
  });

  it('refuses entries that are not those of the tree, and records that are gone', async () => {
    const log = await aGrownLog();
    const store = new Store(log.database, () => undefined);
    const [first, second] = await store.getMany('entry', [formatUint64(7), formatUint64(8)]);
    if (first === undefined || second === undefined) throw new Error('no entries');
    await store.write([{ table: 'entry', key: formatUint64(7), value: second }]);
    await expectRefusal(log, /entry 7 on disk does not fit the tree/);
    await store.write([
      { table: 'entry', key: formatUint64(7), value: first },
      { table: 'record', key: formatUint64(9), value: null },
    ]);
    await expectRefusal(log, /entry 9 on disk does not fit the tree/);
  });

  it('refuses tiles that do not give the root of the head', async () => {
    const log = await aGrownLog();
    const store = new Store(log.database, () => undefined);
    for (const [level, index] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const key = tileKey({ level, index });
      const tile = (await store.get('tile', key)) ?? new Uint8Array(0);
      const changed = Uint8Array.from(tile);
      changed[0] = (changed[0] ?? 0) ^ 1;
      await store.write([{ table: 'tile', key, value: changed }]);
      await expectRefusal(
        log,
        /the tiles on disk give root [0-9a-f]{64} at size 301, the head says [0-9a-f]{64}/,
      );
      await store.write([{ table: 'tile', key, value: tile }]);
    }
  });

  it('refuses entries beyond the head: a later write was lost', async () => {
    const log = await aGrownLog();
    const stray = concatBytes(Uint8Array.of(1, 2), new Uint8Array(72));
    await change(log, { table: 'entry', key: formatUint64(301), value: stray });
    await expectRefusal(log, /entry 301 lies beyond the head at 301/);
  });

  it('refuses an older copy of itself', async () => {
    const log = await aGrownLog(10);
    const older = await copyOf(log.database);
    const ledger = await log.open();
    await ledger.submit(aSubmission({ id: 'later' }));
    await ledger.stop();
    await expectRefusal(log, /a checkpoint of size 12 was signed, the database ends at 11/, {
      store: new Store(older, () => undefined),
    });
  });

  it('refuses a history other than the signed one', async () => {
    const log = await aGrownLog(10);
    const forged = formatCheckpoint({ origin: 'ledger.test/1', size: 5, root: new Uint8Array(32) });
    const guard = memoryGuard();
    await guard.write(await signNote(forged, log.signer));
    await expectRefusal(log, /the checkpoint that was signed at size 5 is not in this tree/, { guard });
  });

  it('refuses to go on without the guard', async () => {
    await expectRefusal(await aGrownLog(1), /the guard file with the last signed checkpoint is missing/, {
      guard: memoryGuard(),
    });
  });
});
