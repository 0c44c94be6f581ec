/** `zegel export`: an agency's own records of a range, verified one by one and kept in a file. */

import type { FileHandle } from 'node:fs/promises';
import type { Command } from 'commander';
import { LedgerClient } from '../service/client/client.ts';
import { exportRecords, formatOwnRecord } from '../service/client/reading.ts';
import { verifyWithOpenSsl } from '../service/openssl.ts';
import { addCommand, index } from './command.ts';
import { replaceFile } from './durable.ts';
import { alone } from './lock.ts';
import { grouped, ProgressLine } from './progress.ts';
import { originFor, readSigner } from './sign.ts';

export function addExport(program: Command): void {
  addCommand(
    program,
    'export',
    "get the records back that your agency has submitted, a line of JSON each, in the log's order",
    { uses: ['origin', 'passphraseFile'] },
    async ({ config, output }, _, flags) => {
      const client = new LedgerClient(String(flags['url']));
      const signer = await readSigner(String(flags['key']), flags['alg'], config.passphraseFile);
      const origin = await originFor(config.origin, flags['url']);
      const from = Number(flags['from'] ?? 0);
      // Named once, so that the file has what was there when it was begun, however often it must be asked for again.
      const to = flags['to'] === undefined ? (await client.about()).sizes.signed : Number(flags['to']);
      const out = String(flags['out']);
      const progress = new ProgressLine(flags['json'] === true ? undefined : process.stderr, 'records');
      const records = exportRecords(client, {
        signer,
        origin,
        from,
        to,
        verify: verifyWithOpenSsl,
        onRetry: ({ message }) => {
          progress.clear();
          output.note(`${message}: trying again`);
        },
      });
      const written = { records: 0, erased: 0 };
      try {
        // It holds the records, which may be personal data: nobody else may read it, and nobody sees half of it.
        const write = async (file: FileHandle): Promise<void> => {
          for await (const own of records) {
            await file.appendFile(`${formatOwnRecord(own)}\n`);
            written.records++;
            if (own.record === null) written.erased++;
            progress.update({ done: written.records, fraction: (own.index + 1 - from) / (to - from) });
          }
        };
        await alone(out, () => replaceFile(out, write));
      } finally {
        progress.clear();
      }
      const { erased } = written;
      const besides = erased === 0 ? '' : `, ${erased} of them erased`;
      output.result(
        `${out}: ${grouped(written.records)} records of entries ${from} to ${to}, verified${besides}`,
        {
          out,
          from,
          to,
          ...written,
        },
      );
      return 0;
    },
  )
    .requiredOption('--url <url>', 'where the service is')
    .requiredOption('--key <file>', 'a private key of the agency (PKCS#8 PEM, mode 0600)')
    .option('--alg <name>', 'for RSA keys: RS256 or PS256')
    .option('--from <index>', 'the first index (default: 0)', index)
    .option('--to <index>', 'the index after the last one (default: the size that is signed now)', index)
    .requiredOption('--out <file>', 'where the records go (NDJSON, mode 0600)');
}
