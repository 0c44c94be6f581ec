/** JSON-RPC against a server that answers as the test says: what is an answer, and what is none. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  ChainRefused,
  ChainUnreachable,
  data,
  dataOf,
  formatQuantity,
  integer,
  quantity,
  Rpc,
} from '../../service/rpc.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
});

type Asked = { readonly id: number; readonly method: string; readonly params: readonly unknown[] };

/** A server that answers each request's calls with what `answer` makes of them. */
async function aServer(answer: (asked: readonly Asked[], isBatch: boolean) => unknown) {
  const requests: (readonly Asked[])[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(Buffer.concat(await request.toArray()).toString());
    const asked = Array.isArray(body) ? body : [body];
    requests.push(asked);
    const made = answer(asked, Array.isArray(body));
    response.end(typeof made === 'string' ? made : JSON.stringify(made));
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A server on TCP has one.
  return { url: `http://127.0.0.1:${port}/v3/api-key`, requests };
}

/** Answers each call with its first parameter. */
function echo(asked: readonly Asked[]) {
  return asked.map(({ id, params: [result] }) => ({ jsonrpc: '2.0', id, result }));
}

function echoQuestion(value: number) {
  return { method: 'echo', params: [value], shape: z.number() };
}

const question = { method: 'eth_chainId', params: [], shape: quantity };

describe('Rpc', () => {
  it('asks one question without a batch', async () => {
    const { url, requests } = await aServer(([asked]) => ({ jsonrpc: '2.0', id: asked?.id, result: '0x1f' }));
    expect(await new Rpc({ urls: [url] }).ask(question)).toBe(31n);
    expect(requests).toEqual([
      [expect.objectContaining({ jsonrpc: '2.0', method: 'eth_chainId', params: [] })],
    ]);
  });

  it('asks many in batches that nodes take, and gives the answers in order, whatever theirs is', async () => {
    const { url, requests } = await aServer(asked => echo(asked).reverse());
    const questions = Array.from({ length: 250 }, (_, i) => echoQuestion(i));
    expect(await new Rpc({ urls: [url] }).askAll(questions)).toEqual(
      Array.from({ length: 250 }, (_, i) => i),
    );
    expect(requests.map(request => request.length)).toEqual([100, 100, 50]);
    const ids = requests.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(250);
  });

  it.each([
    ['no JSON', () => '<html>', 'something that is not JSON'],
    ['no JSON-RPC', () => ({ ok: true }), 'something that is not JSON-RPC'],
    ['an answer to another question', () => ({ id: 999, result: '0x1' }), 'was not answered'],
    [
      'a result of another form',
      ([a]: readonly Asked[]) => ({ id: a?.id, result: '0x01' }),
      'is not in its form',
    ],
    ['no result', ([a]: readonly Asked[]) => ({ id: a?.id }), 'is not in its form'],
    [
      'too many requests',
      ([a]: readonly Asked[]) => ({ id: a?.id, error: { code: -32005, message: 'x' } }),
      'was put off',
    ],
    [
      'a rate limit',
      ([a]: readonly Asked[]) => ({ id: a?.id, error: { code: -1, message: 'Rate limit' } }),
      'was put off',
    ],
  ])('takes for no answer: %s', async (_, answer, message) => {
    const { url } = await aServer(answer);
    const asking = new Rpc({ urls: [url] }).ask(question);
    await expect(asking).rejects.toThrow(ChainUnreachable);
    await expect(asking).rejects.toThrow(message);
    await expect(asking).rejects.not.toBeInstanceOf(ChainRefused);
  });

  it('takes a batch of which one is missing for no answer', async () => {
    const { url } = await aServer(asked => echo(asked).slice(1));
    const asking = new Rpc({ urls: [url] }).askAll([echoQuestion(1), echoQuestion(2)]);
    await expect(asking).rejects.toThrow('echo was not answered');
  });

  it('tells what a node refuses, with its reason, in printable characters', async () => {
    const error = { code: 3, message: 'execution\u001b[31m reverted\n', data: '0x1234' };
    const { url } = await aServer(([asked]) => ({ id: asked?.id, error }));
    const asking = new Rpc({ urls: [url] }).ask(question);
    await expect(asking).rejects.toBeInstanceOf(ChainRefused);
    await expect(asking).rejects.toMatchObject({
      answer: error,
      message: 'eth_chainId was answered with error 3: execution [31m reverted ',
    });
  });

  it('takes the one error that a whole batch gets', async () => {
    const { url } = await aServer(() => ({ id: null, error: { code: -32600, message: 'batch too large' } }));
    const asking = new Rpc({ urls: [url] }).askAll([question, question]);
    await expect(asking).rejects.toMatchObject({ name: 'ChainRefused', answer: { code: -32600 } });
  });

  it('reads no more than the limit', async () => {
    const { url } = await aServer(() => ' '.repeat(10_000));
    const asking = new Rpc({ urls: [url], maxBytes: 9_999 }).ask(question);
    await expect(asking).rejects.toThrow('more than 9999 bytes');
  });

  it('waits no longer than the time-out, and names the host but no path: keys stand there', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise(resolve => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo; // As above.
    const asking = new Rpc({ urls: [`http://127.0.0.1:${port}/secret`], timeoutMs: 50 }).ask(question);
    await expect(asking).rejects.toMatchObject({
      name: 'ChainUnreachable',
      message: `127.0.0.1:${port} gave no answer to eth_chainId in 50 ms`,
    });
  });

  it('turns to the next node after a failure, and stays with the one that answers', async () => {
    const first = await aServer(() => '<html>');
    const second = await aServer(([asked]) => ({ id: asked?.id, result: '0x2' }));
    const rpc = new Rpc({ urls: [first.url, second.url] });
    await expect(rpc.ask(question)).rejects.toThrow(ChainUnreachable);
    expect(await rpc.ask(question)).toBe(2n);
    expect(await rpc.ask(question)).toBe(2n);
    expect([first.requests.length, second.requests.length]).toEqual([1, 2]);
    expect(rpc.counts).toEqual({ answered: 2, failed: 1 });
  });

  it('turns to the next node once when several questions fail together', async () => {
    const first = await aServer(() => '<html>');
    const second = await aServer(([asked]) => ({ id: asked?.id, result: '0x2' }));
    const rpc = new Rpc({ urls: [first.url, second.url] });
    await Promise.allSettled([rpc.ask(question), rpc.ask(question)]);
    expect(await rpc.ask(question)).toBe(2n);
  });

  it('stays with a node that refuses: that is an answer', async () => {
    const first = await aServer(([asked]) => ({ id: asked?.id, error: { code: 3, message: 'reverted' } }));
    const second = await aServer(() => '<html>');
    const rpc = new Rpc({ urls: [first.url, second.url] });
    await expect(rpc.ask(question)).rejects.toThrow(ChainRefused);
    await expect(rpc.ask(question)).rejects.toThrow(ChainRefused);
  });
});

describe('quantities and data', () => {
  it.each(['', '0x', '0x01', '1', '0xg', '0x1F', 1, null, `0x1${'0'.repeat(64)}`])(
    'are not spelt %j',
    value => {
      expect(quantity.safeParse(value).success).toBe(false);
    },
  );

  it('are read in their one spelling', () => {
    expect(quantity.parse('0x0')).toBe(0n);
    expect(integer.parse('0x1fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
    expect(integer.safeParse('0x20000000000000').success).toBe(false);
    expect(formatQuantity(0)).toBe('0x0');
    expect(data.parse('0x')).toEqual(new Uint8Array());
    expect(data.safeParse('0x1').success).toBe(false);
    expect(dataOf(2).safeParse('0x123456').success).toBe(false);
    expect(dataOf(2).parse('0xAB12')).toEqual(Uint8Array.of(0xab, 0x12));
  });
});
