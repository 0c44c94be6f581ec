/** Checkpoints that the log has signed, whoever was shown them, and the evidence where two of them contradict each other. */

import { equalBytes, parseHex } from '../../merkle/bytes.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { type Fork, formatFork, verifyFork } from '../../merkle/fork.ts';
import { proveConsistency } from '../../merkle/prove.ts';
import { parseTile, type Tile, tilePath } from '../../merkle/tiles.ts';
import type { Trust } from '../../merkle/trust.ts';
import { rootsFromConsistency } from '../../merkle/verify.ts';
import { CouldNotCheck, type Finding, keptOfOneCode, type Report } from './findings.ts';
import type { Source } from './sources.ts';

export type Sighting = { readonly note: string; readonly size: number; readonly root: Uint8Array };

/** What was seen signed: one checkpoint of each size and root. */
export class Sightings {
  readonly #bySize = new Map<number, Sighting[]>();

  add(sighting: Sighting): void {
    const same = this.#bySize.get(sighting.size) ?? [];
    if (same.some(({ root }) => equalBytes(root, sighting.root))) return;
    this.#bySize.set(sighting.size, [...same, sighting]);
  }

  /** Smallest size first. */
  all(): readonly Sighting[] {
    return [...this.#bySize.values()].flat().sort((a, b) => a.size - b.size);
  }
}

/** Reports where two roots were signed for one size: that shows by itself, before an entry is read. Gives these sizes. */
export function auditTwins(sightings: readonly Sighting[], report: Report): ReadonlySet<number> {
  const told = new Set<number>();
  let before: Sighting | undefined;
  for (const sighting of sightings) {
    if (sighting.size === before?.size && !told.has(sighting.size)) {
      tell(report, { checkpoints: [before.note, sighting.note], nodes: [] }, sighting, before);
      told.add(sighting.size);
    }
    before = sighting;
  }
  return told;
}

/**
 * Reports which of the other checkpoints contradict the tree that was read, each with an evidence file that stands alone
 * (`merkle/fork.ts`). Only what the tiles of the service still show can be proved across two sizes.
 *
 * @param parts.sightings smallest size first
 * @param parts.roots those that were rebuilt
 * @param parts.told sizes for which there is evidence already
 */
export async function auditForks(parts: {
  readonly sightings: readonly Sighting[];
  readonly roots: ReadonlyMap<number, Uint8Array>;
  readonly told: ReadonlySet<number>;
  readonly source: Source;
  readonly trust: Trust;
  readonly report: Report;
}): Promise<void> {
  const { sightings, roots, told, source, trust, report } = parts;
  const holds = ({ size, root }: Sighting): boolean => {
    const own = roots.get(size);
    return own !== undefined && equalBytes(own, root);
  };
  const broken = sightings.filter(each => roots.has(each.size) && !told.has(each.size) && !holds(each));
  // Each takes some tiles, and one is enough for a judge.
  for (const sighting of broken.slice(0, keptOfOneCode)) {
    // The tree that is served begins otherwise: any larger checkpoint of that tree contradicts this one.
    const larger = sightings.findLast(other => other.size > sighting.size && holds(other));
    if (larger === undefined) continue;
    const fork = await acrossSizes(sighting, larger, roots, source);
    if (fork !== undefined && isProof(fork, trust)) tell(report, fork, sighting, larger);
  }
}

/**
 * What an audit that was interrupted had met, and what this one does not read again: the root that the entries gave where a checkpoint
 * had another one. Gives it by size.
 */
export function rootsMet(carried: readonly Finding[]): ReadonlyMap<number, Uint8Array> {
  const met = new Map<number, Uint8Array>();
  for (const { code, place, proof } of carried) {
    const root = proof['entries'];
    if (code !== 'CHECKPOINT_ROOT_DIFFERS' || place.size === undefined || root === undefined) continue;
    if (/^[0-9a-f]{64}$/.test(root)) met.set(place.size, parseHex(root, 32));
  }
  return met;
}

function tell(report: Report, fork: Fork, a: Sighting, b: Sighting): void {
  report({
    code: 'CHECKPOINT_FORKED',
    place: { size: a.size },
    message:
      a.size === b.size
        ? `the log signed two roots for size ${a.size}`
        : `the log signed a root for size ${a.size} with which the tree that it signed for size ${b.size} does not begin`,
    proof: { evidence: formatFork(fork) },
  });
}

/** The nodes of the larger tree that show how it begins. Undefined where the service does not give them. */
async function acrossSizes(
  smaller: Sighting,
  larger: Sighting,
  roots: ReadonlyMap<number, Uint8Array>,
  source: Source,
): Promise<Fork | undefined> {
  const checkpoints = [smaller.note, larger.note] as const;
  try {
    const path = await proveConsistency(smaller.size, larger.size, tiles =>
      Promise.all(tiles.map(tile => hashesOf(source, tile))),
    );
    // A proof leaves the first tree's root out where its verifier has it.
    const whole = roots.get(smaller.size);
    for (const nodes of whole === undefined ? [path] : [path, [whole, ...path]])
      if (leads(smaller, larger, nodes)) return { checkpoints, nodes };
    return undefined;
  } catch (error) {
    if (error instanceof CouldNotCheck) return undefined;
    throw error;
  }
}

function leads(smaller: Sighting, larger: Sighting, nodes: readonly Uint8Array[]): boolean {
  try {
    return equalBytes(rootsFromConsistency(smaller.size, larger.size, nodes).secondRoot, larger.root);
  } catch (error) {
    if (error instanceof ProofError) return false;
    throw error;
  }
}

async function hashesOf(source: Source, tile: Tile): Promise<readonly Uint8Array[]> {
  const why = { what: tilePath(tile), where: source.where };
  const bytes = await source.tile(tile);
  if (bytes === undefined) throw new CouldNotCheck({ ...why, why: 'it is not there' });
  try {
    const hashes = parseTile(bytes).slice(0, tile.width);
    if (hashes.length === tile.width) return hashes;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  throw new CouldNotCheck({ ...why, why: 'it is not in its form' });
}

/** Nothing is called proof that the verifier does not accept. */
function isProof(fork: Fork, trust: Trust): boolean {
  try {
    verifyFork(fork, trust);
    return true;
  } catch (error) {
    if (error instanceof ProofError || error instanceof FormatError) return false;
    throw error;
  }
}
