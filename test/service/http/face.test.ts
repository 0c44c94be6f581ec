/** The ledger's face: what it says without a program, what the program keeps up to date, and how it looks on a wall and on a phone. */

import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ListedAnchor } from '../../../service/http/anchors.ts';
import {
  aBrowser,
  axeFaults,
  type Browser,
  chromiumNote,
  chromiumPresent,
  opened,
  overflowing,
  viewed,
  views,
} from '../../helpers/browsing.ts';
import { anEvent, aStatement } from '../../helpers/builders.ts';
import { testStart } from '../../helpers/ledger.ts';
import { until } from './connections.ts';
import { pass } from './watching.ts';
import { ask, aWorld, submit, type World } from './world.ts';

const hourMs = 3_600_000;
const dutch = { 'accept-language': 'nl' };
const english = { 'accept-language': 'en-GB, nl;q=0.5' };

const anAnchor = (size: number): ListedAnchor => ({
  size,
  root: new Uint8Array(32).fill(size),
  block: 18_200 + size,
  blockHash: new Uint8Array(32).fill(1),
  blockTime: testStart / 1000 + 3 + 4 * size,
  transaction: new Uint8Array(32).fill(2),
  checkpoint: 'note',
  evidence: null,
});

let world: World;
beforeEach(async () => {
  // Its clock stands, a day after the log began.
  world = await aWorld({ anchors: [anAnchor(1)], clock: () => testStart + 24 * hourMs });
});
afterEach(() => world.stop(0));

let lastId = 0;
async function record(): Promise<void> {
  const payload = anEvent({ id: `face-${lastId++}`, subject: 'urn:somebody', data: { name: 'Jan Peeters' } });
  expect((await submit(world, aStatement({ payload }))).status).toBe(201);
}

/** A log that has been busy for an hour, with some anchors. */
async function aBusyHour(): Promise<void> {
  for (let i = 0; i < 12; i++) await record();
  for (let size = 2; size <= 13; size++) world.anchors.push(anAnchor(size));
  for (let i = 59; i >= 0; i--) {
    world.state.clockMs = -i * 60_000;
    world.pulse.count(Math.round(400 + 300 * Math.sin(i / 7) + ((i * 37) % 90)));
  }
}

const textOf = (page: string) =>
  page
    .replaceAll(/<(style|script)>.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ');

describe('GET /', () => {
  it('says in three sentences what this is, how the log is, and where to go', async () => {
    await record();
    world.anchors.push(anAnchor(2));
    const { headers, body } = await ask(world, '/', { headers: english });
    expect(headers).toMatchObject({
      'content-language': 'en',
      vary: 'Accept-Language',
      'cache-control': 'no-cache',
    });
    const what = [...body.matchAll(/<p class="what">([^<]*)<\/p>/g)].map(([, text]) => text);
    expect(what).toHaveLength(3);
    for (const sentence of what) expect(sentence?.match(/[.?!]/g)).toHaveLength(1);
    const text = textOf(body);
    expect(text).toContain('ledger.example/2026');
    expect(text).toContain('Signed entries 2');
    expect(text).toContain('Of these final 2');
    expect(text).toContain('The service all is well');
    expect(text).toContain('The chain answers');
    expect(text).toContain('Waiting for an anchor nothing');
    expect(text).toContain('In the last hour: 1 Most in one minute: 1');
    expect(text).toContain('2 18,202 2026-11-24 08:00:11 11 s 1 18,201 2026-11-24 08:00:07');
    for (const href of ['/verify', '/docs', '/docs/problems']) expect(body).toContain(`href="${href}"`);
    expect(text).toContain('npx zegel audit --url');
    expect(text).toContain('2026-11-25 08:00:00 UTC');
  });

  it('names nobody: no agency, no key, nothing of an event', async () => {
    await aBusyHour();
    const { body } = await ask(world, '/');
    for (const word of ['OVO', 'Peeters', 'urn:somebody', 'permits.example', ...world.keys.keys()])
      expect(body).not.toContain(word);
  });

  it('is Dutch, and in English where that is asked for and on; English is marked as a translation', async () => {
    const lang = async (path: string, headers = {}) =>
      /<html lang="(\w+)">/.exec((await ask(world, path, { headers })).body)?.[1];
    expect(await lang('/')).toBe('nl');
    expect(await lang('/', { 'accept-language': 'fr' })).toBe('nl');
    expect(await lang('/', english)).toBe('en');
    expect(await lang('/?lang=nl', english)).toBe('nl');
    expect(await lang('/?lang=en', dutch)).toBe('en');
    expect((await ask(world, '/?lang=xx')).status).toBe(400);
    expect((await ask(world, '/?long=en')).status).toBe(400);
    expect((await ask(world, '/', { headers: english })).body).toContain(
      'This is a translation: the Dutch text counts.',
    );
    expect((await ask(world, '/')).body).not.toContain('translation');
  });

  it('says what is wrong, in words and in codes', async () => {
    world.state.health = { status: 'DEGRADED', reasons: ['CHAIN_UNREACHABLE'] };
    world.state.waitingSince = testStart;
    const text = textOf((await ask(world, '/', { headers: english })).body);
    expect(text).toContain('The service reads go on, submitting or anchoring may not CHAIN_UNREACHABLE');
    expect(text).toContain('The chain does not answer');
    expect(text).toContain('Waiting for an anchor since 2026-11-24 08:00:00');
  });

  it('has a policy for its own style and program, and nothing else', async () => {
    const { headers, body } = await ask(world, '/');
    const hash = (element: string) =>
      createHash('sha256')
        .update(new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(body)?.[1] ?? '')
        .digest('base64');
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash('style')}'; img-src data:; script-src 'sha256-${hash('script')}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(body).not.toMatch(/\son\w+=|\sstyle=|src=/);
  });

  it('is there for a log of which nothing is anchored yet', async () => {
    const young = await aWorld();
    try {
      expect(textOf((await ask(young, '/', { headers: english })).body)).toContain(
        'Nothing is anchored and final yet.',
      );
    } finally {
      await young.stop();
    }
  });
});

describe.skipIf(!chromiumPresent)(`in Chromium${chromiumNote}`, () => {
  const shots = process.env['ZEGEL_TEST_SHOTS'];
  let browser: Browser;
  let plain: Browser;
  beforeAll(async () => {
    if (shots !== undefined) await mkdir(shots, { recursive: true });
    [browser, plain] = await Promise.all([aBrowser(), aBrowser({ javaScriptEnabled: false })]);
  });
  afterAll(() => Promise.all([browser.close(), plain.close()]));

  it.each(['nl', 'en'])(
    'reads at every width, by day and by night, and asks only this service: %s',
    async lang => {
      await aBusyHour();
      const { tab, asked, complaints } = await opened(browser, `${world.url}/?lang=${lang}`);
      for (const view of views) {
        await viewed(tab, view);
        expect(await overflowing(tab), `${view.width}`).toEqual([]);
        expect(await axeFaults(tab), `${view.width} ${view.colorScheme}`).toEqual([]);
        const name = `face-${lang}-${view.width}-${view.colorScheme}.png`;
        if (shots !== undefined) await tab.screenshot({ path: join(shots, name), fullPage: true });
      }
      expect(new Set(asked)).toEqual(new Set([`${world.url}/?lang=${lang}`, `${world.url}/v1/log/stream`]));
      expect(complaints).toEqual([]);
      await tab.close();
    },
  );

  it('is kept up to date: sizes, the chart, anchors, health', async () => {
    const { tab, complaints } = await opened(browser, `${world.url}/?lang=en`);
    const live = (name: string) => tab.locator(`[data-live="${name}"]`).textContent();
    await expect.poll(() => live('state')).toContain('brought up to date by themselves');
    expect(await live('signed')).toBe('1');
    for (let i = 0; i < 3; i++) await record();
    await pass(world);
    await expect.poll(() => live('signed')).toBe('4');
    expect(await live('total')).toBe('3');
    expect(await tab.locator('[data-live="chart"] rect').last().getAttribute('height')).toBe('100');

    for (let size = 2; size <= 4; size++) world.anchors.push(anAnchor(size));
    await pass(world);
    const rows = tab.locator('[data-live="anchors"] tr');
    await expect.poll(() => rows.count()).toBe(4);
    expect(await rows.first().locator('th, td').allTextContents()).toEqual([
      '4',
      '18,204',
      '2026-11-24 08:00:19',
      '19 s',
    ]);

    world.state.health = { status: 'DEGRADED', reasons: ['CHAIN_SILENT'] };
    world.state.waitingSince = testStart;
    await pass(world);
    await expect.poll(() => live('chain')).toBe('does not answer');
    expect(await live('health')).toBe('reads go on, submitting or anchoring may not');
    expect(await live('reasons')).toBe('CHAIN_SILENT');
    expect(await live('waiting')).toBe('since 2026-11-24 08:00:00');
    expect(await axeFaults(tab)).toEqual([]);
    // What the program has written is what the service would have.
    const again = await opened(browser, `${world.url}/?lang=en`);
    const main = async (each: typeof tab) => textOf(await each.locator('main').innerHTML());
    await expect.poll(() => again.tab.locator('[data-live="state"]').textContent()).not.toBe('');
    expect(await main(again.tab)).toBe(await main(tab));
    expect(complaints).toEqual([]);
    await again.tab.close();
    await tab.close();
  });

  it('says so when the connection is lost, and goes on when it is there again', async () => {
    const { tab } = await opened(browser, `${world.url}/?lang=en`);
    const state = tab.locator('[data-live="state"]');
    await expect.poll(() => state.textContent()).toContain('up to date');
    const seen: unknown[] = [];
    world.server.on('request', ({ headers }) => seen.push(headers['last-event-id']));
    await record();
    world.anchors.push(anAnchor(2));
    // The connection, not the service.
    world.server.closeAllConnections();
    await expect
      .poll(() => state.textContent())
      .toContain('The connection is lost; the figures are of 2026-11-25');
    await expect.poll(() => state.textContent(), { timeout: 15_000 }).toContain('up to date');
    await expect.poll(() => tab.locator('[data-live="signed"]').textContent()).toBe('2');
    expect(await tab.locator('[data-live="anchors"] tr').count()).toBe(2);
    // The browser has said where it stood.
    expect(seen).toContain('1-1');
    await tab.close();
    await until(() => world.limits.underWay.streams === 0);
  });

  it('says the essentials without JavaScript, and asks for nothing more', async () => {
    await aBusyHour();
    const { tab, asked } = await opened(plain, `${world.url}/?lang=nl`);
    expect(await tab.locator('[data-live="signed"]').textContent()).toBe('13');
    expect(await tab.locator('[data-live="health"]').textContent()).toBe('alles werkt');
    expect(await tab.locator('[data-live="anchors"] tr').count()).toBe(10);
    expect(await tab.locator('[data-live="state"]').textContent()).toBe('');
    expect(asked).toEqual([`${world.url}/?lang=nl`]);
    await tab.getByRole('link', { name: 'English' }).click();
    expect(await tab.locator('[data-live="health"]').textContent()).toBe('all is well');
    await tab.close();
  });

  it('can be gone through with the keyboard alone', async () => {
    const { tab } = await opened(browser, `${world.url}/?lang=en`);
    const reached: string[] = [];
    for (let i = 0; i < 12; i++) {
      await tab.keyboard.press('Tab');
      reached.push(await tab.evaluate(() => document.activeElement?.textContent ?? ''));
    }
    expect(reached.slice(0, 8)).toEqual([
      'To the text',
      'The ledger',
      'Verify a receipt',
      'For programs',
      'Problems',
      'Nederlands',
      'To the page that verifies',
      'To the documentation',
    ]);
    await tab.close();
  });
});
