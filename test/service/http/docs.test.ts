/** The documentation as people read it: every page, its links, its policy; and in a real browser, wide and narrow, by day and by night. */

import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../../../service/http/catalogue.ts';
import { operations } from '../../../service/http/openapi/document.ts';
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
import { document } from '../../helpers/interface.ts';
import { ask, aWorld, problemOf, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await aWorld();
});
afterAll(() => world.stop());

const pages = ['/docs', '/docs/problems', ...catalogue.map(({ name }) => `/docs/problems/${name}`)];

/** The text of a page, as it is read. */
const textOf = (page: string) =>
  page
    .replace(/<style>.*?<\/style>/s, '')
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ');

describe('every page', () => {
  it.each(['/docs', '/docs/problems', '/docs/problems/log-busy'])(
    '%s has a policy that allows its own style, and nothing else',
    async path => {
      const { headers, body } = await ask(world, path);
      const style = /<style>(.*?)<\/style>/s.exec(body)?.[1] ?? '';
      const hash = createHash('sha256').update(style).digest('base64');
      expect(headers['content-security-policy']).toBe(
        `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      );
      expect(body).not.toMatch(/<script|\son\w+=|\sstyle=|src=/);
      expect(body).not.toMatch(/(href|src)="https?:/);
    },
  );

  it('links to what is there, on this page or another', async () => {
    const bodies = new Map<string, string>();
    for (const path of pages) bodies.set(path, (await ask(world, path)).body);
    for (const [path, body] of bodies)
      for (const [, href = ''] of body.matchAll(/href="([^"]*)"/g)) {
        const [target = '', fragment] = href.startsWith('#') ? [path, href.slice(1)] : href.split('#');
        if (['data:,', '/', '/verify', '/v1/openapi.json'].includes(target)) continue;
        const there = bodies.get(target);
        expect(there, `${path} links to ${href}`).toBeDefined();
        if (fragment !== undefined) expect(there, `${path} links to ${href}`).toContain(` id="${fragment}"`);
      }
  });
});

describe('under a base URL with a path', () => {
  it('links lead there', async () => {
    const under = await aWorld({ baseUrl: 'https://ledger.example/zegel' });
    try {
      for (const path of ['/docs', '/docs/problems', '/docs/problems/log-busy']) {
        const hrefs = [...(await ask(under, path)).body.matchAll(/href="(\/[^"]*)"/g)].map(
          ([, href]) => href,
        );
        expect(hrefs).toContain('/zegel/verify');
        for (const href of hrefs) expect(href).toMatch(/^\/zegel\//);
      }
    } finally {
      await under.stop();
    }
  });
});

describe('GET /docs', () => {
  it('tells of every operation what the document says', async () => {
    const { body } = await ask(world, '/docs');
    const text = textOf(body);
    for (const { id, method, path, summary, description, query, answers } of operations) {
      expect(body).toContain(`id="${id}"`);
      expect(text).toContain(`${method.toUpperCase()} ${path}`);
      expect(text).toContain(summary);
      if (description !== undefined) expect(text).toContain(description.replaceAll('`', '').slice(0, 60));
      for (const name of Object.keys(query?.parameters ?? {})) expect(body).toContain(`<code>${name}</code>`);
      for (const [status, { description: told }] of Object.entries(answers))
        expect(text).toContain(`${status} ${told.replaceAll('`', '').slice(0, 60)}`);
    }
    for (const name of Object.keys(document.components['schemas'] ?? {}))
      expect(body).toContain(`id="schema-${name}"`);
  });

  it('shows every example of the document', async () => {
    const text = textOf((await ask(world, '/docs')).body);
    const shown = JSON.stringify(document.paths).match(/"summary":"[^"]*","value"/g) ?? [];
    expect(shown.length).toBeGreaterThan(15);
    for (const each of shown)
      expect(text).toContain(`Example: ${JSON.parse(`{${each.replace(',"value"', '')}}`).summary}`);
  });
});

describe('GET /docs/problems', () => {
  it('has a page for every problem that the service can answer: what it means, what to do, who gives it', async () => {
    const list = textOf((await ask(world, '/docs/problems')).body);
    for (const { name, type, title, status, means, toDo } of catalogue) {
      expect(list).toContain(name);
      const text = textOf((await ask(world, `/docs/problems/${name}`)).body);
      for (const part of [type, title, String(status), means, toDo])
        expect(text).toContain(part.replaceAll('`', ''));
      expect(text).toMatch(/Who gives it (Every|GET|POST)/);
    }
  });

  it('has none for another name', async () => {
    problemOf(await ask(world, '/docs/problems/no-such-problem'), 404, 'resource-not-found');
    problemOf(await ask(world, '/docs/problems/toString'), 404, 'resource-not-found');
    problemOf(await ask(world, '/docs/problems/'), 404, 'resource-not-found');
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

  it.each(['/docs', '/docs/problems', '/docs/problems/key-unknown'])(
    '%s reads at every width, by day and by night, and asks nobody for anything',
    async path => {
      const { tab, asked, complaints } = await opened(browser, world.url + path);
      for (const view of views) {
        await viewed(tab, view);
        expect(await overflowing(tab), `${view.width}`).toEqual([]);
        expect(await axeFaults(tab), `${view.width} ${view.colorScheme}`).toEqual([]);
        const name = `docs${path.replaceAll('/', '-')}-${view.width}-${view.colorScheme}.png`;
        if (shots !== undefined) await tab.screenshot({ path: join(shots, name), fullPage: true });
      }
      expect(asked).toEqual([world.url + path]);
      expect(complaints).toEqual([]);
      await tab.close();
    },
  );

  it('is the same without JavaScript, and an example unfolds', async () => {
    const { tab } = await opened(plain, `${world.url}/docs#submitRecord`);
    const example = tab.locator('#submitRecord details').first();
    expect(await example.locator('pre').isVisible()).toBe(false);
    await example.locator('summary').click();
    expect(await example.locator('pre').isVisible()).toBe(true);
    await tab.locator('#submitRecord details').last().locator('summary').click();
    await tab.locator('#submitRecord a', { hasText: 'key-unknown' }).click();
    await tab.waitForURL('**/docs/problems/key-unknown');
    expect(await tab.locator('h1').textContent()).toBe('The key is not registered');
    await tab.close();
  });

  it('has headings in order', async () => {
    const { tab } = await opened(browser, `${world.url}/docs`);
    const levels = await tab.$$eval('h1, h2, h3, h4', all => all.map(each => Number(each.tagName[1])));
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    await tab.close();
  });
});
