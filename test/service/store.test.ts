/** The store gives back what was written, or says that it cannot; and after a failed write it says nothing more. */

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import {
  openDatabase,
  Store,
  StoreBrokenError,
  StoreCorruptError,
  type Table,
  tables,
} from '../../service/store.ts';
import { FaultyLevel } from '../helpers/faulty-level.ts';
import { memoryDatabase } from '../helpers/ledger.ts';

const key = utf8('key');
const value = utf8('value');
const never = () => {
  throw new Error('the store broke');
};

async function openMemory() {
  const database = memoryDatabase();
  await database.open();
  return database;
}

describe('Store', () => {
  it('keeps every table apart', async () => {
    const store = new Store(await openMemory(), never);
    await store.write(tables.map(table => ({ table, key, value: utf8(table) })));
    for (const table of tables) expect(await store.get(table, key)).toEqual(utf8(table));
  });

  it('answers undefined for what is not there, and deletes', async () => {
    const store = new Store(await openMemory(), never);
    await store.write([{ table: 'salt', key, value }]);
    expect(await store.getMany('salt', [utf8('other'), key])).toEqual([undefined, value]);
    await store.write([{ table: 'salt', key, value: null }]);
    expect(await store.get('salt', key)).toBeUndefined();
  });

  it('reads ranges in the order of keys', async () => {
    const store = new Store(await openMemory(), never);
    const keys = [3, 1, 2, 255, 0].map(byte => Uint8Array.of(byte));
    await store.write(keys.map(each => ({ table: 'entry', key: each, value: each })));
    const read = async (range: Parameters<Store['range']>[1]) => {
      const found: number[] = [];
      for await (const [found_] of store.range('entry', range)) found.push(found_[0] ?? -1);
      return found;
    };
    expect(await read({})).toEqual([0, 1, 2, 3, 255]);
    expect(await read({ gte: Uint8Array.of(1), lt: Uint8Array.of(3) })).toEqual([1, 2]);
    expect(await read({ reverse: true, limit: 1 })).toEqual([255]);
  });

  it('notices every flipped bit of a stored value, and a value under another key or in another table', async () => {
    const database = await openMemory();
    const store = new Store(database, never);
    await store.write([{ table: 'entry', key, value }]);
    const raw = database.sublevel<Uint8Array, Uint8Array>('entry', {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    const stored = await raw.get(key);
    if (stored === undefined) throw new Error('nothing was stored');
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const changed = Uint8Array.from(stored);
      changed[Math.floor(bit / 8)] = (changed[Math.floor(bit / 8)] ?? 0) ^ (1 << (bit % 8));
      await raw.put(key, changed);
      await expect(store.get('entry', key)).rejects.toBeInstanceOf(StoreCorruptError);
    }
    for (let length = 0; length < stored.length; length++) {
      await raw.put(key, stored.slice(0, length));
      await expect(store.get('entry', key)).rejects.toBeInstanceOf(StoreCorruptError);
    }
    await raw.put(utf8('elsewhere'), stored);
    await expect(store.get('entry', utf8('elsewhere'))).rejects.toBeInstanceOf(StoreCorruptError);
    const other = database.sublevel<Uint8Array, Uint8Array>('leaf', {
      keyEncoding: 'view',
      valueEncoding: 'view',
    });
    await other.put(key, stored);
    await expect(store.get('leaf', key)).rejects.toBeInstanceOf(StoreCorruptError);
  });

  it('has every write on disk before it answers', async () => {
    const database = new FaultyLevel();
    await database.open();
    const store = new Store(database, never);
    await store.write([{ table: 'entry', key, value }]);
    await store.write([{ table: 'entry', key, value: null }]);
    expect([database.writes, database.synced]).toEqual([2, 2]);
  });

  it('takes no further call once a write has failed', async () => {
    const database = await openMemory();
    const broken: Error[] = [];
    const store = new Store(database, error => broken.push(error));
    await database.close();
    const write = () => store.write([{ table: 'entry', key, value }]);
    await expect(write()).rejects.toBeInstanceOf(StoreBrokenError);
    await database.open();
    await expect(write()).rejects.toBeInstanceOf(StoreBrokenError);
    await expect(store.get('entry', key)).rejects.toBeInstanceOf(StoreBrokenError);
    expect(broken).toHaveLength(1);
  });
});

describe('openDatabase', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zegel-store-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const put = async (create: boolean, table: Table = 'meta') => {
    const database = await openDatabase(join(folder, 'db'), { create });
    const store = new Store(database, never);
    await store.write([{ table, key, value }]);
    await store.close();
  };

  it('makes a database only when it is told to', async () => {
    await expect(openDatabase(join(folder, 'db'), { create: false })).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
    });
    expect(await readdir(folder)).not.toContain('CURRENT');
    await put(true);
    await expect(openDatabase(join(folder, 'db'), { create: true })).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
    });
    await put(false);
  });

  it('refuses a database whose CURRENT or MANIFEST is lost, where LevelDB alone would make a new one', async () => {
    await put(true);
    for (const lost of ['CURRENT', 'MANIFEST']) {
      const files = (await readdir(join(folder, 'db'))).filter(name => name.startsWith(lost));
      for (const file of files) await rm(join(folder, 'db', file));
      await expect(openDatabase(join(folder, 'db'), { create: false })).rejects.toMatchObject({
        code: 'LEVEL_DATABASE_NOT_OPEN',
      });
    }
  });

  it('lets one process have it at a time', async () => {
    const database = await openDatabase(join(folder, 'db'), { create: true });
    await expect(openDatabase(join(folder, 'db'), { create: false })).rejects.toMatchObject({
      code: 'LEVEL_DATABASE_NOT_OPEN',
      cause: { code: 'LEVEL_LOCKED' },
    });
    await database.close();
  });
});
