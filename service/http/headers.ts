/** Header fields: which requests are ambiguous and refused, and what every answer says. */

import type { Middleware } from 'koa';
import { LedgerError } from '../errors.ts';

/** The version of the public interface, major version first as in the paths. */
export const apiVersion = '1.0.0';

// Node takes the first of two and proxies may take the last, so that two readers see two requests.
const single = ['host', 'content-type', 'content-length', 'authorization'];

/** Refuses a request in which a field that decides what it means stands twice. */
export const singleFields: Middleware = (ctx, next) => {
  const names = ctx.req.rawHeaders.filter((_, i) => i % 2 === 0).map(name => name.toLowerCase());
  const doubled = single.filter(name => names.indexOf(name) !== names.lastIndexOf(name));
  if (doubled.length > 0)
    throw new LedgerError('REQUEST_MALFORMED', 'a header field that may stand once stands twice', {
      issues: doubled.map(name => ({ place: `header ${name}`, message: 'stands twice' })),
    });
  return next();
};

/** What every answer says. Nothing that we serve is a page, so nothing may be run, framed or guessed. */
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
