/**
 * The book of anchors: what is kept of each, for ever. Its signed checkpoint, where it stands on the chain, and the evidence that
 * was gathered when it became final, since nodes forget. Beside it the one anchor that is under way, written down before it is
 * sent, so that a crash at any line finds it again.
 *
 * Trie nodes are kept by their hash: the next anchor shares all but a few of them.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';
import {
  concatBytes,
  equalBytes,
  formatHex0x,
  formatUint64,
  parseHex0x,
  parseUint64,
  utf8,
} from '../merkle/bytes.ts';
import type { Evidence } from '../merkle/receipt.ts';
import {
  type Anchor,
  formatAnchor,
  formatPending,
  formatProof,
  type PendingAnchor,
  parseAnchor,
  parsePending,
  parseProof,
} from './anchor-layout.ts';
import { type Store, StoreCorruptError, type Write } from './store.ts';

export type { Anchor, Attempt, PendingAnchor, SignedTransaction } from './anchor-layout.ts';

/** A final anchor with the headers and the anchor registry's two walks that prove it. */
export type ProvedAnchor = Anchor & { readonly evidence: Evidence };

/** What proves an anchor, and the keys of the entries that it is the first to cover, all in the state of one final block. */
export type GatheredEvidence = Evidence & {
  /** For each key id the nodes of the key registry's two walks. */
  readonly keys: readonly { readonly keyId: Uint8Array; readonly nodes: readonly Uint8Array[] }[];
};

const pendingKey = utf8('pending');

export class AnchorBook {
  readonly #store: Store;
  #finalSize: number;
  #seenSize = 0;
  #pending: PendingAnchor | undefined;

  private constructor(store: Store, finalSize: number, pending: PendingAnchor | undefined) {
    this.#store = store;
    this.#finalSize = finalSize;
    this.#pending = pending;
  }

  static async open(store: Store): Promise<AnchorBook> {
    let finalSize = 0;
    for await (const [key] of store.range('anchor', { reverse: true, limit: 1 }))
      finalSize = parseUint64(key);
    const value = await store.get('transaction', pendingKey);
    return new AnchorBook(store, finalSize, value && parsePending(value));
  }

  /** Entries below this index are final: their receipts are complete. 0 until the opening is final. */
  get finalSize(): number {
    return this.#finalSize;
  }

  /** Entries below this index are in a block, as far as we have seen. It can go back, down to the final size. */
  get anchoredSize(): number {
    return Math.max(this.#finalSize, this.#seenSize);
  }

  /** Takes note of the largest anchor of ours in the newest block. */
  sawAnchored(size: number): void {
    this.#seenSize = size;
  }

  get pending(): PendingAnchor | undefined {
    return this.#pending;
  }

  /** Writes down what is about to be sent. */
  async begin(pending: PendingAnchor): Promise<void> {
    await this.#store.write([{ table: 'transaction', key: pendingKey, value: formatPending(pending) }]);
    this.#pending = pending;
  }

  /** Strikes out what can never succeed. */
  async abandon(): Promise<void> {
    await this.#store.write([{ table: 'transaction', key: pendingKey, value: null }]);
    this.#pending = undefined;
  }

  /** Enters an anchor that is final, for ever, and ends what was under way. */
  async settle(anchor: Anchor, evidence: GatheredEvidence): Promise<void> {
    const { size } = anchor;
    const nodes = await this.#newNodes([evidence.nodes, ...evidence.keys.map(key => key.nodes)].flat());
    await this.#store.write([
      ...nodes,
      { table: 'anchor', key: formatUint64(size), value: formatAnchor(anchor) },
      { table: 'evidence', key: formatUint64(size), value: formatProof(evidence) },
      ...evidence.keys.map(
        ({ keyId, nodes }): Write => ({
          table: 'evidence',
          key: concatBytes(formatUint64(size), keyId),
          value: concatBytes(...nodes.map(hashOf)),
        }),
      ),
      { table: 'transaction', key: pendingKey, value: null },
    ]);
    this.#finalSize = Math.max(this.#finalSize, size);
    this.#pending = undefined;
  }

  /** The final anchor of exactly this size. */
  async at(size: number): Promise<ProvedAnchor | undefined> {
    const value = await this.#store.get('anchor', formatUint64(size));
    return value && this.#proved(parseAnchor(size, value));
  }

  /** Final anchors of more than a size, smallest first. */
  async after(size: number, limit: number): Promise<readonly ProvedAnchor[]> {
    const anchors: ProvedAnchor[] = [];
    for await (const [key, value] of this.#store.range('anchor', { gt: formatUint64(size), limit })) {
      anchors.push(await this.#proved(parseAnchor(parseUint64(key), value)));
    }
    return anchors;
  }

  /** The newest final anchors, newest first, without their evidence. */
  async newest(limit: number): Promise<readonly Anchor[]> {
    const anchors: Anchor[] = [];
    for await (const [key, value] of this.#store.range('anchor', { reverse: true, limit }))
      anchors.push(parseAnchor(parseUint64(key), value));
    return anchors;
  }

  /** The first final anchor that covers the entry with this index. */
  async covering(index: number): Promise<Anchor | undefined> {
    for await (const [key, value] of this.#store.range('anchor', { gt: formatUint64(index), limit: 1 })) {
      return parseAnchor(parseUint64(key), value);
    }
    return undefined;
  }

  /** The evidence of a receipt under an anchor: for an entry with a key id, with that key's walks. */
  async evidence(size: number, keyId: Uint8Array | undefined): Promise<Evidence> {
    const { headers, hashes } = await this.#proof(size);
    if (keyId === undefined) return { headers, nodes: await this.#nodes(hashes) };

    const value = await this.#store.get('evidence', concatBytes(formatUint64(size), keyId));
    if (value === undefined)
      throw new StoreCorruptError(`evidence of size ${size} lacks a key of its entries`);
    // The walks of the anchor come first; of the key's, a node that stands already is not needed a second time.
    const known = new Set(hashes.map(formatHex0x));
    const more = splitHashes(value).filter(hash => !known.has(formatHex0x(hash)));
    return { headers, nodes: await this.#nodes([...hashes, ...more]) };
  }

  async #proved(anchor: Anchor): Promise<ProvedAnchor> {
    return { ...anchor, evidence: await this.evidence(anchor.size, undefined) };
  }

  async #proof(size: number) {
    const value = await this.#store.get('evidence', formatUint64(size));
    if (value === undefined) throw new StoreCorruptError(`evidence of size ${size} is missing`);
    return parseProof(value);
  }

  async #nodes(hashes: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const nodes = await this.#store.getMany('node', hashes);
    return nodes.map((node, i) => {
      const hash = hashes[i] ?? new Uint8Array(0);
      if (node === undefined || !equalBytes(hashOf(node), hash)) {
        throw new StoreCorruptError(`trie node ${formatHex0x(hash)} is missing or another one`);
      }
      return node;
    });
  }

  /** Writes for the nodes that are not there yet. */
  async #newNodes(nodes: readonly Uint8Array[]): Promise<Write[]> {
    const byHash = new Map(nodes.map(node => [formatHex0x(hashOf(node)), node]));
    const keys = [...byHash.keys()].map(hash => parseHex0x(hash, 32));
    const stored = await this.#store.getMany('node', keys);
    return keys.flatMap((key, i): Write[] => {
      const value = byHash.get(formatHex0x(key));
      return stored[i] === undefined && value !== undefined ? [{ table: 'node', key, value }] : [];
    });
  }
}

const hashOf = keccak_256;

function splitHashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
}
