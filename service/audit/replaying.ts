/**
 * One walk along the chain that replays what concerns the followed contracts.
 *
 * What does concern them: a transaction to one of them, and one during which one of them emitted an event, since none of ours changes
 * without an event. Such blocks show by their filters (bloom.ts), in headers that are hashed, so no node can leave one out.
 *
 * Most often nothing else matters. But if a transaction reaches a followed contract through another one (a wallet of several people,
 * say), or ends otherwise here than there, then the walk has begun too late or left something out, and says with which plan to begin
 * again: in the end with every transaction since the chain's first block.
 */

import { equalBytes, formatHex0x } from '../../merkle/bytes.ts';
import type { TrustedChain } from '../../merkle/trust.ts';
import { BlockIndex } from './block-index.ts';
import { type ChainBlock, type ChainHeader, readBlocks } from './blocks.ts';
import { bloomBits, mayHold } from './bloom.ts';
import type { Finding } from './findings.ts';
import { type ChainNode, unanswered } from './node.ts';
import { Refutation } from './refutation.ts';
import type { RegistryEvents } from './registry-events.ts';
import { type Outcome, Replay } from './replay.ts';
import type { ChainEvent, ChainReceipt, ChainTransaction } from './transactions.ts';

/** What is replayed. */
export type Plan = {
  readonly from: number;
  /** Addresses in lower-case hexadecimal. */
  readonly followed: ReadonlySet<string>;
  /** All transactions, or those that concern the followed contracts. */
  readonly everything: boolean;
  /** Whether a transaction's sender is taken from its signature, or from what the node says, until something does not fit. */
  readonly recovers: boolean;
};

export type Replayed = {
  readonly replay: Replay;
  readonly events: RegistryEvents;
  readonly index: BlockIndex;
  /** Goes on to a later block. Gives another plan where this one will not do; throws as `replayChain`. */
  readonly goOn: (final: ChainHeader) => Promise<Plan | undefined>;
  /** Transactions that ended otherwise here than there. */
  readonly differing: readonly Finding[];
  /** Transactions that this chain could not do. */
  readonly unreplayed: readonly Finding[];
  readonly counts: {
    readonly blocks: number;
    readonly transactions: number;
    readonly replayed: number;
    readonly reverted: number;
  };
};

/** A block that was final once. */
export type SeenBlock = { readonly number: number; readonly hash: Uint8Array };

export type WalkWorld = {
  readonly node: ChainNode;
  readonly chain: TrustedChain;
  readonly final: ChainHeader;
  readonly seen: SeenBlock | undefined;
  readonly newEvents: () => RegistryEvents;
  /** Transactions that one replaying network takes. */
  readonly room: number;
  readonly progress: (done: number, total: number) => void;
};

/** Walks with a plan, until it ends or another plan is needed. @throws {CouldNotCheck, Refutation} as readBlocks does */
export async function replayChain(world: WalkWorld, plan: Plan): Promise<Replayed | { readonly plan: Plan }> {
  const { chain, final, room } = world;
  const replay = await Replay.start({ chainId: chain.chainId, headerItems: final.items, room });
  const walk = new Walk(world, plan, replay);
  try {
    const next = await walk.to(final);
    if (next === undefined) return walk.result();
    await replay.close();
    return { plan: next };
  } catch (error) {
    await replay.close();
    throw error;
  }
}

class Walk {
  readonly #world: WalkWorld;
  readonly #plan: Plan;
  readonly #replay: Replay;
  readonly #events: RegistryEvents;
  readonly #index = new BlockIndex();
  readonly #differing: Finding[] = [];
  readonly #unreplayed: Finding[] = [];
  readonly #counts = { blocks: 0, transactions: 0, replayed: 0, reverted: 0 };
  /** The last block that was read. */
  #last: ChainHeader | undefined;

  constructor(world: WalkWorld, plan: Plan, replay: Replay) {
    this.#world = world;
    this.#plan = plan;
    this.#replay = replay;
    this.#events = world.newEvents();
  }

  result(): Replayed {
    return {
      replay: this.#replay,
      events: this.#events,
      index: this.#index,
      goOn: final => this.to(final),
      differing: this.#differing,
      unreplayed: this.#unreplayed,
      counts: this.#counts,
    };
  }

  /** Reads and replays up to a block. Gives another plan as soon as this one will not do. */
  async to(final: ChainHeader): Promise<Plan | undefined> {
    return (await this.#read(final)) ?? (await this.#nextPlan());
  }

  async #read(final: ChainHeader): Promise<Plan | undefined> {
    const { node, chain, progress } = this.#world;
    const { followed } = this.#plan;
    const from = this.#last === undefined ? this.#plan.from : this.#last.number + 1;
    const bits = [...followed].map(address => bloomBits(bytesOf(address)));
    const batches = readBlocks({
      node,
      consensus: chain.consensus,
      from,
      to: final.number,
      parentHash: this.#last?.hash ?? (from === 1 ? chain.genesisHash : undefined),
      wanted: ({ bloom }, transactions) =>
        bits.some(each => mayHold(bloom, each)) || transactions.some(({ to }) => this.#follows(to)),
    });
    for await (const batch of batches) {
      for (const block of batch) {
        const next = await this.#replayBlock(block);
        if (next !== undefined) return next;
      }
      const last = batch.at(-1);
      this.#last = last;
      progress(this.#counts.blocks, final.number - this.#plan.from + 1);
      if (last?.number !== final.number || equalBytes(last.hash, final.hash)) continue;
      const [now, before] = [formatHex0x(last.hash), formatHex0x(final.hash)];
      throw unanswered("the chain's blocks", `block ${last.number} was ${before} and is now ${now}`);
    }
    return undefined;
  }

  /** What the walk has found out about what it should have replayed. */
  async #nextPlan(): Promise<Plan | undefined> {
    const { from, followed, recovers } = this.#plan;
    const unknown = [...this.#events.authorities].filter(address => !followed.has(address));
    // It may have been created long before it began to govern.
    if (unknown.length > 0) return this.#planFromStart({ followed: new Set([...followed, ...unknown]) });
    if (from === 1 && recovers) return undefined;
    for (const address of followed) {
      if ((await this.#replay.code(bytesOf(address))).length === 0) return this.#planFromStart({});
    }
    return undefined;
  }

  async #replayBlock(block: ChainBlock): Promise<Plan | undefined> {
    verifySeen(block, this.#world.seen);
    this.#index.add(block);
    this.#counts.blocks++;
    this.#counts.transactions += block.transactions.length;
    for (const [i, transaction] of block.transactions.entries()) {
      const receipt = block.receipts[i];
      if (receipt !== undefined && this.#concerns(transaction, receipt)) {
        const gasUsed = receipt.cumulativeGas - (block.receipts[i - 1]?.cumulativeGas ?? 0);
        const next = await this.#replayOurs(block, transaction, { ...receipt, gasUsed });
        if (next !== undefined) return next;
      } else if (this.#plan.everything) {
        this.#counts.replayed++;
        await this.#replay.send(transaction, block, this.#plan.recovers);
      }
    }
    return undefined;
  }

  /** Replays a transaction that concerns the followed contracts, and compares what became of it. */
  async #replayOurs(
    block: ChainBlock,
    transaction: ChainTransaction,
    receipt: ChainReceipt & { readonly gasUsed: number },
  ): Promise<Plan | undefined> {
    const { everything } = this.#plan;
    const isIndirect = transaction.to !== undefined && !this.#follows(transaction.to);
    if (isIndirect && !everything) return this.#planFromStart({ everything: true });
    const outcome = await this.#replay.send(transaction, block, this.#plan.recovers);
    this.#counts.replayed++;
    if (!receipt.succeeded) this.#counts.reverted++;

    const fault = this.#compare(outcome, receipt);
    if (fault !== undefined && !everything) return this.#planFromStart({ everything: true });
    const isOutOfReach = fault !== undefined && (isIndirect || 'refused' in outcome);
    if (fault !== undefined) this.#note(fault, isOutOfReach, block, transaction, receipt);
    // What this chain cannot do is told by the real one: its events are in the receipts that the header commits to.
    const events = isOutOfReach || 'refused' in outcome ? receipt.events : outcome.events;
    const place = {
      block: block.number,
      blockTime: block.time,
      transaction: transaction.hash,
      gasUsed: receipt.gasUsed,
    };
    for (const event of events) this.#events.apply(event, place);
    return undefined;
  }

  #planFromStart(more: Partial<Plan>): Plan {
    return { ...this.#plan, from: 1, recovers: true, ...more };
  }

  #follows(address: Uint8Array | undefined): boolean {
    return address !== undefined && this.#plan.followed.has(formatHex0x(address));
  }

  #concerns({ to }: ChainTransaction, { events }: ChainReceipt): boolean {
    return this.#follows(to) || events.some(({ address }) => this.#follows(address));
  }

  /** How a transaction ended otherwise here than there; undefined where it did not. Other contracts' events are not ours to judge. */
  #compare(outcome: Outcome, receipt: ChainReceipt): string | undefined {
    if ('refused' in outcome) return outcome.refused;
    if (outcome.succeeded !== receipt.succeeded) {
      const [there, here] = [receipt.succeeded, outcome.succeeded].map(well =>
        well ? 'succeeded' : 'failed',
      );
      return `it ${there} on the chain and ${here} in the replay`;
    }
    const [there, here] = [receipt.events, outcome.events].map(events => this.#ours(events));
    return there === here ? undefined : 'our contracts emitted other events on the chain than in the replay';
  }

  #ours(events: readonly ChainEvent[]): string {
    return events
      .filter(({ address }) => this.#follows(address))
      .map(({ address, topics, data }) => [address, ...topics, data].map(formatHex0x).join())
      .join('\n');
  }

  #note(
    fault: string,
    isOutOfReach: boolean,
    block: ChainHeader,
    { hash, raw }: ChainTransaction,
    receipt: ChainReceipt,
  ): void {
    const message = `transaction ${formatHex0x(hash)} in block ${block.number}: ${fault}`;
    const proof = {
      header: formatHex0x(block.rlp),
      transaction: formatHex0x(raw),
      receipt: formatHex0x(receipt.raw),
    };
    const place = { block: block.number };
    if (isOutOfReach) this.#unreplayed.push({ code: 'NOT_REPLAYED', place, message, proof });
    else this.#differing.push({ code: 'OUTCOME_DIFFERS', place, message, proof });
  }
}

function bytesOf(address: string): Uint8Array {
  return Uint8Array.from(Buffer.from(address.slice(2), 'hex'));
}

function verifySeen({ number, hash, rlp }: ChainHeader, seen: SeenBlock | undefined): void {
  if (seen?.number !== number || equalBytes(seen.hash, hash)) return;
  const [found, wanted] = [formatHex0x(hash), formatHex0x(seen.hash)];
  throw new Refutation({
    code: 'CHAIN_REWRITTEN',
    place: { block: number },
    message: `block ${number} is ${found}, an earlier audit saw ${wanted} there`,
    proof: { header: formatHex0x(rlp), seen: wanted },
  });
}
