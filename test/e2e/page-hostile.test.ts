/** What could make the citizen's page say too much or too little: files made to break it, and signs that say nothing without colour. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  aBrowser,
  type Browser,
  chromiumNote,
  chromiumPresent,
  citizen,
  overflowing,
} from '../helpers/browsing.ts';
import { anEvent } from '../helpers/builders.ts';
import { block, forge } from '../helpers/forge.ts';
import { aPageSite, type PageSite } from '../helpers/page-site.ts';
import { arrived, choose, type Exhibits, leafOf, someExhibits, textOf, tour } from '../helpers/page-tour.ts';

describe.skipIf(!chromiumPresent)(`the page${chromiumNote}`, () => {
  let browser: Browser;
  let site: PageSite;
  let exhibits: Exhibits;
  let tab: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    exhibits = await someExhibits();
    site = await aPageSite({ trust: exhibits.trust, anchorIntervalMs: 10_000 });
    browser = await aBrowser(citizen);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  beforeEach(async () => {
    tab = await browser.context.newPage();
    tab.on('pageerror', error => faults.push(String(error)));
  });
  afterEach(async () => {
    await tab.close();
    expect(faults.splice(0)).toEqual([]);
  });

  const sentence = async (verdict: string) => {
    await tab.locator(`section.verdict[data-verdict=${verdict}]`).waitFor();
    return (await tab.locator('h1').textContent()) ?? '';
  };

  it('shows a block’s time that no calendar has, where a development chain binds it to nothing', async () => {
    const time = Date.UTC(12_026, 10, 24) / 1000;
    const { bytes } = await forge({
      consensus: 'none',
      change: { header: header => ({ ...header, number: block.number, time }) },
    });
    await tab.goto(`${site.url}/verify`);
    await choose(tab, { 'trust.json': exhibits.developmentTrust }, '.trust input[type=file]');
    await choose(tab, { 'good.json': textOf(exhibits.development) });
    expect(await sentence('matches')).toContain('24 november 2026');
    await choose(tab, { 'late.json': bytes });
    await tab.getByText('late.json').waitFor();
    expect(await sentence('matches')).toContain(`sinds ${time * 1000} ms since 1970`);
  });

  it('leaves no verdict standing where it cannot show the next one', async () => {
    await tab.addInitScript(() => {
      const { DateTimeFormat } = Intl;
      // As a browser that does not know a zone, a calendar, or a language.
      Reflect.set(Intl, 'DateTimeFormat', function Broken(...given: [string, Intl.DateTimeFormatOptions]) {
        if (Reflect.get(globalThis, 'isBroken') === true && given[1]?.dateStyle === 'long')
          throw new RangeError('no such zone');
        return new DateTimeFormat(...given);
      });
    });
    await tab.goto(`${site.url}/verify`);
    await choose(tab, { 'first.json': textOf(exhibits.good) });
    await sentence('matches');
    await tab.evaluate(() => Reflect.set(globalThis, 'isBroken', true));
    await choose(tab, { 'second.json': textOf(exhibits.batch) });
    expect(await sentence('could-not-check')).toContain('er ging iets mis in deze pagina zelf');
    expect(await tab.locator('.verdict.matches, .facts').count()).toBe(0);
    // It goes on from there.
    await tab.evaluate(() => Reflect.set(globalThis, 'isBroken', false));
    await choose(tab, { 'third.json': textOf(exhibits.good) });
    await sentence('matches');
    expect(faults.splice(0).join()).toContain('no such zone');
  });

  it('does not wait for ever for a service that never answers, and says nothing of the record then', async () => {
    await tab.addInitScript(() => {
      const { timeout } = AbortSignal;
      // A hundred times as fast.
      AbortSignal.timeout = ms => Reflect.apply(timeout, AbortSignal, [ms / 100]);
    });
    const leaf = leafOf(exhibits.good);
    site.answers.set(leaf, 'hang');
    await tab.goto(`${site.url}/verify#leaf=${leaf}`);
    expect(await sentence('could-not-check')).toContain('niet te bereiken');
  });

  it('breaks words of any length rather than the page', async () => {
    const word = 'w'.repeat(180);
    const event = anEvent({
      type: word,
      subject: word,
      source: word,
      data: { [word]: word, a: { [word]: word } },
    });
    const { bytes } = await forge({ change: { event: () => event } });
    await tab.setViewportSize({ width: 320, height: 640 });
    await tab.goto(`${site.url}/verify`);
    await choose(tab, { [`${word}.json`]: bytes });
    await sentence('matches');
    await tab.locator('.signed summary').click();
    expect(await overflowing(tab)).toEqual([]);
    await choose(tab, { [`${word}1.json`]: bytes, [`${word}2.json`]: bytes, [`${word}.pdf`]: '%PDF-1.4' });
    await tab.locator('tbody tr').first().waitFor();
    await tab.getByText('horen: ').waitFor();
    expect(await overflowing(tab)).toEqual([]);
    await tab.setViewportSize({ width: 1280, height: 900 });
    expect(await overflowing(tab)).toEqual([]);
  });

  it('promises no more than it does: files go nowhere, codes to the register', async () => {
    await tab.goto(`${site.url}/verify`);
    expect(await tab.locator('footer').textContent()).toContain('stuurt uw bestanden niet door');
    await tab.getByText('Alleen voor een code, of voor een bewijs dat nog niet verankerd is').waitFor();
  });

  it('spells out the names of files that lie beside and turn the direction of writing', async () => {
    await tab.goto(`${site.url}/verify`);
    await choose(tab, {
      'a.json': textOf(exhibits.good),
      'b.json': textOf(exhibits.batch),
      'fdp.\u202egpj': '%PDF-1.4',
    });
    await tab.getByText('horen: fdp.\\u{202e}gpj.').waitFor();
    expect(await tab.locator('main').textContent()).not.toContain('\u202e');
  });

  it('asks for the receipt at once where it was given something else', async () => {
    await tab.goto(`${site.url}/verify`);
    await choose(tab, { 'besluit.pdf': exhibits.decision });
    await sentence('could-not-check');
    const top = (place: string) =>
      tab.locator(place).evaluate(element => element.getBoundingClientRect().top);
    expect(await top('.again')).toBeLessThan(await top('.trust'));
    expect(await tab.locator('#again').textContent()).toBe('Geef het bewijs');
    await choose(tab, { 'a.json': textOf(exhibits.document) });
    await sentence('matches');
    expect(await top('.again')).toBeGreaterThan(await top('.trust'));
  });

  it('says that it may be the trust file where seals do not hold', async () => {
    await tab.goto(`${site.url}/verify`);
    await choose(tab, { 'a.json': textOf(exhibits.development) });
    await sentence('does-not-match');
    await tab.getByText('is dat ouder dan het bewijs').waitFor();
    await choose(tab, { 'b.json': textOf(exhibits.tampered) });
    await tab.getByText('b.json').waitFor();
    expect(await tab.getByText('is dat ouder dan het bewijs').count()).toBe(0);
  });

  describe.each(['light', 'dark'] as const)('by %s', colorScheme => {
    it('is red only where something does not match, and tells no verdict by its colour alone', async () => {
      await tab.emulateMedia({ colorScheme });
      const seen = new Map<string, { readonly words: Set<string>; readonly signs: Set<string> }>();
      for (const stop of tour) {
        const { verdict } = stop;
        // A trust file that is none has no verdict, and a table has several.
        if (verdict === null || stop.name === 'several') continue;
        await tab.goto(`${site.url}/verify`);
        await stop.show(tab, exhibits, site);
        await arrived(tab, stop);
        const reds = await redsIn(tab);
        if (verdict === 'does-not-match') expect(reds, stop.name).toContain('h1 span');
        else expect(reds, stop.name).toEqual([]);
        const known = seen.get(verdict) ?? { words: new Set(), signs: new Set() };
        seen.set(verdict, known);
        known.words.add((await tab.locator('.verdict .word').textContent()) ?? '');
        known.signs.add(await tab.locator('.verdict .sign').innerHTML());
      }
      expect(seen.size).toBe(4);
      // One word and one sign for each verdict, and none for two.
      for (const of of ['words', 'signs'] as const) {
        const all = [...seen.values()].flatMap(each => [...each[of]]);
        expect(all).toHaveLength(4);
        expect(new Set(all).size).toBe(4);
      }
    });
  });
});

/** Where something is painted in a hue that people call red, or a pale one. */
function redsIn(tab: Page): Promise<readonly string[]> {
  return tab.evaluate(() => {
    const isRed = (color: string) => {
      const [r = 0, g = 0, b = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number);
      // Nothing is painted, or grey.
      if (alpha === 0 || Math.max(r, g, b) - Math.min(r, g, b) < 8) return false;
      return r > g && r > b && Math.abs(g - b) <= 0.35 * (r - Math.min(g, b));
    };
    return [...document.querySelectorAll('main *')].flatMap(element => {
      const { color, backgroundColor, stroke, fill, borderInlineStartColor, borderInlineStartWidth } =
        getComputedStyle(element);
      const border = borderInlineStartWidth === '0px' ? [] : [borderInlineStartColor];
      const isPainted = [color, backgroundColor, stroke, fill, ...border].some(isRed);
      return isPainted ? [`${element.parentElement?.tagName} ${element.tagName}`.toLowerCase()] : [];
    });
  });
}
