/** Transactions: what they cost, what they say when they cannot be made, and that they are the account's own. */

import { randomBytes } from 'node:crypto';
import { Transaction } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex0x } from '../../merkle/bytes.ts';
import { encodeAnchor } from '../../service/abi.ts';
import { Chain, type ChainBlock } from '../../service/chain.ts';
import { Registry } from '../../service/registry.ts';
import { Rpc } from '../../service/rpc.ts';
import { accountSigner, Sender } from '../../service/transactions.ts';
import {
  addKey,
  aLogOn,
  anchoredSizes,
  aSite,
  fund,
  registerAgency,
  type Site,
} from '../helpers/anchored.ts';
import { startHardhat } from '../helpers/chain.ts';
import { type LyingRpc, startLyingRpc } from '../helpers/lying-rpc.ts';

let site: Site;
let lying: LyingRpc;

beforeAll(async () => {
  site = await aSite(await startHardhat());
  lying = await startLyingRpc(site.chain.url);
});
afterAll(async () => {
  await lying.stop();
  await site.chain.stop();
});

/** A call that anybody may make. */
const call = () => ({ to: site.deployment.contracts.AnchorRegistry.address, data: '0x' });

async function aSender(wei = 10n ** 18n) {
  const signer = accountSigner(`0x${randomBytes(32).toString('hex')}`);
  if (wei > 0n) await fund(site.chain, formatHex0x(signer.address), wei);
  const rpc = new Rpc({ urls: [lying.url] });
  const chain = new Chain({ rpc, pinned: site.deployment });
  const sender = new Sender({ rpc, chainId: '31337', signer });
  // The registry has no function for empty calldata, so the estimate is what the test says.
  lying.lie = async (asked, honest) => (asked.method === 'eth_estimateGas' ? { result: '0xc350' } : honest());
  return { sender, signer, latest: await chain.latest() };
}

function read(raw: Uint8Array): Transaction {
  return Transaction.from(formatHex0x(raw));
}

describe('sign', () => {
  it('makes the next transaction of the account, with room for the base fee to double', async () => {
    const { sender, signer, latest } = await aSender();
    const { nonce, attempt } = await sender.sign(call(), latest);
    const transaction = read(attempt.raw);
    const baseFee = latest.baseFee ?? 0n;
    expect(transaction).toMatchObject({
      type: 2,
      chainId: 31337n,
      nonce: 0,
      gasLimit: 62_500n,
      maxPriorityFeePerGas: 1_000_000_000n,
      maxFeePerGas: 2n * baseFee + 1_000_000_000n,
      hash: formatHex0x(attempt.hash),
    });
    expect(nonce).toBe(0);
    expect(transaction.from?.toLowerCase()).toBe(formatHex0x(signer.address));
    expect(sender.isFromUs([attempt])).toBe(true);
    const { sender: other } = await aSender(0n);
    expect(other.isFromUs([attempt])).toBe(false);
  });

  it('asks for the price where a node suggests no tip', async () => {
    const { sender, latest } = await aSender();
    lying.lie = async (asked, honest) => {
      if (asked.method === 'eth_estimateGas') return { result: '0xc350' };
      if (asked.method !== 'eth_maxPriorityFeePerGas') return honest();
      return { error: { code: -32601, message: 'the method does not exist' } };
    };
    const { attempt } = await sender.sign(call(), { ...latest, baseFee: 1n });
    const price = BigInt((await site.chain.ask('eth_gasPrice')) as string);
    expect(read(attempt.raw)).toMatchObject({ maxPriorityFeePerGas: price - 1n, maxFeePerGas: price + 1n });
  });

  it('offers nothing where an account without money meets a network without a base fee', async () => {
    const { sender, latest } = await aSender(0n);
    const free: ChainBlock = { ...latest, baseFee: 0n };
    const { attempt } = await sender.sign(call(), free);
    expect(read(attempt.raw)).toMatchObject({ maxPriorityFeePerGas: 0n, maxFeePerGas: 0n });
    await expect(sender.sign(call(), latest)).rejects.toMatchObject({ code: 'BALANCE_TOO_LOW' });
  });

  it('names what the registry would refuse', async () => {
    const { sender, latest } = await aSender();
    lying.lie = undefined;
    const logId = new Uint8Array(32).fill(7);
    const root = new Uint8Array(32).fill(8);
    const data = encodeAnchor({ logId, oldSize: 1, newSize: 2, newRoot: root, proof: [root] });
    await expect(sender.sign({ ...call(), data }, latest)).rejects.toMatchObject({
      code: 'ANCHOR_REFUSED',
      message: 'the registry would refuse the anchor: AnchorRegistryLogNotOpen',
    });
  });

  it('does not let a signer sign for another address', async () => {
    const { latest } = await aSender();
    const signer = { ...accountSigner(`0x${'01'.repeat(32)}`), address: new Uint8Array(20).fill(3) };
    await fund(site.chain, formatHex0x(signer.address));
    const sender = new Sender({ rpc: new Rpc({ urls: [lying.url] }), chainId: '31337', signer });
    const now = await new Chain({ rpc: new Rpc({ urls: [lying.url] }), pinned: site.deployment }).latest();
    expect(now.number).toBeGreaterThan(latest.number);
    await expect(sender.sign(call(), now)).rejects.toThrow('the signer does not sign for its own address');
  });
});

describe('send', () => {
  it.each([
    ['already known', undefined],
    ['AlreadyKnown: transaction already imported', undefined],
    ['nonce too low: next nonce 4, tx nonce 3', undefined],
    ['Nonce too low. Expected nonce to be 4 but got 3.', undefined],
    ['NONCE_TOO_LOW', undefined],
    ['insufficient funds for gas * price + value', 'BALANCE_TOO_LOW'],
    ["Sender doesn't have enough funds to send tx", 'BALANCE_TOO_LOW'],
    ['UPFRONT_COST_EXCEEDS_BALANCE: Upfront cost exceeds account balance', 'BALANCE_TOO_LOW'],
    ['replacement transaction underpriced', 'FEE_TOO_LOW'],
    ['max fee per gas less than block base fee', 'FEE_TOO_LOW'],
    ['Gas price below configured minimum gas price', 'FEE_TOO_LOW'],
    ['only replay-protected transactions allowed', 'SEND_REFUSED'],
  ])('understands a node that says: %s', async (message, code) => {
    const { sender, latest } = await aSender();
    const { attempt } = await sender.sign(call(), latest);
    lying.lie = async (asked, honest) =>
      asked.method === 'eth_sendRawTransaction' ? { error: { code: -32000, message } } : honest();
    const sending = sender.send(attempt, latest);
    if (code === undefined) await sending;
    else await expect(sending).rejects.toMatchObject({ code });
  });

  it('sends nothing that the account cannot pay for any more, whatever the node would say', async () => {
    const { sender, signer, latest } = await aSender();
    const { attempt } = await sender.sign(call(), latest);
    await fund(site.chain, formatHex0x(signer.address), 1n);
    const chain = new Chain({ rpc: new Rpc({ urls: [lying.url] }), pinned: site.deployment });
    const asked = lying.calls.length;
    await expect(sender.send(attempt, await chain.latest())).rejects.toMatchObject({
      code: 'BALANCE_TOO_LOW',
      message: expect.stringContaining('has 1 wei'),
    });
    expect(lying.calls.slice(asked).map(({ method }) => method)).not.toContain('eth_sendRawTransaction');
  });

  it('does not believe a node that names another transaction', async () => {
    const { sender, latest } = await aSender();
    const { attempt } = await sender.sign(call(), latest);
    lying.lie = async (asked, honest) =>
      asked.method === 'eth_sendRawTransaction' ? { result: `0x${'44'.repeat(32)}` } : honest();
    await expect(sender.send(attempt, latest)).rejects.toMatchObject({ code: 'SEND_REFUSED' });
    lying.lie = undefined;
    expect(await sender.knows([attempt])).toBe(false);
  });
});

describe('a chain without EIP-1559', () => {
  it('gets legacy transactions, and anchors', async () => {
    const chain = await startHardhat({ hardfork: 'berlin' });
    try {
      const old = await aSite(chain);
      await registerAgency(old);
      await addKey(old);
      const log = await aLogOn(old);
      const { anchorer, ledger, book } = await log.start();
      await anchorer.tick();
      await ledger.submit(log.record('a'));
      await anchorer.tick();
      expect(anchorer.status().fault).toBeNull();
      const raw = book.pending?.transaction?.attempts[0]?.raw ?? new Uint8Array();
      expect(read(raw)).toMatchObject({ type: 0 });
      await anchorer.tick();
      expect(anchorer.status()).toMatchObject({ fault: null, finalSize: 3 });
      expect(await anchoredSizes(log)).toEqual([3]);
      const latest = await Registry.connect({ rpcUrl: chain.url, deployment: old.deployment }).chain.latest();
      expect(latest.baseFee).toBeUndefined();
    } finally {
      await chain.stop();
    }
  });
});
