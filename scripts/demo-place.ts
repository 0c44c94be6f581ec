/** Where a demonstration lives: a folder pair of its own, which no other running demonstration uses. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLock } from './lock.ts';

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
    const taken = await takeLock(lock);
    if (!taken.isOurs) continue;
    const deployment = join('deployments', name);
    for (const old of [folder, deployment]) await rm(old, { recursive: true, force: true });
    await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 });
    return { folder, deployment, release: taken.release };
  }
}
