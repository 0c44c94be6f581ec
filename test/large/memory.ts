/** The peak memory of another process, as its kernel counts it (Linux). */

import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** Bytes: all that was in memory, and of it what belongs to the process alone. */
export type Peak = { readonly all: number; readonly own: number };

/**
 * Watches a process. The kernel's own peak counts pages of the database's files, too, which LevelDB maps: they grow with what is read
 * from a database that grows, and the kernel takes them back when it wants. What the process has for itself is sampled.
 */
export async function watchMemory(pid: number) {
  let own = 0;
  let isDone = false;
  const look = async () => {
    own = Math.max(own, field(await statusOf(pid), 'RssAnon'));
  };
  const watching = (async () => {
    while (!isDone) {
      await look();
      await setTimeout(50);
    }
  })();
  // Met when the watching ends.
  watching.catch(() => undefined);

  /** Has the kernel forget its peak: from then on it counts anew (proc(5), clear_refs). */
  const forget = () => writeFile(`/proc/${pid}/clear_refs`, '5');
  await forget();
  return {
    /** The peak since the last time. */
    async take(): Promise<Peak> {
      await look();
      const peak = { all: field(await statusOf(pid), 'VmHWM'), own };
      own = 0;
      await forget();
      return peak;
    },
    async stop(): Promise<void> {
      isDone = true;
      await watching;
    },
  };
}

function statusOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/status`, 'utf8');
}

function field(status: string, name: string): number {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`the kernel says nothing of ${name}`);
  return 1_024 * Number(kilobytes);
}
