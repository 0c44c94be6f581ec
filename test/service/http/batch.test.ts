import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { equalBytes, formatBase64url, parseBase64url, parseUtf8, utf8 } from '../../../merkle/bytes.ts';
import { LedgerError } from '../../../service/errors.ts';
import { aBatch, saltAt, singleLine, someEvents, testSecret } from '../../helpers/batches.ts';
import { anEvent, aStatement } from '../../helpers/builders.ts';
import { keyFor, publicJwk, signAs } from '../../helpers/keys.ts';
import { outcomes, upload, uploadBody, uploadRaw } from './uploads.ts';
import { aWorld, kidHex, problemOf, viewedKey, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await aWorld();
});
afterAll(() => world.stop());

let lastId = 0;
/** Events that no other test has sent. */
function fresh(count = 1, members: Readonly<Record<string, unknown>> = {}): readonly Uint8Array[] {
  return someEvents(count, `batch-test-${lastId++}`, members);
}
const freshLine = () => singleLine(fresh()[0] ?? new Uint8Array());

const good = '201';
const malformed = '400 record-malformed';

describe('POST /v1/records/batch', () => {
  test('answers every line in its order, and last with a checkpoint that covers them all', async () => {
    const events = fresh(50);
    const before = world.ledger.sequenced;
    const lines = events.map(event => singleLine(event));
    const uploaded = await upload(world, lines);
    expect(outcomes(uploaded)).toEqual(Array(50).fill(good));
    expect(uploaded.answers.map(({ index }) => index)).toEqual(events.map((_, i) => before + i));
    for (const [i, { index = 0, salt }] of uploaded.answers.entries()) {
      const record = await world.ledger.read.record(index);
      if (record === 'erased') throw new Error('nothing was erased');
      expect(formatBase64url(record.salt)).toBe(salt);
      expect(record.statement).toBe(JSON.parse(lines[i] ?? '').statement);
    }
  });

  test('answers an upload without lines with the checkpoint alone', async () => {
    expect((await uploadBody(world, '')).answers).toEqual([]);
  });

  test('takes singles and batches mixed, each where it stands', async () => {
    const [a, b, c] = [fresh(1), fresh(3), fresh(2)];
    const uploaded = await upload(world, [
      freshLine(),
      ...aBatch({ events: a }).lines,
      freshLine(),
      ...aBatch({ events: b, alg: 'Ed25519' }).lines,
      ...aBatch({ events: c, alg: 'RS256' }).lines,
      freshLine(),
    ]);
    expect(outcomes(uploaded)).toEqual(Array(9).fill(good));
    const indexes = uploaded.answers.map(({ index = 0 }) => index);
    expect(indexes).toEqual([...indexes].sort((x, y) => x - y));
    const record = await world.ledger.read.record(indexes[5] ?? 0);
    expect(record).toMatchObject({ batch: { index: 2, event: b[2], salt: saltAt(testSecret, 2) } });
  });

  test('answers a retry within an upload, signed anew and batched anew, with 200 and the whole record', async () => {
    const [event = new Uint8Array(), ...others] = fresh(3);
    const first = singleLine(event);
    const again = aBatch({ events: [...others, event] });
    const uploaded = await upload(world, [
      first,
      singleLine(event),
      singleLine(event, 'ES384'),
      ...again.lines,
    ]);
    expect(outcomes(uploaded)).toEqual([good, '200', '200', good, good, '200']);
    const { leafHash, index, time, salt } = uploaded.answers[0] ?? {};
    const record = { statement: JSON.parse(first).statement, salt, key: publicJwk(keyFor('ES256')) };
    for (const i of [1, 2, 5])
      expect(uploaded.answers[i]).toEqual({ status: 200, leafHash, index, time, salt, record });
  });

  test('takes lines to the ledger in their order, though the signature of the second is checked faster', async () => {
    const events = fresh(30);
    const lines = events.flatMap(event => [singleLine(event, 'ES384'), singleLine(event, 'RS256')]);
    const uploaded = await upload(world, lines);
    expect(outcomes(uploaded)).toEqual(events.flatMap(() => [good, '200']));
    const indexes = uploaded.answers.map(({ index = 0 }) => index);
    expect(indexes).toEqual([...indexes].sort((x, y) => x - y));
  });

  test('answers a retry of a batched event with its place in the batch, alone or in another batch', async () => {
    const events = fresh(4);
    const batch = aBatch({ events });
    const [, , third] = (await upload(world, batch.lines)).answers;
    const [, , event = new Uint8Array()] = events;
    const anew = aBatch({ events: [event], secret: new Uint8Array(32).fill(1) });
    const uploaded = await upload(world, [singleLine(event), ...anew.lines, ...batch.lines]);
    expect(outcomes(uploaded)).toEqual(Array(6).fill('200'));
    for (const i of [0, 1, 4]) {
      expect(uploaded.answers[i]).toMatchObject({
        leafHash: third?.leafHash,
        record: {
          statement: batch.statement,
          batch: { event: formatBase64url(event), index: 2, salt: formatBase64url(saltAt(testSecret, 2)) },
        },
      });
    }
  });

  test('answers other bytes under a source and id that are taken with 409, on that line alone', async () => {
    const [event = new Uint8Array()] = fresh(1);
    const { id } = JSON.parse(Buffer.from(event).toString());
    const other = anEvent({ id, subject: 'other' });
    const batch = aBatch({ events: [...fresh(1), other, ...fresh(1)] });
    expect(outcomes(await upload(world, [singleLine(event), singleLine(other), ...batch.lines]))).toEqual([
      good,
      '409 event-conflict',
      good,
      '409 event-conflict',
      good,
    ]);
  });

  test('answers a retry of a batch under a key that was retired since, and refuses new events under it one by one', async () => {
    const events = fresh(2);
    expect(outcomes(await upload(world, aBatch({ events }).lines))).toEqual([good, good]);
    world.keys.set(kidHex('ES256'), viewedKey('ES256', { retired: true }));
    try {
      const batch = aBatch({ events: [...events, ...fresh(1)] });
      expect(outcomes(await upload(world, batch.lines))).toEqual(['200', '200', '403 key-not-valid']);
    } finally {
      world.keys.set(kidHex('ES256'), viewedKey('ES256'));
    }
  });

  test('refuses an upload whole with 503 while the chain is silent', async () => {
    world.state.silent = true;
    try {
      const answer = await uploadRaw(world, `${freshLine()}\n`);
      problemOf(answer, 503, 'chain-silent');
      expect(answer.headers['retry-after']).toBe('10');
    } finally {
      world.state.silent = false;
    }
  });

  test('refuses other media types and encodings with 415', async () => {
    const body = `${freshLine()}\n`;
    const zipped = await uploadRaw(world, gzipSync(body), { 'content-encoding': 'gzip' });
    expect(problemOf(zipped, 415, 'media-type-unsupported').detail).toBe(
      'the body has a content encoding: send application/x-ndjson without Content-Encoding',
    );
    problemOf(
      await uploadRaw(world, body, { 'content-type': 'application/json' }),
      415,
      'media-type-unsupported',
    );
  });
});

describe('a line that is refused spoils no other', () => {
  const issueOf = (message: string, place = '') => [{ place, message }];
  const alone: readonly (readonly [string, string | Uint8Array, string, unknown])[] = [
    ['empty', '', malformed, issueOf('the line is empty')],
    [
      'that ends in CR LF',
      `${singleLine(anEvent({ id: 'cr' }))}\r`,
      malformed,
      issueOf('the line has a carriage return; lines end in a line feed alone'),
    ],
    ['that is no JSON', '{"statement":', malformed, expect.any(Array)],
    ['that is no object', '["statement"]', malformed, issueOf('the line is not a JSON object')],
    ['without a statement', '{}', malformed, issueOf('member "statement" is missing')],
    [
      'with a number for a statement',
      '{"statement":7}',
      malformed,
      issueOf('want a string, got the number 7', 'statement'),
    ],
    [
      'with a member too many',
      singleLine(anEvent({ id: 'x' })).replace('}', ',"index":7}'),
      malformed,
      issueOf('unknown member "index"'),
    ],
    ['with a statement twice', '{"statement":"a","statement":"b"}', malformed, expect.any(Array)],
    ['with __proto__', '{"__proto__":{"statement":"a"}}', malformed, expect.any(Array)],
    ['that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), malformed, expect.any(Array)],
    ['with a byte order mark', `\ufeff${singleLine(anEvent({ id: 'bom' }))}`, malformed, expect.any(Array)],
    ['in UTF-16', Buffer.from('{"statement":"a"}', 'utf16le'), malformed, expect.any(Array)],
    ['of NULs', '\0\0\0', malformed, expect.any(Array)],
    ['of 2 MB', `{"statement":"${'a'.repeat(2_000_000)}"}`, '413 body-too-large', []],
    ['with a statement that is none', '{"statement":"a.b"}', malformed, expect.any(Array)],
    [
      'with another log as audience',
      JSON.stringify({ statement: aStatement({ aud: 'other.example' }) }),
      '403 audience-other',
      [],
    ],
    [
      'with a signature that is none',
      `${singleLine(anEvent({ id: 'x' })).slice(0, -20)}AAAAAAAAAAAAAAAAAA"}`,
      '403 signature-invalid',
      [],
    ],
    [
      'with a batch statement but no secret',
      JSON.stringify({ statement: aBatch({ events: [anEvent()] }).statement }),
      malformed,
      [expect.objectContaining({ place: 'header.typ' })],
    ],
    ['with an event that is none', singleLine(Buffer.from('{}')), malformed, expect.any(Array)],
  ];

  test.each(alone)('a line %s', async (_, line, outcome, issues) => {
    const lines = [freshLine(), line, freshLine()];
    const body = Buffer.concat(lines.flatMap(each => [Buffer.from(each), Buffer.from('\n')]));
    const uploaded = await uploadBody(world, body);
    expect(outcomes(uploaded)).toEqual([good, outcome, good]);
    expect(uploaded.answers[1]?.problem?.issues).toEqual(issues);
    expect(world.state.faults).toEqual([]);
  });

  test('a last line without a line feed is refused, whether whole or cut', async () => {
    for (const last of [freshLine(), freshLine().slice(0, 100)]) {
      const uploaded = await uploadBody(world, `${freshLine()}\n${last}`);
      expect(outcomes(uploaded)).toEqual([good, malformed]);
      expect(uploaded.answers[1]?.problem?.issues).toEqual(
        issueOf('the last line does not end in a line feed'),
      );
    }
  });

  const parts = aBatch({
    events: [anEvent({ id: 'whole-1' }), anEvent({ id: 'whole-2' }), anEvent({ id: 'whole-3' })],
  });
  const [, one = '', two = '', three = ''] = parts.lines;
  const other = aBatch({ events: [anEvent({ id: 'whole-1' })], size: 3 });
  const altered = (change: (opening: { statement: string; secret: string }) => unknown) =>
    JSON.stringify(change(JSON.parse(parts.opening)));
  const [header = '', payload = ''] = parts.statement.split('.');
  const spaced = `${formatBase64url(utf8(parseUtf8(parseBase64url(header)) + ' '.repeat(2_000)))}.${payload}`;
  const long = `${spaced}.${formatBase64url(signAs('ES256', keyFor('ES256'), spaced))}`;
  const whole: readonly (readonly [string, readonly string[], string, unknown])[] = [
    [
      'whose root does not fit',
      [other.opening, one, two, three],
      malformed,
      [{ place: 'payload.root', message: expect.stringMatching(/^is .{43}, the salted events give .{43}$/) }],
    ],
    [
      'whose events are in another order',
      [parts.opening, two, one, three],
      malformed,
      [expect.objectContaining({ place: 'payload.root' })],
    ],
    [
      'whose lines have got CR LF',
      [parts.opening, `${one}\r`, two, three],
      malformed,
      [
        expect.objectContaining({ place: 'payload.root' }),
        { place: 'events[0]', message: 'has a carriage return; lines end in a line feed alone' },
      ],
    ],
    [
      'whose statement is long for the white space in its header',
      [altered(each => ({ ...each, statement: long })), one, two, three],
      malformed,
      [{ place: 'statement', message: `has ${long.length} characters, want at most 2048` }],
    ],
    [
      'with another secret',
      [altered(({ statement }) => ({ statement, secret: 'A'.repeat(43) })), one, two, three],
      malformed,
      [expect.objectContaining({ place: 'payload.root' })],
    ],
    [
      'with a short secret',
      [altered(({ statement }) => ({ statement, secret: 'AAAA' })), one, two, three],
      malformed,
      [{ place: 'secret', message: '3 bytes, want 32' }],
    ],
    [
      'with a secret that is none',
      [altered(({ statement }) => ({ statement, secret: null })), one, two, three],
      malformed,
      [{ place: 'secret', message: 'want a string, got null' }],
    ],
    [
      'with a member too many',
      [altered(each => ({ ...each, size: 3 })), one, two, three],
      malformed,
      [{ place: '', message: 'unknown member "size"' }],
    ],
    [
      'under a signature that is none',
      [
        altered(({ statement, secret }) => ({
          statement: statement.replace(/[^.]{20}$/, 'AAAAAAAAAAAAAAAAAAAA'),
          secret,
        })),
        one,
        two,
        three,
      ],
      '403 signature-invalid',
      [],
    ],
    [
      'under a header that is none',
      [
        altered(({ statement, secret }) => ({ statement: statement.replace(/^[^.]*/, 'AAAA'), secret })),
        one,
        two,
        three,
      ],
      malformed,
      [expect.objectContaining({ place: 'header' })],
    ],
    [
      'for another log',
      [aBatch({ events: [anEvent()], size: 3, aud: 'other.example' }).opening, one, two, three],
      '403 audience-other',
      [],
    ],
    [
      'with an event missing in the middle',
      [parts.opening, one, three, freshLine()],
      malformed,
      [expect.objectContaining({ place: 'payload.root' })],
    ],
  ];

  test.each(whole)('a batch %s is refused whole', async (_, lines, outcome, issues) => {
    const { size } = world.ledger.signed();
    const uploaded = await upload(world, [...lines, freshLine()]);
    expect(outcomes(uploaded)).toEqual([outcome, outcome, outcome, good]);
    expect(uploaded.answers[0]?.problem?.issues).toEqual(issues);
    expect(new Set(uploaded.answers.slice(0, 3).map(answer => JSON.stringify(answer))).size).toBe(1);
    expect(world.ledger.sequenced).toBe(size + 1);
    expect(world.state.faults).toEqual([]);
  });

  test('a batch under a key that nobody registered is refused whole', async () => {
    const known = world.keys.get(kidHex('ES256K'));
    world.keys.delete(kidHex('ES256K'));
    try {
      const batch = aBatch({ events: fresh(2), alg: 'ES256K' });
      expect(outcomes(await upload(world, [...batch.lines, freshLine()]))).toEqual([
        '403 key-unknown',
        '403 key-unknown',
        good,
      ]);
    } finally {
      if (known !== undefined) world.keys.set(kidHex('ES256K'), known);
    }
  });

  test('a batch with too few events after it is refused whole', async () => {
    const events = fresh(5);
    const uploaded = await upload(world, [freshLine(), ...aBatch({ events }).lines.slice(0, 4)]);
    expect(outcomes(uploaded)).toEqual([good, ...Array(5).fill(malformed)]);
    expect(uploaded.answers[1]?.problem?.issues).toEqual(issueOf('the upload ends after 3 of 5', 'events'));
  });

  test('an event after the last of a batch is a line of its own, and refused', async () => {
    const uploaded = await upload(world, [
      ...aBatch({ events: fresh(2) }).lines,
      '{"id":"surplus"}',
      freshLine(),
    ]);
    expect(outcomes(uploaded)).toEqual([good, good, malformed, good]);
  });

  const none = Buffer.from('');
  test.each([
    [
      'that is no event',
      Buffer.from('{"id":7}'),
      expect.arrayContaining([{ place: 'event.id', message: expect.any(String) }]),
    ],
    ['that is empty', none, [expect.objectContaining({ place: 'event' })]],
    ['that is no UTF-8', Buffer.from([0xff, 0xfe]), [expect.objectContaining({ place: 'event' })]],
    [
      'with a carriage return within',
      Buffer.concat([Buffer.from('{\r'), Buffer.from(anEvent({ id: 'cr-within' })).subarray(1)]),
      [{ place: 'event', message: 'has a carriage return; lines end in a line feed alone' }],
    ],
    [
      'of 2 MB',
      Buffer.from(anEvent({ id: 'two-megabytes', data: 'x'.repeat(2_000_000) })),
      [{ place: 'event', message: expect.stringMatching(/^event has 2000\d{3} bytes, want at most 65536$/) }],
    ],
  ])('an event %s inside a good batch is refused alone', async (_, event, issues) => {
    const [a = none, b = none] = fresh(2);
    const events = [a, new Uint8Array(event), b];
    const { opening } = aBatch({ events });
    const body = Buffer.concat([opening, ...events].flatMap(each => [Buffer.from(each), Buffer.from('\n')]));
    const uploaded = await uploadBody(world, body);
    expect(outcomes(uploaded)).toEqual([good, malformed, good]);
    expect(uploaded.answers[1]?.problem?.issues).toEqual(issues);
  });
});

describe('a batch whose size cannot be read ends the reading', () => {
  const events = [anEvent({ id: 'unread' })];
  test.each([
    ['65,537 events', aBatch({ events, size: 65_537 }).opening, 'payload.size'],
    ['no event', aBatch({ events, size: 0 }).opening, 'payload.size'],
    [
      'a payload that is spelt otherwise',
      aBatch({ events, payload: '{"size":1,"root":"AA"}' }).opening,
      'payload.root',
    ],
    [
      'a statement over one event',
      aBatch({ events, payload: Buffer.from(anEvent()).toString(), typ: 'zegel+jws' }).opening,
      'header.typ',
    ],
    ['no statement', '{"secret":"AAAA"}', ''],
    ['a statement that is none', '{"statement":"AAAA","secret":"AAAA"}', 'secret'],
  ])('%s', async (_, opening, place) => {
    const { size } = world.ledger.signed();
    const uploaded = await upload(world, [freshLine(), opening, freshLine(), freshLine()]);
    expect(outcomes(uploaded)).toEqual([good, malformed]);
    expect(uploaded.answers[1]?.problem?.issues).toContainEqual({ place, message: expect.any(String) });
    expect(world.ledger.sequenced).toBe(size + 1);
  });
});

describe('a batch of', () => {
  test.each([1, 5, 255, 256, 257, 1_000])('%i events gets a record for each', async size => {
    const events = fresh(size);
    const uploaded = await upload(world, aBatch({ events }).lines);
    expect(outcomes(uploaded)).toEqual(Array(size).fill(good));
  });

  test('more than 32 MiB is refused whole with 413, and just 32 MiB is not', async () => {
    const large = (count: number) => fresh(count, { data: 'x'.repeat(65_000) });
    const lengthOf = (events: readonly Uint8Array[]) => events.reduce((sum, { length }) => sum + length, 0);
    const events = large(512);
    const filling = (32 << 20) - lengthOf(events);
    const [last = new Uint8Array()] = fresh(1, { data: '' });
    const { id } = JSON.parse(Buffer.from(last).toString());
    const filled = anEvent({ id, data: 'x'.repeat(filling - last.length) });
    const whole = [...events, filled];
    expect(lengthOf(whole)).toBe(32 << 20);
    expect(new Set(outcomes(await upload(world, aBatch({ events: whole }).lines)))).toEqual(
      new Set([good, malformed]),
    );

    const beyond = [...large(512), anEvent({ id, data: 'x'.repeat(filling - last.length + 1) })];
    const uploaded = await upload(world, [...aBatch({ events: beyond }).lines, freshLine()]);
    expect(outcomes(uploaded)).toEqual([...Array(513).fill('413 body-too-large'), good]);
  });
});

describe('what the ledger cannot do for a line is said on that line alone', () => {
  const zero = new Uint8Array();
  /** Has the ledger fail for one event, and work for all others. */
  async function failingFor(event: Uint8Array, error: Error, work: () => Promise<void>): Promise<void> {
    const original = world.ledger.submit;
    world.ledger.submit = submission =>
      equalBytes(submission.event, event) ? Promise.reject(error) : original.call(world.ledger, submission);
    await work().finally(() => {
      world.ledger.submit = original;
    });
  }

  test('a log that is busy, with 503', async () => {
    const [a = zero, b = zero, c = zero] = fresh(3);
    await failingFor(
      b,
      new LedgerError('LOG_BUSY', '20000 records are waiting', { retryAfterS: 1 }),
      async () => {
        const lines = [singleLine(a), singleLine(b), ...aBatch({ events: [b, c] }).lines];
        expect(outcomes(await upload(world, lines))).toEqual([good, '503 log-busy', '503 log-busy', good]);
      },
    );
    expect(outcomes(await upload(world, [singleLine(b)]))).toEqual([good]);
  });

  test('a fault of ours, with a constant problem, and it is reported (S12)', async () => {
    const [a = zero, b = zero] = fresh(2);
    const secret = new Error('secret at /srv/zegel/db/000001.ldb');
    await failingFor(a, secret, async () => {
      const uploaded = await upload(world, [singleLine(a), singleLine(b)]);
      expect(outcomes(uploaded)).toEqual(['500 internal-error', good]);
      expect(JSON.stringify(uploaded)).not.toContain('secret');
      expect(world.state.faults.splice(0)).toEqual([secret]);
    });
  });
});
