/**
 * Which natural keys (agency, source, id) stand twice, among any number of them, in bounded memory.
 *
 * Of each name 16 bytes of a hash are kept, under a secret of this run: what is spilt to disk says nothing about anybody. Names are
 * dealt into 256 buckets by their first byte; when memory is full, all buckets are appended to files, and in the end each bucket
 * is looked at by itself. So 24 bytes a name are written once and read once, and one 256th of them is held.
 */

import { hash } from 'node:crypto';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

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
    this.#heldMax = options.heldMax ?? 2_000_000;
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
      await appendFile(this.#file(this.#folder, i), bucket.bytes, { mode: 0o600 });
      bucket.clear();
      this.#spilt.add(i);
    }
    this.#held = 0;
  }

  /** The names that stand more than once, in no order, each time with the one noted first. Removes what was spilt. */
  async *repeated(): AsyncGenerator<RepeatedName> {
    for (const [i, bucket] of this.#buckets.entries()) {
      const seen = new Map<string, number>();
      const isSpilt = this.#folder !== undefined && this.#spilt.has(i);
      const spilt = isSpilt ? await readFile(this.#file(this.#folder, i)) : Buffer.alloc(0);
      for (const items of [spilt, bucket.bytes]) {
        for (let at = 0; at < items.length; at += itemBytes) {
          const name = items.toString('latin1', at, at + nameBytes);
          const index = Number(items.readBigUInt64BE(at + nameBytes));
          const other = seen.get(name);
          if (other === undefined) seen.set(name, index);
          else yield { first: Math.min(other, index), second: Math.max(other, index) };
        }
      }
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
