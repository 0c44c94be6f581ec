/** Anchoring on a real chain (SCENARIOS A): whatever fails on the way, the registry has each root once and the log goes on. */

import type { ServerResponse } from 'node:http';
import { AbiCoder, Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import {
  addKey,
  aLogOn,
  anchoredSizes,
  anOpenLog,
  aSite,
  expectAllProved,
  fund,
  kindsOf,
  registerAgency,
  type Site,
  type Started,
  ticks,
} from '../helpers/anchored.ts';
import { startHardhat } from '../helpers/chain.ts';
import { FaultyLevel } from '../helpers/faulty-level.ts';
import { changing, type Lie, type LyingRpc, startLyingRpc } from '../helpers/lying-rpc.ts';

let site: Site;
let lying: LyingRpc;

beforeAll(async () => {
  site = await aSite(await startHardhat());
  lying = await startLyingRpc(site.chain.url);
  await registerAgency(site);
  await addKey(site);
});
afterAll(async () => {
  await lying.stop();
  await site.chain.stop();
});

describe('on a chain that works', () => {
  it('anchors the opening, then the newest root, and gives receipts that verify offline', async () => {
    const { log, ...started } = await anOpenLog(site);
    const { anchorer, ledger, receipts } = started;
    const { leafHash: leaf, index } = await ledger.submit(log.record('a'));
    await ledger.submit(log.record('b'));
    expect(receipts.stateOf(index)).toBe('sequenced');
    const early = await receipts.receipt(leaf, { complete: true });
    if (early === undefined) throw new Error('the record is there');
    expect(early.evidence).toBeNull();
    const verification = await judgeReceipt(utf8(formatReceipt(early)), log.trust);
    expect(verification.verdict).toBe('not-yet-anchored');

    await ticks(started, 2);
    expect(anchorer.status()).toMatchObject({ fault: null, finalSize: 4, anchoredSize: 4, pending: null });
    expect(receipts.stateOf(index)).toBe('final');
    expect(await kindsOf(started)).toEqual(['genesis', 'transaction', 'transaction', 'chain']);
    await expectAllProved(log, started);
    expect(await anchoredSizes(log)).toEqual([4]);
  });

  it('tells where each anchor stands, as the chain has it', async () => {
    const { log, ...started } = await anOpenLog(site);
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    const [opening, anchor] = await started.book.after(0, 10);
    if (opening === undefined || anchor === undefined) throw new Error('there are two anchors');
    const receipt = await site.chain.ask('eth_getTransactionReceipt', formatHex0x(anchor.transaction));
    expect(receipt).toMatchObject({
      blockNumber: `0x${anchor.block.toString(16)}`,
      blockHash: formatHex0x(anchor.blockHash),
      from: log.anchorer,
    });
    expect(opening).toMatchObject({ size: 1, root: (await started.book.at(1))?.root });
    expect(anchor.evidence.headers).toHaveLength(1);
  });

  it('never changes a receipt that has its evidence', async () => {
    const { log, ...started } = await anOpenLog(site);
    const { ledger, receipts } = started;
    const { leafHash: leaf } = await ledger.submit(log.record('a'));
    await ticks(started, 2);
    const before = await receipts.receipt(leaf, { complete: true });
    await ledger.submit(log.record('b'));
    await ticks(started, 2);
    expect(await anchoredSizes(log)).toHaveLength(2);
    expect(await receipts.receipt(leaf, { complete: true })).toEqual(before);
    await expectAllProved(log, started);
  });

  it('notes the opening before the chain answers, so that its receipt is not lost to a later record', async () => {
    const log = await aLogOn(site);
    const started = await log.start({ rpcUrl: 'http://127.0.0.1:9' });
    await started.anchorer.tick();
    expect(started.anchorer.status().fault?.code).toBe('CHAIN_UNREACHABLE');
    await started.ledger.submit(log.record('a'));

    const second = await log.start();
    await ticks(second, 3);
    expect((await second.book.after(0, 10)).map(anchor => anchor.size)).toEqual([1, 3]);
    await expectAllProved(log, second);
  });

  it('anchors nothing when no record is new: a chain entry calls for no anchor', async () => {
    const { log, ...started } = await anOpenLog(site);
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    const { counts } = started.anchorer.status();
    await site.chain.ask('hardhat_mine', '0x3');
    await ticks(started, 3);
    expect(started.anchorer.status().counts).toMatchObject({ signed: counts.signed, sent: counts.sent });
    expect(started.anchorer.status().waitingSince).toBeNull();
    expect(await anchoredSizes(log)).toHaveLength(1);
  });

  it('keeps the interval between two anchors', async () => {
    const { log, ...started } = await anOpenLog(site, { intervalMs: 3_600_000 });
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    await started.ledger.submit(log.record('b'));
    await ticks(started, 2);
    expect(await anchoredSizes(log)).toEqual([3]);
    expect(started.anchorer.status().waitingSince).toEqual(expect.any(Number));
  });

  it('wakes who waits for an entry to be final, and gives up when the time is up', async () => {
    const { log, ...started } = await anOpenLog(site);
    const { index } = await started.ledger.submit(log.record('a'));
    expect(await started.anchorer.waitFor(index, 1)).toBe(false);
    const waiting = started.anchorer.waitFor(index, 10_000);
    await ticks(started, 2);
    expect(await waiting).toBe(true);
    expect(await started.anchorer.waitFor(index, 0)).toBe(true);
  });
});

describe('A1: a crash at any write', () => {
  // In their order: the opening is noted, its evidence frozen; then the chain entry, the signed transaction, the evidence.
  const writes = ['opening', 'opening final', 'chain entry', 'transaction', 'evidence'];
  const cases = writes.flatMap((write, i) =>
    (['lost', 'lost but persisted'] as const).map(mode => ({ write, mode, at: i + 1 })),
  );
  it.each(cases)('finds the same anchor again: $write, $mode', async ({ at, mode }) => {
    const database = new FaultyLevel();
    const log = await aLogOn(site, { database });
    const first = await log.start();
    // Writes that are not the anchorer's do not count.
    const submit = async (started: Started) => {
      const { failAt } = database;
      database.failAt = Number.POSITIVE_INFINITY;
      const before = database.writes;
      await started.ledger.submit(log.record('a'));
      database.failAt = failAt + database.writes - before;
    };
    Object.assign(database, { failAt: database.writes + at, mode });
    const faults: unknown[] = [];
    const live = async () => {
      await first.anchorer.tick();
      await submit(first);
      await ticks(first, 2);
    };
    await live().catch(error => faults.push(error));
    expect(faults).toHaveLength(1);

    // A newer block would do for another chain entry: a retry adds none.
    await site.chain.ask('evm_increaseTime', 1);
    await site.chain.ask('evm_mine');
    const second = await log.start();
    await submit(second);
    await ticks(second, 3);
    expect(second.anchorer.status()).toMatchObject({ fault: null, finalSize: 3, pending: null });
    expect(await anchoredSizes(log)).toEqual([3]);
    expect(await kindsOf(second)).toEqual(['genesis', 'transaction', 'chain']);
    await expectAllProved(log, second);
  });
});

describe('A1, A8: a node that does not answer when the transaction is sent', () => {
  it.each([
    { what: 'and did not take it', taken: false },
    { what: 'although it took it', taken: true },
  ])('sends the same bytes after a restart, if they are not there: $what', async ({ taken }) => {
    const { log, ...first } = await anOpenLog(site, { rpcUrl: lying.url });
    await first.ledger.submit(log.record('a'));
    lying.lie = async (call, honest) => {
      if (call.method !== 'eth_sendRawTransaction') return honest();
      if (taken) await honest();
      throw new Error('the connection breaks');
    };
    await first.anchorer.tick();
    lying.lie = undefined;
    expect(first.anchorer.status().fault?.code).toBe('CHAIN_UNREACHABLE');
    const raw = first.book.pending?.transaction?.attempts[0]?.raw;

    const second = await log.start();
    expect(second.book.pending?.transaction?.attempts[0]?.raw).toEqual(raw);
    await ticks(second, 2);
    expect(second.anchorer.status()).toMatchObject({ fault: null, finalSize: 3, counts: { signed: 0 } });
    expect(await anchoredSizes(log)).toEqual([3]);
    await expectAllProved(log, second);
  });

  it('takes "already known" for success', async () => {
    const { log, ...started } = await anOpenLog(site, { rpcUrl: lying.url });
    await started.ledger.submit(log.record('a'));
    lying.lie = async (call, honest) => {
      if (call.method === 'eth_sendRawTransaction') await honest();
      else return honest();
      return { error: { code: -32000, message: 'already known' } };
    };
    await started.anchorer.tick();
    lying.lie = undefined;
    expect(started.anchorer.status().fault).toBeNull();
    await started.anchorer.tick();
    expect(started.anchorer.status().finalSize).toBe(3);
    expect(await anchoredSizes(log)).toEqual([3]);
  });
});

/** What the real node says. */
async function honestly({ chain }: Site, method: string, ...params: unknown[]) {
  return { result: await chain.ask(method, ...params, false) };
}

/** Sends a body until the client has had enough. */
function flood(response: ServerResponse): boolean {
  const chunk = ' '.repeat(1 << 20);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
  return true;
}

describe('A9: a node that lies', () => {
  const answers: [string, Lie | undefined, LyingRpc['refuse'], string][] = [
    ['is on another chain', changing('eth_chainId', () => '0x1'), undefined, 'CHAIN_WRONG'],
    [
      'has another genesis block',
      async (call, honest) =>
        call.params[0] === '0x0' ? honestly(site, 'eth_getBlockByNumber', '0x1') : honest(),
      undefined,
      'CHAIN_WRONG',
    ],
    [
      'dates a block otherwise',
      changing('eth_getBlockByNumber', (b: object) => ({ ...b, timestamp: '0x1' })),
      undefined,
      'CHAIN_WRONG',
    ],
    [
      'names a block otherwise',
      changing('eth_getBlockByNumber', (b: object) => ({ ...b, hash: `0x${'11'.repeat(32)}` })),
      undefined,
      'CHAIN_WRONG',
    ],
    [
      'leaves a node out of a proof',
      changing('eth_getProof', (p: { accountProof: string[] }) => ({
        ...p,
        accountProof: p.accountProof.slice(1),
      })),
      undefined,
      'CHAIN_WRONG',
    ],
    [
      'changes a node of a proof',
      changing('eth_getProof', (p: { accountProof: string[] }) => ({
        ...p,
        accountProof: p.accountProof.map(node => node.replace(/.$/, last => (last === '0' ? '1' : '0'))),
      })),
      undefined,
      'CHAIN_WRONG',
    ],
    [
      'tells of an anchor whose event it withholds',
      changing('eth_getLogs', () => []),
      undefined,
      'CHAIN_WRONG',
    ],
    [
      'answers in HTML with status 200',
      undefined,
      response => !!response.writeHead(200).end('<html>ok</html>'),
      'CHAIN_UNREACHABLE',
    ],
    ['answers 429', undefined, response => !!response.writeHead(429).end('{}'), 'CHAIN_UNREACHABLE'],
    ['answers 502', undefined, response => !!response.writeHead(502).end('bad gateway'), 'CHAIN_UNREACHABLE'],
    ['answers nothing', undefined, response => !!response.writeHead(200).end(), 'CHAIN_UNREACHABLE'],
    ['sends a body without end', undefined, response => !!flood(response), 'CHAIN_UNREACHABLE'],
    ['never answers', undefined, () => true, 'CHAIN_UNREACHABLE'],
    [
      'refers to another address',
      undefined,
      response => !!response.writeHead(307, { location: site.chain.url }).end(),
      'CHAIN_UNREACHABLE',
    ],
    [
      'puts everything off',
      () => ({ error: { code: -32005, message: 'limit exceeded' } }),
      undefined,
      'CHAIN_UNREACHABLE',
    ],
    ['answers null', () => ({ result: null }), undefined, 'CHAIN_UNREACHABLE'],
    ['answers with other members', () => ({ result: { a: 1 } }), undefined, 'CHAIN_UNREACHABLE'],
  ];
  it.each(answers)('is not believed, and nothing is shown as anchored: %s', async (_, lie, refuse, code) => {
    const { log, ...started } = await anOpenLog(site, { rpcUrl: lying.url, timeoutMs: 250 });
    await started.ledger.submit(log.record('a'));
    // A withheld event is noticed only once the anchor is there.
    if (lie === answers[6]?.[1]) await started.anchorer.tick();
    Object.assign(lying, { lie, refuse });
    await ticks(started, 2);
    Object.assign(lying, { lie: undefined, refuse: undefined });
    expect(started.anchorer.status()).toMatchObject({ fault: { code }, finalSize: 1 });

    await started.ledger.submit(log.record('b'));
    await ticks(started, 4);
    expect(started.anchorer.status()).toMatchObject({ fault: null, pending: null });
    await expectAllProved(log, started);
  });

  it('sends again what a node only says that it has mined', async () => {
    const { log, ...started } = await anOpenLog(site, { rpcUrl: lying.url });
    await started.ledger.submit(log.record('a'));
    lying.lie = async (call, honest) => {
      if (call.method === 'eth_sendRawTransaction')
        return { result: started.anchorer.status().pending?.transaction };
      if (call.method === 'eth_getTransactionReceipt') return { result: { status: '0x1', logs: [] } };
      return honest();
    };
    await ticks(started, 3);
    expect(started.anchorer.status()).toMatchObject({ finalSize: 1, anchoredSize: 1 });
    lying.lie = undefined;
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(await anchoredSizes(log)).toEqual([3]);
  });

  it.each([
    ['of another root at our size', 1],
    ['of a larger size', 9],
  ])('does not stop the log by a head %s that the state does not hold', async (_, size) => {
    const { log, ...started } = await anOpenLog(site, { rpcUrl: lying.url });
    const words = [size, `0x${'22'.repeat(32)}`, log.anchorer, false, false];
    const head = AbiCoder.defaultAbiCoder().encode(['uint64', 'bytes32', 'address', 'bool', 'bool'], words);
    lying.lie = changing('eth_call', () => head);
    await started.anchorer.tick();
    lying.lie = undefined;
    expect(started.anchorer.status().fault?.code).toBe('CHAIN_WRONG');
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
  });

  it('is left for the next node', async () => {
    const log = await aLogOn(site);
    const started = await log.start({ rpcUrl: [lying.url, site.chain.url] });
    lying.lie = changing('eth_chainId', () => '0x1');
    await started.anchorer.tick();
    expect(started.anchorer.status().fault?.code).toBe('CHAIN_WRONG');
    await started.anchorer.tick();
    lying.lie = undefined;
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 1 });
  });
});

describe('the nonce of the anchor key', () => {
  it('A6: raises the alarm when another transaction used it, and anchors with the next one', async () => {
    const { log, ...started } = await anOpenLog(site, { rpcUrl: lying.url });
    await started.ledger.submit(log.record('a'));
    lying.lie = async (call, honest) => {
      if (call.method !== 'eth_sendRawTransaction') return honest();
      return { result: started.anchorer.status().pending?.transaction };
    };
    await started.anchorer.tick();
    lying.lie = undefined;
    expect(started.book.pending?.transaction?.nonce).toBe(0);
    const elsewhere = new Wallet(log.anchorKey, site.chain.admin.provider);
    await (await elsewhere.sendTransaction({ to: site.registries.rolesGrantedTo, value: 1n })).wait();
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({ fault: { code: 'KEY_USED_ELSEWHERE' }, pending: null });
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({
      fault: null,
      alarm: { code: 'KEY_USED_ELSEWHERE' },
      finalSize: 3,
      counts: { abandoned: 1 },
    });
    expect(await anchoredSizes(log)).toEqual([3]);
    expect(await kindsOf(started)).toEqual(['genesis', 'transaction', 'chain']);
  });

  it('A12: leaves a transaction of a replaced key alone and anchors under the new one', async () => {
    const { log, ...first } = await anOpenLog(site, { rpcUrl: lying.url });
    await first.ledger.submit(log.record('a'));
    lying.lie = async (call, honest) => {
      if (call.method !== 'eth_sendRawTransaction') return honest();
      return { result: first.anchorer.status().pending?.transaction };
    };
    await first.anchorer.tick();
    lying.lie = undefined;
    const rotated = Wallet.createRandom();
    await fund(site.chain, rotated.address);
    const setAnchorer = site.registries.anchorRegistry.getFunction('setAnchorer');
    await (await setAnchorer(log.logId, rotated.address)).wait();

    const second = await log.start({ anchorKey: rotated.privateKey });
    await ticks(second, 3);
    expect(second.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(await anchoredSizes(log)).toEqual([3]);
    await expectAllProved(log, second);
  });
});
