/**
 * Anchoring: the newest root of the log goes into the registry, one at a time, and its evidence is frozen when that is final.
 *
 * A step looks first and acts then, and every step begins by looking at the same things, so a restart after a crash at any line is
 * nothing but the next step. What receipts and events say counts for nothing: an anchor is there when a final block's state is
 * proved to hold its root, and a transaction is given up only when the same state proves that it cannot succeed.
 */

import type { Logger } from 'pino';
import { equalBytes, formatHex, formatHex0x } from '../merkle/bytes.ts';
import { readCheckpoint } from '../merkle/checkpoint.ts';
import { parseEntry } from '../merkle/entry.ts';
import { encodeAnchor, type LogHead } from './abi.ts';
import { AnchorFault } from './anchor-faults.ts';
import type { AnchorBook, PendingAnchor, SignedTransaction } from './anchors.ts';
import type { ChainBlock, FinalBlock } from './chain.ts';
import { LedgerError } from './errors.ts';
import { gatherEvidence } from './gathering.ts';
import { HeadJudge } from './head-judge.ts';
import { clockToleranceMs } from './hearing.ts';
import type { Ledger } from './ledger.ts';
import type { Registry } from './registry.ts';
import { Sender, type TransactionSigner } from './transactions.ts';

export type AnchoringParts = {
  readonly ledger: Pick<
    Ledger,
    'logId' | 'read' | 'signed' | 'recordsUpTo' | 'lastChainEntry' | 'appendChainEntry' | 'freeze'
  >;
  readonly registry: Registry;
  readonly book: AnchorBook;
  /** The key of the log's anchorer. */
  readonly signer: TransactionSigner;
  /** The least time between two anchors. */
  readonly intervalMs: number;
  readonly now: () => number;
  readonly log: Logger;
};

/** Transactions signed, sent (again counts), given up; anchors that became final. */
export type AnchoringCounts = {
  readonly signed: number;
  readonly sent: number;
  readonly abandoned: number;
  readonly final: number;
};

/** A transaction that a node says it has is sent again after this long all the same. */
const resendAfterMs = 30_000;

/** The blocks before a final one in which the event of an anchor can be that is signed now, with room for a deep reorganisation. */
const eventBlocks = 1_000;

export class Anchoring {
  readonly #ledger: AnchoringParts['ledger'];
  readonly #registry: Registry;
  readonly #book: AnchorBook;
  readonly #sender: Sender;
  readonly #judge: HeadJudge;
  readonly #intervalMs: number;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #counts = { signed: 0, sent: 0, abandoned: 0, final: 0 };
  #begunAt = Number.NEGATIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(parts: AnchoringParts) {
    const { ledger, registry, book, signer } = parts;
    this.#ledger = ledger;
    this.#registry = registry;
    this.#book = book;
    this.#sender = new Sender({ rpc: registry.rpc, chainId: registry.chain.chainId, signer });
    this.#judge = new HeadJudge({ ledger, registry, anchorer: signer.address });
    this.#intervalMs = parts.intervalMs;
    this.#now = parts.now;
    this.#log = parts.log;
  }

  get counts(): AnchoringCounts {
    return { ...this.#counts };
  }

  /** Looks, and does what can be done. @throws {AnchorFault, SendError, ChainUnreachable, ChainWrong} when that is nothing */
  async step(): Promise<void> {
    await this.#beginOpening();
    const { chain } = this.#registry;
    const latest = await chain.latest();
    const final = await chain.final(latest);
    await this.#settle(final);

    const head = await this.#registry.head(this.#ledger.logId, latest);
    await this.#judge.judge(head, this.#book.finalSize, latest, final);
    const { pending } = this.#book;
    if (pending !== undefined) await this.#pursue(pending, head, latest, final);
    else if (this.#isDue()) await this.#begin(head, latest, final);
  }

  /** Opening the log is its anchor of size 1, made by somebody else's transaction. */
  async #beginOpening(): Promise<void> {
    // The first step meets the log at size 1 and writes its checkpoint down, whether the chain answers or not: later the log is
    // larger, and that checkpoint is nowhere else.
    if (this.#book.finalSize > 0 || this.#book.pending !== undefined || this.#ledger.signed().size > 1)
      return;
    const fromBlock = this.#registry.pinned.anchorRegistry.block;
    await this.#book.begin({ ...this.#signed(), oldSize: 0, fromBlock, transaction: null });
  }

  /** The tree as it is signed now: what an anchor is made of. */
  #signed(): Pick<PendingAnchor, 'size' | 'root' | 'checkpoint' | 'createdAt'> {
    const { size, root, checkpoint } = this.#ledger.signed();
    // A wrong size would jam the log for ever, since a consistency proof does not bind it. The signature does.
    const signed = readCheckpoint(checkpoint);
    if (signed.size !== size || !equalBytes(signed.root, root))
      throw new Error('the checkpoint is of another tree');
    return { size, root, checkpoint, createdAt: this.#now() };
  }

  /** Freezes the evidence of the anchor that is under way, if a final block's state holds it. */
  async #settle(final: FinalBlock): Promise<void> {
    const { pending } = this.#book;
    if (pending === undefined) return;
    const { size, checkpoint, fromBlock } = pending;
    const { logId, read } = this.#ledger;
    const anchor = await this.#registry.root(logId, size, final);
    const { root } = anchor;
    if (root === undefined) return;
    if (!equalBytes(root, pending.root)) throw this.#judge.forked(size, root);

    // A receipt whose entry is younger than its block does not verify, and what is frozen stays: wait for a later block.
    const newest = parseEntry(await read.entry(size - 1)).time;
    if (newest > final.time * 1000 + clockToleranceMs) {
      const youngerMs = newest - final.time * 1000;
      const why = `entry ${size - 1} is ${youngerMs} ms younger than block ${final.number}`;
      throw new AnchorFault('CLOCK_AHEAD', why);
    }

    const range = { from: fromBlock, to: final.number };
    const { block, transaction } = await this.#registry.anchorEvent(logId, size, root, range);
    const entries = { from: this.#book.finalSize, to: size };
    const parts = { read, registry: this.#registry, final, anchor, entries, log: this.#log };
    const evidence = await gatherEvidence(parts);
    const place = { block: block.number, blockHash: block.hash, blockTime: block.time, transaction };
    await this.#book.settle({ size, root, checkpoint, ...place }, evidence);
    this.#counts.final++;
    this.#log.info({ size, root: formatHex(root), block: block.number }, 'anchored root');
  }

  /** Only records call for an anchor; what the service adds itself waits for the next one. */
  #isDue(): boolean {
    const isWaiting = this.#ledger.recordsUpTo() > this.#book.finalSize;
    return isWaiting && this.#now() - this.#begunAt >= this.#intervalMs;
  }

  /** Takes the size, signs the transaction, writes it down, and sends it: in this order. */
  async #begin(head: LogHead, latest: ChainBlock, final: FinalBlock): Promise<void> {
    await this.#addChainEntry(final);
    const signed = this.#signed();
    const { size, root } = signed;
    // The record that calls for it is on disk and not signed yet. An anchor that is final would be made again, and its evidence with it.
    if (size <= this.#book.finalSize) return;
    const oldSize = head.size;
    const first = this.#registry.pinned.anchorRegistry.block;
    if (oldSize === size) {
      await this.#book.begin({ ...signed, oldSize, fromBlock: first, transaction: null });
      return;
    }
    const { read, logId } = this.#ledger;
    const proof = await read.proveConsistency(oldSize, size, head.root, root);
    const data = encodeAnchor({ logId, oldSize, newSize: size, newRoot: root, proof });
    const to = this.#registry.pinned.anchorRegistry.address;
    const { nonce, attempt } = await this.#sender.sign({ to, data }, latest);
    this.#counts.signed++;
    this.#begunAt = this.#now();

    // Written down first. If we crash after this line, the next step finds the transaction and sends these very bytes; before it,
    // nothing has left the house.
    const transaction = { nonce, attempts: [attempt] };
    const fromBlock = Math.max(first, final.number - eventBlocks);
    await this.#book.begin({ ...signed, oldSize, fromBlock, transaction });
    await this.#send(transaction, latest);
  }

  /**
   * Brackets the time of what follows: later than a final block. None when the last record stands before a chain entry already,
   * which is what a retry meets, or when no newer block is final.
   */
  async #addChainEntry(final: FinalBlock): Promise<void> {
    const last = this.#ledger.lastChainEntry();
    if (last !== null && (last.index >= this.#ledger.recordsUpTo() || final.time <= last.blockTime)) return;
    // What stands after it is dated accordingly: a block from the future would drag the log's own time along.
    if (final.time * 1000 > this.#now() + clockToleranceMs) return;
    try {
      await this.#ledger.appendChainEntry({ hash: final.hash, blockTime: final.time });
    } catch (error) {
      // The log takes nothing more; what it has can still be anchored.
      if (!(error instanceof LedgerError)) throw error;
    }
  }

  async #send({ attempts }: SignedTransaction, latest: ChainBlock): Promise<void> {
    const attempt = attempts.at(-1);
    if (attempt === undefined) throw new Error('a transaction has an attempt');
    await this.#sender.send(attempt, latest);
    this.#counts.sent++;
    this.#sentAt = this.#now();
    this.#log.debug({ transaction: formatHex0x(attempt.hash) }, 'sent anchor');
  }

  /** Looks after the anchor that is under way and not final. */
  async #pursue(pending: PendingAnchor, head: LogHead, latest: ChainBlock, final: FinalBlock): Promise<void> {
    const { root } = await this.#registry.root(this.#ledger.logId, pending.size, latest);
    const isInBlock = root !== undefined && equalBytes(root, pending.root);
    this.#book.sawAnchored(isInBlock ? pending.size : 0);
    if (isInBlock) return;

    const { transaction } = pending;
    // The opening's checkpoint is nowhere else, so it is never given up: not even when a node says that the log is open.
    if (pending.oldSize === 0) return;
    // Another's transaction made it, and is gone from the chain; or the key was replaced since, and the old one may not anchor.
    if (transaction === null || !this.#sender.isFromUs(transaction.attempts)) {
      return this.#abandon(pending, 'not ours to send');
    }
    await this.#requireNonce(pending, transaction, latest, final);
    if (head.size > pending.oldSize) {
      // The registry compares and swaps: on another head than the one that it builds on this anchor reverts, now and for ever.
      const overtaking = await this.#registry.root(this.#ledger.logId, head.size, final);
      if (overtaking.root !== undefined) return this.#abandon(pending, 'overtaken');
    }

    const isKnown = await this.#sender.knows(transaction.attempts);
    if (isKnown && this.#now() - this.#sentAt < resendAfterMs) return;
    await this.#send(transaction, latest);
  }

  /** Makes sure that the nonce is still ours to use: else another transaction took it, or ours was mined and changed nothing. */
  async #requireNonce(
    pending: PendingAnchor,
    { nonce, attempts }: SignedTransaction,
    latest: ChainBlock,
    final: FinalBlock,
  ): Promise<void> {
    const account = await this.#sender.account(latest);
    if (account.nonce <= nonce) return;
    const wasReverted = await this.#sender.wasReverted(attempts);
    const code = wasReverted ? 'ANCHOR_REVERTED' : 'KEY_USED_ELSEWHERE';
    // The same final state has the nonce used and the root not there: whatever a pool still holds, it cannot succeed.
    const settled = await this.#sender.account(final);
    if (settled.nonce > nonce) await this.#abandon(pending, code);
    const why = wasReverted
      ? `the anchor of size ${pending.size} was mined and reverted`
      : `nonce ${nonce} of the anchor key was used for a transaction that is not ours`;
    throw new AnchorFault(code, why);
  }

  async #abandon({ size }: PendingAnchor, reason: string): Promise<void> {
    await this.#book.abandon();
    this.#counts.abandoned++;
    this.#log.warn({ size, reason }, 'gave an anchor up');
  }
}
