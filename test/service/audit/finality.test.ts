/** Where an audited chain ends: what is sealed enough, and what is said when nothing is. */

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Trust } from '../../../merkle/trust.ts';
import { addKey, anOpenLog, aSite, type OpenLog, registerAgency, ticks } from '../../helpers/anchored.ts';
import { startHardhat, type TestChain } from '../../helpers/chain.ts';
import { auditedChain } from '../../helpers/chain-audit.ts';
import { aValidator, someValidators } from '../../helpers/sealer.ts';
import { type SealingRpc, startClique, startQbft } from '../../helpers/sealing-rpc.ts';

let chain: TestChain;
let log: OpenLog;
let latest: number;
let sealing: SealingRpc | undefined;

beforeAll(async () => {
  chain = await startHardhat();
  const site = await aSite(chain);
  await registerAgency(site);
  await addKey(site);
  const { log: opened, ...started } = await anOpenLog(site);
  log = opened;
  for (let i = 0; i < 3; i++) {
    await started.ledger.submit(log.record(`record ${i}`));
    await ticks(started, 2);
  }
  latest = Number(await chain.ask('eth_blockNumber'));
});
afterAll(() => chain.stop());
afterEach(async () => {
  await sealing?.stop();
  sealing = undefined;
});

const chainId = '31337';

/** The log's trust file, with the sealed chain. */
function trustIn({ chain: sealed }: SealingRpc): Trust {
  return { ...log.trust, chains: [sealed], logs: log.trust.logs.map(entry => ({ ...entry, chain: sealed })) };
}

it('is the newest block under QBFT, when enough validators sealed it', async () => {
  const validators = someValidators(4);
  sealing = await startQbft(chain.url, chainId, validators, () => ({
    signers: validators.slice(0, 3),
    validators,
  }));
  const { view, findings, stopped } = await auditedChain(log, { url: sealing.url, trust: trustIn(sealing) });
  expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
  expect(view).toMatchObject({ finality: 'proved', final: { number: latest } });
  expect(view?.anchors).toHaveLength(4);
});

it('is the newest of the blocks with enough seals, when the last ones have too few so far', async () => {
  const validators = someValidators(4);
  sealing = await startQbft(chain.url, chainId, validators, number => ({
    signers: validators.slice(0, number > latest - 2 ? 2 : 3),
    validators,
  }));
  const { view, findings } = await auditedChain(log, { url: sealing.url, trust: trustIn(sealing) });
  expect(findings).toEqual([]);
  expect(view?.final.number).toBe(latest - 2);
});

it('is nowhere when all blocks have too few seals', async () => {
  const validators = someValidators(4);
  sealing = await startQbft(chain.url, chainId, validators, () => ({
    signers: validators.slice(0, 2),
    validators,
  }));
  const { codes, findings } = await auditedChain(log, { url: sealing.url, trust: trustIn(sealing) });
  expect(codes).toEqual(['SEALS_TOO_FEW']);
  expect(findings[0]?.message).toContain('2 of 4 validators sealed, want 3');
});

it('is nowhere when others have sealed', async () => {
  const pinned = someValidators(4);
  const others = someValidators(4, 'of another network');
  sealing = await startQbft(chain.url, chainId, pinned, () => ({ signers: others, validators: pinned }));
  const { codes } = await auditedChain(log, { url: sealing.url, trust: trustIn(sealing) });
  expect(codes).toEqual(['SEALS_TOO_FEW']);
});

it('is the first of so many blocks by different signers under Clique', async () => {
  const [first = aValidator('a'), ...others] = someValidators(5);
  sealing = await startClique(chain.url, chainId, [first, ...others]);
  const { view, findings, stopped } = await auditedChain(log, { url: sealing.url, trust: trustIn(sealing) });
  expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
  // Three of five: the block itself and two that follow it.
  expect(view).toMatchObject({ finality: 'proved', final: { number: latest - 2 } });
});

it('is nowhere under Clique when one signer makes all blocks', async () => {
  const [first = aValidator('a'), ...others] = someValidators(5);
  sealing = await startClique(chain.url, chainId, [first, ...others], () => first);
  const { codes } = await auditedChain(log, { url: sealing.url, trust: trustIn(sealing) });
  expect(codes).toEqual(['SEALS_TOO_FEW']);
});
