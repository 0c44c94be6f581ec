/** The registry's head against our own tree (SCENARIOS A11, A14, A15, A17): forks stop the log, and only real ones do. */

import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { leafHash, nodeHash } from '../../merkle/tree.ts';
import { memoryGuard } from '../../service/guard.ts';
import {
  addKey,
  aLogOn,
  anchoredSizes,
  anOpenLog,
  aSite,
  type OpenLog,
  registerAgency,
  type Site,
  ticks,
} from '../helpers/anchored.ts';
import { startHardhat } from '../helpers/chain.ts';
import { copyOf, FaultyLevel } from '../helpers/faulty-level.ts';

let site: Site;

beforeAll(async () => {
  site = await aSite(await startHardhat());
  await registerAgency(site);
  await addKey(site);
});
afterAll(() => site.chain.stop());

/** A copy of the data folder: the database and the guard file. */
async function copyOfFolder({ guard }: OpenLog, database: FaultyLevel) {
  const copy = memoryGuard();
  await copy.write((await guard.read()) ?? '');
  return { database: await copyOf(database), guard: copy };
}

describe('forks', () => {
  it('A17: stops taking records when a thief has anchored an entry of their own; old receipts stay good', async () => {
    const { log, ...started } = await anOpenLog(site);
    const { leafHash: leaf } = await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    const receipt = await started.receipts.receipt(leaf, { complete: true });
    // Three entries are anchored; of a fourth, only the thief knows.
    const leaves = (await started.ledger.read.entries(0, 3)).map(leafHash);
    const [a, b, c] = leaves as [Uint8Array, Uint8Array, Uint8Array];
    const stolen = nodeHash(nodeHash(a, b), nodeHash(c, leafHash(utf8('mine'))));
    const proof = [c, leafHash(utf8('mine')), nodeHash(a, b)];
    const thief = new Wallet(log.anchorKey, site.chain.admin.provider);
    const registry = site.registries.anchorRegistry.connect(thief) as typeof site.registries.anchorRegistry;
    await (await registry.getFunction('anchor')(log.logId, 3, 4, stolen, proof)).wait();

    await started.ledger.submit(log.record('b'));
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({
      fault: { code: 'LOG_FORKED' },
      alarm: { code: 'LOG_FORKED' },
    });
    await expect(started.ledger.submit(log.record('c'))).rejects.toMatchObject({ code: 'LOG_FORKED' });
    expect(await started.receipts.receipt(leaf, { complete: true })).toEqual(receipt);
    expect(await anchoredSizes(log)).toEqual([3, 4]);
  });

  it('A11, D12: of two copies with one key the second stops, and its records are not anchored', async () => {
    const database = new FaultyLevel();
    const log = await aLogOn(site, { database });
    const first = await log.start();
    await first.anchorer.tick();
    const second = await log.start(await copyOfFolder(log, database));
    await first.ledger.submit(log.record('a'));
    await second.ledger.submit(log.record('b'));
    await ticks(first, 2);
    await second.anchorer.tick();
    expect(second.anchorer.status()).toMatchObject({ fault: { code: 'LEDGER_BEHIND' }, finalSize: 1 });
    await expect(second.ledger.submit(log.record('c'))).rejects.toMatchObject({ code: 'LOG_FORKED' });
    expect(await anchoredSizes(log)).toEqual([3]);
  });

  it('A14, D11: does not go on from an older copy of the log', async () => {
    const database = new FaultyLevel();
    const log = await aLogOn(site, { database });
    const first = await log.start();
    await first.anchorer.tick();
    const backup = await copyOfFolder(log, database);
    await first.ledger.submit(log.record('a'));
    await ticks(first, 2);
    const restored = await log.start(backup);
    await restored.anchorer.tick();
    expect(restored.anchorer.status().fault).toMatchObject({
      code: 'LEDGER_BEHIND',
      message: expect.stringContaining('registry holds size 3, this log has 1'),
    });
    await expect(restored.ledger.submit(log.record('b'))).rejects.toMatchObject({ code: 'LOG_FORKED' });
  });

  it('A15: refuses to anchor on a chain that was set back, and raises the alarm', async () => {
    const { log, ...started } = await anOpenLog(site);
    const snapshot = await site.chain.ask('evm_snapshot');
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    await site.chain.ask('evm_revert', snapshot);
    await started.ledger.submit(log.record('b'));
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({
      fault: { code: 'REGISTRY_BEHIND' },
      alarm: { code: 'REGISTRY_BEHIND' },
      finalSize: 3,
    });
    expect(await anchoredSizes(log)).toEqual([]);
  });
});
