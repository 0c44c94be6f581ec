/** `zegel receipt`: brings a kept receipt up to date, completed with the statement and salt that it holds. */

import { open, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { formatHex, parseHex } from '../merkle/bytes.ts';
import { parseReceipt, type Receipt } from '../merkle/receipt.ts';
import { leafHash } from '../merkle/tree.ts';
import { LedgerClient, receiptFile } from '../service/client/client.ts';
import { readReceipt } from '../service/client/reading.ts';
import { addCommand, readInput, seconds } from './command.ts';
import { originFor, readSigner } from './sign.ts';

export function addReceipt(program: Command): void {
  addCommand(
    program,
    'receipt <kept>',
    'fetch the anchored receipt for one that submit kept (a file), or for a leaf hash: without the record, or with --key with it',
    { uses: ['origin', 'passphraseFile'] },
    async ({ config, output }, [kept = ''], flags) => {
      const client = new LedgerClient(String(flags['url']));
      const isHash = /^[0-9a-f]{64}$/.test(kept);
      const fetch = isHash
        ? () => client.receipt(parseHex(kept, 32))
        : await readInput(kept)
            .then(parseReceipt)
            .then(own => () => client.complete(own));

      const anchoredOrNot = await untilAnchored(fetch, Number(flags['wait'] ?? 0));
      // Asked for once it is worth it: each read of a record is recorded in the log.
      const receipt =
        flags['key'] === undefined
          ? anchoredOrNot
          : await readReceipt(client, leafHash(anchoredOrNot.entry), {
              signer: await readSigner(String(flags['key']), flags['alg'], config.passphraseFile),
              origin: await originFor(config.origin, flags['url']),
            });
      const out = String(flags['out'] ?? (isHash ? `${kept}.receipt.json` : kept));
      await writeReceipt(out, receipt);
      const anchored = receipt.evidence !== null;
      output.result(`${out}: ${anchored ? 'anchored' : 'not yet anchored'}`, {
        leafHash: formatHex(leafHash(receipt.entry)),
        anchored,
        receipt: out,
      });
      return anchored ? 0 : 3;
    },
  )
    .requiredOption('--url <url>', 'where the service is')
    .option('--key <file>', "the agency's private key: gets the record, too, from the service")
    .option('--alg <name>', 'for RSA keys: RS256 or PS256')
    .option('--out <file>', 'where the receipt goes (default: the kept file itself)')
    .option('--wait <seconds>', 'ask again for this long until it is anchored', seconds);
}

async function untilAnchored(fetch: () => Promise<Receipt>, waitS: number): Promise<Receipt> {
  const until = Date.now() + waitS * 1000;
  for (;;) {
    const receipt = await fetch();
    if (receipt.evidence !== null || Date.now() >= until) return receipt;
    await sleep(1000);
  }
}

/** Replaces a receipt's file as a whole: the one that is there may be the only copy of the salt. */
export async function writeReceipt(path: string, receipt: Receipt): Promise<void> {
  const next = `${path}.next`;
  // It holds the record, which may be personal data.
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(receiptFile(receipt));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}
