import { describe, expect, it } from 'vitest';
import { CouldNotCheck } from '../../../service/audit/findings.ts';
import { makeReport } from '../../../service/audit/report.ts';
import {
  aChainView,
  aLogView,
  anOutcome,
  aRepeat,
  foundOf,
  someFindings,
  someTimes,
} from '../../helpers/audit-reports.ts';

const silent = new CouldNotCheck({ what: '/log/checkpoint', where: 'http://log.example', why: 'silence' });

describe('makeReport', () => {
  it('says yes where all was had and nothing is wrong, with the reason and what it does not prove', async () => {
    const report = makeReport(await anOutcome({ chainView: aChainView('unproved') }), aRepeat, someTimes);
    expect(report).toMatchObject({ version: 1, verdict: 'yes', finality: 'unproved', findings: [] });
    expect(report.sentence).toBe('Nothing is wrong with the log ledger.example/2026.');
    expect(report.reason).toContain('on the word of its node');
    expect(report.parts.map(({ checked }) => checked)).toEqual(['whole', 'whole', 'whole', 'whole']);
  });

  it('says yes with a notice, and no with a fault, which outweighs what could not be had', async () => {
    const notices = someFindings.filter(({ code }) => code === 'ANCHOR_GAP');
    const noticed = makeReport(await anOutcome({ found: foundOf(notices) }), aRepeat, someTimes);
    expect(noticed).toMatchObject({ verdict: 'yes', counts: { faults: 0, notices: 1 } });
    expect(noticed.next).toContain('1 notice');
    const both = { found: foundOf(someFindings), unchecked: [silent], recordsView: undefined };
    const faulty = makeReport(await anOutcome(both), aRepeat, someTimes);
    expect(faulty).toMatchObject({ verdict: 'no', counts: { faults: 3, notices: 1 } });
    expect(faulty.sentence).toBe('Something is wrong with the log ledger.example/2026, at entry 412.');
    // What somebody else hands out is not the log's doing.
    for (const [code, place, sentence] of [
      ['TRANSACTIONS_DIFFER', { block: 7 }, 'The node shows a chain that does not fit, for the log'],
      ['RECORD_FOREIGN', { index: 7 }, 'Something is wrong with an export of the log'],
    ] as const) {
      const found = foundOf([{ code, place, message: '', proof: {} }]);
      const report = makeReport(await anOutcome({ found }), aRepeat, someTimes);
      expect(report.sentence).toContain(sentence);
    }
    expect(faulty.reason).toContain('silence');
  });

  it('says that it could not check, and that this says nothing against the log', async () => {
    const report = makeReport(
      await anOutcome({
        logView: undefined,
        chainView: undefined,
        recordsView: undefined,
        unchecked: [silent],
      }),
      aRepeat,
      someTimes,
    );
    expect(report).toMatchObject({
      verdict: 'could-not-check',
      finality: null,
      log: { size: null, root: null },
    });
    expect(report.sentence).toContain('says nothing against it');
    expect(report.parts.every(({ checked }) => checked === 'no')).toBe(true);
    expect(report.unchecked).toEqual([{ what: silent.what, where: silent.where, message: silent.message }]);
  });

  it('is the same text whatever the order in which findings were met', async () => {
    const outcome = await anOutcome({ found: foundOf(someFindings) });
    const turned = await anOutcome({ found: foundOf([...someFindings].reverse()) });
    const [a, b] = [outcome, turned].map(each => JSON.stringify(makeReport(each, aRepeat, someTimes)));
    expect(a).toBe(b);
    expect(makeReport(outcome, aRepeat, someTimes).findings.map(({ code }) => code)).toEqual([
      'ENTRY_BACKDATED',
      'STORAGE_DIFFERS',
      'STORAGE_DIFFERS',
      'ANCHOR_GAP',
    ]);
  });

  it('keeps only times out of what does not change', async () => {
    const outcome = await anOutcome();
    const one = makeReport(outcome, aRepeat, someTimes);
    const other = makeReport(outcome, aRepeat, { ...someTimes, seconds: 7 });
    expect({ ...other, times: one.times }).toEqual(one);
  });

  it('counts records by day and agency, and what no agency is known for under ""', async () => {
    const logView = {
      ...aLogView(1),
      days: { '20605': { [key(1)]: 2, [key(2)]: 3, [key(99)]: 5, [key(98)]: 7 } },
    };
    const { figures } = makeReport(await anOutcome({ logView }), aRepeat, someTimes);
    expect(figures.days).toEqual([{ day: '2026-06-01', records: { OVO900001: 2, OVO900002: 3, '': 12 } }]);
  });

  it('gives figures of anchors without the opening, in few enough groups', async () => {
    const { figures } = makeReport(await anOutcome({ logView: aLogView(90) }), aRepeat, someTimes);
    expect(figures.anchors?.all).toMatchObject({ anchors: 720, gas: { least: expect.any(Number) } });
    expect(figures.anchors?.all?.gas?.most).toBeLessThan(120_000);
    expect(figures.anchors?.groups).toHaveLength(60);
    expect(figures.anchors?.groups.reduce((sum, { anchors }) => sum + anchors, 0)).toBe(720);
    expect(figures.anchors?.longestGapS).toBeGreaterThan(9_000);
  });
});

function key(byte: number): string {
  return byte.toString(16).padStart(2, '0').repeat(32);
}
