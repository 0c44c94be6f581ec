/** Reads the log: entries, tiles, records and proofs, each checked against a hash before it is given out. */

import { equalBytes, formatUint64, parseUint64 } from '../merkle/bytes.ts';
import { commitmentOf, parseEntry } from '../merkle/entry.ts';
import { proveConsistency, proveInclusion, rootFromTiles, type TileReader } from '../merkle/prove.ts';
import type { ReceiptRecord } from '../merkle/receipt.ts';
import { parseStatement } from '../merkle/statement.ts';
import { parseTile, type Tile, tilePath } from '../merkle/tiles.ts';
import { leafHash } from '../merkle/tree.ts';
import { verifyConsistency, verifyInclusion } from '../merkle/verify.ts';
import { nodeHash } from './hashing.ts';
import { tileKey } from './layout.ts';
import { openRecord } from './records.ts';
import { type Store, StoreCorruptError } from './store.ts';

export class LogReader {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The 74 bytes at an index that the log holds. */
  async entry(index: number): Promise<Uint8Array> {
    return present(await this.#store.get('entry', formatUint64(index)), `entry ${index}`);
  }

  /** The entries from one index up to, and without, another. */
  async entries(from: number, to: number): Promise<readonly Uint8Array[]> {
    const keys = Array.from({ length: to - from }, (_, i) => formatUint64(from + i));
    const entries = await this.#store.getMany('entry', keys);
    return entries.map((entry, i) => present(entry, `entry ${from + i}`));
  }

  /** The index of the entry with a leaf hash. */
  async findLeaf(hash: Uint8Array): Promise<number | undefined> {
    const index = await this.#store.get('leaf', hash);
    return index === undefined ? undefined : parseUint64(index);
  }

  /** The hashes of tiles, for the prover. A stored tile can be wider than the one that is asked for: that one is its prefix. */
  readonly readTiles: TileReader = async tiles => {
    const values = await Promise.all(tiles.map(tile => this.#store.get('tile', tileKey(tile))));
    return tiles.map((tile, i) => {
      const hashes = parseTile(present(values[i], `tile ${tile.level}/${tile.index}`));
      if (hashes.length < tile.width)
        throw new StoreCorruptError(`tile ${tile.level}/${tile.index} is too narrow`);
      return hashes.slice(0, tile.width);
    });
  };

  /**
   * A reader that reads each tile once, for as long as the caller keeps it: for the proofs of one batch, which share almost all
   * their tiles. The hashes of a tile stay one and the same array, so the prover can keep the tree that it has built over them.
   */
  cachedTiles(): TileReader {
    const cache = new Map<string, Promise<readonly Uint8Array[]>>();
    return tiles =>
      Promise.all(
        tiles.map(tile => {
          const name = tilePath(tile);
          const cached = cache.get(name) ?? this.tile(tile);
          cache.set(name, cached);
          return cached;
        }),
      );
  }

  /** The hashes of one tile at a width. */
  async tile(tile: Tile): Promise<readonly Uint8Array[]> {
    const [hashes] = await this.readTiles([tile]);
    return hashes ?? [];
  }

  /** The root of the tree at a size that the log has reached. */
  async rootAt(size: number, readTiles = this.readTiles): Promise<Uint8Array> {
    return rootFromTiles(size, readTiles, nodeHash);
  }

  /** An inclusion proof of a leaf hash that was verified against the root before it is given out. */
  async proveInclusion(
    index: number,
    leafHash: Uint8Array,
    { size, root }: { readonly size: number; readonly root: Uint8Array },
    readTiles = this.readTiles,
  ) {
    const path = await proveInclusion(index, size, readTiles, nodeHash);
    own('inclusion', () => verifyInclusion({ index, size, leafHash, path, root }, nodeHash));
    return path;
  }

  /** A consistency proof that was verified against both roots before it is given out. */
  async proveConsistency(
    first: number,
    second: number,
    firstRoot: Uint8Array,
    secondRoot: Uint8Array,
    readTiles = this.readTiles,
  ) {
    const path = await proveConsistency(first, second, readTiles, nodeHash);
    own('consistency', () => verifyConsistency({ first, second, firstRoot, secondRoot, path }));
    return path;
  }

  /** The record behind an entry, held against the entry's commitment; `erased` when its salt is gone. */
  async record(index: number): Promise<ReceiptRecord | 'erased'> {
    const entry = await this.entry(index);
    const key = formatUint64(index);
    const [sealed, salt] = await Promise.all([this.#store.get('record', key), this.#store.get('salt', key)]);
    return openChecked({ index, entry }, sealed, salt);
  }

  /** The records behind some entries, each as `record` gives it: read together, which takes a fraction of the time. */
  async records(entries: readonly IndexedEntry[]): Promise<readonly IndexedRecord[]> {
    const keys = entries.map(({ index }) => formatUint64(index));
    const [sealed, salts] = await Promise.all([
      this.#store.getMany('record', keys),
      this.#store.getMany('salt', keys),
    ]);
    return entries.map(({ index, entry }, i) => {
      const record = openChecked({ index, entry }, sealed[i], salts[i]);
      return { index, entry, record };
    });
  }
}

/** An entry, and where it stands. */
export type IndexedEntry = { readonly index: number; readonly entry: Uint8Array };

export type IndexedRecord = IndexedEntry & { readonly record: ReceiptRecord | 'erased' };

function openChecked(
  { index, entry }: IndexedEntry,
  sealed: Uint8Array | undefined,
  salt: Uint8Array | undefined,
): ReceiptRecord | 'erased' {
  if (salt === undefined) return 'erased';
  const record = openRecord(present(sealed, `record ${index}`), salt, leafHash(entry));
  const commitment = commitmentOf(salt, eventOf(record), record.statement);
  if (!equalBytes(commitment, parseEntry(entry).commitment)) {
    throw new StoreCorruptError(`record ${index} is not the one that its entry commits to`);
  }
  return record;
}

/** The event's bytes as they were signed: in the batch, or the statement's payload. */
export function eventOf(record: ReceiptRecord): Uint8Array {
  return record.batch?.event ?? parseStatement(record.statement).payload;
}

/** What the head says is there must be there: a hole is a fault of the disk, not an answer. */
function present(value: Uint8Array | undefined, what: string): Uint8Array {
  if (value === undefined) throw new StoreCorruptError(`${what} is missing`);
  return value;
}

/** Runs a check of our own proof: when it fails, what lies on the disk is wrong, and not what the caller asked. */
function own(what: string, verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    throw new StoreCorruptError(`the stored tree gives a proof of ${what} that does not verify`, { cause });
  }
}
