/** What proves an anchor is gathered whole, and what it will not prove is said aloud. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex } from '../../merkle/bytes.ts';
import { addKey, anOpenLog, aSite, registerAgency, type Site, ticks } from '../helpers/anchored.ts';
import { startHardhat, type TestChain } from '../helpers/chain.ts';

let chain: TestChain;
beforeAll(async () => {
  chain = await startHardhat();
});
afterAll(() => chain.stop());

/** Registries of their own, with one key. */
async function aSiteWithKey(validity: { readonly validFrom?: number } = {}): Promise<[Site, string]> {
  const site = await aSite(chain);
  await registerAgency(site);
  return [site, formatHex(await addKey(site, 'ES256', validity))];
}

const outside = 'records lie outside the validity of their key: their receipts do not verify';

describe('gatherEvidence', () => {
  it('says nothing of records within the validity of their key', async () => {
    const [site] = await aSiteWithKey();
    const { log, ...started } = await anOpenLog(site);
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.anchorer.status().finalSize).toBe(3);
    expect(started.logged).not.toContainEqual(expect.objectContaining({ msg: outside }));
  });

  it('raises the alarm for records that should not have been taken, and anchors the others all the same', async () => {
    const validFrom = Math.floor(Date.now() / 1000) + 3_600;
    const [site, keyId] = await aSiteWithKey({ validFrom });
    const { log, ...started } = await anOpenLog(site);
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(started.logged).toContainEqual(
      expect.objectContaining({ level: 50, msg: outside, keyId, validFrom }),
    );
  });
});
