/** Makes a new log: its genesis document, entry 0, and the first signed checkpoint. Only `init` does this. */

import { utf8 } from '../merkle/bytes.ts';
import { formatCheckpoint } from '../merkle/checkpoint.ts';
import { formatEntry } from '../merkle/entry.ts';
import { formatGenesis, type Genesis, genesisEntry } from '../merkle/genesis.ts';
import { type NoteSigner, signNote } from '../merkle/note.ts';
import { leafHash } from '../merkle/tree.ts';
import { grow } from './growth.ts';
import type { Guard } from './guard.ts';
import { appendWrites, formatVersion, type Head, metaKeys } from './layout.ts';
import type { Store } from './store.ts';

/**
 * Writes entry 0 into an empty store. The genesis document's `created` is the time of entry 0.
 *
 * @returns the first root, which is the genesis leaf that the registry opens the log with
 * @throws {Error} if the store has a log already: an origin is never used twice
 */
export async function createLog(parts: {
  readonly store: Store;
  readonly guard: Guard;
  readonly signer: NoteSigner;
  readonly genesis: Genesis;
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
}): Promise<Uint8Array> {
  const { store, guard, signer, genesis, randomBytes } = parts;
  if ((await store.get('meta', metaKeys.format)) !== undefined)
    throw new Error('the store has a log already');
  if (signer.key.name !== genesis.origin) {
    throw new Error(`the log key is of "${signer.key.name}", the log of "${genesis.origin}"`);
  }

  const document = formatGenesis(genesis);
  const time = Date.parse(genesis.created);
  const entry = formatEntry(genesisEntry(document, time));
  const root = leafHash(entry);
  const head: Head = { size: 1, root, time, recordsUpTo: 0, chainEntry: null, term: 1 };
  await store.write([
    { table: 'meta', key: metaKeys.format, value: utf8(formatVersion) },
    { table: 'meta', key: metaKeys.genesis, value: utf8(document) },
    { table: 'meta', key: metaKeys.secret, value: randomBytes(32) },
    ...appendWrites(0, [{ entry, leafHash: root }], grow([], 0, [root]).tiles, head),
  ]);
  // A crash here leaves a log without a guard, which does not open: nothing is in it, so `init` is done again in a new folder.
  await guard.write(await signNote(formatCheckpoint({ origin: genesis.origin, size: 1, root }), signer));
  return root;
}
