/** `zegel receipt`: brings kept receipts up to date, one or many, and puts the record into one that lacks it. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatHex, parseHex } from '../merkle/bytes.ts';
import type { Receipt } from '../merkle/receipt.ts';
import { leafHash } from '../merkle/tree.ts';
import { LedgerClient, receiptFile } from '../service/client/client.ts';
import { readReceipt } from '../service/client/reading.ts';
import { verifyWithOpenSsl } from '../service/openssl.ts';
import {
  addCommand,
  CommandError,
  type ExitCode,
  type Flags,
  type Output,
  type Run,
  readInput,
  seconds,
} from './command.ts';
import { completeFolder, completeLines, lastIncomplete, outcomeOf, untilFinal } from './completion.ts';
import { replaceFile } from './durable.ts';
import { parseKept } from './kept.ts';
import { alone } from './lock.ts';
import { ProgressLine } from './progress.ts';
import { readRecordFile, withRecord } from './record.ts';
import { originFor, readSigner } from './sign.ts';
import { checkedNote, readTrustFlag, requireMatch } from './trust.ts';

type Settings = Run<never>['config'];

export function addReceipt(program: Command): void {
  addCommand(
    program,
    'receipt <kept>',
    'fetch the anchored receipt for one that submit kept (a file; many in .ndjson or a folder), or for a leaf hash: without the record, or with --key with it',
    { uses: ['origin', 'passphraseFile'] },
    async ({ config, output }, [kept = ''], flags) => {
      const client = new LedgerClient(String(flags['url']));
      const isFolder = await stat(kept).then(
        facts => facts.isDirectory(),
        () => false,
      );
      if (kept.endsWith('.ndjson') || isFolder) return completeMany(client, kept, isFolder, flags, output);
      const isHash = /^[0-9a-f]{64}$/.test(kept);
      const out = String(flags['out'] ?? (isHash ? `${kept}.receipt.json` : kept));
      return alone(out, () => completeOne(client, kept, out, flags, config, output));
    },
  )
    .requiredOption('--url <url>', 'where the service is')
    .option('--key <file>', "the agency's private key: gets the record, too, from the service")
    .option('--alg <name>', 'for RSA keys: RS256 or PS256')
    .option(
      '--record <file>',
      'put this record in: its JSON, or another receipt of the same entry that has it',
    )
    .option('--out <file>', 'where the receipt goes (default: the kept file itself)')
    .option('--wait <seconds>', 'ask again for this long until it is anchored', seconds)
    .option('--trust <file>', 'a trust file: what the service gives is kept only if it matches');
}

async function completeOne(
  client: LedgerClient,
  kept: string,
  out: string,
  flags: Flags,
  config: Settings,
  output: Output,
): Promise<ExitCode> {
  const record = flags['record'] === undefined ? undefined : await readRecordFile(String(flags['record']));
  const isHash = /^[0-9a-f]{64}$/.test(kept);
  const waitS = Number(flags['wait'] ?? 0);
  const trust = await readTrustFlag(flags['trust']);
  const own = isHash ? await client.receipt(parseHex(kept, 32)) : parseKept(await readInput(kept), kept);
  const anchoredOrNot = await client.wait(own, { waitS });
  // Asked for once it is worth it: each read of a record is recorded in the log.
  let receipt: Receipt =
    flags['key'] === undefined
      ? anchoredOrNot
      : await readReceipt(client, leafHash(anchoredOrNot.entry), {
          signer: await readSigner(String(flags['key']), flags['alg'], config.passphraseFile),
          origin: await originFor(config.origin, flags['url']),
        });
  if (record !== undefined) receipt = await withRecord(receipt, record);
  await requireMatch(receipt, trust, out);

  await replaceFile(out, file => file.writeFile(receiptFile(receipt)));
  const anchored = receipt.evidence !== null;
  const state = anchored ? 'anchored' : 'not yet anchored';
  output.result(`${out}: ${state}${checkedNote(anchored, trust, out)}`, {
    leafHash: formatHex(leafHash(receipt.entry)),
    anchored,
    receipt: out,
  });
  return anchored ? 0 : 3;
}

async function completeMany(
  client: LedgerClient,
  kept: string,
  isFolder: boolean,
  flags: Flags,
  output: Output,
): Promise<ExitCode> {
  for (const flag of ['key', 'record'])
    if (flags[flag] !== undefined)
      throw new CommandError(2, `--${flag} is for one receipt, and ${kept} has many`);
  const out = String(flags['out'] ?? kept);
  if (isFolder && out !== kept)
    throw new CommandError(2, 'the receipts of a folder are completed where they are');

  const progress = new ProgressLine(flags['json'] === true ? undefined : process.stderr, 'receipts');
  const options = {
    onRetry: (reason: Error) => output.note(`${reason.message}: trying again`),
    onDone: (done: number) => progress.update({ done }),
    tell: (line: string) => {
      progress.clear();
      output.note(line);
    },
    trust: await readTrustFlag(flags['trust']),
    verify: verifyWithOpenSsl,
  };
  const waitS = Number(flags['wait'] ?? 0);
  if (waitS > 0) await untilFinal(client, await lastIncomplete(kept), waitS, options);
  const completed = isFolder
    ? await completeFolder(client, kept, options)
    : await completeLines(client, kept, out, options);
  progress.clear();
  const { lines, code } = outcomeOf(out, completed, options.trust);
  output.result(lines, { ...completed, receipts: out });
  return code;
}
