/** What is replayed when our contracts are reached through others, and what is said when that cannot be done. */

import { afterEach, beforeEach, expect, it } from 'vitest';
import { formatHex0x } from '../../../merkle/bytes.ts';
import { encodeAgency } from '../../../service/abi.ts';
import { roles } from '../../../service/deploy.ts';
import { agency, anOpenLog, aSite, type OpenLog, registerAgency } from '../../helpers/anchored.ts';
import { startHardhat, type TestChain } from '../../helpers/chain.ts';
import { auditedChain } from '../../helpers/chain-audit.ts';
import { deployForwarder, forwarded, forwarderCode } from '../../helpers/forwarder.ts';

let chain: TestChain;
let log: OpenLog;

beforeEach(async () => {
  chain = await startHardhat();
});
afterEach(() => chain.stop());

/** A log whose agencies are renamed through a contract. */
async function renamedThrough(forwarder: string, name: string): Promise<void> {
  const site = await aSite(chain);
  await registerAgency(site);
  ({ log } = await anOpenLog(site));
  const { accessManager, keyRegistry } = site.registries;
  await (await accessManager.getFunction('grantRole')(roles.KEY_REGISTRAR, forwarder, 0)).wait();
  const data = keyRegistry.interface.encodeFunctionData('renameAgency', [encodeAgency(agency), name]);
  const to = formatHex0x(site.deployment.contracts.KeyRegistry.address);
  await (await chain.admin.sendTransaction(forwarded(forwarder, to, data))).wait();
}

it('replays what reaches a contract through another one, though that one is older', async () => {
  const forwarder = await deployForwarder(chain.admin);
  await renamedThrough(forwarder, 'Renamed by a wallet');
  // Also when the forwarder is carried to other networks with the rest.
  for (const room of [2, 4_000]) {
    const { view, findings, stopped } = await auditedChain(log, { room });
    expect({ room, findings, stopped }).toEqual({ room, findings: [], stopped: undefined });
    expect(view?.agencies.get(agency)).toBe('Renamed by a wallet');
    // All of the chain's transactions, the forwarder's creation among them.
    expect(view?.counts.replayed).toBe(view?.counts.transactions);
  }
});

it('cannot check a change that came through a contract which no transaction created', async () => {
  const forwarder = `0x${'f0'.repeat(20)}`;
  await chain.ask('hardhat_setCode', forwarder, forwarderCode);
  const site = await aSite(chain);
  ({ log } = await anOpenLog(site));
  const { accessManager, keyRegistry } = site.registries;
  await (await accessManager.getFunction('grantRole')(roles.KEY_REGISTRAR, forwarder, 0)).wait();
  const call = [encodeAgency(agency), 'Registered by a ghost', `0x${'00'.repeat(19)}09`];
  const data = keyRegistry.interface.encodeFunctionData('registerAgency', call);
  const to = formatHex0x(site.deployment.contracts.KeyRegistry.address);
  const sent = await chain.admin.sendTransaction(forwarded(forwarder, to, data));
  const { codes, stopped } = await auditedChain(log);
  expect(codes).toEqual(['NOT_REPLAYED']);
  expect(stopped?.message).toContain(`transaction ${sent.hash} in block ${sent.blockNumber ?? ''}`);
  expect(stopped?.message).toContain('KeyRegistry at');
});

it('passes over a change of mere words that cannot be replayed, and takes them from the receipt', async () => {
  const forwarder = `0x${'f0'.repeat(20)}`;
  await chain.ask('hardhat_setCode', forwarder, forwarderCode);
  await renamedThrough(forwarder, 'Renamed by a ghost');
  const { codes, stopped, view } = await auditedChain(log);
  expect({ codes, stopped }).toEqual({ codes: ['NOT_REPLAYED'], stopped: undefined });
  expect(view?.agencies.get(agency)).toBe('Renamed by a ghost');
});
