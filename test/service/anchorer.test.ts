/** Anchoring on real chains (SCENARIOS A): whatever fails on the way, the registry has each root once and the log goes on. */

import type { ServerResponse } from 'node:http';
import { AbiCoder, Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { parseEntry } from '../../merkle/entry.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { leafHash, nodeHash } from '../../merkle/tree.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import { memoryGuard } from '../../service/guard.ts';
import {
  addKey,
  aLogOn,
  anchoredSizes,
  aSite,
  fund,
  type OpenLog,
  registerAgency,
  type Site,
  type Started,
} from '../helpers/anchored.ts';
import { startHardhat } from '../helpers/chain.ts';
import { copyOf, FaultyLevel } from '../helpers/faulty-level.ts';
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

/** A log whose opening is final. */
async function anOpenLog(start: Parameters<OpenLog['start']>[0] = {}) {
  const log = await aLogOn(site);
  const started = await log.start(start);
  await started.anchorer.tick();
  expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 1 });
  return { log, ...started };
}

async function ticks({ anchorer }: Pick<Started, 'anchorer'>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await anchorer.tick();
}

/** Everything that the log has is in a receipt that verifies with nothing but the trust file. */
async function expectAllProved(log: OpenLog, { ledger, receipts }: Started): Promise<void> {
  const { size } = ledger.signed();
  for (const entry of await ledger.read.entries(0, size)) {
    const receipt = await receipts.receipt(leafHash(entry), { complete: true });
    if (receipt === undefined) throw new Error('every entry has a receipt');
    const { verdict, steps } = await judgeReceipt(utf8(formatReceipt(receipt)), log.trust);
    expect(verdict, JSON.stringify(steps.at(-1))).toBe('matches');
  }
}

async function kindsOf({ ledger }: Started): Promise<string[]> {
  const entries = await ledger.read.entries(0, ledger.sequenced);
  return entries.map(entry => parseEntry(entry).kind);
}

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

describe('on a chain that works', () => {
  it('anchors the opening, then the newest root, and gives receipts that verify offline', async () => {
    const { log, ...started } = await anOpenLog();
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
    const { log, ...started } = await anOpenLog();
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
    const { log, ...started } = await anOpenLog();
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
    const { log, ...started } = await anOpenLog();
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
    const { log, ...started } = await anOpenLog({ intervalMs: 3_600_000 });
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    await started.ledger.submit(log.record('b'));
    await ticks(started, 2);
    expect(await anchoredSizes(log)).toEqual([3]);
    expect(started.anchorer.status().waitingSince).toEqual(expect.any(Number));
  });

  it('wakes who waits for an entry to be final, and gives up when the time is up', async () => {
    const { log, ...started } = await anOpenLog();
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
    const { log, ...first } = await anOpenLog({ rpcUrl: lying.url });
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
    const { log, ...started } = await anOpenLog({ rpcUrl: lying.url });
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
      changing('eth_getProof', (p: object) => JSON.parse(JSON.stringify(p).replace(/a0[0-9a-f]{2}/, 'a000'))),
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
    const { log, ...started } = await anOpenLog({ rpcUrl: lying.url, timeoutMs: 250 });
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
    const { log, ...started } = await anOpenLog({ rpcUrl: lying.url });
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
    const { log, ...started } = await anOpenLog({ rpcUrl: lying.url });
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

describe('A13: what keeps an anchor out', () => {
  const transact = async (name: string, ...args: unknown[]) =>
    (await site.registries.anchorRegistry.getFunction(name)(...args)).wait();

  /** While the fault lasts, submissions go on; when it is over, everything is anchored. */
  async function expectFault(
    { log, ...started }: Awaited<ReturnType<typeof anOpenLog>>,
    code: string,
    message: RegExp,
    repair: () => Promise<unknown>,
  ) {
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.anchorer.status().fault).toMatchObject({ code, message: expect.stringMatching(message) });
    await started.ledger.submit(log.record('b'));
    await repair();
    await ticks(started, 2);
    const { size } = started.ledger.signed();
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: size });
    expect((await kindsOf(started)).filter(kind => kind === 'transaction')).toHaveLength(2);
    expect((await anchoredSizes(log)).at(-1)).toBe(size);
    await expectAllProved(log, started);
  }

  it('says that the log is not open', async () => {
    const log = await aLogOn(site, { open: false });
    const started = await log.start();
    await started.anchorer.tick();
    expect(started.anchorer.status().fault?.code).toBe('LOG_NOT_OPEN');
    await started.ledger.submit(log.record('a'));
    const [genesis] = await started.ledger.read.entries(0, 1);
    await transact('openLog', log.origin, log.anchorer, leafHash(genesis ?? new Uint8Array()));
    await ticks(started, 3);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    await expectAllProved(log, started);
  });

  it('says that the anchor key has no money', async () => {
    const world = await anOpenLog();
    await fund(site.chain, world.log.anchorer, 0n);
    await expectFault(world, 'BALANCE_TOO_LOW', /has 0 wei/, () => fund(site.chain, world.log.anchorer));
  });

  it('says that the log is paused', async () => {
    const world = await anOpenLog();
    await transact('setPaused', world.log.logId, true);
    await expectFault(world, 'LOG_PAUSED', /paused/, () => transact('setPaused', world.log.logId, false));
  });

  it('says that another key is the anchorer', async () => {
    const world = await anOpenLog();
    await transact('setAnchorer', world.log.logId, site.registries.rolesGrantedTo);
    await expectFault(world, 'ANCHORER_OTHER', /anchorer is 0x/, () =>
      transact('setAnchorer', world.log.logId, world.log.anchorer),
    );
  });

  it.each([
    ['GAS_TOO_LOW', 'eth_estimateGas', { result: '0xfffffff' }],
    ['ANCHOR_REFUSED', 'eth_estimateGas', { error: { code: 3, message: 'execution reverted', data: '0x' } }],
    [
      'FEE_TOO_LOW',
      'eth_sendRawTransaction',
      { error: { code: -32000, message: 'transaction underpriced' } },
    ],
    ['SEND_REFUSED', 'eth_sendRawTransaction', { error: { code: -32000, message: 'no' } }],
  ])('says why a transaction does not go out: %s', async (code, method, answer) => {
    const { log, ...started } = await anOpenLog({ rpcUrl: lying.url });
    await started.ledger.submit(log.record('a'));
    lying.lie = async (call, honest) => (call.method === method ? answer : honest());
    await ticks(started, 2);
    lying.lie = undefined;
    expect(started.anchorer.status().fault?.code).toBe(code);
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(await anchoredSizes(log)).toEqual([3]);
  });

  it('says that the log is closed, and keeps what is final', async () => {
    const { log, ...started } = await anOpenLog();
    const { leafHash: leaf } = await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    await transact('closeLog', log.logId);
    await started.ledger.submit(log.record('b'));
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: { code: 'LOG_CLOSED' }, finalSize: 3 });
    expect((await started.receipts.receipt(leaf))?.evidence).not.toBeNull();
  });

  it('says that other code stands at the address, and raises the alarm', async () => {
    const log = await aLogOn(site);
    const codeHash = new Uint8Array(32).fill(1);
    const started = await log.start({ anchorRegistry: { codeHash } });
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({
      fault: { code: 'CODE_OTHER', message: expect.stringContaining('has code 0x') },
      alarm: { code: 'CODE_OTHER' },
      finalSize: 0,
    });
    expect(started.logged.some(line => line.level === 50)).toBe(true);
  });

  it('says that there is no contract at the address', async () => {
    const log = await aLogOn(site);
    const started = await log.start({ anchorRegistry: { address: new Uint8Array(20).fill(9) } });
    await started.anchorer.tick();
    expect(started.anchorer.status().fault).toMatchObject({
      code: 'CODE_OTHER',
      message: expect.stringContaining('no contract'),
    });
  });
});

/** A copy of the data folder: the database and the guard file. */
async function copyOfFolder({ guard }: OpenLog, database: FaultyLevel) {
  const copy = memoryGuard();
  await copy.write((await guard.read()) ?? '');
  return { database: await copyOf(database), guard: copy };
}

describe('forks', () => {
  it('A17: stops taking records when a thief has anchored an entry of their own; old receipts stay good', async () => {
    const { log, ...started } = await anOpenLog();
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
    const { log, ...started } = await anOpenLog();
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

describe('the nonce of the anchor key', () => {
  it('A6: raises the alarm when another transaction used it, and anchors with the next one', async () => {
    const { log, ...started } = await anOpenLog({ rpcUrl: lying.url });
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
    const { log, ...first } = await anOpenLog({ rpcUrl: lying.url });
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
