/**
 * What was found in a log, so that an audit can stop and go on: what stands at entries and sizes before a position is carried over,
 * and everything else is met again.
 *
 * A finding stays with the log for good: an audit that reads only what is new carries over what the one before it has found.
 */

import {
  type Finding,
  type FindingCode,
  Findings,
  type FindingsFound,
  keptOfOneCode,
  type Report,
} from './findings.ts';

/** What stands before a position, as it is written down. */
export type Carried = {
  readonly kept: readonly Finding[];
  readonly counts: Readonly<Partial<Record<FindingCode, number>>>;
};

export class CarriedFindings {
  readonly #cut: number;
  readonly #kept: Finding[] = [];
  /** Of what stands at an entry before the cut. */
  readonly #before = new Map<FindingCode, number>();
  /** Of what stands at later entries, or nowhere. */
  readonly #after = new Map<FindingCode, number>();
  /** The sizes at which the others stand: there are no more of these than anchors. */
  readonly #sizes = new Map<FindingCode, number[]>();
  readonly #carried: ReadonlySet<string>;
  /** Of what is carried over: where it ends, and the codes of which not all are kept. */
  readonly #position: number;
  readonly #overfull: ReadonlySet<FindingCode>;

  /**
   * @param parts.cut the last position at which the audit may be asked what it carries on
   * @param parts.carried what an earlier audit carries over to this one
   * @param parts.position what it carries over stands at entries before this position, and at sizes up to it
   */
  constructor(parts: {
    readonly cut: number;
    readonly carried: Carried | undefined;
    readonly position?: number | undefined;
  }) {
    this.#cut = parts.cut;
    this.#position = parts.position ?? 0;
    const { kept = [], counts = {} } = parts.carried ?? {};
    for (const finding of kept) this.#add(finding);
    // Those that were only counted. Where each of them stands is not known any more, but that it is before the position.
    const overfull = new Set<FindingCode>();
    for (const [code, count] of Object.entries(counts) as [FindingCode, number][]) {
      const known = kept.filter(finding => finding.code === code).length;
      if (count > known) overfull.add(code);
      this.#before.set(code, (this.#before.get(code) ?? 0) + count - known);
    }
    this.#overfull = overfull;
    this.#carried = new Set(kept.map(finding => JSON.stringify(finding)));
  }

  /** Bound, so that it can be handed around. What was carried over and is met again counts once. */
  readonly report: Report = finding => {
    if (!this.#carried.has(JSON.stringify(finding)) && !this.#isCounted(finding)) this.#add(finding);
  };

  /** Of a code of which more were met than are kept, those before the position are among the ones that were counted. */
  #isCounted({ code, place: { index, size } }: Finding): boolean {
    return index === undefined && size !== undefined && size <= this.#position && this.#overfull.has(code);
  }

  #add(finding: Finding): void {
    const { code, place } = finding;
    if (this.#countOf(code) < keptOfOneCode) this.#kept.push(finding);
    if (place.index === undefined && place.size !== undefined) {
      const sizes = this.#sizes.get(code);
      if (sizes === undefined) this.#sizes.set(code, [place.size]);
      else sizes.push(place.size);
      return;
    }
    const counts = place.index !== undefined && place.index < this.#cut ? this.#before : this.#after;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }

  #countOf(code: FindingCode): number {
    return (
      (this.#before.get(code) ?? 0) + (this.#after.get(code) ?? 0) + (this.#sizes.get(code)?.length ?? 0)
    );
  }

  #codes(): FindingCode[] {
    return [...new Set([...this.#before.keys(), ...this.#after.keys(), ...this.#sizes.keys()])];
  }

  found(): FindingsFound {
    const findings = new Findings();
    for (const finding of this.#kept) findings.report(finding);
    const { hasFault } = findings.found();
    const counts = new Map(this.#codes().map(code => [code, this.#countOf(code)] as const));
    return { kept: [...this.#kept], counts, hasFault };
  }

  /** What the next audit is told that goes on from a position, which is not after the cut. */
  before(position: number): Carried {
    const kept = this.#kept.filter(({ place: { index, size } }) =>
      index === undefined ? size !== undefined && size <= position : index < position,
    );
    const counts: Partial<Record<FindingCode, number>> = {};
    for (const code of this.#codes()) {
      const sizes = this.#sizes.get(code)?.filter(size => size <= position).length ?? 0;
      const count = sizes + (this.#before.get(code) ?? 0);
      if (count > 0) counts[code] = count;
    }
    return { kept, counts };
  }
}

/** Findings of several parts of an audit, one after another. */
export function foundTogether(parts: readonly FindingsFound[]): FindingsFound {
  const counts = new Map<FindingCode, number>();
  for (const part of parts)
    for (const [code, count] of part.counts) counts.set(code, (counts.get(code) ?? 0) + count);
  return {
    kept: parts.flatMap(({ kept }) => kept),
    counts,
    hasFault: parts.some(({ hasFault }) => hasFault),
  };
}
