import { describe, expect, it } from 'vitest';
import { foreign, formatState, parseState } from '../../../service/audit/state.ts';
import { aState } from '../../helpers/audit-reports.ts';

describe('parseState', () => {
  it('reads what formatState prints', () => {
    expect(parseState(formatState(aState()))).toEqual(aState());
    const ended = { ...aState(), underWay: null, kept: [], counts: {} };
    expect(parseState(formatState(ended))).toEqual(ended);
  });

  it.each<[string, (text: string) => string]>([
    ['cut short', text => text.slice(0, -3)],
    ['of another version', text => text.replace('"version":1', '"version":2')],
    ['with a code that nobody knows', text => text.replace('ENTRY_BACKDATED', 'ENTRY_SPOILT')],
    ['with a member too many', text => text.replace('"kept"', '"more":1,"kept"')],
    ['with another root than its tiles give', text => text.replace(/"root":"../, '"root":"00')],
  ])('refuses one %s', (_, change) => {
    expect(() => parseState(change(formatState(aState())))).toThrow();
  });
});

describe('foreign', () => {
  it('says whose a state is where it is another one', () => {
    const { origin, logId, trust } = aState();
    const wanted = { origin, logId, trust };
    expect(foreign(aState(), wanted)).toBeUndefined();
    expect(foreign(aState(), { ...wanted, origin: 'x' })).toContain('of the log');
    expect(foreign(aState(), { ...wanted, logId: 'x' })).toContain('another chain or registry');
    expect(foreign(aState(), { ...wanted, trust: 'x' })).toContain('trust file');
  });
});
