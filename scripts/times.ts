/** Times on the command line: in UTC and in whole seconds, as the key registry keeps them. */

import { noEnd } from '../merkle/evidence.ts';
import { CommandError } from './command.ts';

/** An option's time as whole seconds since 1970. @throws {CommandError} exit code 2 unless it is spelt `2027-01-01T00:00:00Z` */
export function parseTime(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const seconds = Date.parse(text) / 1000;
  // The 30th of February would be read as the 2nd of March, and an end cannot be moved back.
  if (!Number.isSafeInteger(seconds) || seconds < 0 || formatSeconds(seconds) !== text) {
    throw new CommandError(2, `"${text}" is not a time such as 2027-01-01T00:00:00Z`);
  }
  return seconds;
}

/** The registry's seconds as people read them. */
export function formatSeconds(seconds: number): string {
  return seconds === noEnd ? 'further notice' : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
