import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, parseBase64url, parseUtf8, utf8 } from '../../../merkle/bytes.ts';
import { formatReceipt } from '../../../merkle/receipt.ts';
import { parseBatchPayload, parseStatement, verifyStatement } from '../../../merkle/statement.ts';
import { verifyBatch } from '../../../merkle/steps.ts';
import { judgeReceipt } from '../../../merkle/verification.ts';
import { batchOf, formatBatch, maxBatchBytes, signBatch, splitLines } from '../../../service/client/batch.ts';
import type { StatementSigner } from '../../../service/client/signer.ts';
import { anEvent, testOrigin } from '../../helpers/builders.ts';
import { forge } from '../../helpers/forge.ts';
import { keyFor, publicJwk, signAs } from '../../helpers/keys.ts';

const signer: StatementSigner = {
  alg: 'ES256',
  key: publicJwk(keyFor('ES256')),
  sign: async message => signAs('ES256', keyFor('ES256'), message),
};
const someEvents = (size: number) => Array.from({ length: size }, (_, i) => anEvent({ id: `event-${i}` }));
const signed = (size: number) => signBatch(someEvents(size), testOrigin, signer, randomBytes);

describe('signBatch', () => {
  it.each([1, 2, 3, 5, 8, 1_000])('signs %i events, each of which proves itself alone', async size => {
    const batch = await signed(size);
    const statement = parseStatement(batch.statement);
    expect(statement).toMatchObject({ typ: 'zegel-batch+jws', aud: testOrigin, alg: 'ES256' });
    await verifyStatement(statement, signer.key);
    expect(parseBatchPayload(statement.payload)).toEqual({ root: batch.root, size });
    for (let i = 0; i < size; i++) expect(verifyBatch(batch.batched(i), statement)).toBe(size);

    const other = { ...batch.batched(0), event: anEvent({ id: 'another' }) };
    expect(() => verifyBatch(other, statement)).toThrow(expect.objectContaining({ name: 'ProofError' }));
  });

  it('makes the root that a naive twin makes', async () => {
    const { root, events, batched } = await signed(11);
    const sha = (...parts: Uint8Array[]) =>
      new Uint8Array(
        createHash('sha256')
          .update(concatBytes(...parts))
          .digest(),
      );
    const leaves = events.map((event, i) => sha(Uint8Array.of(0), batched(i).salt, event));
    // RFC 9162 section 2.1.1, as it stands there.
    const treeHash = (hashes: readonly Uint8Array[]): Uint8Array => {
      const [only] = hashes;
      if (hashes.length === 1 && only !== undefined) return only;
      let k = 1;
      while (k * 2 < hashes.length) k *= 2;
      return sha(Uint8Array.of(1), treeHash(hashes.slice(0, k)), treeHash(hashes.slice(k)));
    };
    expect(root).toEqual(treeHash(leaves));
  });

  it('gives every event its place in a receipt that stands alone', async () => {
    const event = anEvent({ id: 'decision-7' });
    const events = [...someEvents(6), event, ...someEvents(3).map((_, i) => anEvent({ id: `more-${i}` }))];
    const batch = await signBatch(events, testOrigin, signer, randomBytes);
    const made = { statement: batch.statement, batched: batch.batched(6) };
    const { bytes, trust, receipt } = await forge({
      batch: { size: 10, index: 6 },
      change: {
        event: () => event,
        statement: () => made.statement,
        receipt: receipt =>
          receipt.record === undefined
            ? receipt
            : { ...receipt, record: { ...receipt.record, batch: made.batched } },
      },
    });
    expect(await judgeReceipt(bytes, trust)).toMatchObject({ verdict: 'matches' });
    for (const [i, neighbour] of events.entries()) {
      if (i !== 6) expect(formatReceipt(receipt)).not.toContain(Buffer.from(neighbour).toString('base64url'));
    }
  });

  it('draws a new secret for each batch, and none of its salts says anything about another', async () => {
    const [first, second] = [await signed(2), await signed(2)];
    expect(equalBytes(first.secret, second.secret)).toBe(false);
    expect(equalBytes(first.batched(0).salt, first.batched(1).salt)).toBe(false);
    expect(equalBytes(first.root, second.root)).toBe(false);
    expect(batchOf(first.events, first.secret).root).toEqual(first.root);
  });

  const two = someEvents(2);
  it.each([
    ['no event', [], '', 'a batch of 0 events, want 1 to 65536'],
    ['65,537 events', Array(65_537).fill(utf8('{}')), '', 'a batch of 65537 events, want 1 to 65536'],
    ['an empty line', [...two, utf8('')], 'line 3', 'is empty, want an event'],
    ['a CR', [utf8('{}\r'), ...two], 'line 1', 'has a CR, want lines that end in LF alone'],
    ['an LF inside', [utf8('{\n}')], 'line 1', 'has an LF inside, want an event on one line'],
    [
      'a byte more than 32 MiB',
      [new Uint8Array(maxBatchBytes).fill(0x20)],
      '',
      'the events have 33554433 bytes, want at most 33554432',
    ],
  ])('refuses %s', async (_, events, place, message) => {
    await expect(signBatch(events, testOrigin, signer, randomBytes)).rejects.toMatchObject({
      name: 'FormatError',
      issues: [{ place, message }],
    });
  });

  it('takes 65,536 events', async () => {
    const batch = await signBatch(
      Array.from({ length: 65_536 }, (_, i) => utf8(`${i}`)),
      testOrigin,
      signer,
      randomBytes,
    );
    expect(verifyBatch(batch.batched(65_535), parseStatement(batch.statement))).toBe(65_536);
    expect(splitLines(formatBatch(batch))).toHaveLength(65_537);
  });
});

describe('formatBatch and splitLines', () => {
  it('keep the bytes of every event, on lines of their own', async () => {
    const odd = utf8('  {"id": "é\\u0041",\t"n": 1.0 }  ');
    const batch = await signBatch([odd, ...someEvents(2)], testOrigin, signer, randomBytes);
    const [first = new Uint8Array(), ...events] = splitLines(formatBatch(batch));
    const { statement, secret, ...rest } = JSON.parse(parseUtf8(first));
    expect({ statement, rest }).toEqual({ statement: batch.statement, rest: {} });
    expect(parseBase64url(secret)).toEqual(batch.secret);
    expect(events).toEqual(batch.events);
  });

  it.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['\n', ['']],
    ['a\n\n', ['a', '']],
    ['a\r\nb\n', ['a\r', 'b']],
  ])('%j has the lines %j', (text, lines) => {
    expect(splitLines(utf8(text)).map(line => parseUtf8(line))).toEqual(lines);
  });
});
