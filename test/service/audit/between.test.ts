import { describe, expect, it } from 'vitest';
import { thumbprint } from '../../../merkle/jwk.ts';
import type { ChainKey } from '../../../service/audit/chain-view.ts';
import { audit, codesOf } from '../../helpers/auditing.ts';
import { startTime } from '../../helpers/forge.ts';
import { aChainKey, ForgedLog, kidHex } from '../../helpers/forged-log.ts';
import { keyFor, publicJwk } from '../../helpers/keys.ts';

/** Audits a log that a test has filled, once it is anchored. */
async function withEntries(fill: (log: ForgedLog) => void) {
  const log = await ForgedLog.open();
  fill(log);
  await log.anchor();
  return { log, ...(await audit(log)) };
}

describe('the time of an entry', () => {
  const blockThen = (offMs: number) => (log: ForgedLog) => {
    log.now += 100_000;
    const block = log.mine();
    log.addChainEntry(block, block.time * 1000 - 30_000);
    log.addSome(1, { time: block.time * 1000 - 30_000 + offMs });
  };

  it('may be 30 s before the block of the last chain entry, and no more', async () => {
    expect((await withEntries(blockThen(0))).kept).toEqual([]);
    expect((await withEntries(blockThen(-1))).kept).toMatchObject([
      { code: 'ENTRY_TIME_DECREASED', place: { index: 2 } },
      { code: 'ENTRY_BACKDATED', place: { index: 2, block: 2 } },
    ]);
  });

  it('may not be before it for the chain entry itself', async () => {
    const { kept } = await withEntries(log => {
      log.now += 100_000;
      const block = log.mine();
      log.addChainEntry(block, block.time * 1000 - 30_001);
    });
    expect(kept).toMatchObject([{ code: 'ENTRY_BACKDATED', place: { index: 1 } }]);
  });

  it('may be 30 s after the block of the anchor that covers it, and no more', async () => {
    const dated = async (offMs: number) => {
      const log = await ForgedLog.open();
      // The anchor's block is mined a second later.
      const blockTime = Math.ceil((log.now + 10 + 1000) / 1000) * 1000;
      log.addSome(1, { time: blockTime + 30_000 + offMs });
      await log.anchor();
      expect(log.anchors.at(-1)?.blockTime).toBe(blockTime / 1000);
      return audit(log);
    };
    expect((await dated(0)).kept).toEqual([]);
    expect((await dated(1)).kept).toMatchObject([
      { code: 'ENTRY_POSTDATED', place: { index: 1, size: 2, block: 2 } },
    ]);
  });

  it('is not bounded above until an anchor covers it', async () => {
    const log = await ForgedLog.open();
    log.addSome(1, { time: log.now + 1e9 });
    expect((await audit(log, undefined, { now: () => log.now })).kept).toEqual([]);
  });
});

describe('a chain entry', () => {
  it('that holds a block of another chain is foreign', async () => {
    const foreign = { number: 5, hash: new Uint8Array(32).fill(9), time: 0 };
    const { kept } = await withEntries(log => log.addChainEntry(foreign));
    expect(kept).toMatchObject([{ code: 'CHAIN_ENTRY_FOREIGN', place: { index: 1 } }]);
  });

  it('is judged once an anchor covers it: before that, its block may be newer than the view', async () => {
    const log = await ForgedLog.open();
    log.addChainEntry({ number: 5, hash: new Uint8Array(32).fill(9), time: 0 });
    const { kept, view } = await audit(log);
    expect(kept).toEqual([]);
    expect(view.unjudged).toBe(1);
  });

  it('must hold a later block than the one before it', async () => {
    const { kept } = await withEntries(log => {
      const block = log.mine();
      log.addChainEntry(block);
      log.addChainEntry(block);
      log.addChainEntry(log.blocks[0]);
    });
    expect(kept.map(({ code, place }) => [code, place.index])).toEqual([
      ['CHAIN_ENTRY_NOT_LATER', 2],
      ['CHAIN_ENTRY_NOT_LATER', 3],
    ]);
  });

  it('brackets the records that an anchor covers from below', async () => {
    const { view, log } = await withEntries(log => {
      log.addChainEntry(log.mine());
      log.addSome(2);
    });
    expect(view.anchors.at(-1)).toMatchObject({ records: 2, lowerBlockTime: log.blocks[2]?.time });
  });
});

describe('the key of an entry', () => {
  const withKey = (change: Partial<ChainKey>, fill = (log: ForgedLog) => log.addSome(1)) =>
    withEntries(log => {
      log.keys.set(kidHex('ES256'), aChainKey('ES256', change));
      fill(log);
    });

  it('must be registered', async () => {
    const { kept } = await withEntries(log => log.addSome(1, { keyId: new Uint8Array(32).fill(1) }));
    expect(kept).toMatchObject([{ code: 'KEY_UNKNOWN', place: { index: 1 } }]);
  });

  it('is judged once an anchor covers the entry', async () => {
    const log = await ForgedLog.open();
    log.addSome(1, { keyId: new Uint8Array(32).fill(1) });
    const { kept, view } = await audit(log);
    expect([kept, view.unjudged]).toEqual([[], 1]);
  });

  it('must be valid at the time of the entry, from the first millisecond to before the last', async () => {
    const at = (log: ForgedLog) => log.addSome(1, { time: startTime + 2000 });
    const s = startTime / 1000 + 2;
    expect(codesOf(await withKey({ validFrom: s }, at))).toEqual([]);
    expect(codesOf(await withKey({ validFrom: s + 1 }, at))).toEqual(['KEY_NOT_VALID']);
    expect(codesOf(await withKey({ validUntil: s + 1 }, at))).toEqual([]);
    expect(codesOf(await withKey({ validUntil: s }, at))).toEqual(['KEY_NOT_VALID']);
  });

  const retiredAt = (blockTime: number, validUntil: number) => ({
    validUntil,
    retirements: [{ block: 1, blockTime, validUntil }],
  });

  it('is not good any more once it was retired, and is noted where the service should have seen it', async () => {
    const s = startTime / 1000;
    const dated = (time: number) => (log: ForgedLog) => log.addSome(1, { time });
    expect(codesOf(await withKey(retiredAt(s, s + 120), dated(startTime + 120_000)))).toEqual([
      'ENTRY_POSTDATED',
      'KEY_NOT_VALID',
    ]);
    const far = (log: ForgedLog) => {
      log.now = startTime + 121_000;
      log.addSome(1);
    };
    const { kept } = await withKey(retiredAt(s, s + 1000), far);
    expect(kept).toMatchObject([{ code: 'KEY_USED_AFTER_RETIREMENT', place: { index: 1 } }]);
  });

  it('is retired with a notice of 120 s, and never to a later time', async () => {
    const s = startTime / 1000 + 50_000;
    expect(codesOf(await withKey(retiredAt(s, s + 120)))).toEqual([]);
    expect(codesOf(await withKey(retiredAt(s, s + 119)))).toEqual(['KEY_RETIREMENT_WITHOUT_NOTICE']);
    const [first] = retiredAt(s, s + 500).retirements;
    const [later] = retiredAt(s, s + 501).retirements;
    const retirements = [first, later].filter(each => each !== undefined);
    expect(codesOf(await withKey({ retirements }))).toEqual(['KEY_RETIREMENT_WITHOUT_NOTICE']);
  });

  it('needs a good proof of possession for this agency, algorithm and registry', async () => {
    const { proof } = aChainKey('ES256');
    for (const change of [
      { proof: aChainKey('Ed25519').proof },
      { proof: `${proof.slice(0, -2)}AA` },
      { proof: '' },
      { algorithm: 3 },
      { agency: 'OVO000001' },
      { jwk: aChainKey('Ed25519').jwk },
      { jwk: new Uint8Array(3) },
    ])
      expect(codesOf(await withKey(change))).toContain('KEY_PROOF_INVALID');
  });

  it('is of an agency that is registered', async () => {
    const { kept } = await withEntries(log => {
      log.agencies.clear();
      log.addSome(2);
    });
    // Once for the key, however many entries it has.
    expect(kept).toMatchObject([{ code: 'AGENCY_UNKNOWN', place: { index: 1 } }]);
  });

  it('may be of each of the algorithms', async () => {
    const algorithms = ['ES256', 'ES384', 'ES256K', 'RS256', 'PS256', 'Ed25519'] as const;
    const { kept, view } = await withEntries(log => {
      for (const alg of algorithms) log.addSome(1, { keyId: thumbprint(publicJwk(keyFor(alg))) });
    });
    expect(kept).toEqual([]);
    expect(Object.keys(view.keys)).toHaveLength(6);
  });
});

describe('the wait for an anchor', () => {
  it('is noted beyond a limit, for what was anchored and for what is not yet', async () => {
    const log = await ForgedLog.open();
    log.addSome(1);
    log.now += 3_600_000;
    await log.anchor();
    log.addSome(1);
    const { kept, hasFault } = await audit(log, undefined, { now: () => log.now + 3_600_001 });
    expect(kept).toMatchObject([
      { code: 'ANCHOR_GAP', place: { size: 2, block: 2 } },
      { code: 'ANCHOR_GAP', place: { size: 3 } },
    ]);
    expect(hasFault).toBe(false);
    expect((await audit(log, undefined, { now: () => log.now, anchorWaitLimitMs: 4e6 })).kept).toEqual([]);
  });
});
