/** Every receipt of `vectors/receipts` gets, in the page from a disk in Chromium, the verdict and the step that it gets elsewhere. */

import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint } from '../../merkle/trust.ts';
import { stepNames } from '../../merkle/verification.ts';
import { putTogether, readBundle } from '../../service/page.ts';
import { languages } from '../../service/web/settings.ts';
import { aBrowser, type Browser, chromiumNote, chromiumPresent, citizen } from '../helpers/browsing.ts';
import { aPageSite, type PageSite } from '../helpers/page-site.ts';
import {
  type ReceiptVector,
  readVectors,
  readVectorTrustFile,
  vectorsNote,
  vectorsPresent,
  vectorTrustFiles,
} from '../helpers/receipt-vectors.ts';

const vectors = readVectors();

describe.skipIf(!chromiumPresent || !vectorsPresent)(
  `the page in Chromium${chromiumNote}${vectorsNote}`,
  () => {
    let browser: Browser;
    let site: PageSite;
    let tab: Page;
    const asked: string[] = [];
    const faults: unknown[] = [];

    beforeAll(async () => {
      browser = await aBrowser({ ...citizen, offline: true });
      site = await aPageSite({ trust: new TextDecoder().decode(readVectorTrustFile('qbft.json')) });
      tab = await browser.context.newPage();
      // Hundreds at once, on a machine that may have more to do.
      tab.setDefaultTimeout(60_000);
      tab.on('pageerror', error => faults.push(error));
      tab.on('console', message => faults.push(message.text()));
      await tab.goto(await site.onDisk({ service: null }));
      tab.on('request', request => asked.push(request.url()));
    });
    afterAll(async () => {
      await browser?.close();
      await site?.close();
    });

    it('is no larger than 150 KiB, compressed', async () => {
      const bundle = await readBundle();
      if (bundle === undefined) throw new Error('the page is not built');
      const settings = { service: null, languages, language: null, anchorIntervalMs: 10_000 };
      const trust = new TextDecoder().decode(readVectorTrustFile('all.json'));
      const zipped = gzipSync(putTogether(bundle, { ...settings, trust }).html, { level: 9 });
      process.stdout.write(`the citizen's page is ${(zipped.length / 1024).toFixed(1)} KiB compressed\n`);
      expect(zipped.length).toBeLessThanOrEqual(150 * 1024);
    });

    // A trust file each, chosen as a visitor would, and then all its receipts at once.
    for (const trustFile of vectorTrustFiles) {
      const cases = vectors.filter(({ trust }) => trust === trustFile);
      // What is not surely a receipt is taken for one when it comes alone.
      const alone = cases.filter(vector => !isPlainlyReceipt(vector));
      const together = cases.filter(isPlainlyReceipt);

      it(`judges all ${cases.length} of ${trustFile} as the command line does`, {
        timeout: 120_000,
      }, async () => {
        await useTrust(tab, trustFile);
        const found = new Map<string, Row>();
        for (const files of [together, ...alone.map(vector => [vector])].filter(({ length }) => length > 0))
          for (const row of await judge(tab, files)) found.set(row.name, row);
        for (const { name, expect: wanted } of cases) {
          const step = wanted.step ?? null;
          expect(found.get(`${name}.json`), name).toEqual({
            name: `${name}.json`,
            verdict: wanted.verdict,
            step,
          });
        }
      });
    }

    it('takes at most 50 ms to verify a receipt with evidence from a chain, at the median', async () => {
      const times: number[] = [];
      const good = vectors.filter(
        ({ trust, expect }) => trust === 'qbft.json' && expect.verdict === 'matches',
      );
      await useTrust(tab, 'qbft.json');
      await judge(tab, good);
      for (const ms of await tab
        .locator('tbody tr')
        .evaluateAll(all => all.map(e => e.getAttribute('data-ms'))))
        times.push(Number(ms));
      times.sort((a, b) => a - b);
      const median = times[Math.floor(times.length / 2)] ?? Number.NaN;
      process.stdout.write(
        `a receipt is verified in ${median.toFixed(1)} ms in the page (median of ${times.length}, to the worker and back)\n`,
      );
      expect(median).toBeLessThanOrEqual(50);
    });

    it('asked nobody, and met no fault', () => {
      expect(asked.filter(url => !url.startsWith('blob:'))).toEqual([]);
      expect(faults).toEqual([]);
    });

    it('shows the facts and all ten steps of one that matches', async () => {
      const vector = vectors.find(({ name }) => name === 'valid-audit');
      const facts = vector?.expect.facts;
      if (vector === undefined || facts === undefined) throw new Error('the case is gone');
      await useTrust(tab, 'qbft.json');
      await judge(tab, [vector]);
      const text = await tab.locator('main').textContent();
      for (const fact of [facts.agency, facts.algorithm, facts.leafHash, String(facts.block)])
        expect(text).toContain(fact);
      expect(
        await tab.locator('.when time').evaluateAll(all => all.map(e => e.getAttribute('datetime'))),
      ).toEqual(expect.arrayContaining([facts.time, facts.blockTime]));
      await tab.locator('.steps summary').click();
      expect(
        await tab.locator('.steps li').evaluateAll(all => all.map(e => e.getAttribute('data-step'))),
      ).toEqual([...stepNames]);
    });
  },
);

type Row = { readonly name: string; readonly verdict: string | null; readonly step: string | null };

async function useTrust(tab: Page, file: string): Promise<void> {
  const buffer = Buffer.from(readVectorTrustFile(file));
  await tab.setInputFiles('.trust input[type=file]', { name: file, mimeType: 'application/json', buffer });
  // In groups of eight on the page, and one word in its text.
  await tab.locator('.fingerprint').getByText(fingerprint(buffer)).waitFor();
}

async function judge(tab: Page, files: readonly ReceiptVector[]): Promise<readonly Row[]> {
  await tab.setInputFiles(
    '.ways input[type=file], .again input[type=file]',
    files.map(({ name, receipt }) => ({
      name: `${name}.json`,
      mimeType: 'application/json',
      buffer: Buffer.from(receipt),
    })),
  );
  const [first] = files;
  const selector = files.length === 1 ? 'section.verdict' : 'tbody tr';
  await tab
    .locator(files.length === 1 ? 'section.verdict .name' : 'tbody')
    .getByText(`${first?.name}.json`, { exact: true })
    .waitFor();
  await tab.locator('section.verdict:not(.busy)').waitFor();
  const name = files.length === 1 ? '.name' : 'th bdi';
  return tab.locator(selector).evaluateAll(
    (all, name) =>
      all.map(e => ({
        name: e.querySelector(name)?.textContent ?? '',
        verdict: e.getAttribute('data-verdict'),
        step: e.getAttribute('data-step'),
      })),
    name,
  );
}

function isPlainlyReceipt({ receipt }: ReceiptVector): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(receipt));
    return typeof value === 'object' && value !== null && Object.hasOwn(value, 'entry');
  } catch {
    return false;
  }
}
