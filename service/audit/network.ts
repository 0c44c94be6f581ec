/** Hardhat's network in this process, and what it says about its own state: the bare chain on which transactions are replayed. */

import { fileURLToPath } from 'node:url';
import type { NetworkConnection } from 'hardhat/types/network';
import { z } from 'zod';
import { type Account, accountAt } from '../../merkle/evidence.ts';
import { headerFromRpc, parseHeader } from '../../merkle/header.ts';
import { NodeCollector } from '../../merkle/trie.ts';
import { data, dataOf } from '../rpc.ts';
import { CouldNotCheck } from './findings.ts';

/** Which chain a network stands for. */
export type NetworkOptions = {
  readonly chainId: string;
  /** How many items the real chain's headers have: that tells by which fork's rules to run. */
  readonly headerItems: number;
};

export class Network {
  readonly #connection: NetworkConnection;

  constructor(connection: NetworkConnection) {
    this.#connection = connection;
  }

  /** Starts an empty chain. @throws {CouldNotCheck} for a chain id that is no safe integer */
  static async open({ chainId, headerItems }: NetworkOptions): Promise<Network> {
    if (!Number.isSafeInteger(Number(chainId))) {
      throw new CouldNotCheck({
        what: 'the replay',
        where: 'the replaying network',
        why: `chain id ${chainId} is too large for it`,
      });
    }
    // Loaded here, since it takes a second that other commands need not wait.
    const { createHardhatRuntimeEnvironment } = await import('hardhat/hre');
    const hre = await createHardhatRuntimeEnvironment({}, {}, fileURLToPath(import.meta.url));
    const connection = await hre.network.create({
      override: {
        chainId: Number(chainId),
        hardfork: hardforkOf(headerItems),
        accounts: [],
        // No block of a real chain is older.
        initialDate: new Date(1000),
        allowBlocksWithSameTimestamp: true,
        initialBaseFeePerGas: 0,
        // What was in a block fitted there, whatever limits this fork has.
        blockGasLimit: false,
        transactionGasCap: false,
        allowUnlimitedContractSize: true,
        // A transaction that failed belongs to the replay.
        throwOnTransactionFailures: false,
      },
    });
    return new Network(connection);
  }

  async ask(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const speak = holdTongue();
    try {
      return await this.#connection.provider.request({ method, params: [...params] });
    } finally {
      speak();
    }
  }

  /** An account in the state after the last block; undefined where there is none. */
  async account(address: string): Promise<Account | undefined> {
    const shown = z
      .record(z.string(), z.unknown())
      .parse(await this.ask('eth_getBlockByNumber', 'latest', false));
    const { stateRoot } = parseHeader(headerFromRpc(shown));
    const answer = proofShape.parse(await this.ask('eth_getProof', address, [], 'latest'));
    return accountAt(new NodeCollector(answer.accountProof), stateRoot, bytesOf(address));
  }

  /** A contract's code; empty where there is none. */
  async code(address: string): Promise<Uint8Array> {
    return data.parse(await this.ask('eth_getCode', address, 'latest'));
  }

  /** The 32-byte word in a storage slot. */
  async slot(address: string, slot: string): Promise<Uint8Array> {
    return word.parse(await this.ask('eth_getStorageAt', address, slot, 'latest'));
  }

  /** The slots that a transaction has read or written, by contract. */
  async touched(transaction: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const tracer = { tracer: 'prestateTracer', tracerConfig: { disableCode: true } };
    const accounts = traceShape.parse(await this.ask('debug_traceTransaction', transaction, tracer));
    return new Map(
      Object.entries(accounts).map(([address, { storage = {} }]) => [address, Object.keys(storage)]),
    );
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/**
 * Hardhat prints what a contract says to its console as it is, and cannot be told not to. Here it would be a stranger who speaks to the
 * terminal, or between the lines of a report. It prints before it answers. Gives what ends it.
 */
function holdTongue(): () => void {
  if (asking++ === 0) {
    print = terminal.log;
    terminal.log = () => undefined;
  }
  return () => {
    if (--asking === 0) terminal.log = print;
  };
}

const terminal = globalThis.console;
let asking = 0;
let print = terminal.log;

const word = dataOf(32);
const traceShape = z.record(z.string(), z.object({ storage: z.record(z.string(), z.unknown()).optional() }));
const proofShape = z.object({ accountProof: z.array(data) });

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
}

/**
 * The fork whose headers have so many items. Later forks take earlier ones' transactions and give the same state; earlier ones lack
 * instructions.
 */
function hardforkOf(items: number): string {
  if (items > 20) return 'osaka';
  if (items > 17) return 'cancun';
  if (items > 16) return 'shanghai';
  return 'merge';
}
