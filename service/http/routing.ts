/** What no route answers: other paths, other methods, and the question which methods there are. */

import type Router from '@koa/router';
import type { Middleware } from 'koa';
import { LedgerError } from '../errors.ts';

type Layer = { readonly methods: readonly string[] };

/** Stands after the routes. A path that they know answers OPTIONS and refuses other methods with 405; all else is 404. */
export const otherwise: Middleware = ctx => {
  // The router leaves the routes whose path matches here, whatever their method.
  const layers: readonly Layer[] = ctx['matched'] ?? [];
  const methods = [...new Set(layers.flatMap(layer => layer.methods))];
  if (methods.length === 0) throw new LedgerError('RESOURCE_NOT_FOUND', 'there is nothing at this path');

  const allowed = [...methods, 'OPTIONS'].join(', ');
  ctx.set('Allow', allowed);
  if (ctx.method !== 'OPTIONS')
    throw new LedgerError('METHOD_NOT_ALLOWED', `the methods here are ${allowed}`);
  ctx.status = 204;
};

/**
 * Takes HEAD, which the router adds to every GET, from the route that was added last: for an answer that costs its asker something, such
 * as a token, and of which HEAD would give nothing.
 */
export function withoutHead({ stack }: Pick<Router, 'stack'>): void {
  const methods = stack.at(-1)?.methods ?? [];
  const at = methods.indexOf('HEAD');
  if (at >= 0) methods.splice(at, 1);
}
