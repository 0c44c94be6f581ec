/** `zegel export`: an agency's own records of a range, verified one by one and kept in a file. */

import { open, rename, rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { LedgerClient } from '../service/client/client.ts';
import { exportRecords, formatOwnRecord } from '../service/client/reading.ts';
import { verifyWithOpenSsl } from '../service/openssl.ts';
import { addCommand, index } from './command.ts';
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
      const records = exportRecords(client, {
        signer,
        origin,
        from,
        to,
        verify: verifyWithOpenSsl,
        onRetry: ({ message }) => output.note(`${message}; asking again`),
      });
      const written = { records: 0, erased: 0 };
      await replaceFile(out, async write => {
        for await (const own of records) {
          await write(`${formatOwnRecord(own)}\n`);
          written.records++;
          if (own.record === null) written.erased++;
        }
      });
      const { erased } = written;
      const besides = erased === 0 ? '' : `, ${erased} of them erased`;
      output.result(`${out}: ${written.records} records of entries ${from} to ${to}, verified${besides}`, {
        out,
        from,
        to,
        ...written,
      });
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

/** Replaces a file as a whole, once all is written and durable. */
async function replaceFile(
  path: string,
  fill: (write: (text: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const next = `${path}.next`;
  // It holds the records, which may be personal data.
  const file = await open(next, 'w', 0o600);
  try {
    // What was left by an earlier run may have another mode.
    await file.chmod(0o600);
    await fill(text => file.write(text));
    await file.sync();
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(next, path);
}
