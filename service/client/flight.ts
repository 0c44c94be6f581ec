/** A group that was sent: what the service has said of each of its events, over as many attempts as it takes. */

import { ProofError } from '../../merkle/errors.ts';
import type { JsonObject } from '../../merkle/json.ts';
import type { VerifySignature } from '../../merkle/signature.ts';
import { type Recorded, recordedAs } from './acknowledgement.ts';
import { readAcknowledged, readDocument } from './answers.ts';
import { type Problem, problemIn, RefusedError, UnavailableError } from './errors.ts';
import type { Group, Slot } from './groups.ts';
import { isOutage } from './requests.ts';

/** What became of an event: it is in the log, or refused for good. */
export type Result =
  | { readonly kind: 'recorded'; readonly isNew: boolean; readonly recorded: Recorded }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** Whom answers are believed to come from, and how they are checked. */
export type Checking = {
  readonly base: string;
  readonly origin: string;
  readonly verify: VerifySignature;
};

/** After so many faults of the service over one event it is the event that is given up, not the rest. */
const faultsMax = 3;

/** What ends everything: no other line would fare better. */
const fatal = new Set(['log-closed', 'log-forked', 'audience-other']);

export class Flight {
  readonly group: Group;
  /** For each event that was sent. */
  readonly #results: (Result | undefined)[];
  readonly #faults: number[];
  #open: number;
  #answered = 0;

  constructor(group: Group) {
    this.group = group;
    this.#open = group.slots.filter(({ problem }) => problem === undefined).length;
    this.#results = Array.from({ length: this.#open });
    this.#faults = Array(this.#open).fill(0);
  }

  /** Whether it is known of every event what became of it. */
  get isSettled(): boolean {
    return this.#open === 0;
  }

  /** How many events it is known of. */
  get settled(): number {
    return this.#results.length - this.#open;
  }

  /** Whether all answers of this attempt are there. */
  get isAnswered(): boolean {
    return this.#answered === this.#results.length;
  }

  /** Begins another attempt: all lines are sent again, and answered again. */
  begin(): void {
    this.#answered = 0;
  }

  /**
   * Takes the answer to the next event.
   *
   * @returns the outage, where the event may go in later
   * @throws {RefusedError} for a refusal that the others would get, too; {ProofError} if the answer is not about what was sent;
   *   {UnavailableError} if it is no ledger's
   */
  async take(answer: JsonObject, { base, origin, verify }: Checking): Promise<UnavailableError | undefined> {
    const n = this.#answered++;
    const status = readDocument(base, answer, (reader, members) =>
      reader.integer(members.get('status'), 'status'),
    );
    if (this.#results[n] !== undefined) return undefined;
    if (status === 200 || status === 201) {
      const acknowledged = readDocument(base, answer, readAcknowledged);
      if ((status === 200) !== (acknowledged.record !== undefined))
        throw new ProofError(`an answer of status ${status} ${status === 200 ? 'without' : 'with'} a record`);
      const recorded = await recordedAs(this.group.sent(n), acknowledged, origin, verify);
      this.#settle(n, { kind: 'recorded', isNew: status === 201, recorded });
      return undefined;
    }
    const problem = problemIn(status, answer.get('problem'));
    if (fatal.has(problem.name)) throw new RefusedError(problem);
    if (isOutage(problem) && !this.#isGivenUp(n, status)) return new UnavailableError(problem.detail);
    this.#settle(n, { kind: 'refused', problem });
    return undefined;
  }

  /** What became of each place, in order; undefined where that is not known. */
  *results(): Generator<readonly [Slot, Result | undefined]> {
    let n = 0;
    for (const slot of this.group.slots) {
      const { problem } = slot;
      yield [slot, problem === undefined ? this.#results[n++] : { kind: 'refused', problem }];
    }
  }

  #settle(n: number, result: Result): void {
    this.#results[n] = result;
    this.#open--;
  }

  #isGivenUp(n: number, status: number): boolean {
    const faults = (this.#faults[n] ?? 0) + (status === 500 ? 1 : 0);
    this.#faults[n] = faults;
    return faults >= faultsMax;
  }
}
