/**
 * The audit of a log: every entry read over the public interface, the tree rebuilt from them, and each root that anybody vouches for
 * held against it (DESIGN 3.3 to 3.5).
 *
 * Bundles and tiles stream by, a few requests ahead; what stays is the tree's edge, what is counted, and some hundred bytes for
 * each anchor and key. What is found goes to `report`; what could not be had rejects with `CouldNotCheck`.
 */

import { formatHex } from '../../merkle/bytes.ts';
import { type Entry, parseEntry } from '../../merkle/entry.ts';
import { FormatError } from '../../merkle/errors.ts';
import { parseBundle, tileWidth } from '../../merkle/tiles.ts';
import type { Trust, TrustedLog } from '../../merkle/trust.ts';
import { auditAnchors } from './anchors.ts';
import { Between } from './between.ts';
import type { ChainAnchor, ChainView } from './chain-view.ts';
import { CompactRange, leafHashOf } from './compact-range.ts';
import { fetchStretches, type Stretch } from './fetching.ts';
import { Figures } from './figures.ts';
import { CouldNotCheck, type Report } from './findings.ts';
import { auditForks, Sightings } from './forks.ts';
import { auditIdentity, readNewest, readSeen } from './identity.ts';
import { type LogState, rangeOf, tilesOf } from './log-state.ts';
import { type KnownRoot, Rebuild } from './rebuild.ts';
import type { Source } from './sources.ts';

export type LogAudit = {
  readonly source: Source;
  readonly trust: Trust;
  /** The log to audit, out of the trust file. */
  readonly log: TrustedLog;
  /**
   * What the chain says. It is best read after the newest checkpoint (`checkpoint`) and before the audit, so that it knows whatever
   * the entries rest on. Without it, nothing is said about anchors, keys and times.
   */
  readonly chain: ChainView | undefined;
  /** How far to go: a checkpoint had from the service before; otherwise its newest. */
  readonly checkpoint?: string;
  /** Where an earlier audit stood, to go on from there. It was made with a chain exactly where this one is. */
  readonly from?: LogState | undefined;
  /** Checkpoints that were seen elsewhere: in receipts, by others. */
  readonly seen?: readonly string[];
  readonly report: Report;
  readonly progress?: (done: number, of: number) => void;
  /** Told where the audit can go on after an interruption, about every `saveEvery` entries. */
  readonly save?: (state: LogState) => Promise<void> | void;
  readonly saveEvery?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How long a record may wait for its anchor before that is a notice. */
  readonly anchorWaitLimitMs?: number;
};

/** What the log is, as it was read. */
export type LogView = {
  readonly origin: string;
  readonly size: number;
  /** Rebuilt, 32 bytes. */
  readonly root: Uint8Array;
  /** The newest checkpoint, if it holds. */
  readonly checkpoint: string | null;
  /** Of the last entry, milliseconds since 1970. */
  readonly lastTime: number;
  readonly kinds: LogState['kinds'];
  readonly keys: LogState['keys'];
  readonly days: LogState['days'];
  /** Each with what it is the first to cover. */
  readonly anchors: LogState['anchors'];
  /** What no anchor covers yet. */
  readonly unanchored: LogState['segment'];
  /** Entries that no anchor covers, and whose key or block is not in the chain's view yet. */
  readonly unjudged: number;
  /** Anchors in the service's list that this audit went through. */
  readonly listedAnchors: number;
  /** Where the next audit goes on; null where there is nothing to go on from. */
  readonly state: LogState | null;
};

const defaultSaveEvery = 1 << 17;
const defaultWaitLimitMs = 60 * 60 * 1000;

/** Audits the log. @throws {CouldNotCheck} {FormatError, ProofError} if a checkpoint in `seen` is none of this log's */
export async function auditLog(options: LogAudit): Promise<LogView> {
  const { source, trust, log, chain, from, report, now = Date.now } = options;
  if (from !== undefined && from.origin !== log.origin)
    throw new Error(`the state is of "${from.origin}", the log of "${log.origin}"`);
  const genesis = auditIdentity(await source.about(), log, report);
  const sightings = new Sightings();
  const notes = [...(options.seen ?? []), ...(from?.checkpoint ? [from.checkpoint] : [])];
  for (const note of notes) sightings.add(readSeen(note, trust, log));

  const newest = readNewest(options.checkpoint ?? (await source.checkpoint()), options);
  if (newest !== undefined) sightings.add(newest);
  const size = Math.max(newest?.size ?? chain?.anchors.at(-1)?.size ?? 0, 0);
  if (size < 1)
    throw new CouldNotCheck({
      what: 'the size of the log',
      where: source.where,
      why: 'nobody vouches for one',
    });
  judgeSize(size, sightings, options);

  const listedAnchors = await auditAnchors({
    ...{ source, trust, log, chain, report, now },
    after: from?.anchors.at(-1)?.size ?? 0,
    upTo: size,
    seen: (note, { checkpoint }) => sightings.add({ note, ...checkpoint }),
  });
  const walk = new Walk(options, size, sightings);
  await walk.run(genesis);
  await auditForks({ sightings: sightings.all(), roots: walk.roots, source, trust, report });
  return walk.view(newest?.note ?? null, listedAnchors);
}

/** The log may not be smaller than what it, or the chain, had before. */
function judgeSize(size: number, sightings: Sightings, { chain, from, report }: LogAudit): void {
  const anchored = chain?.anchors.at(-1)?.size ?? 0;
  const signed = sightings.all().at(-1)?.size ?? 0;
  const before = Math.max(anchored, signed, from?.size ?? 0);
  if (before <= size) return;
  report({
    code: 'CHECKPOINT_BEHIND',
    place: { size },
    message: `the newest checkpoint has size ${size}, ${before === anchored ? 'the chain has anchored' : 'the log had signed'} ${before}`,
    proof: { checkpoint: sightings.all().findLast(each => each.size === before)?.note ?? '' },
  });
}

/** One way through the entries. */
class Walk {
  readonly #options: LogAudit;
  readonly #size: number;
  readonly #start: number;
  readonly #rebuild: Rebuild;
  readonly #between: Between | undefined;
  readonly #figures: Figures;
  /** By size. */
  readonly #known: ReadonlyMap<number, readonly KnownRoot[]>;
  readonly #anchors: ReadonlyMap<number, ChainAnchor>;
  /** The largest size at which nothing waits for an anchor. */
  readonly #settledSize: number;
  #time: number;
  #state: LogState | null;
  #lastSave: number;

  constructor(options: LogAudit, size: number, sightings: Sightings) {
    const { chain, log, from, report } = options;
    this.#options = options;
    this.#size = size;
    // An audit that stood beyond what is there now has nothing to add: it looks at all of it anew.
    const goesOn = from !== undefined && from.size <= size;
    const start = goesOn ? from : undefined;
    this.#start = start?.size ?? 0;
    this.#rebuild = new Rebuild(start === undefined ? CompactRange.of([[]]) : rangeOf(start), report);
    this.#between = chain && new Between({ chain, log, report, from: start });
    this.#figures = new Figures(start);
    const anchors = chain?.anchors.filter(anchor => anchor.size <= size) ?? [];
    this.#anchors = new Map(anchors.map(anchor => [anchor.size, anchor]));
    this.#known = knownRoots(anchors, sightings);
    this.#settledSize = chain === undefined ? size : (anchors.at(-1)?.size ?? 0);
    this.#time = start?.time ?? 0;
    this.#state = start ?? null;
    this.#lastSave = this.#start;
    if (start !== undefined) this.#holdBefore(start);
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

  async run(genesis: Uint8Array): Promise<void> {
    const { source, progress, report } = this.#options;
    for await (const stretch of fetchStretches(source, this.#start, this.#size, report)) {
      const entries = this.#entriesOf(stretch);
      const leaves = entries?.map(leafHashOf) ?? stretch.tile.hashes ?? [];
      if (this.#rebuild.size > stretch.start) this.#rebuild.holdKnown(stretch.start, leaves, entries ?? []);
      for (let at = this.#rebuild.size - stretch.start; at < stretch.width; at++)
        this.#take(leaves[at], entries?.[at], stretch, genesis);
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

  #take(
    leaf: Uint8Array | undefined,
    bytes: Uint8Array | undefined,
    { tile }: Stretch,
    genesis: Uint8Array,
  ): void {
    if (leaf === undefined) throw new Error('a stretch has a leaf for each of its entries');
    const index = this.#rebuild.size;
    const entry = bytes === undefined ? undefined : this.#entryOf(index, bytes, genesis);
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

  #entryOf(index: number, bytes: Uint8Array, genesis: Uint8Array): Entry | undefined {
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
      else if (index === 0 && genesis.length > 0 && Buffer.compare(bytes, genesis) !== 0)
        this.#options.report({
          code: 'GENESIS_DIFFERS',
          place: { index },
          message: 'entry 0 is not that of the genesis document',
          proof: { entry: formatHex(bytes), wanted: formatHex(genesis) },
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
      size: range.size,
      root: formatHex(range.root()),
      tiles: tilesOf(range),
      time: this.#time,
      chainEntry: this.#between?.chainEntry ?? null,
      ...this.#figures.state(),
      checkpoint: null,
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
