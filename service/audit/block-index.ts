/** The blocks that were read, to be found by their hashes: forty-odd bytes for each, for there may be millions. */

import { equalBytes } from '../../merkle/bytes.ts';

export class BlockIndex {
  #count = 0;
  #hashes = new Uint8Array(32 * initialRoom);
  #numbers = new Float64Array(initialRoom);
  #times = new Float64Array(initialRoom);
  /** An open hash table: places of blocks plus 1, or 0; twice as many as there is room. */
  #table = new Uint32Array(2 * initialRoom);

  get count(): number {
    return this.#count;
  }

  /** Adds a block; `time` in seconds. */
  add({
    hash,
    number,
    time,
  }: {
    readonly hash: Uint8Array;
    readonly number: number;
    readonly time: number;
  }): void {
    if (this.#count === this.#numbers.length) this.#grow();
    const place = this.#count++;
    this.#hashes.set(hash, 32 * place);
    this.#numbers[place] = number;
    this.#times[place] = time;
    this.#table[this.#slotOf(hash)] = place + 1;
  }

  /** The block with a hash, if it was read. */
  find(hash: Uint8Array): { readonly number: number; readonly time: number } | undefined {
    const place = (this.#table[this.#slotOf(hash)] ?? 0) - 1;
    if (place < 0) return undefined;
    return { number: this.#numbers[place] ?? 0, time: this.#times[place] ?? 0 };
  }

  /** Where a hash stands in the table, or would. */
  #slotOf(hash: Uint8Array): number {
    const mask = this.#table.length - 1;
    // The hash's own bytes scatter well enough: making many that begin alike is as hard as mining.
    let slot = new DataView(hash.buffer, hash.byteOffset).getUint32(0) & mask;
    for (;;) {
      const place = (this.#table[slot] ?? 0) - 1;
      if (place < 0 || equalBytes(this.#hashes.subarray(32 * place, 32 * place + 32), hash)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const room = 2 * this.#numbers.length;
    this.#hashes = copyOf(this.#hashes, new Uint8Array(32 * room));
    this.#numbers = copyOf(this.#numbers, new Float64Array(room));
    this.#times = copyOf(this.#times, new Float64Array(room));
    this.#table = new Uint32Array(2 * room);
    for (let place = 0; place < this.#count; place++) {
      this.#table[this.#slotOf(this.#hashes.subarray(32 * place, 32 * place + 32))] = place + 1;
    }
  }
}

/** A power of two. */
const initialRoom = 1024;

function copyOf<T extends Uint8Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
