/** The view of the key registry on a real chain: what is proved counts, whatever the events say. */

import { Interface } from 'ethers';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex, formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { canonicalJwk, thumbprint } from '../../merkle/jwk.ts';
import { type Algorithm, algorithmNumber } from '../../merkle/signature.ts';
import { encodeAgency } from '../../service/abi.ts';
import { readAnnouncements } from '../../service/announcements.ts';
import { KeyView } from '../../service/keys.ts';
import { Registry } from '../../service/registry.ts';
import { type Database, Store } from '../../service/store.ts';
import { addKey, agency, aKeyProof, aSite, registerAgency, type Site } from '../helpers/anchored.ts';
import { startAnvil, startHardhat, type TestChain } from '../helpers/chain.ts';
import { artifacts } from '../helpers/contracts.ts';
import { keyFor, publicJwk } from '../helpers/keys.ts';
import { memoryDatabase } from '../helpers/ledger.ts';
import { changing, type LyingRpc, startLyingRpc } from '../helpers/lying-rpc.ts';

let chain: TestChain;
let lying: LyingRpc;

beforeAll(async () => {
  chain = await startHardhat();
  lying = await startLyingRpc(chain.url);
});
afterAll(async () => {
  await lying.stop();
  await chain.stop();
});

/** A site of its own for each test, on the shared chain. */
async function aFreshSite(on = chain): Promise<Site> {
  const site = await aSite(on);
  await registerAgency(site);
  return site;
}

async function aView(
  { deployment }: Site,
  options: {
    readonly rpcUrl?: string;
    readonly database?: Database;
    readonly confirmations?: number;
    readonly now?: () => number;
  } = {},
) {
  const { rpcUrl = lying.url, database = memoryDatabase(), confirmations = 0, now = Date.now } = options;
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: line => logged.push(JSON.parse(line)) });
  const store = new Store(database, () => undefined);
  const registry = Registry.connect({ rpcUrl, deployment, confirmations });
  const view = await KeyView.open({ store, registry, log, now });
  return { view, logged, database, store };
}

async function retire({ registries }: Site, keyId: Uint8Array, inSeconds: number): Promise<number> {
  const block = await chain.ask('eth_getBlockByNumber', 'latest', false);
  const until = Number((block as { timestamp: string }).timestamp) + inSeconds;
  const call = registries.keyRegistry.getFunction('retireKey');
  await (await call(keyId, until, 1, 0)).wait();
  return until;
}

describe('keys', () => {
  it.each(['ES256', 'ES384', 'ES256K', 'RS256', 'PS256', 'Ed25519'] as const)(
    'are found once they are registered with a proof of possession: %s',
    async alg => {
      const site = await aFreshSite();
      const { view } = await aView(site);
      await view.poll();
      const keyId = thumbprint(publicJwk(keyFor(alg)));
      expect(view.find(keyId)).toBeUndefined();
      await addKey(site, alg);
      await view.poll();
      expect(view.find(keyId)).toMatchObject({
        keyId,
        agency,
        algorithm: alg,
        jwk: publicJwk(keyFor(alg)),
        validUntil: 2 ** 40 - 1,
        retired: false,
      });
    },
  );

  it('are refused as soon as they are seen retired, long before their end', async () => {
    const site = await aFreshSite();
    const { view, logged } = await aView(site);
    const keyId = await addKey(site);
    await view.poll();
    expect(view.find(keyId)?.retired).toBe(false);
    const until = await retire(site, keyId, 5_000);
    await view.poll();
    expect(view.find(keyId)).toMatchObject({ retired: true, validUntil: until });
    expect(logged).toContainEqual(
      expect.objectContaining({ msg: 'saw a key retired', keyId: formatHex(keyId) }),
    );
  });

  it('stay retired when a node answers that has not come so far', async () => {
    const site = await aFreshSite();
    const { view } = await aView(site);
    const keyId = await addKey(site);
    await view.poll();
    const before = await chain.ask('eth_getBlockByNumber', 'latest', false);
    await retire(site, keyId, 5_000);
    await view.poll();
    lying.lie = async (call, honest) => {
      const isLatest = call.method === 'eth_getBlockByNumber' && call.params[0] === 'latest';
      return isLatest ? { result: before } : honest();
    };
    await view.poll();
    lying.lie = undefined;
    expect(view.find(keyId)?.retired).toBe(true);
    expect(view.status().trouble).toMatch(/newest block is \d+, block \d+ was seen before/);
  });

  it('are seen retired by who was not there when it happened', async () => {
    const site = await aFreshSite();
    const keyId = await addKey(site);
    await retire(site, keyId, 5_000);
    const { view } = await aView(site);
    await view.poll();
    expect(view.find(keyId)?.retired).toBe(true);
  });

  it('are seen retired although the node withholds the event: the state tells', async () => {
    const site = await aFreshSite();
    const { view } = await aView(site);
    const keyId = await addKey(site);
    await view.poll();
    await retire(site, keyId, 5_000);
    lying.lie = changing('eth_getLogs', () => []);
    await view.poll();
    lying.lie = undefined;
    expect(view.find(keyId)?.retired).toBe(true);
  });

  it('are not missed when a node that is behind knows of no event yet', async () => {
    const site = await aFreshSite();
    const { view } = await aView(site);
    await view.poll();
    const keyId = await addKey(site);
    lying.lie = changing('eth_getLogs', () => []);
    await view.poll();
    expect(view.find(keyId)).toBeUndefined();
    expect(view.status().trouble).toBe('the key registry has changed, and no event tells how');
    lying.lie = undefined;
    await chain.ask('evm_mine');
    await view.poll();
    expect(view.find(keyId)).toBeDefined();
    expect(view.status().trouble).toBeUndefined();
  });

  it('are not missed when the node fails between the events and the state', async () => {
    const site = await aFreshSite();
    const { view } = await aView(site);
    await view.poll();
    const keyId = await addKey(site);
    let proofs = 0;
    lying.lie = async (call, honest) => {
      // The first proof is of the storage root, the second of the announced key; the third is the view's own.
      if (call.method !== 'eth_getProof' || ++proofs < 3) return honest();
      return { error: { code: -32000, message: 'busy' } };
    };
    await view.poll();
    lying.lie = undefined;
    expect(proofs).toBe(3);
    expect(view.find(keyId)).toBeUndefined();
    await view.poll();
    expect(view.find(keyId)).toBeDefined();
    view.ready();
  });

  const otherProofs: [string, (site: Site) => string, Algorithm][] = [
    ['is none', () => 'not a proof', 'ES256'],
    ['is by another key', ({ deployment }) => aKeyProof(deployment, 'Ed25519'), 'ES256'],
    ['is for another agency', ({ deployment }) => aKeyProof(deployment, 'ES256', 'OVO000001'), 'ES256'],
    [
      'is for another chain',
      ({ deployment }) => aKeyProof({ ...deployment, chainId: '1' }, 'ES256'),
      'ES256',
    ],
    ['is for the other algorithm of its key', ({ deployment }) => aKeyProof(deployment, 'RS256'), 'PS256'],
  ];
  it.each(otherProofs)('are ignored when their proof of possession %s', async (_, proof, alg) => {
    const site = await aFreshSite();
    const { view, logged } = await aView(site);
    const keyId = await addKey(site, alg, { proof: proof(site) });
    await view.poll();
    expect(view.find(keyId)).toBeUndefined();
    expect(logged).toContainEqual(
      expect.objectContaining({ msg: 'ignored a key', keyId: formatHex(keyId), reason: expect.any(String) }),
    );
    view.ready();
  });

  it('that nobody registered are not believed on the word of an event, nor kept', async () => {
    const site = await aFreshSite();
    const { view, store } = await aView(site);
    const event = forgedEvent(site, 'ES256');
    lying.lie = async (call, honest) =>
      call.method === 'eth_getLogs' ? { result: [await event] } : honest();
    await view.poll();
    await view.poll();
    lying.lie = undefined;
    expect(view.keys()).toEqual([]);
    expect((await readAnnouncements(store)).announced.size).toBe(0);
    view.ready();

    // And the event does no harm to the key when it comes.
    const keyId = await addKey(site);
    await view.poll();
    expect(view.find(keyId)).toMatchObject({ retired: false });
  });

  it('are not believed with another end than the state has', async () => {
    const site = await aFreshSite();
    const keyId = await addKey(site, 'ES256', { validUntil: 3_000_000_000 });
    const { view } = await aView(site);
    // An end that is too early in the event would hide a retirement.
    const { validFrom } = await site.registries.keyRegistry.getFunction('keyOf')(keyId);
    const event = forgedEvent(site, 'ES256', { validFrom: Number(validFrom), validUntil: 2_900_000_000 });
    lying.lie = async (call, honest) =>
      call.method === 'eth_getLogs' ? { result: [await event] } : honest();
    await view.poll();
    lying.lie = undefined;
    expect(view.find(keyId)).toBeUndefined();
  });

  it('are not shown on a proof that does not walk, and the chain counts as silent', async () => {
    const site = await aFreshSite();
    const { view, logged } = await aView(site);
    await addKey(site);
    lying.lie = changing('eth_getProof', (proof: { accountProof: string[] }) => ({
      ...proof,
      accountProof: proof.accountProof.slice(1),
    }));
    await view.poll();
    lying.lie = undefined;
    expect(view.keys()).toEqual([]);
    expect(() => view.ready()).toThrow('the chain has not been heard since the start');
    expect(view.status().trouble).toContain('is missing');
    await view.poll();
    expect(view.keys()).toHaveLength(1);
    expect(view.status().trouble).toBeUndefined();
    expect(logged.map(line => line.msg)).toEqual(
      expect.arrayContaining(['did not hear the chain', 'heard the chain again']),
    );
  });

  it('wait for their block to be final, but are retired before', async () => {
    const site = await aFreshSite();
    await chain.ask('hardhat_mine', '0x5');
    const { view } = await aView(site, { confirmations: 3 });
    const keyId = await addKey(site);
    await view.poll();
    expect(view.find(keyId)).toBeUndefined();
    await chain.ask('hardhat_mine', '0x3');
    await view.poll();
    expect(view.find(keyId)).toMatchObject({ retired: false });
    await retire(site, keyId, 5_000);
    await view.poll();
    expect(view.find(keyId)).toMatchObject({ retired: true });
  });

  it('follow a reorganisation of what was not final', async () => {
    const anvil = await startAnvil();
    try {
      const site = await aFreshSite(anvil);
      await anvil.ask('anvil_mine', '0x5');
      const { view, logged } = await aView(site, { rpcUrl: anvil.url, confirmations: 0 });
      const keyId = await addKey(site);
      await view.poll();
      expect(view.find(keyId)).toBeDefined();
      await anvil.ask('anvil_reorg', 1, []);
      await anvil.ask('anvil_mine', '0x1');
      await view.poll();
      expect(view.find(keyId)).toBeUndefined();
      // On a chain of no confirmations the block counted as final.
      expect(logged).toContainEqual(expect.objectContaining({ level: 50, msg: 'a final block has gone' }));
      await addKey(site);
      await view.poll();
      expect(view.find(keyId)).toBeDefined();
    } finally {
      await anvil.stop();
    }
  });
});

describe('records are refused', () => {
  /** The real time, and as much more as the test says. */
  function aClock() {
    const clock = Object.assign(() => Date.now() + clock.aheadMs, { aheadMs: 0 });
    return clock;
  }

  it('A18: once the chain was silent for 60 s, until it is heard again', async () => {
    const site = await aFreshSite();
    const now = aClock();
    const { view } = await aView(site, { now });
    await view.poll();
    view.ready();
    lying.refuse = response => !!response.writeHead(503).end();
    now.aheadMs = 59_000;
    await view.poll();
    view.ready();
    now.aheadMs = 61_000;
    await view.poll();
    expect(() => view.ready()).toThrow(expect.objectContaining({ code: 'CHAIN_SILENT', retryAfterS: 10 }));
    lying.refuse = undefined;
    await view.poll();
    view.ready();
  });

  it.each([40_000, -40_000])('when the clock is %i ms off the blocks that are made', async aheadMs => {
    const site = await aFreshSite();
    const now = aClock();
    now.aheadMs = aheadMs;
    const { view } = await aView(site, { now });
    await view.poll();
    await view.poll();
    // A standing head says nothing about the clock.
    view.ready();
    await chain.ask('evm_mine');
    await view.poll();
    expect(() => view.ready()).toThrow(expect.objectContaining({ code: 'CLOCK_OFF' }));
    now.aheadMs = 0;
    await view.poll();
    await chain.ask('evm_mine');
    await view.poll();
    view.ready();
  });
});

describe('agencies', () => {
  it('have the name that they were given last', async () => {
    const site = await aFreshSite();
    const { view } = await aView(site);
    await view.poll();
    expect(view.agencies()).toEqual([
      { agency, name: 'Departement Voorbeeld', controller: `0x${'00'.repeat(19)}09` },
    ]);
    const { keyRegistry, accessManager } = site.registries;
    await (await keyRegistry.getFunction('renameAgency')(encodeAgency(agency), 'Nieuw')).wait();
    const controller = await accessManager.getAddress();
    await (await keyRegistry.getFunction('setController')(encodeAgency(agency), controller)).wait();
    await view.poll();
    expect(view.agencies()).toEqual([{ agency, name: 'Nieuw', controller: controller.toLowerCase() }]);
  });
});

describe('after a restart', () => {
  it('everything is there again without the old events, once the state was read', async () => {
    const site = await aFreshSite();
    const keyId = await addKey(site);
    const first = await aView(site);
    await first.view.poll();
    const before = lying.calls.length;

    const { view } = await aView(site, { database: first.database });
    expect(view.find(keyId)).toBeUndefined();
    expect(() => view.ready()).toThrow('the chain has not been heard since the start');
    expect(view.agencies()).toHaveLength(1);
    await view.poll();
    expect(view.find(keyId)).toEqual(first.view.find(keyId));
    view.ready();
    const ranges = lying.calls.slice(before).filter(call => call.method === 'eth_getLogs');
    expect(ranges).toEqual([]);
  });

  it('a retirement in between is seen', async () => {
    const site = await aFreshSite();
    const keyId = await addKey(site);
    const first = await aView(site);
    await first.view.poll();
    await retire(site, keyId, 5_000);
    const { view } = await aView(site, { database: first.database });
    await view.poll();
    expect(view.find(keyId)?.retired).toBe(true);
  });
});

describe('catching up', () => {
  it('asks for events in ranges that nodes answer', async () => {
    const site = await aFreshSite();
    const keyId = await addKey(site);
    await chain.ask('hardhat_mine', '0x1194');
    const { view } = await aView(site);
    const before = lying.calls.length;
    await view.poll();
    expect(view.find(keyId)).toBeDefined();
    const spans = lying.calls
      .slice(before)
      .filter(call => call.method === 'eth_getLogs')
      .map(({ params: [filter] }) => filter as { fromBlock: string; toBlock: string })
      .map(({ fromBlock, toBlock }) => Number(toBlock) - Number(fromBlock) + 1);
    expect(spans.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...spans)).toBe(2_000);
  });
});

/** A `KeyAdded` as it would be in the newest block, with a good proof of possession. */
async function forgedEvent(
  { deployment }: Site,
  alg: Algorithm,
  changes: { readonly validFrom?: number; readonly validUntil?: number } = {},
): Promise<unknown> {
  const jwk = publicJwk(keyFor(alg));
  const { validFrom = 1_700_000_000, validUntil = 2 ** 40 - 1 } = changes;
  const block = (await chain.ask('eth_getBlockByNumber', 'latest', false)) as {
    number: string;
    hash: string;
  };
  const fragment = new Interface(artifacts.KeyRegistry.abi).getEvent('KeyAdded');
  if (fragment === null) throw new Error('the registry has this event');
  const values = [
    encodeAgency(agency),
    thumbprint(jwk),
    algorithmNumber(alg),
    utf8(canonicalJwk(jwk)),
    validFrom,
    validUntil,
    utf8(aKeyProof(deployment, alg)),
  ];
  return {
    ...new Interface(artifacts.KeyRegistry.abi).encodeEventLog(fragment, values),
    address: formatHex0x(deployment.contracts.KeyRegistry.address),
    blockNumber: block.number,
    blockHash: block.hash,
    transactionHash: `0x${'33'.repeat(32)}`,
    logIndex: '0x0',
  };
}
