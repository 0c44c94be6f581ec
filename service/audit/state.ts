/**
 * Where an audit stands, as a text: under way, so that it goes on after a crash, or finished, so that the next reads only what is new.
 *
 * It is one JSON object in its one spelling, version 1. It names the log, and the trust file by its fingerprint: a state is good for that
 * log under that trust file, and for nothing else. Nobody vouches for its numbers but whoever keeps the file; that the tree in it is
 * how the log begins is proved anew whenever it is used (`log-state.ts`).
 */

import { z } from 'zod';
import { FormatError } from '../../merkle/errors.ts';
import type { Carried } from './carried.ts';
import { type FindingCode, findingCodes } from './findings.ts';
import { formatLogState, type LogState, parseLogState } from './log-state.ts';

const count = z.int().nonnegative();
const time = z.string();
const code = z.enum(Object.keys(findingCodes) as [FindingCode, ...FindingCode[]]); // Its keys are the codes.

const placeShape = z.strictObject({
  index: count.exactOptional(),
  size: count.exactOptional(),
  block: count.exactOptional(),
  contract: z.string().exactOptional(),
});

const stateShape = z.strictObject({
  version: z.literal(1),
  origin: z.string(),
  logId: z.string(),
  /** The trust file's SHA-256, in hexadecimal. */
  trust: z.string(),
  /** What this audit reads up to; null once it has. */
  underWay: z
    .strictObject({
      checkpoint: z.string(),
      started: time,
      earlier: z.strictObject({ size: count, ended: time }).nullable(),
    })
    .nullable(),
  /** When it ended; of one under way, when this was written. */
  written: time,
  /** The block up to which the chain was read. */
  final: z.strictObject({ number: count, hash: z.string().regex(/^0x[0-9a-f]{64}$/) }),
  kept: z.array(
    z.strictObject({ code, place: placeShape, message: z.string(), proof: z.record(z.string(), z.string()) }),
  ),
  counts: z.partialRecord(code, count),
  /** As log-state.ts has it. */
  log: z.unknown(),
});

export type AuditState = Readonly<Omit<z.infer<typeof stateShape>, 'kept' | 'counts' | 'log'>> &
  Carried & { readonly log: LogState };

/** What a state is of. */
export type StateOf = Pick<AuditState, 'origin' | 'logId' | 'trust'>;

export function formatState(state: AuditState): string {
  return `${JSON.stringify({ ...state, log: JSON.parse(formatLogState(state.log)) })}\n`;
}

/** @throws {FormatError} naming what is wrong with it */
export function parseState(text: string): AuditState {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw FormatError.at('', 'it is not JSON');
  }
  const parsed = stateShape.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw FormatError.at(issue?.path.join('.') ?? '', issue?.message ?? 'it is not in its form');
  }
  return { ...parsed.data, log: parseLogState(JSON.stringify(parsed.data.log)) };
}

/** Why a state is not one to go on from; undefined where it is. */
export function foreign(state: StateOf, wanted: StateOf): string | undefined {
  if (state.origin !== wanted.origin) return `it is of the log "${state.origin}", not of "${wanted.origin}"`;
  if (state.logId !== wanted.logId)
    return `it is of the log id ${state.logId}, the trust file has ${wanted.logId}: another chain or registry`;
  if (state.trust !== wanted.trust)
    return `it was made with the trust file of SHA-256 ${state.trust}, not with that of ${wanted.trust}`;
  return undefined;
}
