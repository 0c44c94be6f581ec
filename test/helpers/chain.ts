/** Chains for tests: real nodes that speak JSON-RPC over HTTP, each on a port of its own, ended by whoever started it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { JsonRpcProvider, Wallet } from 'ethers';
import hre from 'hardhat';

/** A running node. */
export type TestChain = {
  readonly url: string;
  /** Asks the node anything. */
  ask(method: string, ...params: readonly unknown[]): Promise<unknown>;
  /** An account with money, for deploying and administering; it waits for its own transactions. */
  readonly admin: Wallet;
  stop(): Promise<void>;
};

/** Keys of the accounts that Hardhat and Anvil fund at start; everybody knows them. The first is the administrator's. */
export const fundedKeys = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
] as const;

/** A Hardhat node in this process: it starts in a fraction of a second and keeps all of its old state. */
export async function startHardhat(more: { readonly hardfork?: string } = {}): Promise<TestChain> {
  const override = { allowBlocksWithSameTimestamp: true, ...more };
  const server = await hre.network.createServer({ override }, '127.0.0.1', 0);
  const { port } = await server.listen();
  return chainAt(`http://127.0.0.1:${port}`, () => server.close());
}

/** An Anvil node as a child process: it can drop transactions and reorganise. */
export async function startAnvil(...options: readonly string[]): Promise<TestChain> {
  const program = fileURLToPath(new URL('../../node_modules/.bin/anvil', import.meta.url));
  const child = spawn(program, ['--host', '127.0.0.1', '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await listening(child);
  return chainAt(`http://${address}`, async () => {
    // npm's wrapper passes this signal on to the program; a harder one would leave it running.
    if (child.kill('SIGTERM')) await once(child, 'exit');
  });
}

async function listening(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the child was started with a pipe');
  for await (const line of createInterface(child.stdout)) {
    const address = /^Listening on (.+)$/.exec(line)?.[1];
    if (address === undefined) continue;
    // What it prints from now on must not fill the pipe.
    child.stdout.resume();
    return address;
  }
  throw new Error('anvil ended before it listened');
}

async function chainAt(url: string, stop: () => Promise<void>): Promise<TestChain> {
  const provider = new JsonRpcProvider(url, undefined, {
    staticNetwork: true,
    batchMaxCount: 1,
    cacheTimeout: -1,
    polling: true,
    pollingInterval: 20,
  });
  return {
    url,
    ask: (method, ...params) => provider.send(method, [...params]),
    admin: new Wallet(fundedKeys[0], provider),
    async stop() {
      provider.destroy();
      await stop();
    },
  };
}
