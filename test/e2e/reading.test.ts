/** Reading back, over a real chain: an agency gets its own records, another does not, and the log tells who has read what. */

import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseUtf8 } from '../../merkle/bytes.ts';
import { LedgerClient } from '../../service/client/client.ts';
import { exportRecords } from '../../service/client/reading.ts';
import { keySigner } from '../../service/client/signer.ts';
import { signReadToken } from '../../service/client/token.ts';
import { readPrivateKeyFile } from '../../service/keyfiles.ts';
import { eventOf } from '../../service/log-reader.ts';
import { anEvent } from '../helpers/builders.ts';
import { runZegel, zegelJson } from '../helpers/cli.ts';
import { aSite, type ServiceProcess, type Site, siteAgency } from '../helpers/site.ts';

const other = 'OVO900010';
const operator = 'OVO900011';

let site: Site;
let service: ServiceProcess;
let otherKey: string;
let operatorKey: string;
beforeAll(async () => {
  site = await aSite();
  [otherKey, operatorKey] = [await anAgency(other, 'Ed25519'), await anAgency(operator, 'ES384')];
  service = await site.serve({ ZEGEL_SERVICE_KEY_FILE: operatorKey });
});
afterAll(() => site.remove());

/** Registers an agency with a key, and gives the key's file. */
async function anAgency(id: string, alg: string): Promise<string> {
  const file = join(site.folder, id);
  await zegelJson(['agency', 'add', id, `Agentschap ${id}`], site.env);
  await zegelJson(['key', 'generate', file, '--agency', id, '--alg', alg], site.env);
  await zegelJson(['key', 'add', `${file}.json`], site.env);
  return file;
}

const signerOf = async (file: string, alg: 'ES256' | 'Ed25519' | 'ES384') =>
  keySigner(await readPrivateKeyFile(file), alg);

/** What the trail says so far, as the operator reads it. */
async function trail(): Promise<readonly { readonly type: string; readonly data: unknown }[]> {
  const signer = await signerOf(operatorKey, 'ES384');
  const events = [];
  for await (const { record } of exportRecords(new LedgerClient(service.url), { signer }))
    if (record !== null) events.push(JSON.parse(parseUtf8(eventOf(record))));
  return events;
}

describe('the story of a reader', () => {
  let own: string;
  let foreign: string;

  it('begins with records of two agencies', async () => {
    const submit = async (id: string, key: string) => {
      const file = join(site.folder, `${id}.json`);
      await writeFile(file, anEvent({ id }));
      const out = join(site.folder, `${id}.receipt.json`);
      const [{ leafHash }] = await zegelJson([
        'submit',
        file,
        '--key',
        key,
        '--url',
        service.url,
        '--out',
        out,
      ]);
      return String(leafHash);
    };
    own = await submit('mine', site.keyFile);
    foreign = await submit('yours', otherKey);
  });

  it('gets a full receipt of its own record, and keeps it to itself', async () => {
    const out = join(site.folder, 'full.json');
    const key = ['--key', site.keyFile, '--url', service.url];
    const [got] = await zegelJson(['receipt', own, ...key, '--wait', '30', '--out', out]);
    expect(got).toMatchObject({ leafHash: own, anchored: true });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const { code, out: verdict } = await runZegel(['verify', out, '--trust', site.trustFile]);
    expect(verdict).toContain('matches: transaction');
    expect(code).toBe(0);

    const refused = await runZegel(['receipt', foreign, ...key, '--out', join(site.folder, 'none.json')]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('no record of this agency') });
  });

  it('exports what is its own, verified, for its eyes alone', async () => {
    const out = join(site.folder, 'export.ndjson');
    const args = ['export', '--key', site.keyFile, '--url', service.url, '--out', out];
    const [done] = await zegelJson(args);
    expect(done).toMatchObject({ out, from: 0, records: 1, erased: 0 });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const lines = (await readFile(out, 'utf8')).trimEnd().split('\n');
    expect(lines.map(line => JSON.parse(line).leafHash)).toEqual([own]);

    const [none] = await zegelJson([...args, '--from', '0', '--to', '1']);
    expect(none).toMatchObject({ from: 0, to: 1, records: 0 });
    expect((await runZegel([...args, '--from', '5', '--to', '1'])).code).toBe(2);
    expect((await runZegel([...args, '--to', '1000000'])).code).toBe(1);
    expect((await runZegel([...args, '--from', '-1'])).code).toBe(2);
  });

  it('cannot use a token twice, nor another agency’s record', async () => {
    const signer = await signerOf(site.keyFile, 'ES256');
    const token = await signReadToken({ origin: site.origin, signer, nowMs: Date.now(), randomBytes });
    const ask = (hash: string) =>
      fetch(`${service.url}/v1/records/${hash}`, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask(own)).status).toBe(200);
    const again = await ask(own);
    expect(again.status).toBe(401);
    expect(again.headers.get('www-authenticate')).toContain('Bearer');
    expect(await again.json()).toMatchObject({ type: 'urn:problem-type:zegel:token-used' });
  });

  it('is told by the log, which the operator reads without a trace', async () => {
    const events = await trail();
    expect(events.map(({ type }) => type)).toEqual([
      'zegel.receipt.read',
      'zegel.records.exported',
      'zegel.record.read',
    ]);
    for (const { data } of events) expect(data).toMatchObject({ agency: siteAgency });
    expect(events[1]?.data).toMatchObject({ from: 0, records: 1 });
    expect(await trail()).toHaveLength(3);
  });

  it('leaves traces that are anchored and proved as any record', async () => {
    const signer = await signerOf(operatorKey, 'ES384');
    const client = new LedgerClient(service.url);
    for await (const { leafHash } of exportRecords(client, { signer })) {
      let receipt = await client.receipt(leafHash);
      for (let tries = 0; receipt.evidence === null && tries < 200; tries++) {
        await sleep(100);
        receipt = await client.receipt(leafHash);
      }
      expect(receipt.evidence).not.toBeNull();
      break;
    }
  });

  it('is told what is missing where the operator has no key for it', async () => {
    service.child.kill('SIGTERM');
    await service.ended;
    service = await site.serve();
    const args = ['--key', site.keyFile, '--url', service.url, '--out', join(site.folder, 'no.ndjson')];
    const { code, err } = await runZegel(['export', ...args]);
    expect(err).toContain('ZEGEL_SERVICE_KEY_FILE');
    expect(code).toBe(1);
    await expect(stat(join(site.folder, 'no.ndjson'))).rejects.toThrow(/ENOENT/);
  });
});
