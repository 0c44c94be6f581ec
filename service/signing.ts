/**
 * Signing the root of the log. Before a signature nothing is taken for granted: the entries are read back and hashed again, the root
 * is found a second time from the stored tiles by other code, the tree must extend the one that was signed last, and the guard must
 * hold that one still.
 */

import { equalBytes } from '../merkle/bytes.ts';
import { formatCheckpoint } from '../merkle/checkpoint.ts';
import { type NoteSigner, signNote } from '../merkle/note.ts';
import { leafHash } from '../merkle/tree.ts';
import type { Guard } from './guard.ts';
import type { Head, NewEntry } from './layout.ts';
import type { LogReader } from './log-reader.ts';
import type { SignedCheckpoint } from './submission.ts';

/**
 * Signs a committed head and puts it into the guard: only then may anybody see it.
 *
 * @param added the entries that the commit has added
 * @param readTiles reads the tree's tiles; whoever goes on with proofs of the same tree brings one that keeps them
 * @throws {Error} if the disk, the signer or the guard is not as it must be: the log must stop
 */
export async function signHead(
  parts: {
    readonly origin: string;
    readonly read: LogReader;
    readonly signer: NoteSigner;
    readonly guard: Guard;
  },
  { size, root, time }: Head,
  last: SignedCheckpoint,
  added: readonly NewEntry[],
  readTiles = parts.read.cachedTiles(),
): Promise<SignedCheckpoint> {
  const { origin, read, signer, guard } = parts;
  const from = size - added.length;
  // What is read is asked for at once: each answer waits for a thread.
  const [stored, root2, guarded] = await Promise.all([
    read.entries(from, size),
    read.rootAt(size, readTiles),
    guard.read(),
  ]);
  for (const [i, { leafHash: hash }] of added.entries()) {
    const entry = stored[i];
    if (entry === undefined || !equalBytes(leafHash(entry), hash))
      throw new Error(`entry ${from + i} on disk is not the one in the tree`);
  }
  if (!equalBytes(root2, root)) throw new Error(`two ways to the root of size ${size} give different roots`);
  await read.proveConsistency(last.size, size, last.root, root, readTiles);
  // Another process on a copy of the data folder, with the same guard: one of the two must not sign.
  if (guarded !== last.checkpoint)
    throw new Error(
      'the guard does not hold the checkpoint that this process signed last: its volume is gone, or another process has written it',
    );

  const checkpoint = await signNote(formatCheckpoint({ origin, size, root }), signer);
  await guard.write(checkpoint);
  return { size, root, time, checkpoint };
}
