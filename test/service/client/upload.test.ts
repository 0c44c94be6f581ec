import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { upload } from '../../../service/client/upload.ts';

it('an upload of which only a byte moves now and then is given up in the end', async () => {
  let time = 0;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200);
    const dripping = setInterval(() => {
      time += 80_000;
      response.write('{');
    }, 50);
    response.on('close', () => clearInterval(dripping));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // A server on TCP has one.
  const uploading = upload({
    base: `http://127.0.0.1:${port}`,
    pieces: (async function* () {
      yield Uint8Array.of(0x7b, 0x0a);
    })(),
    onAnswer: async () => undefined,
    timeoutMs: 90_000,
    overallMs: 1_000_000,
    clock: { now: () => time },
  });
  await expect(uploading).rejects.toMatchObject({ name: 'UnavailableError' });
  server.closeAllConnections();
  server.close();
});
