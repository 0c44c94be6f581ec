/** The client believes nothing that comes back: a real service behind a proxy that changes or cuts its answers as the test says. */

import { createPrivateKey } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatHex, parseHex, parseUtf8 } from '../../../merkle/bytes.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { LedgerClient } from '../../../service/client/client.ts';
import { RefusedError, UnavailableError } from '../../../service/client/errors.ts';
import {
  exportRecords,
  formatOwnRecord,
  type OwnRecord,
  readReceipt,
  readRecord,
} from '../../../service/client/reading.ts';
import { keySigner } from '../../../service/client/signer.ts';
import { eventOf } from '../../../service/log-reader.ts';
import { aBatch, someEvents } from '../../helpers/batches.ts';
import { anEvent, aStatement, testOrigin } from '../../helpers/builders.ts';
import { keyFor } from '../../helpers/keys.ts';
import { upload } from '../http/uploads.ts';
import { aWorld, kidHex, submit, viewedKey, type World } from '../http/world.ts';

const signerFor = (alg: 'ES256' | 'ES384') =>
  keySigner(createPrivateKey({ key: keyFor(alg), format: 'jwk' }), alg);
const signer = signerFor('ES256');

let world: World;
let proxy: Server;
let client: LedgerClient;
/** Changes an answer's text, or gives undefined for no answer at all. */
let change: (text: string) => string | undefined;
/** How many bytes of a body come through before it is cut, answer by answer; all of it where none is named. */
let cuts: number[];
const asked: string[] = [];
const slept: number[] = [];

beforeEach(async () => {
  world = await aWorld();
  change = text => text;
  cuts = [];
  asked.length = 0;
  slept.length = 0;
  proxy = createServer(async ({ url = '', headers: { authorization } }, response) => {
    asked.push(url);
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await fetch(world.url + url, { headers });
    const text = change(await answer.text());
    if (text === undefined) return response.destroy();
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    const most = url.includes('export') ? cuts.shift() : undefined;
    // More than there is: nothing is cut off, and nothing ends.
    if (most !== undefined && most > text.length) return response.write(text);
    if (most === undefined) return response.end(text);
    return response.write(text.slice(0, most), () => response.destroy());
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo; // A server on TCP has one.
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    sleep: async (ms: number) => {
      slept.push(ms);
      nowMs += ms;
    },
    random: () => 0,
  };
  client = new LedgerClient(`http://127.0.0.1:${port}`, { timeoutMs: 5_000, clock });
});
afterEach(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await world.stop();
});

async function aRecord(id: string, alg: 'ES256' | 'ES384' = 'ES256'): Promise<Uint8Array> {
  const { body } = await submit(world, aStatement({ alg, payload: anEvent({ id }) }));
  return parseHex(JSON.parse(body).leafHash, 32);
}

async function all(records: AsyncIterable<OwnRecord>): Promise<OwnRecord[]> {
  const found: OwnRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

const idOf = ({ record }: OwnRecord) => (record === null ? null : JSON.parse(parseUtf8(eventOf(record))).id);

/** Lies, each in a text that holds one record, and what the client says to it. */
const lies: readonly (readonly [string, (text: string) => string, RegExp])[] = [
  ['another entry', text => text.replace('"entry":"AQEAAA', '"entry":"AQIAAA'), /another leaf hash/],
  ['another salt', text => text.replace(/"salt":"...../, '"salt":"AAAAA'), /entry's commitment/],
  [
    'another event under the same signature',
    text => text.replace(/"statement":"([^.]+)\.[^.]+\./, '"statement":"$1.e30.'),
    /does not verify/,
  ],
  ['another key', text => text.replace(/"x":"....../, '"x":"AAAAAA'), /thumbprint/],
  [
    'a statement that is none',
    text => text.replace('"statement":"', '"statement":"x.'),
    /no readable statement/,
  ],
  ['a member more', text => text.replace('"index"', '"more":1,"index"'), /no readable record/],
  ['no JSON', () => '<html>\n', /no readable record/],
];

describe('readRecord', () => {
  it('gives the record, held against its entry', async () => {
    const hash = await aRecord('a');
    const own = await readRecord(client, hash, { signer });
    expect(own).toMatchObject({ index: 1, leafHash: hash });
    expect(leafHash(own.entry)).toEqual(hash);
    expect(idOf(own)).toBe('a');
  });

  it('gives an event of a batch', async () => {
    const { answers } = await upload(world, aBatch({ events: someEvents(3, 'b') }).lines);
    const own = await readRecord(client, parseHex(answers[2]?.leafHash ?? '', 32), { signer });
    expect(own.record.batch).toMatchObject({ index: 2 });
  });

  it('makes a token for the log that is named, and asks the service for none then', async () => {
    const hash = await aRecord('a');
    await readRecord(client, hash, { signer, origin: testOrigin });
    expect(asked).toEqual([`/v1/records/${formatHex(hash)}`]);
    const other = readRecord(client, hash, { signer, origin: 'another.log/1' });
    await expect(other).rejects.toMatchObject({ status: 401, problem: 'token-audience' });
  });

  it('is refused what is another agency’s', async () => {
    world.keys.set(kidHex('ES384'), viewedKey('ES384', { agency: 'OVO002950' }));
    const refused = readRecord(client, await aRecord('a'), { signer: signerFor('ES384') });
    await expect(refused).rejects.toMatchObject({ status: 404, problem: 'record-not-found' });
  });

  it.each(lies)('does not believe %s', async (_, lie, message) => {
    const hash = await aRecord('a');
    change = lie;
    await expect(readRecord(client, hash, { signer, origin: testOrigin })).rejects.toMatchObject({
      name: 'ProofError',
      message: expect.stringMatching(message),
    });
  });

  it('does not take another record for the one that it asked for', async () => {
    const [a, b] = [await aRecord('a'), await aRecord('b')];
    const stolen = formatOwnRecord(await readRecord(client, b, { signer }));
    change = () => stolen;
    await expect(readRecord(client, a, { signer, origin: testOrigin })).rejects.toThrow(
      `the answer has leaf hash ${formatHex(b)}, want ${formatHex(a)}`,
    );
  });

  it('makes another token, once, where the service has started in this very second', async () => {
    const hash = await aRecord('a');
    let answers = 0;
    await world.stop();
    world = await aWorld({ startedAtMs: Date.now() + 60_000 });
    change = text => {
      answers++;
      return text;
    };
    const refused = readRecord(client, hash, { signer, origin: testOrigin });
    await expect(refused).rejects.toMatchObject({ status: 401, problem: 'token-before-start' });
    expect(answers).toBe(2);
    expect(slept).toEqual([1_000]);
  });
});

describe('readReceipt', () => {
  it('gives the receipt with its record', async () => {
    const hash = await aRecord('a');
    const receipt = await readReceipt(client, hash, { signer });
    expect(receipt).toMatchObject({ inclusion: { index: 1 }, record: { key: { kty: 'EC' } } });
  });

  it('does not believe one without, or of another entry', async () => {
    const [a, b] = [await aRecord('a'), await aRecord('b')];
    let held = '';
    change = text => {
      held = text;
      return text;
    };
    await readReceipt(client, b, { signer, origin: testOrigin });
    change = () => held;
    await expect(readReceipt(client, a, { signer, origin: testOrigin })).rejects.toThrow(/want/);
    change = text => text.replace(/,"record":.*/, '}');
    await expect(readReceipt(client, a, { signer, origin: testOrigin })).rejects.toThrow('has no record');
  });
});

describe('exportRecords', () => {
  it('gives the records of a range, and what each line says is what the service wrote', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await aRecord(id);
    let text = '';
    change = all => {
      text = all;
      return all;
    };
    const records = await all(exportRecords(client, { signer, origin: testOrigin, from: 2, to: 4 }));
    expect(records.map(idOf)).toEqual(['b', 'c']);
    expect(records.map(own => `${formatOwnRecord(own)}\n`).join('')).toBe(text);
  });

  it('gives all that is signed where no range is named', async () => {
    for (const id of ['a', 'b']) await aRecord(id);
    expect((await all(exportRecords(client, { signer }))).map(idOf)).toEqual(['a', 'b']);
    expect(asked.at(-1)).toBe('/v1/records/export?from=0&to=3');
  });

  it('goes on where it was cut off, and misses and doubles nothing', async () => {
    for (let i = 0; i < 8; i++) await aRecord(`${i}`);
    // In the middle of the third record; after the next one; at once; then it goes through.
    cuts = [3_000, 1_400, 0];
    const waits: string[] = [];
    const options = { signer, onRetry: ({ message }: Error) => void waits.push(message) };
    const records = await all(exportRecords(client, options));
    expect(records.map(idOf)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    expect(waits).toHaveLength(3);
    const froms = asked.filter(path => path.includes('export')).map(path => /from=(\d+)/.exec(path)?.[1]);
    expect(froms[0]).toBe('0');
    expect(Number(froms.at(-1))).toBeGreaterThan(1);
  });

  it('does not take a last line without its end for whole', async () => {
    await aRecord('a');
    change = text => text.trimEnd();
    const options = { signer, origin: testOrigin, from: 1, to: 2, retries: { giveUpMs: 5_000 } };
    await expect(all(exportRecords(client, options))).rejects.toThrow('ends in the middle of a record');
  });

  it('does not wait for ever for an answer that stands still', async () => {
    for (const id of ['a', 'b']) await aRecord(id);
    client = new LedgerClient(client.requests.base, { timeoutMs: 300, clock: client.clock });
    cuts = [1_000_000];
    const waits: string[] = [];
    const options = { signer, onRetry: ({ message }: Error) => void waits.push(message) };
    expect((await all(exportRecords(client, options))).map(idOf)).toEqual(['a', 'b']);
    expect(waits).toEqual([expect.stringContaining('was cut off')]);
  });

  it('gives up when nothing comes for too long', async () => {
    await aRecord('a');
    change = text => (text.includes('"statement"') ? undefined : text);
    const endless = all(exportRecords(client, { signer, retries: { giveUpMs: 20_000 } }));
    await expect(endless).rejects.toBeInstanceOf(UnavailableError);
  });

  it('is not tried again where the service gives nothing back at all', async () => {
    await world.stop();
    world = await aWorld({ privateKey: null });
    const refused = all(exportRecords(client, { signer }));
    await expect(refused).rejects.toBeInstanceOf(RefusedError);
    await expect(refused).rejects.toMatchObject({ problem: 'reading-off' });
    expect(slept).toEqual([]);
  });

  it('does not believe a record in the wrong place', async () => {
    for (const id of ['a', 'b']) await aRecord(id);
    const said = async (lie: (lines: string[]) => readonly (string | undefined)[]) => {
      change = text => `${lie(text.trimEnd().split('\n')).join('\n')}\n`;
      return all(exportRecords(client, { signer, origin: testOrigin, from: 1, to: 3 })).then(
        () => 'believed',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    };
    expect(await said(lines => lines)).toBe('believed');
    expect(await said(([a, b]) => [b, a])).toBe('ProofError: the answer has entry 1, want one from 3 to 2');
    expect(await said(([a]) => [a, a])).toBe('ProofError: the answer has entry 1, want one from 2 to 2');
    expect(await said(([a]) => [a?.replace('"index":1', '"index":3')])).toBe(
      'ProofError: the answer has entry 3, want one from 1 to 2',
    );
  });

  it.each(lies)('does not believe %s', async (_, lie, message) => {
    await aRecord('a');
    change = lie;
    await expect(
      all(exportRecords(client, { signer, origin: testOrigin, from: 1, to: 2 })),
    ).rejects.toMatchObject({ name: 'ProofError', message: expect.stringMatching(message) });
  });
});
