/**
 * How fast records go in: the whole append (salt, encryption, tiles, commit, second root, signature, guard, proofs) beside the bare
 * database writing as many bytes in as many synced batches. What counts is the ratio, measured in one run on one machine.
 *
 *     node test/bench/ledger.ts [records]
 */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileGuard } from '../../service/guard.ts';
import { openDatabase, Store, type Write } from '../../service/store.ts';
import { aLog, aSubmission } from '../helpers/ledger.ts';

const records = Number(process.argv[2] ?? 20_000);
const folder = await mkdtemp(join(tmpdir(), 'zegel-bench-'));
const never = (error: unknown) => {
  throw error;
};

async function rate(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (records / (performance.now() - start)) * 1000;
}

try {
  for (const batch of [1, 16, 256]) {
    // A batch of one has an fsync for each record: fewer of them say the same.
    const count = batch === 1 ? Math.min(records, 2000) : records;
    const share = count / records;

    const guard = fileGuard(join(folder, `guard-${batch}`));
    const database = await openDatabase(join(folder, `log-${batch}`), { create: true });
    const log = await aLog({ database, guard });
    const ledger = await log.open({ batchMax: batch, randomBytes });
    const base = aSubmission();
    const submissions = Array.from({ length: count }, (_, i) => ({ ...base, id: `${i}` }));
    const whole = share * (await rate(() => Promise.all(submissions.map(each => ledger.submit(each)))));
    await ledger.stop();
    await database.close();

    const bare = new Store(await openDatabase(join(folder, `bare-${batch}`), { create: true }), never);
    const value = randomBytes(900);
    const alone =
      share *
      (await rate(async () => {
        for (let from = 0; from < count; from += batch) {
          const writes = Array.from(
            { length: batch },
            (_, i): Write => ({
              table: 'record',
              key: Buffer.from(`${from + i}`),
              value,
            }),
          );
          await bare.write(writes);
        }
      }));
    await bare.close();
    const ratio = (whole / alone).toFixed(2);
    console.log(
      `batches of ${String(batch).padStart(3)}: ledger ${whole.toFixed(0).padStart(6)} records/s, database alone ${alone.toFixed(0).padStart(6)}, ratio ${ratio}`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}
