/**
 * What is sent together: one statement with the event or the events under it. A group's lines go out in one piece, and the service
 * answers each of its events.
 */

import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import { parseStatement } from '../../merkle/statement.ts';
import type { Sent } from './acknowledgement.ts';
import { maxBatchBytes, type SignedBatch, signBatch } from './batch.ts';
import { type Problem, RefusedError } from './errors.ts';
import { type StatementSigner, signStatement } from './signer.ts';

/** Where something stands in what the sender has, for messages: the line, counted from 1, and a name where there is a better one. */
export type Place = { readonly line: number; readonly label?: string };

/** What is to be submitted. A batch stands for as many places as it has events, the first at `line`. */
export type Item = Place &
  (
    | { readonly kind: 'event'; readonly event: Uint8Array }
    /** `key` is the public key that signed. */
    | { readonly kind: 'statement'; readonly statement: string; readonly key: Jwk }
    | { readonly kind: 'batch'; readonly batch: SignedBatch; readonly key: Jwk }
    /** What cannot be sent at all: it is told in its place in the order. */
    | { readonly kind: 'refused'; readonly problem: Problem }
  );

/** One event of a group; or something that is refused already. */
export type Slot = Place & { readonly problem?: Problem };

export type Group = {
  /** In the order of the places. */
  readonly slots: readonly Slot[];
  /** How many bytes its lines have. */
  readonly lengthBytes: number;
  /** How many lines it has: none where there is nothing to send. */
  readonly lines: number;
  /** Its lines, in pieces. */
  pieces(): Iterable<Uint8Array>;
  /** What is sent for the n-th slot that is no problem. */
  sent(n: number): Sent;
};

/** How groups are made of items. */
export type Grouping = {
  /** The log that all is for. */
  readonly origin: string;
  /** Signs events. Needed only where there are some. */
  readonly signer?: StatementSigner | undefined;
  /** How many events go under one signature; 0 for a statement over each. */
  readonly batchSize: number;
  readonly randomBytes: (length: number) => Uint8Array;
};

/** Items that make one group together. */
export async function* together(
  items: AsyncIterable<Item>,
  batchSize: number,
): AsyncGenerator<readonly Item[]> {
  let events: Item[] = [];
  let count = 0;
  let lengthBytes = 0;
  for await (const item of items) {
    const isEvent = item.kind === 'event';
    const length = isEvent ? item.event.length + 1 : 0;
    const isFull = count >= batchSize || lengthBytes + length > maxBatchBytes;
    if (events.length > 0 && ((isEvent && isFull) || item.kind === 'statement' || item.kind === 'batch')) {
      yield events;
      events = [];
      count = 0;
      lengthBytes = 0;
    }
    if (batchSize === 0 || item.kind === 'statement' || item.kind === 'batch') {
      yield [item];
      continue;
    }
    events.push(item);
    if (isEvent) count++;
    lengthBytes += length;
    // Nothing waits for what may never come.
    if (count === batchSize || events.length >= 2 * batchSize) {
      yield events;
      events = [];
      count = 0;
      lengthBytes = 0;
    }
  }
  if (events.length > 0) yield events;
}

/** Signs what is to be signed. @throws {RefusedError} for a statement that is meant for another log: whoever made it meant another one */
export async function groupOf(items: readonly Item[], grouping: Grouping): Promise<Group> {
  const [first] = items;
  if (first?.kind === 'statement') return statementGroup(first, grouping.origin);
  if (first?.kind === 'batch') {
    requireAudience(first, first.batch.statement, grouping.origin);
    const slots = first.batch.events.map((_, i) => ({ line: first.line + i }));
    return batchGroup(first.batch, first.key, slots);
  }
  const events = items.flatMap(item => (item.kind === 'event' ? [item.event] : []));
  const slots = items.map(slotOf);
  const [event] = events;
  if (event === undefined) return { slots, lengthBytes: 0, lines: 0, pieces: () => [], sent: outside };

  const { origin, signer, batchSize, randomBytes } = grouping;
  if (signer === undefined) throw new TypeError('there is no signer for the events');
  if (batchSize === 0)
    return singleGroup(await signStatement(event, origin, signer), signer.key, event, slots);
  return batchGroup(await signBatch(events, origin, signer, randomBytes), signer.key, slots);
}

function statementGroup(item: Item & { readonly kind: 'statement' }, origin: string): Group {
  const { statement, key } = item;
  try {
    const { typ, payload } = parseStatement(statement);
    requireAudience(item, statement, origin);
    if (typ === 'zegel+jws') return singleGroup(statement, key, payload, [slotOf(item)]);
    throw FormatError.at('statement', 'a batch statement goes with its secret and its events');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const slots = [{ ...slotOf(item), problem: malformed(error) }];
    return { slots, lengthBytes: 0, lines: 0, pieces: () => [], sent: outside };
  }
}

function singleGroup(statement: string, key: Jwk, event: Uint8Array, slots: readonly Slot[]): Group {
  const line = utf8(`${JSON.stringify({ statement })}\n`);
  const sent = { statement, key, event };
  return { slots, lengthBytes: line.length, lines: 1, pieces: () => [line], sent: () => sent };
}

function batchGroup(batch: SignedBatch, key: Jwk, slots: readonly Slot[]): Group {
  const { statement, secret, events } = batch;
  const opening = utf8(`${JSON.stringify({ statement, secret: formatBase64url(secret) })}\n`);
  return {
    slots,
    lengthBytes: events.reduce((sum, event) => sum + event.length + 1, opening.length),
    lines: 1 + events.length,
    *pieces() {
      yield opening;
      for (const event of events) {
        yield event;
        yield lineFeed;
      }
    },
    sent(n) {
      const batched = batch.batched(n);
      return { statement, key, event: batched.event, batch: batched };
    },
  };
}

const lineFeed = Uint8Array.of(0x0a);

function slotOf(item: Item): Slot {
  const { line, label } = item;
  const place = label === undefined ? { line } : { line, label };
  return item.kind === 'refused' ? { ...place, problem: item.problem } : place;
}

function outside(n: number): never {
  throw new RangeError(`the group has no event ${n}`);
}

function requireAudience(place: Place, statement: string, origin: string): void {
  const { aud } = parseStatement(statement);
  if (aud === origin) return;
  throw new RefusedError({
    status: 403,
    name: 'audience-other',
    detail: `${placeName(place)}: the statement is for the log "${aud}", and this one is "${origin}"`,
    issues: [],
  });
}

/** A place in words. */
export function placeName({ line, label }: Place): string {
  return label ?? `line ${line}`;
}

/** What the service would answer to something that is not in its form. */
export function malformed(error: FormatError): Problem {
  return { status: 400, name: 'record-malformed', detail: error.message, issues: error.issues };
}
