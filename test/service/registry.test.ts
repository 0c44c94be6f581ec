/** The registries as the service reads them: proved, or not at all; events only as far as they fit. */

import { Interface } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex0x, parseHex0x } from '../../merkle/bytes.ts';
import { keySlot, rootSlot, verifyAccount, verifySlot } from '../../merkle/evidence.ts';
import { NodeBag } from '../../merkle/trie.ts';
import { encodeAgency } from '../../service/abi.ts';
import { Registry } from '../../service/registry.ts';
import {
  addKey,
  agency,
  aLogOn,
  aSite,
  type OpenLog,
  registerAgency,
  type Site,
} from '../helpers/anchored.ts';
import { startHardhat } from '../helpers/chain.ts';
import { artifacts } from '../helpers/contracts.ts';
import { changing, type LyingRpc, startLyingRpc } from '../helpers/lying-rpc.ts';

let site: Site;
let lying: LyingRpc;
let log: OpenLog;
let logId: Uint8Array;
let root: Uint8Array;
let keyId: Uint8Array;

beforeAll(async () => {
  site = await aSite(await startHardhat());
  lying = await startLyingRpc(site.chain.url);
  await registerAgency(site);
  keyId = await addKey(site);
  log = await aLogOn(site);
  logId = parseHex0x(log.logId, 32);
  root = (await log.start()).ledger.signed().root;
});
afterAll(async () => {
  await lying.stop();
  await site.chain.stop();
});

function aRegistry(): Registry {
  lying.lie = undefined;
  return Registry.connect({ rpcUrl: lying.url, deployment: site.deployment });
}

describe('root', () => {
  it('is proved where it is anchored, by nodes that a verifier takes', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    const proved = await registry.root(logId, 1, block);
    expect(proved.root).toEqual(root);
    const bag = new NodeBag(proved.nodes);
    const { address, codeHash } = site.deployment.contracts.AnchorRegistry;
    const storageRoot = verifyAccount(bag, block.stateRoot, address, codeHash);
    expect(verifySlot(bag, storageRoot, rootSlot(logId, 1, site.deployment.rootsSlot))).toEqual(root);
    bag.finish();
  });

  it('is proved not to be where nothing is anchored', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    expect((await registry.root(logId, 2, block)).root).toBeUndefined();
    expect((await registry.root(new Uint8Array(32), 1, block)).root).toBeUndefined();
  });

  it('is read from the nodes, whatever the answer says its value is', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    lying.lie = changing('eth_getProof', (proof: { storageProof: object[] }) => ({
      ...proof,
      storageProof: proof.storageProof.map(each => ({ ...each, value: '0x1' })),
    }));
    expect((await registry.root(logId, 1, block)).root).toEqual(root);
  });

  it('is not read from the state of another block', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    lying.lie = async (call, honest) => {
      if (call.method !== 'eth_getProof') return honest();
      return { result: await site.chain.ask('eth_getProof', call.params[0], call.params[1], '0x1') };
    };
    await expect(registry.root(logId, 1, block)).rejects.toMatchObject({
      name: 'ChainWrong',
      fault: 'proof',
    });
  });
});

describe('keys', () => {
  it('are proved in the order in which they are asked for', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    const none = new Uint8Array(32).fill(1);
    const [absent, present] = await registry.keys([none, keyId], block);
    expect(absent?.key).toBeUndefined();
    expect(present?.key).toMatchObject({ agency, algorithm: 1, validUntil: 2 ** 40 - 1 });
    const bag = new NodeBag(present?.nodes ?? []);
    const { address, codeHash } = site.deployment.contracts.KeyRegistry;
    const storageRoot = verifyAccount(bag, block.stateRoot, address, codeHash);
    verifySlot(bag, storageRoot, keySlot(keyId, site.deployment.keysSlot));
    bag.finish();
  });

  it('are asked for in questions of a size that nodes take', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    const many: Uint8Array[] = Array.from({ length: 300 }, (_, i) => new Uint8Array(32).fill(i % 250));
    many[270] = keyId;
    const asked = lying.calls.length;
    const proved = await registry.keys(many, block);
    expect(proved.flatMap(({ key }, i) => (key === undefined ? [] : [i]))).toEqual([270]);
    const questions = lying.calls.slice(asked).map(({ params }) => (params[1] as unknown[]).length);
    expect(questions).toEqual([256, 44]);
  });
});

describe('keysRoot', () => {
  it('changes with every key', async () => {
    const registry = aRegistry();
    const before = await registry.keysRoot(await registry.chain.latest());
    await site.chain.ask('evm_mine');
    expect(await registry.keysRoot(await registry.chain.latest())).toEqual(before);
    await addKey(site, 'Ed25519');
    expect(await registry.keysRoot(await registry.chain.latest())).not.toEqual(before);
  });
});

describe('head', () => {
  it('is what the registry says', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    expect(await registry.head(logId, block)).toEqual({
      size: 1,
      root,
      anchorer: parseHex0x(log.anchorer, 20),
      paused: false,
      closed: false,
    });
    expect((await registry.head(new Uint8Array(32), block)).size).toBe(0);
  });

  it('is not read from bytes of another form', async () => {
    const registry = aRegistry();
    const block = await registry.chain.latest();
    lying.lie = changing('eth_call', () => '0x');
    await expect(registry.head(logId, block)).rejects.toMatchObject({ name: 'ChainWrong', fault: 'proof' });
  });
});

describe('another contract at the address', () => {
  it('is told from a node that lies, by its proof', async () => {
    const { AnchorRegistry, KeyRegistry } = site.deployment.contracts;
    const misplaced = { ...AnchorRegistry, address: KeyRegistry.address };
    const contracts = { ...site.deployment.contracts, AnchorRegistry: misplaced };
    lying.lie = changing('eth_call', () => '0x');
    const registry = Registry.connect({ rpcUrl: lying.url, deployment: { ...site.deployment, contracts } });
    const block = await registry.chain.latest();
    await expect(registry.head(logId, block)).rejects.toMatchObject({ name: 'ChainWrong', fault: 'code' });
  });
});

describe('anchorEvent', () => {
  const range = async (registry: Registry) => ({ from: 0, to: (await registry.chain.latest()).number });

  it('finds the transaction that opened the log, and its block', async () => {
    const registry = aRegistry();
    const { block, transaction } = await registry.anchorEvent(logId, 1, root, await range(registry));
    const receipt = await site.chain.ask('eth_getTransactionReceipt', formatHex0x(transaction));
    expect(receipt).toMatchObject({ blockHash: formatHex0x(block.hash), status: '0x1' });
  });

  it.each<[string, (event: Record<string, string>) => Record<string, string>]>([
    ['of another block hash', event => ({ ...event, blockHash: `0x${'11'.repeat(32)}` })],
    ['of a block that was not asked for', event => ({ ...event, blockNumber: '0xffff' })],
    ['of another contract', event => ({ ...event, address: `0x${'11'.repeat(20)}` })],
    ['of another root', event => ({ ...event, data: withOtherRoot(event['data'] ?? '') })],
  ])('passes an event over that is %s', async (_, change) => {
    const registry = aRegistry();
    const asked = await range(registry);
    const honest = await registry.anchorEvent(logId, 1, root, asked);
    lying.lie = changing('eth_getLogs', (events: Record<string, string>[]) => [
      ...events.map(event => ({ ...change(event), transactionHash: `0x${'22'.repeat(32)}` })),
      ...events,
    ]);
    expect(await registry.anchorEvent(logId, 1, root, asked)).toEqual(honest);
    lying.lie = changing('eth_getLogs', (events: Record<string, string>[]) =>
      events.map(event => change(event)),
    );
    await expect(registry.anchorEvent(logId, 1, root, asked)).rejects.toMatchObject({
      name: 'ChainWrong',
      fault: 'event',
    });
  });
});

describe('keyEvents', () => {
  async function eventsOf(registry: Registry) {
    const events = [];
    const { number } = await registry.chain.latest();
    for await (const event of registry.keyEvents({ from: 0, to: number })) events.push(event);
    return events;
  }

  it('come in their order, with their block', async () => {
    const registry = aRegistry();
    const [deployed, ...events] = await eventsOf(registry);
    // Whose authority it is under: of no interest here, but a change of its state.
    expect(deployed).toMatchObject({ kind: 'other' });
    expect(events.slice(0, 2)).toEqual([
      expect.objectContaining({ kind: 'registered', agency, name: 'Departement Voorbeeld' }),
      expect.objectContaining({ kind: 'added', agency, keyId, algorithm: 1 }),
    ]);
    expect(events[0]?.block).toBeLessThan(events[1]?.block ?? 0);
  });

  it('of another contract, or malformed, are passed over', async () => {
    const registry = aRegistry();
    const honest = await eventsOf(registry);
    const renamed = new Interface(artifacts.KeyRegistry.abi).encodeEventLog('AgencyRenamed', [
      encodeAgency(agency),
      'Vals',
    ]);
    lying.lie = changing('eth_getLogs', (events: Record<string, unknown>[]) => [
      { ...events[0], ...renamed, address: `0x${'11'.repeat(20)}` },
      { ...events[0], ...renamed, data: '0x1234' },
      { ...events[0], ...renamed, topics: [renamed.topics[0]] },
      ...events,
    ]);
    expect(await eventsOf(registry)).toEqual(honest);
  });
});

/** The data of `LogOpened`: where the text begins, the genesis leaf, the text. */
function withOtherRoot(data: string): string {
  return `${data.slice(0, 66)}${'1'.repeat(64)}${data.slice(130)}`;
}
