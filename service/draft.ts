/** What one commit is to add: each new entry with its index, time and salt, and who is not admitted. */

import { setImmediate } from 'node:timers/promises';
import { formatEntry } from '../merkle/entry.ts';
import { LedgerError } from './errors.ts';
import { commitmentOf, leafHash } from './hashing.ts';
import { clockToleranceMs } from './hearing.ts';
import type { Head, NewEntry } from './layout.ts';
import { sealRecord } from './records.ts';
import type { Acknowledgement, SignedCheckpoint, Submission } from './submission.ts';

/** A record that waits for its place, and whom to answer. */
export type RecordItem = {
  readonly kind: 'record';
  readonly submission: Submission;
  readonly resolve: (acknowledgement: Acknowledgement) => void;
  readonly reject: (error: unknown) => void;
};

/** A final block whose hash waits for its place; its time in seconds. */
export type ChainItem = {
  readonly kind: 'chain';
  readonly block: { readonly hash: Uint8Array; readonly blockTime: number };
  readonly resolve: (signed: SignedCheckpoint) => void;
  readonly reject: (error: unknown) => void;
};

/** What is new in the log. `name` is the key of the natural-key index. */
export type FreshItem =
  | { readonly item: RecordItem; readonly name: Uint8Array }
  | { readonly item: ChainItem };

/** Where an item stands once the commit is made. */
export type Placed = { readonly index: number; readonly time: number; readonly leafHash: Uint8Array } & (
  | { readonly item: RecordItem; readonly salt: Uint8Array }
  | { readonly item: ChainItem }
);

export type Draft = {
  readonly entries: readonly NewEntry[];
  readonly placed: readonly Placed[];
  readonly refused: readonly { readonly item: RecordItem; readonly error: LedgerError }[];
  /** The head after it, but for size and root. */
  readonly head: Head;
};

/** A commit is in memory several times while it is written: no more than this of events and their batch statements is taken into one. */
const commitMaxBytes = 4 << 20;

/** How many of those that wait the next commit takes: at least one, and no more bytes than it should hold. */
export function commitLength(waiting: readonly (RecordItem | ChainItem)[], most: number): number {
  let bytes = 0;
  for (const [i, item] of waiting.entries()) {
    if (i === most) return i;
    if (item.kind === 'record') bytes += lengthOf(item.submission);
    if (bytes > commitMaxBytes) return Math.max(1, i);
  }
  return waiting.length;
}

/** A single statement is as long as its event; a batch's is kept with each of its events. */
function lengthOf({ event, batch, statement }: Submission): number {
  return batch === undefined ? event.length : event.length + statement.length;
}

/** How many records are drafted in one turn of the event loop. */
const turnLength = 32;

/** Gives each new item its place after a head. Whoever is not admitted leaves no trace in it. */
export async function draftAfter(
  last: Head,
  fresh: readonly FreshItem[],
  parts: { readonly now: () => number; readonly randomBytes: (lengthBytes: number) => Uint8Array },
): Promise<Draft> {
  const entries: NewEntry[] = [];
  const placed: Placed[] = [];
  const refused: { item: RecordItem; error: LedgerError }[] = [];
  const salts = parts.randomBytes(32 * fresh.length);
  let head = last;
  for (const [i, each] of fresh.entries()) {
    // A large batch takes many milliseconds: in between signatures go on to be checked and requests to be read.
    if (i % turnLength === turnLength - 1) await setImmediate();
    const index = last.size + entries.length;
    const time = timeAfter(head, each, parts.now());
    if (!('name' in each)) {
      const { item } = each;
      const entry = chainEntry(item, time);
      entries.push(entry);
      placed.push({ item, index, time, leafHash: entry.leafHash });
      head = { ...head, time, chainEntry: { index, blockTime: item.block.blockTime } };
      continue;
    }
    const { item, name } = each;
    try {
      requireClock(last, parts.now());
      item.submission.admit(time);
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
      refused.push({ item, error });
      continue;
    }
    const salt = salts.subarray(32 * entries.length, 32 * (entries.length + 1));
    const entry = recordEntry(item, name, time, salt);
    entries.push(entry);
    placed.push({ item, index, time, leafHash: entry.leafHash, salt });
    head = { ...head, time, recordsUpTo: index + 1 };
  }
  return { entries, placed, refused, head };
}

/** Times never decrease, and from a chain entry on they are not earlier than its block by more than the tolerance (DESIGN 3.3). */
function timeAfter(head: Head, { item }: FreshItem, nowMs: number): number {
  const blockTime = item.kind === 'chain' ? item.block.blockTime : (head.chainEntry?.blockTime ?? 0);
  return Math.max(nowMs, head.time, blockTime * 1000 - clockToleranceMs);
}

/** A clock that has gone back further than the tolerance is wrong, not merely adjusted. */
function requireClock(last: Head, nowMs: number): void {
  const behindMs = last.time - nowMs;
  if (behindMs <= clockToleranceMs) return;
  const why = `the service's clock is ${behindMs} ms behind the last entry of the log`;
  throw new LedgerError('CLOCK_OFF', why, { retryAfterS: 60 });
}

function chainEntry({ block }: ChainItem, time: number): NewEntry {
  const entry = formatEntry({ kind: 'chain', time, keyId: new Uint8Array(32), commitment: block.hash });
  return { entry, leafHash: leafHash(entry) };
}

function recordEntry({ submission }: RecordItem, name: Uint8Array, time: number, salt: Uint8Array): NewEntry {
  const { statement, key, keyId, kind, event, batch } = submission;
  const commitment = commitmentOf(salt, event, statement);
  const entry = formatEntry({ kind, time, keyId, commitment });
  const hash = leafHash(entry);
  const record = { statement, salt, key, ...(batch === undefined ? {} : { batch: { ...batch, event } }) };
  return { entry, leafHash: hash, record: { name, salt, sealed: sealRecord(record, hash) } };
}
