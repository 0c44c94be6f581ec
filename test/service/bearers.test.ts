import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatBase64url, formatHex } from '../../merkle/bytes.ts';
import { algorithms } from '../../merkle/signature.ts';
import { parseReadToken } from '../../merkle/token.ts';
import { Bearers, tokenIn } from '../../service/bearers.ts';
import { LedgerError } from '../../service/errors.ts';
import type { ViewedKey } from '../../service/keys.ts';
import { verifyWithOpenSsl } from '../../service/openssl.ts';
import { testOrigin } from '../helpers/builders.ts';
import { keyFor, kidOf } from '../helpers/keys.ts';
import { aToken } from '../helpers/tokens.ts';
import { agency, kidHex, registeredKeys, viewedKey } from './http/world.ts';

const startedAtMs = 1_795_507_000_400;

/** Bearers of one agency's test keys, and a clock that stands a while after the start. */
function aGate({ keys = registeredKeys(), silent = false } = {}) {
  const clock = { ms: startedAtMs + 60_000, waitedMs: [] as number[] };
  let checked = 0;
  const bearers = new Bearers({
    origin: testOrigin,
    keys: {
      find: keyId => keys.get(formatHex(keyId)),
      ready: () => {
        if (silent) throw new LedgerError('CHAIN_SILENT', 'the chain has not been heard');
      },
    },
    verify: (...args) => {
      checked++;
      return verifyWithOpenSsl(...args);
    },
    now: () => clock.ms,
    startedAtMs,
    delay: async ms => {
      clock.waitedMs.push(ms);
      clock.ms += ms;
    },
  });
  return {
    clock,
    bearers,
    signaturesChecked: () => checked,
    /** Verifies a token and uses it up, as a request does. Gives the agency, or the code of the refusal. */
    async admit(token: string = aToken({ nowMs: clock.ms })): Promise<string> {
      try {
        const bearer = await bearers.verify(tokenIn(`Bearer ${token}`, parseReadToken));
        bearers.spend(bearer);
        return bearer.agency;
      } catch (error) {
        if (error instanceof LedgerError) return error.code;
        throw error;
      }
    },
  };
}

describe('a token', () => {
  it.each(algorithms)('by $name tells which agency asks', async ({ name }) => {
    const gate = aGate();
    expect(await gate.admit(aToken({ alg: name, nowMs: gate.clock.ms }))).toBe(agency);
  });

  it('is good for one request', async () => {
    const gate = aGate();
    const token = aToken({ nowMs: gate.clock.ms });
    const results = await Promise.all([gate.admit(token), gate.admit(token), gate.admit(token)]);
    expect(results.sort()).toEqual([agency, 'TOKEN_USED', 'TOKEN_USED']);
    expect(await gate.admit()).toBe(agency);
  });

  it('is another log’s when its audience is', async () => {
    const gate = aGate();
    for (const aud of ['ledger.example/2027', `${testOrigin}/`, testOrigin.toUpperCase(), ''])
      expect(await gate.admit(aToken({ nowMs: gate.clock.ms, claims: { aud } }))).toBe('TOKEN_AUDIENCE');
    expect(gate.signaturesChecked()).toBe(0);
  });

  it('is refused at its end and not before', async () => {
    const gate = aGate();
    const iat = Math.floor(gate.clock.ms / 1000);
    const token = () => aToken({ claims: { iat, exp: iat + 10 } });
    gate.clock.ms = (iat + 10) * 1000 - 1;
    expect(await gate.admit(token())).toBe(agency);
    gate.clock.ms++;
    expect(await gate.admit(token())).toBe('TOKEN_EXPIRED');
  });

  it('is refused when it was made before the start, whatever was used then', async () => {
    const gate = aGate();
    const startS = Math.floor(startedAtMs / 1000);
    for (const [iat, verdict] of [
      [startS - 1, 'TOKEN_BEFORE_START'],
      // In the second in which the service started: perhaps before it did.
      [startS, 'TOKEN_BEFORE_START'],
      [startS + 1, agency],
    ] as const)
      expect(await gate.admit(aToken({ claims: { iat, exp: iat + 300 } }))).toBe(verdict);
  });

  it('is held until its time has come when it is dated a little ahead, and refused when further', async () => {
    const gate = aGate();
    gate.clock.ms = 1_795_507_060_000;
    const iat = 1_795_507_065;
    expect(await gate.admit(aToken({ claims: { iat: iat + 1, exp: iat + 9 } }))).toBe('TOKEN_AHEAD');
    expect(gate.clock.waitedMs).toEqual([]);
    expect(await gate.admit(aToken({ claims: { iat, exp: iat + 9 } }))).toBe(agency);
    expect(gate.clock.waitedMs).toEqual([5_000]);
  });

  it('is refused under a key that nobody has registered', async () => {
    const keys = registeredKeys();
    keys.delete(kidHex('ES256'));
    const gate = aGate({ keys });
    expect(await gate.admit()).toBe('TOKEN_KEY_UNKNOWN');
    for (const kid of [formatBase64url(new Uint8Array(32)), kidOf(keyFor('ES384'))])
      expect(await gate.admit(aToken({ nowMs: gate.clock.ms, header: { kid } }))).toMatch(
        /TOKEN_KEY_(UNKNOWN|ALGORITHM)/,
      );
  });

  it('is refused when another key than it names has signed it', async () => {
    const gate = aGate();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const [header, claims] = aToken({ nowMs: gate.clock.ms }).split('.');
    const input = `${header}.${claims}`;
    const forged = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(await gate.admit(`${input}.${forged.toString('base64url')}`)).toBe('TOKEN_SIGNATURE');
  });

  it('is refused by another algorithm than its key is registered for', async () => {
    const gate = aGate();
    const rs256 = keyFor('RS256');
    expect(await gate.admit(aToken({ alg: 'PS256', key: rs256, nowMs: gate.clock.ms }))).toBe(
      'TOKEN_KEY_ALGORITHM',
    );
    expect(await gate.admit(aToken({ nowMs: gate.clock.ms, header: { alg: 'ES256K' } }))).toBe(
      'TOKEN_KEY_ALGORITHM',
    );
    // With the public key as a secret: there is no such algorithm here.
    expect(await gate.admit(aToken({ nowMs: gate.clock.ms, header: { alg: 'HS256' } }))).toBe(
      'TOKEN_MALFORMED',
    );
  });

  it.each([
    ['retired', { retired: true }],
    ['not valid yet', { validFrom: 1_795_507_061 }],
    ['no longer valid', { validUntil: 1_795_507_060 }],
  ] satisfies [string, Partial<ViewedKey>][])('is refused under a key that is %s', async (_, changes) => {
    const keys = registeredKeys();
    keys.set(kidHex('ES256'), viewedKey('ES256', changes));
    expect(await aGate({ keys }).admit()).toBe('TOKEN_KEY_NOT_VALID');
  });

  it('is not judged while the chain is silent, since its key may be retired by now', async () => {
    expect(await aGate({ silent: true }).admit()).toBe('CHAIN_SILENT');
  });

  it('is not used up by a refusal', async () => {
    const keys = registeredKeys();
    const gate = aGate({ keys });
    const iat = Math.floor(gate.clock.ms / 1000);
    const claims = { iat, exp: iat + 100, jti: 'mine' };
    const good = aToken({ claims });
    const swapped = `${good.slice(0, good.lastIndexOf('.'))}.${aToken({ claims: { ...claims, aud: 'x' } })
      .split('.')
      .at(-1)}`;
    expect(await gate.admit(swapped)).toBe('TOKEN_SIGNATURE');
    expect(await gate.admit(aToken({ alg: 'ES384', claims }))).toBe(agency);
    keys.set(kidHex('ES256'), viewedKey('ES256', { retired: true }));
    expect(await gate.admit(good)).toBe('TOKEN_KEY_NOT_VALID');
    keys.set(kidHex('ES256'), viewedKey('ES256'));
    expect(await gate.admit(good)).toBe(agency);
    expect(await gate.admit(good)).toBe('TOKEN_USED');
  });
});

describe('tokenIn', () => {
  const refusal = (authorization: string) => {
    try {
      tokenIn(authorization, parseReadToken);
    } catch (error) {
      if (error instanceof LedgerError) return error;
    }
    throw new Error('nothing was refused');
  };

  it('reads the one token after Bearer, whose letters may be of any case (RFC 9110 section 11.1)', () => {
    const token = aToken();
    expect(tokenIn(`bearer ${token}`, parseReadToken)).toEqual(parseReadToken(token));
  });

  it('says that one is missing', () => {
    expect(refusal('').code).toBe('TOKEN_MISSING');
  });

  it.each([
    'Basic dXNlcjpwYXNz',
    'Bearer',
    'Bearer ',
    `Bearer  ${aToken()}`,
    `Bearer ${aToken()} x`,
    aToken(),
  ])('refuses "%s"', authorization => {
    expect(refusal(authorization)).toMatchObject({ code: 'TOKEN_MALFORMED' });
  });

  it('names every fault of the token', () => {
    const { code, issues } = refusal(`Bearer ${aToken({ claims: { jti: '', iat: 1.5 } })}`);
    expect(code).toBe('TOKEN_MALFORMED');
    expect(issues.map(({ place }) => place)).toEqual(['claims.iat', 'claims.jti']);
  });
});
