/**
 * A whole audit, in its order: what the log signed last, then the chain, then every entry held against both, then the records of an
 * export. What could not be had is told, and the parts that do not need it go on.
 */

import { formatHex0x } from '../../merkle/bytes.ts';
import { parseCheckpoint } from '../../merkle/checkpoint.ts';
import { formatTime } from '../../merkle/entry.ts';
import { FormatError } from '../../merkle/errors.ts';
import { parseNote } from '../../merkle/note.ts';
import type { Trust, TrustedLog } from '../../merkle/trust.ts';
import type { Rpc } from '../rpc.ts';
import { CarriedFindings, foundTogether } from './carried.ts';
import { auditChain } from './chain.ts';
import type { ChainView } from './chain-view.ts';
import type { Artifacts } from './contracts.ts';
import { CouldNotCheck, Findings } from './findings.ts';
import { auditLog, type LogView } from './log.ts';
import type { Outcome } from './outcome.ts';
import { auditRecords, type RecordsView } from './records.ts';
import type { About, Source } from './sources.ts';
import type { AuditState, StateOf } from './state.ts';

/** The parts that take time, as they are told while they run. */
export type Phase = 'chain' | 'log' | 'records';

export type Audit = {
  readonly source: Source;
  readonly rpc: Rpc;
  readonly trust: Trust;
  /** The log to audit, out of the trust file. */
  readonly log: TrustedLog;
  readonly artifacts: Artifacts;
  /** Blocks on top that make a block final where nobody seals. */
  readonly confirmations?: number;
  /** The bytes of one export or more, and an empty folder for what does not fit in memory. */
  readonly export?: { readonly chunks: AsyncIterable<Uint8Array>; readonly scratch?: string } | undefined;
  /** What states are of, and the one to go on from. */
  readonly stateOf: StateOf;
  readonly from?: AuditState | undefined;
  /** Told where to go on after an interruption, about every `saveEvery` entries, and at the end. */
  readonly save?: (state: AuditState) => Promise<void>;
  readonly saveEvery?: number;
  /** `of` is undefined where nobody knows. */
  readonly progress?: (phase: Phase, done: number, of: number | undefined) => void;
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
};

/** What an audit came to, and when it, or the one that it goes on with, was begun. */
export type Audited = {
  readonly outcome: Outcome;
  readonly started: string;
  /** How long each part took in this run, in seconds. */
  readonly seconds: Readonly<Record<Phase, number>>;
};

/** Audits. @throws what is our own fault, or the file system's; never for what a service or a node says or does not say */
export async function audit(parts: Audit): Promise<Audited> {
  const { log, from, now } = parts;
  const started = from?.underWay?.started ?? formatTime(now());
  const earlier =
    from === undefined ? null : (from.underWay?.earlier ?? (from.underWay ? null : earlierOf(from)));
  const unchecked: CouldNotCheck[] = [];
  const seconds = { chain: 0, log: 0, records: 0 };
  const timed = async <T>(phase: Phase, ask: () => Promise<T>): Promise<T | undefined> => {
    const begun = now();
    try {
      return await orUnchecked(unchecked, ask);
    } finally {
      seconds[phase] = (now() - begun) / 1000;
    }
  };
  const had = await orUnchecked(unchecked, () => firstAsked(parts));
  const onChain = new Findings();
  // A chain can be looked at whether the log is served or not.
  const chainView = await timed('chain', () => chainOf(parts, had, onChain));
  const cut = chainView?.anchors.at(-1)?.size ?? 0;
  const inLog = new CarriedFindings({
    cut: Math.min(cut, had?.size ?? 0) || (from?.log.size ?? 0),
    carried: from,
    position: from?.log.size,
  });

  let logView: LogView | undefined;
  const underWay = had === undefined ? null : { checkpoint: had.checkpoint, started, earlier };
  const save = async (log: AuditState['log'], underWay: AuditState['underWay']): Promise<void> => {
    if (chainView === undefined) return;
    await parts.save?.({
      version: 1,
      ...parts.stateOf,
      underWay,
      written: formatTime(now()),
      final: { number: chainView.final.number, hash: formatHex0x(chainView.final.hash) },
      ...inLog.before(log.size),
      log,
    });
  };
  if (had !== undefined && mayGoOn(parts, chainView, unchecked))
    logView = await timed('log', () =>
      auditLog({
        source: parts.source,
        trust: parts.trust,
        log,
        chain: chainView,
        checkpoint: had.checkpoint,
        from: from?.log,
        carried: from?.kept ?? [],
        ...(from?.underWay ? { listedBefore: from.underWay.earlier?.size ?? 0 } : {}),
        report: inLog.report,
        progress: (done, of) => parts.progress?.('log', done, of),
        save: log => save(log, underWay),
        ...(parts.saveEvery === undefined ? {} : { saveEvery: parts.saveEvery }),
        now,
      }),
    );
  // What is read of an export is written down nowhere, so an audit of one is under way until it has read all of it.
  if (logView?.state) await save(logView.state, parts.export === undefined ? null : underWay);
  const inRecords = new Findings();
  const recordsView =
    logView && (await timed('records', () => recordsOf(parts, logView, chainView, inRecords)));
  if (logView?.state && recordsView !== undefined) await save(logView.state, null);
  return {
    started,
    seconds,
    outcome: {
      log,
      logView,
      chainView,
      recordsView,
      hasExport: parts.export !== undefined,
      unchecked,
      found: foundTogether([onChain.found(), inLog.found(), inRecords.found()]),
      earlier,
    },
  };
}

function earlierOf({ log, written }: AuditState): Outcome['earlier'] {
  return { size: log.size, ended: written };
}

/** What cannot be had is kept, and undefined given in its place. */
async function orUnchecked<T>(unchecked: CouldNotCheck[], ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CouldNotCheck)) throw error;
    unchecked.push(error);
    return undefined;
  }
}

type Had = {
  readonly about: About;
  /** How far the log is audited: what it signed before the chain was looked at. */
  readonly checkpoint: string;
  readonly size: number;
  /** The newest block that the log names. */
  readonly knownBlock: number;
};

/** What the service says before the chain is looked at. */
async function firstAsked({ source, from }: Audit): Promise<Had> {
  const about = await source.about();
  const checkpoint = from?.underWay?.checkpoint ?? (await source.checkpoint());
  const size = sizeOf(checkpoint);
  const listed = await newestListedBlock(source, size);
  return { about, checkpoint, size, knownBlock: listed };
}

/** Nobody is believed yet; 0 where it cannot be read. */
function sizeOf(checkpoint: string): number {
  try {
    return parseCheckpoint(parseNote(checkpoint).text).size;
  } catch (error) {
    if (error instanceof FormatError) return 0;
    throw error;
  }
}

/** What a liar can have us read in vain, for each step back. */
const pagesAtMost = 8;

/** The block of the newest anchor in the list: the audit begins near the end of it, since the list may be long. */
async function newestListedBlock(source: Source, size: number): Promise<number> {
  for (let back = 1; ; back *= 64) {
    const after = Math.max(0, size - back);
    let newest = 0;
    let at = after;
    for (let pages = 0; pages < pagesAtMost; pages++) {
      const { items, hasMore } = await source.anchors(at);
      const last = items.at(-1);
      if (last === undefined) break;
      newest = Math.max(newest, last.block);
      if (!hasMore || last.size <= at) break;
      at = last.size;
    }
    if (newest > 0 || after === 0) return newest;
  }
}

/** @param had undefined where the service said nothing */
function chainOf(parts: Audit, had: Had | undefined, findings: Findings): Promise<ChainView | undefined> {
  const { rpc, trust, log, artifacts, confirmations, from, now, sleep, progress } = parts;
  const blocks = had?.about.contracts.map(({ block }) => block) ?? [];
  return auditChain({
    rpc,
    trust,
    log: {
      origin: log.origin,
      firstBlock: blocks.length === 0 ? undefined : Math.min(...blocks),
      knownBlock: had?.knownBlock,
    },
    from: from && {
      number: from.final.number,
      hash: Uint8Array.from(Buffer.from(from.final.hash.slice(2), 'hex')),
    },
    artifacts,
    ...(confirmations === undefined ? {} : { confirmations }),
    report: findings.report,
    progress: (done, of) => progress?.('chain', done, of),
    now,
    sleep,
  });
}

/** Without the chain, a log is still worth reading from its beginning; an audit that goes on needs what the one before it had. */
function mayGoOn({ from, source }: Audit, chain: ChainView | undefined, unchecked: CouldNotCheck[]): boolean {
  if (from === undefined || chain !== undefined) return true;
  if (unchecked.length === 0)
    unchecked.push(
      new CouldNotCheck({
        what: 'the log',
        where: source.where,
        why: 'there is no chain to hold it against',
      }),
    );
  return false;
}

function recordsOf(
  parts: Audit,
  { size, root }: LogView,
  chain: ChainView | undefined,
  findings: Findings,
): Promise<RecordsView | undefined> {
  if (parts.export === undefined || chain === undefined) return Promise.resolve(undefined);
  const { chunks, scratch } = parts.export;
  return auditRecords({
    chunks,
    scratch,
    source: parts.source,
    log: parts.log,
    chain,
    tree: { size, root },
    report: findings.report,
    randomBytes: parts.randomBytes,
    progress: lines => parts.progress?.('records', lines, undefined),
  });
}
