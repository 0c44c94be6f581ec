/** Limits: how much one key and one address may ask for, so that whoever sends too much or only junk starves none but themselves. */

import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Jwk } from '../../merkle/jwk.ts';
import { LedgerError } from '../errors.ts';
import { type Share, SharedBytes } from '../shares.ts';
import { Parties } from './addresses.ts';
import { Allowance, type Elapsed } from './allowance.ts';
import { statusOf } from './problems.ts';

/** What an operator sets, per second; 0 for no limit. */
export type LimitSettings = {
  /** New records under one key. */
  readonly keyLimit: number;
  /** Submissions from one address: records, and at their higher cost what is refused. 0 also lifts what counts uploads by address. */
  readonly addressLimit: number;
  /** Other requests from one address. */
  readonly readLimit: number;
};

/** Limits that are a rate. */
export type RateName = 'key' | 'address' | 'read';

/** Which limit somebody has met. */
export type LimitName = RateName | 'uploads' | 'streams' | 'memory' | 'patience';

/**
 * What a submission costs its address. A good record costs 1. Refusing takes our time for nobody, so it costs as much as 50 of
 * those; a batch whose root does not fit has been hashed in vain, event by event. None of it is taken from a key: whoever has seen
 * one receipt can begin its batch again, and must not be able to silence the agency that signed it.
 */
export const costs = { submission: 1, refusal: 50, batchEvent: 2, bytes: 1_024 } as const;

/** Uploads at the same time: from one address, and in all. Each may hold some megabytes beside its batch. */
const mostUploads = { perAddress: 16, inAll: 128 } as const;

/** Streams at the same time: from one address, behind which may be a whole office, and in all. */
const mostStreams = { perAddress: 20, inAll: 500 } as const;

/** What the events of all batches under way may take in memory: four of the largest. */
const batchesMaxBytes = 128 << 20;

/** Questions that are cheap, and that the machinery around the service asks: a flood must not have it restarted. */
const probes: ReadonlySet<string> = new Set(['/health', '/livez', '/readyz']);

/** One party at an address. */
export type Party = {
  readonly submissions: Allowance;
  readonly reads: Allowance;
  /** What its batches hold together; undefined where an address says nothing about who is behind it. */
  readonly share: Share | undefined;
  uploads: number;
  streams: number;
  readonly isBusy: boolean;
};

export type LimitParts = LimitSettings & {
  readonly elapsed: Elapsed;
  /** Told each time that somebody meets a limit. */
  readonly count: (limit: LimitName) => void;
};

export class Limits {
  readonly #parts: LimitParts;
  readonly #memory = new SharedBytes(batchesMaxBytes);
  readonly #parties: Parties<Party>;
  // The view of the registry holds one object for each key, so this is no larger than that view.
  readonly #keys = new WeakMap<Jwk, Allowance>();
  #uploads = 0;
  #streams = 0;

  constructor(parts: LimitParts) {
    this.#parts = parts;
    this.#parties = new Parties(() => this.#party());
  }

  get elapsed(): Elapsed {
    return this.#parts.elapsed;
  }

  /** How many uploads and streams are under way, and how much the batches hold. */
  get underWay(): { readonly uploads: number; readonly streams: number; readonly bytes: number } {
    return { uploads: this.#uploads, streams: this.#streams, bytes: this.#memory.taken };
  }

  /** The party that a request comes from. */
  partyOf(req: IncomingMessage): Party {
    // A connection that is closed already has no address any more.
    return this.#parties.at(req.socket.remoteAddress ?? '');
  }

  /** What a registered key may still bring in. */
  key(jwk: Jwk): Allowance {
    let allowance = this.#keys.get(jwk);
    if (allowance === undefined) {
      allowance = new Allowance(this.#parts.keyLimit, this.#parts.elapsed);
      this.#keys.set(jwk, allowance);
    }
    return allowance;
  }

  /** Takes note that somebody has met a limit. */
  count(limit: LimitName): void {
    this.#parts.count(limit);
  }

  /** The refusal of who must wait so long. */
  refusal(limit: RateName, waitMs: number): LedgerError {
    this.count(limit);
    const retryAfterS = Math.max(1, Math.ceil(waitMs / 1_000));
    const rate = this.#parts[`${limit}Limit`];
    const detail = `${met[limit]} of ${rate} a second: try again in ${retryAfterS} s`;
    return new LedgerError(limit === 'key' ? 'KEY_LIMIT' : 'ADDRESS_LIMIT', detail, { retryAfterS });
  }

  /** @throws {LedgerError} if nothing is allowed now */
  require(limit: RateName, allowance: Allowance): void {
    const waitMs = allowance.waitMs();
    if (waitMs > 0) throw this.refusal(limit, waitMs);
  }

  /**
   * Begins an upload. @returns what its batches may hold, and what ends it
   * @throws {LedgerError} if there are too many at the same time
   */
  beginUpload(party: Party): { readonly share: Share; readonly end: () => void } {
    const isCounted = party.share !== undefined;
    const isBeyond = isCounted && party.uploads >= mostUploads.perAddress;
    if (isBeyond || this.#uploads >= mostUploads.inAll) {
      this.count('uploads');
      const [code, who, count] = isBeyond
        ? (['ADDRESS_LIMIT', 'of this address ', party.uploads] as const)
        : (['LOG_BUSY', '', this.#uploads] as const);
      throw new LedgerError(code, `${count} uploads ${who}are under way: try again in 5 s`, {
        retryAfterS: 5,
      });
    }
    party.uploads++;
    this.#uploads++;
    let hasEnded = false;
    const end = () => {
      if (hasEnded) return;
      hasEnded = true;
      party.uploads--;
      this.#uploads--;
    };
    const share = party.share ?? this.#memory.share();
    const take = (bytes: number) => {
      const isTaken = share.take(bytes);
      if (!isTaken) this.count('memory');
      return isTaken;
    };
    return { share: { take, give: share.give }, end };
  }

  /** Begins a stream. @returns what ends it @throws {LedgerError} if there are too many at the same time */
  beginStream(party: Party): () => void {
    const isBeyond = party.share !== undefined && party.streams >= mostStreams.perAddress;
    if (isBeyond || this.#streams >= mostStreams.inAll) {
      this.count('streams');
      const [code, who, count] = isBeyond
        ? (['ADDRESS_LIMIT', 'of this address ', party.streams] as const)
        : (['LOG_BUSY', '', this.#streams] as const);
      throw new LedgerError(code, `${count} streams ${who}are under way: try again in 30 s`, {
        retryAfterS: 30,
      });
    }
    party.streams++;
    this.#streams++;
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      party.streams--;
      this.#streams--;
    };
  }

  /** The middleware that holds every request to the limits of its address, and has it pay. */
  readonly middleware: Middleware = async (ctx, next) => {
    if (probes.has(ctx.path)) return next();
    const party = this.partyOf(ctx.req);
    const isSubmission = ctx.method === 'POST';
    const allowance = isSubmission ? party.submissions : party.reads;
    this.require(isSubmission ? 'address' : 'read', allowance);
    try {
      await next();
      allowance.take(costs.submission);
    } catch (error) {
      allowance.take(isSubmission ? costOfRefusal(error) : costs.submission);
      throw error;
    }
  };

  #party(): Party {
    const { addressLimit, readLimit, elapsed } = this.#parts;
    return {
      submissions: new Allowance(addressLimit, elapsed),
      reads: new Allowance(readLimit, elapsed),
      share: addressLimit === 0 ? undefined : this.#memory.share(),
      uploads: 0,
      streams: 0,
      get isBusy() {
        return this.uploads > 0 || this.streams > 0;
      },
    };
  }
}

const met: Readonly<Record<RateName, string>> = {
  key: 'the key has brought more new records than its limit',
  address: 'the address has submitted more than its limit',
  read: 'the address has asked for more than its limit',
};

/**
 * What a refusal costs the address that is refused. A condition of ours costs no more than a good record; neither does a statement
 * that was found to be an agency's own and is refused for what the log holds.
 */
export function costOfRefusal(error: unknown): number {
  if (!(error instanceof LedgerError)) return costs.submission;
  const status = statusOf(error.code);
  return status >= 500 || [404, 409, 410].includes(status) ? costs.submission : costs.refusal;
}
