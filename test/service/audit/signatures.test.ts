/** Signatures by OpenSSL have the verdicts of the core. */

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ProofError } from '../../../merkle/errors.ts';
import { type Algorithm, algorithms } from '../../../merkle/signature.ts';
import { readyKey, verifyUnder } from '../../../service/audit/signatures.ts';
import { keyFor, publicJwk, signAs } from '../../helpers/keys.ts';

const names = algorithms.map(({ name }) => name);

describe('verifyUnder', () => {
  it.each(names)('takes every good signature of %s, and no changed one', async alg => {
    const ready = readyKey(publicJwk(keyFor(alg)));
    // So many that numbers with a leading zero, and with a first bit set, are among them.
    const count = alg.startsWith('ES') ? 600 : 20;
    const all = Array.from({ length: count }, async () => {
      const message = randomBytes(40);
      const signature = signAs(alg, keyFor(alg), message);
      await verifyUnder(ready, alg, message, signature);
      return { message, signature };
    });
    const [first] = await Promise.all(all);
    if (first === undefined) throw new Error('there is one');
    const { message, signature } = first;
    for (const [text, wrong] of [
      [message, signature.with(3, (signature[3] ?? 0) ^ 1)],
      [message, signature.subarray(1)],
      [message, new Uint8Array(signature.length)],
      [message, new Uint8Array(signature.length).fill(255)],
      [message.subarray(1), signature],
    ] as const)
      await expect(verifyUnder(ready, alg, text, wrong)).rejects.toThrow(ProofError);
  });

  it('takes no signature of another algorithm than the key is for', async () => {
    const ready = readyKey(publicJwk(keyFor('ES256')));
    for (const alg of names.filter((name): name is Algorithm => name !== 'ES256'))
      await expect(verifyUnder(ready, alg, new Uint8Array(1), new Uint8Array(64))).rejects.toThrow(
        ProofError,
      );
  });
});
