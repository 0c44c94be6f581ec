/**
 * The guard file: the last signed checkpoint, kept outside the database and best on another volume.
 *
 * It catches what the database cannot see of itself: that it is an older copy of itself, or that its tail is gone.
 */

import { closeSync, fdatasync, fsync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** Where the last signed checkpoint is kept. */
export type Guard = {
  /** The last checkpoint that was written; undefined when none ever was. */
  read(): Promise<string | undefined>;
  /** Replaces it durably: after a crash there is the old one or the new one, never a part of one. */
  write(checkpoint: string): Promise<void>;
};

/**
 * A guard in a file.
 *
 * What takes microseconds is done at once: each wait for a thread is a wait for this one's turn as well, and every commit pays it. Only
 * what waits for the disk is waited for.
 */
export function fileGuard(path: string): Guard {
  return {
    async read() {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(checkpoint) {
      const next = `${path}.next`;
      await synced(openSync(next, 'w', 0o600), fdatasync, file => writeFileSync(file, checkpoint));
      await rename(next, path);
      // The rename itself is durable only once the folder is.
      await synced(openSync(dirname(path), 'r'), fsync);
    },
  };
}

/** Does something with an open file, waits until it is durable, and closes it. */
async function synced(
  file: number,
  sync: (file: number, done: (error: NodeJS.ErrnoException | null) => void) => void,
  change: (file: number) => void = () => {},
): Promise<void> {
  try {
    change(file);
    await promisify(sync)(file);
  } finally {
    closeSync(file);
  }
}

/** A guard in memory, for logs that live no longer than the process. */
export function memoryGuard(): Guard {
  let last: string | undefined;
  return {
    read: async () => last,
    write: async checkpoint => {
      last = checkpoint;
    },
  };
}
