/** Where a demonstration lives: a folder pair of its own, which no other running demonstration uses. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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

async function takeLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const holder = Number(await readFile(path, 'utf8').catch(() => ''));
  if (Number.isSafeInteger(holder) && holder > 0 && isRunning(holder)) return false;
  // Its process ended without giving it back. Of two that find this at once, only one can make the file anew.
  await rm(path, { force: true });
  return takeLock(path);
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
