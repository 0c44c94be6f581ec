/**
 * The service is killed, with no time to say goodbye, fifty times while agencies submit. Every acknowledged record is there once, in
 * order, with a receipt that verifies, and every anchored size was anchored once.
 */

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex, utf8 } from '../../merkle/bytes.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { parseTrust } from '../../merkle/trust.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import { LedgerClient, type Submitted } from '../../service/client/client.ts';
import { keySigner, type StatementSigner, signStatement } from '../../service/client/signer.ts';
import { readPrivateKeyFile } from '../../service/keyfiles.ts';
import { anEvent } from '../helpers/builders.ts';
import { aSite, type Site } from '../helpers/site.ts';

const kills = 50;
/** The longest time that a service lives once it serves, milliseconds. */
const longestLifeMs = 300;

let site: Site;
let signer: StatementSigner;
const acknowledged = new Map<string, Submitted>();
const sent = new Map<string, string>();

beforeAll(async () => {
  site = await aSite();
  signer = keySigner(await readPrivateKeyFile(site.keyFile), 'ES256');
});
afterAll(() => site.remove());

/** Numbers between 0 and 1 that are the same on every run, so that a failure can be repeated. */
function* randomNumbers(): Generator<number> {
  for (let state = 20261124; ; ) {
    state = (state * 1103515245 + 12345) % 2147483648;
    yield state / 2147483648;
  }
}

/** Submits record after record until the service is gone. A record whose answer was lost is sent again in the next life. */
async function submitUntilDead(
  client: LedgerClient,
  lane: string,
  stop: { readonly stopped: boolean },
): Promise<void> {
  for (let n = 0; !stop.stopped; n++) {
    const id =
      [...sent.keys()].find(known => known.startsWith(`${lane}-`) && !acknowledged.has(known)) ??
      `${lane}-${sent.size}-${n}`;
    const statement = sent.get(id) ?? (await signStatement(anEvent({ id }), site.origin, signer));
    sent.set(id, statement);
    try {
      acknowledged.set(id, await client.submit(statement, signer.key));
      // A pause, so that the check afterwards has hundreds of records to look at and not thousands.
      await sleep(20);
    } catch {
      // Refused or cut off: either way nothing was promised.
      await sleep(5);
    }
  }
}

describe('kill -9', () => {
  it('at any time loses nothing that was acknowledged', async () => {
    const random = randomNumbers();
    for (let life = 0; life < kills; life++) {
      const service = await site.serve();
      const client = new LedgerClient(service.url, { timeoutMs: 2000 });
      const stop = { stopped: false };
      const lanes = ['a', 'b', 'c', 'd'].map(lane => submitUntilDead(client, lane, stop));
      await sleep((random.next().value ?? 0) * longestLifeMs);
      service.child.kill('SIGKILL');
      await service.ended;
      stop.stopped = true;
      await Promise.all(lanes);
    }
    expect(acknowledged.size).toBeGreaterThan(kills);
  }, 300_000);

  it('leaves each acknowledged record in the log once, in its place, with a receipt that verifies', async () => {
    const service = await site.serve();
    const client = new LedgerClient(service.url);
    for (const [id, statement] of sent) {
      const again = await client.submit(statement, signer.key);
      const before = acknowledged.get(id);
      if (before === undefined) continue;
      expect(again.isNew).toBe(false);
      expect(formatHex(again.leafHash)).toBe(formatHex(before.leafHash));
      expect(again.receipt.inclusion.index).toBe(before.receipt.inclusion.index);
    }
    const places = [...acknowledged.values()].map(({ receipt }) => receipt.inclusion.index);
    expect(new Set(places).size).toBe(places.length);

    const trust = parseTrust(await readFile(site.trustFile));
    const last = [...acknowledged.values()].at(-1);
    await client.submit(await signStatement(anEvent({ id: 'last' }), site.origin, signer), signer.key, {
      waitS: 60,
    });
    expect(last).toBeDefined();
    for (const { receipt } of acknowledged.values()) {
      const complete = await client.complete(receipt);
      const { verdict, steps } = await judgeReceipt(utf8(formatReceipt(complete)), trust);
      expect(verdict, steps.at(-1)?.detail).toBe('matches');
    }
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  }, 300_000);

  it('leaves exactly one anchor for each anchored size', async () => {
    const { contracts } = JSON.parse(
      await readFile(`${site.env['ZEGEL_DEPLOYMENT']}/deployment.json`, 'utf8'),
    );
    const { address } = contracts.find(({ name }: { name: string }) => name === 'AnchorRegistry');
    const { logId } = JSON.parse(await readFile(`${site.env['ZEGEL_DATA']}/log.json`, 'utf8'));
    const { id } = await import('ethers');
    const topics = [id('Anchored(bytes32,uint64,bytes32,uint64)'), logId];
    const logs = (await site.chain.ask('eth_getLogs', {
      address,
      topics,
      fromBlock: '0x0',
      toBlock: 'latest',
    })) as {
      topics: string[];
    }[];
    const sizes = logs.map(log => Number.parseInt(log.topics[2] ?? '', 16));
    expect(sizes.length).toBeGreaterThan(1);
    expect(new Set(sizes).size).toBe(sizes.length);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });
});
