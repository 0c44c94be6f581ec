/** What no HTTP client would send, byte by byte over a socket: ambiguous, endless, slow and broken requests. */

import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEvent, aStatement } from '../../helpers/builders.ts';
import { ask, aWorld, submit, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await aWorld({
    limits: {
      headersTimeoutMs: 400,
      requestTimeoutMs: 800,
      checkingIntervalMs: 50,
      keepAliveTimeoutMs: 300,
      idleTimeoutMs: 1_500,
      maxConnections: 40,
    },
  });
});
afterAll(() => world.stop());

/** Sends bytes and gives all that comes back until the server closes, and after how many milliseconds. */
function exchange(
  parts: readonly string[],
  write?: (socket: Socket) => void,
): Promise<{ text: string; ms: number }> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<{ text: string; ms: number }>();
  const socket = connect(world.port, '127.0.0.1');
  let text = '';
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
  });
  // A reset is a way of closing, too.
  socket.on('error', () => undefined);
  socket.on('close', () => resolve({ text, ms: performance.now() - started }));
  for (const part of parts) socket.write(part, 'latin1');
  write?.(socket);
  return promise;
}

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]));
}

const statement = aStatement({ payload: anEvent({ id: 'socket' }) });
const get = 'GET /livez HTTP/1.1\r\n';
const post = 'POST /v1/records HTTP/1.1\r\nHost: x\r\nContent-Type: application/jose\r\n';
const last = 'Connection: close\r\n\r\n';
const smuggled = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';

/** Holds that the socket brought no record into the log, and nothing of ours into the answer. */
async function refusedRaw(parts: readonly string[], status: number): Promise<string> {
  const { size } = world.ledger.signed();
  const { text } = await exchange(parts);
  expect(statuses(text)).toEqual([status]);
  expect(text).toContain('application/problem+json');
  expect(text).toContain('urn:problem-type:zegel:');
  expect(text).not.toMatch(/\.ts|node_modules|process_cpu/);
  expect(world.ledger.sequenced).toBe(size);
  return text;
}

describe('a field that stands twice', () => {
  test.each([
    ['Host', `${get}Host: x\r\nHost: evil\r\n${last}`],
    ['Host in two cases', `${get}Host: x\r\nhOST: evil\r\n${last}`],
    ['the same Host', `${get}Host: x\r\nHost: x\r\n${last}`],
    ['Authorization', `${get}Host: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n${last}`],
    [
      'Content-Type',
      `${post}Content-Type: text/plain\r\nContent-Length: ${statement.length}\r\n${last}${statement}`,
    ],
    [
      'Content-Length',
      `${post}Content-Length: ${statement.length}\r\nContent-Length: 0\r\n${last}${statement}`,
    ],
    ['the same Content-Length', `${post}Content-Length: 4\r\nContent-Length: 4\r\n${last}abcd`],
    ['Host after a thousand fields', `${get}Host: x\r\n${'A: b\r\n'.repeat(2_100)}Host: evil\r\n${last}`],
  ])('%s is refused', async (_, text) => {
    await refusedRaw([text], 400);
  });
});

describe('a field that is not there or not known', () => {
  test('Host missing is refused, but for HTTP/1.0, which has none', async () => {
    await refusedRaw([`${get}${last}`], 400);
    expect(statuses((await exchange([`GET /livez HTTP/1.0\r\n\r\n`])).text)).toEqual([200]);
  });

  test('an unknown expectation changes nothing', async () => {
    expect(statuses((await exchange([`${get}Host: x\r\nExpect: tea\r\n${last}`])).text)).toEqual([200]);
  });
});

describe('a body whose length can be read in two ways', () => {
  test.each([
    [
      'Content-Length and chunked',
      `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    [
      'chunked and Content-Length',
      `${post}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n${smuggled}`,
    ],
    ['two codings', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
    ['another coding', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a space before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a folded line', `${post}Transfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n\r\nabc${smuggled}`],
    ['a signed length', `${post}Content-Length: +6\r\n\r\nabcdef${smuggled}`],
    ['a negative length', `${post}Content-Length: -1\r\n\r\n${smuggled}`],
    ['a hexadecimal length', `${post}Content-Length: 0x6\r\n\r\nabcdef${smuggled}`],
    ['a length beyond 2^64', `${post}Content-Length: 18446744073709551620\r\n\r\nabcd${smuggled}`],
    ['two lengths in one', `${post}Content-Length: 6, 6\r\n\r\nabcdef${smuggled}`],
    ['a chunk size that is none', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`],
    [
      'a chunk that ends without CRLF',
      `${post}Transfer-Encoding: chunked\r\n\r\n3\r\nabcX0\r\n\r\n${smuggled}`,
    ],
    ['a bare LF in the header', `${get}Host: x\nX: y\r\n${last}`],
    ['a NUL in the header', `${get}Host: x\r\nX: a\0b\r\n${last}`],
    ['no HTTP', `hello\r\n\r\n`],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a space in the path', `GET /livez HTTP/1.1 HTTP/1.1\r\nHost: x\r\n${last}`],
  ])('%s is refused, and what follows is not a request', async (_, text) => {
    const { size } = world.ledger.signed();
    const answer = await exchange([text]);
    for (const status of statuses(answer.text)) expect(status).toBeGreaterThanOrEqual(400);
    expect(statuses(answer.text).length).toBeLessThanOrEqual(1);
    expect(answer.text).not.toContain('process_cpu');
    expect(world.ledger.sequenced).toBe(size);
  });

  test('a length that is too short leaves a rest that is no request', async () => {
    const { text } = await exchange([`${post}Content-Length: 10\r\n\r\n${statement}`]);
    expect(statuses(text)).toEqual([400]);
  });

  test('a whole request before a broken one keeps its own answer', async () => {
    const body = aStatement({ payload: anEvent({ id: 'before-broken' }) });
    const { text } = await exchange([`${post}Content-Length: ${body.length}\r\n\r\n${body}hello\r\n\r\n`]);
    expect(statuses(text)).toEqual([201]);
    expect(text).toContain('Connection: close');
  });

  test('a length that is too long is waited for, and then refused', async () => {
    const { size } = world.ledger.signed();
    const { text, ms } = await exchange([
      `${post}Content-Length: ${statement.length + 1}\r\n\r\n${statement}`,
    ]);
    expect(statuses(text)).toEqual([408]);
    expect(ms).toBeLessThan(3_000);
    expect(world.ledger.sequenced).toBe(size);
  });

  test('a sender that closes too early changes nothing', async () => {
    const { size } = world.ledger.signed();
    await exchange([`${post}Content-Length: ${statement.length + 1}\r\n\r\n${statement}`], socket =>
      socket.end(),
    );
    expect(world.ledger.sequenced).toBe(size);
    expect(world.state.faults).toEqual([]);
  });
});

describe('a body without end', () => {
  test('in chunks is cut at the limit, with an answer', async () => {
    const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`;
    const { text, ms } = await exchange([`${post}Transfer-Encoding: chunked\r\n\r\n`], socket => {
      const timer = setInterval(() => socket.write(chunk), 5);
      socket.on('close', () => clearInterval(timer));
    });
    expect(statuses(text)).toEqual([413]);
    expect(text).toContain('body-too-large');
    expect(ms).toBeLessThan(4_000);
  });

  test('announced by its length is refused before it comes', async () => {
    const { text } = await exchange([`${post}Content-Length: 100000000000\r\n\r\nabc`]);
    expect(statuses(text)).toEqual([413]);
  });

  test('in chunk extensions is refused', async () => {
    const { text } = await exchange([`${post}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(100_000)}`]);
    expect(statuses(text).every(status => status >= 400)).toBe(true);
  });
});

describe('S14: slowness', () => {
  test('a header that trickles is cut off', async () => {
    const { text, ms } = await exchange([`${get}Host: x\r\n`], socket => {
      const timer = setInterval(() => socket.write('X: y\r\n'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    expect(statuses(text)).toEqual([408]);
    expect(ms).toBeLessThan(2_000);
  });

  test('a body that trickles is cut off', async () => {
    const { text, ms } = await exchange([`${post}Content-Length: 1000\r\n\r\n`], socket => {
      const timer = setInterval(() => socket.write('a'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    expect(statuses(text)).toEqual([408]);
    expect(ms).toBeLessThan(3_000);
  });

  test('a connection that says nothing is closed', async () => {
    const { text, ms } = await exchange([]);
    expect(statuses(text).every(status => status === 408)).toBe(true);
    expect(ms).toBeLessThan(3_000);
  });

  test('a connection that waits after its answer is closed', async () => {
    const { text, ms } = await exchange([`${get}Host: x\r\n\r\n`]);
    expect(statuses(text)).toEqual([200]);
    expect(ms).toBeLessThan(3_000);
  });

  test('connections of one address beyond its limit are closed, and another address still gets one', async () => {
    const fair = await aWorld({ limits: { maxConnectionsPerAddress: 5 } });
    const sockets = Array.from({ length: 5 }, () => connect(fair.port, '127.0.0.1'));
    await Promise.all(sockets.map(socket => new Promise(resolve => socket.once('connect', resolve))));
    await expect(ask(fair, '/livez')).rejects.toThrow();
    expect((await ask({ ...fair, localAddress: '127.0.0.2' }, '/livez')).status).toBe(200);
    sockets[0]?.destroy();
    let answer = await ask(fair, '/livez').catch(() => undefined);
    while (answer === undefined) answer = await ask(fair, '/livez').catch(() => undefined);
    expect(answer.status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await fair.stop();
  });

  test('connections beyond the limit are closed, and those within it go on', async () => {
    const sockets = Array.from({ length: 100 }, () => connect(world.port, '127.0.0.1'));
    await Promise.all(
      sockets.map(
        socket =>
          new Promise<void>(resolve => {
            socket.on('error', () => undefined);
            socket.resume();
            socket.once('close', () => resolve());
          }),
      ),
    );
    expect((await ask(world, '/livez')).status).toBe(200);
  });
});

describe('limits of the header', () => {
  test('a header that is too large is refused with 431', async () => {
    const text = await refusedRaw([`${get}Host: x\r\nX: ${'a'.repeat(20_000)}\r\n${last}`], 431);
    expect(text).toContain('API-Version: 1.0.0');
  });

  test('a path that is too long is refused', async () => {
    await refusedRaw([`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n${last}`], 431);
  });

  test('identifiers that are no printable ASCII are dropped (S15)', async () => {
    for (const id of ['\u001b[31m', 'caf\u00e9', '\u0085', '\u009b2J']) {
      const { text } = await exchange([`${get}Host: x\r\nX-Correlation-Id: ${id}\r\n${last}`]);
      expect(text).not.toContain(id);
      expect(text.toLowerCase()).not.toContain('x-correlation-id');
    }
  });

  test('an absolute target is answered as its path, and its host ignored (S16)', async () => {
    const { text } = await exchange([`GET http://evil.example/v1/log HTTP/1.1\r\nHost: x\r\n${last}`]);
    expect(statuses(text)).toEqual([200]);
    expect(text).not.toContain('evil');
  });

  test('CONNECT and upgrades open nothing', async () => {
    const connected = await exchange([`CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n`]);
    expect(statuses(connected.text)).toEqual([]);
    const upgraded = await exchange([`${get}Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`]);
    expect(statuses(upgraded.text)).toEqual([200]);
  });

  test('two requests at once get their two answers in order', async () => {
    const { text } = await exchange([`${get}Host: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n${last}`]);
    expect(statuses(text)).toEqual([200, 404]);
  });

  test('the service still takes a record after all this', async () => {
    expect((await submit(world, statement)).status).toBe(201);
    expect(world.state.faults).toEqual([]);
  });
});
