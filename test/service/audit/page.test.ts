/** The page of a report, in a real browser: it reads on wide and narrow screens and on paper, and asks nobody for anything. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { escaped } from '../../../service/audit/markup.ts';
import { auditPage } from '../../../service/audit/page.ts';
import { type AuditReport, makeReport } from '../../../service/audit/report.ts';
import { aLogView, anOutcome, aRepeat, reportsByVerdict, someTimes } from '../../helpers/audit-reports.ts';
import { aBrowser, axeFaults, type Browser, chromiumNote, chromiumPresent } from '../../helpers/browsing.ts';

describe('auditPage', () => {
  it("escapes strangers' texts, and what would turn them around", async () => {
    const { no } = await reportsByVerdict();
    const page = auditPage(no);
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<img');
    expect(page).not.toContain('\u202e');
    expect(page).toContain('&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; \ufffddlrow');
    expect(escaped('a\u0000b\u2028c\ud800')).toBe('a\ufffdb\ufffdc\ufffd');
  });

  it('says the verdict first, with its reason and the next step', async () => {
    for (const report of Object.values(await reportsByVerdict())) {
      const text = auditPage(report).replace(/<style>.*?<\/style>/s, '');
      const at = [report.sentence, report.reason, report.next, 'What was checked'].map(part =>
        text.indexOf(escaped(part)),
      );
      expect(at).not.toContain(-1);
      expect([...at].sort((a, b) => a - b)).toEqual(at);
    }
  });

  it('has a page for a log of one entry, and for one of many years', async () => {
    const young: Partial<ReturnType<typeof aLogView>> = { size: 1, keys: {}, days: {}, anchors: [] };
    for (const logView of [{ ...aLogView(), ...young }, aLogView(1)]) {
      const report = makeReport(await anOutcome({ logView }), aRepeat, someTimes);
      expect(auditPage(report)).toContain('Nothing is wrong');
    }
    const old = auditPage(makeReport(await anOutcome({ logView: aLogView(4_000) }), aRepeat, someTimes));
    expect(old.length).toBeLessThan(200_000);
    expect(old).toContain('Records per 67 days and agency');
  });
});

describe.skipIf(!chromiumPresent)(`Chromium${chromiumNote}`, () => {
  let browser: Browser;
  let folder: string;
  let shots: string;
  let reports: Readonly<Record<string, AuditReport>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zegel-page-'));
    shots = process.env['ZEGEL_TEST_SHOTS'] ?? join(folder, 'shots');
    await mkdir(shots, { recursive: true });
    reports = await reportsByVerdict();
    for (const [verdict, report] of Object.entries(reports))
      await writeFile(join(folder, `${verdict}.html`), auditPage(report));
    browser = await aBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a page, and gives what it asked for and what it complained of. */
  async function opened(verdict: string): Promise<{ tab: Page; asked: string[]; complaints: string[] }> {
    const tab = await browser.context.newPage();
    const asked: string[] = [];
    const complaints: string[] = [];
    tab.on('request', request => asked.push(request.url()));
    tab.on('console', message => complaints.push(message.text()));
    tab.on('pageerror', error => complaints.push(String(error)));
    tab.on('dialog', dialog => complaints.push(dialog.message()));
    await tab.goto(pathToFileURL(join(folder, `${verdict}.html`)).href);
    return { tab, asked, complaints };
  }

  it.each(['yes', 'no', 'could-not-check'])(
    'reads on wide and narrow screens, by day and by night, and on paper: %s',
    async verdict => {
      const { tab, asked, complaints } = await opened(verdict);
      for (const [width, height] of [
        [1280, 900],
        [390, 844],
      ] as const)
        for (const colorScheme of ['light', 'dark'] as const) {
          await tab.setViewportSize({ width, height });
          await tab.emulateMedia({ colorScheme });
          expect(await overflowing(tab), `${width} ${colorScheme}`).toEqual([]);
          expect(await faint(tab), `${width} ${colorScheme}`).toEqual([]);
          expect(await axeFaults(tab), `${width} ${colorScheme}`).toEqual([]);
          // Without scrolling, one sees what came out and what to do.
          expect(await bottomOf(tab, '.verdict')).toBeLessThan(height);
          await tab.screenshot({
            path: join(shots, `${verdict}-${width}-${colorScheme}.png`),
            fullPage: true,
          });
        }
      // As wide as A4 between its margins.
      await tab.setViewportSize({ width: 672, height: 980 });
      await tab.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(await overflowing(tab), 'paper').toEqual([]);
      expect(await faint(tab), 'paper').toEqual([]);
      expect(await axeFaults(tab), 'paper').toEqual([]);
      await tab.screenshot({ path: join(shots, `${verdict}-paper.png`), fullPage: true });
      const pdf = await tab.pdf({ path: join(shots, `${verdict}.pdf`), preferCSSPageSize: true });
      expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
      expect(asked).toEqual([pathToFileURL(join(folder, `${verdict}.html`)).href]);
      expect(complaints).toEqual([]);
      await tab.close();
    },
    60_000,
  );

  it('has headings in order, a row head or name for each cell, and a text for each chart', async () => {
    const { tab } = await opened('no');
    const levels = await tab.$$eval('h1, h2, h3', all => all.map(each => Number(each.tagName[1])));
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    const charts = await tab.$$eval('svg', all => all.map(each => each.getAttribute('aria-label') ?? ''));
    expect(charts.map(label => label.split('.')[0])).toEqual([
      expect.stringMatching(/^Records per \d+ days and agency$/),
      'Anchor lag',
      'Time brackets',
      'Gas per anchor',
    ]);
    expect(await tab.$$eval('table', all => all.every(each => each.querySelector('th') !== null))).toBe(true);
    await tab.close();
  });
});

/** Elements that stick out of the window. */
function overflowing(tab: Page): Promise<string[]> {
  return tab.evaluate(() => {
    const { documentElement } = document;
    const wide = [...document.body.querySelectorAll('*')].filter(
      each => each.getBoundingClientRect().right > documentElement.clientWidth + 1,
    );
    if (documentElement.scrollWidth > documentElement.clientWidth) wide.push(documentElement);
    return wide.map(each => `${each.tagName} ${each.textContent?.slice(0, 40)}`);
  });
}

function bottomOf(tab: Page, selector: string): Promise<number> {
  return tab.$eval(selector, element => element.getBoundingClientRect().bottom);
}

/** Texts that stand out from their ground by less than 4.5 to 1 (WCAG 2.2, 1.4.3). */
function faint(tab: Page): Promise<string[]> {
  return tab.evaluate(() => {
    const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const light = (color: string) => {
      const [r = 0, g = 0, b = 0] = channels(color).map(value => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = (element: Element | null): string => {
      if (element === null) return 'rgb(255, 255, 255)';
      const { backgroundColor } = getComputedStyle(element);
      return channels(backgroundColor)[3] === 0 ? groundOf(element.parentElement) : backgroundColor;
    };
    const isText = (node: ChildNode) => node.nodeType === 3 && node.textContent?.trim() !== '';
    return [...document.body.querySelectorAll('*')]
      .filter(each => [...each.childNodes].some(isText))
      .filter(each => {
        const [a, b] = [light(getComputedStyle(each).color), light(groundOf(each))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
      })
      .map(each => `${each.tagName} ${each.textContent?.slice(0, 40)}`);
  });
}
