/** Real Chromium for tests of pages that a service serves: what it asks for, what it complains of, and what is wrong with a page. */

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const chromiumPath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
export const chromiumPresent = existsSync(chromiumPath);
export const chromiumNote = chromiumPresent
  ? ''
  : ` (skipped: no Chromium at ${chromiumPath}, see CHROMIUM_PATH)`;

export type Browser = {
  readonly context: BrowserContext;
  close(): Promise<void>;
};

/** Somebody in Brussels who reads Dutch and wants nothing to move. */
export const citizen = { locale: 'nl-BE', timezoneId: 'Europe/Brussels', reducedMotion: 'reduce' } as const;

/** Starts a browser with a profile of its own. */
export async function aBrowser(
  options: Pick<
    NonNullable<Parameters<typeof chromium.launchPersistentContext>[1]>,
    'javaScriptEnabled' | 'locale' | 'timezoneId' | 'reducedMotion' | 'offline'
  > = {},
): Promise<Browser> {
  const folder = await mkdtemp(join(tmpdir(), 'zegel-browser-'));
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: chromiumPath,
    headless: true,
    ...options,
    // A root account has no sandbox; the rest keeps Chromium from calling home.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Opened = {
  readonly tab: Page;
  /** Every address that was asked for. */
  readonly asked: readonly string[];
  /** What the page, its policy and the console had to say. */
  readonly complaints: readonly string[];
};

/** Opens an address in a tab of its own. */
export async function opened({ context }: Browser, url: string): Promise<Opened> {
  const tab = await context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  tab.on('request', request => asked.push(request.url()));
  tab.on('console', message => complaints.push(message.text()));
  tab.on('pageerror', error => complaints.push(String(error)));
  tab.on('dialog', dialog => complaints.push(dialog.message()));
  await tab.goto(url);
  return { tab, asked, complaints };
}

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
let axeSource: string | undefined;

/** What axe finds wrong, by WCAG 2.2 AA and its own best practices: each rule with the elements that break it. */
export async function axeFaults(tab: Page): Promise<readonly string[]> {
  axeSource ??= await readFile(axePath, 'utf8');
  await tab.evaluate(axeSource);
  return tab.evaluate(async () => {
    type Found = { id: string; nodes: { html: string; failureSummary?: string }[] };
    const { axe } = globalThis as unknown as {
      axe: { run(context: Document, options: object): Promise<{ violations: Found[] }> };
    };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await axe.run(document, {
      runOnly: tags,
      // Axe leaves this one out unless it is asked for.
      rules: { 'target-size': { enabled: true } },
    });
    return violations.flatMap(({ id, nodes }) =>
      nodes
        .slice(0, 5)
        .map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
    );
  });
}

/** Elements that stick out of the window to the right. */
export function overflowing(tab: Page): Promise<readonly string[]> {
  return tab.evaluate(() => {
    const { documentElement } = document;
    const wide = [...document.body.querySelectorAll('*')].filter(
      each => each.getBoundingClientRect().right > documentElement.clientWidth + 1,
    );
    if (documentElement.scrollWidth > documentElement.clientWidth) wide.push(documentElement);
    return wide.map(each => `${each.tagName} ${each.textContent?.slice(0, 40)}`);
  });
}

/** Widths and schemes at which pages are looked at. */
export const views = [
  { width: 1280, height: 900, colorScheme: 'light' },
  { width: 1280, height: 900, colorScheme: 'dark' },
  { width: 390, height: 844, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
  { width: 320, height: 640, colorScheme: 'light' },
] as const;

/** Sets a tab up for a view. */
export async function viewed(
  tab: Page,
  { width, height, colorScheme }: (typeof views)[number],
): Promise<void> {
  await tab.setViewportSize({ width, height });
  await tab.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
}
