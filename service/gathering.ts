/** Gathers what proves an anchor for ever, in the moment when it is final: nodes forget old state (Besu after 512 blocks). */

import type { Logger } from 'pino';
import { formatHex } from '../merkle/bytes.ts';
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
  readonly log: Logger;
}): Promise<GatheredEvidence> {
  const { read, registry, final, anchor, entries, log } = parts;
  const uses = await keyUses(read, entries.from, entries.to);
  const proved = await registry.keys(
    uses.map(({ keyId }) => keyId),
    final,
  );
  const keys = uses.map(({ keyId, first, last }, i) => {
    const { key, nodes = [] } = proved[i] ?? {};
    // The view let it in on a proof in an earlier final block, and the contract removes no key.
    if (key === undefined)
      throw new ChainWrong('proof', `key ${formatHex(keyId)} has gone from the registry`);
    // Notice and silence are there so that this cannot be (DESIGN 3.7). If it is, the anchor is not at fault, and somebody must know.
    const { agency, validFrom, validUntil } = key;
    if (first < validFrom * 1000 || last >= validUntil * 1000) {
      const facts = { keyId: formatHex(keyId), agency, validFrom, validUntil, first, last };
      log.error(facts, 'records lie outside the validity of their key: their receipts do not verify');
    }
    return { keyId, nodes };
  });
  return { headers: final.headers, nodes: anchor.nodes, keys };
}

/** A key under which entries stand, with the times of the first and the last of them, milliseconds. */
type KeyUse = { readonly keyId: Uint8Array; readonly first: number; readonly last: number };

async function keyUses(read: LogReader, from: number, to: number): Promise<readonly KeyUse[]> {
  const uses = new Map<string, KeyUse>();
  for (let at = from; at < to; at += chunkLength) {
    for (const entry of await read.entries(at, Math.min(to, at + chunkLength))) {
      const { kind, keyId, time } = parseEntry(entry);
      if (!isRecord(kind)) continue;
      const first = uses.get(formatHex(keyId))?.first ?? time;
      uses.set(formatHex(keyId), { keyId, first, last: time });
    }
  }
  return [...uses.values()];
}
