/** `zegel sign`: makes a statement, an agency's signature over one event, or over many at once. */

import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { FormatError, type Issue } from '../merkle/errors.ts';
import { parseEvent } from '../merkle/event.ts';
import { type Algorithm, algorithms } from '../merkle/signature.ts';
import { formatBatch, maxBatchBytes, signBatch, splitLines } from '../service/client/batch.ts';
import { LedgerClient } from '../service/client/client.ts';
import { algorithmOf, keySigner, type StatementSigner, signStatement } from '../service/client/signer.ts';
import { readPrivateKeyFile } from '../service/keyfiles.ts';
import { addCommand, CommandError, readInput } from './command.ts';

export function addSign(program: Command): void {
  addCommand(
    program,
    'sign <event>',
    'sign an event (a CloudEvents JSON file) and print the statement; or with --batch a file with an event on each line',
    { uses: ['origin', 'passphraseFile'] },
    async ({ config, output }, [file = ''], flags) => {
      const signer = await readSigner(String(flags['key']), flags['alg'], config.passphraseFile);
      const out = flags['out'];
      if (flags['batch'] === true) {
        // Printed, its bytes would mix with what else is said.
        if (typeof out !== 'string') throw new CommandError(2, 'name the file for the batch with --out');
        const events = await readEventLines(file, config.eventMaxBytes);
        const origin = await originFor(config.origin, flags['url']);
        const batch = await signBatch(events, origin, signer, randomBytes);
        // It holds the events, which may be personal data.
        await writeFile(out, formatBatch(batch), { flag: 'wx', mode: 0o600 });
        const { statement } = batch;
        output.result(`${out}: ${events.length} events signed with ${signer.alg}`, {
          statement,
          size: events.length,
          out,
        });
        return 0;
      }
      const event = await readEventFile(file, config.eventMaxBytes);
      const statement = await signStatement(event, await originFor(config.origin, flags['url']), signer);
      if (typeof out === 'string') await writeFile(out, statement, { flag: 'wx', mode: 0o600 });
      output.result(typeof out === 'string' ? `${out}: signed with ${signer.alg}` : statement, { statement });
      return 0;
    },
  )
    .requiredOption('--key <file>', "the agency's private key (PKCS#8 PEM, mode 0600)")
    .option('--alg <name>', 'for RSA keys: RS256 or PS256')
    .option('--batch', 'sign all events of an NDJSON file under one signature, for POST /v1/records/batch')
    .option('--url <url>', 'where the service is: it is asked for its origin, if no origin is given')
    .option('--out <file>', 'write the statement here instead of printing it');
}

/** The log that a statement is for: named, or asked of the service. A statement for one log is refused by every other. */
export async function originFor(named: string | undefined, url: unknown): Promise<string> {
  if (named !== undefined) return named;
  if (typeof url === 'string') return (await new LedgerClient(url).about()).origin;
  throw new CommandError(2, 'name the log with --origin, or the service with --url');
}

/** Reads an event's bytes as they are, and refuses what the service would refuse. @throws {FormatError} */
export async function readEventFile(path: string, maxBytes: number): Promise<Uint8Array> {
  const event = await readInput(path);
  parseEvent(event, { maxBytes });
  return event;
}

/** How many faults of a batch are told: whoever has thousands has one reason. */
const faultsShown = 20;

/** Reads the events of an NDJSON file, their bytes as they are. @throws {FormatError} naming lines that the service would refuse */
async function readEventLines(path: string, maxBytes: number): Promise<Uint8Array[]> {
  const size = await stat(path).then(
    facts => facts.size,
    () => 0,
  );
  if (size > maxBatchBytes) {
    const why = `${path} has ${size} bytes, and one batch takes ${maxBatchBytes}`;
    throw new CommandError(2, `${why}: split it into several files and sign each`);
  }
  const events = splitLines(await readInput(path));
  const issues: Issue[] = [];
  for (const [i, event] of events.entries()) {
    try {
      parseEvent(event, { maxBytes });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      for (const { place, message } of error.issues)
        issues.push({ place: `line ${i + 1}`, message: place === '' ? message : `${place} ${message}` });
      if (issues.length >= faultsShown) break;
    }
  }
  if (issues.length > 0) throw new FormatError(issues.slice(0, faultsShown));
  return events;
}

/** A signer over a key file. The algorithm follows from the key, but for RSA, where the key is good for two. */
export async function readSigner(
  path: string,
  named: unknown,
  passphraseFile?: string,
): Promise<StatementSigner> {
  const key = await readPrivateKeyFile(path, passphraseFile);
  const alg = named === undefined ? algorithmOf(key) : parseAlgorithm(String(named));
  if (alg === undefined) throw new CommandError(2, `${path} is an RSA key: add --alg RS256 or --alg PS256`);
  return keySigner(key, alg);
}

/** @throws {CommandError} exit code 2 unless it is one of the six names */
export function parseAlgorithm(text: string): Algorithm {
  const found = algorithms.find(({ name }) => name === text);
  if (found !== undefined) return found.name;
  throw new CommandError(
    2,
    `"${text}" is not an algorithm, want one of ${algorithms.map(({ name }) => name).join(', ')}`,
  );
}
