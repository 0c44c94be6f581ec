/** `npm run screenshots`: every state of the citizen's page at 1280 and 390 pixels, as pictures in `.zegel/screenshots/`. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aBrowser, citizen } from '../helpers/browsing.ts';
import { aPageSite } from '../helpers/page-site.ts';
import { arrived, someExhibits, tour } from '../helpers/page-tour.ts';

const folder = fileURLToPath(new URL('../../.zegel/screenshots/', import.meta.url));
await mkdir(folder, { recursive: true });
const exhibits = await someExhibits();
const site = await aPageSite({ trust: exhibits.trust, anchorIntervalMs: 10_000 });
const browser = await aBrowser(citizen);
try {
  for (const stop of tour) {
    // A light and a dark one of each, so that both are looked at; and a language beside Dutch.
    for (const [variant, colorScheme, language] of [
      ['', 'light', 'nl'],
      ['-dark', 'dark', 'nl'],
      ['-fr', 'light', 'fr'],
    ] as const) {
      const tab = await browser.context.newPage();
      await tab.emulateMedia({ colorScheme });
      await tab.setViewportSize({ width: 1280, height: 900 });
      // A moment after the receipts were made: what is not yet anchored is still on time.
      await tab.clock.setFixedTime('2026-11-24T08:00:05Z');
      await tab.goto(`${site.url}/verify?lang=${language}`);
      await stop.show(tab, exhibits, site);
      await arrived(tab, stop);
      for (const width of variant === '' ? [1280, 390] : [1280]) {
        await tab.setViewportSize({ width, height: 900 });
        const file = join(folder, `${stop.name}${variant}-${width}.png`);
        await tab.screenshot({ path: file, fullPage: true });
        process.stdout.write(`${file}\n`);
      }
      await tab.close();
    }
  }
} finally {
  await browser.close();
  await site.close();
}
