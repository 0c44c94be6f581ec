/**
 * What stands on disk: tables of checked values in one LevelDB, with one way to write.
 *
 * LevelDB as we get it returns a wrong value for a flipped bit without an error, loses acknowledged writes after a failed one,
 * and opens an almost empty database when a file is lost (measured). Hence the three rules of this file:
 * every value carries a hash of itself and its place; every write is one synced atomic batch; after a failed write, whose outcome
 * nobody knows, nothing more is read or written through this handle.
 */

import type { AbstractLevel } from 'abstract-level';
import { Level } from 'level';
import { utf8 } from '../merkle/bytes.ts';
import { sha256Text } from './hashing.ts';

/** The tables, each a sublevel of its own. Salts stand apart from what they encrypt, so that erasing one erases its record. */
export const tables = [
  'meta',
  'head',
  'entry',
  'tile',
  'leaf',
  'name',
  'record',
  'salt',
  'key',
  'agency',
  'cursor',
  'anchor',
  'evidence',
  'node',
  'transaction',
] as const;

export type Table = (typeof tables)[number];

/** One change; a null value deletes. */
export type Write = { readonly table: Table; readonly key: Uint8Array; readonly value: Uint8Array | null };

/** A range of keys within a table, as abstract-level spells it. */
export type Range = {
  readonly gt?: Uint8Array;
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
};

export type Database = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>;

/** A value that is not what was written: the disk or the database has changed it. */
export class StoreCorruptError extends Error {
  override readonly name = 'StoreCorruptError';
}

/** The store has met a write of unknown outcome and takes no further calls: only a new start can tell what is on disk. */
export class StoreBrokenError extends Error {
  override readonly name = 'StoreBrokenError';
}

// 128 bits tell any accident; who can forge a value on this disk is stopped by the tree's hashes, not by this one.
const checkLength = 16;

const view = { keyEncoding: 'view', valueEncoding: 'view' } as const;

/** Tables over an open database. Opening and choosing the folder is `openDatabase`'s business. */
export class Store {
  readonly #database: Database;
  readonly #sublevels: Readonly<Record<Table, Sublevel>>;
  readonly #onBroken: (error: Error) => void;
  #broken: StoreBrokenError | undefined;

  /** @param onBroken called once, when a write has failed: the process must stop acknowledging and end */
  constructor(database: Database, onBroken: (error: Error) => void) {
    this.#database = database;
    this.#onBroken = onBroken;
    const sublevels = tables.map(table => [table, sublevelOf(database, table)] as const);
    // Every table has an entry: the object is built from the list that the type is taken from.
    this.#sublevels = Object.fromEntries(sublevels) as Record<Table, Sublevel>;
  }

  /** Reads a value. @throws {StoreCorruptError} if it is not what was written there */
  async get(table: Table, key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#requireWhole();
    return unwrap(table, key, await this.#sublevels[table].get(key));
  }

  /** Reads several values of a table in the order of the keys. @throws {StoreCorruptError} */
  async getMany(table: Table, keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#requireWhole();
    const values = await this.#database.getMany(placesOf(table, keys), view);
    return keys.map((key, i) => unwrap(table, key, values[i]));
  }

  /** Reads the entries of a range in the order of their keys. @throws {StoreCorruptError} */
  async *range(table: Table, range: Range = {}): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    this.#requireWhole();
    for await (const [key, value] of this.#sublevels[table].iterator(range)) {
      // An iterator's value is always there; `unwrap` answers undefined for an absent one only.
      yield [plain(key), unwrap(table, key, value) ?? new Uint8Array(0)];
    }
  }

  /**
   * Applies all writes, durably and atomically. When it rejects, the writes may be on disk or not: the store is broken from
   * then on, since later writes through a handle that has failed once can be lost although acknowledged.
   */
  async write(writes: readonly Write[]): Promise<void> {
    this.#requireWhole();
    try {
      // One by one, under keys with their table's prefix, operations cost the engine half of what an array of them over sublevels
      // does (measured).
      const batch = this.#database.batch();
      // Keys and values lie in one piece of memory: several pieces for each record are what a commit would spend most time on.
      const room = Buffer.allocUnsafe(writes.reduce((bytes, write) => bytes + lengthOf(write), 0));
      let at = 0;
      const put = (...parts: readonly Uint8Array[]) => {
        const start = at;
        for (const part of parts) {
          room.set(part, at);
          at += part.length;
        }
        return room.subarray(start, at);
      };
      for (const { table, key, value } of writes) {
        const place = put(prefixes[table].key, key);
        if (value === null) {
          batch.del(place, view);
          continue;
        }
        const start = at;
        at += room.write(check(table, key, value), at, 'latin1');
        put(value);
        batch.put(place, room.subarray(start, at), view);
      }
      // `sync` belongs to classic-level; a database in memory ignores it.
      const durable = { sync: true };
      await batch.write(durable);
    } catch (cause) {
      this.#broken = new StoreBrokenError('a write failed, and whether it is on disk is unknown', { cause });
      this.#onBroken(this.#broken);
      throw this.#broken;
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #requireWhole(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }
}

type Sublevel = ReturnType<typeof sublevelOf>;

function sublevelOf(database: Database, table: Table) {
  return database.sublevel<Uint8Array, Uint8Array>(table, view);
}

/** Where values stand in the database: their keys with the table's prefix, in one piece of memory. */
function placesOf(table: Table, keys: readonly Uint8Array[]): Uint8Array[] {
  const prefix = prefixes[table].key;
  const room = Buffer.allocUnsafe(keys.reduce((bytes, key) => bytes + prefix.length + key.length, 0));
  let at = 0;
  return keys.map(key => {
    const start = at;
    room.set(prefix, start);
    room.set(key, start + prefix.length);
    at += prefix.length + key.length;
    return room.subarray(start, at);
  });
}

/** How many bytes a write has on its way to the engine. */
function lengthOf({ table, key, value }: Write): number {
  return prefixes[table].key.length + key.length + (value === null ? 0 : checkLength + value.length);
}

function unwrap(table: Table, key: Uint8Array, stored: Uint8Array | undefined): Uint8Array | undefined {
  if (stored === undefined) return undefined;
  const value = plain(stored).subarray(checkLength);
  if (!begins(stored, check(table, key, value))) {
    throw new StoreCorruptError(
      `${table} ${Buffer.from(key).toString('hex')} is not what was written: the disk or the database has changed it`,
    );
  }
  return value;
}

/** Whether bytes begin with those of a text that has a character for each. */
function begins(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Bytes as `merkle/` makes them, whatever class the engine gives them. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * The first 16 bytes of SHA-256(table ‖ 0x00 ‖ u32be key length ‖ key ‖ value), a character for each: a value under a wrong key is
 * found as well.
 */
function check(table: Table, key: Uint8Array, value: Uint8Array): string {
  const keyLength = Uint8Array.of(key.length >>> 24, key.length >>> 16, key.length >>> 8, key.length);
  return sha256Text(prefixes[table].check, keyLength, key, value).slice(0, checkLength);
}

/** What stands in front of a table's keys, where abstract-level keeps its sublevel, and of what is checked. */
const prefixes = Object.fromEntries(
  tables.map(table => [table, { key: utf8(`!${table}!`), check: utf8(`${table}\u0000`) }]),
) as Readonly<Record<Table, { readonly key: Uint8Array; readonly check: Uint8Array }>>;

/**
 * Opens the database in a folder. It must exist, unless `create` says that this is `init`: LevelDB would otherwise make an empty
 * one in place of a lost file or a volume that is not mounted.
 */
export async function openDatabase(
  folder: string,
  { create }: { readonly create: boolean },
): Promise<Database> {
  const database = new Level<Uint8Array, Uint8Array>(folder, {
    ...view,
    createIfMissing: create,
    errorIfExists: create,
    // Most of what is here is encrypted, so this saves next to nothing. But a block that was damaged mostly cannot be decompressed, which
    // is an error; uncompressed it trips an assertion of LevelDB's, which ends the process without a word.
    compression: true,
    // Bytes. Four times the default: what is written is merged with what lies there less often.
    writeBufferSize: 16 << 20,
  });
  await database.open();
  return database;
}
