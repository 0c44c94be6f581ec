import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatBase64url, formatHex, parseBase64url, utf8 } from '../../../merkle/bytes.ts';
import { readCheckpoint } from '../../../merkle/checkpoint.ts';
import { commitmentOf, formatEntry } from '../../../merkle/entry.ts';
import { thumbprint } from '../../../merkle/jwk.ts';
import { verifyNote } from '../../../merkle/note.ts';
import { type Algorithm, algorithms } from '../../../merkle/signature.ts';
import { formatBatchPayload } from '../../../merkle/statement.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { verifyInclusion } from '../../../merkle/verify.ts';
import { anEvent, aStatement, testOrigin } from '../../helpers/builders.ts';
import { keyFor, kidOf, publicJwk, signAs, testKeys } from '../../helpers/keys.ts';
import { type Answer, aWorld, kidHex, problemOf, submit, viewedKey, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await aWorld();
});
afterAll(() => world.stop());

let lastId = 0;
/** An event that no other test has sent. */
function freshEvent(members: Readonly<Record<string, unknown>> = {}): Uint8Array {
  return anEvent({ id: `event-${lastId++}`, ...members });
}

/** Runs a request that must be refused, and holds that nothing has changed. */
async function refused(request: () => Promise<Answer>, status: number, name: string) {
  const { size, checkpoint } = world.ledger.signed();
  const problem = problemOf(await request(), status, name);
  expect(world.ledger.sequenced).toBe(size);
  expect(world.ledger.signed().checkpoint).toBe(checkpoint);
  expect(world.state.faults).toEqual([]);
  return problem;
}

/** A compact JWS with a header and a payload of any kind, signed by the ES256 test key. */
function aJws(header: unknown, payload: Uint8Array = freshEvent()): string {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const input = `${formatBase64url(utf8(text))}.${formatBase64url(payload)}`;
  return `${input}.${formatBase64url(signAs('ES256', keyFor('ES256'), input))}`;
}

const goodHeader = { alg: 'ES256', aud: testOrigin, kid: kidOf(keyFor('ES256')), typ: 'zegel+jws' };

describe('POST /v1/records', () => {
  test('answers 201 with exactly what proves that the record is in the log', async () => {
    const payload = freshEvent();
    const statement = aStatement({ payload });
    const answer = await submit(world, statement);
    expect(answer.status).toBe(201);
    expect(answer.headers['content-type']).toBe('application/json');
    const body = JSON.parse(answer.body);
    expect(Object.keys(body)).toEqual(['leafHash', 'index', 'time', 'salt', 'inclusion', 'checkpoint']);
    expect(body.time).toMatch(/^2026-11-24T08:00:00\.\d{3}Z$/);
    expect(answer.headers['location']).toBe(`${world.url}/v1/records/${body.leafHash}/receipt`);

    const entry = formatEntry({
      kind: 'transaction',
      time: Date.parse(body.time),
      keyId: thumbprint(publicJwk(keyFor('ES256'))),
      commitment: commitmentOf(parseBase64url(body.salt), payload, statement),
    });
    expect(formatHex(leafHash(entry))).toBe(body.leafHash);
    verifyNote(body.checkpoint, [world.ledger.verifierKey]);
    const { size, root, origin } = readCheckpoint(body.checkpoint);
    expect(origin).toBe(testOrigin);
    const { index, path } = body.inclusion;
    expect(index).toBe(body.index);
    verifyInclusion({
      index,
      size,
      root,
      leafHash: leafHash(entry),
      path: path.map((hash: string) => parseBase64url(hash)),
    });
  });

  test.each(algorithms.map(({ name }) => name))('takes a statement signed with %s', async alg => {
    expect((await submit(world, aStatement({ alg, payload: freshEvent() }))).status).toBe(201);
  });

  test('answers a retry with 200 and the record as it stands, even signed anew by another key of the agency (S4)', async () => {
    const payload = freshEvent();
    const statement = aStatement({ payload });
    const first = JSON.parse((await submit(world, statement)).body);
    const size = world.ledger.sequenced;
    for (const again of [statement, aStatement({ payload }), aStatement({ payload, alg: 'Ed25519' })]) {
      const answer = await submit(world, again);
      expect(answer.status).toBe(200);
      const body = JSON.parse(answer.body);
      expect(Object.keys(body)).toEqual([
        'leafHash',
        'index',
        'time',
        'salt',
        'inclusion',
        'checkpoint',
        'record',
      ]);
      expect(body).toMatchObject({
        leafHash: first.leafHash,
        index: first.index,
        time: first.time,
        salt: first.salt,
      });
      expect(body.record).toEqual({ statement, salt: first.salt, key: publicJwk(keyFor('ES256')) });
      expect(answer.headers['location']).toBe(`${world.url}/v1/records/${first.leafHash}/receipt`);
    }
    expect(world.ledger.sequenced).toBe(size);
  });

  test('answers a retry under a key that was retired since, and refuses it for anything new', async () => {
    const payload = freshEvent();
    const statement = aStatement({ payload });
    expect((await submit(world, statement)).status).toBe(201);
    world.keys.set(kidHex('ES256'), viewedKey('ES256', { retired: true }));
    try {
      expect((await submit(world, statement)).status).toBe(200);
      await refused(() => submit(world, aStatement({ payload: freshEvent() })), 403, 'key-not-valid');
    } finally {
      world.keys.set(kidHex('ES256'), viewedKey('ES256'));
    }
  });

  test('refuses other bytes under a source and id that are taken with 409 (S4)', async () => {
    const id = `taken-${lastId++}`;
    expect((await submit(world, aStatement({ payload: anEvent({ id }) }))).status).toBe(201);
    const other = aStatement({ payload: anEvent({ id, subject: 'other' }) });
    await refused(() => submit(world, other), 409, 'event-conflict');
  });

  test('keeps the identifiers of agencies apart', async () => {
    const payload = freshEvent();
    expect((await submit(world, aStatement({ payload }))).status).toBe(201);
    world.keys.set(kidHex('ES384'), viewedKey('ES384', { agency: 'OVO000001' }));
    expect((await submit(world, aStatement({ payload, alg: 'ES384' }))).status).toBe(201);
  });

  test('takes a charset of UTF-8 on the media type, which some clients cannot leave out', async () => {
    const headers = { 'content-type': 'application/jose; charset=UTF-8' };
    expect((await submit(world, aStatement({ payload: freshEvent() }), headers)).status).toBe(201);
  });

  test('takes an event of the greatest length, and names the length of a longer one', async () => {
    const padded = (length: number) => {
      const short = freshEvent({ data: '' }).length;
      return anEvent({ id: `event-${lastId - 1}`, data: 'x'.repeat(length - short) });
    };
    const greatest = padded(65_536);
    expect(greatest).toHaveLength(65_536);
    expect((await submit(world, aStatement({ payload: greatest, alg: 'RS256' }))).status).toBe(201);
    const problem = await refused(
      () => submit(world, aStatement({ payload: padded(65_537) })),
      400,
      'record-malformed',
    );
    expect(problem.issues).toEqual([
      { place: 'event', message: 'event has 65537 bytes, want at most 65536' },
    ]);
  });

  test('refuses submissions with 503 and a reason while the chain is silent, and says when to try again', async () => {
    world.state.silent = true;
    try {
      const answer = await submit(world, aStatement({ payload: freshEvent() }));
      expect(problemOf(answer, 503, 'chain-silent').detail).toBe('the chain was last heard 61 s ago');
      expect(answer.headers['retry-after']).toBe('10');
    } finally {
      world.state.silent = false;
    }
  });
});

describe('S1: a signature that is not one', () => {
  const payload = anEvent({ id: 's1' });
  const [, , signature = ''] = aStatement({ payload }).split('.');
  const bytes = parseBase64url(signature);
  const zero = new Uint8Array(32);
  const order = Uint8Array.from(
    Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'),
  );
  const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap(part => [...part]));
  const [r, s] = [bytes.slice(0, 32), bytes.slice(32)];
  const withSignature = (other: Uint8Array) =>
    aStatement({ payload }).replace(/[^.]*$/, formatBase64url(other));

  test.each([
    [
      'of another statement',
      parseBase64url(aStatement({ payload: anEvent({ id: 's1b' }) }).split('.')[2] ?? ''),
    ],
    ['cut short', bytes.slice(0, 63)],
    ['too long', join(bytes, zero)],
    ['of ten thousand bytes', new Uint8Array(10_000).fill(7)],
    ['with r = 0', join(zero, s)],
    ['with s = 0', join(r, zero)],
    ['with r = n', join(order, s)],
    ['with s = n', join(r, order)],
    ['of zeros', join(zero, zero)],
    [
      'in DER',
      Uint8Array.from(Buffer.from(`3044022000${formatHex(r).slice(2)}022000${formatHex(s).slice(2)}`, 'hex')),
    ],
    ['of another curve', signAs('ES384', keyFor('ES384'), 'x')],
    [
      'by the other agency key',
      signAs('ES256K', keyFor('ES256K'), aStatement({ payload }).replace(/\.[^.]*$/, '')),
    ],
  ])('%s is refused', async (name, other) => {
    const problem = await refused(() => submit(world, withSignature(other)), 403, 'signature-invalid');
    // Who comes with DER is told so: it is what most libraries make.
    const looks = name === 'in DER' ? ': it looks like DER, want r‖s (RFC 7518 section 3.4)' : '';
    expect(problem).toMatchObject({
      detail: `the signature does not verify under the registered key${looks}`,
      issues: [],
    });
  });

  test.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'HS256',
    'HS512',
    'EdDSA',
    'es256',
    'ES512',
    'RS1',
    'ES256 ',
    0,
    null,
    {},
  ])('alg %j is refused', async alg => {
    const problem = await refused(() => submit(world, aJws({ ...goodHeader, alg })), 400, 'record-malformed');
    expect(problem.issues).toEqual([{ place: 'header.alg', message: expect.any(String) }]);
  });

  test('HS256 over the public key is refused', async () => {
    const input = aJws({ ...goodHeader, alg: 'HS256' }).replace(/\.[^.]*$/, '');
    const key = JSON.stringify(publicJwk(keyFor('ES256')));
    const mac = createHmac('sha256', key).update(input).digest('base64url');
    await refused(() => submit(world, `${input}.${mac}`), 400, 'record-malformed');
  });

  test.each([
    ['a line feed', '\n', 'U+000A at character 86'],
    ['padding', '==', 'U+003D at character 86'],
  ])('%s behind a signature is refused, and named', async (_, behind, name) => {
    const problem = await refused(
      () => submit(world, aStatement({ payload }) + behind),
      400,
      'record-malformed',
    );
    expect(problem.issues[0]?.message).toMatch(
      new RegExp(`is not canonical base64url: it has ${name.replace('+', '\\+')}$`),
    );
  });

  test.each(['', 'zz', 'a', '=', '****'])('%j in place of a signature is refused', async part => {
    const statement = aStatement({ payload }).replace(/[^.]*$/, part);
    const problem = await refused(() => submit(world, statement), 400, 'record-malformed');
    expect(problem.issues).toEqual([{ place: 'signature', message: expect.any(String) }]);
  });

  test.each([
    ['Ed25519', 'ES256'],
    ['ES256', 'RS256'],
    ['PS256', 'RS256'],
    ['RS256', 'PS256'],
    ['ES256', 'ES256K'],
  ] as readonly [Algorithm, Algorithm][])(
    'alg %s with a key registered for %s is refused',
    async (alg, registered) => {
      const kid = kidOf(keyFor(registered));
      const statement = aStatement({ alg, kid, payload });
      const problem = await refused(() => submit(world, statement), 403, 'key-algorithm');
      expect(problem.detail).toBe(`the statement's alg is ${alg}, the key is registered for ${registered}`);
    },
  );
});

describe('S2: a key that is not the agency’s', () => {
  test('an unknown key is refused', async () => {
    const kid = formatBase64url(new Uint8Array(32).fill(9));
    const problem = await refused(
      () => submit(world, aStatement({ kid, payload: freshEvent() })),
      403,
      'key-unknown',
    );
    expect(problem.detail).toBe(`no agency has registered the key ${kid}`);
  });

  test('another key’s id over one’s own signature is refused', async () => {
    const statement = aStatement({
      key: testKeys.es256,
      kid: kidOf(testKeys.es256k),
      alg: 'ES256',
      payload: freshEvent(),
    });
    await refused(() => submit(world, statement), 403, 'key-algorithm');
  });

  test.each([
    ['retired', { retired: true }],
    ['not valid yet', { validFrom: 2_000_000_000 }],
    ['no longer valid', { validUntil: 1_700_000_001 }],
  ])('a key that is %s is refused', async (_, changes) => {
    world.keys.set(kidHex('Ed25519'), viewedKey('Ed25519', changes));
    try {
      await refused(
        () => submit(world, aStatement({ alg: 'Ed25519', payload: freshEvent() })),
        403,
        'key-not-valid',
      );
    } finally {
      world.keys.set(kidHex('Ed25519'), viewedKey('Ed25519'));
    }
  });

  test('the key’s validity is held against the entry’s own time, to the millisecond', async () => {
    const second = Math.floor(world.log.now.ms / 1000);
    const send = () => submit(world, aStatement({ alg: 'Ed25519', payload: freshEvent() }));
    try {
      world.keys.set(kidHex('Ed25519'), viewedKey('Ed25519', { validFrom: second + 1 }));
      world.log.now.ms = (second + 1) * 1000 - 1;
      await refused(send, 403, 'key-not-valid');
      world.log.now.ms = (second + 1) * 1000;
      expect((await send()).status).toBe(201);
      world.keys.set(kidHex('Ed25519'), viewedKey('Ed25519', { validUntil: second + 2 }));
      world.log.now.ms = (second + 2) * 1000 - 1;
      expect((await send()).status).toBe(201);
      world.log.now.ms = (second + 2) * 1000;
      await refused(send, 403, 'key-not-valid');
    } finally {
      world.keys.set(kidHex('Ed25519'), viewedKey('Ed25519'));
    }
  });

  test.each([
    ['a path', '../../../../etc/passwd'],
    ['a file URL', 'file:///etc/passwd'],
    ['SQL', "' OR 1=1; DROP TABLE keys; --"],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['nothing', ''],
    ['10 KB', 'A'.repeat(10_240)],
    ['padded', `${kidOf(keyFor('ES256'))}=`],
    ['in another spelling', `${kidOf(keyFor('ES256')).slice(0, -1)}_`],
    ['terminal escapes', '\u001b[2J\u001b]0;pwned\u0007'],
    ['a line break', 'a\r\nSet-Cookie: b=c'],
    ['a number', 1],
    ['an array', [kidOf(keyFor('ES256'))]],
    ['null', null],
  ])('a kid that is %s is refused', async (_, kid) => {
    const problem = await refused(() => submit(world, aJws({ ...goodHeader, kid })), 400, 'record-malformed');
    expect(problem.issues.map(({ place }) => place)).toEqual(['header.kid']);
    expect(problem.issues[0]?.message.length).toBeLessThan(300);
  });
});

describe('S3: a header with more or less than it may have', () => {
  test.each([
    ['crit', { crit: ['b64'] }],
    ['b64', { b64: false }],
    ['jku', { jku: 'https://evil.example/keys' }],
    ['jwk', { jwk: publicJwk(keyFor('ES256')) }],
    ['x5c', { x5c: ['MIIB'] }],
    ['x5u', { x5u: 'https://evil.example' }],
    ['cty', { cty: 'application/json' }],
    ['zip', { zip: 'DEF' }],
    ['__proto__', JSON.parse('{"__proto__":{"alg":"none"}}')],
    ['something of one’s own', { zegel: true }],
  ])('%s is refused', async (_, more) => {
    const header = JSON.stringify({ ...goodHeader }).slice(0, -1);
    const text = `${header},${JSON.stringify(more).slice(1)}`;
    const problem = await refused(() => submit(world, aJws(text)), 400, 'record-malformed');
    expect(problem.issues[0]).toEqual({
      place: 'header',
      message: expect.stringContaining('unknown member'),
    });
  });

  test.each(['alg', 'kid', 'typ', 'aud'])('a missing %s is refused', async name => {
    const { [name as 'alg']: _, ...header } = goodHeader;
    const problem = await refused(() => submit(world, aJws(header)), 400, 'record-malformed');
    expect(problem.issues).toEqual([{ place: 'header', message: `member "${name}" is missing` }]);
  });

  test.each(['alg', 'kid', 'typ', 'aud', '\\u0061lg'])('a doubled %s is refused', async name => {
    const text = `${JSON.stringify(goodHeader).slice(0, -1)},"${name}":"none"}`;
    const problem = await refused(() => submit(world, aJws(text)), 400, 'record-malformed');
    expect(problem.issues[0]?.message).toContain('stands twice');
  });

  test('every fault of a header is named at once', async () => {
    const header = { alg: 'none', kid: 'x', typ: 'JWT', aud: 7, crit: [] };
    const problem = await refused(() => submit(world, aJws(header)), 400, 'record-malformed');
    expect(problem.issues.map(({ place }) => place).sort()).toEqual([
      'header',
      'header.alg',
      'header.aud',
      'header.kid',
      'header.typ',
    ]);
  });

  test.each([
    ['another log', 'ledger.example/2027'],
    ['a part of this one', testOrigin.slice(0, -1)],
  ])('an aud of %s is refused (S4)', async (_, aud) => {
    await refused(() => submit(world, aStatement({ aud, payload: freshEvent() })), 403, 'audience-other');
  });

  test('an aud that is no origin is refused', async () => {
    const problem = await refused(
      () => submit(world, aJws({ ...goodHeader, aud: 'Ledger\u0007' })),
      400,
      'record-malformed',
    );
    expect(problem.issues).toEqual([{ place: 'header.aud', message: expect.any(String) }]);
  });

  test('a batch statement is refused with the place where it may go', async () => {
    const payload = utf8(formatBatchPayload(new Uint8Array(32), 2));
    const statement = aStatement({ typ: 'zegel-batch+jws', payload });
    const problem = await refused(() => submit(world, statement), 400, 'record-malformed');
    expect(problem.issues).toEqual([
      {
        place: 'header.typ',
        message: 'a batch statement goes to /v1/records/batch with its secret, want zegel+jws',
      },
    ]);
  });
});

describe('S5 and S6: an event that is none', () => {
  test.each([
    ['no JSON', utf8('not json'), 'event'],
    ['an array', utf8('[]'), 'event'],
    ['a BOM', utf8(`\ufeff${Buffer.from(anEvent())}`), 'event'],
    ['UTF-16', new Uint8Array(Buffer.from(Buffer.from(anEvent()).toString(), 'utf16le')), 'event'],
    ['invalid UTF-8', Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), 'event'],
    ['a NUL', utf8('{"id":"\u0000"}'), 'event.id'],
    ['a lone surrogate', utf8('{"id":"\\ud800"}'), 'event.id'],
    ['a doubled member', utf8('{"id":"1","id":"2"}'), 'event'],
    ['33 levels', utf8(`{"data":${'['.repeat(32)}${']'.repeat(32)}}`), 'event.data'],
    ['fields of ours', anEvent({ id: 's6a', Index: 5 }), 'event'],
    ['another recordkind', anEvent({ id: 's6b', recordkind: 'genesis' }), 'event.recordkind'],
    ['no time', anEvent({ id: 's6c', time: undefined }), 'event'],
  ])('%s is refused with its place', async (_, payload, place) => {
    const problem = await refused(() => submit(world, aJws(goodHeader, payload)), 400, 'record-malformed');
    expect(problem.issues[0]?.place.startsWith(place)).toBe(true);
  });

  test('names every fault of an event', async () => {
    const payload = utf8('{"specversion":"0.3","source":7,"type":"","recordkind":"x","BAD":1}');
    const problem = await refused(() => submit(world, aJws(goodHeader, payload)), 400, 'record-malformed');
    expect(problem.issues.length).toBeGreaterThanOrEqual(7);
    expect(problem.detail).toBe(`the statement has ${problem.issues.length} faults`);
    for (const { place } of problem.issues) expect(place).toMatch(/^event/);
  });

  test('names no more than a hundred of a thousand faults', async () => {
    const members = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`BAD${i}`, 1]));
    const problem = await refused(
      () => submit(world, aJws(goodHeader, freshEvent(members))),
      400,
      'record-malformed',
    );
    expect(problem.issues).toHaveLength(101);
    expect(problem.issues.at(-1)).toEqual({ place: '', message: '900 more faults' });
  });

  test('attributes that look like ours change nothing (S6)', async () => {
    const text = Buffer.from(freshEvent({ index: 0, time0: 'x', leafhash: 'y' })).toString();
    const polluted = text.replace(
      '{',
      '{"data":{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"x":1}}},',
    );
    const answer = await submit(world, aStatement({ payload: utf8(polluted) }));
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.body).index).toBe(world.ledger.sequenced - 1);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  test('an attribute named __proto__ is refused', async () => {
    const text = Buffer.from(freshEvent()).toString().replace('{', '{"__proto__":{"recordkind":"audit"},');
    const problem = await refused(() => submit(world, aJws(goodHeader, utf8(text))), 400, 'record-malformed');
    expect(problem.issues[0]?.message).toContain('__proto__');
  });
});

describe('S5: a body that is no statement', () => {
  test.each([
    ['nothing', ''],
    ['one part', 'abc'],
    ['two parts', 'a.b'],
    ['four parts', `${aStatement()}.x`],
    ['a BOM', `\ufeff${aStatement()}`],
    ['UTF-16', Buffer.from(aStatement(), 'utf16le')],
    ['a NUL', `${aStatement()}\0`],
    ['a line feed at the end', `${aStatement()}\n`],
    ['a space in front', ` ${aStatement()}`],
    ['padding', `${aStatement()}=`],
    ['invalid UTF-8', Uint8Array.of(0xff, 0xfe, 0x2e)],
    ['JSON serialisation', JSON.stringify({ payload: 'x', signatures: [] })],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0)],
  ])('%s is refused', async (what, body) => {
    const name = what === 'nothing' ? 'request-malformed' : 'record-malformed';
    await refused(() => submit(world, body), 400, name);
  });

  test.each([
    ['application/json', {}],
    ['text/plain', {}],
    ['', {}],
    ['application/jose+json', {}],
    ['application/jose; charset=utf-16', {}],
    ['application/jose; boundary=x', {}],
    ['application/jose, application/jose', {}],
    ['application/jose', { 'content-encoding': 'gzip' }],
    ['application/jose', { 'content-encoding': 'identity' }],
    ['application/jose', { 'content-encoding': 'br, gzip' }],
  ])('media type %j with %j is refused with 415', async (type, more) => {
    const problem = await refused(
      () => submit(world, aStatement({ payload: freshEvent() }), { 'content-type': type, ...more }),
      415,
      'media-type-unsupported',
    );
    expect(problem.detail).toContain('send application/jose without Content-Encoding');
    expect(problem.issues[0]?.place).toMatch(/^header Content-(Type|Encoding)$/);
  });

  test.each([
    ['a little', 90_000],
    ['far', 5_000_000],
  ])('a body that is %s over the limit is refused with 413', async (_, length) => {
    const problem = await refused(() => submit(world, 'a'.repeat(length)), 413, 'body-too-large');
    expect(problem.detail).toBe('the body has more than 89430 bytes');
  });
});
