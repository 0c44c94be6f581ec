import { describe, expect, it } from 'vitest';
import { formatBase64url, parseBase64url, parseUtf8, utf8 } from '../../merkle/bytes.ts';
import { formatJws, jwsSigningInput, parseJws } from '../../merkle/jws.ts';
import { faultsOf } from '../helpers/refusals.ts';

const kid = formatBase64url(new Uint8Array(32).fill(1));
const good = { alg: 'ES256', kid, typ: 'zegel+jws', aud: 'ledger.example/2026' };

/** A compact JWS around any header and any payload. */
function jws(header: string, payload = '{}', signature = 'AAAA'): string {
  return `${formatBase64url(utf8(header))}.${formatBase64url(utf8(payload))}.${signature}`;
}

const parse = (compact: string) => parseJws(compact, { typs: ['zegel+jws', 'zegel-batch+jws'], aud: true });
const withHeader = (members: unknown) => jws(JSON.stringify(members));

describe('parseJws', () => {
  it('takes a JWS apart and keeps what was signed as it was spelt', () => {
    const header = `{ "aud":"a",\n"typ":"zegel-batch+jws","kid":"${kid}", "alg":"PS256" }`;
    const compact = jws(header, 'pay', 'AQID');
    expect(parse(compact)).toEqual({
      alg: 'PS256',
      kid,
      typ: 'zegel-batch+jws',
      aud: 'a',
      payload: utf8('pay'),
      signingInput: utf8(compact.slice(0, compact.lastIndexOf('.'))),
      signature: Uint8Array.of(1, 2, 3),
    });
  });

  it('leaves an empty payload to those who know what belongs there', () => {
    const { payload, signingInput } = parse(jws(JSON.stringify(good), ''));
    expect(payload).toEqual(new Uint8Array(0));
    expect(signingInput.at(-1)).toBe('.'.charCodeAt(0));
  });

  it('wants aud exactly where it is asked for', () => {
    const { aud, ...without } = good;
    expect(parseJws(withHeader(without), { typs: ['zegel+jws'], aud: false }).aud).toBe('');
    expect(faultsOf(() => parseJws(withHeader(good), { typs: ['zegel+jws'], aud: false }))).toEqual([
      'header: unknown member "aud"',
    ]);
    expect(faultsOf(() => parse(withHeader(without)))).toEqual(['header: member "aud" is missing']);
    expect(aud).toBe(parse(withHeader(good)).aud);
  });

  it.each<[string, string, string[]]>([
    ['nothing', '', [': compact JWS has 1 parts, want 3']],
    ['two parts', 'AAAA.AAAA', [': compact JWS has 2 parts, want 3']],
    ['four parts', `${withHeader(good)}.`, [': compact JWS has 4 parts, want 3']],
    ['a JWE', 'AA.AA.AA.AA.AA', [': compact JWS has 5 parts, want 3']],
    ['no signature', jws(JSON.stringify(good), '{}', ''), ['signature: is empty']],
    [
      'nothing between the points',
      '..',
      ['signature: is empty', 'header: want a JSON value (at character 0)'],
    ],
    ['a line feed at the end', `${withHeader(good)}\n`, ['signature: "AAAA\\n" is not canonical base64url']],
    ['padding', `${withHeader(good)}=`, ['signature: "AAAA=" is not canonical base64url']],
    ['unused bits', jws(JSON.stringify(good), '{}', 'AAB'), ['signature: "AAB" is not canonical base64url']],
    [
      'the standard alphabet',
      jws(JSON.stringify(good), '{}', 'AA+/'),
      ['signature: "AA+/" is not canonical base64url'],
    ],
    ['a header that is no base64url', '{}.AAAA.AAAA', ['header: "{}" is not canonical base64url']],
    ['a header that is no JSON', jws('alg'), ['header: want a JSON value (at character 0)']],
    ['a header that is not UTF-8', '_w.AAAA.AAAA', ['header: is not valid UTF-8']],
    ['a header that is a string', jws('"alg"'), ['header: want an object, got a string']],
    ['a header that is null', jws('null'), ['header: want an object, got null']],
    [
      'a member that stands twice',
      jws(JSON.stringify(good).replace('{', '{"alg":"none",')),
      ['header: member "alg" stands twice (at character 19)'],
    ],
    ['a nested fault', jws('{"kid":[1,x]}'), ['header.kid[1]: want a JSON value (at character 10)']],
    [
      'several faults at once',
      jws('{"alg":"none","typ":1,"crit":[]}', '{}', 'A'),
      [
        'signature: "A" is not canonical base64url',
        'header: member "aud" is missing',
        'header: member "kid" is missing',
        'header: unknown member "crit"',
        'header.alg: "none" is not ES256 or ES384 or ES256K or RS256 or PS256 or Ed25519',
        'header.typ: want a string, got the number 1',
      ],
    ],
  ])('refuses %s', (_, compact, faults) => {
    expect(faultsOf(() => parse(compact))).toEqual(faults);
  });

  it.each(['none', 'None', 'nOnE', 'HS256', 'EdDSA', 'ES512', 'RS512', 'PS384', 'es256', 'ES256 ', '1', ''])(
    'refuses the algorithm "%s"',
    alg => {
      expect(faultsOf(() => parse(withHeader({ ...good, alg })))[0]).toMatch(
        /^header\.alg: ".*" is not ES256 or /,
      );
    },
  );

  it.each([
    ['alg', null, 'want a string, got null'],
    ['alg', 1, 'want a string, got the number 1'],
    ['alg', ['ES256'], 'want a string, got an array'],
    ['kid', 7, 'want a string, got the number 7'],
    ['kid', '', '0 bytes, want 32'],
    ['kid', 'a'.repeat(10_000), '7500 bytes, want 32'],
    ['kid', `${kid}=`, `"${kid.slice(0, 40)}…" is not canonical base64url: it has U+003D at character 43`],
    ['kid', '../../etc/passwd', '"../../etc/passwd" is not canonical base64url'],
    ['kid', "' OR 1=1 --", '"\' OR 1=1 --" is not canonical base64url'],
    ['kid', '__proto__', '"__proto__" is not canonical base64url'],
    ['typ', 'JWT', '"JWT" is not zegel+jws or zegel-batch+jws'],
    ['typ', 'ZEGEL+JWS', '"ZEGEL+JWS" is not zegel+jws or zegel-batch+jws'],
    ['typ', 'application/zegel+jws', '"application/zegel+jws" is not zegel+jws or zegel-batch+jws'],
    ['typ', '\u001b[2J\r\n', '"\\u001b[2J\\r\\n" is not zegel+jws or zegel-batch+jws'],
    ['aud', ['ledger.example/2026'], 'want a string, got an array'],
    ['aud', {}, 'want a string, got an object'],
  ])('refuses %s as %j', (name, value, fault) => {
    expect(faultsOf(() => parse(withHeader({ ...good, [name]: value })))).toEqual([
      `header.${name}: ${fault}`,
    ]);
  });

  it.each([
    'crit',
    'b64',
    'jku',
    'jwk',
    'x5u',
    'x5c',
    'x5t',
    'x5t#S256',
    'cty',
    'zip',
    'enc',
    'iat',
    'nonce',
    'url',
    '__proto__',
    '',
  ])('refuses a header with "%s"', name => {
    const header = `${JSON.stringify(good).slice(0, -1)},${JSON.stringify(name)}:true}`;
    expect(faultsOf(() => parse(jws(header)))).toEqual([`header: unknown member "${name}"`]);
  });
});

describe('jwsSigningInput and formatJws', () => {
  it('print what parseJws reads, with the members in the order given', () => {
    const input = jwsSigningInput(good, utf8('pay'));
    expect(parseUtf8(parseBase64url(input.split('.')[0] ?? ''))).toBe(
      `{"alg":"ES256","kid":"${kid}","typ":"zegel+jws","aud":"ledger.example/2026"}`,
    );
    const compact = formatJws(input, Uint8Array.of(1));
    expect(parse(compact)).toMatchObject({ ...good, payload: utf8('pay'), signingInput: utf8(input) });
    expect(compact).toBe(`${input}.AQ`);
  });
});
