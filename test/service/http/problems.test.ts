import { describe, expect, test } from 'vitest';
import { LedgerError } from '../../../service/errors.ts';
import { catalogue, onboardingRow } from '../../../service/http/catalogue.ts';
import { internalProblem, problemOf, problemTypes } from '../../../service/http/problems.ts';
import { unparsedTypes } from '../../../service/http/server.ts';
import { readPage, tableOf } from '../../helpers/page.ts';

describe('problemOf', () => {
  test('names a refusal by its code and tells where each fault is', () => {
    const issues = [{ place: 'event.time', message: 'is empty' }];
    expect(problemOf(new LedgerError('RECORD_MALFORMED', 'the statement has a fault', { issues }))).toEqual({
      type: 'urn:problem-type:zegel:record-malformed',
      title: 'The record is not in its format',
      status: 400,
      detail: 'the statement has a fault',
      issues,
    });
  });

  test('has the same members for a refusal without issues, and for a fault of ours', () => {
    const members = ['type', 'title', 'status', 'detail', 'issues'];
    expect(Object.keys(problemOf(new LedgerError('LOG_BUSY', 'x')))).toEqual(members);
    expect(Object.keys(internalProblem)).toEqual(members);
  });

  test.each([
    '\u001b[31m',
    'a\r\nb',
    'a\u0000b',
    '\u009b2J',
    '\u202eevil',
    '\u2028',
    '\ud800',
    '\u200b',
    '\ufeff',
  ])('lets no control or format character of %j pass (S15)', text => {
    const issues = [{ place: text, message: text }];
    const problem = JSON.stringify(problemOf(new LedgerError('RECORD_MALFORMED', text, { issues })));
    expect(problem).toContain('\ufffd');
    expect(problem).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\\u00|\\r|\\n/u);
  });

  test('is never endless', () => {
    const long = 'x'.repeat(100_000);
    const issues = Array.from({ length: 1_000 }, () => ({ place: long, message: long }));
    const problem = problemOf(new LedgerError('RECORD_MALFORMED', long, { issues }));
    expect(JSON.stringify(problem).length).toBeLessThan(60_000);
    expect(problem.issues).toHaveLength(101);
    expect(problem.issues[100]).toEqual({ place: '', message: '900 more faults' });
  });
});

describe('the catalogue', () => {
  test('has every problem that is answered, with its status and title, and no other', () => {
    const answered = new Map([...unparsedTypes, ...problemTypes].map(problem => [problem.type, problem]));
    expect(catalogue.map(({ type, status, title }) => ({ type, status, title }))).toEqual(
      expect.arrayContaining(
        [...answered.values()].map(({ type, status, title }) => ({ type, status, title })),
      ),
    );
    expect(catalogue).toHaveLength(answered.size);
  });

  test('says of every problem what it means, what to do, and whether to send the same again', () => {
    for (const { name, means, toDo, again } of catalogue) {
      expect(means, name).toMatch(/\w{3}.*[.?]$/);
      expect(toDo, name).toMatch(/\w{3}.*[.?]$/);
      expect(again, name).toMatch(/^(yes|no|once|when)/);
    }
  });

  test('is the table in ONBOARDING.md, row by row', async () => {
    const rows = tableOf(await readPage('ONBOARDING.md'), 'problem').map(row => `| ${row.join(' | ')} |`);
    expect(rows, 'the rows are those of service/http/guidance.ts').toEqual(catalogue.map(onboardingRow));
  });
});
