/**
 * Opening a log: finds out what is on disk before a word is said about it.
 *
 * The database may be another one, an older copy, or one whose tail or middle is gone without an error (measured). So the edge of
 * the tree must give the head's root in two ways, the last entries must be there one after another with their hashes in the tree,
 * nothing may lie beyond the head, and the tree must contain the checkpoint that was signed last, which is kept elsewhere. What
 * lies further back is checked when it is read.
 */

import { equalBytes, formatHex, formatUint64, parseUint64, parseUtf8, utf8 } from '../merkle/bytes.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { isRecord, parseEntry } from '../merkle/entry.ts';
import { FormatError } from '../merkle/errors.ts';
import { type Genesis, genesisEntry, parseGenesis } from '../merkle/genesis.ts';
import { type NoteSigner, parseNote, verifyNote } from '../merkle/note.ts';
import { rightmostTiles, tileWidth } from '../merkle/tiles.ts';
import { edgeRoot, leafHash, type RightEdge } from '../merkle/tree.ts';
import { type Growth, subtreeRoot } from './growth.ts';
import type { Guard } from './guard.ts';
import { formatHead, formatVersion, type Head, headKey, metaKeys, parseHead } from './layout.ts';
import type { LogReader } from './log-reader.ts';
import type { Store } from './store.ts';
import type { SignedCheckpoint } from './submission.ts';

/** What is on disk is not a whole log of ours: the process must not start. The message says what to do. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError';
}

/** What a ledger starts from. */
export type Recovered = {
  readonly genesis: Genesis;
  readonly genesisDocument: string;
  readonly secret: Uint8Array;
  readonly head: Head;
  readonly edge: RightEdge;
  readonly growth: Growth;
  /** The checkpoint that was signed last; the head may be ahead of it. */
  readonly signed: SignedCheckpoint;
};

/**
 * More entries than fit into LevelDB's write-ahead logs (two of 4 MiB each; an entry with its record takes over 700 bytes): of
 * those a single flipped bit can drop some in the middle.
 */
const tailLength = 16_384;

export async function recoverLog(parts: {
  readonly store: Store;
  readonly reader: LogReader;
  readonly guard: Guard;
  readonly signer: NoteSigner;
}): Promise<Recovered> {
  const { store, reader, guard, signer } = parts;
  await requireFormat(store);
  const genesisDocument = parseUtf8(await meta(store, 'genesis'));
  const genesis = parseGenesis(genesisDocument);
  requireSigner(signer, genesis);

  const value = await store.get('head', headKey);
  if (value === undefined)
    throw new RecoveryError('the log has no head: restore the data folder from a backup');
  const found = parseHead(value);
  const growth = await readGrowth(reader, found.size);
  const edge = edgeOf(growth, found.size);
  await requireRoot(reader, found, edge);
  await requireGenesis(reader, genesisDocument);
  await requireTail(store, reader, found);
  const signed = await requireGuard(guard, signer, genesis, reader, found);

  // From here on we are the writer: a process with a lower term that still runs elsewhere can be told by it.
  const head: Head = { ...found, term: found.term + 1 };
  await store.write([{ table: 'head', key: headKey, value: formatHead(head) }]);
  return { genesis, genesisDocument, secret: await meta(store, 'secret'), head, edge, growth, signed };
}

async function requireFormat(store: Store): Promise<void> {
  const version = await store.get('meta', metaKeys.format);
  if (version === undefined) {
    throw new RecoveryError(
      'the data folder holds no log: `zegel init` makes one, or mount the volume that has it',
    );
  }
  if (!equalBytes(version, utf8(formatVersion))) {
    const found = JSON.stringify(parseUtf8(version));
    throw new RecoveryError(
      `the data folder has format ${found}, this program reads format "${formatVersion}": run the program that wrote it`,
    );
  }
}

async function meta(store: Store, name: 'genesis' | 'secret'): Promise<Uint8Array> {
  const value = await store.get('meta', metaKeys[name]);
  if (value === undefined)
    throw new RecoveryError(`the log has no ${name}: restore the data folder from a backup`);
  return value;
}

function requireSigner(signer: NoteSigner, genesis: Genesis): void {
  if (signer.key.name === genesis.origin) return;
  throw new RecoveryError(`the log key is of "${signer.key.name}", the data folder of "${genesis.origin}"`);
}

/** Reads the last tile of each level; a full one leaves an empty edge at its level. */
async function readGrowth(reader: LogReader, size: number): Promise<Growth> {
  const tiles = rightmostTiles(size);
  const hashes = await reader.readTiles(tiles);
  return tiles.map((tile, level) => (tile.width === tileWidth ? [] : (hashes[level] ?? [])));
}

/** The perfect subtrees that the edge's tiles hold: at each level one for every bit that is set in the tile's width. */
function edgeOf(growth: Growth, size: number): RightEdge {
  const hashes: Uint8Array[] = [];
  for (const tile of growth.toReversed()) {
    let at = 0;
    for (let width = tileWidth / 2; width >= 1; width /= 2) {
      if (tile.length - at < width) continue;
      hashes.push(subtreeRoot(tile.slice(at, at + width)));
      at += width;
    }
  }
  return { size, hashes };
}

async function requireRoot(reader: LogReader, head: Head, edge: RightEdge): Promise<void> {
  for (const root of [edgeRoot(edge), await reader.rootAt(head.size)]) {
    if (equalBytes(root, head.root)) continue;
    const [got, want] = [formatHex(root), formatHex(head.root)];
    throw new RecoveryError(
      `the tiles on disk give root ${got} at size ${head.size}, the head says ${want}: restore the data folder from a backup`,
    );
  }
}

async function requireGenesis(reader: LogReader, document: string): Promise<void> {
  const entry = parseEntry(await reader.entry(0));
  if (!equalBytes(entry.commitment, genesisEntry(document, entry.time).commitment)) {
    throw new RecoveryError(
      'entry 0 does not commit to the genesis document: restore the data folder from a backup',
    );
  }
}

/** The last entries are there without a gap, in the tree, in the indexes, with their records, in the order of time; and are last. */
async function requireTail(store: Store, reader: LogReader, head: Head): Promise<void> {
  let before = 0;
  const first = Math.floor(Math.max(0, head.size - tailLength) / tileWidth);
  for (let index = first; index * tileWidth < head.size; index++) {
    const from = index * tileWidth;
    const width = Math.min(tileWidth, head.size - from);
    const entries = await reader.entries(from, from + width);
    const hashes = await reader.tile({ level: 0, index, width });
    const leaves = await store.getMany('leaf', hashes);
    const records = await store.getMany('record', keysFrom(from, width));
    entries.forEach((bytes, i) => {
      const entry = parseEntry(bytes);
      const hash = hashes[i];
      const leaf = leaves[i];
      const whole =
        hash !== undefined &&
        equalBytes(leafHash(bytes), hash) &&
        leaf !== undefined &&
        parseUint64(leaf) === from + i &&
        isRecord(entry.kind) === (records[i] !== undefined) &&
        entry.time >= before;
      if (!whole)
        throw new RecoveryError(
          `entry ${from + i} on disk does not fit the tree: restore the data folder from a backup`,
        );
      before = entry.time;
    });
  }
  if (before !== head.time) throw new RecoveryError('the last entry is not the one that the head speaks of');
  for await (const [key] of store.range('entry', { gte: formatUint64(head.size), limit: 1 })) {
    const stray = parseUint64(key);
    throw new RecoveryError(
      `entry ${stray} lies beyond the head at ${head.size}: the database has lost a later write`,
    );
  }
}

function keysFrom(from: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => formatUint64(from + i));
}

/** What was signed last must be in the tree: else the database is an older copy, or has lost its tail. */
async function requireGuard(
  guard: Guard,
  signer: NoteSigner,
  genesis: Genesis,
  reader: LogReader,
  head: Head,
): Promise<SignedCheckpoint> {
  const note = await guard.read();
  if (note === undefined) {
    throw new RecoveryError(
      'the guard file with the last signed checkpoint is missing: mount the volume that has it',
    );
  }
  const { size, root } = readGuard(note, signer, genesis);
  if (size > head.size) {
    throw new RecoveryError(
      `a checkpoint of size ${size} was signed, the database ends at ${head.size}: it is an older copy or has lost its tail; ` +
        'restore the newest backup',
    );
  }
  if (!equalBytes(await reader.rootAt(size), root)) {
    throw new RecoveryError(
      `the checkpoint that was signed at size ${size} is not in this tree: it is another log's history`,
    );
  }
  const last = parseEntry(await reader.entry(size - 1));
  return { size, root, checkpoint: note, time: last.time };
}

function readGuard(note: string, signer: NoteSigner, genesis: Genesis) {
  try {
    verifyNote(note, [signer.key]);
    const checkpoint = parseCheckpoint(parseNote(note).text);
    if (checkpoint.origin !== genesis.origin) throw FormatError.at('', `it is of "${checkpoint.origin}"`);
    return checkpoint;
  } catch (cause) {
    throw new RecoveryError(
      'the guard file is not a checkpoint that this log has signed: restore it from its backup',
      { cause },
    );
  }
}
