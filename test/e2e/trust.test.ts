/** A service that lies about anchors: without a trust file its word is kept and called its word, with one it is not kept. */

import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Receipt } from '../../merkle/receipt.ts';
import { parseTrust } from '../../merkle/trust.ts';
import { LedgerClient } from '../../service/client/client.ts';
import { completeReceipts } from '../../service/client/completion.ts';
import { runZegel, zegelJson } from '../helpers/cli.ts';
import { aSite, type ServiceProcess, type Site } from '../helpers/site.ts';
import { keptReceipts, writeEvents } from '../helpers/submitting.ts';

let site: Site;
let service: ServiceProcess;
/** Passes requests on, and while it lies leaves the last node out of all evidence. */
let liar: Server;
let url: string;
let isLying = true;

beforeAll(async () => {
  site = await aSite();
  service = await site.serve();
  liar = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const { method = 'GET', headers } = request;
    const type = headers['content-type'];
    const answer = await fetch(service.url + request.url, {
      method,
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
      ...(body.length > 0 ? { body } : {}),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(isLying && request.url?.endsWith('/receipt') ? withoutNode(bytes) : bytes);
  });
  await once(liar.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`; // A server on TCP has a port.
});
afterAll(async () => {
  liar.closeAllConnections();
  liar.close();
  await site.remove();
});
beforeEach(() => {
  isLying = true;
});

function withoutNode(receipt: Buffer): string {
  const { evidence, ...rest } = JSON.parse(receipt.toString());
  return JSON.stringify({
    ...rest,
    evidence: evidence === null ? null : { ...evidence, nodes: evidence.nodes.slice(0, -1) },
  });
}

const place = (name: string) => join(site.folder, name);
const submitting = (file: string, out: string) => [
  ...['submit', place(file), '--url', url, '--key', site.keyFile, '--out', place(out)],
];
const verify = (file: string) => runZegel(['verify', place(file), '--trust', site.trustFile]);
const trusting = () => ['--trust', site.trustFile];

describe('a service that lies about an anchor', { timeout: 240_000 }, () => {
  it.each(['bulk.ndjson', 'folder/'])(
    'is found out with --trust, and asked again: many, in %s',
    async out => {
      await writeEvents(place('many.ndjson'), 5, 'lie');
      const waiting = [...submitting('many.ndjson', out), '--wait', '60'];
      // On its word alone the receipts are kept as anchored, and the output says whose word it is.
      const believed = await runZegel(waiting);
      expect(believed).toMatchObject({ code: 0, out: expect.stringContaining('zegel verify') });
      const trusted = await runZegel([...waiting, ...trusting()]);
      expect(trusted.code, trusted.err).toBe(1);
      expect(trusted.err).toContain('does not match the trust file');
      expect(trusted.out).toContain('for 5 the service gave what does not match');

      const receipt = ['receipt', place(out), '--url', url, ...trusting()];
      const before = await keptReceipts(place(out));
      expect((await runZegel(receipt)).code).toBe(1);
      expect(await keptReceipts(place(out))).toEqual(before);
      isLying = false;
      expect(await zegelJson(receipt)).toMatchObject([{ complete: 5, incomplete: 0, unproved: 0 }]);
      if (out.endsWith('.ndjson')) expect((await verify(out)).code).toBe(0);
      // What matches is not asked for again.
      isLying = true;
      expect((await runZegel(receipt)).code).toBe(0);
    },
  );

  it('gets no anchored receipt kept that does not match: one', async () => {
    await writeFile(place('one.json'), (await eventsOf('one')).trimEnd());
    const waiting = [...submitting('one.json', 'one.receipt.json'), '--wait', '60', ...trusting()];
    const lied = await runZegel(waiting);
    expect({ code: lied.code, err: lied.err }).toEqual({
      code: 1,
      err: expect.stringContaining('does not match the trust file'),
    });
    const kept = await readFile(place('one.receipt.json'), 'utf8');
    expect(JSON.parse(kept)).toMatchObject({ evidence: null });
    const receipt = ['receipt', place('one.receipt.json'), '--url', url];
    expect((await runZegel([...receipt, ...trusting()])).code).toBe(1);
    expect(await readFile(place('one.receipt.json'), 'utf8')).toBe(kept);

    const believed = await runZegel(receipt);
    expect(believed).toMatchObject({ code: 0, out: expect.stringContaining('as the service says') });
    // Kept as anchored, and yet no receipt: with the trust file it is fetched again.
    isLying = false;
    const mended = await runZegel(waiting);
    expect(mended).toMatchObject({
      code: 0,
      out: expect.stringContaining('anchored; checked against the trust file'),
    });
    expect((await verify('one.receipt.json')).code).toBe(0);
  });

  it('is found out by the library', async () => {
    await writeEvents(place('library.ndjson'), 2, 'library');
    const out = 'library-out.ndjson';
    isLying = false;
    await runZegel([...submitting('library.ndjson', out), '--wait', '60']);
    const kept = (await keptReceipts(place(out))).map(receipt => ({ ...receipt, evidence: null }));
    const trust = parseTrust(await readFile(site.trustFile));
    const client = new LedgerClient(url);
    const completed = (judging = {}) =>
      collect(
        completeReceipts(
          client,
          (async function* () {
            yield* kept;
          })(),
          judging,
        ),
      );
    isLying = true;
    expect(await completed()).toHaveLength(2);
    await expect(completed({ trust })).rejects.toMatchObject({ verification: { verdict: 'does-not-match' } });
    const [first = expect.fail()] = kept;
    await expect(client.complete(first, { trust })).rejects.toThrow();
    const told: unknown[] = [];
    expect(await completed({ trust, onUnproved: (_: unknown, why: unknown) => told.push(why) })).toEqual(
      kept,
    );
    expect(told).toHaveLength(2);
    isLying = false;
    expect((await completed({ trust })).every(({ evidence }) => evidence !== null)).toBe(true);
  });
});

async function collect(receipts: AsyncIterable<Receipt>): Promise<Receipt[]> {
  const all: Receipt[] = [];
  for await (const receipt of receipts) all.push(receipt);
  return all;
}

async function eventsOf(prefix: string): Promise<string> {
  await writeEvents(place('tmp.ndjson'), 1, prefix);
  return readFile(place('tmp.ndjson'), 'utf8');
}
