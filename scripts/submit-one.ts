/** `zegel submit` of one event or one statement: its receipt is a file of its own. */

import { readFile } from 'node:fs/promises';
import { formatHex } from '../merkle/bytes.ts';
import { formatTime, parseEntry } from '../merkle/entry.ts';
import { parseReceipt } from '../merkle/receipt.ts';
import { parseStatement } from '../merkle/statement.ts';
import { type LedgerClient, receiptFile } from '../service/client/client.ts';
import { RefusedError } from '../service/client/errors.ts';
import type { Item } from '../service/client/groups.ts';
import { type Outcome, type StreamOptions, submitStream } from '../service/client/stream.ts';
import { CommandError, type ExitCode, type Flags, type Output } from './command.ts';
import { replaceFile } from './durable.ts';
import { isAbout } from './kept.ts';

export type OneParts = {
  readonly client: LedgerClient;
  readonly options: StreamOptions;
  readonly items: AsyncIterable<Item>;
  readonly output: Output;
  readonly flags: Flags;
};

/** @throws {RefusedError} if it is refused; {CommandError} exit code 2 if it is malformed, or another event's receipt is in its place */
export async function submitOne({ client, options, items, output, flags }: OneParts): Promise<ExitCode> {
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
  await replaceFile(place, file => file.writeFile(receiptFile(outcome.receipt)));
  let { receipt } = outcome;
  const waitS = Number(flags['wait'] ?? 0);
  if (waitS > 0) {
    receipt = await client.wait(receipt, { waitS });
    await replaceFile(place, file => file.writeFile(receiptFile(receipt)));
  }
  const isAnchored = receipt.evidence !== null;
  const { index } = receipt.inclusion;
  output.result(
    [
      `${isNew ? 'recorded' : 'was recorded before'} as entry ${index} at ${formatTime(parseEntry(receipt.entry).time)}`,
      `leaf hash ${formatHex(leafHash)}`,
      `receipt ${place} (${isAnchored ? 'anchored' : 'not yet anchored'})`,
    ],
    { leafHash: formatHex(leafHash), index, status: isNew ? 201 : 200, anchored: isAnchored, receipt: place },
  );
  return waitS > 0 && !isAnchored ? 3 : 0;
}

/** A receipt is not written over another event's: it may be the only copy of a salt. */
async function requireRoom(out: string, item: Item): Promise<void> {
  const bytes = await readFile(out).catch(() => undefined);
  if (bytes === undefined || (item.kind !== 'event' && item.kind !== 'statement')) return;
  const event = item.kind === 'event' ? item.event : parseStatement(item.statement).payload;
  let isOther = false;
  try {
    isOther = !isAbout(parseReceipt(bytes), event, out);
  } catch {
    // No receipt: what people name here, they mean to be written over.
  }
  if (isOther)
    throw new CommandError(2, `${out} is the receipt of another event: name another file with --out`);
}
