/** A world as a process of its own, over LevelDB, so that its memory is its own: forked with a folder, it says where it serves. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../../../merkle/note.ts';
import { openDatabase } from '../../../service/store.ts';
import { ask, aWorld } from './world.ts';

export type WorldProcess = Awaited<ReturnType<typeof startWorldProcess>>;

export async function startWorldProcess() {
  const folder = await mkdtemp(join(tmpdir(), 'zegel-world-'));
  const child = fork(fileURLToPath(import.meta.url), [folder]);
  const [place] = await once(child, 'message');
  const port = Number(place.port);
  const verifierKey: VerifierKey = parseVerifierKey(String(place.verifierKey));
  const world = { port, ledger: { verifierKey } };
  return {
    ...world,
    /** Runs work, and gives by how many bytes the memory of the process grew at its peak. */
    async memoryGrowth(work: () => Promise<void>): Promise<number> {
      const before = await residentBytes(world);
      let peak = before;
      let isDone = false;
      const watching = (async () => {
        while (!isDone) {
          peak = Math.max(peak, await residentBytes(world));
          await setTimeout(50);
        }
      })();
      try {
        await work();
      } finally {
        isDone = true;
      }
      await watching;
      return peak - before;
    },
    async stop(): Promise<void> {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

async function residentBytes(world: { readonly port: number }): Promise<number> {
  const { body } = await ask(world, '/metrics');
  const [, bytes] = /^process_resident_memory_bytes (\d+)$/m.exec(body) ?? [];
  return Number(bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const database = await openDatabase(join(process.argv[2] ?? '', 'log'), { create: true });
  const { port, ledger } = await aWorld({ database });
  // As `zegel serve` does.
  setFlagsFromString('--semi-space-growth-factor=1');
  process.send?.({ port, verifierKey: formatVerifierKey(ledger.verifierKey) });
}
