/** A port that passes everything on to another: a chain that comes within reach while a service runs. */

import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/** Listens on a port and passes on to a URL's host and port, until it is closed. */
export async function forwarding(port: number, url: string): Promise<Server> {
  const target = new URL(url);
  const server = createServer(socket => {
    const upstream = connect(Number(target.port), target.hostname);
    socket.on('error', () => upstream.destroy());
    upstream.on('error', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
