/**
 * The chain's blocks, read from a node and held against their own hashes: each header is rebuilt and hashed, names the one before it
 * as its parent, and commits to the transactions that are shown with it, and to the receipts of those that matter.
 *
 * So nothing is on the node's word below the last header, which is final by the chain's own rule (finality.ts): a transaction that is
 * hidden, invented, changed or moved shows in its block.
 */

import { z } from 'zod';
import { equalBytes, formatHex0x } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { type Header, headerFromRpc, parseHeader } from '../../merkle/header.ts';
import { decodeString } from '../../merkle/rlp.ts';
import { blockHash, type Consensus } from '../../merkle/seals.ts';
import { formatQuantity, type Question } from '../rpc.ts';
import { type ChainNode, unanswered } from './node.ts';
import { Refutation } from './refutation.ts';
import { type ChainReceipt, type ChainTransaction, readTransaction, receiptShape } from './transactions.ts';
import { orderedTrieRoot } from './trie-root.ts';

/** A block whose header hashes to its hash. */
export type ChainHeader = {
  readonly number: number;
  readonly hash: Uint8Array;
  readonly parentHash: Uint8Array;
  /** Seconds since 1970. */
  readonly time: number;
  readonly stateRoot: Uint8Array;
  readonly transactionsRoot: Uint8Array;
  readonly receiptsRoot: Uint8Array;
  readonly bloom: Uint8Array;
  /** Wei for each unit of gas; 0 where the chain has no EIP-1559. */
  readonly baseFee: bigint;
  /** How many items the header has: it tells the fork. */
  readonly items: number;
  readonly rlp: Uint8Array;
};

/** A block with its transactions; with receipts where they were wanted, one for each transaction. */
export type ChainBlock = ChainHeader & {
  readonly transactions: readonly ChainTransaction[];
  readonly receipts: readonly ChainReceipt[];
};

/** Blocks in one request. Nodes bound the calls in a batch, commonly at 100 or more. */
const batchSize = 50;

const blockShape = z.record(z.string(), z.unknown()).nullable();
export type BlockAnswer = z.infer<typeof blockShape>;

/** The question for a block by number or tag. */
export function blockQuestion(block: number | 'latest', withTransactions: boolean): Question<BlockAnswer> {
  const params = [block === 'latest' ? block : formatQuantity(block), withTransactions];
  return { method: 'eth_getBlockByNumber', params, shape: blockShape };
}

/**
 * Reads a node's answer for a block.
 * @throws {CouldNotCheck} when there is no such block, or the answer is not in its form
 * @throws {Refutation} when the header does not hash to the block's hash, or has another number
 */
export function readHeader(answer: BlockAnswer, consensus: Consensus, number?: number): ChainHeader {
  const place = `block ${number ?? 'latest'}`;
  if (answer === null) throw unanswered("the chain's blocks", `the node has no ${place}`);
  const { rlp, header, hash } = reading(place, () => {
    const rlp = headerFromRpc(answer);
    const header = parseHeader(rlp);
    return { rlp, header, hash: blockHash(consensus, header) };
  });
  if (answer['hash'] !== formatHex0x(hash)) {
    throw wrongHeader(header.number, rlp, `hashes to ${formatHex0x(hash)}, the node says ${answer['hash']}`);
  }
  if (number !== undefined && header.number !== number) {
    throw wrongHeader(number, rlp, `is the header of block ${header.number}`);
  }
  const item = (i: number) => decodeString(header.items[i] ?? emptyItem);
  return {
    number: header.number,
    hash,
    parentHash: header.parentHash,
    time: header.time,
    stateRoot: header.stateRoot,
    transactionsRoot: item(4),
    receiptsRoot: item(5),
    bloom: item(6),
    baseFee: baseFeeOf(header),
    items: header.items.length,
    rlp,
  };
}

/**
 * Reads the blocks from one number to another, both inclusive, in batches: the next one is asked for while this one is looked at.
 *
 * @param options.parentHash the hash of the block before the first, where it is known
 * @param options.wanted which blocks' receipts are read
 * @throws {CouldNotCheck} when the node does not give them all
 * @throws {Refutation} at the first block that does not fit
 */
export async function* readBlocks(options: {
  readonly node: ChainNode;
  readonly consensus: Consensus;
  readonly from: number;
  readonly to: number;
  readonly parentHash?: Uint8Array | undefined;
  readonly wanted: (block: ChainHeader, transactions: readonly ChainTransaction[]) => boolean;
}): AsyncGenerator<ChainBlock[]> {
  const { from, to, wanted, node } = options;
  const ask = async (first: number): Promise<BlockAnswer[]> => {
    const count = Math.min(batchSize, to - first + 1);
    const questions = Array.from({ length: count }, (_, i) => blockQuestion(first + i, true));
    return node.askAll("the chain's blocks", questions);
  };
  let parentHash = options.parentHash;
  let next = ask(from);
  for (let first = from; first <= to; first += batchSize) {
    const answers = await next;
    if (first + batchSize <= to) next = ask(first + batchSize);
    // Nobody waits for it if this batch is refuted.
    next.catch(() => undefined);
    const blocks: (ChainHeader & Pick<ChainBlock, 'transactions'>)[] = [];
    for (const [i, answer] of answers.entries()) {
      const block = readHeader(answer, options.consensus, first + i);
      verifyParent(block, parentHash);
      blocks.push({ ...block, transactions: readTransactions(block, answer) });
      parentHash = block.hash;
    }
    const chosen = blocks.filter(block => wanted(block, block.transactions));
    const receipts = await readReceipts(node, chosen);
    yield blocks.map(block => ({ ...block, receipts: receipts.get(block.number) ?? [] }));
  }
}

function verifyParent(block: ChainHeader, parentHash: Uint8Array | undefined): void {
  if (parentHash === undefined || equalBytes(block.parentHash, parentHash)) return;
  const [named, wanted] = [formatHex0x(block.parentHash), formatHex0x(parentHash)];
  throw new Refutation({
    code: 'HEADER_NOT_LINKED',
    place: { block: block.number },
    message: `block ${block.number} names ${named} as its parent, want ${wanted}`,
    proof: { header: formatHex0x(block.rlp), parentHash: wanted },
  });
}

function readTransactions(block: ChainHeader, answer: BlockAnswer): ChainTransaction[] {
  const listed = z.array(z.unknown()).safeParse(answer?.['transactions']);
  const place = `block ${block.number}`;
  if (!listed.success) throw unanswered("the chain's transactions", `${place} is shown without a list`);
  const transactions = listed.data.map((json, i) => {
    const transaction = readTransaction(json);
    if (transaction !== undefined) return transaction;
    throw unanswered(
      "the chain's transactions",
      `transaction ${i} of ${place} is of a kind that we do not know`,
    );
  });
  const root = orderedTrieRoot(transactions.map(({ raw }) => raw));
  if (equalBytes(root, block.transactionsRoot)) return transactions;

  // Which one was changed shows by its hash; that one is missing, or too many, shows by the root alone.
  const changed = transactions.find(({ hash, namedHash }) => !equalBytes(hash, namedHash));
  const which = changed === undefined ? '' : `; ${formatHex0x(changed.namedHash)} does not hash to its hash`;
  throw new Refutation({
    code: 'TRANSACTIONS_DIFFER',
    place: { block: block.number },
    message: `${place} is shown with ${transactions.length} transactions whose root is ${formatHex0x(root)}, its header has ${formatHex0x(block.transactionsRoot)}${which}`,
    proof: {
      header: formatHex0x(block.rlp),
      ...Object.fromEntries(transactions.map(({ raw }, i) => [`transaction${i}`, formatHex0x(raw)])),
    },
  });
}

/** The receipts of blocks, by block number. */
async function readReceipts(
  node: ChainNode,
  blocks: readonly (ChainHeader & Pick<ChainBlock, 'transactions'>)[],
): Promise<Map<number, ChainReceipt[]>> {
  const questions = blocks.flatMap(({ transactions }) =>
    transactions.map(({ hash }) => ({
      method: 'eth_getTransactionReceipt',
      params: [formatHex0x(hash)],
      shape: receiptShape,
    })),
  );
  if (questions.length === 0) return new Map();
  const answers = await node.askAll("the transactions' receipts", questions);
  const byBlock = new Map<number, ChainReceipt[]>();
  let at = 0;
  for (const block of blocks) {
    const receipts = answers.slice(at, at + block.transactions.length);
    at += receipts.length;
    verifyReceipts(block, receipts);
    byBlock.set(block.number, receipts);
  }
  return byBlock;
}

function verifyReceipts(block: ChainHeader, receipts: readonly ChainReceipt[]): void {
  const root = orderedTrieRoot(receipts.map(({ raw }) => raw));
  if (equalBytes(root, block.receiptsRoot)) return;
  throw new Refutation({
    code: 'RECEIPTS_DIFFER',
    place: { block: block.number },
    message: `block ${block.number} is shown with receipts whose root is ${formatHex0x(root)}, its header has ${formatHex0x(block.receiptsRoot)}`,
    proof: {
      header: formatHex0x(block.rlp),
      ...Object.fromEntries(receipts.map(({ raw }, i) => [`receipt${i}`, formatHex0x(raw)])),
    },
  });
}

const emptyItem = Uint8Array.of(0x80);
/** Since London: the sixteenth item. */
const baseFeeItem = 15;

function baseFeeOf({ items }: Header): bigint {
  const item = items[baseFeeItem];
  if (item === undefined) return 0n;
  return decodeString(item).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function wrongHeader(number: number, rlp: Uint8Array, what: string): Refutation {
  return new Refutation({
    code: 'HEADER_DIFFERS',
    place: { block: number },
    message: `the header shown for block ${number} ${what}`,
    proof: { header: formatHex0x(rlp) },
  });
}

/** What is not in its form proves nothing. */
function reading<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw unanswered(
      "the chain's blocks",
      `the node shows ${place} in another form: ${error.message}`,
      error,
    );
  }
}
