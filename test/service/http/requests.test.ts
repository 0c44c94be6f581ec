import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatHex, formatHex0x, parseBase64url } from '../../../merkle/bytes.ts';
import { formatVerifierKey } from '../../../merkle/note.ts';
import { formatBundle, formatTile } from '../../../merkle/tiles.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { verifyConsistency, verifyInclusion } from '../../../merkle/verify.ts';
import { anEvent, aStatement, testOrigin } from '../../helpers/builders.ts';
import { ask, aWorld, problemOf, submit, type World } from './world.ts';

const records = 300;
const size = records + 1;

let world: World;
let leaves: string[];
beforeAll(async () => {
  world = await aWorld();
  const ids = Array.from({ length: records }, (_, i) => `event-${i}`);
  await Promise.all(ids.map(id => submit(world, aStatement({ payload: anEvent({ id }) }))));
  leaves = (await world.ledger.read.entries(0, size)).map(entry => formatHex(leafHash(entry)));
});
afterAll(() => world.stop());

const get = (path: string, headers: Record<string, string> = {}) => ask(world, path, { headers });
const immutable = 'public, max-age=31536000, immutable';

describe('GET /v1/proofs/inclusion', () => {
  test('proves each of some leaves at each of some sizes', async () => {
    for (const [index, at] of [
      [0, 1],
      [0, size],
      [255, 256],
      [256, 257],
      [41, 200],
      [size - 1, size],
    ] as const) {
      const answer = await get(`/v1/proofs/inclusion?leafHash=${leaves[index]}&size=${at}`);
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toBe(immutable);
      const body = JSON.parse(answer.body);
      expect(Object.keys(body)).toEqual(['leafHash', 'index', 'size', 'path']);
      expect(body).toMatchObject({ leafHash: leaves[index], index, size: at });
      const path = body.path.map((hash: string) => parseBase64url(hash));
      const root = await world.ledger.read.rootAt(at);
      verifyInclusion({
        index,
        size: at,
        leafHash: Uint8Array.from(Buffer.from(body.leafHash, 'hex')),
        path,
        root,
      });
    }
  });

  test('does not care about the order of its parameters', async () => {
    expect((await get(`/v1/proofs/inclusion?size=1&leafHash=${leaves[0]}`)).status).toBe(200);
  });

  test('answers 404 for a leaf that is not there', async () => {
    problemOf(await get(`/v1/proofs/inclusion?leafHash=${'ab'.repeat(32)}&size=1`), 404, 'record-not-found');
  });

  test('refuses a leaf that is outside the tree of the size', async () => {
    const problem = problemOf(
      await get(`/v1/proofs/inclusion?leafHash=${leaves[7]}&size=7`),
      400,
      'request-malformed',
    );
    expect(problem.issues).toEqual([{ place: 'query size', message: 'entry 7 is outside a tree of 7' }]);
  });
});

describe('GET /v1/proofs/consistency', () => {
  test('proves that later trees extend earlier ones', async () => {
    for (const [first, second] of [
      [1, 1],
      [1, size],
      [256, 257],
      [99, 200],
      [size, size],
    ] as const) {
      const answer = await get(`/v1/proofs/consistency?first=${first}&second=${second}`);
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toBe(immutable);
      const body = JSON.parse(answer.body);
      expect(Object.keys(body)).toEqual(['first', 'second', 'path']);
      const path = body.path.map((hash: string) => parseBase64url(hash));
      const [firstRoot, secondRoot] = [
        await world.ledger.read.rootAt(first),
        await world.ledger.read.rootAt(second),
      ];
      verifyConsistency({ first, second, firstRoot, secondRoot, path });
    }
  });
});

describe('S11: proofs that nobody can be given', () => {
  const badNumbers = [
    '-1',
    '-0',
    '0',
    '1.0',
    '1.5',
    '1e2',
    '0x10',
    '01',
    '+1',
    '%31',
    '1%00',
    'NaN',
    'Infinity',
    'null',
    '',
    ' 1',
    '1 ',
    '9007199254740992',
    '9007199254740993',
    '99999999999999999999999',
    '1'.repeat(5_000),
    '٣',
    '1,2',
    '[]',
    '__proto__',
  ].map(text => encodeURI(text).replace('%2500', '%00').replace('%2531', '%31'));

  test.each(badNumbers)('size=%s is refused', async text => {
    const answer = await get(`/v1/proofs/inclusion?leafHash=${leaves[0]}&size=${text}`);
    const problem = problemOf(answer, 400, 'request-malformed');
    expect(problem.issues).toEqual([{ place: 'query size', message: expect.any(String) }]);
  });

  test.each(badNumbers)('first=%s and second=%s are both named', async text => {
    const answer = await get(`/v1/proofs/consistency?first=${text}&second=${text}`);
    const problem = problemOf(answer, 400, 'request-malformed');
    expect(problem.issues.map(({ place }) => place)).toEqual(['query first', 'query second']);
  });

  test.each([
    ['first beyond second', `first=9&second=8`, ['query first']],
    ['second beyond the log', `first=1&second=${size + 1}`, ['query second']],
    ['both beyond the log', `first=${size + 1}&second=${size + 2}`, ['query first', 'query second']],
    ['the greatest safe integer', `first=1&second=9007199254740991`, ['query second']],
    ['first missing', `second=2`, ['query first']],
    ['nothing', ``, ['query first', 'query second']],
    ['first doubled', `first=1&first=1&second=2`, ['query first']],
    ['an unknown parameter', `first=1&second=2&third=3`, ['query third']],
    ['a parameter without a name', `first=1&second=2&=`, ['query ']],
    ['an empty pair', `first=1&second=2&`, ['query ']],
    ['another case', `First=1&second=2`, ['query First', 'query first']],
    ['__proto__', `first=1&second=2&__proto__=1`, ['query __proto__']],
    ['constructor', `first=1&second=2&constructor=1`, ['query constructor']],
    ['an array', `first[]=1&second=2`, ['query first[]', 'query first']],
  ])('%s is refused', async (_, query, places) => {
    const problem = problemOf(await get(`/v1/proofs/consistency?${query}`), 400, 'request-malformed');
    expect(problem.issues.map(({ place }) => place)).toEqual(places);
  });

  test.each([
    ['upper case', () => (leaves[0] ?? '').toUpperCase()],
    ['0x', () => `0x${leaves[0]}`],
    ['63 digits', () => (leaves[0] ?? '').slice(1)],
    ['66 digits', () => `${leaves[0]}00`],
    ['base64url', () => Buffer.from(leaves[0] ?? '', 'hex').toString('base64url')],
    ['nothing', () => ''],
    ['a path', () => '../../log/checkpoint'],
    ['10 KB', () => 'a'.repeat(10_000)],
  ])('a leaf hash in %s is refused', async (_, text) => {
    const problem = problemOf(
      await get(`/v1/proofs/inclusion?leafHash=${text()}&size=1`),
      400,
      'request-malformed',
    );
    expect(problem.issues).toEqual([{ place: 'query leafHash', message: expect.any(String) }]);
    problemOf(
      await get(`/v1/records/${text() || '%00'}/receipt`.replace('..', '%2e%2e')),
      ...receiptRefusal(text()),
    );
  });

  test('a path is refused in a second spelling', async () => {
    const escaped = (leaves[0] ?? '').replace(/./, digit => `%${digit.charCodeAt(0).toString(16)}`);
    for (const path of [`/v1/records/${escaped}/receipt`, '/v1/anchors/%31'])
      problemOf(await get(path), 400, 'request-malformed');
  });

  /** What stands for a slash is another path. */
  function receiptRefusal(text: string): [number, string] {
    return text.includes('/') ? [404, 'resource-not-found'] : [400, 'request-malformed'];
  }
});

describe('GET /log/…', () => {
  test('gives the newest checkpoint as a note that must be asked for again', async () => {
    const answer = await get('/log/checkpoint');
    expect(answer).toMatchObject({ status: 200, body: world.ledger.signed().checkpoint });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
    });
    const again = await get('/log/checkpoint', { 'if-none-match': String(answer.headers['etag']) });
    expect(again).toMatchObject({ status: 304, body: '' });
  });

  test('gives tiles and bundles, full and partial, for ever', async () => {
    const { read } = world.ledger;
    const files: readonly (readonly [string, Uint8Array])[] = [
      ['/log/tile/0/000', formatTile(await read.tile({ level: 0, index: 0, width: 256 }))],
      ['/log/tile/0/000.p/3', formatTile(await read.tile({ level: 0, index: 0, width: 3 }))],
      [
        `/log/tile/0/001.p/${size - 256}`,
        formatTile(await read.tile({ level: 0, index: 1, width: size - 256 })),
      ],
      ['/log/tile/1/000.p/1', formatTile(await read.tile({ level: 1, index: 0, width: 1 }))],
      ['/log/tile/entries/000', formatBundle(await read.entries(0, 256))],
      [`/log/tile/entries/001.p/${size - 256}`, formatBundle(await read.entries(256, size))],
    ];
    for (const [path, content] of files) {
      const response = await fetch(world.url + path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/octet-stream');
      expect(response.headers.get('cache-control')).toBe(immutable);
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(content);
    }
  });

  test.each([
    `/log/tile/0/001`,
    `/log/tile/0/001.p/${size - 255}`,
    '/log/tile/0/002.p/1',
    '/log/tile/1/000.p/2',
    '/log/tile/1/000',
    '/log/tile/2/000.p/1',
    '/log/tile/0/x001/000',
    '/log/tile/0/0',
    '/log/tile/0/000.p/0',
    '/log/tile/0/000.p/256',
    '/log/tile/0/000.p/03',
    '/log/tile/7/000.p/1',
    '/log/tile/-1/000',
    '/log/tile/entries/001',
    '/log/tile/entries/x999/x999/x999/x999/999',
    '/log/tile/%30/000',
    '/log/tile/0/..%2f..%2fdb',
    '/log/tile/0/%00',
    '/log/tile/0/%ff',
    '/log/tile/',
    '/log/tile',
    '/log/',
    '/log/checkpoint/',
    '/log/Checkpoint',
  ])('%s is not there', async path => {
    problemOf(await get(path), 404, 'resource-not-found');
  });
});

describe('GET /v1/log', () => {
  test('says what the log is and how far it has come', async () => {
    const answer = await get('/v1/log');
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(JSON.parse(answer.body)).toEqual({
      origin: testOrigin,
      logId: formatHex0x(world.ledger.logId),
      verifierKey: formatVerifierKey(world.ledger.verifierKey),
      genesis: world.ledger.genesisDocument,
      chainId: '31337',
      sizes: { sequenced: size, signed: size, anchored: 1, final: 1 },
      contracts: [{ name: 'AnchorRegistry', address: `0x${'07'.repeat(20)}`, block: 1 }],
      software: { name: 'zegel', version: '0.0.0' },
    });
  });
});

describe('GET /v1/anchors', () => {
  const anchors = Array.from({ length: 120 }, (_, i) => ({
    size: 1 + 3 * i,
    root: new Uint8Array(32).fill(i),
    block: i,
    blockHash: new Uint8Array(32).fill(1),
    blockTime: 1_800_000_000 + i,
    transaction: new Uint8Array(32).fill(2),
    checkpoint: 'note',
    evidence: i < 119 ? { headers: [Uint8Array.of(1)], nodes: [Uint8Array.of(2)] } : null,
  }));

  test('gives all anchors on pages that follow each other by their full URL', async () => {
    const other = await aWorld({ anchors });
    try {
      const sizes: number[] = [];
      let url: string | null = `${other.url}/v1/anchors`;
      let pages = 0;
      while (url !== null) {
        const response: Response = await fetch(url);
        expect(response.headers.get('cache-control')).toBe('no-cache');
        const page = await response.json();
        expect(Object.keys(page)).toEqual(['items', 'next']);
        sizes.push(...page.items.map((item: { size: number }) => item.size));
        url = page.next;
        pages++;
        if (url !== null) expect(url.startsWith(`${other.url}/v1/anchors?cursor=`)).toBe(true);
      }
      expect(pages).toBe(3);
      expect(sizes).toEqual(anchors.map(({ size }) => size));
    } finally {
      await other.stop();
    }
  });

  test('gives one anchor for ever once it has its evidence', async () => {
    const other = await aWorld({ anchors });
    try {
      const final = await ask(other, '/v1/anchors/4');
      expect(JSON.parse(final.body)).toEqual({
        size: 4,
        root: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE',
        block: 1,
        blockHash: `0x${'01'.repeat(32)}`,
        blockTime: '2027-01-15T08:00:01.000Z',
        transaction: `0x${'02'.repeat(32)}`,
        checkpoint: 'note',
        evidence: { headers: ['AQ'], nodes: ['Ag'] },
      });
      expect(final.headers['cache-control']).toBe(immutable);
      expect((await ask(other, '/v1/anchors/358')).headers['cache-control']).toBe('no-cache');
      problemOf(await ask(other, '/v1/anchors/5'), 404, 'resource-not-found');
    } finally {
      await other.stop();
    }
  });
});

describe('GET /health, /livez, /readyz', () => {
  test.each([
    ['UP', 200, 200],
    ['DEGRADED', 200, 200],
    ['DOWN', 503, 503],
  ] as const)('tell machines of %s', async (status, health, ready) => {
    world.state.health = { status, reasons: status === 'UP' ? [] : ['CHAIN_SILENT'] };
    try {
      const answer = await get('/health');
      expect(answer.status).toBe(health);
      expect(JSON.parse(answer.body)).toEqual(world.state.health);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect((await get('/readyz')).status).toBe(ready);
      expect((await get('/livez')).status).toBe(200);
    } finally {
      world.state.health = { status: 'UP', reasons: [] };
    }
  });
});

describe('GET /metrics', () => {
  test('counts requests by the pattern of their path, never by what a caller wrote', async () => {
    await get('/evil"}\u0020path'.replace(' ', '%20'));
    await ask(world, '/v1/log', { method: 'BREW'.replace('BREW', 'PROPFIND') });
    const { body, headers } = await get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toContain(
      `zegel_http_requests_total{method="POST",route="/v1/records",status="201"} ${records}`,
    );
    expect(body).toMatch(/zegel_http_requests_total\{method="any",route="none",status="404"\} \d+/);
    expect(body).not.toContain('evil');
    expect(body).not.toContain('PROPFIND');
    expect(body).toContain('process_cpu_seconds_total');
  });
});

describe('paths and methods', () => {
  test.each(
    [
      '/v1',
      '/v1/',
      '/v1/records',
      '/v2/records',
      '/V1/log',
      '/v1/log/',
      '//v1/log',
      '/v1/./log',
      '/v1//log',
      '/v1/log%00',
      '/v1%2flog',
      '/v1/records/export/',
      '/v1/anchors/',
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/favicon.ico',
      '/__proto__',
    ].filter(path => path !== '/v1/records'),
  )('GET %s is not there', async path => {
    const problem = problemOf(await get(path), 404, 'resource-not-found');
    expect(problem).toMatchObject({ detail: 'there is nothing at this path', issues: [] });
  });

  test.each([
    ['GET', '/v1/records', 'POST, OPTIONS'],
    ['PUT', '/v1/records', 'POST, OPTIONS'],
    ['GET', '/v1/records/batch', 'POST, OPTIONS'],
    ['POST', '/v1/records/export', 'GET, OPTIONS'],
    ['DELETE', '/v1/log', 'HEAD, GET, OPTIONS'],
    ['POST', '/log/checkpoint', 'HEAD, GET, OPTIONS'],
    ['PATCH', '/v1/proofs/inclusion', 'HEAD, GET, OPTIONS'],
    ['TRACE', '/v1/log', 'HEAD, GET, OPTIONS'],
    ['PROPFIND', '/v1/log', 'HEAD, GET, OPTIONS'],
  ])('%s %s is answered with 405 and the methods that there are', async (method, path, allow) => {
    const answer = await ask(world, path, { method });
    problemOf(answer, 405, 'method-not-allowed');
    expect(answer.headers['allow']).toBe(allow);
  });

  test('OPTIONS tells the methods of a path that there is', async () => {
    const answer = await ask(world, '/v1/records', { method: 'OPTIONS' });
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(answer.headers['allow']).toBe('POST, OPTIONS');
    problemOf(await ask(world, '/nowhere', { method: 'OPTIONS' }), 404, 'resource-not-found');
  });

  test('HEAD has the header of GET and no body', async () => {
    const [head, whole] = [
      await ask(world, '/log/checkpoint', { method: 'HEAD' }),
      await get('/log/checkpoint'),
    ];
    expect(head).toMatchObject({ status: 200, body: '' });
    for (const name of ['content-length', 'etag', 'content-type', 'cache-control', 'api-version'])
      expect(head.headers[name]).toBe(whole.headers[name]);
  });

  test('a query where none belongs is refused', async () => {
    for (const path of ['/v1/log', '/log/checkpoint', '/log/tile/0/000', '/health', '/metrics']) {
      const problem = problemOf(await get(`${path}?index=1`), 400, 'request-malformed');
      expect(problem.issues).toEqual([{ place: 'query index', message: 'unknown parameter' }]);
    }
  });
});

describe('fields of the header', () => {
  test('every answer carries the version of the interface and forbids to guess, frame or run it', async () => {
    for (const answer of [
      await get('/v1/log'),
      await get('/nowhere'),
      await ask(world, '/v1/log', { method: 'PUT' }),
    ]) {
      expect(answer.headers).toMatchObject({
        'api-version': '1.0.0',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
      });
      expect(answer.headers['x-powered-by']).toBeUndefined();
      expect(answer.headers['server']).toBeUndefined();
    }
  });

  test('identifiers come back and stand in the log, in one line', async () => {
    const ids = { 'x-correlation-id': 'c-1', 'x-request-id': 'r-1', 'x-tracing-id': 't-1' };
    const before = world.state.logged.length;
    expect((await get('/v1/log', ids)).headers).toMatchObject(ids);
    const lines = world.state.logged.slice(before).filter(line => line['x-correlation-id'] === 'c-1');
    expect(lines).toEqual([
      expect.objectContaining({
        ...ids,
        level: 30,
        method: 'GET',
        route: '/v1/log',
        status: 200,
        msg: 'answered',
      }),
    ]);
  });

  test('a request without an identifier is given one, and logged for debugging only', async () => {
    const answer = await get('/livez');
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers['x-correlation-id']).toBeUndefined();
    expect(world.state.logged.at(-1)).toMatchObject({
      level: 20,
      'x-request-id': answer.headers['x-request-id'],
    });
  });

  test.each([
    ['a control character', '\u0085'],
    ['Latin 1', 'caf\u00e9'],
    ['129 characters', 'x'.repeat(129)],
  ])('an identifier with %s is dropped (S15)', async (_, id) => {
    const answer = await get('/v1/log', { 'x-correlation-id': id, 'x-tracing-id': 'good' });
    expect(answer.headers['x-correlation-id']).toBeUndefined();
    expect(answer.headers['x-tracing-id']).toBe('good');
  });

  test('what a caller says of hosts is in no answer (S16)', async () => {
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-for': '6.6.6.6',
      forwarded: 'host=evil.example',
      'x-original-url': '/metrics',
      'x-rewrite-url': '/metrics',
    };
    const statement = aStatement({ payload: anEvent({ id: 'event-0' }) });
    const answer = await submit(world, statement, headers);
    expect(answer.status).toBe(200);
    expect(answer.headers['location']).toMatch(new RegExp(`^${world.url}/v1/records/`));
    for (const path of ['/v1/log', '/v1/anchors', '/health', '/nowhere']) {
      const { headers: fields, body } = await get(path, headers);
      expect(JSON.stringify(fields) + body).not.toMatch(/evil|gopher|6\.6\.6\.6/);
    }
  });

  test('a configured base URL is what links begin with', async () => {
    const other = await aWorld({ baseUrl: 'https://ledger.example/zegel' });
    try {
      const answer = await submit(other, aStatement());
      expect(answer.headers['location']).toMatch(
        /^https:\/\/ledger\.example\/zegel\/v1\/records\/[0-9a-f]{64}\/receipt$/,
      );
    } finally {
      await other.stop();
    }
  });

  test('a preference to wait is applied, up to a limit, and other preferences are ignored', async () => {
    const statement = aStatement({ payload: anEvent({ id: 'event-1' }) });
    const without = await submit(world, statement, { prefer: 'respond-async, handling=lenient, wait=x' });
    expect(without.headers['preference-applied']).toBeUndefined();
    for (const seconds of [0, 1]) {
      const started = performance.now();
      const answer = await submit(world, statement, { prefer: `respond-async, wait=${seconds}` });
      expect(answer.headers['preference-applied']).toBe(`wait=${seconds}`);
      expect(performance.now() - started).toBeGreaterThanOrEqual(1_000 * seconds - 20);
    }
  });
});

describe('a fault of ours (S12)', () => {
  test('is answered with a constant problem, and reported', async () => {
    const { findLeaf } = world.ledger.read;
    const secret = new Error('secret at /srv/zegel/db/000001.ldb');
    world.ledger.read.findLeaf = () => Promise.reject(secret);
    try {
      const answer = await get(`/v1/proofs/inclusion?leafHash=${leaves[0]}&size=1`);
      const problem = problemOf(answer, 500, 'internal-error');
      expect(problem.detail).toBe(
        'the fault is in the log of the service, under the x-request-id of this answer',
      );
      expect(answer.body + JSON.stringify(answer.headers)).not.toContain('secret');
      expect(world.state.faults).toEqual([secret]);
      expect(world.state.reported).toEqual([{ 'x-request-id': answer.headers['x-request-id'] }]);
    } finally {
      world.ledger.read.findLeaf = findLeaf;
    }
  });
});
