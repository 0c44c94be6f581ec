/** One signature over many events: signed by the command line, taken by a running service, and each with a receipt of its own. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBase64url, parseBase64url, parseHex, utf8 } from '../../merkle/bytes.ts';
import { parseJwk } from '../../merkle/jwk.ts';
import { batchOf } from '../../service/client/batch.ts';
import { LedgerClient, receiptFile } from '../../service/client/client.ts';
import { anEvent } from '../helpers/builders.ts';
import { runZegel, zegelJson } from '../helpers/cli.ts';
import { aSite, type ServiceProcess, type Site } from '../helpers/site.ts';

let site: Site;
let service: ServiceProcess;
beforeAll(async () => {
  site = await aSite();
  service = await site.serve();
});
afterAll(() => site.remove());

const events = Array.from({ length: 5 }, (_, i) => anEvent({ id: `batch-${i}` }));

type Answer = { readonly status: number; readonly leafHash: string; readonly salt: string };

/** Sends a file of lines, and gives the answers without the checkpoint that closes them. */
async function send(file: string): Promise<readonly Answer[]> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const body = await readFile(file);
  const response = await fetch(`${service.url}/v1/records/batch`, { method: 'POST', headers, body });
  const lines = (await response.text()).trimEnd().split('\n');
  const answers = lines.map(line => JSON.parse(line));
  expect(answers.pop()).toEqual({ checkpoint: expect.stringContaining(site.origin) });
  return answers;
}

describe('the story of a batch', () => {
  it('is signed once, answered event by event, and verified event by event', async () => {
    const [source, signed] = [join(site.folder, 'events.ndjson'), join(site.folder, 'batch.ndjson')];
    await writeFile(source, events.map(event => `${Buffer.from(event)}\n`).join(''));
    await zegelJson([
      'sign',
      source,
      '--batch',
      '--key',
      site.keyFile,
      '--origin',
      site.origin,
      '--out',
      signed,
    ]);
    const answers = await send(signed);
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
    expect((await send(signed)).map(({ status }) => status)).toEqual(Array(5).fill(200));

    const { statement, secret } = JSON.parse((await readFile(signed, 'utf8')).split('\n')[0] ?? '');
    const batch = batchOf(events, parseBase64url(secret));
    const request = JSON.parse(await readFile(`${site.keyFile}.json`, 'utf8'));
    const key = parseJwk(utf8(JSON.stringify(request.key)));
    const client = new LedgerClient(service.url);
    const files: string[] = [];
    for (const [i, { leafHash, salt }] of answers.entries()) {
      let receipt = await client.receipt(parseHex(leafHash, 32));
      for (let tries = 0; receipt.evidence === null && tries < 100; tries++) {
        await sleep(100);
        receipt = await client.receipt(parseHex(leafHash, 32));
      }
      const record = { statement, salt: parseBase64url(salt), key, batch: batch.batched(i) };
      const file = join(site.folder, `batch-${i}.receipt.json`);
      await writeFile(file, receiptFile({ ...receipt, record }));
      files.push(file);
    }
    const { code, out } = await runZegel(['verify', ...files, '--trust', site.trustFile]);
    expect(code, out).toBe(0);
    expect(out.match(/: matches: transaction/g)).toHaveLength(5);
  });

  it('says nothing of a neighbour in a receipt', async () => {
    const text = await readFile(join(site.folder, 'batch-0.receipt.json'), 'utf8');
    const { secret } = JSON.parse(
      (await readFile(join(site.folder, 'batch.ndjson'), 'utf8')).split('\n')[0] ?? '',
    );
    const batch = batchOf(events, parseBase64url(secret));
    expect(text).not.toContain(secret);
    for (const i of [1, 2, 3, 4]) {
      const { event, salt } = batch.batched(i);
      expect(text).not.toContain(formatBase64url(event));
      expect(text).not.toContain(formatBase64url(salt));
    }
  });
});
