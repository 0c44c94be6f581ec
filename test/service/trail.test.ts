import { createPrivateKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatHex } from '../../merkle/bytes.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import { algorithms } from '../../merkle/signature.ts';
import { parseStatement } from '../../merkle/statement.ts';
import { LedgerError, type LedgerErrorCode } from '../../service/errors.ts';
import { Intake } from '../../service/intake.ts';
import { verifyWithOpenSsl } from '../../service/openssl.ts';
import type { Submission } from '../../service/submission.ts';
import { type Act, Trail } from '../../service/trail.ts';
import { keyFor, publicJwk } from '../helpers/keys.ts';
import { countingBytes } from '../helpers/ledger.ts';
import { registeredKeys } from './http/world.ts';

const nowMs = Date.parse('2026-11-24T08:00:00.123Z');
const origin = 'ledger.example/2026';
const by = { agency: 'OVO002949', keyId: new Uint8Array(32).fill(5), jti: 'x', exp: 1 };
const act: Act = { type: 'zegel.records.exported', from: 0, to: 2 ** 53 - 1, records: 2 ** 53 - 1 };

/** A trail under one of the test keys, and what it submits; its ledger refuses with a code where one is named. */
function aTrail({
  privateKey = createPrivateKey({ key: keyFor('ES256'), format: 'jwk' }),
  refuses,
  eventMaxBytes = 1_024,
  name = origin,
}: {
  privateKey?: KeyObject | undefined;
  refuses?: LedgerErrorCode;
  eventMaxBytes?: number;
  name?: string;
} = {}) {
  const known = registeredKeys();
  const keys = { find: (keyId: Uint8Array) => known.get(formatHex(keyId)), ready: () => undefined };
  const submitted: Submission[] = [];
  const intake = new Intake({ origin: name, keys, verify: verifyWithOpenSsl, eventMaxBytes });
  const trail = new Trail({
    origin: name,
    privateKey,
    keys,
    intake,
    ledger: {
      submit: async submission => {
        if (refuses !== undefined) throw new LedgerError(refuses, 'because', { retryAfterS: 7 });
        submitted.push(submission);
        const signed = { size: 2, root: new Uint8Array(32), checkpoint: '', time: nowMs };
        const hash = new Uint8Array(32);
        return { status: 201, leafHash: hash, index: 1, time: nowMs, salt: hash, signed };
      },
    },
    now: () => nowMs,
    randomBytes: countingBytes('trail'),
  });
  return { trail, submitted, known };
}

describe('record', () => {
  it.each(algorithms)('signs with a key for $name as the registry has it', async ({ name }) => {
    const privateKey = createPrivateKey({ key: keyFor(name), format: 'jwk' });
    const { trail, submitted } = aTrail({ privateKey });
    await trail.record(act, by);
    expect(submitted).toHaveLength(1);
    expect(parseStatement(submitted[0]?.statement ?? '')).toMatchObject({ alg: name, typ: 'zegel+jws' });
  });

  it('makes an event that the strictest service takes, however long its facts', async () => {
    const { trail, submitted } = aTrail({ name: 'a'.repeat(128) });
    await trail.record(act, { ...by, agency: 'A'.repeat(21) });
    await trail.record({ type: 'zegel.record.read', leafHash: new Uint8Array(32) }, by);
    expect(submitted.map(({ kind, source }) => [kind, source])).toEqual(
      Array(2).fill(['audit', `urn:zegel:log:${'a'.repeat(128)}`]),
    );
    expect(new Set(submitted.map(({ id }) => id)).size).toBe(2);
  });

  it('takes whatever origin a log can have for its source', async () => {
    for (const name of ['a:b', '//x', '..', '-', '_:/.']) {
      const { trail, submitted } = aTrail({ name });
      await trail.record(act, by);
      expect(submitted[0]?.source).toBe(`urn:zegel:log:${name}`);
    }
  });

  it('fails with the reason, and when to ask again, where the ledger does not take it', async () => {
    const { trail } = aTrail({ refuses: 'LOG_BUSY' });
    await expect(trail.record(act, by)).rejects.toMatchObject({
      code: 'READ_NOT_RECORDED',
      message: 'the read cannot be recorded, so nothing is given: because',
      retryAfterS: 7,
    });
  });
});

describe('isTrace', () => {
  it('is so for audit entries under the service key only', () => {
    const { trail } = aTrail();
    const keyId = thumbprint(publicJwk(keyFor('ES256')));
    expect(trail.isTrace({ kind: 'audit', keyId })).toBe(true);
    expect(trail.isTrace({ kind: 'transaction', keyId })).toBe(false);
    expect(trail.isTrace({ kind: 'audit', keyId: by.keyId })).toBe(false);
  });
});
