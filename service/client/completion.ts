/**
 * Completing many kept receipts with few requests: receipts under one anchor share its checkpoint, those by one key their evidence, and
 * the paths are made from the log's tiles. What comes out is byte for byte what the service serves for each of them.
 */

import { formatHex } from '../../merkle/bytes.ts';
import { type Checkpoint, originLine, readCheckpoint } from '../../merkle/checkpoint.ts';
import { parseEntry } from '../../merkle/entry.ts';
import { ProofError } from '../../merkle/errors.ts';
import type { Evidence, Receipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { ReceiptError } from '../../merkle/verification.ts';
import { type ListedAnchor, readAnchors, readAnswer, readable } from './answers.ts';
import type { LedgerClient } from './client.ts';
import type { UnavailableError } from './errors.ts';
import { type Judge, type Judging, judgeBy } from './judge.ts';
import { Retry, type RetryLimits, retrying, retryLimits } from './retry.ts';
import { LogTiles, requireOrigin } from './tiles.ts';

export type CompletionOptions = Judging & {
  readonly retries?: Partial<RetryLimits>;
  readonly stop?: AbortSignal | undefined;
  /** Told before each pause. */
  readonly onRetry?: (reason: UnavailableError) => void;
  /** Told of a receipt that the service gives and the trust file does not bear out: then the kept one is given as it was. */
  readonly onUnproved?: (kept: Receipt, why: ReceiptError) => void;
};

/** Evidence takes some ten kilobytes, and one log has few keys at a time. */
const evidenceKept = 64;

/**
 * Gives each kept receipt as it is now: complete, once the first anchor that covers its entry is final, and as it was before that. A
 * complete receipt never changes again, and goes through as it is. Quickest in the order of the log.
 *
 * With a trust file a complete receipt is one that matches it: a kept one that does not is fetched again, and one that was fetched
 * comes out only if it does. Without one the anchor and its evidence are the service's word, and verifying is left to the caller.
 *
 * @throws {ReceiptError} if what the service gives does not match the trust file, unless `onUnproved` is told of it
 * @throws {ProofError} if the service does not prove an entry under its anchor; {RefusedError} if it does not have it;
 *   {UnavailableError} if it could not be reached for too long
 */
export async function* completeReceipts(
  client: LedgerClient,
  kept: AsyncIterable<Receipt>,
  { retries, stop, onRetry = () => undefined, onUnproved = refuse, ...judging }: CompletionOptions = {},
): AsyncGenerator<Receipt> {
  const retry = new Retry(client.clock, { ...retryLimits, ...retries });
  const completion = new Completion(client);
  const judge = judgeBy(judging);
  for await (const receipt of kept) {
    if (receipt.evidence !== null && (await faultOf(receipt, judge)) === undefined) {
      yield receipt;
      continue;
    }
    const complete = await retrying(() => completion.complete(receipt), retry, { signal: stop, onRetry });
    retry.progressed();
    const fault = complete.evidence === null ? undefined : await faultOf(complete, judge);
    if (fault !== undefined) onUnproved(receipt, fault);
    yield fault === undefined ? complete : receipt;
  }
}

function refuse(_: Receipt, why: ReceiptError): never {
  throw why;
}

/** Why a receipt does not match, if it does not and there is something to judge it by. */
async function faultOf(receipt: Receipt, judge: Judge | undefined): Promise<ReceiptError | undefined> {
  try {
    await judge?.require(receipt);
    return undefined;
  } catch (error) {
    if (error instanceof ReceiptError) return error;
    throw error;
  }
}

class Completion {
  readonly #client: LedgerClient;
  readonly #tiles: LogTiles;
  readonly #anchors: Anchors;
  readonly #evidence = new Map<string, Evidence>();

  constructor(client: LedgerClient) {
    this.#client = client;
    this.#tiles = new LogTiles(client.requests);
    this.#anchors = new Anchors(client);
  }

  async complete(kept: Receipt): Promise<Receipt> {
    const { entry, inclusion, record } = kept;
    const { index } = inclusion;
    const covering = await this.#anchors.covering(index);
    if (covering === undefined) return kept;
    requireOrigin(covering.anchor.checkpoint, originLine(kept.checkpoint));

    const { anchor, checkpoint } = covering;
    const path = await this.#tiles.path(index, leafHash(entry), checkpoint);
    const evidence = await this.#evidenceFor(kept, anchor);
    const complete = { entry, inclusion: { index, path }, checkpoint: anchor.checkpoint, evidence };
    return record === undefined ? complete : { ...complete, record };
  }

  async #evidenceFor(kept: Receipt, anchor: ListedAnchor): Promise<Evidence> {
    const name = `${anchor.size} ${formatHex(parseEntry(kept.entry).keyId)}`;
    const known = this.#evidence.get(name);
    if (known !== undefined) return known;

    const { checkpoint, evidence } = await this.#client.complete(kept);
    if (evidence === null || checkpoint !== anchor.checkpoint)
      throw new ProofError(
        `the service lists an anchor of size ${anchor.size}, and its receipts have another`,
      );
    this.#evidence.set(name, evidence);
    const [oldest] = this.#evidence.keys();
    if (this.#evidence.size > evidenceKept && oldest !== undefined) this.#evidence.delete(oldest);
    return evidence;
  }
}

type Covering = { readonly anchor: ListedAnchor; readonly checkpoint: Checkpoint };

/** The list of anchors, read a page at a time. */
class Anchors {
  readonly #client: LedgerClient;
  /** All anchors of more than `from` entries, up to the last one here, smallest first. */
  #page: { readonly from: number; readonly anchors: readonly Covering[] } = { from: 0, anchors: [] };
  /** Entries from here on have no final anchor, as far as was asked. */
  #end = Number.POSITIVE_INFINITY;

  constructor(client: LedgerClient) {
    this.#client = client;
  }

  /** The first final anchor that covers an entry. */
  async covering(index: number): Promise<Covering | undefined> {
    if (index >= this.#end) return undefined;
    const known = this.#find(index);
    if (known !== undefined) return known;
    this.#page = { from: index, anchors: await this.#ask(index) };
    const found = this.#find(index);
    if (found === undefined) this.#end = index;
    return found;
  }

  #find(index: number): Covering | undefined {
    if (index < this.#page.from) return undefined;
    return this.#page.anchors.find(({ anchor }) => anchor.size > index);
  }

  async #ask(size: number): Promise<readonly Covering[]> {
    const { requests } = this.#client;
    // The cursor is the size of an anchor that was seen: what comes is larger.
    const { body } = await requests.text(`/v1/anchors?cursor=${size}`);
    return readAnswer(requests.base, body, readAnchors)
      .filter(({ isFinal }) => isFinal)
      .map(anchor => ({ anchor, checkpoint: checkpointOf(anchor) }));
  }
}

function checkpointOf({ size, checkpoint: note }: ListedAnchor): Checkpoint {
  const checkpoint = readable('checkpoint', () => readCheckpoint(note));
  if (checkpoint.size !== size)
    throw new ProofError(`the anchor of size ${size} has a checkpoint of size ${checkpoint.size}`);
  return checkpoint;
}
