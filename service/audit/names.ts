/**
 * Which natural keys (agency, source, id) stand twice, among any number of them, in bounded memory.
 *
 * Of each name 16 bytes of a hash are kept, under a secret of this run: what is spilt to disk says nothing about anybody. Names are
 * dealt into 256 buckets by their first byte; when memory is full, all buckets are appended to files, and in the end each bucket
 * is looked at by itself. So 24 bytes a name are written once and read once, and one 256th of them is held, twice for a moment.
 */

import { hash } from 'node:crypto';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CouldNotCheck } from './findings.ts';

const nameBytes = 16;
const itemBytes = nameBytes + 8;
const bucketCount = 256;

/** Two entries with one name; `first` is the smaller index. */
export type RepeatedName = { readonly first: number; readonly second: number };

export class Names {
  readonly #secret: string;
  /** Where buckets are spilt; without a folder, all stays in memory. */
  readonly #folder: string | undefined;
  readonly #heldMax: number;
  readonly #buckets = Array.from({ length: bucketCount }, () => new Bucket());
  readonly #spilt = new Set<number>();
  #held = 0;

  /** @param options.heldMax how many names are held before they are spilt: 24 bytes each */
  constructor(options: {
    readonly secret: Uint8Array;
    readonly folder?: string | undefined;
    readonly heldMax?: number;
  }) {
    this.#secret = Buffer.from(options.secret).toString('hex');
    this.#folder = options.folder;
    this.#heldMax = options.heldMax ?? 500_000;
  }

  /** Notes a name with the index of its entry. No index comes twice. */
  add(agency: string, source: string, id: string, index: number): void {
    const digest = hash('sha256', this.#secret + JSON.stringify([agency, source, id]), 'buffer');
    this.#buckets[digest[0] ?? 0]?.add(digest, index);
    this.#held++;
  }

  /** Makes room, where it is needed. To be awaited now and then. */
  async settle(): Promise<void> {
    if (this.#folder === undefined || this.#held < this.#heldMax) return;
    for (const [i, bucket] of this.#buckets.entries()) {
      if (bucket.bytes.length === 0) continue;
      await spill(this.#file(this.#folder, i), bucket.bytes);
      bucket.clear();
      this.#spilt.add(i);
    }
    this.#held = 0;
  }

  /** The names that stand more than once, in no order, each time with the one noted first. Removes what was spilt. */
  async *repeated(): AsyncGenerator<RepeatedName> {
    for (const [i, bucket] of this.#buckets.entries()) {
      const isSpilt = this.#folder !== undefined && this.#spilt.has(i);
      const spilt = isSpilt ? [await readFile(this.#file(this.#folder, i))] : [];
      yield* repeatedIn(Buffer.concat([...spilt, bucket.bytes]));
      bucket.clear();
    }
  }

  /** Removes what was spilt. */
  async close(): Promise<void> {
    if (this.#folder === undefined) return;
    for (const i of this.#spilt) await rm(this.#file(this.#folder, i), { force: true });
    this.#spilt.clear();
  }

  #file(folder: string, i: number): string {
    return join(folder, `names-${i.toString(16).padStart(2, '0')}`);
  }
}

/** @throws {CouldNotCheck} where the disk is full, say */
async function spill(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await appendFile(file, bytes, { mode: 0o600 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    const why = `they could not be written down (${code}); TMPDIR may name a folder with more space`;
    throw new CouldNotCheck({ what: 'the natural keys', where: file, why }, error);
  }
}

/** Those of one bucket, found by a table of places beside it: 6 bytes for each name, where a Map would take a hundred. */
function* repeatedIn(items: Buffer): Generator<RepeatedName> {
  const count = items.length / itemBytes;
  // Places plus 1, or 0; at most half of them are taken.
  const table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 1)));
  const indexAt = (at: number) => Number(items.readBigUInt64BE(at + nameBytes));
  for (let place = 0; place < count; place++) {
    const at = place * itemBytes;
    // The first byte is the same for all.
    let slot = items.readUInt32BE(at + 4) & (table.length - 1);
    let other = (table[slot] ?? 0) - 1;
    while (other >= 0 && !isSameName(items, other * itemBytes, at)) {
      slot = (slot + 1) & (table.length - 1);
      other = (table[slot] ?? 0) - 1;
    }
    if (other < 0) {
      table[slot] = place + 1;
      continue;
    }
    const [first, second] = [indexAt(other * itemBytes), indexAt(at)];
    yield { first: Math.min(first, second), second: Math.max(first, second) };
  }
}

function isSameName(items: Buffer, a: number, b: number): boolean {
  return items.compare(items, a, a + nameBytes, b, b + nameBytes) === 0;
}

class Bucket {
  #space = Buffer.alloc(0);
  #used = 0;

  get bytes(): Buffer {
    return this.#space.subarray(0, this.#used);
  }

  add(name: Uint8Array, index: number): void {
    if (this.#used === this.#space.length) {
      const wider = Buffer.alloc(Math.max(64 * itemBytes, 2 * this.#space.length));
      wider.set(this.#space);
      this.#space = wider;
    }
    this.#space.set(name.subarray(0, nameBytes), this.#used);
    this.#space.writeBigUInt64BE(BigInt(index), this.#used + nameBytes);
    this.#used += itemBytes;
  }

  clear(): void {
    this.#space = Buffer.alloc(0);
    this.#used = 0;
  }
}
