import { describe, expect, it } from 'vitest';
import { parseReadToken, readTokenSigningInput } from '../../merkle/token.ts';
import { keyFor, kidOf } from '../helpers/keys.ts';
import { faultsOf } from '../helpers/refusals.ts';
import { aToken, signToken } from '../helpers/tokens.ts';

const key = keyFor('ES256');
const claims = { aud: 'ledger.example/2026', iat: 1_795_507_200, exp: 1_795_507_500, jti: 'a' };
const header = JSON.stringify({ alg: 'ES256', kid: kidOf(key), typ: 'zegel-read+jwt' });
const faults = (token: string) => faultsOf(() => parseReadToken(token));
const faultsIn = (changes: Readonly<Record<string, unknown>>) =>
  faults(aToken({ claims: { ...claims, ...changes } }));

describe('parseReadToken', () => {
  it('takes a token apart', () => {
    const { jws, claims: read } = parseReadToken(aToken({ claims }));
    expect(read).toEqual(claims);
    expect(jws).toMatchObject({ alg: 'ES256', kid: kidOf(key), typ: 'zegel-read+jwt' });
  });

  it('takes its members in any order, as libraries write them', () => {
    const token = signToken('ES256', key, header, '{"jti":"a","exp":101,"iat":100,"aud":"b"}');
    expect(parseReadToken(token).claims).toEqual({ aud: 'b', iat: 100, exp: 101, jti: 'a' });
  });

  it.each(['aud', 'iat', 'exp', 'jti'])('refuses one without %s', name => {
    expect(faultsIn({ [name]: undefined })).toEqual([`claims: member "${name}" is missing`]);
  });

  it.each(['iss', 'sub', 'nbf', 'leafHash', '__proto__'])('refuses the claim %s beside them', name => {
    const text = `{"aud":"b","iat":100,"exp":101,"jti":"a","${name}":1}`;
    expect(faults(signToken('ES256', key, header, text))).toEqual([`claims: unknown member "${name}"`]);
  });

  it.each([
    ['aud', 7, 'claims.aud: want a string, got the number 7'],
    ['aud', ['ledger.example/2026'], 'claims.aud: want a string, got an array'],
    ['aud', null, 'claims.aud: want a string, got null'],
    ['jti', 7, 'claims.jti: want a string, got the number 7'],
    ['jti', '', 'claims.jti: has 0 characters, want 1 to 128'],
    ['jti', 'a'.repeat(129), 'claims.jti: has 129 characters, want 1 to 128'],
    ['exp', claims.iat, 'claims.exp: is 0 s after iat, want 1 to 300'],
    ['exp', claims.iat - 1, 'claims.exp: is -1 s after iat, want 1 to 300'],
    ['exp', claims.iat + 301, 'claims.exp: is 301 s after iat, want 1 to 300'],
  ])('refuses %s %j', (name, value, fault) => {
    expect(faultsIn({ [name]: value })).toEqual([fault]);
  });

  it.each(['iat', 'exp'])('refuses a time %s that is no whole number of seconds', name => {
    for (const [value, got] of [
      [1_795_507_200.5, '1795507200.5'],
      [-1, '-1'],
      [2 ** 53, '9007199254740992'],
      ['1795507200', 'a string'],
      [null, 'null'],
    ])
      expect(faultsIn({ [name]: value })[0]).toBe(
        `claims.${name}: want an integer from 0 to 2^53 - 1 in decimal digits, got ${got}`,
      );
  });

  it('refuses a number in another spelling, and a claim that stands twice', () => {
    const inText = (text: string) => faults(signToken('ES256', key, header, text));
    expect(inText('{"aud":"b","iat":1e2,"exp":101,"jti":"a"}')[0]).toContain('got 1e2');
    expect(inText('{"aud":"b","aud":"c","iat":100,"exp":101,"jti":"a"}')[0]).toContain('stands twice');
  });

  it.each([
    ['typ', 'zegel-erase+jwt', 'header.typ: "zegel-erase+jwt" is not zegel-read+jwt'],
    ['typ', 'JWT', 'header.typ: "JWT" is not zegel-read+jwt'],
    ['typ', undefined, 'header: member "typ" is missing'],
    ['kid', undefined, 'header: member "kid" is missing'],
    ['aud', 'ledger.example/2026', 'header: unknown member "aud"'],
    ['jwk', {}, 'header: unknown member "jwk"'],
    ['crit', [], 'header: unknown member "crit"'],
  ])('refuses a header with %s %j', (name, value, fault) => {
    expect(faults(aToken({ header: { [name]: value } }))).toEqual([fault]);
  });

  it.each(['none', 'None', 'HS256', 'EdDSA'])('refuses the algorithm %s', alg => {
    expect(faults(aToken({ header: { alg } }))[0]).toContain(`header.alg: "${alg}" is not ES256 or`);
  });

  it('refuses what is no token at all', () => {
    expect(faults('')).toEqual([': compact JWS has 1 parts, want 3']);
    expect(faults('a.b')).toEqual([': compact JWS has 2 parts, want 3']);
    expect(faults(signToken('ES256', key, header, '[]'))).toEqual(['claims: want an object, got an array']);
    expect(faults(signToken('ES256', key, header, ''))[0]).toContain('claims: want a JSON value');
    expect(faults(`${aToken()}=`)[0]).toContain('signature: ');
  });
});

describe('readTokenSigningInput', () => {
  it('is what a token is made of', () => {
    const token = signToken('ES256', key, header, JSON.stringify(claims));
    const input = readTokenSigningInput({ alg: 'ES256', kid: kidOf(key) }, claims);
    expect(token.startsWith(`${input}.`)).toBe(true);
  });
});
