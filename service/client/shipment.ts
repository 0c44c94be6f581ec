/** Uploads, each sent and sent again until it is known of every line what became of it, or until there is no more point in it. */

import { ProofError } from '../../merkle/errors.ts';
import type { JsonObject } from '../../merkle/json.ts';
import { UnavailableError } from './errors.ts';
import { type Checking, Flight } from './flight.ts';
import type { Requests } from './requests.ts';
import { type Clock, type Retry, retrying } from './retry.ts';
import type { GroupSource } from './source.ts';
import { newestCheckpoint, requireOrigin } from './tiles.ts';
import { upload } from './upload.ts';

/** How much one upload has, unless a single group has more. */
export type UploadLimits = {
  readonly lines: number;
  readonly bytes: number;
  /** How long an upload waits for the next item before it ends. Shorter than the service waits for a line. */
  readonly lingerMs: number;
  /** For how long a connection may stand still. */
  readonly timeoutMs: number;
  /** How long one upload may take in all; what was answered by then is not sent again. */
  readonly overallMs: number;
};

export const uploadLimits: UploadLimits = {
  lines: 4_000,
  bytes: 8 << 20,
  lingerMs: 1_000,
  timeoutMs: 90_000,
  // The largest batch takes nine minutes at the least speed that the service bears with.
  overallMs: 1_200_000,
};

/** What became of one upload. */
export type Shipped = {
  readonly flights: readonly Flight[];
  /** A checkpoint that covers all that was recorded, where one could be had. */
  readonly checkpoint: string | undefined;
  /** Why it ended before all was settled. */
  readonly failure: { readonly error: unknown } | undefined;
};

export type ShipmentParts = {
  readonly requests: Requests;
  readonly checking: Checking;
  readonly limits: UploadLimits;
  readonly retry: Retry;
  readonly clock: Clock;
  readonly stop: AbortSignal | undefined;
  /** Told before each pause. */
  readonly onRetry: (reason: UnavailableError) => void;
};

/** Ships the next upload; undefined where there is nothing left to ship. @throws what the source throws, before anything is sent */
export async function ship(source: GroupSource, parts: ShipmentParts): Promise<Shipped | undefined> {
  const flights: Flight[] = [];
  // What is refused already needs no upload.
  let first = await source.peek();
  while (first !== undefined && first.lines === 0 && flights.length < parts.limits.lines) {
    source.take();
    flights.push(new Flight(first));
    first = await source.peek(parts.limits.lingerMs);
  }
  if (first === undefined || first.lines === 0)
    return flights.length === 0 ? undefined : { flights, checkpoint: undefined, failure: undefined };

  const attempts = new Attempts(parts);
  try {
    await attempts.settle(flights, source);
    attempts.checkpoint ??= await attempts.newestCheckpoint();
    return { flights, checkpoint: attempts.checkpoint, failure: undefined };
  } catch (error) {
    // What was answered before may still be proved.
    const wanted = flights.some(({ settled }) => settled > 0);
    const checkpoint = wanted ? await attempts.lastCheckpoint() : undefined;
    return { flights, checkpoint, failure: { error } };
  }
}

/** The attempts at one upload. */
class Attempts {
  readonly #parts: ShipmentParts;
  /** The last one that was answered. */
  checkpoint: string | undefined;
  #outage: UnavailableError | undefined;

  constructor(parts: ShipmentParts) {
    this.#parts = parts;
  }

  /** Sends until all is settled. @throws what ends it before */
  async settle(flights: Flight[], source: GroupSource): Promise<void> {
    const { retry, stop, onRetry } = this.#parts;
    const settled = () => flights.reduce((sum, flight) => sum + flight.settled, 0);
    for (let isFirst = true; ; isFirst = false) {
      const before = settled();
      this.#outage = undefined;
      try {
        if (isFirst) await this.#sendNew(flights, source);
        else await this.#sendAgain(flights.filter(({ isSettled }) => !isSettled));
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        this.#outage = error;
      }
      if (settled() > before) retry.progressed();
      if (flights.every(({ isSettled }) => isSettled)) return;
      const reason =
        this.#outage ?? new UnavailableError('the service ended the upload before all was answered');
      onRetry(reason);
      await retry.pause(reason, stop);
    }
  }

  /** A checkpoint from now, tried again as long as it is worth it. */
  newestCheckpoint(): Promise<string> {
    const { requests, checking, retry, stop, onRetry } = this.#parts;
    return retrying(() => newestCheckpoint(requests, checking.origin), retry, { signal: stop, onRetry });
  }

  /** A checkpoint, if one can be had at once. */
  async lastCheckpoint(): Promise<string | undefined> {
    const { requests, checking } = this.#parts;
    return newestCheckpoint(requests, checking.origin).catch(() => this.checkpoint);
  }

  async #sendNew(flights: Flight[], source: GroupSource): Promise<void> {
    const { limits } = this.#parts;
    const sending: Flight[] = [];
    let isOver = false;
    const pieces = async function* () {
      let lines = 0;
      let bytes = 0;
      for (;;) {
        // What is wrong with the source is met before the next upload: this one is finished first.
        const group = await source
          .peek(sending.length === 0 ? undefined : limits.lingerMs)
          .catch(() => undefined);
        // The answer may have come meanwhile, and nobody sends what is taken now.
        if (group === undefined || isOver) return;
        lines += group.lines;
        bytes += group.lengthBytes;
        if (sending.length > 0 && (lines > limits.lines || bytes > limits.bytes)) return;
        source.take();
        const flight = new Flight(group);
        flights.push(flight);
        if (group.lines === 0) continue;
        sending.push(flight);
        yield* group.pieces();
      }
    };
    try {
      await this.#upload(sending, pieces());
    } finally {
      isOver = true;
    }
  }

  async #sendAgain(sending: readonly Flight[]): Promise<void> {
    for (const flight of sending) flight.begin();
    const pieces = async function* () {
      for (const { group } of sending) yield* group.pieces();
    };
    await this.#upload(sending, pieces());
  }

  async #upload(sending: readonly Flight[], pieces: AsyncIterable<Uint8Array>): Promise<void> {
    const { requests, checking, limits, clock } = this.#parts;
    let at = 0;
    const onAnswer = async (answer: JsonObject): Promise<void> => {
      while (sending[at]?.isAnswered === true) at++;
      const flight = sending[at];
      if (flight === undefined) throw new ProofError('the service answers more lines than it was sent');
      this.#outage = (await flight.take(answer, checking)) ?? this.#outage;
    };
    const { timeoutMs, overallMs } = limits;
    // What is answered from now on may be beyond an earlier one.
    this.checkpoint = undefined;
    const note = await upload({ base: requests.base, pieces, onAnswer, timeoutMs, overallMs, clock });
    requireOrigin(note, checking.origin);
    this.checkpoint = note;
  }
}
