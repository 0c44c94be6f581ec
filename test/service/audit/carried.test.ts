import { describe, expect, it } from 'vitest';
import { CarriedFindings, foundTogether } from '../../../service/audit/carried.ts';
import type { Finding, FindingCode } from '../../../service/audit/findings.ts';
import { foundOf, someFindings } from '../../helpers/audit-reports.ts';

const at = (code: FindingCode, place: Finding['place'], n = 0): Finding => ({
  code,
  place,
  message: `${n}`,
  proof: {},
});

describe('CarriedFindings', () => {
  it('carries on what stands before a position, and nothing that has no place in the log', () => {
    const findings = new CarriedFindings({ cut: 100, carried: undefined });
    const before = [at('ENTRY_BACKDATED', { index: 49 }), at('ANCHOR_OMITTED', { size: 50 })];
    const after = [at('ANCHOR_OMITTED', { size: 51 }), at('LOG_FOREIGN', {})];
    for (const finding of [...before, ...after]) findings.report(finding);
    expect(findings.before(50)).toEqual({ kept: before, counts: { ENTRY_BACKDATED: 1, ANCHOR_OMITTED: 1 } });
    expect(findings.found().kept).toHaveLength(4);
  });

  it('counts all, keeps a hundred of a code, and gives the same after an interruption', () => {
    const entries = Array.from({ length: 300 }, (_, index) => at('ENTRY_MALFORMED', { index }, index));
    const anchors = Array.from({ length: 300 }, (_, i) => at('ANCHOR_OMITTED', { size: i + 1 }, i));
    const whole = new CarriedFindings({ cut: 300, carried: undefined });
    for (const finding of [...anchors, ...entries]) whole.report(finding);

    const first = new CarriedFindings({ cut: 300, carried: undefined });
    for (const finding of [...anchors, ...entries.slice(0, 150)]) first.report(finding);
    const second = new CarriedFindings({ cut: 300, carried: first.before(150) });
    for (const finding of [...anchors.slice(150), ...entries.slice(150)]) second.report(finding);
    expect(second.found().counts).toEqual(whole.found().counts);
    expect(second.found().counts.get('ENTRY_MALFORMED')).toBe(300);
    const inOrder = (all: readonly Finding[]) => all.map(each => JSON.stringify(each)).sort();
    expect(inOrder(second.found().kept)).toEqual(inOrder(whole.found().kept));
  });

  it('counts once what is met again', () => {
    const genesis = at('GENESIS_DIFFERS', { index: 0 });
    const findings = new CarriedFindings({
      cut: 9,
      carried: { kept: [genesis], counts: { GENESIS_DIFFERS: 1 } },
    });
    findings.report({ ...genesis });
    expect(findings.found()).toMatchObject({ kept: [genesis], hasFault: true });
    expect(findings.found().counts.get('GENESIS_DIFFERS')).toBe(1);
  });

  it('counts once what is met again and was only counted', () => {
    const anchors = Array.from({ length: 150 }, (_, i) => at('ANCHOR_OMITTED', { size: i + 1 }, i));
    const first = new CarriedFindings({ cut: 200, carried: undefined });
    for (const finding of anchors) first.report(finding);
    const second = new CarriedFindings({ cut: 200, carried: first.before(150), position: 150 });
    for (const finding of [...anchors, at('ANCHOR_OMITTED', { size: 151 })]) second.report(finding);
    expect(second.found().counts.get('ANCHOR_OMITTED')).toBe(151);
  });

  it('leaves out of a finished state what will be read again', () => {
    const findings = new CarriedFindings({ cut: 10, carried: undefined });
    for (let index = 0; index < 200; index++) findings.report(at('KEY_NOT_VALID', { index }));
    expect(findings.before(10).counts).toEqual({ KEY_NOT_VALID: 10 });
  });
});

describe('foundTogether', () => {
  it('adds up what the parts have found', () => {
    const found = foundTogether([foundOf(someFindings.slice(0, 2)), foundOf(someFindings.slice(2))]);
    expect(found.hasFault).toBe(true);
    expect(found.counts.get('STORAGE_DIFFERS')).toBe(2);
    expect(found.kept).toEqual(someFindings);
  });
});
