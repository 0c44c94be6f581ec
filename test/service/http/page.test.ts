/** The citizen's page over HTTP: its policy, its languages, and what may be asked from elsewhere. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await aWorld({ baseUrl: 'https://ledger.example/zegel' });
});
afterAll(() => world.stop());

async function get(path: string, headers: Record<string, string> = {}) {
  // fetch would add headers of its own, and unzip.
  const sent = request(`${world.url}${path}`, { headers }).end();
  const [response] = await once(sent, 'response');
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) };
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('GET /verify', () => {
  it('gives a page whose policy allows its own script and style, and nothing else', async () => {
    const { status, headers, body } = await get('/verify');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': `default-src 'none'; script-src ${hashOf('script();')}; style-src ${hashOf('p {}')}; worker-src blob:; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types zegel; frame-ancestors 'none'`,
    });
    expect(headers).not.toHaveProperty('set-cookie');
    expect(body.toString()).toContain('<script>script();</script>');
    // Nothing in it is to be fetched.
    expect(body.toString()).not.toMatch(/(src|href)="(?!data:)/);
  });

  it.each([
    ['fr-BE, nl;q=0.5', '', 'fr', 'Ce reçu est-il exact'],
    ['es', '', 'nl', 'Klopt dit bewijs?'],
    ['fr', '?lang=de', 'de', 'Stimmt dieser Beleg?'],
  ])('speaks the language of "%s" and "%s"', async (accepted, query, language, question) => {
    const { headers, body } = await get(`/verify${query}`, { 'accept-language': accepted });
    expect(body.toString()).toContain(`<html lang="${language}">`);
    expect(body.toString()).toContain(question);
    expect(headers['vary']).toContain('Accept-Language');
  });

  it('gives the trust file as it is at that time', async () => {
    const tag = (await get('/verify')).headers['etag'];
    world.state.trust = '{"version":1}\n';
    const { headers, body } = await get('/verify');
    world.state.trust = null;
    expect(headers['etag']).not.toBe(tag);
    const [, json = ''] =
      /<script type="application\/json" id="settings">(.*?)<\/script>/s.exec(body.toString()) ?? [];
    expect(JSON.parse(json)).toEqual({
      trust: '{"version":1}\n',
      service: null,
      languages: ['nl', 'en', 'fr', 'de'],
      language: 'nl',
      anchorIntervalMs: 10_000,
    });
  });

  it('zips for who takes it, and gives 304 for what is there already', async () => {
    const plain = await get('/verify');
    const zipped = await get('/verify', { 'accept-encoding': 'br, gzip' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    expect(zipped.headers['etag']).not.toBe(plain.headers['etag']);
    const again = await get('/verify', { 'if-none-match': String(plain.headers['etag']) });
    expect({ status: again.status, body: again.body.length }).toEqual({ status: 304, body: 0 });
  });

  it('refuses other questions', async () => {
    expect((await get('/verify?leaf=1')).status).toBe(400);
    expect((await get('/verify?lang=xx')).status).toBe(400);
    expect((await get('/verify/')).status).toBe(404);
  });
});

describe('GET /verify.html', () => {
  it('gives the page as a file, which asks the service at its public address', async () => {
    const { headers, body } = await get('/verify.html', { 'accept-language': 'fr' });
    expect(headers['content-disposition']).toBe('attachment; filename="verify.html"');
    expect(body.toString()).toContain('connect-src https://ledger.example;');
    expect(body.toString()).toContain('"service":"https://ledger.example/zegel"');
    expect(body.toString()).toContain('"language":null');
  });
});

describe('a proof-only receipt', () => {
  it('may be read by a page from anywhere, whether there is one or not', async () => {
    const { headers } = await get(`/v1/records/${'0'.repeat(64)}/receipt`, { origin: 'null' });
    expect(headers['access-control-allow-origin']).toBe('*');
  });
});
