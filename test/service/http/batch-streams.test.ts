/** Uploads as streams: large, slow, without end, or cut off. */

import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseBase64url, utf8 } from '../../../merkle/bytes.ts';
import { verifyInclusion } from '../../../merkle/verify.ts';
import { aBatch, batchRoot, sha256, singleLine, someEvents } from '../../helpers/batches.ts';
import { anEvent } from '../../helpers/builders.ts';
import { beginUpload as beginUploadOn, chunk, until, uploadHead } from './connections.ts';
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
    expect(growth).toBeLessThan(90 * megabyte);
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
    expect(growth).toBeLessThan(90 * megabyte);
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

  let lastId = 0;
  const freshLine = () => `${singleLine(anEvent({ id: `connection-${lastId++}` }))}\n`;

  const beginUpload = ({ port }: Pick<World, 'port'> = world) => beginUploadOn({ port });

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

  /** Writes something again and again until the connection is closed. */
  async function drip({ socket, closed }: ReturnType<typeof beginUpload>, text: () => string) {
    const timer = setInterval(() => socket.write(chunk(text())), 50);
    await closed;
    clearInterval(timer);
  }

  /** Holds that an upload was ended in order: so many lines say that it was too slow, and the last that what came before is kept. */
  function cutOff({ text, count }: ReturnType<typeof beginUpload>, unanswered: number) {
    expect(count('{"status":408')).toBe(unanswered);
    expect(count('urn:problem-type:zegel:request-timeout')).toBe(unanswered);
    expect(text()).toMatch(/\{"checkpoint":"[^"]*"\}\n\r\n0\r\n\r\n$/);
    expect(world.state.faults).toEqual([]);
  }

  test('may go on for as long as it brings new records, and is cut off when it drips', async () => {
    const begun = beginUpload();
    const { socket, count } = begun;
    const started = performance.now();
    for (let i = 1; i <= 4; i++) {
      socket.write(chunk(freshLine()));
      await until(() => count('"status":201') === i);
      await setTimeout(250);
    }
    expect(performance.now() - started).toBeGreaterThan(1_000);
    await drip(begun, () => 'x');
    expect(count('"status":201')).toBe(4);
    cutOff(begun, 1);
  });

  test.each([
    ['lines that are refused', () => '[]\n'],
    [
      'a line that was sent before',
      (() => {
        const line = freshLine();
        return () => line;
      })(),
    ],
  ])('is cut off when it drips %s', async (_, line) => {
    const begun = beginUpload();
    const started = performance.now();
    await drip(begun, line);
    expect(performance.now() - started).toBeLessThan(5_000);
    cutOff(begun, 0);
  });

  test('is cut off when the events of a batch drip, and the batch is refused whole', async () => {
    const batch = aBatch({ events: someEvents(100, 'dripping') });
    const { size } = world.ledger.signed();
    const begun = beginUpload();
    let sent = 0;
    await drip(begun, () => `${batch.lines[sent++]}\n`);
    expect(sent).toBeGreaterThan(5);
    cutOff(begun, 100);
    expect(world.ledger.sequenced).toBe(size);
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
    socket.write(uploadHead);
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

  test('with an event that does not end counts for what its address may hold, and leaves room for others', {
    timeout: 30_000,
  }, async () => {
    const patient = await aWorld();
    const { opening } = aBatch({ events: someEvents(2, 'unfinished') });
    const unfinished = Buffer.alloc(31 * megabyte, 'x');
    const others = [1, 2].map(() => {
      const begun = beginUpload(patient);
      begun.socket.write(`${chunk(`${opening}\n`)}${unfinished.length.toString(16)}\r\n`);
      begun.socket.write(unfinished);
      return begun;
    });
    await until(() => patient.limits.underWay.bytes >= 2 * unfinished.length);
    const sendLarge = (lengthBytes: number, localAddress?: string) => {
      const events = [anEvent({ id: 'large', data: 'x'.repeat(lengthBytes) })];
      return upload({ ...patient, localAddress }, aBatch({ events }).lines);
    };
    expect(outcomes(await sendLarge(16 * megabyte))).toEqual(['503 log-busy']);
    // The event is too large to be recorded, but there is room to read it.
    expect(outcomes(await sendLarge(16 * megabyte, '127.0.0.2'))).toEqual(['400 record-malformed']);

    for (const { socket, closed } of others) {
      socket.destroy();
      await closed;
    }
    await until(() => patient.limits.underWay.bytes === 0);
    expect(outcomes(await sendLarge(16 * megabyte))).toEqual(['400 record-malformed']);
    await until(() => patient.limits.underWay.uploads === 0);
    expect(patient.limits.underWay.bytes).toBe(0);
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

  test('that waits in the middle of a batch when the service stops is told at once that it was not taken', async () => {
    const ending = await aWorld();
    const { socket, count, text, closed } = beginUpload(ending);
    const batch = aBatch({ events: someEvents(50, 'stopped') });
    socket.write(chunk(`${[freshLine().trimEnd(), ...batch.lines.slice(0, 20)].join('\n')}\n`));
    await until(() => count('"status":201') === 1);
    const stopped = ending.stop();
    await until(() => text().includes('checkpoint'));
    socket.end('0\r\n\r\n');
    await closed;
    await stopped;
    expect(count('{"status":503')).toBe(50);
    expect(count('urn:problem-type:zegel:log-stopping')).toBe(50);
    expect(ending.ledger.sequenced).toBe(2);
    expect(ending.state.faults).toEqual([]);
  });

  test('whose batch is being recorded when the service stops gets an answer for each of its events', async () => {
    const ending = await aWorld();
    const { socket, count, text, closed } = beginUpload(ending);
    const events = someEvents(10_000, 'recorded');
    const batch = aBatch({ events });
    socket.write(`${chunk(`${batch.lines.join('\n')}\n`)}0\r\n\r\n`);
    await until(() => count('"status":201') > 0);
    const stopped = ending.stop();
    await until(() => text().includes('checkpoint'));
    socket.destroy();
    await closed;
    await stopped;
    const recorded = count('"status":201');
    expect(recorded).toBeLessThan(10_000);
    expect(recorded + count('{"status":503')).toBe(10_000);
    expect(ending.ledger.signed().size).toBe(1 + recorded);
    expect(ending.state.faults).toEqual([]);
  });

  test('that waits for its next line when the service stops ends at once, with what was answered', async () => {
    const ending = await aWorld();
    const { socket, count, text, closed } = beginUpload(ending);
    socket.write(chunk(freshLine()));
    await until(() => count('"status":201') === 1);
    const stopped = ending.stop();
    await until(() => text().includes('checkpoint'));
    socket.end('0\r\n\r\n');
    await closed;
    await stopped;
    // No line was sent that was not answered.
    expect(count('"status":')).toBe(1);
    expect(ending.ledger.sequenced).toBe(2);
  });
});
