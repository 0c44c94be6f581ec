/** What stands in the request line: parameters of the query and the path, each accepted in one spelling only. */

import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import { abbreviate } from '../../merkle/bytes.ts';
import type { Issue } from '../../merkle/errors.ts';
import { LedgerError } from '../errors.ts';
import type { Parameter, Parameters } from './parameters.ts';

/** What a query's parameters say, by their names. */
export type Query<P extends Parameters> = { -readonly [N in keyof P]: z.output<P[N]> };

/**
 * Reads the query: every named parameter exactly once, and no other.
 *
 * @throws {LedgerError} REQUEST_MALFORMED naming every fault
 */
export function readQuery<P extends Parameters>(ctx: Context, parameters: P): Query<P> {
  return read(ctx, parameters, Object.keys(parameters));
}

/** Reads the query: every named parameter at most once, and no other. @throws {LedgerError} REQUEST_MALFORMED */
export function readOptionalQuery<P extends Parameters>(ctx: Context, parameters: P): Partial<Query<P>> {
  return read(ctx, parameters, []);
}

/** Lets a request pass that has no query. */
export const noQuery: Middleware = (ctx, next) => {
  readQuery(ctx, {});
  return next();
};

/** Reads a parameter of the path. @throws {LedgerError} REQUEST_MALFORMED */
export function readPath<P extends Parameter>(ctx: Context, name: string, parameter: P): z.output<P> {
  const issues: Issue[] = [];
  // The router decodes escapes. Nothing that we accept needs one, and with one it would be spelt in two ways.
  if (ctx.path.includes('%'))
    issues.push({ place: `path ${name}`, message: 'has a percent-encoded character' });
  const value = attempt(issues, `path ${name}`, parameter, ctx['params'][name] ?? '');
  if (issues.length > 0) throw malformed('the path', issues);
  // Without a fault, the value is what the parameter's schema gives.
  return value as z.output<P>;
}

/** A refusal of a request line whose faults are known. */
export function malformed(what: string, issues: readonly Issue[]): LedgerError {
  const faults = issues.length === 1 ? 'a fault' : `${issues.length} faults`;
  return new LedgerError('REQUEST_MALFORMED', `${what} has ${faults}`, { issues });
}

function read<P extends Parameters>(ctx: Context, parameters: P, required: readonly string[]): Query<P> {
  const issues: Issue[] = [];
  const texts = new Map<string, string>();
  for (const [name, text] of pairs(ctx.querystring)) {
    const place = `query ${abbreviate(name)}`;
    if (!Object.hasOwn(parameters, name)) issues.push({ place, message: 'unknown parameter' });
    else if (texts.has(name)) issues.push({ place, message: 'stands twice' });
    texts.set(name, text);
  }
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const text = texts.get(name);
    if (text !== undefined) values[name] = attempt(issues, `query ${name}`, parameter, text);
    else if (required.includes(name)) issues.push({ place: `query ${name}`, message: 'is missing' });
  }
  if (issues.length > 0) throw malformed('the query', issues);
  // Every parameter has been read by its schema without a fault, so the values have the schemas' types.
  return values as Query<P>;
}

/**
 * The names and values of a query as they stand. They are not decoded: all that we accept (digits, hexadecimal) is spelt without
 * escapes, and then two spellings of a query cannot mean the same.
 */
function pairs(query: string): readonly (readonly [string, string])[] {
  if (query === '') return [];
  return query.split('&').map(pair => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  });
}

function attempt(issues: Issue[], place: string, parameter: Parameter, text: string): unknown {
  const read = parameter.safeParse(text);
  if (read.success) return read.data;
  for (const { message } of read.error.issues) issues.push({ place, message });
  return undefined;
}
