/** What stands in the request line: parameters of the query and the path, each accepted in one spelling only. */

import type { Context, Middleware } from 'koa';
import { abbreviate, parseHex, parseSafeInteger } from '../../merkle/bytes.ts';
import { FormatError, type Issue } from '../../merkle/errors.ts';
import { LedgerError } from '../errors.ts';

/** Reads a text or throws FormatError. */
export type Reader<T> = (text: string) => T;

/**
 * Reads the query: every named parameter exactly once, and no other.
 *
 * @throws {LedgerError} REQUEST_MALFORMED naming every fault
 */
export function readQuery<T extends Record<string, unknown>>(
  ctx: Context,
  readers: { readonly [N in keyof T]: Reader<T[N]> },
): T {
  return read(ctx, readers, Object.keys(readers));
}

/** Reads the query: every named parameter at most once, and no other. @throws {LedgerError} REQUEST_MALFORMED */
export function readOptionalQuery<T extends Record<string, unknown>>(
  ctx: Context,
  readers: { readonly [N in keyof T]: Reader<T[N]> },
): Partial<T> {
  return read(ctx, readers, []);
}

/** Lets a request pass that has no query. */
export const noQuery: Middleware = (ctx, next) => {
  readQuery(ctx, {});
  return next();
};

/** Reads a parameter of the path. @throws {LedgerError} REQUEST_MALFORMED */
export function readPath<T>(ctx: Context, name: string, reader: Reader<T>): T {
  const issues: Issue[] = [];
  // The router decodes escapes. Nothing that we accept needs one, and with one it would be spelt in two ways.
  if (ctx.path.includes('%'))
    issues.push({ place: `path ${name}`, message: 'has a percent-encoded character' });
  const value = attempt(issues, `path ${name}`, () => reader(ctx['params'][name] ?? ''));
  if (value === undefined || issues.length > 0) throw malformed('the path', issues);
  return value;
}

/** A size or an index: decimal digits, at most 2^53 - 1. */
export function integerText(text: string): number {
  const integer = parseSafeInteger(text);
  if (integer === undefined)
    throw FormatError.at('', `"${abbreviate(text)}" is not an integer from 0 to 2^53 - 1 in decimal digits`);
  return integer;
}

/** A leaf hash: 64 lower-case hexadecimal digits. */
export function leafHashText(text: string): Uint8Array {
  return parseHex(text, 32);
}

/** A refusal of a request line whose faults are known. */
export function malformed(what: string, issues: readonly Issue[]): LedgerError {
  const faults = issues.length === 1 ? 'a fault' : `${issues.length} faults`;
  return new LedgerError('REQUEST_MALFORMED', `${what} has ${faults}`, { issues });
}

function read<T extends Record<string, unknown>>(
  ctx: Context,
  readers: { readonly [N in keyof T]: Reader<T[N]> },
  required: readonly string[],
): T {
  const issues: Issue[] = [];
  const texts = new Map<string, string>();
  for (const [name, text] of pairs(ctx.querystring)) {
    const place = `query ${abbreviate(name)}`;
    if (!Object.hasOwn(readers, name)) issues.push({ place, message: 'unknown parameter' });
    else if (texts.has(name)) issues.push({ place, message: 'stands twice' });
    texts.set(name, text);
  }
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(readers)) {
    const text = texts.get(name);
    if (text !== undefined) values[name] = attempt(issues, `query ${name}`, () => readers[name]?.(text));
    else if (required.includes(name)) issues.push({ place: `query ${name}`, message: 'is missing' });
  }
  if (issues.length > 0) throw malformed('the query', issues);
  // Every reader has run without a fault, so the values have the readers' types.
  return values as T;
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

function attempt<T>(issues: Issue[], place: string, reader: () => T): T | undefined {
  try {
    return reader();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    for (const { message } of error.issues) issues.push({ place, message });
    return undefined;
  }
}
