/** A TCP proxy between a client and a service, which does to chosen uploads what networks and overloaded machines do. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** What befalls one upload. */
export type Mishap =
  /** The connection is reset once so many bytes of it have passed. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Nothing passes any more, in either direction, once so many bytes of it have. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** The answer ends after so many bytes. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The answer ends before a text. */
  | { readonly kind: 'cut-before'; readonly text: string }
  /** Something else answers. */
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'pass' };

export type ProxyServer = Awaited<ReturnType<typeof aProxy>>;

/** @param mishaps what befalls the next uploads, one after another; those after the last pass */
export async function aProxy(port: number, mishaps: Mishap[] = []) {
  const sockets = new Set<Socket>();
  const seen = { uploads: 0, requests: [] as string[] };
  const server = createServer(client => {
    const service = connect(port, '127.0.0.1');
    for (const socket of [client, service]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
    }
    let mishap: Mishap = { kind: 'pass' };
    let sent = 0;
    let answered = 0;
    client.on('data', chunk => {
      const [line = ''] = chunk.toString('latin1', 0, 200).split('\r\n', 1);
      if (/^[A-Z]+ \S+ HTTP\/1\.1$/.test(line)) seen.requests.push(line.slice(0, -9));
      if (line === 'POST /v1/records/batch HTTP/1.1') {
        seen.uploads++;
        mishap = mishaps.shift() ?? { kind: 'pass' };
        sent = 0;
        answered = 0;
        if (mishap.kind === 'answer') return void client.end(mishap.text);
      }
      if (mishap.kind === 'answer') return;
      sent += chunk.length;
      if ((mishap.kind !== 'reset' && mishap.kind !== 'stall') || sent <= mishap.afterBytes)
        return void service.write(chunk);
      // What came before the end has passed.
      const rest = chunk.length - (sent - mishap.afterBytes);
      if (rest > 0) service.write(chunk.subarray(0, rest));
      if (mishap.kind === 'reset') setTimeout(() => client.resetAndDestroy(), 20);
      else client.pause();
    });
    service.on('data', chunk => {
      if (mishap.kind === 'stall' && client.isPaused()) return;
      const at = mishap.kind === 'cut-before' ? chunk.indexOf(mishap.text) : -1;
      if (at >= 0) return void client.write(chunk.subarray(0, at), () => client.destroy());
      answered += chunk.length;
      if (mishap.kind !== 'cut' || answered <= mishap.afterBytes) return void client.write(chunk);
      const rest = chunk.length - (answered - mishap.afterBytes);
      client.write(chunk.subarray(0, Math.max(0, rest)), () => client.destroy());
    });
    client.on('close', () => service.destroy());
    service.on('close', () => client.end());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // A server on TCP has an address with a port.
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}`,
    mishaps,
    seen,
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** An answer as a service or its proxy gives it before the connection ends. */
export function answerText(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const fields = { 'Content-Length': String(Buffer.byteLength(text)), Connection: 'close', ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Something\r\n${lines.join('')}\r\n${text}`;
}
