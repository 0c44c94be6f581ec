/** The service as a whole: a real chain, a real data folder, real HTTP. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatHex, utf8 } from '../../merkle/bytes.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import { parseReceipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import { contractOf, deploymentOn, transact } from '../../scripts/administration.ts';
import { generateKey, keySigner, signStatement } from '../../service/client/signer.ts';
import { signReadToken } from '../../service/client/token.ts';
import { options } from '../../service/config.ts';
import { createPrivateKeyFile } from '../../service/keyfiles.ts';
import { type Service, startService } from '../../service/main.ts';
import { startHardhat, type TestChain } from '../helpers/chain.ts';
import { forwarding } from './forwarding.ts';
import { until } from './http/connections.ts';
import { watching } from './http/watching.ts';
import { type Answer, ask as askPort, problemOf } from './http/world.ts';
import { aLogger, aPlace, freshEvent, type Place } from './place.ts';

let chain: TestChain;
beforeAll(async () => {
  chain = await startHardhat();
});
afterAll(() => chain.stop());

const services: Service[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts the service of a place; it is stopped after the test. */
async function serve(place: Place, more: Parameters<typeof startService>[1] & { rpc?: string } = {}) {
  const { rpc, ...surroundings } = more;
  const fatal: unknown[] = [];
  const { log, lines } = aLogger();
  const config = rpc === undefined ? place.config : { ...place.config, rpcUrl: rpc };
  const service = await startService(config, { log, onFatal: error => fatal.push(error), ...surroundings });
  services.push(service);
  return { ...service, port: Number(new URL(service.url).port), fatal, lines };
}

type Target = { readonly port: number };

const get = (target: Target, path: string, headers = {}) => askPort(target, path, { headers });

function post(target: Target, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const fields = { 'content-type': 'application/jose', ...headers };
  return askPort(target, '/v1/records', { method: 'POST', headers: fields, body });
}

async function sizes(target: Target) {
  return JSON.parse((await get(target, '/v1/log')).body).sizes;
}

/** A port on which nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

describe('the service key', () => {
  let place: Place;
  beforeAll(async () => {
    place = await aPlace(chain);
  });
  afterAll(() => place.remove());

  /** Starts with a service key in a file of the place, asks for a record, and gives the answer and what the start has logged. */
  async function serveWith(name: string | undefined) {
    const { config: plain } = place;
    const config = name === undefined ? plain : { ...plain, serviceKeyFile: join(place.root, name) };
    const service = await serve({ ...place, config });
    const { leafHash: hash } = JSON.parse((await post(service, await place.statement())).body);
    // A token of the second in which the service started would be refused.
    await setTimeout(1_000);
    const { signer } = place;
    const token = { origin: config.origin, signer, nowMs: Date.now(), randomBytes };
    const authorization = `Bearer ${await signReadToken(token)}`;
    const answer = await get(service, `/v1/records/${hash}`, { authorization });
    return { service, answer, started: service.lines.find(({ code }) => typeof code === 'string') };
  }

  test('records what is read, where it is registered', async () => {
    await place.addKey('operator', 'Ed25519');
    const { answer, started, service } = await serveWith('operator');
    expect(answer.status).toBe(200);
    expect(started).toBeUndefined();
    expect((await sizes(service)).signed).toBeGreaterThanOrEqual(3);
  });

  test('keeps a token from being used again after a restart, though the clock was put back', async () => {
    await place.addKey('clockwork', 'ES384');
    const config = { ...place.config, serviceKeyFile: join(place.root, 'clockwork') };
    const first = await serve({ ...place, config });
    const { leafHash: hash } = JSON.parse((await post(first, await place.statement(freshEvent()))).body);
    await setTimeout(1_000);
    const { signer } = place;
    const iatMs = Math.floor(Date.now() / 1_000) * 1_000;
    const token = await signReadToken({ origin: config.origin, signer, nowMs: iatMs, randomBytes });
    const read = (service: Target) =>
      get(service, `/v1/records/${hash}`, { authorization: `Bearer ${token}` });
    expect((await read(first)).status).toBe(200);
    await first.stop();

    const second = await serve({ ...place, config }, { now: () => iatMs - 500 });
    problemOf(await read(second), 401, 'token-before-start');
  });

  test('is told to be missing, which is the operator’s choice', async () => {
    const { answer, started } = await serveWith(undefined);
    problemOf(answer, 503, 'reading-off');
    expect(started).toMatchObject({ level: 30, code: 'READING_OFF', msg: 'gives no records back' });
  });

  test('is told not to be registered, and the service starts all the same', async () => {
    await createPrivateKeyFile(join(place.root, 'stranger'), generateKey('ES256'));
    const { answer, started } = await serveWith('stranger');
    problemOf(answer, 503, 'service-key-unusable');
    expect(started).toMatchObject({
      level: 40,
      code: 'SERVICE_KEY_UNUSABLE',
      msg: 'gives no records back yet',
    });
    expect(started?.['reason']).toContain('is not registered');
  });

  test('stops the start where its file cannot be used', async () => {
    await writeFile(join(place.root, 'open'), 'x', { mode: 0o644 });
    await expect(serveWith('open')).rejects.toThrow(/has mode 0644/);
    await expect(serveWith('nowhere')).rejects.toThrow(/no such file/);
  });
});

describe('one record', () => {
  let place: Place;
  beforeAll(async () => {
    place = await aPlace(chain);
  });
  afterAll(() => place.remove());

  test('goes in over HTTP and comes out as a receipt that stands alone', async () => {
    const service = await serve(place);
    const answer = await post(service, await place.statement(), { prefer: 'wait=30' });
    expect(answer.status).toBe(201);
    expect(answer.headers['preference-applied']).toBe('wait=30');
    const acknowledgement = JSON.parse(answer.body);
    expect(answer.headers['location']).toBe(`${service.url}/v1/records/${acknowledgement.leafHash}/receipt`);

    const got = await get(service, `/v1/records/${acknowledgement.leafHash}/receipt`);
    expect(got.headers).toMatchObject({
      'content-type': 'application/vnd.zegel.receipt+json',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    const receipt = parseReceipt(utf8(got.body));
    expect(receipt.record).toBeUndefined();
    expect(formatHex(leafHash(receipt.entry))).toBe(acknowledgement.leafHash);
    const judged = await judgeReceipt(utf8(got.body), await place.trust());
    expect(judged).toMatchObject({ verdict: 'matches', finality: 'unproved' });

    const etag = String(got.headers['etag']);
    const again = await get(service, `/v1/records/${acknowledgement.leafHash}/receipt`, {
      'if-none-match': etag,
    });
    expect(again).toMatchObject({ status: 304, body: '' });
  });

  test('has the same receipt after a restart, and so has its retry', async () => {
    const statement = await place.statement();
    const first = await serve(place);
    const answer = await post(first, statement, { prefer: 'wait=30' });
    const { leafHash: leaf, index } = JSON.parse(answer.body);
    const receipt = await get(first, `/v1/records/${leaf}/receipt`);
    await first.stop();

    const second = await serve(place);
    expect((await get(second, `/v1/records/${leaf}/receipt`)).body).toBe(receipt.body);
    const retry = await post(second, statement);
    expect(retry.status).toBe(200);
    expect(JSON.parse(retry.body)).toMatchObject({ leafHash: leaf, index, record: { statement } });
  });

  test('is not yet final before its anchor is, and its receipt must be asked for again', async () => {
    const slow = { ...place, config: { ...place.config, anchorIntervalMs: 3_600_000 } };
    const service = await serve(slow);
    // The first anchor after a start goes out at once; what comes after it waits an hour.
    await post(service, await place.statement(), { prefer: 'wait=30' });
    const { leafHash: leaf } = JSON.parse((await post(service, await place.statement())).body);
    const got = await get(service, `/v1/records/${leaf}/receipt`);
    expect(got.headers['cache-control']).toBe('no-cache');
    expect(parseReceipt(utf8(got.body)).evidence).toBeNull();
    const judged = await judgeReceipt(utf8(got.body), await place.trust());
    expect(judged.verdict).toBe('not-yet-anchored');
  });

  test('that nobody has sent has no receipt', async () => {
    const service = await serve(place);
    problemOf(await get(service, `/v1/records/${'ab'.repeat(32)}/receipt`), 404, 'record-not-found');
  });

  test('is refused on the real chain for each reason that its key can give, and nothing changes', async () => {
    const service = await serve(place);
    const before = await sizes(service);
    const stranger = keySigner(generateKey('Ed25519'), 'Ed25519');
    problemOf(await post(service, await place.statement(freshEvent(), stranger)), 403, 'key-unknown');
    const [header, payload] = (await place.statement()).split('.');
    const forged = `${header}.${payload}.${'A'.repeat(86)}`;
    problemOf(await post(service, forged), 403, 'signature-invalid');
    const elsewhere = await signStatement(freshEvent(), 'ledger.test/elsewhere', place.signer);
    problemOf(await post(service, elsewhere), 403, 'audience-other');
    const after = await sizes(service);
    expect([after.sequenced, after.signed]).toEqual([before.sequenced, before.signed]);
  });

  test('is taken under a key that is added, and no longer under one that is seen retired', async () => {
    const service = await serve(place);
    const signer = await place.addKey('late', 'Ed25519');
    const status = async () => (await post(service, await place.statement(freshEvent(), signer))).status;
    await expect.poll(status, { timeout: 10_000, interval: 100 }).toBe(201);

    const statement = await place.statement(freshEvent(), signer);
    expect((await post(service, statement)).status).toBe(201);
    const deployment = await deploymentOn(chain.admin, place.network);
    const registry = await contractOf('KeyRegistry', deployment, chain.admin);
    const { timestamp } = (await chain.ask('eth_getBlockByNumber', 'latest', false)) as { timestamp: string };
    await transact(registry, 'retireKey', [thumbprint(signer.key), Number(timestamp) + 600, 0, 0]);
    await expect.poll(status, { timeout: 10_000, interval: 100 }).toBe(403);
    problemOf(await post(service, await place.statement(freshEvent(), signer)), 403, 'key-not-valid');
    // What is recorded under it is answered as before.
    expect((await post(service, statement)).status).toBe(200);
  });
});

describe('the log in public', () => {
  let place: Place;
  beforeAll(async () => {
    place = await aPlace(chain);
  });
  afterAll(() => place.remove());

  test('lists its anchors from the opening on, each with its evidence', async () => {
    const service = await serve(place);
    await post(service, await place.statement(), { prefer: 'wait=30' });
    await post(service, await place.statement(), { prefer: 'wait=30' });
    const { items, next } = JSON.parse((await get(service, '/v1/anchors')).body);
    expect(next).toBeNull();
    expect(items.length).toBeGreaterThanOrEqual(3);
    expect(items[0].size).toBe(1);
    for (const item of items) {
      expect(Object.keys(item)).toEqual([
        'size',
        'root',
        'block',
        'blockHash',
        'blockTime',
        'transaction',
        'checkpoint',
        'evidence',
      ]);
      expect(item.blockTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
      expect(item.blockHash).toMatch(/^0x[0-9a-f]{64}$/);
      expect(item.evidence.headers).toHaveLength(1);
      const single = await get(service, `/v1/anchors/${item.size}`);
      expect(JSON.parse(single.body)).toEqual(item);
      expect(single.headers['cache-control']).toContain('immutable');
    }
    const later = JSON.parse((await get(service, `/v1/anchors?cursor=${items[0].size}`)).body);
    expect(later.items).toEqual(items.slice(1));
    expect((await sizes(service)).final).toBe(items.at(-1).size);
  });

  test('has a receipt of genesis and of each chain entry, which verify', async () => {
    const service = await serve(place);
    await post(service, await place.statement(), { prefer: 'wait=30' });
    const { final } = await sizes(service);
    const trust = await place.trust();
    const bundle = await fetch(`${service.url}/log/tile/entries/000.p/${final}`);
    const bytes = new Uint8Array(await bundle.arrayBuffer());
    const kinds = new Set<number>();
    for (let at = 0; at < bytes.length; at += 76) {
      const entry = bytes.slice(at + 2, at + 76);
      kinds.add(entry[1] ?? -1);
      const { body } = await get(service, `/v1/records/${formatHex(leafHash(entry))}/receipt`);
      expect((await judgeReceipt(utf8(body), trust)).verdict).toBe('matches');
    }
    expect([...kinds].sort()).toEqual([0, 1, 3]);
  });

  test('refuses anchors that there are not, and cursors that are none', async () => {
    const service = await serve(place);
    problemOf(await get(service, '/v1/anchors/999'), 404, 'resource-not-found');
    for (const size of ['0x1', '-1', '01', '1e1', 'NaN', '9007199254740992'])
      problemOf(await get(service, `/v1/anchors/${size}`), 400, 'request-malformed');
    for (const query of [
      'cursor=-1',
      'cursor=x',
      'cursor=',
      'cursor=1&cursor=2',
      'limit=1',
      'cursor=9007199254740992',
    ])
      problemOf(await get(service, `/v1/anchors?${query}`), 400, 'request-malformed');
    const beyond = await get(service, '/v1/anchors?cursor=9007199254740991');
    expect(JSON.parse(beyond.body)).toEqual({ items: [], next: null });
  });

  test('is healthy, ready and measured', async () => {
    const service = await serve(place);
    expect(JSON.parse((await get(service, '/health')).body)).toEqual({ status: 'UP', reasons: [] });
    const { body } = await get(service, '/metrics');
    const { signed } = await sizes(service);
    expect(body).toContain(`zegel_log_size{state="signed"} ${signed}`);
    expect(body).toContain('zegel_accepting 1');
    expect(body).toContain('zegel_anchor_waiting_seconds 0');
  });
});

describe('the log’s stream', () => {
  test('tells of a record, of its anchor, and ends with the service, which does not wait for it', async () => {
    const place = await aPlace(chain);
    try {
      const service = await serve(place);
      const watched = await watching(service);
      const seen = watched.events().length;
      await post(service, await place.statement(), { prefer: 'wait=30' });
      const later = () => watched.events().slice(seen);
      await until(() => later().some(({ name }) => name === 'anchor'));
      const { data } = later().find(({ name }) => name === 'anchor') ?? {};
      const listed = JSON.parse((await get(service, `/v1/anchors/${data?.['size']}`)).body);
      expect(listed).toMatchObject({
        block: data?.['block'],
        root: data?.['root'],
        blockHash: data?.['blockHash'],
      });
      expect(data?.['lagMs']).toBeGreaterThanOrEqual(0);
      const { body } = await get(service, '/?lang=en');
      expect(body).toContain(`<tr data-size="${data?.['size']}">`);

      const started = performance.now();
      await service.stop();
      expect(await watched.ended).toBe('whole');
      expect(performance.now() - started).toBeLessThan(5_000);
    } finally {
      await place.remove();
    }
  });
});

describe('a chain that does not answer', () => {
  let place: Place;
  beforeAll(async () => {
    place = await aPlace(chain);
  });
  afterAll(() => place.remove());

  test('keeps a service from nothing but taking records', async () => {
    const service = await serve(place, { rpc: await deadUrl() });
    const answer = await post(service, await place.statement());
    const problem = problemOf(answer, 503, 'chain-silent');
    expect(problem.detail).toBe('the chain has not been heard since the start');
    expect(answer.headers['retry-after']).toBe('5');
    expect(await sizes(service)).toMatchObject({ sequenced: 1, signed: 1 });
    expect((await get(service, '/log/checkpoint')).status).toBe(200);
    expect(JSON.parse((await get(service, '/health')).body)).toEqual({
      status: 'DEGRADED',
      reasons: ['CHAIN_SILENT', 'CHAIN_UNREACHABLE'],
    });
    expect((await get(service, '/readyz')).status).toBe(200);
    expect((await get(service, '/metrics')).body).toContain('zegel_accepting 0');
  });

  test('that is another chain is never trusted', async () => {
    const other = await startHardhat();
    try {
      await other.ask('hardhat_mine', '0x10');
      const service = await serve(place, { rpc: other.url });
      problemOf(await post(service, await place.statement()), 503, 'chain-silent');
      expect(JSON.parse((await get(service, '/health')).body).status).toBe('DEGRADED');
    } finally {
      await other.stop();
    }
  });

  test('for a minute ends the taking of records, until it is heard again', async () => {
    let offsetMs = 0;
    const now = () => Date.now() + offsetMs;
    const own = await startHardhat();
    const silent = await aPlace(own);
    try {
      const service = await serve(silent, { now });
      expect((await post(service, await silent.statement())).status).toBe(201);
      await own.stop();
      await setTimeout(300);
      offsetMs = 59_000;
      expect((await post(service, await silent.statement())).status).toBe(201);
      offsetMs = 62_000;
      const problem = problemOf(await post(service, await silent.statement()), 503, 'chain-silent');
      expect(problem.detail).toMatch(/^the chain has not been heard for 6\d s$/);
    } finally {
      await silent.remove();
    }
  });
});

describe('what does not belong together', () => {
  let place: Place;
  beforeAll(async () => {
    place = await aPlace(chain);
  });
  afterAll(() => place.remove());

  test('an older copy under a newer head of the registry does not start', async () => {
    const { dataFolder, guardFile = '' } = place.config;
    const old = `${dataFolder}-old`;
    const service = await serve(place);
    await cp(guardFile, join(place.root, 'guard-old'));
    await service.stop();
    await cp(dataFolder, old, { recursive: true });

    const grown = await serve(place);
    await post(grown, await place.statement(), { prefer: 'wait=30' });
    await grown.stop();
    const copy = {
      ...place,
      config: { ...place.config, dataFolder: old, guardFile: join(place.root, 'guard-old') },
    };
    await expect(serve(copy)).rejects.toThrow(
      /the registry holds size \d+, this log has 1: .* start on the newest copy of the data folder/,
    );

    // A chain that answers only later ends the service then.
    const relay = await deadUrl();
    const late = await serve(copy, { rpc: relay });
    expect((await get(late, '/v1/log')).status).toBe(200);
    const forward = await forwarding(Number(new URL(relay).port), chain.url);
    await expect.poll(() => late.fatal.length, { timeout: 10_000 }).toBe(1);
    expect(String(late.fatal[0])).toContain('start on the newest copy of the data folder');
    forward.close();
  });

  test('an anchor key that others can read does not start', async () => {
    await chmod(place.config.anchorKeyFile, 0o644);
    await expect(serve(place)).rejects.toThrow(`run chmod 600 ${place.config.anchorKeyFile}`);
    await chmod(place.config.anchorKeyFile, 0o600);
  });

  test('a deployment that is not there does not start', async () => {
    const config = { ...place.config, deploymentFolder: join(place.root, 'nowhere') };
    await expect(serve({ ...place, config })).rejects.toThrow('deploy the contracts with `zegel deploy`');
  });

  test('a port that is taken does not start, and lets go of the data folder', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(serve({ ...place, config: { ...place.config, port } })).rejects.toMatchObject({
      name: 'StartError',
      message: `port ${port} of 127.0.0.1 is taken: stop the other process, or set ZEGEL_PORT`,
    });
    taken.close();
    expect((await get(await serve(place), '/livez')).status).toBe(200);
  });
});

describe('the process', () => {
  let place: Place;
  beforeAll(async () => {
    place = await aPlace(chain);
  });
  afterAll(() => place.remove());

  const program = fileURLToPath(new URL('../../service/main.ts', import.meta.url));

  /** The settings of a place as an environment. */
  function environment(more: Readonly<Record<string, string>> = {}) {
    const flags: Readonly<Record<string, string>> = place.flags;
    const given = options
      .map(({ env, flag }) => [env, flags[flag]])
      .filter(([, value]) => value !== undefined);
    return { PATH: process.env['PATH'], ...Object.fromEntries(given), ZEGEL_LOG_LEVEL: 'info', ...more };
  }

  async function spawned(more: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [program], {
      env: environment(more),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    const lines: string[] = [];
    const exited = once(child, 'exit').then(([code]) => code as number | null);
    const reading = createInterface({ input: child.stderr });
    const url = new Promise<string>(resolve => {
      reading.on('line', line => {
        lines.push(line);
        if (line.includes('"msg":"serving"')) resolve(JSON.parse(line).url);
      });
      exited.then(() => resolve(''));
    });
    return { child, exited, lines, port: Number(new URL((await url) || 'http://x:1').port) };
  }

  test('ends on SIGTERM with 0, after the answers under way have gone out', async () => {
    const { child, exited, port } = await spawned({ ZEGEL_ANCHOR_INTERVAL_MS: '3600000' });
    await post({ port }, await place.statement(), { prefer: 'wait=30' });
    const statement = await place.statement();
    // This one waits for an anchor that is an hour away, and is answered when the service stops.
    const waiting = post({ port }, statement, { prefer: 'wait=60' });
    await expect.poll(async () => (await sizes({ port })).signed, { timeout: 5_000 }).toBeGreaterThan(2);
    await setTimeout(200);
    const burst = Array.from({ length: 50 }, async () =>
      post({ port }, await place.statement()).catch(() => undefined),
    );
    await setTimeout(20);
    child.kill('SIGTERM');

    const answer = await waiting;
    expect(answer.status).toBe(201);
    expect(answer.headers['connection']).toBe('close');
    const answers = await Promise.all(burst);
    expect(await exited).toBe(0);

    // Every record that was acknowledged is there.
    const again = await serve(place);
    const acknowledged = [answer, ...answers].filter(one => one?.status === 201);
    for (const one of acknowledged) {
      const { leafHash: leaf } = JSON.parse(one?.body ?? '');
      expect((await get(again, `/v1/records/${leaf}/receipt`)).status).toBe(200);
    }
    expect((await post(again, statement)).status).toBe(200);
  });

  test('ends with 2 and a sentence for each fault of its configuration', async () => {
    const { exited, lines } = await spawned({ ZEGEL_PROT: '1', ZEGEL_PORT: 'x' });
    expect(await exited).toBe(2);
    expect(lines.join('\n')).toMatch(
      /^zegel: ZEGEL_PROT is not a setting: .*\nZEGEL_PORT \("x"\) is not an integer/,
    );
    expect(lines.join('\n')).not.toMatch(/at .*\.ts/);
  });

  test('ends with 2 and what to do where there is no data folder', async () => {
    const { exited, lines } = await spawned({ ZEGEL_DATA: join(place.root, 'nowhere') });
    expect(await exited).toBe(2);
    expect(lines.join('\n')).toMatch(/^zegel: .*nowhere holds no log: .*zegel init/);
  });

  test('ends with 70 when it cannot keep a promise, and acknowledges nothing more', async () => {
    const { exited, lines, port } = await spawned();
    expect((await post({ port }, await place.statement())).status).toBe(201);
    // The checkpoint cannot be kept outside the database any more.
    await rm(join(place.root, 'guard'), { recursive: true });
    await writeFile(join(place.root, 'guard'), '');
    const answer = await post({ port }, await place.statement()).catch(() => undefined);
    expect(answer?.status ?? 500).toBe(500);
    expect(await exited).toBe(70);
    expect(lines.some(line => line.includes('cannot go on'))).toBe(true);
  });
});
