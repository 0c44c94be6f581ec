/** `zegel submit` of one event or one statement: its receipt is a file of its own. */

import { readFile } from 'node:fs/promises';
import { equalBytes, formatHex } from '../merkle/bytes.ts';
import { originLine } from '../merkle/checkpoint.ts';
import { formatTime, parseEntry } from '../merkle/entry.ts';
import { parseReceipt, type Receipt } from '../merkle/receipt.ts';
import { parseStatement } from '../merkle/statement.ts';
import type { Trust } from '../merkle/trust.ts';
import { type LedgerClient, receiptFile } from '../service/client/client.ts';
import { RefusedError } from '../service/client/errors.ts';
import type { Item } from '../service/client/groups.ts';
import { type Outcome, type StreamOptions, submitStream } from '../service/client/stream.ts';
import { CommandError, type ExitCode, type Flags, type Output } from './command.ts';
import { replaceFile } from './durable.ts';
import { isAbout, requireLog } from './kept.ts';
import { alone } from './lock.ts';
import { checkedNote, matches, requireMatch } from './trust.ts';

export type OneParts = {
  readonly client: LedgerClient;
  readonly options: StreamOptions;
  readonly items: AsyncIterable<Item>;
  readonly output: Output;
  readonly flags: Flags;
};

/** @throws {RefusedError} if it is refused; {CommandError} exit code 2 if it is malformed, or another event's receipt is in its place */
export async function submitOne(parts: OneParts): Promise<ExitCode> {
  const { out } = parts.flags;
  // Nobody else puts a receipt there while it is being looked at.
  return typeof out === 'string' ? alone(out, () => submitAlone(parts)) : submitAlone(parts);
}

async function submitAlone({ client, options, items, output, flags }: OneParts): Promise<ExitCode> {
  const { out } = flags;
  const checked = async function* (): AsyncGenerator<Item> {
    for await (const item of items) {
      if (item.kind === 'refused') throw new CommandError(2, item.problem.detail);
      if (typeof out === 'string') await requireRoom(out, item);
      yield item;
    }
  };
  const onRetry = (reason: Error): void => output.note(`${reason.message}: trying again`);
  const outcomes: Outcome[] = [];
  for await (const part of submitStream(client, checked(), { ...options, onRetry })) outcomes.push(...part);
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error('nothing became of what was sent');
  if (outcome.kind === 'refused') throw new RefusedError(outcome.problem);

  const { isNew, leafHash } = outcome;
  const place = typeof out === 'string' ? out : `${formatHex(leafHash)}.receipt.json`;
  const waitS = Number(flags['wait'] ?? 0);
  const keep = () => keptIn(place, outcome.receipt, client, waitS, options.trust);
  const receipt = typeof out === 'string' ? await keep() : await alone(place, keep);
  const isAnchored = receipt.evidence !== null;
  const { index } = receipt.inclusion;
  output.result(
    [
      `${isNew ? 'recorded' : 'was recorded before'} as entry ${index} at ${formatTime(parseEntry(receipt.entry).time)}`,
      `leaf hash ${formatHex(leafHash)}`,
      `receipt ${place} (${isAnchored ? 'anchored' : 'not yet anchored'}${checkedNote(isAnchored, options.trust, place)})`,
    ],
    { leafHash: formatHex(leafHash), index, status: isNew ? 201 : 200, anchored: isAnchored, receipt: place },
  );
  return waitS > 0 && !isAnchored ? 3 : 0;
}

/** Puts a receipt in its place, and again when it is complete. @returns the one that is there in the end */
async function keptIn(
  place: string,
  given: Receipt,
  client: LedgerClient,
  waitS: number,
  trust: Trust | undefined,
): Promise<Receipt> {
  const there = await completeIn(place, given, trust);
  if (there !== undefined) return there;
  await replaceFile(place, file => file.writeFile(receiptFile(given)));
  if (waitS === 0) return given;
  const receipt = await client.wait(given, { waitS });
  await requireMatch(receipt, trust, place);
  await replaceFile(place, file => file.writeFile(receiptFile(receipt)));
  return receipt;
}

/** What is in a file, if that is a receipt. */
async function receiptIn(path: string): Promise<Receipt | undefined> {
  try {
    return parseReceipt(await readFile(path));
  } catch {
    // No receipt: what people name here, they mean to be written over.
    return undefined;
  }
}

/**
 * The receipt of the same record that is there and complete: it never changes again, and what was just given lacks the anchor. One that
 * does not match the trust file is as good as none.
 * @throws {CommandError} exit code 2 if it is of another log
 */
async function completeIn(
  place: string,
  { entry, checkpoint }: Receipt,
  trust: Trust | undefined,
): Promise<Receipt | undefined> {
  const there = await receiptIn(place);
  if (there?.record === undefined) return undefined;
  requireLog(there, originLine(checkpoint), place);
  if (there.evidence === null || !equalBytes(there.entry, entry)) return undefined;
  return (await matches(there, trust)) ? there : undefined;
}

/** A receipt is not written over another record's: it may be the only copy of a salt. */
async function requireRoom(out: string, item: Item): Promise<void> {
  const there = await receiptIn(out);
  if (there?.record === undefined || (item.kind !== 'event' && item.kind !== 'statement')) return;
  const event = item.kind === 'event' ? item.event : parseStatement(item.statement).payload;
  if (!isAbout(there, event, out))
    throw new CommandError(2, `${out} is the receipt of another event: name another file with --out`);
}
