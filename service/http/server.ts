/** The HTTP server: its limits against slow and endless clients, its answers to what is no HTTP, and its end. */

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type Koa from 'koa';
import { networkOf } from './addresses.ts';
import { lingering } from './body.ts';
import { limitRequest } from './deadline.ts';
import { apiVersion } from './headers.ts';
import { typePrefix } from './problems.ts';

/** Times in milliseconds. */
export type ServerLimits = {
  /** From the first byte of a request to the end of its header. */
  readonly headersTimeoutMs: number;
  /** From the end of a request's header to the end of its body; where lines are read, for all waiting between new records. */
  readonly requestTimeoutMs: number;
  /** How often headers are looked at. */
  readonly checkingIntervalMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** How long a connection may stand still, in whichever direction; longer than the longest wait for an anchor. */
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
  /** From one address, so that none can have them all. */
  readonly maxConnectionsPerAddress: number;
  readonly maxHeaderBytes: number;
};

export const serverLimits: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkingIntervalMs: 2_000,
  keepAliveTimeoutMs: 10_000,
  idleTimeoutMs: 90_000,
  maxConnections: 2_000,
  maxConnectionsPerAddress: 500,
  maxHeaderBytes: 16_384,
};

/** Makes the server. It does not listen yet. */
export function createServer(app: Koa, limits: ServerLimits = serverLimits): Server {
  const answer = app.callback();
  const handler = (req: IncomingMessage, res: ServerResponse) => {
    const late = Object.assign(new Error('the request took too long'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    limitRequest(req, limits.requestTimeoutMs, () => server.emit('clientError', late, req.socket));
    return answer(req, res);
  };
  const server = createHttpServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      // Ours is in deadline.ts.
      requestTimeout: 0,
      connectionsCheckingInterval: limits.checkingIntervalMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      insecureHTTPParser: false,
      // Node would refuse its absence with a bare line, the application does it with a problem.
      requireHostHeader: false,
    },
    handler,
  );
  // An expectation that we do not know may be ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', handler);
  server.timeout = limits.idleTimeoutMs;
  server.maxConnections = limits.maxConnections;
  server.on('connection', connectionsUpTo(limits.maxConnectionsPerAddress));
  // Node drops fields beyond a count without a word, and a doubled one among them. The size of the header is the limit.
  server.maxHeadersCount = 0;
  server.on('clientError', refuseUnparsed);
  return server;
}

/** Closes connections of an address that has too many, as the server does with those beyond what it takes in all. */
function connectionsUpTo(most: number): (socket: Socket) => void {
  const open = new Map<string, number>();
  return socket => {
    const network = networkOf(socket.remoteAddress ?? '');
    const count = open.get(network) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(network, count + 1);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  };
}

/** Listens. @returns the port, which is the system's choice for port 0. @throws {Error} that says what to do */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Error(reasons[error.code ?? '']?.(host, port) ?? `cannot listen on ${host}`, { cause: error }),
      );
    });
    server.listen(port, host, resolve);
  });
  // A server on a TCP port has an address with a port.
  return (server.address() as AddressInfo).port;
}

const reasons: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `port ${port} of ${host} is taken: stop the other process, or set ZEGEL_PORT`,
  EADDRNOTAVAIL: host => `${host} is not an address of this machine: set ZEGEL_HOST`,
  ENOTFOUND: host => `${host} is not a host that can be found: set ZEGEL_HOST`,
  EACCES: (host, port) => `port ${port} of ${host} needs a right that this process lacks: set ZEGEL_PORT`,
};

/** Takes no new connections, lets answers under way go out for so long, then cuts what is left. */
export async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}

type Unparsed = {
  readonly status: number;
  readonly phrase: string;
  readonly name: string;
  readonly title: string;
  readonly detail: string;
};

const unparsed: Readonly<Record<string, Unparsed>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    phrase: 'Request Header Fields Too Large',
    name: 'header-too-large',
    title: 'The header is too large',
    detail: 'the header of the request has more bytes than are read',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    phrase: 'Request Timeout',
    name: 'request-timeout',
    title: 'The request came too slowly',
    detail: 'the request did not come to its end in time',
  },
};

const otherwiseUnparsed: Unparsed = {
  status: 400,
  phrase: 'Bad Request',
  name: 'request-unreadable',
  title: 'The request cannot be read',
  detail: 'what came is not HTTP as it must be',
};

/** Every problem that a request can meet before it is one. */
export const unparsedTypes = [...Object.values(unparsed), otherwiseUnparsed].map(
  ({ status, name, title }) => ({ type: `${typePrefix}${name}`, status, title }),
);

/** What Node's parser refuses never becomes a request. It gets a problem as well, without a word of what was sent. */
function refuseUnparsed(
  error: NodeJS.ErrnoException,
  socket: Socket & { _httpMessage?: ServerResponse },
): void {
  // Node keeps the answer that is under way on the socket, and its own default looks there, too.
  const pending = socket._httpMessage;
  if (pending?.req.complete && !pending.headersSent) {
    // The fault is in what follows a whole request. That one gets its own answer, which may be that a record is in the log.
    pending.setHeader('Connection', 'close');
    return;
  }
  if (error.code === 'ECONNRESET' || !socket.writable || pending?.headersSent || lingering.has(socket)) {
    socket.destroy();
    return;
  }
  const { status, phrase, name, title, detail } = unparsed[error.code ?? ''] ?? otherwiseUnparsed;
  const body = JSON.stringify({ type: `${typePrefix}${name}`, title, status, detail, issues: [] });
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\nAPI-Version: ${apiVersion}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
