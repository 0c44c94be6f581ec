/**
 * The audit of a log: every entry read over the public interface, the tree rebuilt from them, and each root that anybody vouches for
 * held against it (DESIGN 3.3 to 3.5).
 *
 * Bundles and tiles stream by, a few requests ahead; what stays is the tree's edge, what is counted, and some hundred bytes for
 * each anchor and key. What is found goes to `report`; what could not be had rejects with `CouldNotCheck`.
 */

import type { Trust, TrustedLog } from '../../merkle/trust.ts';
import { auditAnchors } from './anchors.ts';
import type { ChainView } from './chain-view.ts';
import { CouldNotCheck, type Finding, type Report } from './findings.ts';
import { auditForks, auditTwins, rootsMet, Sightings } from './forks.ts';
import { auditIdentity, readNewest, readSeen } from './identity.ts';
import type { LogState } from './log-state.ts';
import type { Source } from './sources.ts';
import { Walk } from './walk.ts';

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
  /** What was found before that, as far as it was kept. */
  readonly carried?: readonly Finding[];
  /** Up to which size an audit that has ended went through the list of anchors; by default the one that stood at `from`. */
  readonly listedBefore?: number;
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

/** Audits the log. @throws {CouldNotCheck} {FormatError, ProofError} if a checkpoint in `seen` is none of this log's */
export async function auditLog(options: LogAudit): Promise<LogView> {
  const { source, trust, log, chain, from, report, now = Date.now } = options;
  if (from !== undefined && from.origin !== log.origin)
    throw new Error(`the state is of "${from.origin}", the log of "${log.origin}"`);
  if (from !== undefined && from.judged !== (chain !== undefined))
    throw new Error(`the state was made ${from.judged ? 'with' : 'without'} a chain, and this audit is not`);
  const genesis = auditIdentity(await source.about(), log, report);
  const sightings = new Sightings();
  const carried = options.carried ?? [];
  const notes = [...(options.seen ?? []), ...(from?.checkpoint ? [from.checkpoint] : [])];
  // Those that contradict what was read before: what proves it may not be written down yet.
  for (const { code, proof } of carried)
    if (code === 'CHECKPOINT_ROOT_DIFFERS' && proof['checkpoint']) notes.push(proof['checkpoint']);
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
  const start = from !== undefined && from.size <= size ? from : undefined;
  await judgeSize(size, sightings, options);

  const listedAnchors = await auditAnchors({
    ...{ source, trust, log, chain, report, now },
    after: start === undefined ? 0 : (options.listedBefore ?? start.size),
    upTo: size,
    seen: (note, { checkpoint }) => sightings.add({ note, ...checkpoint }),
  });
  const told = new Set(auditTwins(sightings.all(), report));
  for (const { code, place } of carried)
    if (code === 'CHECKPOINT_FORKED' && place.size !== undefined) told.add(place.size);
  const walk = new Walk(options, { size, start, sightings, genesis });
  await walk.run();
  const roots = new Map([...rootsMet(carried), ...walk.roots]);
  await auditForks({ sightings: sightings.all(), roots, told, source, trust, report });
  return walk.view(newest?.note ?? null, listedAnchors);
}

/** The log may not be smaller than what it, or the chain, had before. */
async function judgeSize(size: number, sightings: Sightings, options: LogAudit): Promise<void> {
  const { chain, from, report, source } = options;
  const anchored = chain?.anchors.at(-1)?.size ?? 0;
  const signed = sightings.all().at(-1)?.size ?? 0;
  const before = Math.max(anchored, signed, from?.size ?? 0);
  if (before <= size) return;
  // One that was had before the chain was looked at may be older than the chain.
  const now = options.checkpoint === undefined ? undefined : readNewest(await source.checkpoint(), options);
  if (now !== undefined && before <= now.size) return;
  report({
    code: 'CHECKPOINT_BEHIND',
    place: { size },
    message: `the newest checkpoint has size ${now?.size ?? size}, ${before === anchored ? 'the chain has anchored' : 'the log had signed'} ${before}`,
    proof: { checkpoint: sightings.all().findLast(each => each.size === before)?.note ?? '' },
  });
}
