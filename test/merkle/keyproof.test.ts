import { describe, expect, it } from 'vitest';
import { formatBase64url, parseHex, utf8 } from '../../merkle/bytes.ts';
import { formatJws, jwsSigningInput } from '../../merkle/jws.ts';
import { formatKeyProofPayload, keyProofSigningInput, verifyKeyProof } from '../../merkle/keyproof.ts';
import { type Algorithm, algorithms } from '../../merkle/signature.ts';
import { keyFor, kidOf, type PrivateJwk, publicJwk, signAs, testKeys } from '../helpers/keys.ts';
import { disproof, faultsOf } from '../helpers/refusals.ts';

const claim = { agency: 'OVO002949', chainId: '2026', registry: parseHex(`${'00'.repeat(19)}ab`, 20) };
const payload = `{"agency":"OVO002949","chainId":"2026","registry":"0x${'00'.repeat(19)}ab"}`;

function aProof(alg: Algorithm = 'ES256', key: PrivateJwk = keyFor(alg), said = claim): string {
  const input = keyProofSigningInput({ alg, kid: kidOf(key) }, said);
  return formatJws(input, signAs(alg, key, input));
}

const registered = { ...claim, jwk: publicJwk(testKeys.es256), algorithm: 'ES256' } as const;

describe('formatKeyProofPayload', () => {
  it('spells the payload so, and nobody changes it by accident', () => {
    expect(formatKeyProofPayload(claim)).toBe(payload);
  });
});

describe('verifyKeyProof', () => {
  it.each(algorithms)('accepts a proof by $name', async ({ name }) => {
    await verifyKeyProof(aProof(name), { ...claim, jwk: publicJwk(keyFor(name)), algorithm: name });
  });

  it.each([
    ['another agency', { agency: 'OVO002950' }],
    ['another chain', { chainId: '2027' }],
    ['another registry', { registry: new Uint8Array(20) }],
  ])('refuses a proof for %s', async (_, other) => {
    expect(
      await disproof(() =>
        verifyKeyProof(aProof('ES256', testKeys.es256, { ...claim, ...other }), registered),
      ),
    ).toBe(`key proof does not say ${payload}`);
  });

  it.each([
    ['with white space', payload.replace(',', ', ')],
    ['in another order', `{"chainId":"2026","agency":"OVO002949","registry":"0x${'00'.repeat(19)}ab"}`],
    ['with a member more', payload.replace('}', ',"note":1}')],
    ['with the address in upper case', payload.replace('ab', 'AB')],
    ['with a number for the chain', payload.replace('"2026"', '2026')],
  ])('refuses a payload %s', async (_, said) => {
    const input = jwsSigningInput(
      { alg: 'ES256', kid: kidOf(testKeys.es256), typ: 'zegel-key+jws' },
      utf8(said),
    );
    const proof = formatJws(input, signAs('ES256', testKeys.es256, input));
    expect(await disproof(() => verifyKeyProof(proof, registered))).toBe(`key proof does not say ${payload}`);
  });

  it('refuses a proof by another key, even under the right kid', async () => {
    const other = kidOf(testKeys.es256k);
    expect(
      await disproof(() =>
        verifyKeyProof(aProof('ES256', { ...testKeys.es256, kid: other }), {
          ...registered,
          jwk: publicJwk(testKeys.es256k),
        }),
      ),
    ).toMatch(/^kid is /);
    const input = keyProofSigningInput({ alg: 'RS256', kid: kidOf(testKeys.rs256) }, claim);
    const proof = formatJws(input, signAs('RS256', testKeys.ps256, input));
    expect(
      await disproof(() =>
        verifyKeyProof(proof, { ...claim, jwk: publicJwk(testKeys.rs256), algorithm: 'RS256' }),
      ),
    ).toBe('RS256 signature does not verify');
  });

  it('refuses a proof by another algorithm than the registered one, though the key could do both', async () => {
    const rsa = publicJwk(testKeys.rs256);
    const proof = aProof('RS256');
    await verifyKeyProof(proof, { ...claim, jwk: rsa, algorithm: 'RS256' });
    expect(await disproof(() => verifyKeyProof(proof, { ...claim, jwk: rsa, algorithm: 'PS256' }))).toBe(
      'key proof is by RS256, the key is registered for PS256',
    );
  });

  it('refuses a bad key even where the verifier that it is given does not look at keys', async () => {
    const jwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      x: formatBase64url(Uint8Array.of(1, ...new Uint8Array(31))),
    } as const;
    const lax = () => Promise.resolve();
    expect(
      await disproof(() => verifyKeyProof(aProof('Ed25519'), { ...claim, jwk, algorithm: 'Ed25519' }, lax)),
    ).toBe('Ed25519 key is a point of small order');
  });

  it('refuses a statement in place of a proof, and an audience', async () => {
    for (const [header, fault] of [
      [{ typ: 'zegel+jws' }, 'header.typ: "zegel+jws" is not zegel-key+jws'],
      [{ typ: 'zegel-key+jws', aud: 'ledger.example/2026' }, 'header: unknown member "aud"'],
    ] as const) {
      const input = jwsSigningInput({ alg: 'ES256', kid: kidOf(testKeys.es256), ...header }, utf8(payload));
      const proof = formatJws(input, signAs('ES256', testKeys.es256, input));
      const refusal: unknown = await verifyKeyProof(proof, registered).catch((error: unknown) => error);
      expect(
        faultsOf(() => {
          throw refusal;
        }),
      ).toEqual([fault]);
    }
  });
});
