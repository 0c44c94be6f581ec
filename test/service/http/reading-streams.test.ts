/** A large export as a stream: at constant memory, whoever reads it, and with others served in between. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aBatch, someEvents } from '../../helpers/batches.ts';
import { bearer } from '../../helpers/tokens.ts';
import { outcomes, uploadBody } from './uploads.ts';
import { ask } from './world.ts';
import { startWorldProcess, type WorldProcess } from './world-process.ts';

const megabyte = 1 << 20;
const records = 1_300;

let world: WorldProcess;
beforeAll(async () => {
  world = await startWorldProcess();
  const data = 'x'.repeat(60_000);
  function* lines() {
    for (let i = 0; i < records / 20; i++)
      yield `${aBatch({ events: someEvents(20, `large-${i}`, { data }) }).lines.join('\n')}\n`;
  }
  expect(outcomes(await uploadBody(world, Readable.from(lines())))).toEqual(Array(records).fill('201'));
}, 300_000);
afterAll(() => world.stop());

/** Begins an export, of which nothing is read yet. */
async function openExport(): Promise<IncomingMessage> {
  const { port } = world;
  const req = request({ port, path: '/v1/records/export', headers: bearer(), agent: false }).end();
  const [answer] = (await once(req, 'response')) as [IncomingMessage];
  expect(answer.statusCode).toBe(200);
  return answer;
}

/** Reads to the end, and gives the number of lines and of bytes. */
async function readAll(answer: IncomingMessage) {
  const read = { lines: 0, bytes: 0 };
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    read.bytes += chunk.length;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) read.lines++;
  }
  expect(answer.complete).toBe(true);
  return read;
}

describe('an export of 100 MB', () => {
  test('leaves memory flat', { timeout: 300_000 }, async () => {
    await readAll(await openExport());
    let read = { lines: 0, bytes: 0 };
    const growth = await world.memoryGrowth(async () => {
      read = await readAll(await openExport());
    });
    expect(read.lines).toBe(records);
    expect(read.bytes).toBeGreaterThan(100 * megabyte);
    expect(growth).toBeLessThan(60 * megabyte);
  });

  test('leaves memory flat while four readers wait with it', { timeout: 300_000 }, async () => {
    const growth = await world.memoryGrowth(async () => {
      const answers = await Promise.all(Array.from({ length: 4 }, openExport));
      await setTimeout(3_000);
      for (const answer of answers) answer.on('error', () => undefined).destroy();
    });
    expect(growth).toBeLessThan(60 * megabyte);
  });

  test('lets others be served in between', { timeout: 300_000 }, async () => {
    const reading = readAll(await openExport());
    let isDone = false;
    const end = () => {
      isDone = true;
    };
    reading.then(end, end);
    // How long each takes is the machine's business; in one go with the export, there would be hardly any.
    let served = 0;
    while (!isDone) {
      expect((await ask(world, '/livez')).status).toBe(200);
      served++;
    }
    await reading;
    expect(served).toBeGreaterThan(20);
  });
});
