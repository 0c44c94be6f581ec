/** Anchoring on chains that drop, halt, reorganise, or seal their blocks (SCENARIOS A2, A7, A10; DESIGN 4, states). */

import { Wallet } from 'ethers';
import { afterEach, describe, expect, it } from 'vitest';
import { formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { leafHash, nodeHash } from '../../merkle/tree.ts';
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
  ticks,
  ticksAcrossMining,
} from '../helpers/anchored.ts';
import { startAnvil, startHardhat, type TestChain } from '../helpers/chain.ts';
import { type Lie, startLyingRpc } from '../helpers/lying-rpc.ts';
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
    await ticksAcrossMining(log, started);
    expect(anchorer.status()).toMatchObject({ fault: null, anchoredSize: 3, finalSize: 1 });
    expect(receipts.stateOf(index)).toBe('anchored');
    expect((await verdicts(log, started))[1]).toBe('not-yet-anchored, unproved');

    await site.chain.ask('anvil_reorg', 1, []);
    await anchorer.tick();
    expect(receipts.stateOf(index)).toBe('sequenced');
    await site.chain.ask('anvil_mine', '0x4');
    await ticksAcrossMining(log, started);
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
    await ticksAcrossMining(log, started);
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

describe('a clock that is off', () => {
  it('ahead of the chain: the evidence waits for a block that is not older than its entries', async () => {
    const site = await aSiteOn(startHardhat);
    const log = await aLogOn(site);
    const started = await log.start({ now: () => Date.now() + 40_000 });
    await started.anchorer.tick();
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: { code: 'CLOCK_AHEAD' }, finalSize: 1 });

    await site.chain.ask('evm_increaseTime', 15);
    await site.chain.ask('evm_mine');
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(new Set(await verdicts(log, started))).toEqual(new Set(['matches, unproved']));
  });

  it('behind the chain, with a record that is not signed yet: no anchor that is final is made again', async () => {
    const site = await aSiteOn(startHardhat);
    await site.chain.ask('evm_increaseTime', 100);
    await site.chain.ask('evm_mine');
    const log = await aLogOn(site);
    const mayWrite = Promise.withResolvers<void>();
    let isHeld = false;
    const write = async (checkpoint: string) => {
      if (isHeld) await mayWrite.promise;
      await log.guard.write(checkpoint);
    };
    const started = await log.start({ guard: { read: () => log.guard.read(), write } });
    await ticks(started, 1);
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.book).toMatchObject({ finalSize: 2, pending: undefined });

    isHeld = true;
    const submitted = started.ledger.submit(log.record('b'));
    while (started.ledger.sequenced < 3) await new Promise(setImmediate);
    await started.anchorer.tick();
    expect(started.book.pending).toBeUndefined();
    mayWrite.resolve();
    await submitted;
    await ticks(started, 2);
    expect(started.book).toMatchObject({ finalSize: 3, pending: undefined });
  });

  it('behind the chain: no chain entry drags the log into the future', async () => {
    const site = await aSiteOn(startHardhat);
    const log = await aLogOn(site);
    await site.chain.ask('evm_increaseTime', 100);
    await site.chain.ask('evm_mine');
    const started = await log.start();
    await started.anchorer.tick();
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.ledger.lastChainEntry()).toBeNull();
    expect(await anchoredSizes(log)).toEqual([2]);
    expect(started.ledger.signed().time).toBeLessThanOrEqual(Date.now());
  });
});

describe('a root of ours that another has anchored', () => {
  /** Anchors the log's tree of a size through another account, which is the log's anchorer only for that. */
  async function anchorAsAnother(log: OpenLog, { ledger }: Started, oldSize: number, size: number) {
    const { anchorRegistry } = log.site.registries;
    const send = async (name: string, ...args: unknown[]) =>
      (await anchorRegistry.getFunction(name)(...args)).wait();
    await send('setAnchorer', log.logId, log.site.registries.rolesGrantedTo);
    const [oldRoot, root] = [await ledger.read.rootAt(oldSize), await ledger.read.rootAt(size)];
    const proof = await ledger.read.proveConsistency(oldSize, size, oldRoot, root);
    const { hash } = await send('anchor', log.logId, oldSize, size, root, proof);
    await send('setAnchorer', log.logId, log.anchorer);
    return hash as string;
  }

  it('ends the one that is under way, since that builds on another head, and the next one builds on it', async () => {
    const site = await aSiteOn(startHardhat);
    const lying = await startLyingRpc(site.chain.url);
    closing.push(() => lying.stop());
    const log = await aLogOn(site);
    const started = await log.start({ rpcUrl: lying.url });
    await started.anchorer.tick();
    await started.ledger.submit(log.record('a'));
    lying.lie = swallow(started);
    await started.anchorer.tick();
    await anchorAsAnother(log, started, 1, 2);
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({ fault: null, pending: null, counts: { abandoned: 1 } });
    lying.lie = undefined;
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(await anchoredSizes(log)).toEqual([2, 3]);
    expect(new Set(await verdicts(log, started))).toEqual(new Set(['matches, unproved']));
  });

  it('is taken into the book, if it is of the size that we would anchor', async () => {
    const site = await aSiteOn(startHardhat);
    const log = await aLogOn(site);
    await site.chain.ask('evm_increaseTime', 100);
    await site.chain.ask('evm_mine');
    // Without a chain entry, for which this clock is too far behind, the tree stays as the other has anchored it.
    const started = await log.start();
    await started.anchorer.tick();
    await started.ledger.submit(log.record('a'));
    const transaction = await anchorAsAnother(log, started, 1, 2);
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 2, counts: { signed: 0 } });
    expect(formatHex0x((await started.book.at(2))?.transaction ?? new Uint8Array())).toBe(transaction);
  });
});

describe('what is not final yet', () => {
  it('stops no log: a foreign root in the newest block is an alarm, in a final one the end', async () => {
    const site = await aSiteOn(startHardhat);
    await site.chain.ask('hardhat_mine', '0x3');
    const log = await aLogOn(site);
    const started = await log.start({ confirmations: 2 });
    await site.chain.ask('hardhat_mine', '0x3');
    await started.anchorer.tick();
    const [genesis] = (await started.ledger.read.entries(0, 1)).map(leafHash);
    const foreign = leafHash(utf8('mine'));
    const root = nodeHash(genesis ?? foreign, foreign);
    const thief = new Wallet(log.anchorKey, site.chain.admin.provider);
    const registry = site.registries.anchorRegistry.connect(thief) as typeof site.registries.anchorRegistry;
    await (await registry.getFunction('anchor')(log.logId, 1, 2, root, [foreign])).wait();
    await started.ledger.submit(log.record('a'));
    await started.anchorer.tick();
    expect(started.anchorer.status().alarm?.code).toBe('LOG_FORKED');
    await started.ledger.submit(log.record('b'));
    await site.chain.ask('hardhat_mine', '0x2');
    await started.anchorer.tick();
    await expect(started.ledger.submit(log.record('c'))).rejects.toMatchObject({ code: 'LOG_FORKED' });
  });

  it('gives no transaction up: a nonce that was used elsewhere can come free again', async () => {
    const site = await aSiteOn(startAnvil);
    await site.chain.ask('anvil_mine', '0x3');
    const lying = await startLyingRpc(site.chain.url);
    closing.push(() => lying.stop());
    const log = await aLogOn(site);
    const started = await log.start({ rpcUrl: lying.url, confirmations: 2 });
    await site.chain.ask('anvil_mine', '0x3');
    await started.anchorer.tick();
    await started.ledger.submit(log.record('a'));
    lying.lie = swallow(started);
    await started.anchorer.tick();
    const elsewhere = new Wallet(log.anchorKey, site.chain.admin.provider);
    await (await elsewhere.sendTransaction({ to: log.anchorer, value: 1n })).wait();
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({
      fault: { code: 'KEY_USED_ELSEWHERE' },
      pending: { size: 3 },
    });

    lying.lie = undefined;
    await site.chain.ask('anvil_reorg', 1, []);
    await site.chain.ask('anvil_mine', '0x1');
    await ticksAcrossMining(log, started);
    await site.chain.ask('anvil_mine', '0x3');
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3, counts: { signed: 1 } });
    expect(await anchoredSizes(log)).toEqual([3]);
  });
});

/** A node that says it has taken a transaction, and has not. */
function swallow({ anchorer }: Pick<Started, 'anchorer'>): Lie {
  return async (call, honest) => {
    if (call.method !== 'eth_sendRawTransaction') return honest();
    return { result: anchorer.status().pending?.transaction };
  };
}
