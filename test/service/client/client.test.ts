/** The client believes nothing that it can check: a real service behind a proxy that changes its answers as the test says. */

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatHex } from '../../../merkle/bytes.ts';
import { formatReceipt } from '../../../merkle/receipt.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { LedgerClient } from '../../../service/client/client.ts';
import type { Clock } from '../../../service/client/retry.ts';
import { anEvent, aStatement, testOrigin } from '../../helpers/builders.ts';
import { keyFor, publicJwk } from '../../helpers/keys.ts';
import { aWorld, type World } from '../http/world.ts';

const key = publicJwk(keyFor('ES256'));

let world: World;
let proxy: Server;
let client: LedgerClient;
/** Changes the JSON of an answer; the answer is passed on as it is where there is none. */
let change: ((answer: Record<string, unknown>) => unknown) | undefined;
/** Answers in the service's place. */
let instead: ((response: ServerResponse) => void) | undefined;

beforeAll(async () => {
  world = await aWorld();
  proxy = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    if (instead !== undefined) return instead(response);
    const { method = 'GET', headers, url } = request;
    const init = { method, headers: { 'content-type': headers['content-type'] ?? 'text/plain' } };
    const answer = await fetch(world.url + url, body.length > 0 ? { ...init, body } : init);
    const text = await answer.text();
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(change === undefined ? text : JSON.stringify(change(JSON.parse(text))));
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo; // A server on TCP has one.
  client = new LedgerClient(`http://127.0.0.1:${port}/`, { timeoutMs: 2_000 });
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await world.stop();
});
beforeEach(() => {
  change = undefined;
  instead = undefined;
});

let ids = 0;
const freshStatement = () => aStatement({ aud: testOrigin, payload: anEvent({ id: `client-${ids++}` }) });

describe('submit', () => {
  it('gives a receipt that lacks nothing but the anchor, and the same one again for a retry', async () => {
    const statement = freshStatement();
    const first = await client.submit(statement, key);
    expect(first).toMatchObject({ isNew: true, receipt: { evidence: null, record: { statement, key } } });
    expect(first.leafHash).toEqual(leafHash(first.receipt.entry));
    const again = await client.submit(statement, key);
    expect(again).toMatchObject({ isNew: false, leafHash: first.leafHash });
    expect(again.receipt.record).toEqual(first.receipt.record);
  });

  const other = 'A'.repeat(43);
  const lies: [string, (answer: Record<string, unknown>) => unknown, string][] = [
    ['another time', answer => ({ ...answer, time: '2026-11-24T08:00:00.001Z' }), 'what was sent gives'],
    ['another salt', answer => ({ ...answer, salt: other }), 'what was sent gives'],
    ['another leaf hash', answer => ({ ...answer, leafHash: 'ab'.repeat(32) }), 'what was sent gives'],
    ['another path', answer => ({ ...answer, inclusion: { index: 1, path: [other] } }), ''],
    ['another index', answer => ({ ...answer, inclusion: { index: 0, path: [] } }), ''],
    [
      "another log's checkpoint",
      answer => ({
        ...answer,
        checkpoint: String(answer['checkpoint']).replace(testOrigin, 'ledger.test/x'),
      }),
      'the checkpoint is of "ledger.test/x"',
    ],
  ];
  it.each(lies)('does not believe an answer with %s', async (_, lie, message) => {
    change = lie;
    await expect(client.submit(freshStatement(), key)).rejects.toMatchObject({
      name: 'ProofError',
      message: expect.stringContaining(message),
    });
  });

  it('does not believe a retry that was answered with the record of another event', async () => {
    const [first, second] = [freshStatement(), freshStatement()];
    await client.submit(first, key);
    await client.submit(second, key);
    const answer = await fetch(`${world.url}/v1/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/jose' },
      body: first,
    });
    const about = await answer.json();
    change = () => about;
    await expect(client.submit(second, key)).rejects.toThrow(
      'about another event than the one that was sent',
    );
  });
});

describe('refusals and outages', () => {
  it('are told apart: a refusal names its problem and each fault', async () => {
    await expect(client.submit(`${freshStatement().slice(0, -4)}AAAA`, key)).rejects.toMatchObject({
      name: 'RefusedError',
      status: 403,
      problem: 'signature-invalid',
    });
    await expect(client.receipt(new Uint8Array(32))).rejects.toMatchObject({ status: 404 });
  });

  const outages: [string, (response: ServerResponse) => void, RegExp, number | undefined][] = [
    [
      '503',
      response => response.writeHead(503, { 'retry-after': '7' }).end('{"detail":"busy"}'),
      /^busy$/,
      7,
    ],
    ['429', response => response.writeHead(429, { 'retry-after': 'soon' }).end(), /^status 429$/, undefined],
    ['a page with status 200', response => response.end('<html>'), /does not answer in JSON/, undefined],
    ['another service', response => response.end('{}'), /is not a ledger of this kind/, undefined],
    ['bytes that are no text', response => response.end(Buffer.of(0xff)), /does not answer$/, undefined],
    [
      'a redirect',
      response => response.writeHead(302, { location: world.url }).end(),
      /does not answer$/,
      undefined,
    ],
    ['no connection', response => response.destroy(), /does not answer$/, undefined],
    ['silence', () => undefined, /does not answer$/, undefined],
  ];
  it.each(outages)('%s says nothing about the record', async (_, answer, message, retryAfterS) => {
    instead = answer;
    await expect(client.about()).rejects.toMatchObject({
      name: 'UnavailableError',
      message: expect.stringMatching(message),
      retryAfterS,
    });
  });

  it('an answer without end is not read to its end', async () => {
    let written = 0;
    instead = response => {
      const chunk = Buffer.alloc(1 << 20, ' ');
      const more = () => {
        while (!response.destroyed && written < 1 << 30) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    };
    await expect(client.about()).rejects.toMatchObject({ name: 'UnavailableError' });
    expect(written).toBeLessThan(64 << 20);
  });
});

describe('complete', () => {
  it('waits on where the service cannot answer for a moment', async () => {
    const { receipt } = await client.submit(freshStatement(), key);
    let now = 0;
    const sleeps: number[] = [];
    const clock: Clock = {
      now: () => now,
      sleep: async ms => {
        sleeps.push(ms);
        now += ms;
        instead = undefined;
      },
      random: () => 0,
    };
    instead = response => response.writeHead(503, { 'retry-after': '2' }).end();
    const waiting = new LedgerClient(client.requests.base, { timeoutMs: 2_000, clock });
    expect((await waiting.wait(receipt, { waitS: 5 })).record).toEqual(receipt.record);
    expect(sleeps[0]).toBe(2_000);
    instead = response => response.writeHead(503, { 'retry-after': '20' }).end();
    await expect(waiting.wait(receipt, { waitS: 5 })).rejects.toMatchObject({ name: 'UnavailableError' });
  });

  it('takes nothing for a receipt that is none, or that is of another log', async () => {
    const { receipt } = await client.submit(freshStatement(), key);
    change = answer => ({
      ...answer,
      checkpoint: String(answer['checkpoint']).replace(testOrigin, 'ledger.test/x'),
    });
    await expect(client.complete(receipt)).rejects.toMatchObject({
      name: 'ProofError',
      message: expect.stringContaining('"ledger.test/x"'),
    });
    change = () => ({ once: 'upon a time' });
    await expect(client.complete(receipt)).rejects.toMatchObject({ name: 'ProofError' });
  });

  it('takes no receipt of another entry for the one that was kept', async () => {
    const { receipt } = await client.submit(freshStatement(), key);
    const stranger = await client.submit(freshStatement(), key);
    instead = response => response.end(formatReceipt({ ...stranger.receipt, evidence: null }));
    await expect(client.complete(receipt)).rejects.toMatchObject({
      name: 'ProofError',
      message: 'the service answered with the receipt of another entry',
    });
    expect(formatHex(leafHash(receipt.entry))).not.toBe(formatHex(stranger.leafHash));
  });
});
