import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  CouldNotCheck,
  type Finding,
  Findings,
  findingCodes,
  keptOfOneCode,
} from '../../../service/audit/findings.ts';
import { logCodes } from '../../../service/audit/log-codes.ts';
import { recordCodes } from '../../../service/audit/record-codes.ts';

const aFinding = (code: Finding['code'], index = 0): Finding => ({
  code,
  place: { index },
  message: '',
  proof: {},
});

describe('findingCodes', () => {
  it('says of each what it means and what to do, in a sentence', () => {
    for (const [code, { means, next }] of Object.entries(findingCodes)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      for (const text of [means, next]) expect(text, code).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('has a test for each code of the log and of the records that provokes it', () => {
    const folder = new URL('./', import.meta.url);
    const tests = readdirSync(folder)
      .filter(name => name.endsWith('.test.ts') && name !== 'findings.test.ts')
      .map(name => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    for (const code of [...Object.keys(logCodes), ...Object.keys(recordCodes)])
      expect(tests.includes(`'${code}'`), code).toBe(true);
  });
});

describe('Findings', () => {
  it('keeps so many of one code, in their order, and counts all', () => {
    const findings = new Findings();
    for (let i = 0; i < 2 * keptOfOneCode; i++) findings.report(aFinding('TILE_DIFFERS', i));
    findings.report(aFinding('KEY_UNKNOWN'));
    const { kept, counts } = findings.found();
    expect(kept.map(({ code }) => code)).toEqual([
      ...Array(keptOfOneCode).fill('TILE_DIFFERS'),
      'KEY_UNKNOWN',
    ]);
    expect(kept[keptOfOneCode - 1]?.place.index).toBe(keptOfOneCode - 1);
    expect([...counts]).toEqual([
      ['TILE_DIFFERS', 2 * keptOfOneCode],
      ['KEY_UNKNOWN', 1],
    ]);
  });

  it('says no where there is a fault, and not for a notice', () => {
    const findings = new Findings();
    findings.report(aFinding('ANCHOR_GAP'));
    expect(findings.found().hasFault).toBe(false);
    findings.report(aFinding('ENTRY_BACKDATED'));
    expect(findings.found().hasFault).toBe(true);
  });
});

describe('CouldNotCheck', () => {
  it('says what could not be had from where, and why', () => {
    const error = new CouldNotCheck({
      what: '/log/checkpoint',
      where: 'http://log.example',
      why: 'it is gone',
    });
    expect(error.message).toBe('/log/checkpoint could not be had from http://log.example: it is gone');
  });
});
