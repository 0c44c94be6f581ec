import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { algorithms } from '../../../merkle/signature.ts';
import { parseReadToken } from '../../../merkle/token.ts';
import { generateKey, keySigner, kidOf } from '../../../service/client/signer.ts';
import { signReadToken } from '../../../service/client/token.ts';
import { countingBytes } from '../../helpers/ledger.ts';

const parts = {
  origin: 'ledger.test/1',
  nowMs: 1_795_507_200_999,
  randomBytes: countingBytes('token'),
};

describe('signReadToken', () => {
  it.each(algorithms)('makes a JWT by $name that other libraries verify', async ({ name }) => {
    const signer = keySigner(generateKey(name), name);
    const token = await signReadToken({ ...parts, signer });
    expect(decodeProtectedHeader(token)).toEqual({ alg: name, kid: kidOf(signer), typ: 'zegel-read+jwt' });
    expect(decodeJwt(token)).toEqual({
      aud: 'ledger.test/1',
      iat: 1_795_507_200,
      exp: 1_795_507_320,
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    });
    expect(parseReadToken(token).claims).toEqual(decodeJwt(token));
    // Browsers' cryptography, which jose stands on, has no secp256k1.
    if (name === 'ES256K') return;
    const key = await importJWK({ ...signer.key }, name);
    await jwtVerify(token, key, { currentDate: new Date(parts.nowMs), audience: 'ledger.test/1' });
  });

  it('makes another one each time, and as long-lived as it is told', async () => {
    const signer = keySigner(generateKey('ES256'), 'ES256');
    const [a, b] = [
      await signReadToken({ ...parts, signer }),
      await signReadToken({ ...parts, signer, lifeS: 7 }),
    ].map(parseReadToken);
    expect(a?.claims.jti).not.toBe(b?.claims.jti);
    expect(b?.claims).toMatchObject({ iat: 1_795_507_200, exp: 1_795_507_207 });
  });
});
