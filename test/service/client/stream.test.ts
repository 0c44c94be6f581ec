/** Streams to a real service, through a proxy that does to them what networks do. */

import { createPrivateKey, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { equalBytes, parseUtf8, utf8 } from '../../../merkle/bytes.ts';
import { readCheckpoint } from '../../../merkle/checkpoint.ts';
import type { Algorithm } from '../../../merkle/signature.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { verifyInclusion } from '../../../merkle/verify.ts';
import { signBatch } from '../../../service/client/batch.ts';
import { LedgerClient } from '../../../service/client/client.ts';
import type { Item } from '../../../service/client/groups.ts';
import type { Clock } from '../../../service/client/retry.ts';
import { keySigner } from '../../../service/client/signer.ts';
import { type Outcome, type StreamOptions, submitStream } from '../../../service/client/stream.ts';
import { anEvent, aStatement, testOrigin } from '../../helpers/builders.ts';
import { forge } from '../../helpers/forge.ts';
import { keyFor } from '../../helpers/keys.ts';
import { answerText, aProxy, type Mishap, type ProxyServer } from '../../helpers/proxy.ts';
import { aWorld, type World } from '../http/world.ts';

const signerFor = (alg: Algorithm) => keySigner(createPrivateKey({ key: keyFor(alg), format: 'jwk' }), alg);
const signer = signerFor('ES256');
const { key } = signer;

let world: World;
let proxy: ProxyServer;
/** What was waited for, in milliseconds; none of it passes. */
let pauses: number[];
let time: number;
const clock: Clock = {
  now: () => time,
  sleep: async ms => {
    pauses.push(ms);
    time += ms;
  },
  random: () => 0,
};

beforeAll(async () => {
  world = await aWorld();
  proxy = await aProxy(world.port);
});
afterAll(async () => {
  await proxy.stop();
  await world.stop();
});
beforeEach(() => {
  pauses = [];
  time = 0;
  proxy.mishaps.length = 0;
  proxy.seen.uploads = 0;
  proxy.seen.requests.length = 0;
});

let ids = 0;
const events = (count: number): Uint8Array[] =>
  Array.from({ length: count }, () => anEvent({ id: `stream-${ids++}` }));

async function* itemsOf(list: readonly Uint8Array[]): AsyncGenerator<Item> {
  for (const [i, event] of list.entries()) yield { line: i + 1, kind: 'event', event };
}

async function outcomes(
  items: AsyncIterable<Item>,
  options: StreamOptions = {},
  client = new LedgerClient(proxy.url, { clock }),
): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for await (const part of submitStream(client, items, { signer, ...options })) all.push(...part);
  return all;
}

/** Holds outcomes against what was sent: all recorded, in order, each with a receipt that proves it. */
function requireRecorded(all: readonly Outcome[], sent: readonly Uint8Array[]): void {
  expect(all.map(({ line }) => line)).toEqual(sent.map((_, i) => i + 1));
  for (const [i, outcome] of all.entries()) {
    if (outcome.kind !== 'recorded') throw new Error(JSON.stringify(outcome));
    const { receipt } = outcome;
    const { size, root } = readCheckpoint(receipt.checkpoint);
    verifyInclusion({ ...receipt.inclusion, size, root, leafHash: leafHash(receipt.entry) });
    const event = receipt.record?.batch?.event ?? payloadOf(receipt.record?.statement ?? '');
    expect(equalBytes(event, sent[i] ?? utf8(''))).toBe(true);
  }
  const indexes = all.map(outcome => (outcome.kind === 'recorded' ? outcome.receipt.inclusion.index : -1));
  expect(new Set(indexes).size).toBe(sent.length);
}

const payloadOf = (statement: string) => Buffer.from(statement.split('.')[1] ?? '', 'base64url');
const kindsOf = (all: readonly Outcome[]) =>
  all.map(outcome => (outcome.kind === 'refused' ? outcome.problem.name : outcome.isNew ? 201 : 200));

describe('submitStream', () => {
  it.each([0, 1, 7, 100])(
    'records 250 events, %i under a signature, over several uploads',
    async batchSize => {
      const sent = events(250);
      const all = await outcomes(itemsOf(sent), { batchSize, uploads: { lines: 90 } });
      requireRecorded(all, sent);
      expect(kindsOf(all)).toEqual(Array(250).fill(201));
      expect(proxy.seen.uploads).toBeGreaterThan(1);
      expect(pauses).toEqual([]);
    },
  );

  const busy = { type: 'urn:problem-type:zegel:log-busy', detail: 'the log is busy' };
  const mishaps: readonly (readonly [string, readonly Mishap[], readonly number[]])[] = [
    ['a reset before anything was sent', [{ kind: 'reset', afterBytes: 0 }], [250]],
    ['a reset in the middle of a line', [{ kind: 'reset', afterBytes: 15_001 }], [250]],
    ['answers that are cut in their middle', [{ kind: 'cut', afterBytes: 10_000 }], [250]],
    ['answers that are cut in the first line', [{ kind: 'cut', afterBytes: 500 }], [250]],
    [
      'a service that asks for seven seconds',
      [{ kind: 'answer', text: answerText(503, busy, { 'Retry-After': '7' }) }],
      [7_250],
    ],
    ['429', [{ kind: 'answer', text: answerText(429, busy, { 'Retry-After': '1' }) }], [1_250]],
    ["a proxy's page with 502", [{ kind: 'answer', text: answerText(502, '<html>') }], [250]],
    ['504', [{ kind: 'answer', text: answerText(504, '') }], [250]],
    [
      'one after another without anything done',
      [
        { kind: 'reset', afterBytes: 0 },
        { kind: 'answer', text: answerText(503, '') },
        { kind: 'cut', afterBytes: 10 },
      ],
      [250, 500, 1_000],
    ],
  ];
  for (const batchSize of [0, 40]) {
    it.each(mishaps)(`gets over %s (${batchSize} under a signature)`, async (_, mishaps, waited) => {
      const sent = events(120);
      const before = world.ledger.signed().size;
      proxy.mishaps.push(...mishaps);
      const all = await outcomes(itemsOf(sent), { batchSize });
      requireRecorded(all, sent);
      // Every event once, however often it was sent.
      expect(world.ledger.signed().size - before).toBe(120);
      expect(pauses).toEqual(waited);
      expect(proxy.seen.uploads).toBe(mishaps.length + 1);
    });
  }

  it('gets over an upload that comes to a stop', async () => {
    const sent = events(120);
    const before = world.ledger.signed().size;
    proxy.mishaps.push({ kind: 'stall', afterBytes: 20_000 });
    // On a busy machine the second attempt, too, may stand still for so long: how often it was tried is not said.
    const all = await outcomes(itemsOf(sent), { uploads: { timeoutMs: 1_000 } });
    requireRecorded(all, sent);
    expect(world.ledger.signed().size - before).toBe(120);
    expect(pauses[0]).toBe(250);
  });

  it('begins anew with short pauses when something was done', async () => {
    const sent = events(120);
    for (let i = 0; i < 3; i++) proxy.mishaps.push({ kind: 'cut', afterBytes: 7_000 });
    requireRecorded(await outcomes(itemsOf(sent)), sent);
    expect(pauses).toEqual([250, 250, 250]);
  });

  it('keeps what was answered before a cut, when only the checkpoint is missing', async () => {
    const sent = events(3);
    proxy.mishaps.push({ kind: 'cut-before', text: '{"checkpoint' });
    const all = await outcomes(itemsOf(sent));
    requireRecorded(all, sent);
    expect(kindsOf(all)).toEqual([201, 201, 201]);
    expect({ uploads: proxy.seen.uploads, pauses }).toEqual({ uploads: 1, pauses: [] });
    expect(proxy.seen.requests).toContain('GET /log/checkpoint');
  });

  it('takes a retry with the record as it stands, under whichever signature', async () => {
    const sent = events(6);
    await outcomes(itemsOf(sent.slice(0, 1)));
    await outcomes(itemsOf(sent.slice(1, 2)), { signer: signerFor('Ed25519') });
    await outcomes(itemsOf(sent.slice(2, 4)), { batchSize: 2 });
    for (const batchSize of [0, 6]) {
      const all = await outcomes(itemsOf(sent), { batchSize });
      requireRecorded(all, sent);
      const [first, second, third] = all.map(outcome =>
        outcome.kind === 'recorded' ? outcome.receipt.record : undefined,
      );
      expect(second?.key.kty).toBe('OKP');
      expect(third?.batch).toMatchObject({ index: 0 });
      expect(first?.key).toEqual(signer.key);
      expect(first?.batch).toBeUndefined();
    }
  });

  it('tells refusals line by line, and records the rest', async () => {
    const [good = utf8(''), other = utf8(''), last = utf8('')] = events(3);
    await outcomes(itemsOf([good]));
    const conflicting = utf8(parseUtf8(good).replace('granted', 'refused'));
    const spoilt = aStatement({ payload: last }).replace(/.{10}$/, 'AAAAAAAAAA');
    async function* items(): AsyncGenerator<Item> {
      yield { line: 1, kind: 'event', event: conflicting };
      yield { line: 2, kind: 'event', event: other };
      yield { line: 3, kind: 'statement', statement: spoilt, key };
      yield { line: 4, kind: 'statement', statement: 'a.b', key };
      yield { line: 5, kind: 'refused', problem: { status: 413, name: 'too-long', detail: '', issues: [] } };
      yield { line: 6, kind: 'event', event: last };
    }
    const all = await outcomes(items());
    expect(kindsOf(all)).toEqual([
      'event-conflict',
      201,
      'signature-invalid',
      'record-malformed',
      'too-long',
      201,
    ]);
    expect(all.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(proxy.seen.uploads).toBe(2);
  });

  it('sends batches that were signed before, together with statements, and marks every line', async () => {
    const sent = events(9);
    const batch = await signBatch(sent.slice(2, 7), testOrigin, signer, randomBytes);
    async function* items(): AsyncGenerator<Item> {
      for (const i of [0, 1]) yield single(i);
      yield { line: 3, kind: 'batch', batch, key };
      for (const i of [7, 8]) yield single(i);
    }
    const single = (i: number): Item => {
      const payload = sent[i] ?? utf8('');
      return { line: i + 1, kind: 'statement', statement: aStatement({ payload }), key };
    };
    requireRecorded(await outcomes(items()), sent);
    expect(proxy.seen.uploads).toBe(1);
  });

  it('sends no upload where everything is refused already', async () => {
    async function* items(): AsyncGenerator<Item> {
      for (let line = 1; line <= 5; line++)
        yield { line, kind: 'refused', problem: { status: 413, name: 'too-long', detail: '', issues: [] } };
    }
    expect(kindsOf(await outcomes(items()))).toEqual(Array(5).fill('too-long'));
    expect(proxy.seen.uploads).toBe(0);
  });

  it('gives up in the end, after it has given out what it has', async () => {
    const sent = events(200);
    const outage = { kind: 'answer', text: answerText(503, busy) } as const;
    proxy.mishaps.push({ kind: 'pass' }, ...Array(40).fill(outage));
    const parts: Outcome[] = [];
    const stream = submitStream(new LedgerClient(proxy.url, { clock }), itemsOf(sent), {
      signer,
      uploads: { lines: 100 },
      retries: { giveUpMs: 60_000 },
    });
    const end = (async () => {
      for await (const part of stream) parts.push(...part);
    })();
    await expect(end).rejects.toMatchObject({ name: 'UnavailableError', message: 'the log is busy' });
    requireRecorded(parts, sent.slice(0, 100));
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(60_000);
    expect(pauses.length).toBeGreaterThan(5);
  });

  it.each(['log-closed', 'log-forked'])('does not try again where the answer is %s', async name => {
    const closed = { type: `urn:problem-type:zegel:${name}`, detail: 'the log takes no more records' };
    proxy.mishaps.push({ kind: 'answer', text: answerText(503, closed) });
    await expect(outcomes(itemsOf(events(2)))).rejects.toMatchObject({
      name: 'RefusedError',
      problem: name,
      message: 'the log takes no more records',
    });
    proxy.mishaps.push({ kind: 'answer', text: linesText([{ status: 503, problem: closed }]) });
    await expect(outcomes(itemsOf(events(2)))).rejects.toMatchObject({ problem: name });
    expect(pauses).toEqual([]);
  });

  it.each([415, 404, 403, 301])('ends where the upload as a whole is answered with %i', async status => {
    proxy.mishaps.push({ kind: 'answer', text: answerText(status, { detail: 'this is no ledger' }) });
    await expect(outcomes(itemsOf(events(2)))).rejects.toMatchObject({
      name: 'RefusedError',
      status,
      message: 'this is no ledger',
    });
    expect(pauses).toEqual([]);
  });

  it('sends nothing to a service that keeps another log than the one named', async () => {
    await expect(outcomes(itemsOf(events(1)), { origin: 'ledger.example/mine' })).rejects.toMatchObject({
      name: 'RefusedError',
      message: `the service keeps the log "${testOrigin}", not "ledger.example/mine"`,
    });
    expect(proxy.seen.uploads).toBe(0);
  });

  it('ends at a statement for another log, before it is sent', async () => {
    const statement = aStatement({ aud: 'ledger.example/other', payload: anEvent() });
    async function* items(): AsyncGenerator<Item> {
      yield { line: 1, kind: 'statement', statement, key };
    }
    await expect(outcomes(items())).rejects.toMatchObject({
      name: 'RefusedError',
      message: `line 1: the statement is for the log "ledger.example/other", and this one is "${testOrigin}"`,
    });
    expect(proxy.seen.uploads).toBe(0);
  });

  const other = 'A'.repeat(43);
  const lies: readonly (readonly [string, (line: Record<string, unknown>) => unknown, string])[] = [
    ['another time', line => ({ ...line, time: '2026-11-24T08:00:00.001Z' }), 'what was sent gives'],
    [
      'another salt',
      line => ({ ...line, record: undefined, status: 201, salt: other }),
      'what was sent gives',
    ],
    ['another index', line => ({ ...line, index: 0 }), 'does not lead from leaf 0 to the root'],
    ['an index beyond the tree', line => ({ ...line, index: 2 ** 40 }), 'is not covered by the checkpoint'],
    ['no record for a retry', line => ({ ...line, record: undefined }), 'status 200 without a record'],
    [
      "another event's record",
      line => ({ ...line, record: { ...Object(line['record']), statement: aStatement() } }),
      'about another event',
    ],
    [
      'a record that has no statement',
      line => ({ ...line, record: { ...Object(line['record']), statement: 'a.b' } }),
      'no readable statement',
    ],
    [
      'a record under a signature that nobody made',
      line => {
        const record = Object(line['record']);
        return {
          ...line,
          record: { ...record, statement: record.statement.replace(/.{20}$/, 'AAAAAAAAAAAAAAAAAAAA') },
        };
      },
      'does not verify',
    ],
  ];
  it.each(lies)('does not believe an answer with %s', async (_, lie, message) => {
    const [event = utf8('')] = events(1);
    await outcomes(itemsOf([event]));
    const lied = lie(JSON.parse(await retryLine(event)));
    const { checkpoint } = world.ledger.signed();
    proxy.mishaps.push({ kind: 'answer', text: linesText([lied, { checkpoint }]) });
    await expect(outcomes(itemsOf([event]))).rejects.toMatchObject({
      name: 'ProofError',
      message: expect.stringContaining(message),
    });
  });

  it('does not believe the checkpoint of another log, nor one that the trust file does not know', async () => {
    const [event = utf8('')] = events(1);
    await outcomes(itemsOf([event]));
    const line = JSON.parse(await retryLine(event));
    const checkpoint = world.ledger.signed().checkpoint.replace(testOrigin, 'ledger.example/x');
    proxy.mishaps.push({ kind: 'answer', text: linesText([line, { checkpoint }]) });
    await expect(outcomes(itemsOf([event]))).rejects.toThrow('the checkpoint is of "ledger.example/x"');
    proxy.mishaps.push({ kind: 'answer', text: linesText([line, { checkpoint: 'once upon a time' }]) });
    await expect(outcomes(itemsOf([event]))).rejects.toMatchObject({ name: 'ProofError' });
    const { trust } = await forge();
    await expect(outcomes(itemsOf([event]), { trust })).rejects.toThrow(/checkpoint|log|key/);
  });

  it('takes no more answers than it sent lines', async () => {
    const [event = utf8('')] = events(1);
    await outcomes(itemsOf([event]));
    const line = JSON.parse(await retryLine(event));
    proxy.mishaps.push({ kind: 'answer', text: linesText([line, line]) });
    await expect(outcomes(itemsOf([event]))).rejects.toThrow('answers more lines than it was sent');
  });

  it('gives a line up that the service has a fault over, and nothing but that line', async () => {
    const sent = events(2);
    const fault = {
      status: 500,
      problem: { type: 'urn:problem-type:zegel:internal-error', detail: 'a fault' },
    };
    // The first line is answered with a fault each time; the rest of the upload is lost.
    for (let i = 0; i < 3; i++) proxy.mishaps.push({ kind: 'answer', text: linesText([fault]) });
    const all = await outcomes(itemsOf(sent));
    expect(kindsOf(all)).toEqual(['internal-error', 201]);
  });

  it('sends again what was refused for now, and only the lines that need it', async () => {
    const sent = events(2);
    const [one = utf8('')] = sent;
    const answers = await outcomes(itemsOf([one]));
    expect(kindsOf(answers)).toEqual([201]);
    const line = await retryLine(one);
    proxy.mishaps.push({
      kind: 'answer',
      text: linesText([JSON.parse(line), { status: 503, problem: busy }]),
    });
    const all = await outcomes(itemsOf(sent));
    requireRecorded(all, sent);
    expect(kindsOf(all)).toEqual([200, 201]);
  });

  it('asks for a checkpoint that covers all attempts, not only the first', async () => {
    const sent = events(2);
    const [one = utf8('')] = sent;
    await outcomes(itemsOf([one]));
    const line = JSON.parse(await retryLine(one));
    const { checkpoint } = world.ledger.signed();
    const answers = [line, { status: 503, problem: busy }, { checkpoint }];
    proxy.mishaps.push({ kind: 'answer', text: linesText(answers) });
    proxy.mishaps.push({ kind: 'cut-before', text: '{"checkpoint' });
    const all = await outcomes(itemsOf(sent));
    requireRecorded(all, sent);
    expect(proxy.seen.uploads).toBe(3);
    expect(proxy.seen.requests).toContain('GET /log/checkpoint');
  });

  it('stops in order: what is under way is finished, and nothing more is taken', async () => {
    const stop = new AbortController();
    const sent = events(400);
    let taken = 0;
    async function* items(): AsyncGenerator<Item> {
      for (const [i, event] of sent.entries()) {
        taken++;
        if (i === 150) stop.abort();
        yield { line: i + 1, kind: 'event', event };
      }
    }
    const all = await outcomes(items(), { stop: stop.signal, uploads: { lines: 1_000 } });
    expect(all.length).toBeGreaterThan(100);
    expect(taken).toBeLessThan(300);
    requireRecorded(all, sent.slice(0, all.length));
  });

  it('stops in order while it waits for the service', async () => {
    const stop = new AbortController();
    const sleeping: Clock = {
      ...clock,
      sleep: (_, signal) => {
        stop.abort();
        return Promise.reject(signal?.reason);
      },
    };
    proxy.mishaps.push({ kind: 'answer', text: answerText(503, busy) });
    const client = new LedgerClient(proxy.url, { clock: sleeping });
    expect(await outcomes(itemsOf(events(3)), { stop: stop.signal }, client)).toEqual([]);
  });

  it('ends an upload where the next item is long in coming, and goes on when it comes', async () => {
    const sent = events(4);
    const gate = Promise.withResolvers<void>();
    async function* items(): AsyncGenerator<Item> {
      for (const [i, event] of sent.entries()) {
        if (i === 2) await gate.promise;
        yield { line: i + 1, kind: 'event', event };
      }
    }
    const all: Outcome[] = [];
    const client = new LedgerClient(proxy.url, { clock });
    for await (const part of submitStream(client, items(), { signer, uploads: { lingerMs: 50 } })) {
      all.push(...part);
      gate.resolve();
    }
    requireRecorded(all, sent);
    expect(proxy.seen.uploads).toBe(2);
  });

  it('throws what the items throw, after what came before is recorded', async () => {
    const sent = events(3);
    async function* items(): AsyncGenerator<Item> {
      yield* itemsOf(sent);
      throw new Error('the file cannot be read any more');
    }
    const all: Outcome[] = [];
    const reading = (async () => {
      for await (const part of submitStream(new LedgerClient(proxy.url, { clock }), items(), { signer }))
        all.push(...part);
    })();
    await expect(reading).rejects.toThrow('the file cannot be read any more');
    requireRecorded(all, sent);
  });
});

/** The answer to an upload that ends after these lines, as if the rest had been cut off. */
function linesText(lines: readonly unknown[]): string {
  const body = lines.map(line => `${JSON.stringify(line)}\n`).join('');
  return answerText(200, body, { 'Content-Type': 'application/x-ndjson' });
}

/** What the service answers to an event that it has. */
async function retryLine(event: Uint8Array): Promise<string> {
  const body = `${JSON.stringify({ statement: aStatement({ payload: event }) })}\n`;
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await fetch(`${world.url}/v1/records/batch`, { method: 'POST', headers, body });
  const [line = ''] = (await answer.text()).split('\n');
  return line;
}
