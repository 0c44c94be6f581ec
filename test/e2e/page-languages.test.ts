/** Every state of the citizen's page in every language: axe finds nothing wrong, and nothing is left in another language. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textsIn } from '../../service/web/languages.ts';
import { languages } from '../../service/web/settings.ts';
import {
  aBrowser,
  axeFaults,
  type Browser,
  chromiumNote,
  chromiumPresent,
  citizen,
} from '../helpers/browsing.ts';
import { aPageSite, type PageSite } from '../helpers/page-site.ts';
import { arrived, type Exhibits, type Stop, someExhibits, tour } from '../helpers/page-tour.ts';

describe.skipIf(!chromiumPresent)(`the page in all languages${chromiumNote}`, () => {
  let browser: Browser;
  let site: PageSite;
  let exhibits: Exhibits;

  beforeAll(async () => {
    exhibits = await someExhibits();
    site = await aPageSite({ trust: exhibits.trust });
    browser = await aBrowser(citizen);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  async function at(stop: Stop, address: string, isOffline = false): Promise<Page> {
    const tab = await browser.context.newPage();
    await tab.goto(address);
    await browser.context.setOffline(isOffline);
    await stop.show(tab, exhibits, site);
    // Without a network a code cannot be asked for.
    await arrived(tab, isOffline && stop.asks ? { ...stop, verdict: 'could-not-check' } : stop);
    return tab;
  }

  /** Goes through the languages with the switch, and gives the head line in each. */
  async function throughLanguages(
    tab: Page,
    look: (language: (typeof languages)[number]) => Promise<void>,
  ): Promise<void> {
    const heads = new Set<string>();
    for (const language of languages) {
      const { language: name, translation } = textsIn(language);
      await tab.getByRole('button', { name, exact: true }).click();
      await tab.locator(`html[lang=${language}]`).waitFor();
      heads.add((await tab.locator('h1').textContent()) ?? '');
      expect(await tab.locator('.translation').allTextContents()).toEqual(
        translation === null ? [] : [translation],
      );
      expect(await tab.getByRole('button', { name, exact: true }).getAttribute('aria-current')).toBe('true');
      await look(language);
    }
    expect(heads.size, [...heads].join('; ')).toBe(languages.length);
  }

  it.each(tour)('has nothing that axe finds wrong at "$name", by day and by night', async stop => {
    const tab = await at(stop, `${site.url}/verify`);
    await throughLanguages(tab, async language => {
      expect(await axeFaults(tab), language).toEqual([]);
    });
    await tab.emulateMedia({ colorScheme: 'dark' });
    expect(await axeFaults(tab), 'dark').toEqual([]);
    await tab.close();
  });

  it.each(tour)('shows "$name" without a network and from a disk, too', async stop => {
    for (const place of ['offline', 'disk']) {
      const address = place === 'disk' ? await site.onDisk() : `${site.url}/verify`;
      const tab = await at(stop, address, place === 'offline');
      try {
        await throughLanguages(tab, async () => undefined);
        expect(await axeFaults(tab), place).toEqual([]);
      } finally {
        await browser.context.setOffline(false);
        await tab.close();
      }
    }
  });

  it('gives targets of at least 24 pixels', async () => {
    const several = tour.filter(({ name }) => ['matches-steps', 'several'].includes(name));
    for (const stop of several) {
      const tab = await at(stop, `${site.url}/verify`);
      const small = await tab
        .locator('button, a, summary, label.button, input:not(.unseen), textarea')
        .evaluateAll(all =>
          all
            .map(element => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()] as const)
            // The link to skip lies outside the window until it has the focus.
            .filter(([, { height, width, bottom }]) => bottom > 0 && (height < 24 || width < 24))
            .map(([html, { height, width }]) => `${html}: ${width} × ${height}`),
        );
      expect(small).toEqual([]);
      await tab.close();
    }
  });

  it('stands still for who wants that', async () => {
    const tab = await browser.context.newPage();
    await tab.goto(`${site.url}/verify`);
    expect(await tab.evaluate(() => matchMedia('(prefers-reduced-motion: reduce)').matches)).toBe(true);
    const moving = await tab.evaluate(() => {
      const verdict = document.createElement('div');
      verdict.className = 'verdict busy';
      verdict.append(document.createElement('i'));
      verdict.firstElementChild?.classList.add('shape');
      document.body.append(verdict);
      return document.getAnimations().length;
    });
    expect(moving).toBe(0);
    await tab.close();
  });

  it('has no switch where only Dutch is on, and takes the language of the address where several are', async () => {
    const dutch = await aPageSite({ trust: exhibits.trust, on: ['nl'] });
    const tab = await browser.context.newPage();
    try {
      await tab.goto(`${dutch.url}/verify?lang=fr`);
      expect(await tab.locator('nav').count()).toBe(0);
      expect(await tab.locator('html').getAttribute('lang')).toBe('nl');
      await tab.goto(`${site.url}/verify?lang=fr`);
      expect(await tab.locator('h1').textContent()).toBe(textsIn('fr').question);
      await tab.goto(`${await site.onDisk()}?lang=de`);
      expect(await tab.locator('h1').textContent()).toBe(textsIn('de').question);
    } finally {
      await tab.close();
      await dutch.close();
    }
  });
});
