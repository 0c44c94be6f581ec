/** `zegel submit`: sends one event or statement, checks the answer, and keeps what completes the receipt later. */

import type { Command } from 'commander';
import { formatHex, parseUtf8 } from '../merkle/bytes.ts';
import { formatTime, parseEntry } from '../merkle/entry.ts';
import { LedgerClient, type Submitted } from '../service/client/client.ts';
import { signStatement } from '../service/client/signer.ts';
import { addCommand, readInput, seconds } from './command.ts';
import { writeReceipt } from './receipt.ts';
import { originFor, readEventFile, readSigner } from './sign.ts';

export function addSubmit(program: Command): void {
  addCommand(
    program,
    'submit <file>',
    'sign an event (or take a statement, *.jws), submit it, and keep its receipt',
    { uses: ['origin', 'passphraseFile'] },
    async ({ config, output }, [file = ''], flags) => {
      const client = new LedgerClient(String(flags['url']));
      const signer = await readSigner(String(flags['key']), flags['alg'], config.passphraseFile);
      const statement = file.endsWith('.jws')
        ? parseUtf8(await readInput(file)).trimEnd()
        : await signStatement(
            await readEventFile(file, config.eventMaxBytes),
            await originFor(config.origin, flags['url']),
            signer,
          );

      const wait = Number(flags['wait'] ?? 0);
      const submitted = await client.submit(statement, signer.key, { waitS: wait });
      const receipt = wait > 0 ? await client.complete(submitted.receipt) : submitted.receipt;
      const out = String(flags['out'] ?? `${formatHex(submitted.leafHash)}.receipt.json`);
      await writeReceipt(out, receipt);
      const state = receipt.evidence === null ? 'not yet anchored' : 'anchored';
      output.result(lines(submitted, out, state), {
        leafHash: formatHex(submitted.leafHash),
        index: receipt.inclusion.index,
        status: submitted.isNew ? 201 : 200,
        anchored: receipt.evidence !== null,
        receipt: out,
      });
      return wait > 0 && receipt.evidence === null ? 3 : 0;
    },
  )
    .requiredOption('--url <url>', 'where the service is')
    .requiredOption('--key <file>', "the agency's private key (PKCS#8 PEM, mode 0600)")
    .option('--alg <name>', 'for RSA keys: RS256 or PS256')
    .option('--out <file>', 'where the receipt goes (default: <leaf hash>.receipt.json)')
    .option('--wait <seconds>', 'wait this long for the anchor', seconds);
}

function lines({ leafHash, receipt, isNew }: Submitted, out: string, state: string): string[] {
  const { time } = parseEntry(receipt.entry);
  return [
    `${isNew ? 'recorded' : 'was recorded before'} as entry ${receipt.inclusion.index} at ${formatTime(time)}`,
    `leaf hash ${formatHex(leafHash)}`,
    `receipt ${out} (${state})`,
  ];
}
