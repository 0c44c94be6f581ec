/** Answers: a body with its media type, its caching and its entity tag. */

import { createHash } from 'node:crypto';
import type { Context } from 'koa';

/** How long an answer may be kept: for ever, or only to ask whether it still holds. */
export type Caching = 'immutable' | 'no-cache';

/** Answers 200 with a body that caches may keep (RFC 9111, RFC 8246), or 304 if the caller has it already. */
export function answer(ctx: Context, mediaType: string, body: string | Uint8Array, caching: Caching): void {
  ctx.status = 200;
  ctx.set('Content-Type', mediaType);
  ctx.set('Cache-Control', caching === 'immutable' ? 'public, max-age=31536000, immutable' : 'no-cache');
  ctx.etag = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = typeof body === 'string' ? body : Buffer.from(body);
}

/** Answers a JSON document that caches may keep. */
export function answerJson(ctx: Context, document: unknown, caching: Caching): void {
  answer(ctx, 'application/json', JSON.stringify(document), caching);
}

/** Answers a JSON document that is good for this moment only. RFC 8259 defines no charset for it. */
export function answerNow(ctx: Context, status: number, document: unknown): void {
  ctx.status = status;
  ctx.set('Content-Type', 'application/json');
  ctx.body = JSON.stringify(document);
}

/**
 * The absolute URL of a path of ours: under the configured base URL, or at the address that this connection came to. Never from
 * Host or X-Forwarded-*, which anyone can write.
 */
export function absoluteUrl(ctx: Context, baseUrl: string | undefined, path: string): string {
  if (baseUrl !== undefined) return baseUrl + path;
  const { localAddress = '127.0.0.1', localPort } = ctx.req.socket;
  const address = localAddress.replace(/^::ffff:(?=[0-9.]+$)/, '');
  return `http://${address.includes(':') ? `[${address}]` : address}:${localPort}${path}`;
}
