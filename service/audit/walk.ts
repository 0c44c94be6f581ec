/** One way through a log's entries: each judged as it passes, and the tree held against every root on the way. */

import { formatHex } from '../../merkle/bytes.ts';
import { type Entry, parseEntry } from '../../merkle/entry.ts';
import { FormatError } from '../../merkle/errors.ts';
import { parseBundle, tileWidth } from '../../merkle/tiles.ts';
import { Between } from './between.ts';
import type { ChainAnchor } from './chain-view.ts';
import { CompactRange, leafHashOf } from './compact-range.ts';
import { fetchStretches, type Stretch } from './fetching.ts';
import { Figures } from './figures.ts';
import { CouldNotCheck } from './findings.ts';
import type { Sightings } from './forks.ts';
import type { LogAudit, LogView } from './log.ts';
import { type LogState, rangeOf, tilesOf } from './log-state.ts';
import { type KnownRoot, Rebuild } from './rebuild.ts';

const defaultSaveEvery = 1 << 17;
const defaultWaitLimitMs = 60 * 60 * 1000;

export class Walk {
  readonly #options: LogAudit;
  readonly #size: number;
  readonly #start: number;
  readonly #genesis: Uint8Array;
  readonly #rebuild: Rebuild;
  readonly #between: Between | undefined;
  readonly #figures: Figures;
  /** By size. */
  readonly #known: ReadonlyMap<number, readonly KnownRoot[]>;
  readonly #anchors: ReadonlyMap<number, ChainAnchor>;
  /** The largest size at which nothing waits for an anchor. */
  readonly #settledSize: number;
  readonly #seen: string | null;
  #time: number;
  #state: LogState | null;
  #lastSave: number;

  /**
   * @param to.start where an earlier audit stood
   * @param to.genesis the 74 bytes that entry 0 must be; none if nobody can say
   */
  constructor(
    options: LogAudit,
    to: {
      readonly size: number;
      readonly start: LogState | undefined;
      readonly sightings: Sightings;
      readonly genesis: Uint8Array;
    },
  ) {
    const { chain, log, report } = options;
    const { size, start, sightings, genesis } = to;
    this.#options = options;
    this.#size = size;
    this.#genesis = genesis;
    this.#start = start?.size ?? 0;
    this.#rebuild = new Rebuild(start === undefined ? CompactRange.of([[]]) : rangeOf(start), report);
    this.#between = chain && new Between({ chain, log, report, from: start });
    this.#figures = new Figures(start);
    const anchors = chain?.anchors.filter(anchor => anchor.size <= size) ?? [];
    this.#anchors = new Map(anchors.map(anchor => [anchor.size, anchor]));
    this.#known = knownRoots(anchors, sightings);
    this.#settledSize = chain === undefined ? size : (anchors.at(-1)?.size ?? 0);
    this.#seen = start?.checkpoint ?? null;
    this.#time = start?.time ?? 0;
    this.#state = start ?? null;
    this.#lastSave = this.#start;
    if (start !== undefined) {
      if (chain !== undefined) holdFigures(start, anchors);
      this.#holdBefore(start);
    }
  }

  get roots(): ReadonlyMap<number, Uint8Array> {
    return this.#rebuild.roots;
  }

  /** Where the last audit stood must still be so: the root that it had, and the anchors that it saw. */
  #holdBefore(from: LogState): void {
    this.#rebuild.holdRoots(this.#known.get(from.size) ?? []);
    for (const { size, root, block } of from.anchors) {
      const anchor = this.#anchors.get(size);
      if (this.#options.chain === undefined || (anchor !== undefined && formatHex(anchor.root) === root))
        continue;
      this.#options.report({
        code: 'ANCHOR_ROOT_DIFFERS',
        place: { size, block: anchor?.block ?? block },
        message: `the last audit saw the root ${root} anchored at size ${size}, now the chain has ${anchor === undefined ? 'none' : formatHex(anchor.root)}`,
        proof: { entries: root, root: anchor === undefined ? '' : formatHex(anchor.root) },
      });
    }
  }

  async run(): Promise<void> {
    const { source, progress, report } = this.#options;
    for await (const stretch of fetchStretches(source, this.#start, this.#size, report)) {
      const entries = this.#entriesOf(stretch);
      const leaves = entries?.map(leafHashOf) ?? stretch.tile.hashes ?? [];
      if (this.#rebuild.size > stretch.start) this.#rebuild.holdKnown(stretch.start, leaves, entries ?? []);
      for (let at = this.#rebuild.size - stretch.start; at < stretch.width; at++)
        this.#take(leaves[at], entries?.[at], stretch);
      this.#rebuild.holdFull(stretch.full);
      if (this.#rebuild.size === this.#size) this.#rebuild.holdPartial(stretch.partial);
      await this.#between?.settle();
      await this.#saveNow();
      progress?.(this.#rebuild.size, this.#size);
    }
    this.#rebuild.end();
    this.#judgeOpenWait();
  }

  /** Undefined, with a finding, where the bundle is not what it must be; the tile's hashes then stand for the entries. */
  #entriesOf({ start, width, bundle, file, tile }: Stretch): readonly Uint8Array[] | undefined {
    let fault: string;
    try {
      const entries = parseBundle(bundle);
      // A wider one is of a log that has grown.
      if (entries.length === width || entries.length === tileWidth) return entries.slice(0, width);
      fault = `${entries.length} entries, want ${width}`;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      fault = error.message;
    }
    this.#options.report({
      code: 'BUNDLE_MALFORMED',
      place: { index: start },
      message: `${file}: ${fault}`,
      proof: { file, bundle: Buffer.from(bundle).toString('base64url') },
    });
    if (tile.hashes === undefined)
      throw new CouldNotCheck({ what: file, where: this.#options.source.where, why: fault });
    return undefined;
  }

  #take(leaf: Uint8Array | undefined, bytes: Uint8Array | undefined, { tile }: Stretch): void {
    if (leaf === undefined) throw new Error('a stretch has a leaf for each of its entries');
    const index = this.#rebuild.size;
    const entry = bytes === undefined ? undefined : this.#entryOf(index, bytes);
    if (entry === undefined || bytes === undefined) this.#figures.kinds.unreadable++;
    else {
      if (entry.time < this.#time)
        this.#options.report({
          code: 'ENTRY_TIME_DECREASED',
          place: { index },
          message: `entry ${index} is of ${entry.time} ms, the one before it of ${this.#time} ms`,
          proof: { entry: formatHex(bytes) },
        });
      this.#time = Math.max(this.#time, entry.time);
      this.#between?.judge(index, entry, bytes);
      this.#figures.add(index, entry, this.#between?.chainEntry?.blockTime ?? null);
    }
    this.#rebuild.append(leaf, bytes ?? new Uint8Array(0), tile);
    this.#reached(this.#rebuild.size);
  }

  #entryOf(index: number, bytes: Uint8Array): Entry | undefined {
    const malformed = (message: string) =>
      this.#options.report({
        code: 'ENTRY_MALFORMED',
        place: { index },
        message: `entry ${index}: ${message}`,
        proof: { entry: formatHex(bytes) },
      });
    try {
      const entry = parseEntry(bytes);
      if ((entry.kind === 'genesis') !== (index === 0)) malformed(`it is of kind ${entry.kind}`);
      // Nothing, where the document cannot be read: that is said already.
      else if (index === 0 && this.#genesis.length > 0 && Buffer.compare(bytes, this.#genesis) !== 0)
        this.#options.report({
          code: 'GENESIS_DIFFERS',
          place: { index },
          message: 'entry 0 is not that of the genesis document',
          proof: { entry: formatHex(bytes), wanted: formatHex(this.#genesis) },
        });
      return entry;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      malformed(error.message);
      return undefined;
    }
  }

  /** What is to be done at a size, before the next entry. */
  #reached(size: number): void {
    const known = this.#known.get(size);
    if (known !== undefined) this.#rebuild.holdRoots(known);
    const anchor = this.#anchors.get(size);
    if (anchor !== undefined)
      this.#between?.judgeWait(
        this.#figures.cover(anchor),
        this.#options.anchorWaitLimitMs ?? defaultWaitLimitMs,
      );
    if (size === this.#settledSize) this.#state = this.#stateNow();
  }

  /** Null where it is open which of two trees it is. */
  #stateNow(): LogState | null {
    const range = this.#rebuild.settled;
    if (range === undefined) return this.#state;
    return {
      version: 1,
      origin: this.#options.log.origin,
      judged: this.#between !== undefined,
      size: range.size,
      root: formatHex(range.root()),
      tiles: tilesOf(range),
      time: this.#time,
      chainEntry: this.#between?.chainEntry ?? null,
      ...this.#figures.state(),
      // Until this audit has ended, what the one before it saw is still to be held against the entries.
      checkpoint: this.#seen,
    };
  }

  async #saveNow(): Promise<void> {
    const { save, saveEvery = defaultSaveEvery } = this.#options;
    const { size } = this.#rebuild;
    if (save === undefined || size - this.#lastSave < saveEvery || size >= this.#settledSize) return;
    const state = this.#stateNow();
    if (state === null || state.size !== size) return;
    this.#lastSave = size;
    await save(state);
  }

  #judgeOpenWait(): void {
    const { chain, now = Date.now, anchorWaitLimitMs = defaultWaitLimitMs, report } = this.#options;
    const { firstTime, records } = this.#figures.segment;
    if (chain === undefined || firstTime === null || now() - firstTime <= anchorWaitLimitMs) return;
    report({
      code: 'ANCHOR_GAP',
      place: { size: this.#size },
      message: `${records} records have no anchor yet, the first of them since ${Math.round((now() - firstTime) / 1000)} s`,
      proof: {},
    });
  }

  view(checkpoint: string | null, listedAnchors: number): LogView {
    const { segment, ...figures } = this.#figures.state();
    return {
      origin: this.#options.log.origin,
      size: this.#size,
      root: this.#rebuild.root,
      checkpoint,
      lastTime: this.#time,
      ...figures,
      unanchored: segment,
      unjudged: this.#between?.unjudged ?? 0,
      listedAnchors,
      state: this.#state && { ...this.#state, checkpoint },
    };
  }
}

/**
 * What a state says of its anchors, the chain says, too, as long as it has them.
 * @throws {CouldNotCheck} unless it does: then nobody vouches for what the state says
 */
function holdFigures(from: LogState, anchors: readonly ChainAnchor[]): void {
  const own = new Map(from.anchors.map(anchor => [anchor.size, anchor]));
  for (const { size, block, blockTime, gasUsed } of anchors) {
    if (size > from.size) break;
    const was = own.get(size);
    if (was?.block === block && was.blockTime === blockTime && was.gasUsed === gasUsed) continue;
    const why = `${was === undefined ? 'it does not have' : 'it has otherwise'} the anchor of size ${size} in block ${block}; begin anew with --from-scratch`;
    throw new CouldNotCheck({ what: 'what was audited before', where: 'the state', why });
  }
}

/** Everything that vouches for a root, by size. */
function knownRoots(
  anchors: readonly ChainAnchor[],
  sightings: Sightings,
): ReadonlyMap<number, readonly KnownRoot[]> {
  const known = new Map<number, KnownRoot[]>();
  const add = (root: KnownRoot): void => {
    known.set(root.size, [...(known.get(root.size) ?? []), root]);
  };
  for (const { size, root, block, transaction } of anchors)
    add({ size, root, by: 'anchor', block, transaction });
  for (const { size, root, note } of sightings.all()) add({ size, root, by: 'checkpoint', note });
  return known;
}
