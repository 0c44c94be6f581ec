/** Bare Koa: reads a body and answers 201 with as many bytes as the service would. Prints where it listens. */

import type { AddressInfo } from 'node:net';
import Koa from 'koa';

const answer = 'x'.repeat(Number(process.argv[2]));
const app = new Koa();
app.use(async ctx => {
  for await (const _ of ctx.req);
  ctx.status = 201;
  ctx.body = answer;
});
const server = app.listen(0, '127.0.0.1', () => {
  // A server on a TCP port has an address with a port.
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
