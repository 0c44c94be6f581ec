/** The whole story over a chain that is a process of its own: from the first command to a receipt that stands alone. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEvent } from '../helpers/builders.ts';
import { runZegel, zegelJson } from '../helpers/cli.ts';
import { aSite, type ServiceProcess, type Site, siteAgency } from '../helpers/site.ts';

let site: Site;
let service: ServiceProcess;
beforeAll(async () => {
  site = await aSite('anvil');
  service = await site.serve();
});
afterAll(() => site.remove());

/** Runs one command against the site, as an agency would: without the operator's environment. */
const agency = (...args: string[]) => zegelJson(args);

describe('the story of a record', () => {
  it('begins with an event that an agency submits', async () => {
    const file = join(site.folder, 'permit.json');
    await writeFile(file, anEvent({ id: 'permit-1', recordkind: 'transaction' }));
    const out = join(site.folder, 'permit.receipt.json');
    const args = ['submit', file, '--key', site.keyFile, '--url', service.url, '--out', out];
    const [submitted] = await agency(...args);
    expect(submitted).toMatchObject({ index: 1, status: 201, anchored: false, receipt: out });
    const [again] = await agency(...args);
    expect(again).toMatchObject({ index: 1, status: 200, leafHash: submitted.leafHash });
  });

  it('is not yet anchored, and says so', async () => {
    const idle = await aQuietService();
    const file = join(site.folder, 'quiet.json');
    await writeFile(file, anEvent({ id: 'quiet-1' }));
    const out = join(site.folder, 'quiet.receipt.json');
    await agency('submit', file, '--key', site.keyFile, '--url', idle.url, '--out', out);
    const { code, out: text } = await runZegel(['verify', out, '--trust', site.trustFile]);
    expect(text).toContain('not-yet-anchored');
    expect(code).toBe(3);
    await endOf(idle);
    service = await site.serve();
  });

  it('gets its anchor, and verifies with the trust file alone', async () => {
    const receipt = join(site.folder, 'permit.receipt.json');
    const [state] = await agency('receipt', receipt, '--url', service.url, '--wait', '30');
    expect(state).toMatchObject({ anchored: true });
    const { code, out } = await runZegel(['verify', receipt, '--trust', site.trustFile, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'matches',
      finality: 'unproved',
      facts: { agency: siteAgency, algorithm: 'ES256', kind: 'transaction', index: 1 },
    });
  });

  it('does not survive a change', async () => {
    const text = await readFile(join(site.folder, 'permit.receipt.json'), 'utf8');
    for (const [from, to] of [
      ['"index":1', '"index":2'],
      ['"entry":"AQEAAAG', '"entry":"AQEAAAH'],
      ['"salt":"', '"salt":"A'],
    ] as const) {
      expect(text).toContain(from);
      const changed = join(site.folder, 'changed.json');
      await writeFile(changed, text.replace(from, to));
      expect((await runZegel(['verify', changed, '--trust', site.trustFile])).code).toBe(1);
    }
  });

  it('can be told by the log status and by proof-only receipts for anybody', async () => {
    const { leafHash } = (
      await zegelJson(['verify', join(site.folder, 'permit.receipt.json'), '--trust', site.trustFile])
    )[0].facts;
    const out = join(site.folder, 'public.json');
    await agency('receipt', leafHash, '--url', service.url, '--out', out);
    expect(JSON.parse(await readFile(out, 'utf8'))).not.toHaveProperty('record');
    expect((await runZegel(['verify', out, '--trust', site.trustFile])).code).toBe(0);
    const [status] = await zegelJson(['log', 'status'], site.env);
    expect(status).toMatchObject({ origin: site.origin, state: 'open' });
    expect(status.size).toBeGreaterThan(1);
  });

  it('ends with a service that stops cleanly', async () => {
    expect(await endOf(service)).toBe(0);
    const receipt = join(site.folder, 'permit.receipt.json');
    expect((await runZegel(['receipt', receipt, '--url', service.url])).code).toBe(3);
    expect((await runZegel(['verify', receipt, '--trust', site.trustFile])).code).toBe(0);
  });
});

/** Stops the running service and starts one that will not anchor for an hour. */
async function aQuietService(): Promise<ServiceProcess> {
  await endOf(service);
  return site.serve({ ZEGEL_ANCHOR_INTERVAL_MS: '3600000' });
}

async function endOf({ child, ended }: ServiceProcess): Promise<number | null> {
  child.kill('SIGTERM');
  return ended;
}
