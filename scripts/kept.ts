/**
 * The receipts that `zegel submit` keeps: one file with a receipt on each line, or a folder with a file for each. They are durable
 * before more is sent, and tell the next run what needs not be sent again.
 */

import { equalBytes } from '../merkle/bytes.ts';
import { originLine } from '../merkle/checkpoint.ts';
import { FormatError } from '../merkle/errors.ts';
import { parseReceipt, type Receipt } from '../merkle/receipt.ts';
import { parseStatement } from '../merkle/statement.ts';
import { CommandError } from './command.ts';

/** An event of the input, and how its receipt is called where each has a file. */
export type Wanted = { readonly event: Uint8Array; readonly name: string };

/** Where in the kept receipts a new one belongs: for whoever gave it out. */
export type Gap = { readonly name: string; readonly before: number | undefined };

export type KeptReceipts = {
  /** Where they are. */
  readonly path: string;
  /**
   * Says whether the next event of the input has its receipt; if not, where it belongs.
   *
   * @throws {CommandError} exit code 2 if what is there cannot be receipts of this input
   */
  find(wanted: Wanted): Promise<Receipt | Gap>;
  /** Keeps receipts, in the order of their events. They are durable when it is done. @throws {CommandError} exit code 3 on a full disk */
  keep(receipts: readonly (readonly [Gap, Receipt])[]): Promise<void>;
  /** Ends it. @throws {CommandError} exit code 2 if there were receipts of other events, which are as they were */
  close(): Promise<void>;
  /** Ends it where not all of the input was seen: what is kept stays. */
  release(): Promise<void>;
};

/** Whether a receipt is about an event. @throws {CommandError} exit code 2 for one without its record */
export function isAbout(receipt: Receipt, event: Uint8Array, place: string): boolean {
  const { record } = receipt;
  if (record === undefined)
    throw new CommandError(2, `${place} is a receipt without its record: name another place with --out`);
  return equalBytes(record.batch?.event ?? parseStatement(record.statement).payload, event);
}

/**
 * The same event may be in several logs, and a receipt of one says nothing about another.
 * @throws {CommandError} exit code 2 for a receipt of another log
 */
export function requireLog(receipt: Receipt, origin: string, place: string): void {
  const named = originLine(receipt.checkpoint);
  if (named === origin) return;
  const what = `${place} has a receipt of the log "${named}", and this one is "${origin}"`;
  throw new CommandError(2, `${what}: name another place with --out`);
}

/** Reads a kept receipt. @throws {CommandError} exit code 2 for what is none */
export function parseKept(bytes: Uint8Array, place: string): Receipt {
  try {
    return parseReceipt(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CommandError(2, `${place} is not a receipt: ${error.message}`, error);
  }
}
