import { createHmac } from 'node:crypto';
import { CompactSign, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  concatBytes,
  formatBase64url,
  formatHex,
  parseBase64url,
  parseHex,
  utf8,
} from '../../merkle/bytes.ts';
import { algorithms } from '../../merkle/signature.ts';
import {
  batchLeafHash,
  batchSalt,
  formatBatchPayload,
  formatStatement,
  maxBatchSize,
  parseBatchPayload,
  parseStatement,
  signingInput,
  verifyStatement,
} from '../../merkle/statement.ts';
import { anEvent, aStatement, testOrigin } from '../helpers/builders.ts';
import { keyFor, kidOf, publicJwk, signAs, testKeys } from '../helpers/keys.ts';
import { disproof, faultsOf } from '../helpers/refusals.ts';

describe('parseStatement', () => {
  it('reads what signingInput and formatStatement print', () => {
    const header = {
      alg: 'Ed25519',
      kid: kidOf(testKeys.ed25519),
      typ: 'zegel-batch+jws',
      aud: 'a.example',
    } as const;
    const input = signingInput(header, utf8('payload'));
    expect(parseStatement(formatStatement(input, Uint8Array.of(1, 2)))).toEqual({
      ...header,
      payload: utf8('payload'),
      signingInput: utf8(input),
      signature: Uint8Array.of(1, 2),
    });
  });

  it('spells a statement so, and nobody changes it by accident', () => {
    const input = signingInput({ alg: 'ES256', kid: 'k', typ: 'zegel+jws', aud: 'a' }, utf8('{}'));
    expect(Buffer.from(input.split('.')[0] ?? '', 'base64url').toString()).toBe(
      '{"alg":"ES256","kid":"k","typ":"zegel+jws","aud":"a"}',
    );
    expect(input.split('.')[1]).toBe('e30');
  });

  it.each([
    '',
    'Ledger.example',
    'ledger.example/2026\n',
    'ledger example',
    'a'.repeat(129),
    'ledger.example/é',
  ])('refuses "%s" as an audience', aud => {
    expect(faultsOf(() => parseStatement(aStatement({ aud })))[0]).toMatch(
      /^header\.aud: ".*" is not an origin/,
    );
  });

  it('refuses the types of other tokens', () => {
    for (const typ of ['zegel-key+jws', 'zegel-read+jwt', 'zegel-erase+jwt'] as const)
      expect(faultsOf(() => parseStatement(aStatement({ typ: typ as 'zegel+jws' })))).toEqual([
        `header.typ: "${typ}" is not zegel+jws or zegel-batch+jws`,
      ]);
  });
});

describe('verifyStatement', () => {
  it.each(algorithms)('accepts $name by OpenSSL', async ({ name }) => {
    await verifyStatement(parseStatement(aStatement({ alg: name })), publicJwk(keyFor(name)));
  });

  // jose signs over WebCrypto, which has no secp256k1.
  it.each(algorithms.filter(({ name }) => name !== 'ES256K'))(
    'accepts $name by jose, a foreign signer',
    async ({ name }) => {
      const key = keyFor(name);
      const compact = await new CompactSign(anEvent())
        .setProtectedHeader({ typ: 'zegel+jws', kid: kidOf(key), aud: testOrigin, alg: name })
        .sign(await importJWK({ ...key }, name));
      const statement = parseStatement(compact);
      expect(statement.payload).toEqual(anEvent());
      await verifyStatement(statement, publicJwk(key));
    },
  );

  it('refuses a key whose thumbprint is not the kid', async () => {
    const statement = parseStatement(aStatement({ kid: kidOf(testKeys.es384) }));
    expect(await disproof(() => verifyStatement(statement, publicJwk(testKeys.es256)))).toBe(
      `kid is ${kidOf(testKeys.es384)}, the key's thumbprint is ${kidOf(testKeys.es256)}`,
    );
  });

  it('refuses an algorithm that is not for the key, before it asks for the signature', async () => {
    const key = testKeys.es256;
    const input = signingInput(
      { alg: 'ES256K', kid: kidOf(key), typ: 'zegel+jws', aud: testOrigin },
      anEvent(),
    );
    const statement = parseStatement(formatStatement(input, signAs('ES256', key, input)));
    const never = () => Promise.reject(new Error('asked'));
    expect(await disproof(() => verifyStatement(statement, publicJwk(key), never))).toBe(
      'algorithm ES256K does not fit a key of type EC P-256',
    );
  });

  it('refuses another payload, and the same header in another spelling', async () => {
    const [header = '', payload = '', signature = ''] = aStatement().split('.');
    const spaced = formatBase64url(concatBytes(parseBase64url(header), utf8(' ')));
    const other = formatBase64url(anEvent({ id: 'decision-2' }));
    const jwk = publicJwk(testKeys.es256);
    await verifyStatement(parseStatement(`${header}.${payload}.${signature}`), jwk);
    for (const text of [`${header}.${other}.${signature}`, `${spaced}.${payload}.${signature}`])
      expect(await disproof(() => verifyStatement(parseStatement(text), jwk))).toBe(
        'ES256 signature does not verify',
      );
  });

  it('hands the faster verifier what it must verify, and believes it', async () => {
    const statement = parseStatement(aStatement());
    const jwk = publicJwk(testKeys.es256);
    const asked: unknown[] = [];
    await verifyStatement(statement, jwk, async (...question) => void asked.push(question));
    expect(asked).toEqual([['ES256', jwk, statement.signingInput, statement.signature]]);
  });
});

describe('batches', () => {
  const secret = new Uint8Array(32).fill(7);

  it('derive the salts by HMAC-SHA-256 over the index', () => {
    for (const index of [0, 1, 255, 256, 65_535]) {
      const input = Buffer.alloc(8);
      input.writeBigUInt64BE(BigInt(index));
      expect(formatHex(batchSalt(secret, index))).toBe(
        createHmac('sha256', secret).update(input).digest('hex'),
      );
    }
    expect(formatHex(batchSalt(secret, 3))).toBe(
      '7202c3651aee40d93484ba79c955b2aa40acfafe73102d445a89c8f665bb69f3',
    );
  });

  it('hash a leaf as SHA-256(0x00 ‖ salt ‖ event)', () => {
    const salt = batchSalt(secret, 3);
    expect(formatHex(batchLeafHash(salt, utf8('{}')))).toBe(
      'ed613176ae5f08bb78382bbd7bc9fc1aa531c719422c8fb2af5aa1db53057e9f',
    );
  });

  it('have a payload in one spelling', () => {
    const root = new Uint8Array(32).fill(0xfb);
    const payload = '{"root":"-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s","size":5}';
    expect(formatBatchPayload(root, 5)).toBe(payload);
    expect(parseBatchPayload(utf8(payload))).toEqual({ root, size: 5 });
    expect(parseBatchPayload(utf8(formatBatchPayload(root, maxBatchSize))).size).toBe(65_536);
  });

  const root = formatBase64url(new Uint8Array(32));
  it.each<[string, string, string]>([
    [
      'white space',
      `{"root":"${root}", "size":5}`,
      'payload: is not spelt {"root":"…","size":…}, in this order and without white space',
    ],
    [
      'a line feed after it',
      `{"root":"${root}","size":5}\n`,
      'payload: is not spelt {"root":"…","size":…}, in this order and without white space',
    ],
    [
      'the other order',
      `{"size":5,"root":"${root}"}`,
      'payload: is not spelt {"root":"…","size":…}, in this order and without white space',
    ],
    [
      'an escape',
      `{"r\\u006fot":"${root}","size":5}`,
      'payload: is not spelt {"root":"…","size":…}, in this order and without white space',
    ],
    ['a third member', `{"root":"${root}","size":5,"note":1}`, 'payload: unknown member "note"'],
    ['no size', `{"root":"${root}"}`, 'payload: member "size" is missing'],
    ['a root in hexadecimal', `{"root":"${'00'.repeat(32)}","size":5}`, 'payload.root: 48 bytes, want 32'],
    [
      'a root with padding',
      `{"root":"${root}=","size":5}`,
      `payload.root: "${'A'.repeat(40)}…" is not canonical base64url: it has U+003D at character 43`,
    ],
    [
      'a size in a string',
      `{"root":"${root}","size":"5"}`,
      'payload.size: want an integer from 0 to 2^53 - 1 in decimal digits, got a string',
    ],
    [
      'a size with a fraction',
      `{"root":"${root}","size":5.0}`,
      'payload.size: want an integer from 0 to 2^53 - 1 in decimal digits, got 5.0',
    ],
    ['no events', `{"root":"${root}","size":0}`, 'payload.size: a batch of 0 events, want 1 to 65536'],
    [
      'too many events',
      `{"root":"${root}","size":65537}`,
      'payload.size: a batch of 65537 events, want 1 to 65536',
    ],
    ['an array', '[]', 'payload: want an object, got an array'],
    ['no JSON', 'root', 'payload: want a JSON value (at character 0)'],
    [
      'a byte order mark',
      `\ufeff{"root":"${root}","size":5}`,
      'payload: want a JSON value, not a byte order mark (at character 0)',
    ],
  ])('refuse a payload with %s', (_, payload, fault) => {
    expect(faultsOf(() => parseBatchPayload(utf8(payload)))).toEqual([fault]);
  });

  it('refuse a payload that is not UTF-8', () => {
    expect(
      faultsOf(() => parseBatchPayload(concatBytes(utf8('{"root":"'), parseHex('ff', 1), utf8('"}')))),
    ).toEqual(['payload: is not valid UTF-8']);
  });
});
