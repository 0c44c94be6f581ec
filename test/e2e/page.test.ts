/** The citizen's page in Chromium: every way in and every way out, online, without a network, and from a file on a disk. */

import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { fingerprint } from '../../merkle/trust.ts';
import {
  aBrowser,
  type Browser,
  chromiumNote,
  chromiumPresent,
  citizen,
  overflowing,
} from '../helpers/browsing.ts';
import { anEvent } from '../helpers/builders.ts';
import { forge } from '../helpers/forge.ts';
import { aPageSite, type PageSite } from '../helpers/page-site.ts';
import {
  arrived,
  choose,
  type Exhibits,
  follow,
  leafOf,
  linkTo,
  someExhibits,
  textOf,
  tour,
  withoutRecord,
} from '../helpers/page-tour.ts';

describe.skipIf(!chromiumPresent)(`the page${chromiumNote}`, () => {
  let browser: Browser;
  let site: PageSite;
  let exhibits: Exhibits;
  let tab: Page;
  const faults: unknown[] = [];

  beforeAll(async () => {
    exhibits = await someExhibits();
    site = await aPageSite({ trust: exhibits.trust, anchorIntervalMs: 1_000 });
    browser = await aBrowser(citizen);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  beforeEach(async () => {
    tab = await browser.context.newPage();
    tab.on('pageerror', error => faults.push(error));
    tab.on('console', message => {
      // That an answer did not come is said there, too, and is no fault of the page.
      if (!message.text().startsWith('Failed to load resource')) faults.push(message.text());
    });
    site.answers.clear();
    site.asked.length = 0;
  });
  afterEach(async () => {
    await tab.close();
    expect(faults.splice(0)).toEqual([]);
  });

  const verdict = async (wanted: string) => {
    await tab.locator(`section.verdict[data-verdict=${wanted}]`).waitFor();
    return (await tab.locator('h1').textContent()) ?? '';
  };
  const askedForRecords = () => site.asked.filter(path => path.startsWith('/v1/'));

  describe.each(['online', 'offline', 'on a disk'] as const)('%s', place => {
    beforeEach(async () => {
      await tab.goto(place === 'on a disk' ? await site.onDisk() : `${site.url}/verify`);
      // Loaded, and then the network is gone.
      if (place === 'offline') await browser.context.setOffline(true);
    });
    afterEach(() => browser.context.setOffline(false));

    it('takes a receipt that is chosen, and says who, what and when', async () => {
      await choose(tab, { 'receipt.json': textOf(exhibits.good) });
      expect(await verdict('matches')).toContain(
        'Dit klopt: Departement Voorbeeld (OVO002949) heeft dit ondertekend, en sinds 24 november 2026 om 09:01 is er niets aan veranderd.',
      );
      const text = (name: string) => tab.locator(name).textContent();
      expect(await text('.who')).toMatch(/OVO002949.*ES256/s);
      expect(await text('.what')).toMatch(/vlaanderen\.example\.grant\.decided.*12500\.00/s);
      expect(await text('.what pre')).toBe(new TextDecoder().decode(exhibits.grant));
      expect(await text('.when')).toContain('24 november 2026 om 09:01:00 CET');
      expect(askedForRecords()).toEqual([]);
      // The arithmetic is not done on the page.
      expect(tab.workers()).toHaveLength(1);
    });

    it('takes one that is dropped', async () => {
      await drop({ 'receipt.json': textOf(exhibits.good) });
      await verdict('matches');
    });

    it('takes one that is pasted, into the field or anywhere', async () => {
      await tab.fill('#given', textOf(exhibits.tampered));
      await tab.locator('form button').click();
      expect(await verdict('does-not-match')).toContain('staat niet op deze plaats');
      await paste(textOf(exhibits.good));
      await verdict('matches');
    });

    it('takes a link with a receipt in it, which nobody is sent', async () => {
      await follow(tab, `receipt=${linkTo(exhibits.good)}`);
      await verdict('matches');
      expect(site.asked.filter(path => path.includes('receipt='))).toEqual([]);
      expect(askedForRecords()).toEqual([]);
    });

    it('asks for a code, and says when nobody is there', async () => {
      site.answers.set(leafOf(exhibits.good), textOf(exhibits.proofOnly));
      await tab.fill(
        '#given',
        leafOf(exhibits.good)
          .toUpperCase()
          .replace(/(.{8})/g, '$1 '),
      );
      await tab.keyboard.press('Enter');
      if (place === 'offline') {
        expect(await verdict('could-not-check')).toContain('niet te bereiken');
        return;
      }
      expect(await verdict('matches')).toContain('er staat een vermelding van Departement Voorbeeld');
      expect(askedForRecords()).toEqual([`/v1/records/${leafOf(exhibits.good)}/receipt`]);
    });

    it('judges what is not yet anchored, and waits', async () => {
      site.answers.set(leafOf(exhibits.good), 'drop');
      await choose(tab, { 'receipt.json': textOf(exhibits.pending) });
      await verdict('not-yet-anchored');
      await tab.getByText('Deze pagina blijft het proberen').waitFor();
      await verdict('not-yet-anchored');
    });

    it('gives several in a table, and each by itself', async () => {
      const several = tour.find(({ name }) => name === 'several');
      if (several === undefined) throw new Error('the tour has no stop of several');
      await several.show(tab, exhibits, site);
      expect(await verdict('does-not-match')).toBe('3 van de 5 kloppen, 1 niet, 1 nog niet verankerd.');
      const verdicts = tab.locator('tbody tr');
      expect(await verdicts.evaluateAll(rows => rows.map(row => row.getAttribute('data-verdict')))).toEqual([
        'matches',
        'matches',
        'does-not-match',
        'not-yet-anchored',
        'matches',
      ]);
      await tab.getByRole('button', { name: 'gewijzigd.json' }).click();
      expect(await tab.locator('h1').textContent()).toContain('Dit klopt niet');
      await tab.getByRole('button', { name: 'Terug naar alle bewijzen' }).click();
      await verdicts.first().waitFor();
    });
  });

  /** Drops files on the page as the browser's own event has them. */
  async function drop(files: Readonly<Record<string, string>>): Promise<void> {
    const carried = await tab.evaluateHandle(entries => {
      const data = new DataTransfer();
      for (const [name, text] of entries) data.items.add(new File([text], name));
      return data;
    }, Object.entries(files));
    await tab.dispatchEvent('.page', 'dragover', { dataTransfer: carried });
    await tab.dispatchEvent('.page', 'drop', { dataTransfer: carried });
  }

  async function paste(text: string): Promise<void> {
    await tab.evaluate(text => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text', text);
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }, text);
  }

  describe('what is not yet anchored', () => {
    it('completes itself, and can then be kept', async () => {
      const leaf = leafOf(exhibits.good);
      site.answers.set(leaf, textOf(withoutRecord(exhibits.pending)));
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { 'receipt.json': textOf(exhibits.pending) });
      await verdict('not-yet-anchored');
      await tab.getByText('Laatst nagevraagd').waitFor();
      site.answers.set(leaf, textOf(exhibits.proofOnly));
      expect(await verdict('matches')).toContain('heeft dit ondertekend');
      await expect.poll(() => tab.locator('[role=status][aria-live]').textContent()).toContain('Klopt.');
      const [saved] = await Promise.all([
        tab.waitForEvent('download'),
        tab.getByRole('button', { name: 'Ontvangstbewijs bewaren' }).click(),
      ]);
      expect(saved.suggestedFilename()).toBe('receipt.json');
      expect(await readFile(await saved.path(), 'utf8')).toBe(textOf(exhibits.good));
    });

    it('says when it will be, and when that is late', async () => {
      await tab.clock.install({ time: '2026-11-24T08:00:05Z' });
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { 'receipt.json': textOf(exhibits.pending) });
      await tab.getByText('Dat gebeurt normaal vóór 09:00:31.').waitFor();
      await tab.clock.fastForward('01:00');
      await tab.getByText('Dat duurt langer dan gewoonlijk.').waitFor();
    });

    it('says on a page that has nobody to ask that it must come from elsewhere', async () => {
      await tab.goto(await site.onDisk({ service: null }));
      await choose(tab, { 'receipt.json': textOf(exhibits.pending) });
      await tab.getByText('Deze pagina heeft geen dienst om het na te vragen').waitFor();
    });
  });

  describe('a service that lies or fails', () => {
    const lies: readonly (readonly [string, (leaf: string) => void, string])[] = [
      ['cuts the connection', leaf => site.answers.set(leaf, 'drop'), 'niet te bereiken'],
      ['has a fault', leaf => site.answers.set(leaf, { status: 500 }), 'niet te bereiken'],
      ['knows nothing', () => undefined, 'niets heeft'],
      ['sends a page', leaf => site.answers.set(leaf, '<html>'), 'geen bewijs voor deze code'],
      ['sends nothing', leaf => site.answers.set(leaf, ''), 'geen bewijs voor deze code'],
      [
        'sends another receipt',
        leaf => site.answers.set(leaf, textOf(withoutRecord(exhibits.batch))),
        'geen bewijs voor deze code',
      ],
      [
        'sends a spoilt path',
        leaf => site.answers.set(leaf, textOf({ ...exhibits.proofOnly, inclusion: { index: 4, path: [] } })),
        'houdt geen stand',
      ],
      [
        'sends a checkpoint that nobody signed',
        leaf =>
          site.answers.set(
            leaf,
            textOf({
              ...exhibits.proofOnly,
              checkpoint: exhibits.proofOnly.checkpoint.replace(/—.*\n/, '— x AAAAAA==\n'),
            }),
          ),
        'houdt geen stand',
      ],
      [
        'sends nine megabytes',
        leaf => site.answers.set(leaf, new Uint8Array(9 * 1024 * 1024)),
        'geen bewijs is',
      ],
    ];

    it.each(lies)('never makes a record look false when it %s', async (_, lie, words) => {
      const leaf = leafOf(exhibits.good);
      lie(leaf);
      await tab.goto(`${site.url}/verify#leaf=${leaf}`);
      expect(await verdict('could-not-check')).toContain(words);
      await tab.getByText('Dat zegt niets over het bewijs zelf').waitFor();
    });

    it('can be asked again', async () => {
      const leaf = leafOf(exhibits.good);
      site.answers.set(leaf, 'drop');
      await tab.goto(`${site.url}/verify#leaf=${leaf}`);
      await verdict('could-not-check');
      site.answers.set(leaf, textOf(exhibits.proofOnly));
      await tab.getByRole('button', { name: 'Opnieuw proberen' }).click();
      await verdict('matches');
    });

    it('never spoils a receipt that waits for its anchor', async () => {
      await tab.goto(`${site.url}/verify`);
      site.answers.set(
        leafOf(exhibits.good),
        textOf({ ...exhibits.proofOnly, inclusion: { index: 4, path: [] } }),
      );
      await choose(tab, { 'receipt.json': textOf(exhibits.pending) });
      await tab.getByText('Wat de dienst stuurde, houdt geen stand').waitFor();
      await verdict('not-yet-anchored');
    });

    it('does not look false either when the visitor trusts another register than the service', async () => {
      site.answers.set(leafOf(exhibits.good), textOf(exhibits.proofOnly));
      await tab.goto(`${site.url}/verify#leaf=${leafOf(exhibits.good)}`);
      await verdict('matches');
      await choose(
        tab,
        { 'trust.json': exhibits.developmentTrust.replaceAll('0xb2', '0xb3') },
        '.trust input[type=file]',
      );
      expect(await verdict('could-not-check')).toContain('houdt geen stand');
    });
  });

  describe('what lies beside a receipt', () => {
    beforeEach(() => tab.goto(`${site.url}/verify`));
    const found = async (kind: string) => {
      await tab.locator(`.found[data-found=${kind}]`).waitFor();
    };

    it('is compared when it comes with it, before it or after it', async () => {
      const receipt = { 'receipt.json': textOf(exhibits.document) };
      await choose(tab, { ...receipt, 'besluit.pdf': exhibits.decision });
      await found('document');
      await tab.reload();
      await choose(tab, { 'besluit.pdf': exhibits.decision });
      expect(await verdict('could-not-check')).toContain('dit is een document, geen ontvangstbewijs');
      await choose(tab, receipt);
      await found('document');
      await tab.reload();
      await choose(tab, receipt);
      await choose(tab, { 'besluit.pdf': `${Buffer.from(exhibits.decision)}!` }, '.original input');
      await found('other-document');
      expect(await verdict('does-not-match')).toContain('is niet wat er ondertekend werd');
      await tab.getByText('Het ontvangstbewijs zelf klopt').waitFor();
    });

    it('may be the event itself', async () => {
      await choose(tab, { 'receipt.json': textOf(exhibits.good) });
      await choose(tab, { 'event.json': exhibits.grant }, '.original input');
      await found('event');
      await choose(tab, { 'event.json': anEvent() }, '.original input');
      await found('other-event');
      await verdict('does-not-match');
      await choose(tab, { 'photo.png': '\x89PNG' }, '.original input');
      await found('no-fingerprint');
      await verdict('matches');
    });

    it('finds the receipt that it belongs to among several', async () => {
      await choose(tab, {
        'a.json': textOf(exhibits.good),
        'b.json': textOf(exhibits.document),
        'besluit.pdf': exhibits.decision,
        'other.pdf': '%PDF-1.4 other',
      });
      await verdict('matches');
      await tab.getByText('horen: other.pdf.').waitFor();
      await tab.getByRole('button', { name: 'b.json' }).click();
      await found('document');
    });
  });

  describe('receipts in one file', () => {
    it('are read line by line, as zegel submit writes them', async () => {
      await tab.goto(`${site.url}/verify`);
      const lines = [exhibits.good, exhibits.tampered, exhibits.batch].map(textOf);
      await choose(tab, { 'receipts.ndjson': `${lines.join('\n')}\n` });
      expect(await verdict('does-not-match')).toBe('2 van de 3 kloppen, 1 niet.');
      expect(await tab.locator('tbody th bdi').allTextContents()).toEqual([
        'receipts.ndjson:1',
        'receipts.ndjson:2',
        'receipts.ndjson:3',
      ]);
    });
  });

  describe('the trust file', () => {
    it('is told by its fingerprint, which is compared as it is typed', async () => {
      await tab.goto(`${site.url}/verify`);
      const print = fingerprint(utf8(exhibits.trust));
      await tab.getByText(print).waitFor();
      const compared = tab.locator('.compared');
      await tab.fill('#typed', print.slice(0, 10));
      await expect.poll(() => compared.textContent()).toContain('Nog niet volledig');
      await tab.fill('#typed', print.toUpperCase().replace(/(..)/g, '$1:'));
      await expect.poll(() => compared.textContent()).toBe('Gelijk.');
      await tab.fill('#typed', `f${print.slice(1)}`);
      await expect.poll(() => compared.textContent()).toContain('Niet gelijk');
    });

    it('can be replaced by the visitor’s own, and all is judged again', async () => {
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { 'receipt.json': textOf(exhibits.development) });
      expect(await verdict('does-not-match')).toContain('te weinig controleurs');
      await choose(tab, { 'trust.json': exhibits.developmentTrust }, '.trust input[type=file]');
      await verdict('matches');
      await tab.getByText('niemand staat borg voor zijn blockchain').waitFor();
      await tab.getByText(fingerprint(utf8(exhibits.developmentTrust))).waitFor();
      await tab.getByRole('button', { name: 'Terug naar dat van de pagina' }).click();
      await verdict('does-not-match');
    });

    it('that is none changes nothing', async () => {
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { 'trust.json': '{}' }, '.trust input[type=file]');
      await tab.getByText('Dat is geen vertrouwensbestand').waitFor();
      await choose(tab, { 'receipt.json': textOf(exhibits.good) });
      await verdict('matches');
    });

    it('that is missing leaves everything unchecked', async () => {
      await tab.goto(await site.onDisk({ trust: null }));
      await choose(tab, { 'receipt.json': textOf(exhibits.good) });
      expect(await verdict('could-not-check')).toContain('nog geen vertrouwensbestand');
      await choose(tab, { 'trust.json': exhibits.trust }, '.trust input[type=file]');
      await verdict('matches');
    });
  });

  describe('a stranger’s text', () => {
    const hostile =
      '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>javascript:alert(1)\u202e\u001b[31m\u0007';

    it('is shown and never obeyed', async () => {
      const event = anEvent({
        type: hostile,
        subject: hostile,
        source: 'javascript:alert(1)',
        data: { [hostile]: hostile },
      });
      const { bytes } = await forge({ change: { event: () => event } });
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { [`${hostile.replaceAll('/', '')}.json`]: bytes });
      await verdict('matches');
      const main = tab.locator('main');
      expect(await main.locator('img, script, iframe').count()).toBe(0);
      // Only our own address is a link.
      expect(
        await main.locator('a').evaluateAll(links => links.map(link => link.getAttribute('href'))),
      ).toEqual(['verify.html', expect.stringContaining(`${site.url}/verify#leaf=`)]);
      const text = (await main.textContent()) ?? '';
      expect(text).toContain('<img src=x onerror=');
      expect(text).toContain('\\u{202e}\\u{1b}[31m\\u{7}');
      expect(text).not.toMatch(/[\u202e\u001b\u0007]/);
      expect(await tab.title()).toBe('Een ontvangstbewijs controleren');
      // Nor does it get into the command that people copy.
      expect(await tab.locator('.self pre').textContent()).toBe(
        'npx zegel verify receipt.json --trust trust.json',
      );
    });

    it('could not become a script if we put it in as markup', async () => {
      await tab.goto(`${site.url}/verify`);
      const refused = await tab.evaluate(() => {
        try {
          document.body.insertAdjacentHTML('beforeend', '<b>x</b>');
          return 'put in';
        } catch (error) {
          return String(error);
        }
      });
      expect(refused).toContain('TrustedHTML');
      // The browser complains of it, too.
      await expect.poll(() => faults.splice(0).join()).toContain('TrustedHTML');
    });
  });

  describe('a browser', () => {
    it('that gives no worker, or one that never speaks, judges on the page', async () => {
      for (const spoil of [
        () => {
          Reflect.deleteProperty(globalThis, 'Worker');
        },
        () => {
          Reflect.set(
            globalThis,
            'Worker',
            class {
              terminate() {}
            },
          );
        },
      ]) {
        const other = await browser.context.newPage();
        await other.clock.install();
        await other.addInitScript(spoil);
        await other.goto(`${site.url}/verify`);
        await choose(other, { 'receipt.json': textOf(exhibits.good) });
        await other.clock.runFor(6_000);
        await other.locator('section.verdict.matches').waitFor();
        expect(other.workers()).toHaveLength(0);
        await other.close();
      }
    });

    it('that is slow to read the trust file loses nothing of what is given meanwhile', async () => {
      await tab.addInitScript(() => {
        const post = Worker.prototype.postMessage;
        let isFirst = true;
        Worker.prototype.postMessage = function (...message: unknown[]) {
          setTimeout(() => Reflect.apply(post, this, message), isFirst ? 500 : 0);
          isFirst = false;
        };
      });
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { 'receipt.json': textOf(exhibits.document), 'besluit.pdf': exhibits.decision });
      await verdict('matches');
      await tab.locator('.found[data-found=document]').waitFor();
    });

    it('is left nothing to keep', async () => {
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { 'receipt.json': textOf(exhibits.good) });
      await verdict('matches');
      expect(await browser.context.cookies()).toEqual([]);
      expect(await tab.evaluate(() => localStorage.length + sessionStorage.length)).toBe(0);
      expect(site.asked).toEqual(['/verify']);
    });

    it('goes home from a page that was served', async () => {
      await tab.goto(`${site.url}/verify`);
      expect(await tab.getByRole('link', { name: 'Zegel' }).getAttribute('href')).toBe('./');
      await tab.goto(await site.onDisk());
      expect(await tab.getByRole('link', { name: 'Zegel' }).count()).toBe(0);
    });
  });

  describe('the keyboard', () => {
    it('is enough, and leads to the verdict', async () => {
      await tab.goto(`${site.url}/verify`);
      await tab.keyboard.press('Tab');
      expect(await tab.evaluate(() => document.activeElement?.textContent)).toBe('Naar de inhoud');
      await tab.keyboard.press('Enter');
      await tab.keyboard.press('Tab');
      expect(await tab.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('file');
      await tab.keyboard.press('Tab');
      await tab.keyboard.insertText(textOf(exhibits.good));
      await tab.keyboard.press('Enter');
      await verdict('matches');
      await expect.poll(() => tab.evaluate(() => document.activeElement?.id)).toBe('verdict');
    });
  });

  describe('paper and small screens', () => {
    it('unfolds everything for print and leaves out what can only be clicked', async () => {
      await tab.goto(`${site.url}/verify`);
      await choose(tab, { 'receipt.json': textOf(exhibits.good) });
      await verdict('matches');
      await tab.evaluate(() => dispatchEvent(new Event('beforeprint')));
      await tab.emulateMedia({ media: 'print' });
      expect(await tab.locator('.steps li').first().isVisible()).toBe(true);
      expect(await tab.locator('.signed pre').isVisible()).toBe(true);
      expect(await tab.locator('.button:visible, nav:visible, .again:visible').count()).toBe(0);
      await tab.evaluate(() => dispatchEvent(new Event('afterprint')));
      expect(await tab.locator('details[open]').count()).toBe(0);
    });

    it('fits into 320 pixels, whatever it shows', async () => {
      await tab.setViewportSize({ width: 320, height: 640 });
      for (const stop of tour) {
        await tab.goto(`${site.url}/verify?lang=de`);
        await stop.show(tab, exhibits, site);
        await arrived(tab, stop);
        expect(await overflowing(tab), stop.name).toEqual([]);
      }
    });
  });
});
