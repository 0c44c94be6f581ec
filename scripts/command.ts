/** What all commands share: how they print, what their exit codes mean, and where settings come from. */

import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FormatError, ProofError } from '../merkle/errors.ts';
import { RefusedError, UnavailableError } from '../service/client/client.ts';
import { ConfigError, type ConfigWith, options, readConfig, type Setting } from '../service/config.ts';
import { ChainUnreachable } from '../service/rpc.ts';

/** 0 yes; 1 no (does not verify, was refused); 2 usage; 3 could not be checked (unreachable, not yet anchored). */
export type ExitCode = 0 | 1 | 2 | 3;

/** Ends a command with a message for people and an exit code for machines. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

/** How a command speaks: lines for people, or with `--json` objects for machines. Notes go to standard error. */
export type Output = {
  /** A result: the lines for people, or the object for machines. */
  result(lines: string | readonly string[], value: unknown): void;
  /** Something to know beside the result. */
  note(line: string): void;
};

/** What a command's action gets: its settings and its voice. */
export type Run<N extends Setting> = { readonly config: ConfigWith<N>; readonly output: Output };

/** The options that were given, by their names in camel case. */
export type Flags = Readonly<Record<string, string | boolean | string[] | undefined>>;

/**
 * Adds a command with `--json`, the options of the settings it uses, and an action that turns errors into exit codes.
 *
 * @param needs settings that must be there, from the environment or a flag
 * @param uses settings that may be there
 */
export function addCommand<N extends Setting>(
  parent: Command,
  usage: string,
  description: string,
  settings: { readonly needs?: readonly N[]; readonly uses?: readonly Setting[] },
  act: (run: Run<N>, args: readonly string[], flags: Flags) => Promise<ExitCode>,
): Command {
  const { needs = [], uses = [] } = settings;
  const command = parent.command(usage).description(description);
  command.option('--json', 'print objects for machines');
  const offered = options.filter(({ setting }) =>
    ([...needs, ...uses] as readonly Setting[]).includes(setting),
  );
  for (const { env, flag, hint } of offered)
    command.addOption(new Option(`--${flag} <value>`, `${hint} (${env})`));

  command.action(async () => {
    const flags: Flags = command.opts();
    const output = outputFor(flags['json'] === true);
    try {
      const given = offered.map(({ flag }) => [flag, flags[camelCase(flag)]] as const);
      const config = readConfig(
        process.env,
        Object.fromEntries(given) as Record<string, string | undefined>,
        needs,
      );
      process.exitCode = await act({ config, output }, command.processedArgs.flat(), flags);
    } catch (error) {
      process.exitCode = report(error);
    }
  });
  return command;
}

function outputFor(json: boolean): Output {
  return {
    result: (lines, value) => {
      const text = json ? printableJson(value) : [lines].flat().map(printable).join('\n');
      process.stdout.write(`${text}\n`);
    },
    note: line => process.stderr.write(`${printable(line)}\n`),
  };
}

/** Names on a chain, problems of a service and members of a receipt are strangers' texts: none may speak to the terminal. */
function printable(line: string): string {
  return line.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

/** The same object, with escapes for what JSON leaves as it is and some terminals obey. */
function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    character =>
      `\\u${character
        .split('')
        .map(unit => unit.charCodeAt(0).toString(16).padStart(4, '0'))
        .join('\\u')}`,
  );
}

/** Says what went wrong and gives the exit code. What is nobody's mistake but ours is shown with its stack. */
function report(error: unknown): ExitCode {
  const say = (text: string): void => {
    process.stderr.write(`zegel: ${text.split('\n').map(printable).join('\n')}\n`);
  };
  if (error instanceof CommandError) {
    say(error.message);
    return error.exitCode;
  }
  if (error instanceof ConfigError) {
    for (const fault of error.faults) say(fault);
    return 2;
  }
  if (error instanceof RefusedError) {
    say(error.message);
    for (const { place, message } of error.issues) say(`  ${place}: ${message}`);
    return 1;
  }
  if (error instanceof UnavailableError || error instanceof ChainUnreachable) {
    say(`${error.message}; this says nothing about the records`);
    return 3;
  }
  if (error instanceof ProofError) {
    say(error.message);
    return 1;
  }
  if (error instanceof FormatError || isNamed(error)) {
    say(error.message);
    return 2;
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 2;
}

/** Errors whose message was written for whoever typed the command: file errors of the system, and our own classes. */
function isNamed(error: unknown): error is Error {
  return (
    error instanceof Error && (error.name !== 'Error' || 'code' in error) && !(error instanceof TypeError)
  );
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads a file that the command line names. @throws {CommandError} exit code 2 if it cannot be read */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new CommandError(2, `${path} cannot be read (${code})`, cause);
  }
}

/** An option's value as a whole number of seconds. */
export function seconds(text: string): number {
  return wholeNumber(text, 'want a whole number of seconds.');
}

/** An option's value as an index of the log. */
export function index(text: string): number {
  return wholeNumber(text, 'want an index: a whole number from 0 on.');
}

/** An option's value as a whole number. */
export function wholeNumber(text: string, wanted: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || value > most || String(value) !== text)
    throw new InvalidArgumentError(wanted);
  return value;
}
