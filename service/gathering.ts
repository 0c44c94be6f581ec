/** Gathers what proves an anchor for ever, in the moment when it is final: nodes forget old state (Besu after 512 blocks). */

import { formatHex, parseHex } from '../merkle/bytes.ts';
import { isRecord, parseEntry } from '../merkle/entry.ts';
import type { GatheredEvidence } from './anchors.ts';
import type { FinalBlock } from './chain.ts';
import type { LogReader } from './log-reader.ts';
import type { ProvedRoot, Registry } from './registry.ts';
import { ChainWrong } from './rpc.ts';

/** How many entries are read at a time. */
const chunkLength = 4_096;

/**
 * The evidence of an anchor in the state of a final block, with every key under which an entry stands that it is the first to cover.
 * @param entries from the size of the anchor before, up to and without the anchor's own
 * @throws {ChainWrong} when the state lacks a key that was proved to be in it before
 */
export async function gatherEvidence(parts: {
  readonly read: LogReader;
  readonly registry: Registry;
  readonly final: FinalBlock;
  readonly anchor: ProvedRoot;
  readonly entries: { readonly from: number; readonly to: number };
}): Promise<GatheredEvidence> {
  const { read, registry, final, anchor, entries } = parts;
  const keyIds = await keyIdsOf(read, entries.from, entries.to);
  const proved = await registry.keys(keyIds, final);
  const keys = keyIds.map((keyId, i) => {
    const { key, nodes = [] } = proved[i] ?? {};
    // The view let it in on a proof in an earlier final block, and the contract removes no key.
    if (key === undefined)
      throw new ChainWrong('proof', `key ${formatHex(keyId)} has gone from the registry`);
    return { keyId, nodes };
  });
  return { headers: final.headers, nodes: anchor.nodes, keys };
}

async function keyIdsOf(read: LogReader, from: number, to: number): Promise<Uint8Array[]> {
  const seen = new Set<string>();
  for (let at = from; at < to; at += chunkLength) {
    for (const entry of await read.entries(at, Math.min(to, at + chunkLength))) {
      const { kind, keyId } = parseEntry(entry);
      if (isRecord(kind)) seen.add(formatHex(keyId));
    }
  }
  return [...seen].map(keyId => parseHex(keyId, 32));
}
