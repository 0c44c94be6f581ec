/** Files that are there, whole, once they are said to be: written beside, synced, and put in their place. */

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from './command.ts';

/** Holds what may be personal data. */
export const privateMode = 0o600;

/**
 * Replaces a file as a whole: the one that is there may be the only copy of a salt.
 *
 * @param write writes all of it
 * @throws {CommandError} exit code 3 where the disk is full; the file is as it was before
 */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  await putFile(path, write);
  await syncFolder(dirname(path));
}

/** The same for one of many in a folder that is synced when they all are there. */
export async function putFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const next = `${path}.next`;
  try {
    const file = await open(next, 'w', privateMode);
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw diskFault(path, error);
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What to tell of a write that failed. */
export function diskFault(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const where = `there is no space left for ${path}`;
  const what = 'free some, and run the same command again';
  return new CommandError(3, `${where}: ${what}. What is in the log is not lost, and not doubled`, error);
}
