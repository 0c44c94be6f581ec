/** What an event says about a key: only a sound one, under its own thumbprint, with its own word, is taken in. */

import { generateKeyPairSync } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { parseHex0x, utf8 } from '../../merkle/bytes.ts';
import { canonicalJwk, thumbprint } from '../../merkle/jwk.ts';
import { formatJws } from '../../merkle/jws.ts';
import { keyProofSigningInput } from '../../merkle/keyproof.ts';
import type { KeyAdded } from '../../service/abi.ts';
import {
  agencyWrite,
  cursorWrite,
  isAnnounced,
  keyWrite,
  readAnnouncement,
  readAnnouncements,
} from '../../service/announcements.ts';
import { Store } from '../../service/store.ts';
import { keyFor, kidOf, type PrivateJwk, publicJwk, signAs } from '../helpers/keys.ts';
import { memoryDatabase } from '../helpers/ledger.ts';

const registry = { chainId: '31337', address: new Uint8Array(20).fill(7) };

function anEvent(changes: Partial<KeyAdded> = {}, key: PrivateJwk = keyFor('ES256')): KeyAdded {
  const alg = key.kty === 'RSA' ? 'RS256' : 'ES256';
  const claim = { agency: 'OVO002949', chainId: registry.chainId, registry: registry.address };
  const input = keyProofSigningInput({ alg, kid: kidOf(key) }, claim);
  return {
    kind: 'added',
    agency: 'OVO002949',
    keyId: thumbprint(publicJwk(key)),
    algorithm: alg === 'RS256' ? 4 : 1,
    jwk: utf8(canonicalJwk(publicJwk(key))),
    validFrom: 1_800_000_000,
    validUntil: 2 ** 40 - 1,
    proof: utf8(formatJws(input, signAs(alg, key, input))),
    ...changes,
  };
}

describe('readAnnouncement', () => {
  it('takes a key with its own word', async () => {
    const { keyId, validFrom, validUntil } = anEvent();
    expect(await readAnnouncement(anEvent(), registry)).toEqual({
      keyId,
      agency: 'OVO002949',
      algorithm: 'ES256',
      validFrom,
      validUntil,
      jwk: publicJwk(keyFor('ES256')),
    });
  });

  it('refuses a key id that is not the thumbprint', async () => {
    const reading = readAnnouncement(anEvent({ keyId: new Uint8Array(32) }), registry);
    await expect(reading).rejects.toThrow("the key id is not the key's thumbprint");
  });

  it('refuses a key that is not spelt canonically', async () => {
    const jwk = utf8(` ${canonicalJwk(publicJwk(keyFor('ES256')))}`);
    const reading = readAnnouncement(anEvent({ jwk, keyId: sha256(jwk) }), registry);
    await expect(reading).rejects.toThrow('the key is not a canonical JWK');
  });

  it('refuses a key that is too weak, although it signs', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const key = privateKey.export({ format: 'jwk' }) as PrivateJwk; // As node:crypto documents it.
    await expect(readAnnouncement(anEvent({}, key), registry)).rejects.toThrow(/1024/);
  });

  it.each<[string, Partial<KeyAdded>]>([
    ['agency', { agency: 'OVO000001' }],
    ['algorithm', { algorithm: 2 }],
    ['algorithm number', { algorithm: 9 }],
    ['signature', { proof: utf8(`${Buffer.from(anEvent().proof).toString().slice(0, -4)}AAAA`) }],
    ['encoding', { proof: Uint8Array.of(0xff) }],
  ])('refuses a proof of possession with another %s', async (_, changes) => {
    await expect(readAnnouncement(anEvent(changes), registry)).rejects.toMatchObject({
      name: expect.stringMatching(/ProofError|FormatError/),
    });
  });

  it.each([
    ['chain', { ...registry, chainId: '1' }],
    ['registry', { ...registry, address: new Uint8Array(20) }],
  ])('refuses a proof of possession for another %s', async (_, other) => {
    await expect(readAnnouncement(anEvent(), other)).rejects.toThrow('key proof does not say');
  });
});

describe('isAnnounced', () => {
  it('allows the end to have come forward, and nothing else', async () => {
    const announced = await readAnnouncement(anEvent({ validUntil: 2_000_000_000 }), registry);
    const key = { agency: 'OVO002949', algorithm: 1, validFrom: 1_800_000_000, validUntil: 2_000_000_000 };
    expect(isAnnounced(announced, key)).toBe(true);
    expect(isAnnounced(announced, { ...key, validUntil: 1_900_000_000 })).toBe(true);
    for (const change of [
      { agency: 'OVO000001' },
      { algorithm: 2 },
      { validFrom: 1_800_000_001 },
      { validUntil: 2_000_000_001 },
    ])
      expect(isAnnounced(announced, { ...key, ...change })).toBe(false);
  });
});

describe('what is kept', () => {
  it('is read as it was written', async () => {
    const store = new Store(memoryDatabase(), () => undefined);
    const announced = await readAnnouncement(anEvent(), registry);
    const agency = { agency: 'OVO002949', name: 'Voorbeeld', controller: `0x${'0a'.repeat(20)}` };
    const cursor = { number: 12, hash: parseHex0x(`0x${'0b'.repeat(32)}`, 32) };
    expect(await readAnnouncements(store)).toMatchObject({ cursor: undefined });
    await store.write([keyWrite(announced), agencyWrite(agency), cursorWrite(cursor)]);
    const kept = await readAnnouncements(store);
    expect([...kept.announced.values()]).toEqual([announced]);
    expect([...kept.agencies.values()]).toEqual([agency]);
    expect(kept.cursor).toEqual(cursor);
  });
});
