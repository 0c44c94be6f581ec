/** Reading back over HTTP: an agency gets its own records, everybody else one and the same 404. */

import { createPrivateKey, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatHex, formatUint64, parseBase64url, parseUtf8, utf8 } from '../../../merkle/bytes.ts';
import { commitmentOf, parseEntry } from '../../../merkle/entry.ts';
import { JsonReader, parseJson } from '../../../merkle/json.ts';
import { parseReceipt, readRecord } from '../../../merkle/receipt.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { generateKey } from '../../../service/client/signer.ts';
import { eventOf } from '../../../service/log-reader.ts';
import { Store } from '../../../service/store.ts';
import { aBatch, someEvents } from '../../helpers/batches.ts';
import { anEvent, aStatement, testOrigin } from '../../helpers/builders.ts';
import { keyFor, kidOf } from '../../helpers/keys.ts';
import { aToken, bearer } from '../../helpers/tokens.ts';
import { upload } from './uploads.ts';
import {
  type Answer,
  ask,
  aWorld,
  kidHex,
  problemOf,
  serviceKeyId,
  submit,
  viewedKey,
  type World,
} from './world.ts';

let world: World;
beforeEach(async () => {
  world = await aWorld();
  // One of the keys is another agency's.
  world.keys.set(kidHex('ES384'), viewedKey('ES384', { agency: 'OVO002950' }));
});
afterEach(() => world.stop());

/** Submits an event and gives its leaf hash. */
async function aRecord(id: string, alg: 'ES256' | 'ES384' = 'ES256', members = {}): Promise<string> {
  const answer = await submit(world, aStatement({ alg, payload: anEvent({ id, ...members }) }));
  expect(answer.status).toBe(201);
  return JSON.parse(answer.body).leafHash;
}

const read = (path: string, headers: Record<string, string> = bearer()) =>
  ask(world, `/v1/records/${path}`, { headers });

/** What an answer is to its reader: its status, its fields but those that differ in every answer, and its bytes. */
function shapeOf({ status, headers, body }: Answer) {
  const { date, 'x-request-id': id, ...fields } = headers;
  expect(id).toBeDefined();
  return { status, fields, body };
}

/** The record in an answer or a line, held against its entry. */
function heldRecord(text: string) {
  const reader = new JsonReader();
  const members = reader.object(parseJson(utf8(text)), '', ['leafHash', 'index', 'entry', 'record']);
  const record = reader.finish(readRecord(reader, members.get('record'), 'record'));
  const entry = parseBase64url(String(members.get('entry')));
  expect(formatHex(leafHash(entry))).toBe(members.get('leafHash'));
  const event = eventOf(record);
  expect(parseEntry(entry).commitment).toEqual(commitmentOf(record.salt, event, record.statement));
  return { record, event: JSON.parse(parseUtf8(event)) };
}

async function tracesIn({ ledger }: World): Promise<string[]> {
  const entries = await ledger.read.entries(0, ledger.signed().size);
  const types: string[] = [];
  for (const [index, entry] of entries.entries()) {
    if (formatHex(parseEntry(entry).keyId) !== formatHex(serviceKeyId)) continue;
    const record = await ledger.read.record(index);
    if (record !== 'erased') types.push(JSON.parse(parseUtf8(eventOf(record))).type);
  }
  return types;
}

describe('GET /v1/records/{leafHash}', () => {
  it('gives an agency its record, and lets nobody keep it', async () => {
    const answer = await read(await aRecord('a'));
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(Object.keys(JSON.parse(answer.body))).toEqual(['leafHash', 'index', 'entry', 'record']);
    expect(heldRecord(answer.body).event.id).toBe('a');
    expect(await tracesIn(world)).toEqual(['zegel.record.read']);
  });

  it('takes no token for HEAD, which gives nothing', async () => {
    const hash = await aRecord('a');
    const headers = bearer();
    for (const path of [hash, 'export']) {
      const answer = await ask(world, `/v1/records/${path}`, { method: 'HEAD', headers });
      expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, OPTIONS' } });
    }
    expect(await tracesIn(world)).toEqual([]);
    expect((await read(hash, headers)).status).toBe(200);
  });

  it('takes a token that another library has made', async () => {
    const key = createPrivateKey({ key: keyFor('Ed25519'), format: 'jwk' });
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'Ed25519', kid: kidOf(keyFor('Ed25519')), typ: 'zegel-read+jwt' })
      .setAudience(testOrigin)
      .setIssuedAt()
      .setExpirationTime('5 minutes')
      .setJti(randomUUID())
      .sign(key);
    expect((await read(await aRecord('a'), bearer(token))).status).toBe(200);
  });

  it('stands in the log by its pattern, not by what was asked for', async () => {
    await read(await aRecord('a'));
    const routes = world.state.logged.map(({ route }) => route);
    expect(routes).toEqual(['/v1/records', '/v1/records/:leafHash']);
  });

  it('gives an event of a batch with its place in it', async () => {
    const batch = aBatch({ events: someEvents(3, 'batch') });
    const { answers } = await upload(world, batch.lines);
    const { record, event } = heldRecord((await read(answers[1]?.leafHash ?? '')).body);
    expect(record).toMatchObject({ statement: batch.statement, batch: { index: 1 } });
    expect(event.id).toBe('batch-1');
  });

  it('answers for what is not the agency’s as for what is not there, byte for byte (S7)', async () => {
    const absent = shapeOf(await read('9'.repeat(64)));
    problemOf(await read('9'.repeat(64)), 404, 'record-not-found');
    const foreign = await aRecord('b', 'ES384');
    const genesis = formatHex(leafHash(await world.ledger.read.entry(0)));
    await read(await aRecord('a'));
    const trace = formatHex(leafHash(await world.ledger.read.entry(3)));
    for (const hash of [foreign, genesis, trace]) {
      expect(shapeOf(await read(hash))).toEqual(absent);
      const [receipt, absentReceipt] = [
        await read(`${hash}/receipt`),
        await read(`${'9'.repeat(64)}/receipt`),
      ];
      expect(shapeOf(receipt)).toEqual(shapeOf(absentReceipt));
      expect(receipt.status).toBe(404);
    }
  });

  it('answers 410 for an erased record to its agency, and 404 to others', async () => {
    const hash = await aRecord('a');
    const store = new Store(world.log.database, () => undefined);
    await store.write([{ table: 'salt', key: formatUint64(1), value: null }]);
    problemOf(await read(hash), 410, 'record-erased');
    problemOf(await read(`${hash}/receipt`), 410, 'record-erased');
    const stranger = () => bearer(aToken({ alg: 'ES384' }));
    expect(shapeOf(await read(hash, stranger()))).toEqual(shapeOf(await read('9'.repeat(64), stranger())));
  });

  it('tells what is no leaf hash before it asks for a token', async () => {
    for (const path of ['1', 'F'.repeat(64), `0x${'0'.repeat(64)}`, `%30${'0'.repeat(63)}`, '__proto__'])
      problemOf(await read(path, {}), 400, 'request-malformed');
    problemOf(await read(`${'0'.repeat(64)}?x=1`, {}), 400, 'request-malformed');
  });
});

describe('a request without a good token', () => {
  it.each(['', '/receipt'])('is answered 401 with what is wanted (…%s)', async suffix => {
    const hash = await aRecord('a');
    const cases: readonly [string, string][] = [
      [`Basic ${aToken()}`, 'token-malformed'],
      [`Bearer ${aToken({ claims: { exp: undefined } })}`, 'token-malformed'],
      [`Bearer ${aToken({ claims: { aud: 'another.log/1' } })}`, 'token-audience'],
      [`Bearer ${aToken({ nowMs: Date.now() - 600_000 })}`, 'token-expired'],
      [`Bearer ${aToken({ nowMs: Date.now() - 90_000 })}`, 'token-before-start'],
      [`Bearer ${aToken({ nowMs: Date.now() + 90_000 })}`, 'token-ahead'],
      [`Bearer ${aToken()}`.replace(/.{6}$/, 'AAAAAA'), 'token-signature'],
      [aToken(), 'token-malformed'],
    ];
    for (const [authorization, name] of cases) {
      const answer = await read(hash + suffix, { authorization });
      problemOf(answer, 401, name);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="zegel", error="invalid_token"');
    }
    expect(await tracesIn(world)).toEqual([]);
  });

  it('is told that it has none', async () => {
    for (const path of [await aRecord('a'), 'export']) {
      const answer = await read(path, {});
      problemOf(answer, 401, 'token-missing');
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="zegel"');
    }
  });

  it('is refused with the same token a second time, on whatever path', async () => {
    const hash = await aRecord('a');
    for (const first of [hash, '9'.repeat(64), 'export', `${hash}/receipt`]) {
      const headers = bearer();
      await read(first, headers);
      for (const path of [hash, `${hash}/receipt`, 'export'])
        problemOf(await read(path, headers), 401, 'token-used');
    }
  });

  it('is one of many that come with one token at the same time: the others get nothing, and leave no trace', async () => {
    const hash = await aRecord('a');
    const headers = bearer();
    const answers = await Promise.all(Array.from({ length: 10 }, () => read(hash, headers)));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused).toHaveLength(9);
    for (const answer of refused) problemOf(answer, 401, 'token-used');
    expect(await tracesIn(world)).toEqual(['zegel.record.read']);
  });
});

describe('GET /v1/records/{leafHash}/receipt', () => {
  it('has the record for its agency, and is kept by nobody', async () => {
    const answer = await read(`${await aRecord('a')}/receipt`);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/vnd.zegel.receipt+json',
      'cache-control': 'no-store',
      vary: 'Authorization',
    });
    expect(parseReceipt(utf8(answer.body)).record).toBeDefined();
    expect(await tracesIn(world)).toEqual(['zegel.receipt.read']);
  });

  it('stays without it for everybody else, and unrecorded', async () => {
    const answer = await read(`${await aRecord('a')}/receipt`, {});
    expect(answer.status).toBe(200);
    expect(parseReceipt(utf8(answer.body))).not.toHaveProperty('record');
    expect(answer.headers['cache-control']).toBe('no-cache');
    expect(await tracesIn(world)).toEqual([]);
  });
});

describe('GET /v1/records/export', () => {
  it('gives the agency’s records of a range, a line each, in their order', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await aRecord(id, id === 'b' ? 'ES384' : 'ES256');
    const ids = async (query: string) => {
      const answer = await read(`export${query}`);
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
      });
      return answer.body
        .split('\n')
        .slice(0, -1)
        .map(line => heldRecord(line).event.id);
    };
    expect(await ids('?from=0&to=5')).toEqual(['a', 'c', 'd']);
    expect(await ids('?from=2&to=4')).toEqual(['c']);
    expect(await ids('?to=2')).toEqual(['a']);
    expect(await ids('?from=3')).toEqual(['c', 'd']);
    expect(await ids('')).toEqual(['a', 'c', 'd']);
    expect(await ids('?from=5&to=5')).toEqual([]);
    expect(await tracesIn(world)).toEqual(Array(5).fill('zegel.records.exported'));
  });

  it('has a line without its record for an erased one', async () => {
    await aRecord('a');
    await new Store(world.log.database, () => undefined).write([
      { table: 'salt', key: formatUint64(1), value: null },
    ]);
    const line = JSON.parse((await read('export')).body);
    expect(line).toEqual({
      leafHash: expect.any(String),
      index: 1,
      entry: expect.any(String),
      record: null,
    });
  });

  it.each([
    ['?from=2&to=1', 'query from', '2 is greater than to, 1'],
    ['?to=3', 'query to', '3 is greater than 2, the signed size'],
    ['?from=3', 'query from', '3 is greater than to, 2'],
    ['?from=-1', 'query from', '"-1" is not an integer from 0 to 2^53 - 1 in decimal digits'],
    ['?from=01', 'query from', '"01" is not an integer from 0 to 2^53 - 1 in decimal digits'],
    ['?to=9007199254740992', 'query to', expect.stringContaining('2^53 - 1')],
    ['?from=NaN', 'query from', expect.stringContaining('"NaN"')],
    ['?to=1&to=1', 'query to', 'stands twice'],
    ['?limit=1', 'query limit', 'unknown parameter'],
  ])('refuses %s and names the fault (S11)', async (query, place, message) => {
    await aRecord('a');
    expect(problemOf(await read(`export${query}`), 400, 'request-malformed').issues).toEqual([
      { place, message },
    ]);
    expect(await tracesIn(world)).toEqual([]);
  });

  it('is cut, and not ended, where a record cannot be read', async () => {
    for (let i = 0; i < 3; i++) await aRecord(`${i}`, 'ES256', { data: 'x'.repeat(60_000) });
    // The second record is another one's now: it does not decrypt.
    const store = new Store(world.log.database, () => undefined);
    const salt = await store.get('salt', formatUint64(3));
    await store.write([{ table: 'salt', key: formatUint64(2), value: salt ?? null }]);
    await expect(read('export')).rejects.toThrow(/aborted|hang up/);
    expect(world.state.faults).toMatchObject([{ name: 'StoreCorruptError' }]);
    expect((await ask(world, '/livez')).status).toBe(200);
  });

  it('waits for a reader who does not read, and is cut when the service stops', async () => {
    await manyLarge(300);
    const reading = await openExport();
    // All that fits between here and there has come; then nothing more is read from the disk.
    await quiet(() => reading.socket.bytesRead);
    expect(reading.socket.bytesRead).toBeLessThan(20 << 20);
    const cut = once(reading, 'error');
    // Not because the time for answers under way is over.
    await world.stop(600_000);
    reading.resume();
    expect((await cut)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(reading.complete).toBe(false);
    expect(world.state.faults).toEqual([]);
  });

  it('is cut when its reader stands still, and goes on for one who is slow', async () => {
    await world.stop();
    world = await aWorld({ limits: { requestTimeoutMs: 1_500 } });
    await manyLarge(300);
    const [still, slow] = [await openExport(), await openExport()];
    const cut = once(still, 'error');
    let bytes = 0;
    const whole = once(slow, 'end');
    // A rest of less than the limit for each megabyte takes longer than the limit in all.
    slow.on('data', chunk => {
      const megabytes = bytes >> 20;
      bytes += chunk.length;
      if (bytes >> 20 === megabytes) return;
      slow.pause();
      void setTimeout(100).then(() => slow.resume());
    });
    await whole;
    expect(bytes).toBeGreaterThan(300 * 60_000);
    still.resume();
    expect((await cut)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect(world.state.faults).toEqual([]);
    const metrics = await ask(world, '/metrics');
    expect(metrics.body).toMatch(/limit="patience"\} 1/);
  });

  it('ends when its reader goes, without a fault', async () => {
    await manyLarge(300);
    const reading = await openExport();
    reading.on('error', () => undefined);
    reading.destroy();
    await setTimeout(50);
    expect((await ask(world, '/livez')).status).toBe(200);
    expect(world.state.faults).toEqual([]);
  });

  it('whose reader goes while the token is judged leaves its room to the next one', async () => {
    await world.stop();
    const held = Promise.withResolvers<void>();
    const asked: (() => void)[] = [];
    const delay = () => {
      asked.shift()?.();
      return held.promise;
    };
    world = await aWorld({ delay });
    await aRecord('a');
    // As many as one agency may have at a time.
    for (let i = 0; i < 4; i++) {
      const { port } = world;
      const judged = new Promise<void>(resolve => asked.push(resolve));
      const gone = once(world.server, 'connection').then(([socket]) => once(socket, 'close'));
      const headers = bearer(aToken({ nowMs: Date.now() + 3_000 }));
      const req = request({ port, path: '/v1/records/export', headers, agent: false }).end();
      req.on('error', () => undefined);
      await judged;
      req.destroy();
      await gone;
    }
    held.resolve();
    expect((await read('export')).status).toBe(200);
    expect(world.state.faults).toEqual([]);
  });
});

/** So many records of 60 kB. */
async function manyLarge(count: number): Promise<void> {
  const data = 'x'.repeat(60_000);
  const { answers } = await upload(world, aBatch({ events: someEvents(count, 'large', { data }) }).lines);
  expect(answers).toHaveLength(count);
}

/** Begins an export and reads nothing of it. */
async function openExport(): Promise<IncomingMessage> {
  const req = request({
    port: world.port,
    path: '/v1/records/export',
    headers: bearer(),
    agent: false,
  }).end();
  const [answer] = (await once(req, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  return answer;
}

/** Waits until a number stays what it is for a while. */
async function quiet(number: () => number): Promise<void> {
  for (let last = -1; last !== number(); ) {
    last = number();
    await setTimeout(200);
  }
}

describe('the service key', () => {
  it('is asked for where there is none', async () => {
    await world.stop();
    world = await aWorld({ privateKey: null });
    const hash = await aRecord('a');
    for (const path of [hash, `${hash}/receipt`, 'export']) {
      const answer = await read(path);
      expect(problemOf(answer, 503, 'reading-off').detail).toContain('ZEGEL_SERVICE_KEY_FILE');
      expect(answer.headers['retry-after']).toBe('60');
    }
    expect((await read(`${hash}/receipt`, {})).status).toBe(200);
    problemOf(await read(hash, {}), 401, 'token-missing');
  });

  it.each([
    ['retired', { retired: true }, 'cannot be used: the key has been retired'],
    ['not valid yet', { validFrom: 2 ** 40 - 2 }, 'cannot be used: the key is not valid yet'],
    ['for another algorithm', { algorithm: 'ES384' }, 'cannot be used: algorithm ES384 does not fit'],
  ] as const)('is told to be %s', async (_, changes, said) => {
    const known = world.keys.get(formatHex(serviceKeyId));
    if (known === undefined) throw new Error('the world has a service key');
    world.keys.set(formatHex(serviceKeyId), { ...known, ...changes });
    const hash = await aRecord('a');
    const headers = bearer();
    expect(problemOf(await read(hash, headers), 503, 'service-key-unusable').detail).toContain(said);
    // The token is good for the moment when the operator has mended it.
    world.keys.set(formatHex(serviceKeyId), known);
    expect((await read(hash, headers)).status).toBe(200);
  });

  it('is told not to be registered', async () => {
    await world.stop();
    world = await aWorld({ privateKey: generateKey('ES256') });
    const answer = await read(await aRecord('a'));
    expect(problemOf(answer, 503, 'service-key-unusable').detail).toContain('zegel key add');
  });
});

describe('while the chain is silent', () => {
  it('nothing is read back, and what is public goes on', async () => {
    const hash = await aRecord('a');
    world.state.silent = true;
    const answer = await read(hash);
    problemOf(answer, 503, 'chain-silent');
    expect(answer.headers['retry-after']).toBe('10');
    expect((await read(`${hash}/receipt`, {})).status).toBe(200);
    expect((await ask(world, '/log/checkpoint')).status).toBe(200);
  });
});
