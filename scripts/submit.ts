/** `zegel submit`: sends events or statements, one or any number of them, checks every answer, and keeps receipts. */

import { stat } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { maxBatchSize } from '../merkle/statement.ts';
import { LedgerClient } from '../service/client/client.ts';
import type { Item } from '../service/client/groups.ts';
import type { StreamOptions } from '../service/client/stream.ts';
import { verifyWithOpenSsl } from '../service/openssl.ts';
import { addCommand, CommandError, type Flags, type Output, seconds, wholeNumber } from './command.ts';
import { countDocuments, documentsIn } from './documents.ts';
import { type Form, formNames, formOf, forms, itemsIn, lengthOf } from './input.ts';
import { type Keys, readKeys } from './signers.ts';
import { type Input, submitMany } from './submit-many.ts';
import { submitOne } from './submit-one.ts';
import { readTrustFlag } from './trust.ts';

export function addSubmit(program: Command): void {
  const command = addCommand(
    program,
    'submit [file]',
    'sign events (or take statements), one or as many as a file has lines, submit them, and keep their receipts',
    { uses: ['origin', 'passphraseFile', 'eventMaxBytes'] },
    async ({ config, output }, [file], flags) => {
      const keys = await readKeys(listed(flags['key']), flags['alg'], config.passphraseFile);
      const options: StreamOptions = {
        origin: config.origin,
        signer: keys.signer,
        batchSize: Number(flags['batch'] ?? 0),
        trust: await readTrustFlag(flags['trust']),
        verify: verifyWithOpenSsl,
        retries: { giveUpMs: Number(flags['giveUp'] ?? 600) * 1000 },
      };
      const job = { client: new LedgerClient(String(flags['url'])), options, output, flags };
      const { form, input } = await inputOf(file, flags, keys, config.eventMaxBytes, output);
      if (isOne(form) && !(await isMany(flags['out']))) return submitOne({ ...job, items: input.items });
      return submitMany({ ...job, input });
    },
  )
    .requiredOption('--url <url>', 'where the service is')
    .requiredOption(
      '--key <file>',
      "the agency's private key (PKCS#8 PEM, mode 0600); for statements a public one will do (JSON), and there may be several",
      (file: string, before: string[] = []) => [...before, file],
    )
    .option('--alg <name>', 'for RSA keys: RS256 or PS256')
    .option('--form <form>', `what the file has, if that cannot be told: ${forms.join(', ')}`, parseForm)
    .option('--batch <count>', 'sign so many events under one signature', text =>
      wholeNumber(text, `want a whole number up to ${maxBatchSize}.`, maxBatchSize),
    );
  addDocumentOptions(command);
  command
    .option(
      '--out <place>',
      'where receipts go: a file that ends in .ndjson, with one on each line; or a folder, with a file for each; or, of one event, its file',
    )
    .option('--refused <file>', 'write the refused lines here, one JSON object each')
    .option('--stop-at-refusal', 'send nothing more once a line was refused')
    .option('--wait <seconds>', 'wait this long for the anchor, and complete the receipts', seconds)
    .option('--give-up <seconds>', 'stop trying when nothing went in for so long (default: 600)', seconds)
    .option(
      '--trust <file>',
      'a trust file: checkpoints must be signed as it says, and receipts match it before they are kept as anchored',
    );
}

function addDocumentOptions(command: Command): void {
  command
    .option(
      '--documents <folder>',
      'instead of a file: an event for each document in the folder, with its SHA-256',
    )
    .option('--names', 'documents: put their paths into the events')
    .option('--source <uri>', "documents: the events' source", 'urn:zegel:documents')
    .option('--time <time>', "documents: the events' time, the same in every run", '1970-01-01T00:00:00Z');
}

function parseForm(text: string): Form {
  const form = forms.find(known => known === text);
  if (form === undefined) throw new InvalidArgumentError(`want one of ${forms.join(', ')}.`);
  return form;
}

/** What there is to submit. */
async function inputOf(
  file: string | undefined,
  flags: Flags,
  keys: Keys,
  eventMaxBytes: number,
  output: Output,
): Promise<{ readonly form: Form | 'documents'; readonly input: Input }> {
  const folder = flags['documents'];
  if ((file === undefined) === (folder === undefined))
    throw new CommandError(2, 'name a file, or a folder of documents with --documents');
  if (typeof folder === 'string')
    return { form: 'documents', input: await documentInput(folder, flags, keys, output) };

  const path = file ?? '';
  let read = 0;
  const parts = {
    path,
    eventMaxBytes,
    keys: keys.public,
    onRead: (bytes: number) => {
      read = bytes;
    },
  };
  const form = (flags['form'] as Form | undefined) ?? (await formOf(parts));
  if (form === 'event' || form === 'events') requireSigner(keys);
  output.note(`${path} has ${formNames[form]}`);
  const lengthBytes = await lengthOf(path);
  return {
    form,
    input: {
      path,
      items: itemsIn(parts, form),
      what: 'events',
      out: `${basename(path)}.receipts.ndjson`,
      nameOf: line => String(line).padStart(9, '0'),
      fraction: () => (lengthBytes === 0 ? 1 : read / lengthBytes),
    },
  };
}

async function documentInput(folder: string, flags: Flags, keys: Keys, output: Output): Promise<Input> {
  requireSigner(keys);
  const out = String(flags['out'] ?? `${basename(resolve(folder))}.receipts`);
  for (const [flag, place] of [
    ['out', out],
    ['refused', flags['refused']],
  ] as const) {
    if (typeof place !== 'string' || !`${resolve(place)}${sep}`.startsWith(`${resolve(folder)}${sep}`))
      continue;
    const why = `${place} is in ${folder}, and would be submitted the next time`;
    throw new CommandError(2, `${why}: name another --${flag}`);
  }
  const count = await countDocuments(folder);
  output.note(`${folder} has ${count} documents`);
  let seen = 0;
  const options = {
    source: String(flags['source']),
    time: String(flags['time']),
    names: flags['names'] === true,
    onLeftOut: (path: string) => output.note(`${path} is left out: it is no regular file`),
  };
  const items = async function* (): AsyncGenerator<Item> {
    for await (const item of documentsIn(folder, options)) {
      seen = item.line;
      yield item;
    }
  };
  return {
    path: folder,
    items: items(),
    what: 'documents',
    out,
    nameOf: documentReceiptName,
    fraction: () => (count === 0 ? 1 : seen / count),
  };
}

/** A document that changes gets a second receipt beside the first. */
function documentReceiptName(line: number, item: Item, event: Uint8Array): string {
  const { data } = JSON.parse(new TextDecoder().decode(event));
  const digest = String(data.sha256);
  const path = item.label ?? String(line);
  // A file's name has at most 255 bytes, and this one gets longer.
  const name =
    Buffer.byteLength(basename(path)) > 200 ? `${path.slice(0, -basename(path).length)}${digest}` : path;
  return `${name}.${digest.slice(0, 12)}`;
}

function requireSigner({ signer }: Keys): void {
  if (signer === undefined) throw new CommandError(2, 'events must be signed: name a private key with --key');
}

function isOne(form: Form | 'documents'): boolean {
  return form === 'event' || form === 'statement';
}

/** Whether a place is for many receipts. */
async function isMany(out: unknown): Promise<boolean> {
  if (typeof out !== 'string') return false;
  if (out.endsWith('.ndjson') || out.endsWith('/')) return true;
  return stat(out).then(
    facts => facts.isDirectory(),
    () => false,
  );
}

function listed(value: Flags[string]): readonly string[] {
  return Array.isArray(value) ? value : [];
}
