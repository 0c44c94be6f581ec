/**
 * Receipts in one file, one on each line, in the order of the input. Lines are appended and synced; one that a kill has torn is cut off.
 * A receipt that belongs before kept ones (its event was refused in an earlier run) has the file written anew, beside the old one.
 */

import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { equalBytes, utf8 } from '../merkle/bytes.ts';
import type { Receipt } from '../merkle/receipt.ts';
import { receiptFile } from '../service/client/client.ts';
import { linesOf } from '../service/client/lines.ts';
import { CommandError } from './command.ts';
import { diskFault, privateMode, syncFolder } from './durable.ts';
import { type Gap, isAbout, type KeptReceipts, parseKept, type Wanted } from './kept.ts';
import { takePlace } from './lock.ts';

/** More than the largest receipt. */
export const maxReceiptBytes = 8 << 20;

/** Opens a file of receipts, or begins one. @throws {CommandError} exit code 2 if it has something else */
export async function openReceiptLines(path: string): Promise<ReceiptLines> {
  const free = await takePlace(path);
  try {
    const file = await open(path, 'a+', privateMode);
    const lengthBytes = await wholeLines(file);
    await requireTorn(file, lengthBytes, path);
    await file.truncate(lengthBytes);
    await syncFolder(dirname(path));
    // What a run was about to put in its place is made again.
    await rm(`${path}.next`, { force: true });
    return new ReceiptLines(path, file, lengthBytes, free);
  } catch (error) {
    await free();
    throw diskFault(path, error);
  }
}

/** How every line of ours begins. */
const lineStart = utf8('{"version":1,"entry":"');

/**
 * What is going to be cut off must be a part of a receipt: the file may be somebody's only copy of something else.
 * @throws {CommandError} exit code 2 if it is not
 */
async function requireTorn(file: FileHandle, from: number, path: string): Promise<void> {
  const { bytesRead, buffer } = await file.read(new Uint8Array(lineStart.length), 0, lineStart.length, from);
  if (equalBytes(buffer.subarray(0, bytesRead), lineStart.subarray(0, bytesRead))) return;
  throw new CommandError(2, `${path} ends with something that is no receipt: name another file with --out`);
}

/** The receipts of a file, one after another. @throws {CommandError} exit code 2 for a line that is none */
export async function* receiptsIn(path: string, lengthBytes?: number): AsyncGenerator<Receipt> {
  for await (const [number, bytes] of linesUpTo(path, lengthBytes))
    yield parseKept(bytes, `${path}:${number}`);
}

async function* linesUpTo(path: string, lengthBytes?: number): AsyncGenerator<readonly [number, Uint8Array]> {
  if (lengthBytes === 0) return;
  const stream = createReadStream(path, lengthBytes === undefined ? {} : { end: lengthBytes - 1 });
  for await (const { number, bytes } of linesOf(stream, maxReceiptBytes)) {
    if (bytes === undefined) throw new CommandError(2, `${path}:${number} is longer than any receipt`);
    yield [number, bytes];
  }
}

export class ReceiptLines implements KeptReceipts {
  readonly path: string;
  #file: FileHandle;
  #lengthBytes: number;
  readonly #old: AsyncGenerator<Receipt>;
  /** The first kept receipt whose event has not come yet. */
  #next: Receipt | undefined;
  #isRead = false;
  /** How many kept receipts' events have come. */
  #found = 0;
  #rewriting: Rewriting | undefined;
  readonly #oldLengthBytes: number;
  readonly #free: () => Promise<void>;

  /** @param free gives the place free in the end */
  constructor(path: string, file: FileHandle, lengthBytes: number, free: () => Promise<void>) {
    this.path = path;
    this.#file = file;
    this.#lengthBytes = lengthBytes;
    this.#oldLengthBytes = lengthBytes;
    this.#old = receiptsIn(path, lengthBytes);
    this.#free = free;
  }

  async find({ event, name }: Wanted): Promise<Receipt | Gap> {
    const next = await this.#peek();
    if (next === undefined) return { name, before: undefined };
    if (!isAbout(next, event, `${this.path}:${this.#found + 1}`)) return { name, before: this.#found };
    this.#next = undefined;
    this.#found++;
    return next;
  }

  async keep(receipts: readonly (readonly [Gap, Receipt])[]): Promise<void> {
    try {
      for (const [{ before }, receipt] of receipts) {
        if (before === undefined) continue;
        this.#rewriting ??= await Rewriting.begin(this.path, this.#oldLengthBytes);
        await this.#rewriting.insert(receipt, before);
      }
      const appended = receipts.filter(([{ before }]) => before === undefined);
      if (appended.length === 0) return;
      // All kept ones have been met, or there would be a place before them.
      await this.#endRewriting();
      await this.#append(utf8(appended.map(([, receipt]) => receiptFile(receipt)).join('')));
    } catch (error) {
      await this.#abandonRewriting();
      throw diskFault(this.path, error);
    }
  }

  async close(): Promise<void> {
    try {
      if ((await this.#peek()) === undefined) await this.#endRewriting();
      else {
        await this.#abandonRewriting();
        const line = this.#found + 1;
        const what = `${this.path}:${line} is the receipt of an event that the input does not have, or not in this order`;
        throw new CommandError(2, `${what}. Nothing was changed there: name another file with --out`);
      }
    } catch (error) {
      throw diskFault(this.path, error);
    } finally {
      await this.#end();
    }
  }

  async release(): Promise<void> {
    try {
      await this.#endRewriting();
    } catch (error) {
      throw diskFault(this.path, error);
    } finally {
      await this.#end();
    }
  }

  /** After a write that failed its lines may be torn: it never takes the old file's place. What it had is in the log all the same. */
  async #abandonRewriting(): Promise<void> {
    await this.#rewriting?.abandon();
    this.#rewriting = undefined;
  }

  async #end(): Promise<void> {
    await this.#abandonRewriting();
    await this.#old.return(undefined);
    await this.#file.close();
    await this.#free();
  }

  async #peek(): Promise<Receipt | undefined> {
    if (this.#next !== undefined || this.#isRead) return this.#next;
    const { done, value } = await this.#old.next();
    if (done === true) this.#isRead = true;
    else this.#next = value;
    return this.#next;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
      this.#lengthBytes += bytes.length;
    } catch (error) {
      // What went in before the disk was full ends in the middle of a line.
      await this.#file.truncate(this.#lengthBytes);
      throw error;
    }
  }

  async #endRewriting(): Promise<void> {
    if (this.#rewriting === undefined) return;
    this.#lengthBytes = await this.#rewriting.finish();
    this.#rewriting = undefined;
    await this.#file.close();
    this.#file = await open(this.path, 'a+', privateMode);
  }
}

/** The file written anew, with receipts between those that it had. */
class Rewriting {
  readonly #path: string;
  readonly #next: FileHandle;
  readonly #old: AsyncGenerator<readonly [number, Uint8Array]>;
  #copied = 0;
  #lengthBytes = 0;

  private constructor(path: string, next: FileHandle, oldLengthBytes: number) {
    this.#path = path;
    this.#next = next;
    this.#old = linesUpTo(path, oldLengthBytes);
  }

  static async begin(path: string, oldLengthBytes: number): Promise<Rewriting> {
    return new Rewriting(path, await open(`${path}.next`, 'w', privateMode), oldLengthBytes);
  }

  /** @param before how many of the old ones stand before it */
  async insert(receipt: Receipt, before: number): Promise<void> {
    while (this.#copied < before && (await this.#copyOne())) this.#copied++;
    await this.#write(utf8(receiptFile(receipt)));
  }

  /** Copies the rest and puts the file in its place. @returns its length in bytes */
  async finish(): Promise<number> {
    while (await this.#copyOne());
    await this.#next.sync();
    await this.#next.close();
    await rename(`${this.#path}.next`, this.#path);
    await syncFolder(dirname(this.#path));
    return this.#lengthBytes;
  }

  async abandon(): Promise<void> {
    await this.#old.return(undefined);
    await this.#next.close();
    await rm(`${this.#path}.next`, { force: true });
  }

  async #copyOne(): Promise<boolean> {
    const { done, value } = await this.#old.next();
    if (done === true) return false;
    await this.#write(value[1]);
    await this.#write(Uint8Array.of(0x0a));
    return true;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#next.appendFile(bytes);
    this.#lengthBytes += bytes.length;
  }
}

/** How many bytes of a file are whole lines: what stands after the last line feed was being written when the last run was killed. */
async function wholeLines(file: FileHandle): Promise<number> {
  const buffer = new Uint8Array(65_536);
  for (let end = (await file.stat()).size; end > 0; ) {
    const start = Math.max(0, end - buffer.length);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}
