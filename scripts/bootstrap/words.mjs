/** What bootstrap says, and how it gives up. */

import { relative } from 'node:path';

/** A reason to stop that is told without a stack. */
export class Stop extends Error {}

/**
 * Says a line on standard error: standard output belongs to what runs next.
 *
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`zegel: ${line}\n`);
}

/**
 * A path as whoever typed the command would write it.
 *
 * @param {string} path
 */
export function shown(path) {
  const short = relative(process.cwd(), path);
  if (short === '') return 'this folder';
  return short.startsWith('..') ? path : short;
}

/**
 * The code of a system error.
 *
 * @param {unknown} error
 */
export function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
