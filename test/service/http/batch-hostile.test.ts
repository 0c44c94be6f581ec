/** S1 to S6, S12 and S15 in the batch endpoint: a hostile statement on a line of its own, or over a batch, spoils nothing around it. */

import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatBase64url, parseBase64url, utf8 } from '../../../merkle/bytes.ts';
import { aBatch, singleLine, someEvents } from '../../helpers/batches.ts';
import { anEvent, testOrigin } from '../../helpers/builders.ts';
import { keyFor, kidOf, publicJwk, signAs } from '../../helpers/keys.ts';
import { outcomes, upload, uploadBody, uploadRaw } from './uploads.ts';
import { aWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await aWorld();
});
afterAll(() => world.stop());

let lastId = 0;
const freshLine = () => singleLine(anEvent({ id: `hostile-between-${lastId++}` }));

const malformed = '400 record-malformed';
const unsigned = '403 signature-invalid';

/** What is changed in a good statement: its header, as members or as text, or its signature, as bytes or as base64url. */
type Change = {
  readonly header?: (good: Readonly<Record<string, unknown>>) => unknown;
  readonly signature?: (good: Uint8Array, input: string) => Uint8Array | string;
};

/** A statement's header and signature made anew, as the change says, over the same payload. */
function changed(statement: string, { header = good => good, signature = good => good }: Change): string {
  const [first = '', payload] = statement.split('.');
  const made = header(JSON.parse(Buffer.from(first, 'base64url').toString()));
  const head = formatBase64url(utf8(typeof made === 'string' ? made : JSON.stringify(made)));
  const input = `${head}.${payload}`;
  const signed = signature(signAs('ES256', keyFor('ES256'), input), input);
  return `${input}.${typeof signed === 'string' ? signed : formatBase64url(signed)}`;
}

const zero = new Uint8Array(32);
const order = new Uint8Array(
  Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'),
);
const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const withMembers = (more: object): Change => ({
  // Spread would lose __proto__, and a doubled name.
  header: good => `${JSON.stringify(good).slice(0, -1)},${JSON.stringify(more).slice(1)}`,
});
const withHeader = (more: object): Change => ({ header: good => ({ ...good, ...more }) });

const hostile: readonly (readonly [string, Change, string])[] = [
  ...['none', 'None', 'nOnE', '', 'HS256', 'EdDSA', 'es256', 'ES512', null, 0].map(
    alg => [`S1: alg ${JSON.stringify(alg)}`, withHeader({ alg }), malformed] as const,
  ),
  [
    'S1: HS256 over the public key',
    {
      header: good => ({ ...good, alg: 'HS256' }),
      signature: (_, input) =>
        createHmac('sha256', JSON.stringify(publicJwk(keyFor('ES256'))))
          .update(input)
          .digest('base64url'),
    },
    malformed,
  ],
  ['S1: no signature', { signature: () => '' }, malformed],
  ['S1: padding behind the signature', { signature: good => `${formatBase64url(good)}==` }, malformed],
  ['S1: a signature cut short', { signature: good => good.slice(0, 63) }, unsigned],
  ['S1: a signature too long', { signature: good => join(good, zero) }, unsigned],
  ['S1: a thousand bytes of signature', { signature: () => new Uint8Array(1_000).fill(7) }, unsigned],
  ['S1: r = 0', { signature: good => join(zero, good.slice(32)) }, unsigned],
  ['S1: s = 0', { signature: good => join(good.slice(0, 32), zero) }, unsigned],
  ['S1: r = n', { signature: good => join(order, good.slice(32)) }, unsigned],
  ['S1: s = n', { signature: good => join(good.slice(0, 32), order) }, unsigned],
  [
    'S1: DER',
    {
      signature: good => {
        const [r, s] = [good.slice(0, 32), good.slice(32)].map(n => join(Uint8Array.of(0x02, 33, 0), n));
        return join(Uint8Array.of(0x30, 70), r ?? zero, s ?? zero);
      },
    },
    unsigned,
  ],
  [
    'S1: a signature by a key of another curve',
    { signature: (_, input) => signAs('ES384', keyFor('ES384'), input) },
    unsigned,
  ],
  [
    'S1: a signature by another key',
    { signature: (_, input) => signAs('ES256K', keyFor('ES256K'), input) },
    unsigned,
  ],
  ['S2: a key that nobody registered', withHeader({ kid: formatBase64url(zero) }), '403 key-unknown'],
  ['S2: the id of another key', withHeader({ kid: kidOf(keyFor('ES384')) }), '403 key-algorithm'],
  ...(
    [
      ['a path', '../../../../etc/passwd'],
      ['SQL', "' OR 1=1; DROP TABLE keys; --"],
      ['__proto__', '__proto__'],
      ['10 KB', 'A'.repeat(10_240)],
      ['an array', [kidOf(keyFor('ES256'))]],
    ] as const
  ).map(([name, kid]) => [`S2: a kid that is ${name}`, withHeader({ kid }), malformed] as const),
  ...Object.entries({
    crit: ['b64'],
    b64: false,
    jku: 'https://evil.example/keys',
    jwk: publicJwk(keyFor('ES256')),
    x5c: ['MIIB'],
    zegel: true,
  }).map(([name, value]) => [`S3: ${name}`, withMembers({ [name]: value }), malformed] as const),
  ['S3: __proto__', withMembers(JSON.parse('{"__proto__":{"alg":"none"}}')), malformed],
  ['S3: alg twice', withMembers({ alg: 'ES256' }), malformed],
  [
    'S3: alg twice, once escaped',
    { header: good => `{"\\u0061lg":"none",${JSON.stringify(good).slice(1)}` },
    malformed,
  ],
  ['S3: a header that is no object', { header: () => '["alg"]' }, malformed],
  ['S4: another audience', withHeader({ aud: `${testOrigin}/x` }), '403 audience-other'],
  ['S5: a header with a byte order mark', { header: good => `\ufeff${JSON.stringify(good)}` }, malformed],
  ['S15: a kid with terminal escapes', withHeader({ kid: '\u001b[2J\u001b]0;pwned\u0007' }), malformed],
  ['S15: an aud with a line break', withHeader({ aud: 'a\r\nSet-Cookie: b=c' }), malformed],
  ['S15: a member that turns the writing', withMembers({ '\u202eevil\u2028': 1 }), malformed],
];

/** Holds answers against S12 and S15: nothing of ours, and nothing that a terminal would obey. */
function expectHarmless(answers: readonly unknown[]): void {
  for (const answer of answers) {
    // What was made visible has a backslash of its own, which JSON doubles.
    const line = JSON.stringify(answer).replaceAll('\\\\', '');
    expect(line).not.toMatch(/\.ts|\.js|node_modules|\/work|\bat \w+ \(|Error:/);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\\u00|\\r|\\n/u);
    expect(line.length).toBeLessThan(2_000);
  }
}

describe('a hostile statement', () => {
  test.each(hostile)('on a line: %s', async (_, change, outcome) => {
    const { size } = world.ledger.signed();
    const statement = JSON.parse(singleLine(anEvent({ id: 'hostile' }))).statement;
    const line = JSON.stringify({ statement: changed(statement, change) });
    const uploaded = await upload(world, [freshLine(), line, freshLine()]);
    expect(outcomes(uploaded)).toEqual(['201', outcome, '201']);
    expectHarmless(uploaded.answers.slice(1, 2));
    expect(world.ledger.sequenced).toBe(size + 2);
    expect(world.state.faults).toEqual([]);
  });

  test.each(hostile)('over a batch: %s', async (_, change, outcome) => {
    const { size } = world.ledger.signed();
    const batch = aBatch({ events: someEvents(2, 'hostile') });
    const { statement, secret } = JSON.parse(batch.opening);
    const opening = JSON.stringify({ statement: changed(statement, change), secret });
    const uploaded = await upload(world, [freshLine(), opening, ...batch.lines.slice(1), freshLine()]);
    expect(outcomes(uploaded)).toEqual(['201', outcome, outcome, '201']);
    expectHarmless(uploaded.answers.slice(1, 3));
    expect(world.ledger.sequenced).toBe(size + 2);
    expect(world.state.faults).toEqual([]);
  });

  test('is the only difference: unchanged, the same statements are taken', async () => {
    const batch = aBatch({ events: someEvents(2, 'hostile') });
    const { statement, secret } = JSON.parse(batch.opening);
    const single = JSON.parse(singleLine(anEvent({ id: 'hostile' }))).statement;
    const uploaded = await upload(world, [
      JSON.stringify({ statement: changed(single, {}) }),
      JSON.stringify({ statement: changed(statement, {}), secret }),
      ...batch.lines.slice(1),
    ]);
    expect(outcomes(uploaded)).toEqual(['201', '201', '201']);
  });
});

describe('an event', () => {
  test('with attributes that look like ours changes nothing, in a batch either (S6)', async () => {
    const { size } = world.ledger.signed();
    const events = someEvents(2, 'ours', { index: 0, leafhash: 'y', status: 200 }).map(event =>
      utf8(Buffer.from(event).toString().replace('{', '{"data":{"__proto__":{"index":0},"salt":"x"},')),
    );
    const uploaded = await upload(world, [
      singleLine(events[0] ?? zero),
      ...aBatch({ events: events.slice(1) }).lines,
    ]);
    expect(outcomes(uploaded)).toEqual(['201', '201']);
    expect(uploaded.answers.map(({ index }) => index)).toEqual([size, size + 1]);
    for (const { salt = '' } of uploaded.answers) expect(parseBase64url(salt)).toHaveLength(32);
  });

  test('that is hostile is refused alone, and echoed without what a terminal obeys (S5, S6, S15)', async () => {
    const good = someEvents(2, 'beside');
    const bad = [
      '{"__proto__":{"id":"1"}}',
      '{"id":"1","id":"2"}',
      '{"id":"\\ud800"}',
      `{"data":${'['.repeat(32)}${']'.repeat(32)}}`,
      '{"id":"\\u001b[2J\\r\\n","BAD\\u202e":1}',
      '\ufeff{}',
      'not json',
    ].map(each => utf8(each));
    const events = [good[0] ?? zero, ...bad, good[1] ?? zero];
    const uploaded = await upload(world, aBatch({ events }).lines);
    expect(outcomes(uploaded)).toEqual(['201', ...bad.map(() => malformed), '201']);
    expectHarmless(uploaded.answers.slice(1, -1));
  });
});

describe('a body', () => {
  test('with invalid UTF-8 in line 7 is refused there and nowhere else', async () => {
    const lines = Array.from({ length: 9 }, () => Buffer.from(freshLine()));
    lines[6]?.writeUInt8(0xff, 20);
    const body = Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')]));
    const expected = lines.map((_, i) => (i === 6 ? malformed : '201'));
    expect(outcomes(await uploadBody(world, body))).toEqual(expected);
  });

  test.each([
    ['gzip', { 'content-encoding': 'gzip' }],
    ['two codings', { 'content-encoding': 'identity, gzip' }],
    ['another charset', { 'content-type': 'application/x-ndjson; charset=utf-16' }],
    ['no media type', { 'content-type': '' }],
  ])('with %s is refused with 415 and what to do (S5)', async (_, headers) => {
    const { status, body } = await uploadRaw(world, `${freshLine()}\n`, headers);
    expect(status).toBe(415);
    expect(JSON.parse(body).detail).toContain('send application/x-ndjson without Content-Encoding');
  });

  test('shorter than its length loses nothing that was answered, and takes nothing of what was cut (S5)', async () => {
    const { size } = world.ledger.signed();
    const [whole, cut] = [freshLine(), freshLine()];
    const body = `${whole}\n${cut.slice(0, 50)}`;
    const socket = connect(world.port, '127.0.0.1');
    socket.end(
      'POST /v1/records/batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n' +
        `Content-Length: ${body.length + 1}\r\n\r\n${body}`,
    );
    // Without the last line the answer is no whole one, and says so.
    expect(await text(socket)).not.toContain('"checkpoint"');
    await expect.poll(() => world.ledger.sequenced).toBe(size + 1);
    expect(outcomes(await upload(world, [whole, cut]))).toEqual(['200', '201']);
    expect(world.state.faults).toEqual([]);
  });
});
