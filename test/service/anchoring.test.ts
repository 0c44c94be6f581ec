/** Anchoring on chains that drop, halt, reorganise, or seal their blocks (SCENARIOS A2, A7, A10; DESIGN 4, states). */

import { afterEach, describe, expect, it } from 'vitest';
import { formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import {
  addKey,
  aLogOn,
  anchoredSizes,
  aSite,
  type OpenLog,
  registerAgency,
  type Site,
  type Started,
} from '../helpers/anchored.ts';
import { startAnvil, startHardhat, type TestChain } from '../helpers/chain.ts';
import { startLyingRpc } from '../helpers/lying-rpc.ts';
import { resealQbft, someValidators } from '../helpers/sealer.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aSiteOn(start: () => Promise<TestChain>): Promise<Site> {
  const chain = await start();
  closing.push(() => chain.stop());
  const site = await aSite(chain);
  await registerAgency(site);
  await addKey(site);
  return site;
}

async function ticks({ anchorer }: Pick<Started, 'anchorer'>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await anchorer.tick();
}

async function verdicts(log: OpenLog, { ledger, receipts }: Started) {
  const found = [];
  for (const entry of await ledger.read.entries(0, ledger.signed().size)) {
    const receipt = await receipts.receipt(leafHash(entry), { complete: true });
    if (receipt === undefined) throw new Error('every entry has a receipt');
    const { verdict, finality } = await judgeReceipt(utf8(formatReceipt(receipt)), log.trust);
    found.push(`${verdict}, ${finality}`);
  }
  return found;
}

describe('A2: a transaction that a pool dropped', () => {
  it('goes out again, the same bytes under the same nonce', async () => {
    const site = await aSiteOn(startAnvil);
    const log = await aLogOn(site);
    const started = await log.start();
    await started.anchorer.tick();
    await site.chain.ask('evm_setAutomine', false);
    await started.ledger.submit(log.record('a'));
    await started.anchorer.tick();
    const sent = started.book.pending?.transaction?.attempts[0];
    const hash = formatHex0x(sent?.hash ?? new Uint8Array());
    expect(await site.chain.ask('eth_getTransactionByHash', hash)).not.toBeNull();

    await started.anchorer.tick();
    expect(started.anchorer.status().counts.sent).toBe(1);
    await site.chain.ask('anvil_dropTransaction', hash);
    expect(await site.chain.ask('eth_getTransactionByHash', hash)).toBeNull();
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({ fault: null, counts: { signed: 1, sent: 2 } });

    await site.chain.ask('evm_mine');
    await started.anchorer.tick();
    expect(await started.book.at(3)).toMatchObject({ transaction: sent?.hash });
    expect(await anchoredSizes(log)).toEqual([3]);
  });
});

describe('A7: a reorganisation', () => {
  it('takes an anchor back before it is final, and it goes in again', async () => {
    const site = await aSiteOn(startAnvil);
    const log = await aLogOn(site);
    const started = await log.start({ confirmations: 2 });
    const { anchorer, ledger, receipts } = started;
    await site.chain.ask('anvil_mine', '0x3');
    await anchorer.tick();
    const { index } = await ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(anchorer.status()).toMatchObject({ fault: null, anchoredSize: 3, finalSize: 1 });
    expect(receipts.stateOf(index)).toBe('anchored');
    expect((await verdicts(log, started))[1]).toBe('not-yet-anchored, unproved');

    await site.chain.ask('anvil_reorg', 1, []);
    await anchorer.tick();
    expect(receipts.stateOf(index)).toBe('sequenced');
    await site.chain.ask('anvil_mine', '0x4');
    await ticks(started, 3);
    await site.chain.ask('anvil_mine', '0x2');
    await anchorer.tick();
    expect(anchorer.status()).toMatchObject({ fault: null, anchoredSize: 3, finalSize: 3 });
    expect(receipts.stateOf(index)).toBe('final');
    expect(await anchoredSizes(log)).toEqual([3]);
    expect(new Set(await verdicts(log, started))).toEqual(new Set(['matches, unproved']));
  });
});

describe('A10: a chain that halts', () => {
  it('gets one anchor of the newest root afterwards; meanwhile records are taken', async () => {
    const site = await aSiteOn(startHardhat);
    const log = await aLogOn(site);
    const started = await log.start();
    const { anchorer, ledger } = started;
    await anchorer.tick();
    await site.chain.ask('evm_setAutomine', false);
    for (const id of ['a', 'b', 'c', 'd']) {
      await ledger.submit(log.record(id));
      await ticks(started, 2);
    }
    expect(anchorer.status()).toMatchObject({ fault: null, finalSize: 1, counts: { signed: 1, sent: 1 } });
    expect(anchorer.status().waitingSince).toBeLessThanOrEqual(Date.now());

    await site.chain.ask('evm_setAutomine', true);
    await site.chain.ask('evm_mine');
    await ticks(started, 3);
    expect(anchorer.status()).toMatchObject({ fault: null, finalSize: ledger.signed().size });
    // What was under way when it halted, and then all the rest at once.
    expect(await anchoredSizes(log)).toEqual([3, ledger.signed().size]);
    expect(new Set(await verdicts(log, started))).toEqual(new Set(['matches, unproved']));
  });

  it('gets one anchor when no node could be reached', async () => {
    const site = await aSiteOn(startHardhat);
    const lying = await startLyingRpc(site.chain.url);
    closing.push(() => lying.stop());
    const log = await aLogOn(site);
    const started = await log.start({ rpcUrl: lying.url });
    await started.anchorer.tick();
    lying.refuse = response => !!response.destroy();
    for (const id of ['a', 'b', 'c', 'd']) {
      await started.ledger.submit(log.record(id));
      await started.anchorer.tick();
    }
    expect(started.anchorer.status().fault?.code).toBe('CHAIN_UNREACHABLE');
    lying.refuse = undefined;
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 6 });
    expect(await anchoredSizes(log)).toEqual([6]);
  });
});

describe('a transaction that is mined and reverts', () => {
  it('is told apart, given up, and followed by a new one when the reason is gone', async () => {
    const site = await aSiteOn(startAnvil);
    const log = await aLogOn(site);
    const started = await log.start();
    await started.anchorer.tick();
    await site.chain.ask('evm_setAutomine', false);
    await started.ledger.submit(log.record('a'));
    await started.anchorer.tick();
    // The pause pays more, so it comes first in the block.
    const price = { maxPriorityFeePerGas: 10n ** 10n, maxFeePerGas: 10n ** 11n, gasLimit: 200_000n };
    const setPaused = site.registries.anchorRegistry.getFunction('setPaused');
    await setPaused(log.logId, true, price);
    await site.chain.ask('evm_mine');
    await site.chain.ask('evm_setAutomine', true);
    await started.anchorer.tick();
    expect(started.anchorer.status().fault?.code).toBe('LOG_PAUSED');

    await (await setPaused(log.logId, false, price)).wait();
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({ fault: { code: 'ANCHOR_REVERTED' }, pending: null });
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(await anchoredSizes(log)).toEqual([3]);
  });
});

describe('under QBFT', () => {
  it('waits for enough seals, and then gives receipts whose finality is proved', async () => {
    const site = await aSiteOn(startHardhat);
    const validators = someValidators(4);
    const lying = await startLyingRpc(site.chain.url);
    closing.push(() => lying.stop());
    let sealing = validators;
    const hashes = new Map<unknown, string>();
    const reseal = (block: Record<string, unknown>) => {
      const sealed = resealQbft(block, { validators, signers: sealing });
      hashes.set(block['hash'], formatHex0x(sealed.hash));
      return sealed.block;
    };
    // The state is the real chain's; only who vouches for its headers is ours.
    lying.lie = async (call, honest) => {
      const answer = await honest();
      if (!('result' in answer)) return answer;
      if (call.method === 'eth_getBlockByNumber') return { result: reseal(answer.result as never) };
      if (call.method !== 'eth_getLogs') return answer;
      const logs = answer.result as { readonly blockHash: string; readonly blockNumber: string }[];
      for (const { blockNumber } of logs) {
        reseal((await site.chain.ask('eth_getBlockByNumber', blockNumber, false)) as never);
      }
      return { result: logs.map(log => ({ ...log, blockHash: hashes.get(log.blockHash) })) };
    };
    const genesis = reseal((await site.chain.ask('eth_getBlockByNumber', '0x0', false)) as never);
    const addresses = validators.map(validator => validator.address);
    const rules = { consensus: 'qbft', validators: [{ fromBlock: 0, addresses }] } as const;
    const genesisHash = Uint8Array.from(Buffer.from(String(genesis['hash']).slice(2), 'hex'));
    const log = await aLogOn({ ...site, deployment: { ...site.deployment, rules, genesisHash } });
    const started = await log.start({ rpcUrl: lying.url });
    const { anchorer, ledger, receipts } = started;
    await anchorer.tick();
    expect(anchorer.status()).toMatchObject({ fault: null, finalSize: 1 });

    const { index } = await ledger.submit(log.record('a'));
    await anchorer.tick();
    // Besu may stop collecting at two of three; two of four is not enough for us.
    sealing = validators.slice(0, 2);
    await anchorer.tick();
    expect(anchorer.status()).toMatchObject({ finalSize: 1, fault: { code: 'CHAIN_UNREACHABLE' } });
    expect(anchorer.status().fault?.message).toContain('2 of 4 validators sealed, want 3');
    expect(receipts.stateOf(index)).not.toBe('final');

    sealing = validators.slice(0, 3);
    await anchorer.tick();
    expect(anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(await verdicts(log, started)).toEqual(Array(3).fill('matches, proved'));
  });
});
