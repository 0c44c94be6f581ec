/** `zegel sign`: makes a statement, an agency's signature over one event. */

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseEvent } from '../merkle/event.ts';
import { type Algorithm, algorithms } from '../merkle/signature.ts';
import { LedgerClient } from '../service/client/client.ts';
import { algorithmOf, keySigner, type StatementSigner, signStatement } from '../service/client/signer.ts';
import { readPrivateKeyFile } from '../service/keyfiles.ts';
import { addCommand, CommandError, readInput } from './command.ts';

export function addSign(program: Command): void {
  addCommand(
    program,
    'sign <event>',
    'sign an event (a CloudEvents JSON file) and print the statement',
    { uses: ['origin', 'passphraseFile'] },
    async ({ config, output }, [file = ''], flags) => {
      const signer = await readSigner(String(flags['key']), flags['alg'], config.passphraseFile);
      const event = await readEventFile(file, config.eventMaxBytes);
      const statement = await signStatement(event, await originFor(config.origin, flags['url']), signer);
      const out = flags['out'];
      if (typeof out === 'string') await writeFile(out, statement, { flag: 'wx' });
      output.result(typeof out === 'string' ? `${out}: signed with ${signer.alg}` : statement, { statement });
      return 0;
    },
  )
    .requiredOption('--key <file>', "the agency's private key (PKCS#8 PEM, mode 0600)")
    .option('--alg <name>', 'for RSA keys: RS256 or PS256')
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
