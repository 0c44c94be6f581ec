/** `zegel submit` of many: says how far it is, what was refused, and how to go on where it stopped. */

import { appendFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Trust } from '../merkle/trust.ts';
import type { LedgerClient } from '../service/client/client.ts';
import { RefusedError, UnavailableError } from '../service/client/errors.ts';
import { type Item, placeName } from '../service/client/groups.ts';
import type { StreamOptions } from '../service/client/stream.ts';
import { CommandError, type ExitCode, type Flags, type Output } from './command.ts';
import { type Completed, completeFolder, completeLines, outcomeOf, untilFinal } from './completion.ts';
import { diskFault, privateMode } from './durable.ts';
import type { KeptReceipts } from './kept.ts';
import { grouped, ProgressLine } from './progress.ts';
import { openReceiptFolder } from './receipt-folder.ts';
import { openReceiptLines } from './receipt-lines.ts';
import { isAbort, type Refused, submitAll, type Tally } from './submission.ts';

/** What there is to submit. */
export type Input = {
  readonly path: string;
  readonly items: AsyncIterable<Item>;
  /** What the items are, in the plural. */
  readonly what: string;
  /** Where receipts go if no place is named. */
  readonly out: string;
  /** What an item's receipt is called, where each has a file. */
  readonly nameOf: (line: number, item: Item, event: Uint8Array) => string;
  /** How much of it was read, from 0 to 1. */
  readonly fraction: () => number;
};

export type ManyParts = {
  readonly client: LedgerClient;
  readonly options: StreamOptions;
  readonly input: Input;
  readonly output: Output;
  readonly flags: Flags;
};

/** How many refusals are told one by one where no file is named for them. */
const refusalsTold = 20;

export async function submitMany({ client, options, input, output, flags }: ManyParts): Promise<ExitCode> {
  const isJson = flags['json'] === true;
  const out = String(flags['out'] ?? input.out);
  const progress = new ProgressLine(isJson ? undefined : process.stderr, input.what);
  const tell = (line: string): void => {
    progress.clear();
    output.note(line);
  };
  const refusals = new Refusals(flags['refused'], isJson, output, tell);
  refusals.requireApart(input.path, out);
  const receipts = out.endsWith('.ndjson') ? await openReceiptLines(out) : await openReceiptFolder(out);
  const tally: Tally = { recorded: 0, known: 0, kept: 0, refused: 0, lastIndex: -1 };
  const stop = stopSignal(tell);

  const failure = await attempt(async () => {
    await refusals.begin();
    await submitAll(
      {
        client,
        items: input.items,
        receipts,
        options: {
          ...options,
          stop,
          onRetry: reason => tell(`${reason.message}: trying again`),
        },
        nameOf: input.nameOf,
        stopAtRefusal: flags['stopAtRefusal'] === true,
        onRefused: outcome => refusals.add(outcome),
        onProgress: ({ recorded, known, kept, refused }) =>
          progress.update({ done: recorded + known + kept + refused, fraction: input.fraction() }),
      },
      tally,
    );
  });
  progress.clear();
  const isWhole =
    failure === undefined && !stop.aborted && !(refusals.count > 0 && flags['stopAtRefusal'] === true);
  const closing = await attempt(() => (isWhole ? receipts.close() : receipts.release()));
  const fault = failure ?? closing;
  const { lastIndex: _, ...counts } = tally;
  /** Machines get an object however it ends; people read the same in what is noted or thrown. */
  const ended = (how: 'stopped' | 'gave-up', reason: string): void => {
    if (isJson) output.result('', { ...counts, receipts: out, ended: how, reason });
  };
  if (fault !== undefined) {
    const error = described(diskFault(out, fault.error), tally, input, out);
    ended('gave-up', messageOf(error));
    throw error;
  }
  if (stop.aborted) {
    const reason = goOn('stopped', tally, input, out);
    ended('stopped', reason);
    output.note(reason);
    return 3;
  }

  const waitS = Number(flags['wait'] ?? 0);
  let completed: Completed | undefined;
  if (waitS > 0) {
    try {
      completed = await complete(client, options, receipts, tally, waitS, progress, tell, stop);
    } catch (error) {
      if (!(stop.aborted && isAbort(error))) {
        ended('gave-up', messageOf(error));
        throw error;
      }
    }
  }
  output.result(summary(tally, input, out, completed, options.trust), {
    ...counts,
    receipts: out,
    ...(completed ?? {}),
  });
  if (tally.refused > 0 || (completed?.unproved ?? 0) > 0) return 1;
  // Without it the wait was ended by whoever runs this.
  return waitS > 0 && completed?.incomplete !== 0 ? 3 : 0;
}

/** Waits for the anchor of the last one, and completes what can be completed. */
async function complete(
  client: LedgerClient,
  { trust, verify }: StreamOptions,
  { path }: KeptReceipts,
  { lastIndex }: Tally,
  waitS: number,
  progress: ProgressLine,
  tell: (line: string) => void,
  stop: AbortSignal,
): Promise<Completed> {
  const options = {
    trust,
    verify,
    tell,
    stop,
    onRetry: (reason: Error) => tell(`${reason.message}: trying again`),
    onDone: (done: number) => progress.update({ done }),
  };
  await untilFinal(client, lastIndex, waitS, options);
  try {
    return path.endsWith('.ndjson')
      ? await completeLines(client, path, path, options)
      : await completeFolder(client, path, options);
  } finally {
    progress.clear();
  }
}

/** Aborts at the first signal; the second one ends the process as it would end any. */
function stopSignal(tell: (line: string) => void): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      if (!stop.signal.aborted) tell('stopping: what was sent is still finished (once more ends at once)');
      stop.abort();
    });
  return stop.signal;
}

async function attempt(work: () => Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same fault with how far it came, and how to go on. */
function described(error: unknown, tally: Tally, input: Input, out: string): unknown {
  if (error instanceof UnavailableError)
    return new CommandError(3, `${error.message}; ${goOn('gave up', tally, input, out)}`, error);
  if (error instanceof RefusedError)
    return new CommandError(1, `${error.message}; ${goOn('stopped', tally, input, out)}`, error);
  return error;
}

function goOn(what: string, { recorded, known, kept }: Tally, { what: items }: Input, out: string): string {
  const done = grouped(recorded + known + kept);
  return `${what} with ${done} ${items} recorded, whose receipts are in ${out}: the same command goes on from there`;
}

function summary(
  { recorded, known, kept, refused }: Tally,
  { path, what }: Input,
  out: string,
  completed: Completed | undefined,
  trust: Trust | undefined,
): string[] {
  const all = grouped(recorded + known + kept + refused);
  const lines = [
    `${path}: ${all} ${what}: ${grouped(recorded)} recorded, ${grouped(known)} were recorded before, ` +
      `${grouped(kept)} had their receipt, ${grouped(refused)} refused`,
  ];
  if (completed === undefined) return [...lines, `receipts ${out} (zegel receipt ${out} completes them)`];
  return [...lines, ...outcomeOf(`receipts ${out}`, completed, trust).lines];
}

/** What was refused: told to people, a few at least; to machines all; and all into a file that they name. */
class Refusals {
  readonly #file: string | undefined;
  readonly #isJson: boolean;
  readonly #output: Output;
  readonly #tell: (line: string) => void;
  count = 0;

  constructor(file: unknown, isJson: boolean, output: Output, tell: (line: string) => void) {
    this.#file = typeof file === 'string' ? file : undefined;
    this.#isJson = isJson;
    this.#output = output;
    this.#tell = tell;
  }

  /** What was there before is written over. @throws {CommandError} exit code 2 if that is what is read, or where receipts are */
  requireApart(...others: readonly string[]): void {
    const file = this.#file;
    const same = file === undefined ? undefined : others.find(other => resolve(other) === resolve(file));
    if (same !== undefined)
      throw new CommandError(2, `${same} would be written over: name another file with --refused`);
  }

  async begin(): Promise<void> {
    if (this.#file !== undefined) await writeFile(this.#file, '', { mode: privateMode });
  }

  async add(outcome: Refused): Promise<void> {
    this.count++;
    const { line, label, problem } = outcome;
    const { status, name, detail, issues } = problem;
    const value = {
      line,
      ...(label === undefined ? {} : { document: label }),
      status,
      problem: name,
      detail,
      issues,
    };
    if (this.#file !== undefined) await this.#append(this.#file, `${JSON.stringify(value)}\n`);
    if (this.#isJson) this.#output.result('', value);
    else if (this.count <= refusalsTold)
      this.#tell(`${placeName(outcome)}: refused, ${status} ${name}: ${detail}`);
    else if (this.count === refusalsTold + 1 && this.#file === undefined)
      this.#tell('more lines were refused: name a file for them with --refused');
  }

  async #append(file: string, line: string): Promise<void> {
    try {
      await appendFile(file, line);
    } catch (error) {
      throw diskFault(file, error);
    }
  }
}
