/** `zegel page`: the page as a file, made from a trust file that is one. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { fingerprint, formatTrust } from '../../merkle/trust.ts';
import { runZegel, zegelJson } from '../helpers/cli.ts';
import { aTrust } from '../helpers/forge.ts';

describe('zegel page', () => {
  let folder: string;
  const trust = formatTrust(aTrust());
  const file = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zegel-page-'));
    await writeFile(file('trust.json'), trust);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('puts the trust file in byte for byte, with the languages and the service that are named', async () => {
    const flags = ['--languages', 'nl,de', '--base-url', 'https://ledger.example/zegel'];
    const out = file('verify.html');
    const [said] = await zegelJson(['page', '--trust', file('trust.json'), '--out', out, ...flags]);
    const html = await readFile(out, 'utf8');
    expect(said).toEqual({
      page: out,
      bytes: Buffer.byteLength(html),
      trust: fingerprint(utf8(trust)),
      service: 'https://ledger.example/zegel',
    });
    const [, settings = ''] = /id="settings">(.*?)<\/script>/s.exec(html) ?? [];
    expect(JSON.parse(settings)).toEqual({
      trust,
      service: 'https://ledger.example/zegel',
      languages: ['nl', 'de'],
      language: null,
      anchorIntervalMs: 10_000,
    });
    expect(html).toContain('connect-src https://ledger.example;');
  });

  it.each([
    ['{}', 'is missing'],
    ['not JSON', 'want a JSON value'],
  ])('refuses %s as a trust file', async (text, words) => {
    await writeFile(file('bad.json'), text);
    const { code, err } = await runZegel(['page', '--trust', file('bad.json'), '--out', file('no.html')]);
    expect(code).toBe(2);
    expect(err).toContain(words);
    await expect(readFile(file('no.html'))).rejects.toThrow('ENOENT');
  });
});
