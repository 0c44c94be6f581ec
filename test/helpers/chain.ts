/** Chains for tests: real nodes that speak JSON-RPC over HTTP, each on a port of its own, ended by whoever started it. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
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

/** A Hardhat node as a child process, as `hardhat node` starts it. */
export async function startHardhatProcess(): Promise<TestChain> {
  const program = fileURLToPath(new URL('../../node_modules/.bin/hardhat', import.meta.url));
  const child = spawn(process.execPath, [program, 'node', '--hostname', '127.0.0.1', '--port', '0'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await listening(child, /JSON-RPC server at http:\/\/(\S+?)\/?$/);
  return chainAt(`http://${address}`, () => ended(child));
}

/** Whether go-ethereum is installed here. */
export const gethPresent = spawnSync('geth', ['version'], { stdio: 'ignore' }).status === 0;

/** A geth node as a child process, which makes a block for each transaction and has no administrator of ours before this funds one. */
export async function startGeth(): Promise<TestChain> {
  const options = [
    '--dev',
    '--http',
    '--http.addr',
    '127.0.0.1',
    '--http.port',
    '0',
    '--port',
    '0',
    '--ipcdisable',
  ];
  const child = spawn('geth', [...options, '--http.api', 'eth,net,web3,debug'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const address = await listening(child, /HTTP server started .*endpoint=(\S+)/, child.stderr);
  const chain = await chainAt(`http://${address}`, () => ended(child));
  const [developer] = (await chain.ask('eth_accounts')) as string[];
  const params = { from: developer, to: chain.admin.address, value: '0x3635c9adc5dea00000' };
  const hash = await chain.ask('eth_sendTransaction', params);
  while ((await chain.ask('eth_getTransactionReceipt', hash)) === null) await setTimeout(20);
  return chain;
}

/** An Anvil node as a child process: it can drop transactions and reorganise. */
export async function startAnvil(...options: readonly string[]): Promise<TestChain> {
  const program = fileURLToPath(new URL('../../node_modules/.bin/anvil', import.meta.url));
  const child = spawn(program, ['--host', '127.0.0.1', '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const address = await listening(child, /^Listening on (.+)$/);
  return chainAt(`http://${address}`, () => ended(child));
}

/** npm's wrapper passes this signal on to the program; a harder one would leave it running. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.kill('SIGTERM')) await once(child, 'exit');
}

/** The address that a node prints when it listens. */
async function listening(child: ChildProcess, said: RegExp, output = child.stdout): Promise<string> {
  if (output === null) throw new Error('the child was started with a pipe');
  for await (const line of createInterface(output)) {
    const address = said.exec(line)?.[1];
    if (address === undefined) continue;
    // What it prints from now on must not fill the pipe.
    output.resume();
    return address;
  }
  throw new Error('the node ended before it listened');
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
