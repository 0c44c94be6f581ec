/** Completing kept receipts, be it one file of many or a folder: each is replaced once its anchor is final. */

import type { FileHandle } from 'node:fs/promises';
import { readFile } from 'node:fs/promises';
import type { Receipt } from '../merkle/receipt.ts';
import type { Trust } from '../merkle/trust.ts';
import { type LedgerClient, receiptFile } from '../service/client/client.ts';
import { type CompletionOptions, completeReceipts } from '../service/client/completion.ts';
import { Retry, retrying, retryLimits } from '../service/client/retry.ts';
import type { ExitCode } from './command.ts';
import { replaceFile } from './durable.ts';
import { parseKept } from './kept.ts';
import { alone } from './lock.ts';
import { grouped } from './progress.ts';
import { receiptFilesIn } from './receipt-folder.ts';
import { receiptsIn } from './receipt-lines.ts';
import { checkedNote } from './trust.ts';

/** How many are complete, how many wait for their anchor, and for how many the service gave what does not match the trust file. */
export type Completed = { readonly complete: number; readonly incomplete: number; readonly unproved: number };

type Options = Omit<CompletionOptions, 'onUnproved'> & {
  readonly onDone?: (done: number) => void;
  /** Tells people. */
  readonly tell: (line: string) => void;
};

/** How many are told of one by one. */
const unprovedTold = 20;

/** Receipts are written together up to about this length. */
const pieceLength = 1 << 20;

/** Completes the receipts of a file that has one on each line. It is replaced as a whole: `to`, or the file itself. */
export async function completeLines(
  client: LedgerClient,
  path: string,
  to: string,
  options: Options,
): Promise<Completed> {
  const counts = new Counts(options.tell);
  const write = async (file: FileHandle): Promise<void> => {
    const piece = new Piece(file);
    for await (const receipt of completeReceipts(client, receiptsIn(path), {
      ...options,
      onUnproved: counts.onUnproved,
    })) {
      counts.add(receipt);
      await piece.add(receiptFile(receipt));
      options.onDone?.(counts.done);
    }
    await piece.end();
  };
  // A run that appends would write into the file that was replaced.
  await alone(to, () => replaceFile(to, write));
  return counts.completed();
}

/** Completes the receipts in a folder, each in its own file. */
export async function completeFolder(
  client: LedgerClient,
  folder: string,
  options: Options,
): Promise<Completed> {
  const counts = new Counts(options.tell);
  let path = '';
  let before: Receipt | undefined;
  const kept = async function* () {
    for await (path of receiptFilesIn(folder)) {
      before = parseKept(await readFile(path), path);
      yield before;
    }
  };
  await alone(folder, async () => {
    // A receipt comes out for each that goes in, before the next one is asked for.
    for await (const receipt of completeReceipts(client, kept(), {
      ...options,
      onUnproved: counts.onUnproved,
    })) {
      counts.add(receipt);
      // What is as it was needs not be written.
      if (receipt !== before) await replaceFile(path, file => file.writeFile(receiptFile(receipt)));
      options.onDone?.(counts.done);
    }
  });
  return counts.completed();
}

/** Waits until an entry has its final anchor, for so long at most. @throws {UnavailableError} if the service cannot be asked in the end */
export async function untilFinal(
  client: LedgerClient,
  index: number,
  waitS: number,
  { stop, onRetry }: Pick<CompletionOptions, 'stop' | 'onRetry'>,
): Promise<void> {
  const until = client.clock.now() + waitS * 1000;
  const retry = new Retry(client.clock, { ...retryLimits, giveUpMs: waitS * 1000 });
  for (;;) {
    const { sizes } = await retrying(() => client.about(), retry, {
      signal: stop,
      ...(onRetry && { onRetry }),
    });
    if (sizes.final > index || client.clock.now() >= until) return;
    retry.progressed();
    await client.clock.sleep(1000, stop);
  }
}

/** The largest index of receipts that wait for their anchor; -1 where none does. */
export async function lastIncomplete(path: string): Promise<number> {
  let last = -1;
  for await (const { evidence, inclusion } of receiptsAt(path))
    if (evidence === null) last = Math.max(last, inclusion.index);
  return last;
}

/** The receipts of a file that ends in .ndjson, or of a folder. */
async function* receiptsAt(path: string): AsyncGenerator<Receipt> {
  if (path.endsWith('.ndjson')) yield* receiptsIn(path);
  else for await (const file of receiptFilesIn(path)) yield parseKept(await readFile(file), file);
}

/** What to say of what came out, and how a command ends: receipts that do not match outweigh those that wait. */
export function outcomeOf(
  out: string,
  { complete, incomplete, unproved }: Completed,
  trust: Trust | undefined,
): { readonly lines: string[]; readonly code: ExitCode } {
  const states = `${grouped(complete)} anchored, ${grouped(incomplete)} not yet anchored`;
  const line = `${out}: ${states}${checkedNote(complete > 0, trust, out)}`;
  if (unproved === 0) return { lines: [line], code: incomplete > 0 ? 3 : 0 };
  const bad = `for ${grouped(unproved)} the service gave what does not match the trust file: they are as they were`;
  return { lines: [line, bad], code: 1 };
}

/** Counts receipts as they come out. */
class Counts {
  readonly #tell: (line: string) => void;
  #complete = 0;
  #incomplete = 0;
  #unproved = 0;
  #isUnproved = false;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  get done(): number {
    return this.#complete + this.#incomplete + this.#unproved;
  }

  /** The receipt that it is about comes out next. */
  readonly onUnproved = ({ inclusion }: Receipt, { message }: Error): void => {
    this.#isUnproved = true;
    if (this.#unproved < unprovedTold)
      this.#tell(
        `entry ${inclusion.index}: what the service gives does not match the trust file: ${message}`,
      );
    else if (this.#unproved === unprovedTold) this.#tell('nor for more entries than these');
  };

  add({ evidence }: Receipt): void {
    if (this.#isUnproved) this.#unproved++;
    else if (evidence === null) this.#incomplete++;
    else this.#complete++;
    this.#isUnproved = false;
  }

  completed(): Completed {
    return { complete: this.#complete, incomplete: this.#incomplete, unproved: this.#unproved };
  }
}

/** Text that is gathered before it is written. */
class Piece {
  readonly #file: FileHandle;
  #texts: string[] = [];
  #length = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async add(text: string): Promise<void> {
    this.#texts.push(text);
    this.#length += text.length;
    if (this.#length >= pieceLength) await this.end();
  }

  async end(): Promise<void> {
    await this.#file.appendFile(this.#texts.join(''));
    this.#texts = [];
    this.#length = 0;
  }
}
