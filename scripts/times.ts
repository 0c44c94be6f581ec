/** Times on the command line: in UTC and in whole seconds, as the key registry keeps them. */

import { noEnd } from '../merkle/evidence.ts';
import { CommandError } from './command.ts';

/** An option's time as whole seconds since 1970. @throws {CommandError} exit code 2 unless it is spelt `2027-01-01T00:00:00Z` */
export function parseTime(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const seconds = Date.parse(text) / 1000;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) || !Number.isSafeInteger(seconds)) {
    throw new CommandError(2, `"${text}" is not a time such as 2027-01-01T00:00:00Z`);
  }
  return seconds;
}

/** The registry's seconds as people read them. */
export function formatSeconds(seconds: number): string {
  return seconds === noEnd ? 'further notice' : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
