/** Header fields: which requests are ambiguous and refused, and what every answer says. */

import type { Middleware } from 'koa';
import type { Issue } from '../../merkle/errors.ts';
import { malformed } from './query.ts';

/** The version of the public interface, major version first as in the paths. */
export const apiVersion = '1.0.0';

// Node takes the first of two and proxies may take the last, so that two readers see two requests.
const single = ['host', 'content-type', 'content-length', 'authorization'];

/** Refuses a request in which a field that decides what it means stands twice, or which names no host (RFC 9112 section 3.2). */
export const singleFields: Middleware = (ctx, next) => {
  const names = ctx.req.rawHeaders.filter((_, i) => i % 2 === 0).map(name => name.toLowerCase());
  const issues: Issue[] = single
    .filter(name => names.indexOf(name) !== names.lastIndexOf(name))
    .map(name => ({ place: `header ${name}`, message: 'stands twice' }));
  if (ctx.req.httpVersion === '1.1' && !names.includes('host'))
    issues.push({ place: 'header host', message: 'is missing' });
  if (issues.length > 0) throw malformed('the header', issues);
  return next();
};

/** What every answer says: nothing may be run, framed or guessed. A page says itself what is its own. */
export const commonFields: Middleware = (ctx, next) => {
  ctx.set({
    'API-Version': apiVersion,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  return next();
};
