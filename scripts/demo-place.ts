/** Where a demonstration lives: a folder pair of its own, which no other running demonstration uses. */

import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSafeInteger } from '../merkle/bytes.ts';

export type DemoPlace = {
  /** `.zegel/demo`: data, keys, events and receipts. Replaced by the next start, kept after this one. */
  readonly folder: string;
  /** `deployments/demo`. */
  readonly deployment: string;
  /** Gives the place free for the next start; the files stay. */
  release(): Promise<void>;
};

/** Takes the first pair that is not in use, empty. The lock names a process: one that has ended holds nothing. */
export async function takeDemoPlace(): Promise<DemoPlace> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? 'demo' : `demo-${n}`;
    const folder = join('.zegel', name);
    const lock = join('.zegel', `${name}.lock`);
    await mkdir('.zegel', { recursive: true });
    if (!(await takeLock(lock))) continue;
    const deployment = join('deployments', name);
    for (const old of [folder, deployment]) await rm(old, { recursive: true, force: true });
    await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 });
    return { folder, deployment, release: () => rm(lock, { force: true }) };
  }
}

/** Takes a lock that no running process holds. It appears with its holder's number in it, so nobody sees one without. */
async function takeLock(path: string): Promise<boolean> {
  const ours = `${path}.${process.pid}`;
  await writeFile(ours, `${process.pid}\n`);
  try {
    for (;;) {
      if (await linked(ours, path)) return true;
      const holder = await holderOf(path);
      if (holder !== undefined && isRunning(holder)) return false;
      await removeStale(path);
    }
  } finally {
    await rm(ours, { force: true });
  }
}

/** Gives a file a second name, unless that name is taken. */
async function linked(file: string, name: string): Promise<boolean> {
  try {
    await link(file, name);
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
  if (holder !== undefined && isRunning(holder)) await linked(aside, path);
  await rm(aside, { force: true });
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
