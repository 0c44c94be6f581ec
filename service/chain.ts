/**
 * The chain's blocks, as far as a node can prove them: a header is believed when it hashes to the block's hash, a block is final
 * when the consensus' own rule says so. The RPC tag `finalized` is a node's opinion and is never used.
 */

import { z } from 'zod';
import { equalBytes, formatHex0x } from '../merkle/bytes.ts';
import { FormatError, ProofError } from '../merkle/errors.ts';
import { type Header, headerFromRpc, parseHeader } from '../merkle/header.ts';
import { blockHash, type ChainRules, headersNeeded, verifyHeaders } from '../merkle/seals.ts';
import {
  ChainUnreachable,
  ChainWrong,
  dataOf,
  formatQuantity,
  type Question,
  quantity,
  type Rpc,
} from './rpc.ts';

/** A block whose header hashes to its hash. */
export type ChainBlock = {
  readonly number: number;
  readonly hash: Uint8Array;
  /** Seconds since 1970. */
  readonly time: number;
  readonly stateRoot: Uint8Array;
  /** The header in RLP. */
  readonly header: Uint8Array;
  /** Wei for each unit of gas; undefined on a chain without EIP-1559. */
  readonly baseFee: bigint | undefined;
  readonly gasLimit: bigint;
};

/** A block that the chain's rules do not take back, with the headers that show it: its own first. */
export type FinalBlock = ChainBlock & { readonly headers: readonly Uint8Array[] };

/** What is pinned about a chain. */
export type PinnedChain = {
  /** A uint256 in decimal. */
  readonly chainId: string;
  readonly genesisHash: Uint8Array;
  readonly rules: ChainRules;
};

/** A node whose head is older than one we have seen by more than this is left behind. Seconds. */
const staleAfterS = 30;
/** How far below the head we look for a block with enough seals: nodes may stop collecting a seal too early. */
const sealSearchDepth = 16;

const blockShape = z.record(z.string(), z.unknown()).nullable();

export class Chain {
  readonly #rpc: Rpc;
  readonly #pinned: PinnedChain;
  readonly #confirmations: number;
  /** Time of the newest block that any node has shown. */
  #newestTime = 0;

  /** @param options.confirmations blocks on top that make a block final where consensus is `none` */
  constructor(options: { readonly rpc: Rpc; readonly pinned: PinnedChain; readonly confirmations?: number }) {
    this.#rpc = options.rpc;
    this.#pinned = options.pinned;
    this.#confirmations = options.confirmations ?? 0;
  }

  get chainId(): string {
    return this.#pinned.chainId;
  }

  /**
   * The newest block of a node that is on our chain: chain id and genesis are asked each time, because what answers under a URL
   * can change.
   * @throws {ChainUnreachable} also for a node that has fallen behind
   * @throws {ChainWrong} for a node of another chain, or one whose header is not the block's
   */
  async latest(): Promise<ChainBlock> {
    const newestTime = this.#newestTime;
    const [chainId, genesis, latest] = await this.#rpc.askAll([
      { method: 'eth_chainId', params: [], shape: quantity },
      blockQuestion('0x0'),
      blockQuestion('latest'),
    ]);
    return this.#trusting(() => {
      if (String(chainId) !== this.#pinned.chainId) {
        throw new ChainWrong('chain', `the node is on chain ${chainId}, want ${this.#pinned.chainId}`);
      }
      const { hash } = this.#read(genesis, 0);
      if (!equalBytes(hash, this.#pinned.genesisHash)) {
        const wanted = formatHex0x(this.#pinned.genesisHash);
        throw new ChainWrong('chain', `the node's block 0 is ${formatHex0x(hash)}, want ${wanted}`);
      }
      const block = this.#read(latest, undefined);
      if (block.time + staleAfterS < newestTime) {
        const behind = newestTime - block.time;
        throw new ChainUnreachable(`the node's newest block is ${behind} s older than one seen before`);
      }
      this.#newestTime = Math.max(this.#newestTime, block.time);
      return block;
    });
  }

  /** The block with a number. @throws {ChainUnreachable, ChainWrong} */
  async block(number: number): Promise<ChainBlock> {
    const answer = await this.#rpc.ask(blockQuestion(formatQuantity(number)));
    return this.#trusting(() => this.#read(answer, number));
  }

  /**
   * The newest final block up to a newest block. QBFT: a block with enough seals; Clique: one with enough descendants by other
   * signers; `none`: one with the configured number of blocks on top.
   * @throws {ChainUnreachable} when there is none yet
   */
  async final(latest: ChainBlock): Promise<FinalBlock> {
    const { rules } = this.#pinned;
    if (rules.consensus === 'none') {
      const number = Math.max(0, latest.number - this.#confirmations);
      const block = number === latest.number ? latest : await this.block(number);
      return { ...block, headers: [block.header] };
    }
    let why = 'the chain is too short';
    for (let depth = 0; depth < sealSearchDepth && depth <= latest.number; depth++) {
      const needed = this.#trusting(() => headersNeeded(rules, latest.number - depth));
      const first = latest.number - depth - (needed - 1);
      if (first < 0) break;
      const numbers = Array.from({ length: needed }, (_, i) => first + i);
      const blocks = await Promise.all(numbers.map(n => (n === latest.number ? latest : this.block(n))));
      const headers = blocks.map(block => block.header);
      const [block] = blocks;
      const fault = missingSeals(rules, headers);
      if (block !== undefined && fault === undefined) return { ...block, headers };
      why = fault ?? why;
    }
    throw new ChainUnreachable(`no block up to ${latest.number} is final: ${why}`);
  }

  /** Reads a block and binds it to its hash, whatever the node says the hash is. */
  #read(answer: Record<string, unknown> | null, number: number | undefined): ChainBlock {
    if (answer === null) throw new ChainUnreachable(`the node has no block ${number ?? 'at all'}`);
    const header = headerFromRpc(answer);
    const parsed = parseHeader(header);
    const hash = blockHash(this.#pinned.rules.consensus, parsed);
    const named = dataOf(32).safeParse(answer['hash']);
    if (!named.success || !equalBytes(named.data, hash)) {
      throw new ChainWrong(
        'header',
        `the header of block ${parsed.number} does not hash to the block's hash`,
      );
    }
    if (number !== undefined && parsed.number !== number) {
      throw new ChainWrong('header', `asked for block ${number}, got block ${parsed.number}`);
    }
    return { ...chainBlock(parsed, hash, header), ...feesOf(answer) };
  }

  #trusting<T>(read: () => T): T {
    return trusting(this.#rpc, 'header', read);
  }
}

/**
 * Runs code that judges what a node has answered. A node that is wrong is not asked next time.
 * @throws {ChainWrong} for a proof that fails or a form that is not kept, too
 */
export function trusting<T>(rpc: Rpc, fault: ChainWrong['fault'], judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    rpc.distrust();
    if (error instanceof ProofError || error instanceof FormatError) {
      throw new ChainWrong(fault, error.message, error);
    }
    throw error;
  }
}

function blockQuestion(block: string): Question<Record<string, unknown> | null> {
  return { method: 'eth_getBlockByNumber', params: [block, false], shape: blockShape };
}

function chainBlock({ number, time, stateRoot }: Header, hash: Uint8Array, header: Uint8Array) {
  return { number, hash, time, stateRoot, header };
}

/** The two members that sending needs. They are in the header that was hashed; here they are easier to read. */
function feesOf(answer: Record<string, unknown>): Pick<ChainBlock, 'baseFee' | 'gasLimit'> {
  const baseFee = quantity.safeParse(answer['baseFeePerGas']);
  const gasLimit = quantity.safeParse(answer['gasLimit']);
  return { baseFee: baseFee.success ? baseFee.data : undefined, gasLimit: gasLimit.data ?? 0n };
}

/** Why these headers do not show a final block; undefined when they do. */
function missingSeals(rules: ChainRules, headers: readonly Uint8Array[]): string | undefined {
  try {
    verifyHeaders(rules, headers);
    return undefined;
  } catch (error) {
    // Too few seals so far is not a lie: the next block may have more.
    if (error instanceof ProofError) return error.message;
    throw error;
  }
}
