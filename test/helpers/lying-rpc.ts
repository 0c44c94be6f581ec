/** A JSON-RPC node that lies as a test tells it to: a real HTTP server in front of a real node. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call, as the client made it. */
export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };

/** An answer: a result, or a JSON-RPC error. */
export type RpcAnswer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } };

/** How to answer a call; `honest` asks the node behind. */
export type Lie = (call: RpcCall, honest: () => Promise<RpcAnswer>) => Promise<RpcAnswer> | RpcAnswer;

export type LyingRpc = {
  readonly url: string;
  /** What it does to calls; honest when undefined. */
  lie: Lie | undefined;
  /** What it does to whole requests, before it reads them; true when it has answered. */
  refuse: ((response: ServerResponse) => boolean) | undefined;
  /** Every call so far, as it was asked. */
  readonly calls: RpcCall[];
  stop(): Promise<void>;
};

export async function startLyingRpc(url: string): Promise<LyingRpc> {
  const server = createServer((request, response) => {
    answer(request, response).catch(error => response.writeHead(500).end(String(error)));
  });
  const lying: LyingRpc = { url: '', lie: undefined, refuse: undefined, calls: [], stop };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    if (lying.refuse?.(response)) return;
    const calls: (RpcCall & { readonly id: number })[] = Array.isArray(body) ? body : [body];
    const answers = [];
    for (const { id, method, params } of calls) {
      const call = { method, params };
      lying.calls.push(call);
      const honest = () => forward(url, call);
      answers.push({ jsonrpc: '2.0', id, ...(await (lying.lie?.(call, honest) ?? honest())) });
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  }

  async function stop(): Promise<void> {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A server on TCP has one.
  return Object.assign(lying, { url: `http://127.0.0.1:${port}` });
}

async function forward(url: string, call: RpcCall): Promise<RpcAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...call }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: never };
  return error === undefined ? { result } : { error };
}

/** Changes what the node behind says about calls of one method. */
export function changing(method: string, change: (result: never) => unknown): Lie {
  return async (call, honest) => {
    const answer = await honest();
    if (call.method !== method || !('result' in answer)) return answer;
    return { result: change(answer.result as never) };
  };
}
