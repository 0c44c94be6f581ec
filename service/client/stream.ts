/**
 * Submitting a stream of any length: in uploads of bounded size, each retried until it is known of every line what became of it, and
 * proved with the log's own tiles before anything is given out.
 *
 * Nothing can be doubled, since the ledger answers an event that it has with the record as it stands. So after a cut everything that
 * was not answered is sent again.
 */

import { randomBytes } from 'node:crypto';
import type { Receipt } from '../../merkle/receipt.ts';
import { type VerifySignature, verifySignature } from '../../merkle/signature.ts';
import { verifyCheckpoint } from '../../merkle/steps.ts';
import type { Trust } from '../../merkle/trust.ts';
import { ahead } from './ahead.ts';
import type { LedgerClient } from './client.ts';
import { type Problem, RefusedError, type UnavailableError } from './errors.ts';
import { groupOf, type Item, type Place, together } from './groups.ts';
import { Retry, type RetryLimits, retrying, retryLimits } from './retry.ts';
import { type Shipped, ship, type UploadLimits, uploadLimits } from './shipment.ts';
import type { StatementSigner } from './signer.ts';
import { GroupSource } from './source.ts';
import { LogTiles, requireOrigin } from './tiles.ts';

/** What became of one event. */
export type Outcome = Place &
  (
    | {
        readonly kind: 'recorded';
        /** False for a retry: the event was there before. */
        readonly isNew: boolean;
        readonly leafHash: Uint8Array;
        /** It lacks nothing but the anchor. */
        readonly receipt: Receipt;
      }
    | { readonly kind: 'refused'; readonly problem: Problem }
  );

export type StreamOptions = {
  /** The log that all is for. Left out, the service is asked, and its word taken. */
  readonly origin?: string | undefined;
  /** Signs the events among the items. */
  readonly signer?: StatementSigner | undefined;
  /** Signs so many events under one signature, up to 65,536; 0 for one signature each. */
  readonly batchSize?: number;
  /** If it is given, checkpoints must be signed as it says. */
  readonly trust?: Trust | undefined;
  /** Verifies earlier signatures over the same events; a server may pass one that is faster than the core's own. */
  readonly verify?: VerifySignature;
  readonly uploads?: Partial<UploadLimits>;
  readonly retries?: Partial<RetryLimits>;
  /** Ends in order: what is under way is finished, and nothing more is taken. */
  readonly stop?: AbortSignal;
  /** Told before each pause. */
  readonly onRetry?: (reason: UnavailableError) => void;
};

/** How many signatures are made ahead of what is sent. */
const signedAhead = 32;

/** Outcomes are given out in parts of so many: a receipt takes some kilobytes. */
const partLength = 1_000;

/**
 * Submits items and gives what became of them, in their order and in parts: those of one upload, once they all are proved.
 *
 * @throws {UnavailableError} if the service could not be reached for too long; {RefusedError} if it refuses what every item would be
 *   refused for; {ProofError} if an answer does not prove what it claims; and what the items throw. What is known is given out before
 */
export async function* submitStream(
  client: LedgerClient,
  items: AsyncIterable<Item>,
  options: StreamOptions = {},
): AsyncGenerator<readonly Outcome[]> {
  const { signer, batchSize = 0, stop, trust, verify = verifySignature, onRetry = () => undefined } = options;
  const { requests, clock } = client;
  const retry = new Retry(clock, { ...retryLimits, ...options.retries });
  const { origin } = await retrying(() => client.about(), retry, { signal: stop, onRetry });
  if (options.origin !== undefined && options.origin !== origin) throw otherLog(options.origin, origin);
  const grouping = { origin, signer, batchSize, randomBytes };
  const groups = ahead(together(items, batchSize), batchSize > 0 ? 1 : signedAhead, some =>
    groupOf(some, grouping),
  );
  const source = new GroupSource(groups, stop);
  const limits = { ...uploadLimits, ...options.uploads };
  const checking = { base: requests.base, origin, verify };
  const parts = { requests, checking, limits, retry, clock, stop, onRetry };
  const prover = new Prover(new LogTiles(requests), origin, trust, work =>
    retrying(work, retry, { signal: stop, onRetry }),
  );
  try {
    for (;;) {
      const shipped = await ship(source, parts);
      if (shipped === undefined) return;
      yield* prover.outcomes(shipped);
      if (shipped.failure === undefined) continue;
      if (stop?.aborted === true) return;
      throw shipped.failure.error;
    }
  } finally {
    await source.close();
  }
}

function otherLog(wanted: string, origin: string): RefusedError {
  const detail = `the service keeps the log "${origin}", not "${wanted}"`;
  return new RefusedError({ status: 403, name: 'audience-other', detail, issues: [] });
}

/** Makes outcomes of results: what is recorded must be in the tree of the checkpoint. */
class Prover {
  readonly #tiles: LogTiles;
  readonly #origin: string;
  readonly #trust: Trust | undefined;
  readonly #retrying: <T>(work: () => Promise<T>) => Promise<T>;

  constructor(
    tiles: LogTiles,
    origin: string,
    trust: Trust | undefined,
    retrying: <T>(work: () => Promise<T>) => Promise<T>,
  ) {
    this.#tiles = tiles;
    this.#origin = origin;
    this.#trust = trust;
    this.#retrying = retrying;
  }

  /** The outcomes of one upload, in parts. What is proved is given out before a fault is thrown. */
  async *outcomes(shipped: Shipped): AsyncGenerator<readonly Outcome[]> {
    let part: Outcome[] = [];
    let fault: { readonly error: unknown } | undefined;
    const each = this.#each(shipped);
    for (;;) {
      const next = await each.next().catch((error: unknown) => {
        fault = { error };
        return undefined;
      });
      if (next === undefined || next.done === true) break;
      part.push(next.value);
      if (part.length < partLength) continue;
      yield part;
      part = [];
    }
    if (part.length > 0) yield part;
    if (fault !== undefined) throw fault.error;
  }

  /** Up to the first place of which it is not known what became of it: outcomes stay in order. */
  async *#each({ flights, checkpoint: note }: Shipped): AsyncGenerator<Outcome> {
    const checkpoint = note === undefined ? undefined : requireOrigin(note, this.#origin);
    if (note !== undefined && this.#trust !== undefined) verifyCheckpoint(note, this.#trust);
    for (const flight of flights) {
      for (const [{ line, label }, result] of flight.results()) {
        const place = label === undefined ? { line } : { line, label };
        if (result?.kind === 'refused') {
          yield { ...place, kind: 'refused', problem: result.problem };
          continue;
        }
        if (result === undefined || note === undefined || checkpoint === undefined) return;
        const { entry, leafHash, index, record } = result.recorded;
        const path = await this.#retrying(() => this.#tiles.path(index, leafHash, checkpoint));
        const receipt = { entry, inclusion: { index, path }, checkpoint: note, evidence: null, record };
        yield { ...place, kind: 'recorded', isNew: result.isNew, leafHash, receipt };
      }
    }
  }
}
