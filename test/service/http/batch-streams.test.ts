/** Uploads as streams: large, slow, without end, or cut off. */

import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseBase64url, utf8 } from '../../../merkle/bytes.ts';
import { verifyInclusion } from '../../../merkle/verify.ts';
import { aBatch, batchRoot, sha256, singleLine, someEvents } from '../../helpers/batches.ts';
import { anEvent } from '../../helpers/builders.ts';
import { outcomes, upload, uploadBody } from './uploads.ts';
import { ask, aWorld, type World } from './world.ts';
import { startWorldProcess, type WorldProcess } from './world-process.ts';

const megabyte = 1 << 20;

describe('a large upload', () => {
  let world: WorldProcess;
  beforeAll(async () => {
    world = await startWorldProcess();
  });
  afterAll(() => world.stop());

  const data = 'x'.repeat(60_000);

  test('of 100 MB in lines leaves memory flat', { timeout: 120_000 }, async () => {
    function* lines(prefix: string, count: number) {
      for (let i = 0; i < count; i++) yield `${singleLine(anEvent({ id: `${prefix}-${i}`, data }))}\n`;
    }
    const send = async (prefix: string, count: number) => {
      const uploaded = await uploadBody(world, Readable.from(lines(prefix, count)));
      expect(outcomes(uploaded)).toEqual(Array(count).fill('201'));
    };
    await send('warm', 700);
    const growth = await world.memoryGrowth(() => send('flat', 1_300));
    expect(growth).toBeLessThan(60 * megabyte);
  });

  test('of 100 MB in batches leaves memory flat', { timeout: 120_000 }, async () => {
    function* lines(prefix: string, count: number) {
      for (let i = 0; i < count; i++)
        yield `${aBatch({ events: someEvents(20, `${prefix}-${i}`, { data }) }).lines.join('\n')}\n`;
    }
    const send = async (prefix: string, count: number) => {
      const uploaded = await uploadBody(world, Readable.from(lines(prefix, count)));
      expect(outcomes(uploaded)).toEqual(Array(20 * count).fill('201'));
    };
    await send('warm-batch', 40);
    const growth = await world.memoryGrowth(() => send('flat-batch', 90));
    expect(growth).toBeLessThan(60 * megabyte);
  });

  // Seven of eight are no events: the tree has all its leaves, and the ledger is not what is measured here.
  test('of one batch of 65,536 is taken apart while others are served', { timeout: 60_000 }, async () => {
    const good = someEvents(8_192, 'largest');
    const leaves = good.flatMap(event => [...Array.from({ length: 7 }, () => utf8('{}')), event]);
    const { lines, statement } = aBatch({ events: leaves });
    const sent = uploadBody(world, Readable.from(lines.map(line => `${line}\n`)));
    let isDone = false;
    const slowest = (async () => {
      let slowestMs = 0;
      while (!isDone) {
        const asked = performance.now();
        expect((await ask(world, '/livez')).status).toBe(200);
        slowestMs = Math.max(slowestMs, performance.now() - asked);
        await setTimeout(20);
      }
      return slowestMs;
    })();
    const uploaded = await sent.finally(() => {
      isDone = true;
    });
    expect(await slowest).toBeLessThan(2_000);
    expect(outcomes(uploaded)).toEqual(leaves.map((_, i) => (i % 8 === 7 ? '201' : '400 record-malformed')));

    // The retry tells where it stands in the tree of all 65,536.
    const [last = utf8('')] = good.slice(-1);
    const again = await uploadBody(world, `${singleLine(last)}\n`);
    const record = new Map(Object.entries(again.answers[0]?.record ?? {}));
    expect(record.get('statement')).toBe(statement);
    const { salt, index, path } = record.get('batch');
    expect(index).toBe(65_535);
    verifyInclusion({
      index,
      size: 65_536,
      leafHash: sha256(Uint8Array.of(0), parseBase64url(salt), last),
      path: path.map((hash: string) => parseBase64url(hash)),
      root: batchRoot(leaves),
    });
  });
});

describe('a connection', () => {
  let world: World;
  beforeAll(async () => {
    world = await aWorld({ limits: { requestTimeoutMs: 600, idleTimeoutMs: 2_500 } });
  });
  afterAll(() => world.stop());

  const head =
    'POST /v1/records/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
  let lastId = 0;
  const freshLine = () => `${singleLine(anEvent({ id: `connection-${lastId++}` }))}\n`;

  /** A connection that has begun an upload, and what came back on it. */
  function beginUpload({ port }: Pick<World, 'port'> = world) {
    const socket: Socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', data => {
      text += data.toString('latin1');
    });
    // A reset is a way of closing, too.
    socket.on('error', () => undefined);
    const closed = new Promise<void>(resolve => socket.on('close', () => resolve()));
    socket.write(head);
    return { socket, text: () => text, count: (what: string) => text.split(what).length - 1, closed };
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await setTimeout(5);
  }

  test('is answered line by line while it is open', async () => {
    const { socket, count, text, closed } = beginUpload();
    for (let i = 1; i <= 3; i++) {
      socket.write(chunk(freshLine()));
      await until(() => count('"status":201') === i);
    }
    socket.end('0\r\n\r\n');
    await until(() => text().includes('checkpoint'));
    await closed;
  });

  test('may take longer than any one line, but no line longer than the limit', async () => {
    const { socket, count, text, closed } = beginUpload();
    const started = performance.now();
    for (let i = 1; i <= 4; i++) {
      socket.write(chunk(freshLine()));
      await until(() => count('"status":201') === i);
      await setTimeout(250);
    }
    expect(performance.now() - started).toBeGreaterThan(1_000);
    const timer = setInterval(() => socket.write(chunk('x')), 50);
    socket.on('close', () => clearInterval(timer));
    await closed;
    expect(count('"status":201')).toBe(4);
    expect(text()).not.toContain('checkpoint');
    expect(world.state.faults).toEqual([]);
  });

  test('that says nothing after its header is answered 408', async () => {
    const { text, closed } = beginUpload();
    await closed;
    expect(text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('that breaks off loses nothing that was answered, and brings in nothing of an unfinished batch', async () => {
    const { socket, count, closed } = beginUpload();
    const { size } = world.ledger.signed();
    const acknowledged = freshLine();
    socket.write(chunk(acknowledged));
    await until(() => count('"status":201') === 1);
    const batch = aBatch({ events: someEvents(10, 'broken-off') });
    socket.write(chunk(`${batch.lines.slice(0, 8).join('\n')}\n`));
    await setTimeout(50);
    socket.destroy();
    await closed;
    await setTimeout(50);
    expect(world.ledger.sequenced).toBe(size + 1);
    const again = await upload(world, [acknowledged.trimEnd(), ...batch.lines]);
    expect(outcomes(again)).toEqual(['200', ...Array(10).fill('201')]);
    expect(world.state.faults).toEqual([]);
  });

  test('that breaks off in the middle of its answers stops costing', async () => {
    const { socket, count, closed } = beginUpload();
    const { size } = world.ledger.signed();
    const batch = aBatch({ events: someEvents(4_000, 'cost') });
    socket.write(`${chunk(`${batch.lines.join('\n')}\n`)}0\r\n\r\n`);
    await until(() => count('"status":201') > 0);
    socket.destroy();
    await closed;
    await setTimeout(100);
    const after = world.ledger.sequenced;
    await setTimeout(300);
    // What was under way goes in; what had not been taken up does not.
    expect(world.ledger.sequenced).toBe(after);
    expect(after).toBeLessThan(size + 4_000);
    expect(world.state.faults).toEqual([]);
  });

  test('whose answers are not read is read no further', { timeout: 20_000 }, async () => {
    const socket = connect(world.port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    socket.write(head);
    const refused = chunk('[]\n'.repeat(10_000));
    let written = 0;
    let isClosed = false;
    socket.on('close', () => {
      isClosed = true;
    });
    while (!isClosed && written < 200 * megabyte) {
      written += refused.length;
      if (!socket.write(refused))
        await Promise.race([
          new Promise(resolve => socket.once('drain', resolve)),
          new Promise(resolve => socket.once('close', resolve)),
        ]);
    }
    expect(written).toBeLessThan(20 * megabyte);
    expect((await ask(world, '/livez')).status).toBe(200);
  });

  test('with a line that does not end is refused, and no record is taken after it', {
    timeout: 30_000,
  }, async () => {
    const { socket, count, text, closed } = beginUpload();
    const { size } = world.ledger.signed();
    const endless = chunk('x'.repeat(megabyte));
    for (let i = 0; i < 70 && !text().includes('checkpoint'); i++) {
      if (!socket.write(endless)) await new Promise(resolve => socket.once('drain', resolve));
      await setTimeout(1);
    }
    await until(() => text().includes('checkpoint'));
    socket.end(chunk(`\n${freshLine()}`));
    await closed;
    expect(count('{"status":413')).toBe(1);
    expect(text()).toContain('the line does not end');
    expect(world.ledger.sequenced).toBe(size);
  });

  test('with an event that does not end counts for what all batches may hold, until it is gone', {
    timeout: 30_000,
  }, async () => {
    const patient = await aWorld();
    const { opening } = aBatch({ events: someEvents(2, 'unfinished') });
    const unfinished = Buffer.alloc(31 * megabyte, 'x');
    const others = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const begun = beginUpload(patient);
        begun.socket.write(`${chunk(`${opening}\n`)}${unfinished.length.toString(16)}\r\n`);
        await new Promise(resolve => begun.socket.write(unfinished, resolve));
        return begun;
      }),
    );
    const sendLarge = async (id: string) => {
      const events = [anEvent({ id, data: 'x'.repeat(16 * megabyte) })];
      const { answers } = await upload(patient, aBatch({ events }).lines);
      return answers[0]?.problem?.type;
    };
    let last = await sendLarge('while');
    for (let i = 0; i < 50 && last !== 'urn:problem-type:zegel:log-busy'; i++)
      last = await sendLarge('while');
    expect(last).toBe('urn:problem-type:zegel:log-busy');

    for (const { socket, closed } of others) {
      socket.destroy();
      await closed;
    }
    // The event is too large to be recorded, but there was room to read it.
    for (let i = 0; i < 50 && last === 'urn:problem-type:zegel:log-busy'; i++)
      last = await sendLarge('after');
    expect(last).toBe('urn:problem-type:zegel:record-malformed');
    await patient.stop();
  });

  test('in pieces of a byte is read as any other', async () => {
    const { socket, count, text } = beginUpload();
    const line = freshLine();
    socket.write([...`${line}[]\n${freshLine()}`].map(chunk).join(''));
    socket.write('0\r\n\r\n');
    await until(() => text().includes('checkpoint'));
    expect(count('"status":201')).toBe(2);
    socket.destroy();
  });

  test('keeps what was answered when the service stops, and is told that no more is taken', async () => {
    const ending = await aWorld();
    const { socket, count, text, closed } = beginUpload(ending);
    socket.write(chunk(freshLine()));
    await until(() => count('"status":201') === 1);
    const stopped = ending.stop();
    socket.write(chunk(freshLine()));
    await until(() => text().includes('checkpoint'));
    socket.end('0\r\n\r\n');
    await closed;
    await stopped;
    expect(count('{"status":503')).toBe(1);
    expect(text()).toContain('urn:problem-type:zegel:log-stopping');
    expect(ending.ledger.sequenced).toBe(2);
  });
});
