/** The command line: one file for each command beside this one, in the order of a life. */

import { Command } from 'commander';
import { addAgency } from './agency.ts';
import { addAudit } from './audit.ts';
import { addDeploy } from './deploy.ts';
import { addExport } from './export.ts';
import { addInit } from './init.ts';
import { addKey } from './key.ts';
import { addLog } from './log.ts';
import { addPage } from './page.ts';
import { addReceipt } from './receipt.ts';
import { addServe } from './serve.ts';
import { addSign } from './sign.ts';
import { addSubmit } from './submit.ts';
import { addVerify } from './verify.ts';
import { version } from './version.ts';

const program = new Command('zegel')
  .description(
    'a ledger for government: records in an append-only log, anchored on a chain, with receipts that stand alone',
  )
  .version(await version())
  .addHelpText(
    'after',
    '\nExit codes: 0 yes; 1 no (does not verify, was refused); 2 usage; 3 could not be checked (unreachable, not yet anchored).',
  );

// commander exits with 1 for a mistake on the command line; here 1 means "does not verify", so a mistake is 2.
program.exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2));

for (const add of [
  addDeploy,
  addInit,
  addLog,
  addAgency,
  addKey,
  addServe,
  addSign,
  addSubmit,
  addReceipt,
  addVerify,
  addPage,
  addExport,
  addAudit,
]) {
  add(program);
}

await program.parseAsync();
