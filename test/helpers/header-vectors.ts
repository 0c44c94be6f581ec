/** Reads `vectors/headers` of the folder `shared` beside the checkout, where it is there: real blocks of Besu and of geth. */

import { existsSync, readFileSync } from 'node:fs';
import { parseHex0x } from '../../merkle/bytes.ts';

export type HeaderVector = {
  readonly consensus: string;
  readonly number: number;
  readonly blockHash: string;
  readonly [member: string]: unknown;
};

const folder = new URL('../../../shared/vectors/headers/', import.meta.url);

/** Whether the vectors are there. */
export const headerVectorsPresent = existsSync(folder);

/** What to put behind a test's name where they are not. */
export const headerVectorsNote = headerVectorsPresent
  ? ''
  : ' (skipped: ../shared/vectors/headers is absent)';

export function readHeaderVector(name: string): HeaderVector {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as HeaderVector;
}

/** A member that holds bytes in hexadecimal. */
export function bytesIn(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new Error(`${typeof value}, want hexadecimal`);
  return parseHex0x(value, (value.length - 2) / 2);
}

/** A member that holds a list of addresses. */
export function addressesIn(value: unknown): Uint8Array[] {
  if (!Array.isArray(value)) throw new Error(`${typeof value}, want a list`);
  return value.map(bytesIn);
}
