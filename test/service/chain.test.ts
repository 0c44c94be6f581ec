/** Blocks: which are believed, and which are final. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex0x, parseHex0x } from '../../merkle/bytes.ts';
import { headerHash, parseHeader } from '../../merkle/header.ts';
import { decodeString, splitList } from '../../merkle/rlp.ts';
import { verifyHeaders } from '../../merkle/seals.ts';
import { Chain, type PinnedChain } from '../../service/chain.ts';
import { Rpc } from '../../service/rpc.ts';
import { startHardhat, type TestChain } from '../helpers/chain.ts';
import { changing, type LyingRpc, startLyingRpc } from '../helpers/lying-rpc.ts';
import { resealQbft, sealCliqueChain, someValidators, type Validator } from '../helpers/sealer.ts';

let node: TestChain;
let lying: LyingRpc;
let pinned: PinnedChain;

beforeAll(async () => {
  node = await startHardhat();
  lying = await startLyingRpc(node.url);
  await node.ask('hardhat_mine', '0x14');
  const { hash } = (await node.ask('eth_getBlockByNumber', '0x0', false)) as { hash: string };
  const rules = { consensus: 'none', validators: [] } as const;
  pinned = { chainId: '31337', genesisHash: parseHex0x(hash, 32), rules };
});
afterAll(async () => {
  await lying.stop();
  await node.stop();
});

function aChain(changes: Partial<PinnedChain> & { readonly confirmations?: number } = {}): Chain {
  const { confirmations = 0, ...rest } = changes;
  lying.lie = undefined;
  return new Chain({ rpc: new Rpc({ urls: [lying.url] }), pinned: { ...pinned, ...rest }, confirmations });
}

describe('latest', () => {
  it('is the block whose header hashes to its hash', async () => {
    const latest = await aChain().latest();
    const real = (await node.ask('eth_getBlockByNumber', 'latest', false)) as Record<string, string>;
    expect(formatHex0x(latest.hash)).toBe(real['hash']);
    expect(headerHash(parseHeader(latest.header))).toEqual(latest.hash);
    expect(latest).toMatchObject({
      number: Number(real['number']),
      time: Number(real['timestamp']),
      baseFee: BigInt(real['baseFeePerGas'] ?? ''),
      gasLimit: BigInt(real['gasLimit'] ?? ''),
    });
  });

  it.each([
    ['chainId', { chainId: '1' }, 'the node is on chain 31337, want 1'],
    ['genesis block', { genesisHash: new Uint8Array(32) }, "the node's block 0 is 0x"],
  ])('is not taken from a node of another %s', async (_, other, message) => {
    await expect(aChain(other).latest()).rejects.toMatchObject({
      name: 'ChainWrong',
      fault: 'chain',
      message: expect.stringContaining(message),
    });
  });

  it.each(['parentHash', 'stateRoot', 'timestamp', 'number', 'extraData', 'hash'])(
    'is not believed with another %s',
    async member => {
      const chain = aChain();
      lying.lie = changing('eth_getBlockByNumber', (block: Record<string, string>) => ({
        ...block,
        [member]: block[member]?.replace(/.$/, digit => (digit === '1' ? '2' : '1')),
      }));
      await expect(chain.latest()).rejects.toMatchObject({ name: 'ChainWrong', fault: 'header' });
    },
  );

  it('is not believed without a member, or with one that is not in its form', async () => {
    const chain = aChain();
    lying.lie = changing(
      'eth_getBlockByNumber',
      ({ stateRoot: _, ...block }: Record<string, string>) => block,
    );
    await expect(chain.latest()).rejects.toMatchObject({ name: 'ChainWrong', fault: 'header' });
  });

  it('is not taken from a node that has fallen behind by more than 30 s', async () => {
    const chain = aChain();
    const before = (await chain.latest()).number;
    await node.ask('evm_increaseTime', 31);
    await node.ask('evm_mine');
    await chain.latest();
    const stale = await node.ask('eth_getBlockByNumber', `0x${before.toString(16)}`, false);
    lying.lie = async (call, honest) => (call.params[0] === 'latest' ? { result: stale } : honest());
    await expect(chain.latest()).rejects.toMatchObject({
      name: 'ChainUnreachable',
      message: expect.stringMatching(/newest block is 3\d s older/),
    });
    lying.lie = undefined;
    await chain.latest();
  });
});

describe('block', () => {
  it('is the one that was asked for', async () => {
    const chain = aChain();
    expect(await chain.block(7)).toMatchObject({ number: 7 });
    const other = await node.ask('eth_getBlockByNumber', '0x8', false);
    lying.lie = async () => ({ result: other });
    await expect(chain.block(7)).rejects.toThrow('asked for block 7, got block 8');
    lying.lie = async () => ({ result: null });
    await expect(chain.block(7)).rejects.toMatchObject({ name: 'ChainUnreachable' });
  });
});

describe('final', () => {
  it.each([0, 3])('is where nobody seals %i blocks below the newest', async confirmations => {
    const chain = aChain({ confirmations });
    const latest = await chain.latest();
    const final = await chain.final(latest);
    expect(final.number).toBe(latest.number - confirmations);
    expect(final.headers).toEqual([final.header]);
  });

  it('is under QBFT the newest block that more than two thirds have sealed', async () => {
    const validators = someValidators(4);
    const addresses = validators.map(({ address }) => address);
    const rules = { consensus: 'qbft', validators: [{ fromBlock: 0, addresses }] } as const;
    let enough = Number.POSITIVE_INFINITY;
    const seal = (block: Record<string, unknown>) => {
      const signers = validators.slice(0, Number(block['number']) > enough ? 2 : 3);
      return resealQbft(block, { validators, signers }).block;
    };
    const genesis = seal((await node.ask('eth_getBlockByNumber', '0x0', false)) as never);
    const genesisHash = parseHex0x(String(genesis['hash']), 32);
    const chain = aChain({ rules, genesisHash });
    lying.lie = changing('eth_getBlockByNumber', seal);

    const latest = await chain.latest();
    expect((await chain.final(latest)).number).toBe(latest.number);
    enough = latest.number - 3;
    const final = await chain.final(await chain.latest());
    expect(final.number).toBe(latest.number - 3);
    expect(verifyHeaders(rules, final.headers)).toMatchObject({ sealed: true, hash: final.hash });
    enough = 0;
    await expect(chain.final(await chain.latest())).rejects.toThrow(
      `no block up to ${latest.number} is final: headers[0]: 2 of 4 validators sealed, want 3`,
    );
  });

  it('is under Clique the newest block with a majority of signers on top', async () => {
    const signers = someValidators(3);
    const rules = {
      consensus: 'clique',
      validators: [{ fromBlock: 0, addresses: signers.map(({ address }) => address) }],
    } as const;
    const blocks = cliqueBlocks(signers, 9);
    const genesisHash = parseHex0x(String(blocks[0]?.['hash']), 32);
    const chain = aChain({ rules, genesisHash });
    lying.lie = async (call, honest) => {
      if (call.method !== 'eth_getBlockByNumber') return honest();
      const [name] = call.params;
      return { result: (name === 'latest' ? blocks.at(-1) : blocks[Number(name)]) ?? null };
    };
    const latest = await chain.latest();
    const final = await chain.final(latest);
    expect([latest.number, final.number, final.headers.length]).toEqual([8, 7, 2]);
    expect(verifyHeaders(rules, final.headers)).toMatchObject({ sealed: true, hash: final.hash });
  });
});

const headerNames = [
  'parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom difficulty number gasLimit gasUsed',
  'timestamp extraData mixHash nonce baseFeePerGas',
]
  .join(' ')
  .split(' ');
const quantities = ['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas'];

/** Clique blocks from 0 on, signed in turn, as a node would answer them. */
function cliqueBlocks(signers: readonly Validator[], count: number): Record<string, unknown>[] {
  const turns = Array.from({ length: count }, (_, i) => signers[i % signers.length] ?? signers[0]);
  const fields = { stateRoot: new Uint8Array(32).fill(5), number: 0, time: 1_800_000_000 };
  const headers = sealCliqueChain(fields, turns as Validator[]); // Every turn is somebody's.
  return headers.map(rlp => {
    const values = splitList(rlp).map(decodeString);
    const members = values.map((value, i) => {
      const name = headerNames[i] ?? '';
      const hex = formatHex0x(value);
      return [name, quantities.includes(name) ? hex.replace(/^0x0*(?=.)/, '0x').replace(/^0x$/, '0x0') : hex];
    });
    return { ...Object.fromEntries(members), hash: formatHex0x(headerHash(parseHeader(rlp))) };
  });
}
