/** The bench's clients: as little work as they can, since they share the cores with what they measure. */

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A request as it goes over the wire. */
export function postRequest(path: string, type: string, body: string | Uint8Array): Buffer {
  const head = `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

/** One kept connection that sends a request after another. Answers must name their length. */
class Connection {
  readonly #socket: Socket;
  #answer: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', piece => this.#take(piece));
    // One that waits for no answer may be closed.
    socket.on('error', error => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed')));
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Sends a request and waits for the whole answer. @throws {Error} unless it is 201 */
  post(bytes: Buffer): Promise<void> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(bytes);
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#answer = this.#answer.length === 0 ? piece : Buffer.concat([this.#answer, piece]);
    const headEnd = this.#answer.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#answer.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (this.#answer.length < headEnd + 4 + length) return;
    this.#answer = Buffer.alloc(0);
    if (head.startsWith('HTTP/1.1 201 ')) this.#waiting?.resolve();
    else this.#waiting?.reject(new Error(`the answer is ${head}`));
  }
}

/** How fast requests were answered: in a second, and each one's time in milliseconds. */
export type Answered = { readonly perSecond: number; readonly times: readonly number[] };

/** Sends all requests over so many connections, on each the next one as soon as the last one is answered. */
export async function closedLoop(
  url: string,
  connections: number,
  requests: readonly Buffer[],
): Promise<Answered> {
  const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)));
  const times: number[] = [];
  let next = 0;
  const start = performance.now();
  await Promise.all(
    open.map(async connection => {
      for (let bytes = requests[next++]; bytes !== undefined; bytes = requests[next++]) {
        const sent = performance.now();
        await connection.post(bytes);
        times.push(performance.now() - sent);
      }
    }),
  );
  const perSecond = (requests.length / (performance.now() - start)) * 1000;
  for (const connection of open) connection.close();
  return { perSecond, times };
}

/** The same with the client that comes with Node, as most programs send: it costs more than the server that it asks. */
export async function ordinaryLoop(
  url: string,
  connections: number,
  path: string,
  type: string,
  bodies: readonly string[],
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const send = (body: string) =>
    new Promise<void>((resolve, reject) => {
      const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
      const sending = request(`${url}${path}`, { method: 'POST', agent, headers }, answer => {
        const pieces: Buffer[] = [];
        answer.on('data', piece => pieces.push(piece)).on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 201) resolve();
          else reject(new Error(`the answer is ${answer.statusCode}: ${Buffer.concat(pieces)}`));
        });
      });
      sending.on('error', reject).end(body);
    });
  const start = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) await send(body);
    }),
  );
  const perSecond = (bodies.length / (performance.now() - start)) * 1000;
  agent.destroy();
  return perSecond;
}

/**
 * Sends requests at a steady rate, each on a connection that is free. A request's time counts from the moment when it was due: one
 * that had to wait for a slow one before it has waited.
 */
export async function steady(
  url: string,
  connections: number,
  requests: readonly Buffer[],
  perSecond: number,
): Promise<Answered> {
  const free = await Promise.all(Array.from({ length: connections }, () => Connection.open(url)));
  const all = [...free];
  const times: number[] = [];
  const due: { readonly bytes: Buffer; readonly at: number }[] = [];
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const send = () => {
    while (due.length > 0 && free.length > 0) {
      const [first, connection] = [due.shift(), free.shift()];
      if (first === undefined || connection === undefined) return;
      connection.post(first.bytes).then(() => {
        times.push(performance.now() - first.at);
        free.push(connection);
        if (times.length === requests.length) resolve();
        else send();
      }, reject);
    }
  };
  const start = performance.now();
  let next = 0;
  const timer = setInterval(() => {
    for (let bytes = requests[next]; bytes !== undefined; bytes = requests[next]) {
      const at = start + (next * 1000) / perSecond;
      if (at > performance.now()) break;
      due.push({ bytes, at });
      next++;
    }
    if (next === requests.length) clearInterval(timer);
    send();
  }, 1);
  await done;
  clearInterval(timer);
  for (const connection of all) connection.close();
  return { perSecond: (requests.length / (performance.now() - start)) * 1000, times };
}

const pieceBytes = 65_536;

/** Uploads a body while reading the answers. @returns how many lines said that a record is new. @throws {Error} if any said else */
export async function upload(url: string, body: Buffer): Promise<number> {
  const sending = request(`${url}/v1/records/batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', 'Content-Length': body.length },
  });
  const answer = once(sending, 'response');
  const sent = (async () => {
    for (let at = 0; at < body.length; at += pieceBytes)
      if (!sending.write(body.subarray(at, at + pieceBytes))) await once(sending, 'drain');
    sending.end();
  })();
  const [response] = await answer;
  let recorded = 0;
  let rest = '';
  for await (const piece of response) {
    const text: string = rest + piece.toString('latin1');
    const end = text.lastIndexOf('\n') + 1;
    for (let at = 0; at < end; at = text.indexOf('\n', at) + 1) {
      if (text.startsWith('{"status":201', at)) recorded++;
      else if (!text.startsWith('{"checkpoint":', at))
        throw new Error(text.slice(at, text.indexOf('\n', at)));
    }
    rest = text.slice(end);
  }
  await sent;
  return recorded;
}
