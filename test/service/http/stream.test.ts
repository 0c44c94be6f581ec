/** The log's stream of events: what comes, in which order, after a break, at the limits, and in the end. */

import { getEventListeners, once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ListedAnchor } from '../../../service/http/anchors.ts';
import { anEvent, aStatement } from '../../helpers/builders.ts';
import { testStart } from '../../helpers/ledger.ts';
import { until } from './connections.ts';
import { eventsIn, pass, type Watching, watching } from './watching.ts';
import { ask, aWorld, problemOf, submit, type World } from './world.ts';

const anAnchor = (size: number): ListedAnchor => ({
  size,
  root: new Uint8Array(32).fill(size),
  block: 100 + size,
  blockHash: new Uint8Array(32).fill(1),
  blockTime: testStart / 1000 + 12,
  transaction: new Uint8Array(32).fill(2),
  checkpoint: 'note',
  evidence: null,
});

let world: World;
beforeEach(async () => {
  world = await aWorld({ anchors: [anAnchor(1)] });
});
afterEach(() => world.stop(0));

let lastId = 0;
async function record(): Promise<void> {
  const answer = await submit(world, aStatement({ payload: anEvent({ id: `stream-${lastId++}` }) }));
  expect(answer.status).toBe(201);
}

const names = ({ events }: Watching) => events().map(({ name }) => name);
/** What has come since somebody had so many events. */
const since = ({ events }: Watching, count: number) => events().slice(count);

describe('who comes for the first time', () => {
  it('is told how things are, as server-sent events that nobody keeps', async () => {
    await record();
    const watched = await watching(world);
    expect(watched.answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    expect(watched.text()).toMatch(/^retry: 3000\n\nevent: anchor\nid: 2-1\ndata: \{/);
    expect(watched.events()).toMatchObject([
      { name: 'anchor', id: '2-1', data: { size: 1, block: 101, lagMs: null } },
      { name: 'size', id: '2-1', data: { sizes: { sequenced: 2, signed: 2, anchored: 1, final: 1 } } },
      { name: 'health', id: '2-1', data: { status: 'UP', reasons: [], chain: 'good', waitingSince: null } },
    ]);
    const minutes = watched.events()[1]?.data['minutes'] as number[];
    expect(minutes).toHaveLength(60);
    expect(minutes.at(-1)).toBe(1);
    watched.req.destroy();
  });

  it('is shown the newest ten anchors, oldest first, each with its lag', async () => {
    for (let i = 0; i < 30; i++) await record();
    for (let size = 2; size <= 31; size++) world.anchors.push(anAnchor(size));
    const watched = await watching(world);
    const anchors = watched.events().filter(({ name }) => name === 'anchor');
    expect(anchors.map(({ data }) => data['size'])).toEqual([22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
    expect(new Set(anchors.map(({ data }) => data['lagMs']))).toEqual(new Set([12_000]));
    watched.req.destroy();
  });
});

describe('who watches', () => {
  it('is told of new sizes once a second, however many there were, of anchors and of health', async () => {
    const watched = await watching(world);
    let count = watched.events().length;
    for (let i = 0; i < 3; i++) await record();
    expect(since(watched, count)).toEqual([]);
    await pass(world);
    await until(() => watched.events().length > count);
    expect(since(watched, count)).toMatchObject([
      { name: 'size', id: '4-1', data: { sizes: { signed: 4 } } },
    ]);

    count = watched.events().length;
    world.anchors.push(anAnchor(3), anAnchor(4));
    await pass(world);
    await until(() => watched.events().length > count + 2);
    expect(since(watched, count)).toMatchObject([
      { name: 'anchor', id: '4-3', data: { size: 3, lagMs: 12_000 } },
      { name: 'anchor', id: '4-4', data: { size: 4 } },
      { name: 'size', id: '4-4', data: { sizes: { final: 4 } } },
    ]);

    count = watched.events().length;
    world.state.health = { status: 'DEGRADED', reasons: ['CHAIN_UNREACHABLE'] };
    world.state.waitingSince = testStart;
    await pass(world);
    await until(() => watched.events().length > count);
    expect(since(watched, count)).toMatchObject([
      {
        name: 'health',
        data: { status: 'DEGRADED', chain: 'silent', waitingSince: '2026-11-24T08:00:00.000Z' },
      },
    ]);
    watched.req.destroy();
  });

  it.each([
    [['CHAIN_SILENT'], 'silent'],
    [['BALANCE_TOO_LOW'], 'trouble'],
    [['ANCHOR_LATE'], 'trouble'],
    [['STORE_FAULT'], 'good'],
  ] as const)('is told what %j says of the chain', async (reasons, chain) => {
    world.state.health = { status: 'DEGRADED', reasons };
    const watched = await watching(world);
    expect(watched.events().at(-1)?.data['chain']).toBe(chain);
    watched.req.destroy();
  });

  it('hears something every 15 seconds, and nothing between', async () => {
    const watched = await watching(world);
    const before = watched.text();
    await pass(world, 14);
    expect(watched.text()).toBe(before);
    await pass(world, 1);
    await until(() => watched.text() !== before);
    expect(watched.text()).toBe(`${before}:\n\n`);
    watched.req.destroy();
  });

  it('is told the same as all others', async () => {
    const [a, b] = [await watching(world), await watching(world)];
    await record();
    await pass(world);
    await until(() => [a, b].every(each => names(each).filter(name => name === 'size').length === 2));
    expect(since(a, 3)).toEqual(since(b, 3));
    expect(world.ticks.size).toBe(1);
    for (const { req } of [a, b]) req.destroy();
  });
});

describe('who comes again', () => {
  it('is told of the anchors that it has missed, and of no other', async () => {
    for (let i = 0; i < 3; i++) await record();
    for (const size of [2, 3, 4]) world.anchors.push(anAnchor(size));
    const watched = await watching(world, { 'last-event-id': '3-2' });
    expect(watched.events().map(({ name, data }) => [name, data['size']])).toEqual([
      ['anchor', 3],
      ['anchor', 4],
      ['size', undefined],
      ['health', undefined],
    ]);
    watched.req.destroy();
  });

  it('goes on from any event as if it had never been away', async () => {
    for (let i = 0; i < 3; i++) await record();
    for (const size of [2, 3, 4]) world.anchors.push(anAnchor(size));
    const whole = await watching(world);
    for (const [i, { id }] of whole.events().entries()) {
      const again = await watching(world, { 'last-event-id': id });
      const anchors = (events: readonly { name: string; data: Record<string, unknown> }[]) =>
        events.filter(({ name }) => name === 'anchor').map(({ data }) => data['size']);
      expect([...anchors(whole.events().slice(0, i + 1)), ...anchors(again.events())], id).toEqual([
        1, 2, 3, 4,
      ]);
      again.req.destroy();
    }
    whole.req.destroy();
  });

  it.each(['9007199254740991-1', '1-9', 'junk', '1', '-', '01-01', '1-1-1', '99999999999999999-1'])(
    'with "%s", which is no place in this log, is told as one who comes for the first time',
    async id => {
      const watched = await watching(world, { 'last-event-id': id });
      expect(names(watched)).toEqual(['anchor', 'size', 'health']);
      watched.req.destroy();
    },
  );
});

describe('limits', () => {
  it('are 20 streams from one address, and another address has its own', async () => {
    const begun = await Promise.all(Array.from({ length: 20 }, () => watching(world)));
    const answer = await ask(world, '/v1/log/stream');
    expect(problemOf(answer, 429, 'address-limit').detail).toBe(
      '20 streams of this address are under way: try again in 30 s',
    );
    expect(answer.headers['retry-after']).toBe('30');
    const other = await watching({ port: world.port, localAddress: '127.0.0.2' });
    begun[0]?.req.destroy();
    await until(() => world.limits.underWay.streams === 20);
    begun[0] = await watching(world);
    for (const { req } of [...begun, other]) req.destroy();
    await until(() => world.limits.underWay.streams === 0);
    expect((await ask(world, '/metrics')).body).toContain('zegel_limited_total{limit="streams"} 1');
  });

  it('do not hold a stream for what other requests may', async () => {
    const watched = await watching(world);
    expect((await ask(world, '/v1/log')).status).toBe(200);
    watched.req.destroy();
  });

  it('cut off who does not read', { timeout: 60_000 }, async () => {
    const socket = connect(world.port, '127.0.0.1');
    socket.pause();
    socket.write('GET /v1/log/stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => world.pulse.watching === 1);
    // Until all that the kernel holds for it is full, and then some.
    for (let i = 0; world.pulse.watching > 0; i++) {
      world.state.waitingSince = i;
      for (const tick of world.ticks) tick();
      await setImmediate();
      expect(i).toBeLessThan(200_000);
    }
    await until(() => world.limits.underWay.streams === 0);
    socket.destroy();
  });
});

describe('the end', () => {
  it('of the last watcher ends the timer, and leaves nothing behind', async () => {
    const { signal } = world.stopping;
    const before = getEventListeners(signal, 'abort').length;
    const begun = await Promise.all(Array.from({ length: 3 }, () => watching(world)));
    expect(world.ticks.size).toBe(1);
    for (const { req } of begun) req.destroy();
    await until(() => world.limits.underWay.streams === 0);
    expect(world.pulse.watching).toBe(0);
    expect(world.ticks.size).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(before);
  });

  it('of a connection that closes at once is the end of its stream', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = connect(world.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write('GET /v1/log/stream HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.destroy();
    }
    await setTimeout(100);
    await until(() => world.limits.underWay.streams === 0);
    expect(world.pulse.watching).toBe(0);
    expect(world.ticks.size).toBe(0);
  });

  it('of the service is the whole end of every stream', async () => {
    const begun = await Promise.all(Array.from({ length: 3 }, () => watching(world)));
    const stopped = world.stop(10_000);
    expect(await Promise.all(begun.map(({ ended }) => ended))).toEqual(['whole', 'whole', 'whole']);
    await stopped;
    expect(world.ticks.size).toBe(0);
    world = await aWorld();
  });

  it('of the service comes after all that was said, and nothing is said after it', async () => {
    const watched = await watching(world);
    world.state.health = { status: 'DOWN', reasons: ['LOG_STOPPING'] };
    const stopped = world.stop(10_000);
    for (const tick of world.ticks) tick();
    expect(await watched.ended).toBe('whole');
    await stopped;
    expect(world.state.faults).toEqual([]);
    world = await aWorld();
  });

  it('does not come by itself while something is heard', async () => {
    const idle = await aWorld({ limits: { idleTimeoutMs: 400 } });
    const watched = await watching(idle);
    for (let i = 0; i < 12; i++) {
      await setTimeout(100);
      await pass(idle, 15);
    }
    await pass(idle, 15);
    expect(idle.pulse.watching).toBe(1);
    expect(watched.text().match(/^:$/gm)?.length).toBeGreaterThan(10);
    // And where nothing is, it does.
    await watched.ended;
    await until(() => idle.pulse.watching === 0);
    await idle.stop(0);
  });

  it('of a look that fails is reported, and the stream goes on', async () => {
    const watched = await watching(world);
    const { length } = watched.events();
    world.state.health = { status: 'UP', reasons: [] };
    const { entry } = world.ledger.read;
    world.ledger.read.entry = () => Promise.reject(new Error('a fault of ours'));
    await record();
    world.anchors.push(anAnchor(2));
    await pass(world);
    await until(() => world.state.faults.length === 1);
    world.ledger.read.entry = entry;
    await pass(world);
    await until(() => watched.events().length > length);
    expect(eventsIn(watched.text()).slice(length)).toMatchObject([
      { name: 'anchor', data: { size: 2 } },
      { name: 'size' },
    ]);
    watched.req.destroy();
  });
});

describe('other methods', () => {
  it.each(['HEAD', 'POST', 'PUT'])('%s is not allowed', async method => {
    expect((await ask(world, '/v1/log/stream', { method })).status).toBe(405);
  });
});
