/** Completing kept receipts, be it one file of many or a folder: each is replaced once its anchor is final. */

import type { FileHandle } from 'node:fs/promises';
import { readFile } from 'node:fs/promises';
import type { Receipt } from '../merkle/receipt.ts';
import { type LedgerClient, receiptFile } from '../service/client/client.ts';
import { type CompletionOptions, completeReceipts } from '../service/client/completion.ts';
import { Retry, retrying, retryLimits } from '../service/client/retry.ts';
import { replaceFile } from './durable.ts';
import { parseKept } from './kept.ts';
import { alone } from './lock.ts';
import { receiptFilesIn } from './receipt-folder.ts';
import { receiptsIn } from './receipt-lines.ts';

/** How many are complete, and how many wait for their anchor. */
export type Completed = { readonly complete: number; readonly incomplete: number };

/** Receipts are written together up to about this length. */
const pieceLength = 1 << 20;

/** Completes the receipts of a file that has one on each line. It is replaced as a whole: `to`, or the file itself. */
export async function completeLines(
  client: LedgerClient,
  path: string,
  to: string,
  options: CompletionOptions & { readonly onDone?: (done: number) => void },
): Promise<Completed> {
  const counts = { complete: 0, incomplete: 0 };
  const write = async (file: FileHandle): Promise<void> => {
    const piece = new Piece(file);
    for await (const receipt of completeReceipts(client, receiptsIn(path), options)) {
      count(counts, receipt);
      await piece.add(receiptFile(receipt));
      options.onDone?.(counts.complete + counts.incomplete);
    }
    await piece.end();
  };
  // A run that appends would write into the file that was replaced.
  await alone(to, () => replaceFile(to, write));
  return counts;
}

/** Completes the receipts in a folder, each in its own file. */
export async function completeFolder(
  client: LedgerClient,
  folder: string,
  options: CompletionOptions & { readonly onDone?: (done: number) => void },
): Promise<Completed> {
  const counts = { complete: 0, incomplete: 0 };
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
    for await (const receipt of completeReceipts(client, kept(), options)) {
      count(counts, receipt);
      // What is as it was needs not be written.
      if (receipt !== before) await replaceFile(path, file => file.writeFile(receiptFile(receipt)));
      options.onDone?.(counts.complete + counts.incomplete);
    }
  });
  return counts;
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

function count(counts: { complete: number; incomplete: number }, receipt: Receipt): void {
  if (receipt.evidence === null) counts.incomplete++;
  else counts.complete++;
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
