/** Receipts from a log and its book of anchors: whole, frozen, and never more than may be read. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatUint64, utf8 } from '../../merkle/bytes.ts';
import { readCheckpoint } from '../../merkle/checkpoint.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import { Receipts } from '../../service/receipts.ts';
import { addKey, aLogOn, aSite, registerAgency, type Site } from '../helpers/anchored.ts';
import { startHardhat } from '../helpers/chain.ts';

let site: Site;
beforeAll(async () => {
  site = await aSite(await startHardhat());
  await registerAgency(site);
  await addKey(site);
});
afterAll(() => site.chain.stop());

/** A log with three records: two under a final anchor, then one that waits. */
async function aLog() {
  const log = await aLogOn(site);
  const started = await log.start();
  await started.anchorer.tick();
  const a = await started.ledger.submit(log.record('a'));
  const b = await started.ledger.submit(log.record('b'));
  await started.anchorer.tick();
  await started.anchorer.tick();
  const waiting = await started.ledger.submit(log.record('c'));
  return { log, ...started, a, b, waiting };
}

describe('receipt', () => {
  it('is under the first anchor that covers the entry, with just the nodes that its walks need', async () => {
    const { log, receipts, a, book } = await aLog();
    const receipt = await receipts.receipt(a.leafHash, { complete: true });
    if (receipt === undefined) throw new Error('the record is there');
    expect(readCheckpoint(receipt.checkpoint).size).toBe(4);
    const { verdict, facts } = await judgeReceipt(utf8(formatReceipt(receipt)), log.trust);
    expect(verdict).toBe('matches');
    // The evidence stands at a final block that is not before the anchor's.
    expect(facts?.block).toBeGreaterThanOrEqual((await book.at(4))?.block ?? Number.NaN);
  });

  it('is without the record unless that is asked for', async () => {
    const { log, receipts, a } = await aLog();
    const receipt = await receipts.receipt(a.leafHash);
    if (receipt === undefined) throw new Error('the record is there');
    expect(receipt).not.toHaveProperty('record');
    expect((await judgeReceipt(utf8(formatReceipt(receipt)), log.trust)).verdict).toBe('matches');
  });

  it('has the newest checkpoint and no evidence before an anchor is final', async () => {
    const { log, ledger, receipts, waiting } = await aLog();
    const receipt = await receipts.receipt(waiting.leafHash, { complete: true });
    if (receipt === undefined) throw new Error('the record is there');
    expect(receipt).toMatchObject({ evidence: null, checkpoint: ledger.signed().checkpoint });
    const { verdict } = await judgeReceipt(utf8(formatReceipt(receipt)), log.trust);
    expect(verdict).toBe('not-yet-anchored');
  });

  it('of genesis and of a chain entry has neither record nor key walks', async () => {
    const { log, ledger, receipts } = await aLog();
    for (const index of [0, 3]) {
      const hash = leafHash(await ledger.read.entry(index));
      const receipt = await receipts.receipt(hash, { complete: true });
      if (receipt === undefined) throw new Error('the entry is there');
      expect(receipt).not.toHaveProperty('record');
      expect((await judgeReceipt(utf8(formatReceipt(receipt)), log.trust)).verdict).toBe('matches');
    }
  });

  it('is not there for a leaf hash that the log does not have', async () => {
    const { receipts } = await aLog();
    expect(await receipts.receipt(new Uint8Array(32))).toBeUndefined();
  });

  it('is not there for an entry that is on disk but not signed yet', async () => {
    const { ledger, book, a, waiting } = await aLog();
    const earlier = { ...ledger.signed(), size: waiting.index };
    const receipts = new Receipts({ ledger: { read: ledger.read, signed: () => earlier }, book });
    expect(await receipts.receipt(waiting.leafHash)).toBeUndefined();
    expect(await receipts.receipt(a.leafHash)).toBeDefined();
  });

  it('of an erased record goes on to prove, but cannot be complete', async () => {
    const { log, store, receipts, a } = await aLog();
    await store.write([{ table: 'salt', key: formatUint64(a.index), value: null }]);
    await expect(receipts.receipt(a.leafHash, { complete: true })).rejects.toMatchObject({
      code: 'RECORD_ERASED',
    });
    const receipt = await receipts.receipt(a.leafHash);
    if (receipt === undefined) throw new Error('the entry is there');
    expect((await judgeReceipt(utf8(formatReceipt(receipt)), log.trust)).verdict).toBe('matches');
  });
});

describe('stateOf', () => {
  it('tells sequenced, anchored and final apart', async () => {
    const { receipts, book, b, waiting } = await aLog();
    expect(receipts.stateOf(b.index)).toBe('final');
    expect(receipts.stateOf(waiting.index)).toBe('sequenced');
    book.sawAnchored(waiting.index + 1);
    expect(receipts.stateOf(waiting.index)).toBe('anchored');
  });
});
