/**
 * The two registries on the chain, as the service reads them: state is proved against a block's header, events are hints that say
 * where to look, and `head` is a node's word that nothing irreversible may rest on.
 */

import { z } from 'zod';
import { equalBytes, formatHex0x } from '../merkle/bytes.ts';
import { FormatError, ProofError } from '../merkle/errors.ts';
import {
  keySlot,
  mappingSlot,
  parseKeySlot,
  type RegisteredKey,
  rootSlot,
  wordOf,
} from '../merkle/evidence.ts';
import { logId } from '../merkle/genesis.ts';
import {
  anchorTopics,
  decodeAnchoredRoot,
  decodeHead,
  decodeKeyEvent,
  encodeHead,
  isClosed,
  type KeyEvent,
  type LogHead,
  logsSlot,
  type RawEvent,
} from './abi.ts';
import { Chain, type ChainBlock, trusting } from './chain.ts';
import type { Deployment } from './deployment.ts';
import { ChainWrong, data, dataOf, formatQuantity, integer, Rpc } from './rpc.ts';
import { type PinnedContract, proveSlots, proveStorageRoot } from './state.ts';

/** What is pinned about the registries. `block` is the one that a contract was deployed in. */
export type PinnedRegistries = {
  readonly anchorRegistry: PinnedContract & { readonly block: number; readonly rootsSlot: number };
  readonly keyRegistry: PinnedContract & { readonly block: number; readonly keysSlot: number };
};

/** A root that is proved to be anchored, or proved not to be, with the nodes of the anchor registry's two walks. */
export type ProvedRoot = { readonly root: Uint8Array | undefined; readonly nodes: readonly Uint8Array[] };

/** A key as it is proved to be registered, or proved not to be, with the nodes of the key registry's two walks. */
export type ProvedKey = { readonly key: RegisteredKey | undefined; readonly nodes: readonly Uint8Array[] };

/** The transaction that made an anchor, and its block. */
export type AnchorEvent = { readonly block: ChainBlock; readonly transaction: Uint8Array };

/** An event of the key registry, and where it stands. */
export type PlacedKeyEvent = KeyEvent & { readonly block: number };

/** Nodes bound the blocks in one question for events. */
const blocksMax = 2_000;

const logShape = z.object({
  address: dataOf(20),
  topics: z.array(dataOf(32)),
  data,
  blockNumber: integer,
  blockHash: dataOf(32),
  transactionHash: dataOf(32),
});

type Log = z.infer<typeof logShape>;

export class Registry {
  readonly chain: Chain;
  readonly pinned: PinnedRegistries;
  readonly rpc: Rpc;

  constructor(parts: { readonly rpc: Rpc; readonly chain: Chain; readonly pinned: PinnedRegistries }) {
    this.rpc = parts.rpc;
    this.chain = parts.chain;
    this.pinned = parts.pinned;
  }

  /**
   * Makes the registries of a deployment out of one node or several of its chain. Nothing is asked yet: a chain that is down must
   * not keep the service from starting.
   */
  static connect(options: {
    readonly rpcUrl: string | readonly string[];
    readonly deployment: Deployment;
    readonly confirmations?: number;
    readonly timeoutMs?: number;
  }): Registry {
    const { rpcUrl, deployment, confirmations = 0, timeoutMs = 10_000 } = options;
    const rpc = new Rpc({ urls: typeof rpcUrl === 'string' ? [rpcUrl] : rpcUrl, timeoutMs });
    const chain = new Chain({ rpc, pinned: deployment, confirmations });
    const { AnchorRegistry, KeyRegistry } = deployment.contracts;
    return new Registry({
      rpc,
      chain,
      pinned: {
        anchorRegistry: { ...AnchorRegistry, rootsSlot: deployment.rootsSlot },
        keyRegistry: { ...KeyRegistry, keysSlot: deployment.keysSlot },
      },
    });
  }

  /** The id of the log with an origin in this registry. */
  logId(origin: string): Uint8Array {
    return logId(this.chain.chainId, this.pinned.anchorRegistry.address, origin);
  }

  /** A log's head in the state after a block, on the node's word. @throws {ChainUnreachable, ChainWrong} */
  async head(logId: Uint8Array, block: ChainBlock): Promise<LogHead> {
    const to = formatHex0x(this.pinned.anchorRegistry.address);
    const params = [{ to, data: encodeHead(logId) }, formatQuantity(block.number)];
    try {
      const answer = await this.rpc.ask({ method: 'eth_call', params, shape: data });
      return trusting(this.rpc, 'proof', () => decodeHead(answer));
    } catch (error) {
      // Other code reverts, or answers otherwise: that is not the node's fault, and the proof says so.
      await proveStorageRoot(this.rpc, block, this.pinned.anchorRegistry);
      throw error;
    }
  }

  /** The root anchored at a size in the state after a block, proved. @throws {ChainUnreachable, ChainWrong} */
  async root(logId: Uint8Array, size: number, block: ChainBlock): Promise<ProvedRoot> {
    const { anchorRegistry } = this.pinned;
    const slot = rootSlot(logId, size, anchorRegistry.rootsSlot);
    const [proved] = await proveSlots(this.rpc, block, anchorRegistry, [slot]);
    if (proved === undefined) throw new Error('one slot gives one proof');
    return { root: proved.word, nodes: proved.nodes };
  }

  /** Whether a log is closed in the state after a block, proved. @throws {ChainUnreachable, ChainWrong} */
  async isClosed(logId: Uint8Array, block: ChainBlock): Promise<boolean> {
    const slot = mappingSlot(logId, wordOf(logsSlot));
    const [proved] = await proveSlots(this.rpc, block, this.pinned.anchorRegistry, [slot]);
    return proved?.word !== undefined && isClosed(proved.word);
  }

  /** Keys in the state after a block, proved, in the order of their ids. @throws {ChainUnreachable, ChainWrong} */
  async keys(keyIds: readonly Uint8Array[], block: ChainBlock): Promise<ProvedKey[]> {
    const { keyRegistry } = this.pinned;
    const slots = keyIds.map(keyId => keySlot(keyId, keyRegistry.keysSlot));
    const proved = await proveSlots(this.rpc, block, keyRegistry, slots);
    return proved.map(({ word, nodes }) => ({ key: word === undefined ? undefined : readKey(word), nodes }));
  }

  /** The root of the key registry's storage: while it is the same, no key was added or retired. */
  keysRoot(block: ChainBlock): Promise<Uint8Array> {
    return proveStorageRoot(this.rpc, block, this.pinned.keyRegistry);
  }

  /**
   * The event that made an anchor, between two blocks, both inclusive. Its block is on the chain; that the transaction is in it,
   * the node says. @throws {ChainWrong} where none is found although the state has the root
   */
  async anchorEvent(
    logId: Uint8Array,
    size: number,
    root: Uint8Array,
    blocks: BlockRange,
  ): Promise<AnchorEvent> {
    const { address } = this.pinned.anchorRegistry;
    for await (const log of this.#logs(address, anchorTopics(logId, size), blocks)) {
      const found = trusting(this.rpc, 'event', () => decodeAnchoredRoot(log));
      if (!equalBytes(found, root)) continue;
      const block = await this.chain.block(log.blockNumber);
      if (!equalBytes(block.hash, log.blockHash)) continue;
      return { block, transaction: log.transactionHash };
    }
    this.rpc.distrust();
    const range = `${blocks.from} to ${blocks.to}`;
    throw new ChainWrong('event', `no event in blocks ${range} tells of the anchor of size ${size}`);
  }

  /**
   * What the key registry's events say between two blocks, both inclusive, in their order. Hints: none is proved. Those that
   * cannot be read are passed over.
   */
  async *keyEvents(blocks: BlockRange): AsyncGenerator<PlacedKeyEvent> {
    for await (const log of this.#logs(this.pinned.keyRegistry.address, [], blocks)) {
      const event = readKeyEvent(log);
      if (event !== undefined) yield { ...event, block: log.blockNumber };
    }
  }

  async *#logs(
    address: Uint8Array,
    topics: readonly string[],
    { from, to }: BlockRange,
  ): AsyncGenerator<Log> {
    for (let at = from; at <= to; at += blocksMax) {
      const range = { fromBlock: at, toBlock: Math.min(to, at + blocksMax - 1) };
      const filter = {
        address: formatHex0x(address),
        topics,
        fromBlock: formatQuantity(range.fromBlock),
        toBlock: formatQuantity(range.toBlock),
      };
      const logs = await this.rpc.ask({ method: 'eth_getLogs', params: [filter], shape: z.array(logShape) });
      for (const log of logs) {
        const isAsked = log.blockNumber >= range.fromBlock && log.blockNumber <= range.toBlock;
        if (isAsked && equalBytes(log.address, address)) yield log;
      }
    }
  }
}

/** Blocks by number, both inclusive. */
export type BlockRange = { readonly from: number; readonly to: number };

function readKeyEvent(event: RawEvent): KeyEvent | undefined {
  try {
    return decodeKeyEvent(event);
  } catch (error) {
    // A hint that cannot be read leads nowhere; what the state holds is found by the next one.
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** A slot that names no agency or algorithm is no key: the contract writes none such. */
function readKey(word: Uint8Array): RegisteredKey | undefined {
  try {
    return parseKeySlot(word);
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}
