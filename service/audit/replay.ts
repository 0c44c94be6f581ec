/**
 * A chain of the auditor's own, to which the real chain's transactions are sent again, in their order, with their senders, nonces, data
 * and times. What it says is ours, and complete.
 *
 * Each transaction gets a block of its own. What differs from the real chain is what no contract of ours reads: block numbers and
 * hashes, the proposer, and how much money senders have. A contract that does read these, or that stood on the chain before the first
 * transaction here, cannot be replayed.
 */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Transaction } from 'ethers';
import { ZodError, z } from 'zod';
import { equalBytes, formatHex0x, parseHex0x } from '../../merkle/bytes.ts';
import type { Account } from '../../merkle/evidence.ts';
import { formatQuantity } from '../rpc.ts';
import type { ChainHeader } from './blocks.ts';
import { addTouched, carry, type Touched } from './carrying.ts';
import { Network, type NetworkOptions } from './network.ts';
import { type ChainEvent, type ChainReceipt, type ChainTransaction, receiptShape } from './transactions.ts';

/** What became of a transaction here; a refusal's reason where the network did not take it. */
export type Outcome =
  | { readonly succeeded: boolean; readonly events: readonly ChainEvent[] }
  | { readonly refused: string };

/** More than any transaction costs, and far from what an account's balance can hold. */
const plenty = formatQuantity(10n ** 40n);

export class Replay {
  readonly #options: NetworkOptions & { readonly room: number };
  #network: Network;
  /** The nonce that each sender's next transaction has in this network, by address. */
  readonly #nonces = new Map<string, number>();
  /** What was sent to this network, by hash; and what those before it have touched. */
  #sent: string[] = [];
  readonly #touched: Touched = new Map();

  constructor(options: NetworkOptions & { readonly room: number }, network: Network) {
    this.#options = options;
    this.#network = network;
  }

  /**
   * Starts an empty chain.
   * @param options.room after so many transactions what came out is carried to a fresh network, so that memory stays bounded
   * @throws {CouldNotCheck} for a chain id that is no safe integer
   */
  static async start(options: NetworkOptions & { readonly room: number }): Promise<Replay> {
    return new Replay(options, await Network.open(options));
  }

  /**
   * Sends a transaction of the real chain, as it was signed, in a block of its time.
   * @param recovers whether its sender is taken from its signature, which takes some milliseconds. Otherwise it is whom the node
   *   names, as long as the network takes it: a lie may give others nonces, so that what differs afterwards is no finding yet
   */
  async send(
    transaction: ChainTransaction,
    block: Pick<ChainHeader, 'time' | 'baseFee'>,
    recovers: boolean,
  ): Promise<Outcome> {
    if (this.#sent.length >= this.#options.room) await this.#renew();
    if (recovers) return this.#sendFrom(signerOf(transaction), transaction, block);
    const outcome = await this.#sendFrom(transaction.from, transaction, block);
    if (!('refused' in outcome)) return outcome;
    const from = signerOf(transaction);
    return equalBytes(from, transaction.from) ? outcome : this.#sendFrom(from, transaction, block);
  }

  async #sendFrom(
    from: Uint8Array,
    { nonce, raw }: ChainTransaction,
    { time, baseFee }: Pick<ChainHeader, 'time' | 'baseFee'>,
  ): Promise<Outcome> {
    const sender = formatHex0x(from);
    const network = this.#network;
    try {
      if (!this.#nonces.has(sender)) await network.ask('hardhat_setBalance', sender, plenty);
      // Addresses of contracts depend on it, and what came between may have no part in this replay.
      if (this.#nonces.get(sender) !== nonce) {
        await network.ask('hardhat_setNonce', sender, formatQuantity(nonce));
      }
      await network.ask('evm_setNextBlockTimestamp', formatQuantity(time));
      await network.ask('hardhat_setNextBlockBaseFeePerGas', formatQuantity(baseFee));
      const hash = z.string().parse(await network.ask('eth_sendRawTransaction', formatHex0x(raw)));
      this.#nonces.set(sender, nonce + 1);
      this.#sent.push(hash);
      const receipt: ChainReceipt = receiptShape.parse(await network.ask('eth_getTransactionReceipt', hash));
      return { succeeded: receipt.succeeded, events: receipt.events };
    } catch (error) {
      // What the network does not take, it throws in its own words.
      if (error instanceof ZodError) throw error;
      return { refused: error instanceof Error ? error.message : String(error) };
    }
  }

  /** An account as it stands; undefined where there is none. */
  account(address: Uint8Array): Promise<Account | undefined> {
    return this.#network.account(formatHex0x(address));
  }

  /** A contract's code; empty where there is none. */
  code(address: Uint8Array): Promise<Uint8Array> {
    return this.#network.code(formatHex0x(address));
  }

  /** The 32-byte word in a storage slot. */
  slot(address: Uint8Array, slot: Uint8Array): Promise<Uint8Array> {
    return this.#network.slot(formatHex0x(address), formatHex0x(slot));
  }

  /** Every slot of a contract that any transaction has read or written. Takes some milliseconds for each transaction. */
  async touchedSlots(address: Uint8Array): Promise<Uint8Array[]> {
    await this.#traceSent();
    const slots = this.#touched.get(formatHex0x(address)) ?? new Set<string>();
    return [...slots].map(slot => parseHex0x(slot, 32));
  }

  close(): Promise<void> {
    return this.#network.close();
  }

  async #traceSent(): Promise<void> {
    await addTouched(this.#touched, this.#network, this.#sent);
    this.#sent = [];
  }

  async #renew(): Promise<void> {
    await this.#traceSent();
    const fresh = await Network.open(this.#options);
    try {
      await carry(this.#touched, this.#network, fresh);
    } catch (error) {
      await fresh.close();
      throw error;
    }
    await this.#network.close();
    this.#network = fresh;
    this.#nonces.clear();
    collectGarbage();
  }
}

/** Who signed a transaction; whom the node names, where that cannot be read. */
function signerOf({ raw, from }: ChainTransaction): Uint8Array {
  try {
    const signer = Transaction.from(formatHex0x(raw)).from;
    return signer === null ? from : parseHex0x(signer.toLowerCase(), 20);
  } catch {
    // ethers throws errors of its own, also at what some other chain takes.
    return from;
  }
}

/**
 * A network's memory is outside JavaScript's heap, which holds a small object for it: so nobody would see a reason to let go of it until
 * there were many.
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  // A new context has what the flag adds; this one was made before.
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}
