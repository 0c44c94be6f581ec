/** `zegel audit`: reads a whole log, replays its chain, and says whether all holds. */

import type { Command } from 'commander';
import { auditAll } from './auditing.ts';
import { addCommand, index, seconds } from './command.ts';
import { keepHeapLean } from './lean-heap.ts';

export function addAudit(program: Command): void {
  addCommand(
    program,
    'audit',
    'read a whole log over its public interface, replay its chain, and say whether all holds',
    { needs: ['rpcUrl'], uses: ['origin', 'confirmations'] },
    async ({ config, output }, _, flags) => {
      keepHeapLean();
      const text = (name: string) => (flags[name] === undefined ? undefined : String(flags[name]));
      const file = flags['export'];
      return auditAll(
        {
          url: String(flags['url']),
          rpcUrl: config.rpcUrl,
          trust: String(flags['trust']),
          origin: config.origin,
          confirmations: config.confirmations,
          exports: file === undefined ? [] : [file].flat().map(String),
          state: text('state'),
          fromScratch: flags['fromScratch'] === true,
          saveEvery: flags['saveEvery'] === undefined ? undefined : Number(flags['saveEvery']),
          report: text('report'),
          evidence: text('evidence'),
          timeoutMs: flags['timeout'] === undefined ? undefined : Number(flags['timeout']) * 1000,
        },
        output,
      );
    },
  )
    .requiredOption('--url <url>', 'where the log is served')
    .requiredOption('--trust <file>', 'the trust file that you rely on, got by another road than the log')
    .option('--export <files...>', 'records to audit, as zegel export writes them')
    .option(
      '--state <file>',
      'where the audit stands: it goes on from there, and the next reads only what is new',
    )
    .option('--from-scratch', 'begin anew, whatever the state says')
    .option('--save-every <entries>', 'how often the state is written (default: every 131072 entries)', index)
    .option('--report <file>', 'where the report goes, as a page for people (HTML)')
    .option('--evidence <folder>', 'where proofs of a fork go, if there is one (default: beside the report)')
    .option('--timeout <seconds>', 'for how long an answer is waited for (default: 30)', seconds);
}
