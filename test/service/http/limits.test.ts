import { afterEach, describe, expect, test } from 'vitest';
import { burstS } from '../../../service/http/allowance.ts';
import { costs, type LimitSettings } from '../../../service/http/limits.ts';
import { aBatch, singleLine, someEvents } from '../../helpers/batches.ts';
import { anEvent, aStatement } from '../../helpers/builders.ts';
import { beginUpload, until } from './connections.ts';
import { outcomes, upload, uploadRaw } from './uploads.ts';
import { ask, aWorld, problemOf, submit, type World } from './world.ts';

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

/** A world whose limits see only the time that a test lets pass. */
async function aLimitedWorld(rates: Partial<LimitSettings>) {
  const clock = { ms: 0 };
  const world = await aWorld({ rates, elapsed: () => clock.ms });
  worlds.push(world);
  return { world, clock, other: { ...world, localAddress: '127.0.0.2' } };
}

let lastId = 0;
const freshEvent = () => anEvent({ id: `limits-${lastId++}` });
const freshStatement = () => aStatement({ payload: freshEvent() });
const good = '201';

describe('an address that sends junk', () => {
  test('is refused with 429 when it has used up what it may, and taken again after the time that it was told', async () => {
    const { world, clock } = await aLimitedWorld({ addressLimit: 10 });
    const refusals = Math.ceil((10 * burstS) / costs.refusal);
    for (let i = 0; i < refusals; i++) expect((await submit(world, 'junk')).status).toBe(400);
    const answer = await submit(world, freshStatement());
    expect(problemOf(answer, 429, 'address-limit').detail).toBe(
      'the address has submitted more than its limit of 10 a second: try again in 1 s',
    );
    expect(answer.headers['retry-after']).toBe('1');
    clock.ms += 1_001;
    expect((await submit(world, freshStatement())).status).toBe(201);
    expect((await ask(world, '/metrics')).body).toContain('zegel_limited_total{limit="address"} 1');
  });

  test('starves none but itself, and cannot pass for others', async () => {
    const { world, other } = await aLimitedWorld({ addressLimit: 1 });
    expect((await submit(world, 'junk')).status).toBe(400);
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'true-client-ip'])
      problemOf(await submit(world, freshStatement(), { [header]: '127.0.0.9' }), 429, 'address-limit');
    expect((await submit(other, freshStatement())).status).toBe(201);
  });

  test('is read no further where it would have to wait for long, and gets what was answered until then', async () => {
    const { world, other } = await aLimitedWorld({ addressLimit: 1 });
    const lines = [singleLine(freshEvent()), '[]', singleLine(freshEvent()), '[]'];
    const { answers } = await upload(world, lines);
    expect(outcomes({ answers })).toEqual([good, '400 record-malformed', '429 address-limit']);
    expect(answers[2]?.problem?.detail).toMatch(/try again in \d+ s$/);
    expect(outcomes(await upload(other, [singleLine(freshEvent())]))).toEqual([good]);
  });

  test('is slowed down before it is refused', async () => {
    const world = await aWorld({ rates: { addressLimit: 100 } });
    worlds.push(world);
    const lines = Array.from({ length: (100 * burstS) / costs.refusal + 1 }, () => '[]');
    const started = performance.now();
    const uploaded = await upload(world, [...lines, singleLine(freshEvent())]);
    expect(outcomes(uploaded)).toEqual([...lines.map(() => '400 record-malformed'), good]);
    expect(performance.now() - started).toBeGreaterThan(300);
  });

  test('pays for every event of a batch whose root does not fit, and the key that signed the batch does not', async () => {
    const { world, other } = await aLimitedWorld({ addressLimit: 100, keyLimit: 1 });
    const events = someEvents(1_000, 'replayed');
    const { statement } = aBatch({ events });
    const replay = JSON.stringify({ statement, secret: 'A'.repeat(43) });
    const lines = [replay, ...events.map(event => Buffer.from(event).toString())];
    expect(outcomes(await upload(other, lines))).toEqual(Array(1_000).fill('400 record-malformed'));
    problemOf(await submit(other, freshStatement()), 429, 'address-limit');
    const own = Array.from({ length: burstS }, () => singleLine(freshEvent()));
    expect(outcomes(await upload(world, own))).toEqual(own.map(() => good));
  });

  test('pays nothing more for a batch that is good', async () => {
    const { world } = await aLimitedWorld({ addressLimit: 100 });
    // Half of it is taken before the root is known to fit.
    for (let i = 0; i < 3; i++) {
      const { lines } = aBatch({ events: someEvents(500, `good-${i}`) });
      expect(outcomes(await upload(world, lines))).toEqual(Array(500).fill(good));
    }
    expect((await submit(world, freshStatement())).status).toBe(201);
  });

  test('has no limit where an address says nothing', async () => {
    const { world } = await aLimitedWorld({ addressLimit: 0 });
    for (let i = 0; i < 50; i++) expect((await submit(world, 'junk')).status).toBe(400);
    expect((await submit(world, freshStatement())).status).toBe(201);
  });
});

describe('a flood of junk from one address', () => {
  test('leaves an honest one its records, and is soon not looked at any more', {
    timeout: 60_000,
  }, async () => {
    const { world, other } = await aLimitedWorld({ addressLimit: 100 });
    const events = someEvents(2_000, 'flood');
    const { statement } = aBatch({ events });
    const secret = 'A'.repeat(43);
    const lines = [JSON.stringify({ statement, secret }), ...events.map(event => Buffer.from(event))];
    const replay = lines.map(line => `${line}\n`).join('');
    const met: number[] = [];
    const flooding = Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 10; i++) met.push((await uploadRaw(other, replay)).status);
    });
    const own = Array.from({ length: 1_500 }, () => singleLine(freshEvent()));
    expect(outcomes(await upload(world, own))).toEqual(own.map(() => good));
    await Promise.all(flooding);
    expect(met.filter(status => status === 200).length).toBeLessThanOrEqual(4);
    expect(met.filter(status => status === 429).length).toBeGreaterThanOrEqual(36);
  });
});

describe('a key', () => {
  test('brings as many new records as it may, and then 429, while another key goes on', async () => {
    const { world, clock } = await aLimitedWorld({ keyLimit: 1 });
    for (let i = 0; i < burstS; i++) expect((await submit(world, freshStatement())).status).toBe(201);
    const answer = await submit(world, freshStatement());
    expect(problemOf(answer, 429, 'key-limit').detail).toBe(
      'the key has brought more new records than its limit of 1 a second: try again in 1 s',
    );
    expect(answer.headers['retry-after']).toBe('1');
    const statement = aStatement({ payload: freshEvent(), alg: 'Ed25519' });
    expect((await submit(world, statement)).status).toBe(201);
    clock.ms += 1_001;
    expect((await submit(world, freshStatement())).status).toBe(201);
    expect((await ask(world, '/metrics')).body).toContain('zegel_limited_total{limit="key"} 1');
  });

  test('is not used up by who sends its records again', async () => {
    const { world, other } = await aLimitedWorld({ keyLimit: 1 });
    const seen = freshStatement();
    expect((await submit(world, seen)).status).toBe(201);
    for (let i = 0; i < burstS; i++) expect((await submit(other, seen)).status).toBe(200);
    const line = JSON.stringify({ statement: seen });
    const again = await upload(
      other,
      Array.from({ length: burstS }, () => line),
    );
    expect(outcomes(again)).toEqual(Array(burstS).fill('200'));
    for (let i = 1; i < burstS; i++) expect((await submit(world, freshStatement())).status).toBe(201);
  });

  test('that has brought too much in a batch is refused line by line where it would have to wait for long', async () => {
    const { world } = await aLimitedWorld({ keyLimit: 1 });
    const { lines } = aBatch({ events: someEvents(100, 'too-much') });
    expect(outcomes(await upload(world, lines))).toEqual(Array(100).fill(good));
    const others = [singleLine(freshEvent()), singleLine(freshEvent(), 'RS256')];
    expect(outcomes(await upload(world, others))).toEqual(['429 key-limit', good]);
  });
});

describe('reading', () => {
  test('has a limit of its own, which does not hold for probes', async () => {
    const { world, other, clock } = await aLimitedWorld({ readLimit: 1 });
    for (let i = 0; i < burstS; i++) expect((await ask(world, '/v1/log')).status).toBe(200);
    const answer = await ask(world, '/log/checkpoint');
    expect(problemOf(answer, 429, 'address-limit').detail).toBe(
      'the address has asked for more than its limit of 1 a second: try again in 1 s',
    );
    expect(answer.headers['retry-after']).toBe('1');
    for (const path of ['/health', '/livez', '/readyz']) expect((await ask(world, path)).status).toBe(200);
    expect((await ask(other, '/v1/log')).status).toBe(200);
    expect((await submit(world, freshStatement())).status).toBe(201);
    clock.ms += 1_001;
    expect((await ask(world, '/v1/log')).status).toBe(200);
  });
});

describe('uploads at the same time', () => {
  test('are so many from one address, until one of them ends', async () => {
    const { world, other } = await aLimitedWorld({});
    const begun = Array.from({ length: 16 }, () => beginUpload(world));
    await until(() => world.limits.underWay.uploads === 16);
    const line = singleLine(freshEvent());
    const answer = await ask(world, '/v1/records/batch', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${line}\n`,
    });
    problemOf(answer, 429, 'address-limit');
    expect(answer.headers['retry-after']).toBe('5');
    expect(outcomes(await upload(other, [singleLine(freshEvent())]))).toEqual([good]);
    begun[0]?.socket.destroy();
    await until(() => world.limits.underWay.uploads === 15);
    expect(outcomes(await upload(world, [line]))).toEqual([good]);
    for (const { socket } of begun) socket.destroy();
    await until(() => world.limits.underWay.uploads === 0);
  });

  test('are so many in all, and 503 beyond', async () => {
    const { world } = await aLimitedWorld({ addressLimit: 0 });
    const begun = Array.from({ length: 128 }, () => beginUpload(world));
    await until(() => world.limits.underWay.uploads === 128);
    const answer = await ask(world, '/v1/records/batch', {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    problemOf(answer, 503, 'log-busy');
    expect(answer.headers['retry-after']).toBe('5');
    for (const { socket } of begun) socket.destroy();
    await until(() => world.limits.underWay.uploads === 0);
  });
});
