/** AUDITING.md says what the code does: every code with its meaning, and every option. */

import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addAudit } from '../../scripts/audit.ts';
import { findingCodes } from '../../service/audit/findings.ts';
import { readPage, tableOf } from '../helpers/page.ts';

it('lists every code as the auditor prints it', async () => {
  const rows = tableOf(await readPage('AUDITING.md'), 'code');
  expect(rows).toEqual(
    Object.entries(findingCodes).map(([code, { severity, stands, means, next }]) => [
      `\`${code}\``,
      severity,
      stands,
      means,
      next,
    ]),
  );
});

it('lists every option', async () => {
  const program = new Command();
  addAudit(program);
  const offered = program.commands.flatMap(({ options }) => options.map(({ long }) => long ?? ''));
  const rows = tableOf(await readPage('AUDITING.md'), 'option');
  const listed = rows.flatMap(([cell = '']) => cell.match(/--[a-z-]+/g) ?? []);
  expect([...listed].sort()).toEqual([...offered].sort());
});
