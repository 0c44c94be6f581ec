/** Uploads over bare sockets, for tests that send slowly, break off, or do not read. */

import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** The header of an upload whose body comes in chunks. */
export const uploadHead =
  'POST /v1/records/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n';

/** A chunk of such a body. */
export const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

/** A connection that has begun an upload, and what came back on it. */
export function beginUpload({ port }: { readonly port: number }) {
  const socket: Socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', data => {
    text += data.toString('latin1');
  });
  // A reset is a way of closing, too.
  socket.on('error', () => undefined);
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()));
  socket.write(uploadHead);
  return { socket, text: () => text, count: (what: string) => text.split(what).length - 1, closed };
}

/** Waits until something holds that the other side brings about. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(5);
}
