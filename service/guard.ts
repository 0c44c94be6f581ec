/**
 * The guard file: the last signed checkpoint, kept outside the database and best on another volume.
 *
 * It catches what the database cannot see of itself: that it is an older copy of itself, or that its tail is gone.
 */

import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Where the last signed checkpoint is kept. */
export type Guard = {
  /** The last checkpoint that was written; undefined when none ever was. */
  read(): Promise<string | undefined>;
  /** Replaces it durably: after a crash there is the old one or the new one, never a part of one. */
  write(checkpoint: string): Promise<void>;
};

/** A guard in a file. */
export function fileGuard(path: string): Guard {
  return {
    async read() {
      try {
        return await readFile(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async write(checkpoint) {
      const next = `${path}.next`;
      await writeDurably(next, checkpoint);
      await rename(next, path);
      // The rename itself is durable only once the folder is.
      const folder = await open(dirname(path), 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
  };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
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
