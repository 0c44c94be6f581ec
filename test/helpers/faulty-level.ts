/** A database whose writes fail as a test says. */

import { MemoryLevel } from 'memory-level';

/** What is on disk after the failed write: nothing of it, or all of it. */
export type FaultMode = 'lost' | 'lost but persisted';

/** A real database in memory whose write number `failAt` fails, once; the first is number 1. */
export class FaultyLevel extends MemoryLevel<Uint8Array, Uint8Array> {
  writes = 0;
  /** How many of them were asked to be on disk when they end. */
  synced = 0;
  failAt = Number.POSITIVE_INFINITY;
  mode: FaultMode = 'lost';

  constructor() {
    super({ keyEncoding: 'view', valueEncoding: 'view', storeEncoding: 'view' });
  }

  // abstract-level's private method for implementations, which its types do not show.
  async _batch(operations: unknown, options: { readonly sync?: unknown }): Promise<void> {
    this.writes++;
    if (options.sync === true) this.synced++;
    const fails = this.writes === this.failAt;
    const inherited = Object.getPrototypeOf(FaultyLevel.prototype)._batch;
    if (!fails || this.mode === 'lost but persisted') await inherited.call(this, operations, options);
    if (fails) throw new Error('EIO');
  }
}

/** Another database with the same content: a copy of the data folder. */
export async function copyOf(database: MemoryLevel<Uint8Array, Uint8Array>): Promise<FaultyLevel> {
  const copy = new FaultyLevel();
  for await (const [key, value] of database.iterator()) await copy.put(key, value);
  return copy;
}
