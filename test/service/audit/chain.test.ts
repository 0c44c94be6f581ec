/** The audit of a chain: an honest one has no finding, and each lie of a node or change past the contracts has its own. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { ContractFactory } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatHex0x, parseHex0x } from '../../../merkle/bytes.ts';
import { keySlot, mappingSlot, rootSlot, wordOf } from '../../../merkle/evidence.ts';
import { headerFromRpc } from '../../../merkle/header.ts';
import type { Trust } from '../../../merkle/trust.ts';
import { logsSlot } from '../../../service/abi.ts';
import { findingCodes } from '../../../service/audit/findings.ts';
import { keysSlot, rootsSlot } from '../../../service/deploy.ts';
import {
  addKey,
  agency,
  anchoredSizes,
  anOpenLog,
  aSite,
  type OpenLog,
  registerAgency,
  type Site,
  type Started,
  ticks,
} from '../../helpers/anchored.ts';
import { startHardhat, type TestChain } from '../../helpers/chain.ts';
import { auditedChain } from '../../helpers/chain-audit.ts';
import { artifacts } from '../../helpers/contracts.ts';
import { changing, type LyingRpc, startLyingRpc } from '../../helpers/lying-rpc.ts';

type Block = Record<string, unknown> & { readonly number: string; readonly transactions: Tx[] };
type Tx = Record<string, unknown> & { readonly hash: string; readonly to: string | null };

let chain: TestChain;
let site: Site;
let log: OpenLog;
let started: Started;
let keyId: Uint8Array;
let lying: LyingRpc;
let snapshot: unknown;

/** Hardhat mines a transaction that fails, and then tells its sender so. */
async function mined(sending: Promise<unknown>): Promise<void> {
  await sending.catch(() => undefined);
}

/** Anchors a new record. */
async function anchorOne(id: string): Promise<void> {
  await started.ledger.submit(log.record(id));
  await ticks(started, 2);
}

beforeAll(async () => {
  chain = await startHardhat();
  site = await aSite(chain);
  await registerAgency(site);
  keyId = await addKey(site);
  const opened = await anOpenLog(site);
  log = opened.log;
  started = opened;
  for (let i = 0; i < 4; i++) await anchorOne(`record ${i}`);
  // Somebody who is not the anchorer: a transaction that fails belongs to the chain.
  const { anchorRegistry, keyRegistry } = site.registries;
  const anchor = [log.logId, 1, 9, `0x${'11'.repeat(32)}`, []];
  await mined(anchorRegistry.getFunction('anchor')(...anchor, { gasLimit: 200_000 }));
  await (await keyRegistry.getFunction('renameAgency')(hexAgency(), 'Departement Anders')).wait();
  // Money that changes hands concerns nobody here.
  await (await chain.admin.sendTransaction({ to: `0x${'77'.repeat(20)}`, value: 5n })).wait();
  lying = await startLyingRpc(chain.url);
});
afterAll(async () => {
  await lying.stop();
  await chain.stop();
});
beforeEach(async () => {
  snapshot = await chain.ask('evm_snapshot');
});
afterEach(async () => {
  lying.lie = undefined;
  lying.refuse = undefined;
  await chain.ask('evm_revert', snapshot);
});

function hexAgency(): string {
  return `0x${Buffer.from(agency, 'ascii').toString('hex').padEnd(42, '0')}`;
}

const address = (name: 'AnchorRegistry' | 'KeyRegistry' | 'AccessManager') =>
  formatHex0x(site.deployment.contracts[name].address);

/** The number of the last block that has a transaction to a contract. */
async function lastBlockTo(name: Parameters<typeof address>[0]): Promise<number> {
  const latest = Number(await chain.ask('eth_blockNumber'));
  for (let number = latest; number > 0; number--) {
    const block = (await chain.ask('eth_getBlockByNumber', `0x${number.toString(16)}`, true)) as Block;
    if (block.transactions.some(({ to }) => to === address(name))) return number;
  }
  throw new Error(`no transaction to ${name}`);
}

/** Changes what is said about one block. */
function lieAbout(number: number, change: (block: Block) => unknown): void {
  lying.lie = changing('eth_getBlockByNumber', (block: Block) =>
    Number(block.number) === number ? change(block) : block,
  );
}

/** The trust file with the log's entry changed. */
function trustWith(change: (log: Trust['logs'][number]) => Trust['logs'][number]): Trust {
  return { ...log.trust, logs: log.trust.logs.map(change) };
}

describe('an honest chain', () => {
  it('has no finding, and says what the log needs to be held against', async () => {
    const { view, findings, stopped } = await auditedChain(log);
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
    if (view === undefined) throw new Error('want a view');
    expect(view).toMatchObject({ finality: 'unproved', closed: false, paused: false });
    expect(formatHex0x(view.anchorer)).toBe(log.anchorer);
    expect(view.anchors.map(({ size }) => size)).toEqual([1, ...(await anchoredSizes(log))]);
    expect(view.agencies).toEqual(new Map([[agency, 'Departement Anders']]));
    expect(view.counts.reverted).toBe(1);
    // Deploying takes four transactions, opening one; then the agency, its key, the anchors, a failure, the new name.
    expect(view.counts.replayed).toBe(4 + 1 + 2 + 4 + 2);
    expect(view.contracts.map(({ name }) => name)).toEqual([
      'AccessManager',
      'AnchorRegistry',
      'KeyRegistry',
    ]);
    for (const { storageRoot, codeHash, replayed } of view.contracts)
      expect({ storageRoot, codeHash }).toEqual(replayed);
  });

  it('is read as the registries have it', async () => {
    const { view } = await auditedChain(log);
    const { anchorRegistry, keyRegistry } = site.registries;
    for (const { size, root, block, blockTime, transaction, gasUsed } of view?.anchors ?? []) {
      expect(formatHex0x(root)).toBe(await anchorRegistry.getFunction('rootAt')(log.logId, size));
      const receipt = await chain.ask('eth_getTransactionReceipt', formatHex0x(transaction));
      expect(receipt).toMatchObject({
        blockNumber: `0x${block.toString(16)}`,
        gasUsed: `0x${gasUsed.toString(16)}`,
      });
      const shown = (await chain.ask('eth_getBlockByNumber', `0x${block.toString(16)}`, false)) as Block;
      expect(Number(shown['timestamp'])).toBe(blockTime);
      expect(view?.blockByHash(parseHex0x(String(shown['hash']), 32))).toEqual({
        number: block,
        time: blockTime,
      });
    }
    const registered = await keyRegistry.getFunction('keyOf')(keyId);
    expect(view?.key(keyId)).toMatchObject({
      agency,
      algorithm: 1,
      validFrom: Number(registered.validFrom),
      validUntil: 2 ** 40 - 1,
      retirements: [],
    });
    expect(view?.key(new Uint8Array(32))).toBeUndefined();
    expect(view?.blockByHash(new Uint8Array(32))).toBeUndefined();
  });

  it('tells of retirements, pauses and the end of a log', async () => {
    const { anchorRegistry, keyRegistry } = site.registries;
    const { timestamp } = (await chain.ask('eth_getBlockByNumber', 'latest', false)) as { timestamp: string };
    const validUntil = Number(timestamp) + 500;
    await (await keyRegistry.getFunction('retireKey')(keyId, validUntil, 4, 0)).wait();
    await (await anchorRegistry.getFunction('setPaused')(log.logId, true)).wait();
    await (await anchorRegistry.getFunction('setAnchorer')(log.logId, `0x${'0a'.repeat(20)}`)).wait();
    await (await anchorRegistry.getFunction('closeLog')(log.logId)).wait();
    const { view, findings } = await auditedChain(log);
    expect(findings).toEqual([]);
    expect(view).toMatchObject({ paused: true, closed: true, anchorer: new Uint8Array(20).fill(10) });
    expect(view?.key(keyId)).toMatchObject({ validUntil, retirements: [{ validUntil }] });
  });

  it('is believed without a hint where it begins, and with a wrong one', async () => {
    for (const firstBlock of [undefined, 0, 3, 1_000_000]) {
      const { view, findings, stopped } = await auditedChain(log, {
        log: { origin: log.origin, firstBlock },
      });
      expect({ firstBlock, findings, stopped }).toEqual({ firstBlock, findings: [], stopped: undefined });
      expect(view?.anchors).toHaveLength(5);
    }
  });

  it('may hold several transactions in a block, in whatever order', async () => {
    const { keyRegistry } = site.registries;
    const nonce = await chain.admin.getNonce();
    await chain.ask('evm_setAutomine', false);
    for (let i = 0; i < 3; i++) {
      await keyRegistry.getFunction('renameAgency')(hexAgency(), `Name ${i}`, {
        nonce: nonce + 2 * i,
        gasLimit: 200_000,
      });
      await chain.admin.sendTransaction({
        to: `0x${'77'.repeat(20)}`,
        nonce: nonce + 2 * i + 1,
        gasLimit: 30_000,
      });
    }
    await chain.ask('evm_mine');
    await chain.ask('evm_setAutomine', true);
    const { view, findings } = await auditedChain(log);
    expect(findings).toEqual([]);
    expect(view?.agencies.get(agency)).toBe('Name 2');
  });

  it('is one whose owners have changed who governs it', async () => {
    const { abi, bytecode } = artifacts.AccessManager;
    const next = await new ContractFactory(abi, bytecode, chain.admin).deploy(chain.admin.address);
    await next.deploymentTransaction()?.wait();
    const { accessManager } = site.registries;
    const update = accessManager.getFunction('updateAuthority');
    await (await update(address('KeyRegistry'), await next.getAddress())).wait();
    await (
      await site.registries.keyRegistry.getFunction('renameAgency')(hexAgency(), 'Governed anew')
    ).wait();
    const { view, findings, stopped } = await auditedChain(log);
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
    expect(view?.agencies.get(agency)).toBe('Governed anew');
    expect(view?.contracts.map(({ name }) => name)).toEqual([
      'AccessManager',
      'AccessManager',
      'AnchorRegistry',
      'KeyRegistry',
    ]);
  });

  it('is judged by signatures, not by whom the node names as a sender', async () => {
    lying.lie = changing('eth_getBlockByNumber', (block: Block) => ({
      ...block,
      transactions: block.transactions.map(tx =>
        typeof tx === 'string' ? tx : { ...tx, from: `0x${'99'.repeat(20)}` },
      ),
    }));
    const { findings, stopped, view } = await auditedChain(log, { url: lying.url });
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
    expect(view?.anchors).toHaveLength(5);
  });
});

describe('a node that would have an honest chain look bad', () => {
  it('by naming a contract as the sender of what comes before it, so that it could not be created, has no finding', async () => {
    lying.lie = changing('eth_getBlockByNumber', (block: Block) => ({
      ...block,
      transactions: block.transactions.map(tx =>
        typeof tx === 'string' ? tx : { ...tx, from: address('KeyRegistry') },
      ),
    }));
    const { findings, stopped, view } = await auditedChain(log, { url: lying.url });
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
    expect(view?.anchors).toHaveLength(5);
  });

  it('by naming another contract as the one that governs, has no finding', async () => {
    lying.lie = changing('eth_getStorageAt', () => `0x${'00'.repeat(12)}${'0d'.repeat(20)}`);
    const { findings, stopped, view } = await auditedChain(log, { url: lying.url });
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
    expect(view?.contracts).toHaveLength(3);
  });
});

describe('a storage slot that was changed past the contracts', () => {
  const changed = `0x${'5a'.repeat(32)}`;

  it('is named when it holds an anchored root', async () => {
    const slot = formatHex0x(rootSlot(parseHex0x(log.logId, 32), 3, rootsSlot));
    await chain.ask('hardhat_setStorageAt', address('AnchorRegistry'), slot, changed);
    await chain.ask('evm_mine');
    const { codes, findings } = await auditedChain(log);
    expect(codes).toEqual(['STORAGE_DIFFERS']);
    expect(findings[0]).toMatchObject({
      place: { contract: 'AnchorRegistry' },
      message: expect.stringContaining(`the root of size 3, slot ${slot}, holds ${changed}, want 0x`),
      proof: { slot, storageProof: expect.stringMatching(/^0x/), header: expect.stringMatching(/^0x/) },
    });
  });

  it('is named when it holds a key', async () => {
    const slot = formatHex0x(keySlot(keyId, keysSlot));
    await chain.ask('hardhat_setStorageAt', address('KeyRegistry'), slot, changed);
    await chain.ask('evm_mine');
    const { codes, findings } = await auditedChain(log);
    expect(codes).toEqual(['STORAGE_DIFFERS']);
    expect(findings[0]?.message).toContain(`key ${formatHex0x(keyId)}, slot ${slot}`);
  });

  it('is seen when no transaction ever touched it', async () => {
    await chain.ask('hardhat_setStorageAt', address('AccessManager'), `0x${'0b'.repeat(32)}`, changed);
    await chain.ask('evm_mine');
    const { codes, findings } = await auditedChain(log);
    expect(codes).toEqual(['STORAGE_DIFFERS']);
    expect(findings[0]?.message).toContain('a slot holds a word that no transaction has touched');
  });

  it('is seen before the next block, too, whose header would have it', async () => {
    const slot = formatHex0x(rootSlot(parseHex0x(log.logId, 32), 3, rootsSlot));
    await chain.ask('hardhat_setStorageAt', address('AnchorRegistry'), slot, changed);
    expect((await auditedChain(log)).codes).toEqual(['STATE_NOT_PROVED']);
  });

  it('is seen by what happened meanwhile when it was set back', async () => {
    // For one transaction, the log was never opened.
    const slot = formatHex0x(mappingSlot(parseHex0x(log.logId, 32), wordOf(logsSlot)));
    const word = await chain.ask('eth_getStorageAt', address('AnchorRegistry'), slot, 'latest');
    await chain.ask('hardhat_setStorageAt', address('AnchorRegistry'), slot, `0x${'00'.repeat(32)}`);
    const call = site.registries.anchorRegistry.getFunction('setPaused');
    await mined(call(log.logId, true, { gasLimit: 300_000 }));
    await chain.ask('hardhat_setStorageAt', address('AnchorRegistry'), slot, word);
    await chain.ask('evm_mine');
    const { codes, findings } = await auditedChain(log);
    expect(codes).toEqual(['OUTCOME_DIFFERS', 'STORAGE_DIFFERS']);
    expect(findings[0]?.message).toContain('it failed on the chain and succeeded in the replay');
  });
});

describe('a contract that was exchanged', () => {
  it('is seen by its code', async () => {
    await chain.ask('hardhat_setCode', address('AccessManager'), '0x00');
    await chain.ask('evm_mine');
    const { codes, findings } = await auditedChain(log);
    expect(codes).toEqual(['CODE_CHANGED']);
    expect(findings[0]).toMatchObject({ place: { contract: 'AccessManager' } });
  });

  it('is seen by events that the replay does not have', async () => {
    // Code that does nothing, and succeeds: no event, no storage.
    await chain.ask('hardhat_setCode', address('KeyRegistry'), '0x00');
    const rename = site.registries.keyRegistry.getFunction('renameAgency');
    await (await rename(hexAgency(), 'Nobody', { gasLimit: 300_000 })).wait();
    const { codes, findings } = await auditedChain(log);
    expect(codes).toEqual(['OUTCOME_DIFFERS', 'CODE_CHANGED']);
    expect(findings[0]?.message).toContain('emitted other events');
  });

  it('is seen when its creation put other code there than ours', async () => {
    const changed = {
      ...artifacts.KeyRegistry,
      deployedBytecode: `${artifacts.KeyRegistry.deployedBytecode}00`,
    };
    const { codes, findings } = await auditedChain(log, {
      artifacts: {
        AccessManager: artifacts.AccessManager,
        AnchorRegistry: artifacts.AnchorRegistry,
        KeyRegistry: changed,
      },
    });
    expect(codes).toEqual(['CODE_NOT_OURS']);
    expect(findings[0]).toMatchObject({ place: { contract: 'KeyRegistry' } });
  });

  it('is seen when the trust file pins other code', async () => {
    const trust = trustWith(entry => ({
      ...entry,
      anchorRegistry: { ...entry.anchorRegistry, codeHash: new Uint8Array(32).fill(1) },
    }));
    expect((await auditedChain(log, { trust })).codes).toEqual(['CODE_NOT_TRUSTED']);
  });

  it('is seen when no transaction created it', async () => {
    const other = `0x${'ab'.repeat(20)}`;
    await chain.ask('hardhat_setCode', other, artifacts.KeyRegistry.deployedBytecode);
    await chain.ask('evm_mine');
    const trust = trustWith(entry => ({
      ...entry,
      keyRegistry: { ...entry.keyRegistry, address: parseHex0x(other, 20) },
    }));
    const { codes } = await auditedChain(log, { trust });
    expect(codes).toEqual(['CONTRACT_NOT_CREATED']);
  });

  it('is seen by storage that does not bear its events out', async () => {
    const trust = trustWith(entry => ({ ...entry, keyRegistry: { ...entry.keyRegistry, keysSlot: 7 } }));
    const { codes, findings } = await auditedChain(log, { trust });
    expect(codes).toEqual(['EVENTS_DIFFER']);
    expect(findings[0]?.message).toContain(`the events say that key ${formatHex0x(keyId)} is 0x`);
  });
});

describe('a node that lies about its blocks', () => {
  it.each<[string, (block: Block) => unknown]>([
    ['hides a transaction', block => ({ ...block, transactions: block.transactions.slice(1) })],
    ['invents one', block => ({ ...block, transactions: [...block.transactions, ...block.transactions] })],
    [
      'changes one',
      block => ({ ...block, transactions: block.transactions.map(tx => ({ ...tx, value: '0x9' })) }),
    ],
    [
      'changes whom one calls',
      block => ({
        ...block,
        transactions: block.transactions.map(tx => ({ ...tx, to: `0x${'0c'.repeat(20)}` })),
      }),
    ],
  ])('and %s is caught at that block', async (_, change) => {
    const number = await lastBlockTo('AnchorRegistry');
    lieAbout(number, change);
    const { codes, findings, view } = await auditedChain(log, { url: lying.url });
    expect(codes).toEqual(['TRANSACTIONS_DIFFER']);
    expect(findings[0]?.place).toEqual({ block: number });
    expect(view).toBeUndefined();
  });

  it('names the transaction whose bytes were changed', async () => {
    const number = await lastBlockTo('AnchorRegistry');
    let hash = '';
    lieAbout(number, block => {
      hash = block.transactions[0]?.hash ?? '';
      return { ...block, transactions: block.transactions.map(tx => ({ ...tx, input: '0x' })) };
    });
    const { findings } = await auditedChain(log, { url: lying.url });
    expect(findings[0]?.message).toContain(`${hash} does not hash to its hash`);
  });

  it.each<[string, (block: Block) => unknown, string]>([
    [
      'with the header changed to fit',
      block => ({
        ...block,
        transactions: [],
        transactionsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
      }),
      'HEADER_DIFFERS',
    ],
    ['with another time', block => ({ ...block, timestamp: '0x6b05b000' }), 'HEADER_DIFFERS'],
    ['with another hash', block => ({ ...block, hash: `0x${'0d'.repeat(32)}` }), 'HEADER_DIFFERS'],
  ])('%s is caught there', async (_, change, code) => {
    const number = await lastBlockTo('AnchorRegistry');
    lieAbout(number, change);
    const { codes, findings } = await auditedChain(log, { url: lying.url });
    expect(codes).toEqual([code]);
    expect(findings[0]?.place).toEqual({ block: number });
  });

  it('is caught when it shows one block for another', async () => {
    const number = await lastBlockTo('KeyRegistry');
    const other = await chain.ask('eth_getBlockByNumber', `0x${(number - 1).toString(16)}`, true);
    lieAbout(number, () => other);
    expect((await auditedChain(log, { url: lying.url })).codes).toEqual(['HEADER_DIFFERS']);
  });

  it('is caught by the next block when header and hash were made to fit', async () => {
    const number = await lastBlockTo('AnchorRegistry');
    lieAbout(number, block => {
      const emptied = {
        ...block,
        transactions: [],
        logsBloom: `0x${'00'.repeat(256)}`,
        transactionsRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
      };
      return { ...emptied, hash: formatHex0x(keccak_256(headerFromRpc(emptied))) };
    });
    const { codes, findings } = await auditedChain(log, { url: lying.url });
    expect(codes).toEqual(['HEADER_NOT_LINKED']);
    expect(findings[0]?.place).toEqual({ block: number + 1 });
  });

  it.each<[string, (receipt: Record<string, unknown>) => unknown]>([
    ['an outcome', receipt => ({ ...receipt, status: receipt['status'] === '0x1' ? '0x0' : '0x1' })],
    ['its events', receipt => ({ ...receipt, logs: [] })],
    ['its gas', receipt => ({ ...receipt, cumulativeGasUsed: '0x5209' })],
  ])('and changes %s is caught', async (_, change) => {
    const number = await lastBlockTo('KeyRegistry');
    lying.lie = changing('eth_getTransactionReceipt', (receipt: Record<string, unknown>) =>
      Number(receipt['blockNumber']) === number ? change(receipt) : receipt,
    );
    const { codes, findings } = await auditedChain(log, { url: lying.url });
    expect(codes).toEqual(['RECEIPTS_DIFFER']);
    expect(findings[0]?.place).toEqual({ block: number });
  });

  it('is caught when it proves another state', async () => {
    lying.lie = changing('eth_getProof', (proof: { accountProof: string[] }) => ({
      ...proof,
      accountProof: proof.accountProof.slice(0, -1),
    }));
    expect((await auditedChain(log, { url: lying.url })).codes).toEqual(['STATE_NOT_PROVED']);
  });

  it('is found out when it is on another chain', async () => {
    lying.lie = changing('eth_chainId', () => '0x1');
    expect((await auditedChain(log, { url: lying.url })).codes).toEqual(['CHAIN_OTHER']);
  });

  it('is found out when its chain began otherwise', async () => {
    const other = await startHardhat();
    try {
      expect((await auditedChain(log, { url: other.url })).codes).toEqual(['CHAIN_OTHER']);
    } finally {
      await other.stop();
    }
  });
});

describe('a replay that is carried from network to network', () => {
  it('comes to the same', async () => {
    const whole = await auditedChain(log);
    for (const room of [1, 3, 5]) {
      const { view, findings, stopped } = await auditedChain(log, { room });
      expect({ room, findings, stopped }).toEqual({ room, findings: [], stopped: undefined });
      expect(view?.contracts).toEqual(whole.view?.contracts);
      expect(view?.anchors).toEqual(whole.view?.anchors);
    }
  });

  it('sees a changed slot that an earlier network had', async () => {
    const slot = formatHex0x(rootSlot(parseHex0x(log.logId, 32), 3, rootsSlot));
    await chain.ask('hardhat_setStorageAt', address('AnchorRegistry'), slot, `0x${'5a'.repeat(32)}`);
    await chain.ask('evm_mine');
    const { codes, findings } = await auditedChain(log, { room: 3 });
    expect(codes).toEqual(['STORAGE_DIFFERS']);
    expect(findings[0]?.message).toContain('the root of size 3');
  });
});

describe('a second audit', () => {
  it('finds the final block of the first where it was', async () => {
    const first = await auditedChain(log);
    await anchorOne('after the first audit');
    const { findings, view } = await auditedChain(log, { from: first.view?.final });
    expect(findings).toEqual([]);
    expect(view?.anchors).toHaveLength(6);
  });

  it('sees that the chain was rewritten since the first', async () => {
    const number = await lastBlockTo('AnchorRegistry');
    const { codes, findings } = await auditedChain(log, {
      from: { number, hash: new Uint8Array(32).fill(1) },
    });
    expect(codes).toEqual(['CHAIN_REWRITTEN']);
    expect(findings[0]?.place).toEqual({ block: number });
  });

  it('cannot be done on a chain that is shorter now', async () => {
    const number = Number(await chain.ask('eth_blockNumber')) + 1;
    const { codes, stopped } = await auditedChain(log, { from: { number, hash: new Uint8Array(32) } });
    expect({ codes, stopped: stopped?.message }).toEqual({
      codes: [],
      stopped: expect.stringContaining('the node has fallen behind'),
    });
  });
});

describe('a node that forgets', () => {
  it('is asked for the newest state, once what came meanwhile is read, too', async () => {
    const before = Number(await chain.ask('eth_blockNumber'));
    let reads = 0;
    lying.lie = async (call, honest) => {
      // While the blocks are read, the chain goes on; and old states are gone.
      if (call.method === 'eth_getBlockByNumber' && call.params[1] === true && reads++ === 0) {
        // Not an anchor: the service knows of some that were taken back with the chain after an earlier test.
        const rename = site.registries.keyRegistry.getFunction('renameAgency');
        await (await rename(hexAgency(), 'Departement Intussen')).wait();
        // One by one: many at once have no parents.
        for (let i = 0; i < 40; i++) await chain.ask('evm_mine');
      }
      if (call.method === 'eth_getProof' && Number(call.params[2]) <= before)
        return { error: { code: -32_000, message: 'missing trie node' } };
      return honest();
    };
    const { view, findings, stopped } = await auditedChain(log, { url: lying.url });
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
    // Had the renaming been missed, the registry's storage would be another.
    expect(view?.final.number).toBeGreaterThan(before + 40);
  });
});

describe('what cannot be checked', () => {
  it('is a chain whose node is not there', async () => {
    const { codes, stopped } = await auditedChain(log, { url: 'http://127.0.0.1:1' });
    expect({ codes, what: stopped?.what }).toEqual({ codes: [], what: "the chain's id" });
  });

  it('is a chain whose node sends a page of HTML', async () => {
    lying.refuse = response => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>');
      return true;
    };
    const { codes, stopped } = await auditedChain(log, { url: lying.url });
    expect({ codes, stopped: stopped?.message }).toEqual({
      codes: [],
      stopped: expect.stringContaining('something that is not JSON'),
    });
  });

  it('is a chain whose node stalls for ever', async () => {
    lying.refuse = () => true;
    const { codes, stopped } = await auditedChain(log, { url: lying.url, timeoutMs: 50 });
    expect({ codes, stopped: stopped?.message }).toEqual({
      codes: [],
      stopped: expect.stringContaining('gave no answer'),
    });
  });

  it('is a chain whose node answers without end', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(Buffer.alloc(1 << 20, ' ')), 1);
      response.on('close', () => clearInterval(timer));
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // A server on TCP has one.
    try {
      const { codes, stopped } = await auditedChain(log, { url: `http://127.0.0.1:${port}` });
      expect({ codes, stopped: stopped?.message }).toEqual({
        codes: [],
        stopped: expect.stringContaining('more than'),
      });
    } finally {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  });

  it('is a chain whose node has fallen behind what the log names', async () => {
    const knownBlock = Number(await chain.ask('eth_blockNumber')) + 1;
    const { codes, stopped } = await auditedChain(log, { log: { origin: log.origin, knownBlock } });
    expect({ codes, stopped: stopped?.message }).toEqual({
      codes: [],
      stopped: expect.stringContaining('the node has fallen behind'),
    });
  });

  it('is a chain that changes while it is read', async () => {
    await chain.ask('evm_mine');
    let first = true;
    lying.lie = async (call, honest) => {
      const answer = await honest();
      if (call.method !== 'eth_getBlockByNumber' || call.params[0] !== 'latest' || !first) return answer;
      first = false;
      // The block that was just shown is taken back, and another one of its number takes its place.
      await chain.ask('evm_revert', snapshot);
      snapshot = await chain.ask('evm_snapshot');
      await chain.ask('hardhat_setCoinbase', `0x${'0e'.repeat(20)}`);
      await chain.ask('evm_mine');
      return answer;
    };
    const { codes, stopped } = await auditedChain(log, { url: lying.url });
    expect({ codes, stopped: stopped?.message }).toEqual({
      codes: [],
      stopped: expect.stringContaining('and is now'),
    });
  });

  it('is a chain that does not have the contracts yet, as a node has it that has fallen behind', async () => {
    const trust = trustWith(entry => ({
      ...entry,
      keyRegistry: { ...entry.keyRegistry, address: new Uint8Array(20).fill(0xab) },
    }));
    const { codes, stopped } = await auditedChain(log, { trust });
    expect({ codes, stopped: stopped?.message }).toEqual({
      codes: [],
      stopped: expect.stringContaining('there is no contract at this address'),
    });
  });

  it('is a chain with too few blocks to be final', async () => {
    const { stopped } = await auditedChain(log, { confirmations: 10_000 });
    expect(stopped?.what).toBe('the newest final block');
  });

  it('is overcome when a node fails for a moment', async () => {
    let failures = 3;
    lying.refuse = response => {
      if (failures-- <= 0) return false;
      response.writeHead(503).end();
      return true;
    };
    const { findings, stopped } = await auditedChain(log, { url: lying.url });
    expect({ findings, stopped }).toEqual({ findings: [], stopped: undefined });
  });
});

it('says so when the chain has stood still for long', async () => {
  const { codes, view } = await auditedChain(log, { now: () => Date.now() + 3_600_000 });
  expect(codes).toEqual(['CHAIN_STANDS_STILL']);
  expect(findingCodes.CHAIN_STANDS_STILL.severity).toBe('notice');
  expect(view).toBeDefined();
});
