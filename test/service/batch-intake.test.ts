import { beforeAll, describe, expect, it } from 'vitest';
import { equalBytes, formatBase64url, formatHex, utf8 } from '../../merkle/bytes.ts';
import { parseJson } from '../../merkle/json.ts';
import { formatReceipt, type ReceiptRecord } from '../../merkle/receipt.ts';
import { batchLeafHash, batchSalt } from '../../merkle/statement.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import { verifyInclusion } from '../../merkle/verify.ts';
import { BatchIntake, eventOverheadBytes } from '../../service/batch-intake.ts';
import { Intake } from '../../service/intake.ts';
import { verifyWithOpenSsl } from '../../service/openssl.ts';
import { SharedBytes } from '../../service/shares.ts';
import type { Submission } from '../../service/submission.ts';
import { addKey, aLogOn, aSite, registerAgency, ticks } from '../helpers/anchored.ts';
import { aBatch, batchRoot, saltAt, someEvents, testSecret } from '../helpers/batches.ts';
import { anEvent, testOrigin } from '../helpers/builders.ts';
import { startHardhat } from '../helpers/chain.ts';
import { registeredKeys } from './http/world.ts';

function anIntake({ origin = testOrigin, keys = registeredKeys() } = {}) {
  let verifications = 0;
  const intake = new Intake({
    origin,
    keys: { find: keyId => keys.get(formatHex(keyId)), ready: () => undefined },
    verify: (...parts) => {
      verifications++;
      return verifyWithOpenSsl(...parts);
    },
    eventMaxBytes: 65_536,
  });
  return { batches: new BatchIntake(intake), verifications: () => verifications };
}

/** A share with room for four of the largest batches. */
const aShare = () => new SharedBytes(256 << 20).share();

function begin(batches: BatchIntake, opening: string, share = aShare()) {
  const members = parseJson(utf8(opening));
  if (!(members instanceof Map)) throw new Error('an opening is an object');
  return batches.begin(members, share);
}

/** The submissions of a batch's events. */
async function takeBatch(
  batches: BatchIntake,
  events: readonly Uint8Array[],
  { opening = aBatch({ events }).opening, share = aShare() } = {},
) {
  const batch = begin(batches, opening, share);
  for (const event of events) if (batch.hold(event.length)) batch.add(event);
  await batch.verify();
  const submissions = events.map((_, i) => batch.submission(i));
  batch.release();
  return submissions;
}

function batchOf({ batch }: Submission) {
  if (batch === undefined) throw new Error('the submission is of a batch');
  return batch;
}

describe('a batch', () => {
  it.each([1, 2, 3, 5, 255, 256, 257, 511, 512, 513, 1_000])(
    'of %i events has the tree of RFC 9162, and a path for each event',
    async size => {
      const events = someEvents(size, 'tree');
      const submissions = await takeBatch(anIntake().batches, events);
      const root = batchRoot(events);
      expect(submissions).toHaveLength(size);
      for (const [i, submission] of submissions.entries()) {
        const { salt, index, path } = batchOf(submission);
        expect(index).toBe(i);
        expect(salt).toEqual(saltAt(testSecret, i));
        expect(submission.event).toBe(events[i]);
        verifyInclusion({ index, size, leafHash: batchLeafHash(salt, submission.event), path, root });
      }
    },
  );

  it('has its signature checked once', async () => {
    const { batches, verifications } = anIntake();
    await takeBatch(batches, someEvents(100, 'once'));
    expect(verifications()).toBe(1);
  });

  it('gives each event its own natural key and kind', async () => {
    const events = [anEvent({ id: 'a' }), anEvent({ id: 'b', recordkind: 'audit', source: '/b' })];
    const submissions = await takeBatch(anIntake().batches, events);
    expect(submissions).toMatchObject([
      { id: 'a', kind: 'transaction', source: 'https://permits.example/decisions' },
      { id: 'b', kind: 'audit', source: '/b' },
    ]);
  });

  it('keeps nothing from which a neighbour\u2019s salt or the secret could be had', async () => {
    const events = someEvents(8, 'neighbours');
    const submissions = await takeBatch(anIntake().batches, events);
    const secretText = formatBase64url(testSecret);
    for (const [i, submission] of submissions.entries()) {
      const kept = batchOf(submission);
      const text = JSON.stringify({ ...submission, batch: { ...kept, salt: formatBase64url(kept.salt) } });
      expect(text).not.toContain(secretText);
      const bytes = [kept.salt, ...kept.path, submission.event];
      for (let j = 0; j < events.length; j++) {
        if (j === i) continue;
        const neighbour = saltAt(testSecret, j);
        expect(bytes.some(each => equalBytes(each, neighbour))).toBe(false);
        // The next salt is no function of this one, as it would be were one the secret of the other.
        expect(equalBytes(batchSalt(kept.salt, j), neighbour)).toBe(false);
        // Whoever guesses a neighbour's event cannot confirm it against the path: the salt is missing.
        const guess = [
          batchLeafHash(kept.salt, events[j] ?? kept.salt),
          batchLeafHash(new Uint8Array(32), events[j] ?? kept.salt),
        ];
        expect(guess.some(hash => kept.path.some(each => equalBytes(each, hash)))).toBe(false);
      }
    }
  });

  it('is refused before its events are held, when nobody registered its key', async () => {
    const { batches } = anIntake({ keys: new Map() });
    const events = someEvents(2, 'unknown');
    const batch = begin(batches, aBatch({ events }).opening);
    await batch.opened();
    expect(batch.roomBytes).toBe(0);
    expect(batch.hold(1)).toBe(false);
    batch.add(events[0]);
    expect(batch.lengthBytes(0)).toBe(0);
    await expect(batch.verify()).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
  });

  it('is refused while too many others are held, and taken once they are gone', async () => {
    const { batches } = anIntake();
    const share = aShare();
    const large = new Uint8Array((32 << 20) - eventOverheadBytes);
    const opening = aBatch({ events: [large] }).opening;
    const held = Array.from({ length: 4 }, () => begin(batches, opening, share));
    for (const batch of held) {
      expect(batch.hold(large.length)).toBe(true);
      batch.add(large);
    }
    const events = someEvents(1, 'held');
    await expect(takeBatch(batches, events, { share })).rejects.toMatchObject({
      code: 'LOG_BUSY',
      retryAfterS: 5,
    });
    held[0]?.release();
    expect(await takeBatch(batches, events, { share })).toHaveLength(1);
  });

  it('counts events that have no bytes', { timeout: 30_000 }, async () => {
    const { batches } = anIntake();
    const share = aShare();
    const empty = new Uint8Array(0);
    const opening = aBatch({ events: [empty], size: 65_536 }).opening;
    const held = Array.from({ length: 9 }, () => begin(batches, opening, share));
    for (const batch of held) for (let i = 0; i < batch.size; i++) batch.add(empty);
    const codes = await Promise.all(held.map(batch => batch.verify().catch(({ code }) => code)));
    expect(codes).toEqual([...Array(8).fill('RECORD_MALFORMED'), 'LOG_BUSY']);
    for (const batch of held) batch.release();
    expect(await takeBatch(batches, someEvents(2, 'empty'), { share })).toHaveLength(2);
  });

  it('holds nothing once it was refused', async () => {
    const { batches } = anIntake();
    const share = aShare();
    const large = new Uint8Array(32 << 20);
    for (let i = 0; i < 6; i++) {
      const batch = begin(batches, aBatch({ events: [large] }).opening, share);
      expect(batch.hold(large.length)).toBe(true);
      batch.add(large);
      batch.add(undefined);
      await expect(batch.verify()).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    }
  });
});

describe('on a chain', () => {
  let site: Awaited<ReturnType<typeof aSite>>;
  beforeAll(async () => {
    const chain = await startHardhat();
    site = await aSite(chain);
    await registerAgency(site);
    await addKey(site);
    return () => chain.stop();
  });

  it('each event of a batch has a receipt that verifies, first as not yet anchored, then with its anchor', async () => {
    const log = await aLogOn(site);
    const started = await log.start();
    await started.anchorer.tick();
    const { batches } = anIntake({ origin: log.origin });
    const events = someEvents(5, 'receipts');
    const submissions = await takeBatch(batches, events, {
      opening: aBatch({ events, aud: log.origin }).opening,
    });
    const acknowledged = await Promise.all(submissions.map(each => started.ledger.submit(each)));

    const judge = async (
      leafHash: Uint8Array,
      change: (record: ReceiptRecord) => ReceiptRecord = record => record,
    ) => {
      const receipt = await started.receipts.receipt(leafHash, { complete: true });
      if (receipt?.record === undefined) throw new Error('the record is there');
      return judgeReceipt(utf8(formatReceipt({ ...receipt, record: change(receipt.record) })), log.trust);
    };
    for (const { leafHash } of acknowledged) expect((await judge(leafHash)).verdict).toBe('not-yet-anchored');
    await ticks(started, 2);
    for (const { leafHash } of acknowledged) {
      const { verdict, steps } = await judge(leafHash);
      expect(verdict).toBe('matches');
      expect(steps.find(({ name }) => name === 'batch')?.ok).toBe(true);
    }

    const [{ leafHash } = { leafHash: new Uint8Array(32) }] = acknowledged;
    const { steps } = await judge(leafHash, record => {
      if (record.batch === undefined) throw new Error('the record is of a batch');
      return { ...record, batch: { ...record.batch, salt: saltAt(testSecret, 1) } };
    });
    expect(steps.at(-1)).toMatchObject({ name: 'batch', ok: false });
  });
});
