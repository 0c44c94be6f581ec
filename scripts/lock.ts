/** Locks between processes: a file that names its holder, so that one that was killed holds nothing. */

import { constants, copyFile, link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseSafeInteger } from '../merkle/bytes.ts';
import { CommandError } from './command.ts';
import { diskFault } from './durable.ts';

/** A lock that is held until it is released, or until the process ends; or the number of the process that holds it. */
export type Lock =
  | { readonly isOurs: true; release(): Promise<void> }
  | { readonly isOurs: false; readonly holder: number };

/** The locks that this process holds: another process may have had our number, and have been killed. */
const held = new Set<string>();

/** Takes a lock that no running process holds. It appears with its holder's number in it, so nobody sees one without. */
export async function takeLock(name: string): Promise<Lock> {
  const path = resolve(name);
  const ours = `${path}.${process.pid}`;
  await writeFile(ours, `${process.pid}\n`);
  try {
    for (;;) {
      if (await linked(ours, path)) {
        held.add(path);
        return { isOurs: true, release: () => release(path) };
      }
      const holder = await holderOf(path);
      if (holder !== undefined && isHeld(path, holder)) return { isOurs: false, holder };
      await removeStale(path);
    }
  } finally {
    await rm(ours, { force: true });
  }
}

/**
 * Works on a place that no other process works on meanwhile.
 * @throws {CommandError} exit code 3 if another one does
 */
export async function alone<T>(place: string, work: () => Promise<T>): Promise<T> {
  const release = await takePlace(place);
  try {
    return await work();
  } finally {
    await release();
  }
}

/** Takes a place. @returns what gives it free again @throws {CommandError} exit code 3 if another process works on it */
export async function takePlace(place: string): Promise<() => Promise<void>> {
  const name = `${place.replace(/\/+$/, '')}.lock`;
  const lock = await takeLock(name).catch((error: unknown) => {
    throw diskFault(place, error);
  });
  if (lock.isOurs) return lock.release;
  const who = `${place} is in use by process ${lock.holder}`;
  throw new CommandError(3, `${who}: run this again when that has ended (if it is no zegel, remove ${name})`);
}

async function release(path: string): Promise<void> {
  await rm(path, { force: true });
  held.delete(path);
}

/** Gives a file a second name, unless that name is taken. */
async function linked(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return false;
    // A file system that knows no second names, as of a memory stick or another system's share.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS')
      return copied(file, name);
    throw error;
  }
}

/** Makes a copy of a file, unless its name is taken. For a moment it is there without its content. */
async function copied(file: string, name: string): Promise<boolean> {
  try {
    await copyFile(file, name, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(path: string): Promise<number | undefined> {
  return parseSafeInteger((await readFile(path, 'utf8').catch(() => '')).trim());
}

/** Moves a lock aside whose process has ended. Of two that do this at once, one may meet the other's new lock, and puts it back. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    // Another start was quicker.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  const holder = await holderOf(aside);
  if (holder !== undefined && isHeld(path, holder)) await linked(aside, path);
  await rm(aside, { force: true });
}

function isHeld(path: string, holder: number): boolean {
  return holder === process.pid ? held.has(path) : isRunning(holder);
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
