/**
 * The report of an audit, as data: what `zegel audit --json` prints, and what the page is made of (`page.ts`).
 *
 * Version 1, one JSON object. `verdict` is `yes` (all that was looked at holds), `no` (a fault was found) or `could-not-check` (no
 * fault, but something could not be had); `sentence`, `reason` and `next` say the same in words. `parts` says of each part of the audit
 * whether it was done, and how far. `findings` has, for each code, at most 100 in full; `counts` how many there were. Hashes and
 * addresses are hexadecimal, times of blocks and entries RFC 3339, durations in seconds. Members are added, never renamed.
 *
 * It says the same of the same log and chain, however often, and with however many interruptions it was made: only `times` differs.
 */

import { formatHex, formatHex0x } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { logId } from '../../merkle/genesis.ts';
import type { TrustedLog } from '../../merkle/trust.ts';
import type { ChainView } from './chain-view.ts';
import {
  type Finding,
  type FindingCode,
  type FindingsFound,
  findingCodes,
  type Severity,
  severityOf,
} from './findings.ts';
import type { LogView } from './log.ts';
import { inOrder, rankOf } from './order.ts';
import { missingFrom, type Outcome, type Unchecked } from './outcome.ts';
import { type PartDone, partsOf } from './parts.ts';
import type { RecordsView } from './records.ts';
import { type AnchorSeries, seriesOf } from './series.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** How to do it again. */
export type Repeat = {
  readonly command: string;
  readonly trust: {
    readonly file: string;
    readonly sha256: string;
    readonly sequence: number;
    readonly issued: string;
  };
  /** A hash is null where the file was not read to its end. */
  readonly exports: readonly { readonly file: string; readonly sha256: string | null }[];
  /** By name: of this program, and of what it was run with. */
  readonly versions: Readonly<Record<string, string>>;
};

/** `seconds` from the start of the first run to the end; `parts` of the last run alone. */
export type Times = {
  readonly started: string;
  readonly ended: string;
  readonly seconds: number;
  readonly parts: { readonly chain: number; readonly log: number; readonly records: number };
};

export type ReportedFinding = Finding & {
  readonly severity: Severity;
  readonly stands: 'signed' | 'served';
  readonly means: string;
  readonly next: string;
};

export type AgencyFigures = {
  /** Null for keys that no agency is known for. */
  readonly agency: string | null;
  readonly name: string | null;
  /** Key ids that records stand under. */
  readonly keys: number;
  readonly records: number;
  readonly firstTime: string;
  readonly lastTime: string;
};

export type AuditReport = {
  readonly version: 1;
  readonly verdict: Verdict;
  readonly sentence: string;
  readonly reason: string;
  readonly next: string;
  /** Whether validators' seals prove the block up to which the chain was read; null where it was not read. */
  readonly finality: 'proved' | 'unproved' | null;
  readonly log: {
    readonly origin: string;
    readonly logId: string;
    readonly size: number | null;
    readonly root: string | null;
    readonly checkpoint: string | null;
    readonly lastTime: string | null;
  };
  readonly chain: {
    readonly chainId: string;
    readonly final: { readonly number: number; readonly hash: string; readonly time: string } | null;
    readonly closed: boolean | null;
    readonly paused: boolean | null;
    readonly anchorer: string | null;
    readonly contracts: readonly {
      readonly name: string;
      readonly address: string;
      readonly storageRoot: string;
      readonly codeHash: string;
      readonly replayed: { readonly storageRoot: string; readonly codeHash: string };
    }[];
  };
  readonly earlier: Outcome['earlier'];
  readonly parts: readonly PartDone[];
  readonly unchecked: readonly Unchecked[];
  readonly figures: {
    readonly kinds: LogView['kinds'] | null;
    /** Most records first. */
    readonly agencies: readonly AgencyFigures[];
    /** Records by day (UTC) and agency; the key `""` stands for keys that no agency is known for. */
    readonly days: readonly { readonly day: string; readonly records: Readonly<Record<string, number>> }[];
    readonly anchors: AnchorSeries | null;
    /** Records that no anchor covers yet. */
    readonly unanchored: number | null;
    readonly blocks: ChainView['counts'] | null;
    /** Of the export; `missing` are records of the log that it does not have. */
    readonly export: (RecordsView & { readonly missing: number }) | null;
  };
  readonly counts: { readonly faults: number; readonly notices: number } & {
    readonly byCode: Readonly<Partial<Record<FindingCode, number>>>;
  };
  readonly findings: readonly ReportedFinding[];
  readonly repeat: Repeat;
  readonly times: Times;
};

export function makeReport(outcome: Outcome, repeat: Repeat, times: Times): AuditReport {
  const { log, logView, chainView, found } = outcome;
  const agencies = agenciesOf(outcome);
  return {
    version: 1,
    ...verdictOf(outcome),
    finality: chainView?.finality ?? null,
    log: {
      origin: log.origin,
      logId: formatHex0x(logId(log.chain.chainId, log.anchorRegistry.address, log.origin)),
      size: logView?.size ?? null,
      root: logView === undefined ? null : formatHex(logView.root),
      checkpoint: logView?.checkpoint ?? null,
      lastTime: logView === undefined ? null : formatTime(logView.lastTime),
    },
    chain: chainOf(log, chainView),
    earlier: outcome.earlier,
    parts: partsOf(outcome),
    unchecked: outcome.unchecked.map(({ what, where, message }) => ({ what, where, message })),
    figures: {
      kinds: logView?.kinds ?? null,
      agencies,
      days: daysOf(outcome),
      anchors: logView === undefined || chainView === undefined ? null : seriesOf(logView.anchors),
      unanchored: logView === undefined || chainView === undefined ? null : logView.unanchored.records,
      blocks: chainView?.counts ?? null,
      export:
        outcome.recordsView === undefined ? null : { ...outcome.recordsView, missing: missingFrom(outcome) },
    },
    counts: countsOf(found),
    findings: [...found.kept].sort(inOrder).map(finding => {
      const { severity, stands, means, next } = findingCodes[finding.code];
      return { ...finding, severity, stands, means, next };
    }),
    repeat,
    times,
  };
}

function chainOf({ chain }: TrustedLog, view: ChainView | undefined): AuditReport['chain'] {
  return {
    chainId: chain.chainId,
    final:
      view === undefined
        ? null
        : {
            number: view.final.number,
            hash: formatHex0x(view.final.hash),
            time: formatTime(view.final.time * 1000),
          },
    closed: view?.closed ?? null,
    paused: view?.paused ?? null,
    anchorer: view === undefined ? null : formatHex0x(view.anchorer),
    contracts: (view?.contracts ?? []).map(({ name, address, storageRoot, codeHash, replayed }) => ({
      name,
      address: formatHex0x(address),
      storageRoot: formatHex0x(storageRoot),
      codeHash: formatHex0x(codeHash),
      replayed: {
        storageRoot: formatHex0x(replayed.storageRoot),
        codeHash: formatHex0x(replayed.codeHash),
      },
    })),
  };
}

/** Whose key it is; empty where nobody is known. */
function agencyOf(keyId: string, chain: ChainView | undefined): string {
  return chain?.key(Uint8Array.from(Buffer.from(keyId, 'hex')))?.agency ?? '';
}

function agenciesOf({ logView, chainView }: Outcome): AgencyFigures[] {
  const agencies = new Map<string, { keys: number; records: number; first: number; last: number }>();
  for (const [keyId, { records, firstTime, lastTime }] of Object.entries(logView?.keys ?? {})) {
    const agency = agencyOf(keyId, chainView);
    const so = agencies.get(agency) ?? { keys: 0, records: 0, first: firstTime, last: lastTime };
    agencies.set(agency, {
      keys: so.keys + 1,
      records: so.records + records,
      first: Math.min(so.first, firstTime),
      last: Math.max(so.last, lastTime),
    });
  }
  return [...agencies]
    .sort(([a, x], [b, y]) => y.records - x.records || (a < b ? -1 : 1))
    .map(([agency, { keys, records, first, last }]) => ({
      agency: agency === '' ? null : agency,
      name: chainView?.agencies.get(agency) ?? null,
      keys,
      records,
      firstTime: formatTime(first),
      lastTime: formatTime(last),
    }));
}

const dayMs = 86_400_000;

function daysOf({ logView, chainView }: Outcome): AuditReport['figures']['days'] {
  return Object.entries(logView?.days ?? {})
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([day, keys]) => {
      const records: Record<string, number> = {};
      for (const [keyId, count] of Object.entries(keys)) {
        const agency = agencyOf(keyId, chainView);
        records[agency] = (records[agency] ?? 0) + count;
      }
      return { day: formatTime(Number(day) * dayMs).slice(0, 10), records };
    });
}

function countsOf({ counts }: FindingsFound): AuditReport['counts'] {
  const sum = (wanted: Severity) =>
    [...counts].reduce((total, [code, count]) => total + (severityOf(code) === wanted ? count : 0), 0);
  const byCode = Object.fromEntries([...counts].sort(([a], [b]) => rankOf(a) - rankOf(b)));
  return { faults: sum('fault'), notices: sum('notice'), byCode };
}
