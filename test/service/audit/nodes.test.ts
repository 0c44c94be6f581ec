/** One story on the chain of every node that we know, each a process of its own: honest, it has no finding; changed, it has one. */

import { afterEach, describe, expect, it } from 'vitest';
import { formatHex0x, parseHex0x } from '../../../merkle/bytes.ts';
import { rootSlot } from '../../../merkle/evidence.ts';
import { rootsSlot } from '../../../service/deploy.ts';
import {
  addKey,
  anchoredSizes,
  anOpenLog,
  aSite,
  registerAgency,
  ticksAcrossMining,
} from '../../helpers/anchored.ts';
import {
  gethPresent,
  startAnvil,
  startGeth,
  startHardhat,
  startHardhatProcess,
  type TestChain,
} from '../../helpers/chain.ts';
import { auditedChain } from '../../helpers/chain-audit.ts';

let chain: TestChain | undefined;
afterEach(async () => {
  await chain?.stop();
  chain = undefined;
});

async function aStory(on: TestChain) {
  chain = on;
  const site = await aSite(on);
  await registerAgency(site);
  await addKey(site);
  const { log, ...started } = await anOpenLog(site);
  for (let i = 0; i < 5; i++) {
    await started.ledger.submit(log.record(`record ${i}`));
    await ticksAcrossMining(log, started);
  }
  const { keyRegistry } = site.registries;
  // A transaction that fails, and is mined.
  await keyRegistry
    .getFunction('addKey')(`0x${'00'.repeat(21)}`, 1, '0x00', 0, 9, '0x', { gasLimit: 200_000 })
    .then(sent => sent.wait())
    .catch(() => undefined);
  return log;
}

const nodes: readonly [string, () => Promise<TestChain>, boolean][] = [
  ['hardhat node', startHardhatProcess, true],
  // Its tries keep slots that hold zero.
  ['anvil', startAnvil, true],
  ["anvil with Shanghai's rules", () => startAnvil('--hardfork', 'shanghai'), true],
  ['Hardhat with the rules of the merge', () => startHardhat({ hardfork: 'merge' }), true],
  ["Hardhat with Cancun's rules", () => startHardhat({ hardfork: 'cancun' }), true],
  ['geth', startGeth, gethPresent],
];

describe.each(nodes)('the chain of %s', (name, start, isPresent) => {
  const note = isPresent ? '' : ` (skipped: ${name} is not installed)`;
  it.skipIf(!isPresent)(`has no finding when it is honest${note}`, async () => {
    const log = await aStory(await start());
    const { view, findings, stopped } = await auditedChain(log);
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
    expect(view?.anchors.map(({ size }) => size)).toEqual([1, ...(await anchoredSizes(log))]);
    expect(view?.anchors).toHaveLength(6);
    expect(view?.counts.reverted).toBe(1);
  });

  const setter = name.startsWith('anvil') ? 'anvil' : 'hardhat';
  // geth has no call that sets a slot.
  it.skipIf(name === 'geth')('is seen to be changed when a root in its storage was', async () => {
    const log = await aStory(await start());
    const slot = formatHex0x(rootSlot(parseHex0x(log.logId, 32), 3, rootsSlot));
    const registry = formatHex0x(log.site.deployment.contracts.AnchorRegistry.address);
    await log.site.chain.ask(`${setter}_setStorageAt`, registry, slot, `0x${'5a'.repeat(32)}`);
    await log.site.chain.ask('evm_mine');
    const { codes, findings } = await auditedChain(log);
    expect(codes).toEqual(['STORAGE_DIFFERS']);
    expect(findings[0]?.message).toContain('the root of size 3');
  });
});
