/** `npx hardhat audit`: the same command as `zegel audit`, for auditors who have Hardhat at hand. */

import { Command } from 'commander';
import { addAudit } from './audit.ts';

/** What Hardhat gives: `''` for what was not typed. */
type Typed = Readonly<Record<string, string | boolean>>;

export default async function auditTask(typed: Typed): Promise<void> {
  const words = Object.entries(typed).flatMap(([name, value]) => {
    if (value === '' || value === false) return [];
    const flag = `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
    return value === true ? [flag] : [flag, value];
  });
  const program = new Command('hardhat').exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 2));
  addAudit(program);
  await program.parseAsync(['audit', ...words], { from: 'user' });
}
