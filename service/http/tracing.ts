/** Tracing: the callers' identifiers come back in the answer and stand in the log, and every request is counted. */

import { randomUUID } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';

/** The fields by which agencies follow a request through their systems and ours. */
const fields = ['x-correlation-id', 'x-request-id', 'x-tracing-id'] as const;

/** Echoes the identifiers, logs the request and counts it. A request without `x-request-id` is given one. */
export function tracing({ log, metrics }: { readonly log: Logger; readonly metrics: Metrics }): Middleware {
  return async (ctx, next) => {
    const started = performance.now();
    const given = identifiers(ctx);
    const ids = { 'x-request-id': randomUUID(), ...given };
    ctx.set(ids);
    ctx.state['ids'] = ids;
    await next();

    const elapsed = performance.now() - started;
    const facts = {
      ...ids,
      method: ctx.method,
      route: routeOf(ctx),
      status: ctx.status,
      problem: ctx.state['problem'],
      ms: Math.round(elapsed),
    };
    metrics.countRequest({ ...facts, ms: elapsed });
    // A caller who sends identifiers wants to find the request again; all others would only fill the log.
    if (Object.keys(given).length > 0) log.info(facts, 'answered');
    else log.debug(facts, 'answered');
  };
}

/** The pattern that the path matched: the path itself is the caller's text, and there is no end of them. */
function routeOf(ctx: Context): string {
  const route: unknown = ctx['_matchedRoute'];
  return typeof route === 'string' ? route : 'none';
}

/** The identifiers that can stand in a log line and a header as they are: short, printable ASCII. Others are dropped. */
function identifiers(ctx: Context): Readonly<Record<string, string>> {
  const sent = fields.map(field => [field, ctx.get(field)] as const);
  return Object.fromEntries(sent.filter(([, id]) => /^[\x20-\x7e]{1,128}$/.test(id)));
}
