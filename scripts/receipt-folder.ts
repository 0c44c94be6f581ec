/** Receipts in a folder, one file for each event: named after its line, or after its document. */

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Receipt } from '../merkle/receipt.ts';
import { receiptFile } from '../service/client/client.ts';
import { CommandError } from './command.ts';
import { diskFault, putFile, syncFolder } from './durable.ts';
import { type Gap, isAbout, type KeptReceipts, parseKept, type Wanted } from './kept.ts';
import { takePlace } from './lock.ts';

const suffix = '.receipt.json';

/** How many files are written at the same time. */
const width = 16;

/** Opens a folder of receipts, or begins one. Others may not look into it. */
export async function openReceiptFolder(path: string): Promise<ReceiptFolder> {
  const free = await takePlace(path);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new ReceiptFolder(path, free);
  } catch (error) {
    await free();
    throw diskFault(path, error);
  }
}

/**
 * The files of receipts in a folder and the folders in it, in the order of their names, which mostly is the log's. So the names of one
 * folder are all held, some 300 bytes each: see `filesIn` in documents.ts.
 */
export async function* receiptFilesIn(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* receiptFilesIn(path);
    else if (entry.isFile() && entry.name.endsWith(suffix)) yield path;
  }
}

export class ReceiptFolder implements KeptReceipts {
  readonly path: string;
  readonly #folders = new Set<string>();

  readonly #free: () => Promise<void>;

  /** @param free gives the place free in the end */
  constructor(path: string, free: () => Promise<void>) {
    this.path = path;
    this.#free = free;
  }

  async find({ event, name }: Wanted): Promise<Receipt | Gap> {
    const path = this.#file(name);
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes === undefined) return { name, before: undefined };
    const receipt = parseKept(bytes, path);
    if (isAbout(receipt, event, path)) return receipt;
    throw new CommandError(2, `${path} is the receipt of another event: name another folder with --out`);
  }

  async keep(receipts: readonly (readonly [Gap, Receipt])[]): Promise<void> {
    const folders = new Set(receipts.map(([{ name }]) => dirname(this.#file(name))));
    try {
      await this.#make(folders);
    } catch (error) {
      throw diskFault(this.path, error);
    }
    for (let from = 0; from < receipts.length; from += width) {
      const some = receipts.slice(from, from + width);
      await Promise.all(
        some.map(([{ name }, receipt]) =>
          putFile(this.#file(name), file => file.writeFile(receiptFile(receipt))),
        ),
      );
    }
    for (const folder of folders) await syncFolder(folder);
  }

  async close(): Promise<void> {
    await this.#free();
  }

  async release(): Promise<void> {
    await this.#free();
  }

  #file(name: string): string {
    return join(this.path, `${name}${suffix}`);
  }

  async #make(paths: Iterable<string>): Promise<void> {
    for (const path of paths) {
      if (this.#folders.has(path) || path === this.path) continue;
      await mkdir(path, { recursive: true, mode: 0o700 });
      await syncFolder(dirname(path));
      this.#folders.add(path);
    }
  }
}
