/** The embedded chain of the demonstration: a Hardhat node in this process, reachable by others over JSON-RPC. */

import { createServer } from 'node:net';
import hre from 'hardhat';

export type DemoChain = {
  readonly url: string;
  /** Gives an account money to pay with. */
  fund(address: string): Promise<void>;
  stop(): Promise<void>;
};

/** Starts it on a port of the loopback interface. */
export async function startDemoChain(port: number): Promise<DemoChain> {
  // Else each quick block would be dated a second after the last one, and the chain would run ahead of the clock.
  const override = { allowBlocksWithSameTimestamp: true };
  const server = await hre.network.createServer({ override }, '127.0.0.1', port);
  const { port: listening } = await server.listen();
  const url = `http://127.0.0.1:${listening}`;
  return {
    url,
    async fund(address) {
      const params = [address, '0xde0b6b3a7640000'];
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hardhat_setBalance', params });
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      if (!response.ok) throw new Error(`the embedded chain answered ${response.status}`);
    },
    stop: () => server.close(),
  };
}

/** The wanted port if it is free, else the next one that is. An explicit port that is taken is an error, not a reason to search. */
export async function freePort(wanted: number, isExplicit: boolean): Promise<number> {
  for (let port = wanted; port < wanted + 100; port++) {
    if (await isFree(port)) return port;
    if (isExplicit) throw new Error(`port ${port} of 127.0.0.1 is taken: choose another one`);
  }
  throw new Error(`no free port from ${wanted} on`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
