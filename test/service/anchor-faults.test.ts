/** What keeps an anchor out (SCENARIOS A13): each reason by its name, while submissions go on, and all is anchored afterwards. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex } from '../../merkle/bytes.ts';
import { leafHash } from '../../merkle/tree.ts';
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
  ticks,
} from '../helpers/anchored.ts';
import { startHardhat } from '../helpers/chain.ts';
import { changing, type LyingRpc, startLyingRpc } from '../helpers/lying-rpc.ts';

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
    expect(started.logged).toContainEqual(
      expect.objectContaining({ code: 'LOG_NOT_OPEN', advice: 'open it with `zegel log open`' }),
    );
    await started.ledger.submit(log.record('a'));
    const [genesis] = await started.ledger.read.entries(0, 1);
    await transact('openLog', log.origin, log.anchorer, leafHash(genesis ?? new Uint8Array()));
    await ticks(started, 3);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    await expectAllProved(log, started);
  });

  it('keeps the checkpoint of the opening, although a node says that the log is open', async () => {
    const log = await aLogOn(site, { open: false });
    const started = await log.start({ rpcUrl: lying.url });
    await started.anchorer.tick();
    await started.ledger.submit(log.record('a'));
    const [genesis] = await started.ledger.read.entries(0, 1);
    const leaf = leafHash(genesis ?? new Uint8Array());
    const word = (hex: string) => hex.padStart(64, '0');
    const head = [word('1'), formatHex(leaf), word(log.anchorer.slice(2)), word('0'), word('0')].join('');
    lying.lie = changing('eth_call', () => `0x${head}`);
    await ticks(started, 2);
    lying.lie = undefined;
    expect(started.anchorer.status()).toMatchObject({ pending: { size: 1 }, counts: { abandoned: 0 } });
    await transact('openLog', log.origin, log.anchorer, leaf);
    await ticks(started, 3);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    await expectAllProved(log, started);
  });

  it('says that the anchor key has no money', async () => {
    const world = await anOpenLog(site);
    await fund(site.chain, world.log.anchorer, 0n);
    await expectFault(world, 'BALANCE_TOO_LOW', /has 0 wei/, () => fund(site.chain, world.log.anchorer));
  });

  it('says that the log is paused', async () => {
    const world = await anOpenLog(site);
    await transact('setPaused', world.log.logId, true);
    await expectFault(world, 'LOG_PAUSED', /paused/, () => transact('setPaused', world.log.logId, false));
  });

  it('says that another key is the anchorer', async () => {
    const world = await anOpenLog(site);
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
    const { log, ...started } = await anOpenLog(site, { rpcUrl: lying.url });
    await started.ledger.submit(log.record('a'));
    lying.lie = async (call, honest) => (call.method === method ? answer : honest());
    await ticks(started, 2);
    lying.lie = undefined;
    expect(started.anchorer.status().fault?.code).toBe(code);
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
    expect(await anchoredSizes(log)).toEqual([3]);
  });

  it('says that the log is closed, keeps what is final, and takes no more records', async () => {
    const { log, ...started } = await anOpenLog(site);
    const { leafHash: leaf } = await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    await transact('closeLog', log.logId);
    await started.anchorer.tick();
    expect(started.anchorer.status()).toMatchObject({ fault: { code: 'LOG_CLOSED' }, finalSize: 3 });
    await expect(started.ledger.submit(log.record('b'))).rejects.toMatchObject({
      code: 'LOG_CLOSED',
      retryAfterS: undefined,
    });
    expect((await started.receipts.receipt(leaf))?.evidence).not.toBeNull();

    const again = await log.start();
    await again.anchorer.tick();
    expect(again.ledger.refusal).toBe('LOG_CLOSED');
  });

  it('takes records as long as the block in which the log is closed is not final', async () => {
    const log = await aLogOn(site);
    await transact('closeLog', log.logId);
    const started = await log.start({ confirmations: 1 });
    await started.anchorer.tick();
    expect(started.anchorer.status().fault?.code).toBe('LOG_CLOSED');
    await started.ledger.submit(log.record('a'));
    await site.chain.ask('evm_mine');
    await started.anchorer.tick();
    await expect(started.ledger.submit(log.record('b'))).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  });

  it('takes no node at its word that the log is closed', async () => {
    const { log, ...started } = await anOpenLog(site, { rpcUrl: lying.url });
    lying.lie = changing('eth_call', (head: string) => `${head.slice(0, -1)}1`);
    await started.anchorer.tick();
    lying.lie = undefined;
    expect(started.anchorer.status().fault?.code).toBe('LOG_CLOSED');
    await started.ledger.submit(log.record('a'));
    await ticks(started, 2);
    expect(started.anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
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
