/** Reports of audits that never were: one for each verdict, with figures as a log of some months has them. */

import { formatHex } from '../../merkle/bytes.ts';
import type { ChainKey, ChainView } from '../../service/audit/chain-view.ts';
import { CompactRange } from '../../service/audit/compact-range.ts';
import { CouldNotCheck, type Finding, Findings } from '../../service/audit/findings.ts';
import type { LogView } from '../../service/audit/log.ts';
import type { AnchorFigures } from '../../service/audit/log-state.ts';
import { tilesOf } from '../../service/audit/log-state.ts';
import type { Outcome } from '../../service/audit/outcome.ts';
import { type AuditReport, makeReport, type Repeat } from '../../service/audit/report.ts';
import type { AuditState } from '../../service/audit/state.ts';
import { forge } from './forge.ts';

const dayMs = 86_400_000;
const start = Date.UTC(2026, 5, 1);
const hexOf = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);

const agencies: readonly (readonly [string, string])[] = [
  ['OVO900001', 'Agentschap Voorbeeldpremies'],
  ['OVO900002', 'Departement Voorbeeldwerken en Openbare Infrastructuur van de Voorbeeldgemeenschap'],
  ['OVO900003', 'Gemeente Voorbeeld'],
  // A name is whatever a registrar has written.
  ['OVO900004', '<script>alert("x")</script> \u202Edlrow & "co"'],
  ['OVO900005', 'Voorbeeldinspectie'],
  ['OVO900006', 'Voorbeeldarchief'],
  ['OVO900007', 'Voorbeeldbibliotheek'],
];

/** A random number that is the same in each run. */
function series(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

export function aLogView(days = 90): LogView {
  const random = series(7);
  const perDay: Record<string, Record<string, number>> = {};
  const keys: Record<string, LogView['keys'][string]> = {};
  const anchors: AnchorFigures[] = [
    { size: 1, root: hexOf(1), block: 9, blockTime: start / 1000, gasUsed: 120_000, records: 0, ...noTimes },
  ];
  let size = 1;
  for (let day = 0; day < days; day++) {
    const at = start + day * dayMs;
    const ofDay: Record<string, number> = {};
    const isWeekend = day % 7 >= 5;
    for (const i of agencies.keys()) {
      const records = Math.round((isWeekend ? 40 : 900) * random() * (1 / (i + 1)));
      if (records === 0) continue;
      ofDay[hexOf(i + 1)] = records;
      size += records;
      const so = keys[hexOf(i + 1)];
      keys[hexOf(i + 1)] = {
        records: (so?.records ?? 0) + records,
        firstIndex: so?.firstIndex ?? size,
        lastIndex: size,
        firstTime: so?.firstTime ?? at,
        lastTime: at + 60_000_000,
      };
    }
    perDay[String(at / dayMs)] = ofDay;
    for (let n = 0; n < 8; n++) {
      const blockTime = Math.floor(at / 1000) + n * 10_000 + Math.floor(random() * 30);
      anchors.push({
        size: size - 8 + n + 1,
        root: hexOf(n),
        block: 10 + day * 8 + n,
        blockTime,
        gasUsed: 68_000 + Math.floor(random() * 9_000),
        records: 100,
        firstTime:
          blockTime * 1000 - 2_000 - Math.floor(random() * 12_000) - (n === 3 && day === 40 ? 900_000 : 0),
        lastTime: blockTime * 1000 - 500,
        lowerBlockTime: blockTime - 8 - Math.floor(random() * 30),
      });
    }
  }
  const records = Object.values(keys).reduce((sum, key) => sum + key.records, 0);
  return {
    origin: 'ledger.example/2026',
    size,
    root: new Uint8Array(32).fill(7),
    checkpoint: `ledger.example/2026\n${size}\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— ledger.example/2026 AAAA\n`,
    lastTime: start + days * dayMs,
    kinds: { genesis: 1, transaction: records - 500, audit: 500, chain: anchors.length, unreadable: 0 },
    keys,
    days: perDay,
    anchors,
    unanchored: { records: 12, firstTime: start + days * dayMs, lastTime: null, lowerBlockTime: null },
    unjudged: 0,
    listedAnchors: anchors.length,
    state: null,
  };
}

const noTimes = { firstTime: null, lastTime: null, lowerBlockTime: null };

export function aChainView(finality: ChainView['finality'] = 'proved'): ChainView {
  const root = (byte: number) => new Uint8Array(32).fill(byte);
  return {
    final: { number: 12_345, hash: root(3), time: start / 1000 + 8_000_000, stateRoot: root(4) },
    finality,
    anchors: [],
    closed: false,
    paused: false,
    anchorer: new Uint8Array(20).fill(5),
    key: id => {
      const agency = agencies[(id[0] ?? 0) - 1]?.[0];
      return agency === undefined ? undefined : ({ agency } as ChainKey);
    },
    agencies: new Map(agencies),
    blockByHash: () => undefined,
    contracts: ['AccessManager', 'AnchorRegistry', 'KeyRegistry'].map((name, i) => ({
      name,
      address: new Uint8Array(20).fill(i),
      storageRoot: root(i),
      codeHash: root(i + 9),
      replayed: { storageRoot: root(i), codeHash: root(i + 9) },
    })),
    counts: { blocks: 12_336, transactions: 734, replayed: 734, reverted: 2 },
  };
}

export const aRepeat: Repeat = {
  command:
    'zegel audit --url https://ledger.example --rpc https://rpc.example --trust trust.json --export works.ndjson',
  trust: { file: 'trust.json', sha256: hexOf(0xab), sequence: 3, issued: '2026-11-24T08:00:00Z' },
  exports: [{ file: 'works.ndjson', sha256: hexOf(0xcd) }],
  versions: { zegel: '0.1.0', Node: 'v24.0.0', Hardhat: '3.18.0' },
};

/** Three faults under two codes and a notice; the last with a stranger's text in it. */
export const someFindings: readonly Finding[] = [
  {
    code: 'ENTRY_BACKDATED',
    place: { index: 412, block: 77 },
    message:
      'entry 412 is of 2026-06-03T08:00:00.000Z, after chain entry 400 with a block of 2026-06-03T09:12:00.000Z',
    proof: { entry: '01'.repeat(74) },
  },
  {
    code: 'STORAGE_DIFFERS',
    place: { block: 12_345, contract: 'KeyRegistry' },
    message: 'slot 0x…07 of KeyRegistry holds 0x01, the replay has 0x00',
    proof: { slot: hexOf(7), nodes: 'f8'.repeat(900) },
  },
  {
    code: 'STORAGE_DIFFERS',
    place: { block: 12_345, contract: 'AnchorRegistry' },
    message: 'the storage root is another one',
    proof: { storageRoot: hexOf(8) },
  },
  {
    code: 'ANCHOR_GAP',
    place: { size: 900, block: 80 },
    message: '<img src=x onerror=alert(1)> waited',
    proof: { '<b>': '<i>&"\'' },
  },
];

export async function anOutcome(changes: Partial<Outcome> = {}): Promise<Outcome> {
  const { trust } = await forge();
  const [log] = trust.logs;
  if (log === undefined) throw new Error('the trust file has a log');
  return {
    log,
    logView: aLogView(),
    chainView: aChainView(),
    recordsView: { lines: 1_200, good: 1_190, erased: 10, repeated: 0, beyond: 0, signatures: 310 },
    hasExport: true,
    unchecked: [],
    found: new Findings().found(),
    earlier: null,
    ...changes,
  };
}

export function foundOf(findings: readonly Finding[]): Outcome['found'] {
  const all = new Findings();
  for (const finding of findings) all.report(finding);
  return all.found();
}

export const someTimes = {
  started: '2026-11-24T08:00:00.000Z',
  ended: '2026-11-24T08:03:25.000Z',
  seconds: 205,
  parts: { chain: 5, log: 100, records: 100 },
};

/** A report of each verdict. */
export async function reportsByVerdict(): Promise<Readonly<Record<AuditReport['verdict'], AuditReport>>> {
  const silent = new CouldNotCheck({
    what: "the chain's blocks",
    where: 'the node',
    why: 'no whole answer in 30000 ms',
  });
  const outcomes = {
    yes: await anOutcome(),
    no: await anOutcome({ found: foundOf(someFindings), chainView: aChainView('unproved') }),
    'could-not-check': await anOutcome({ chainView: undefined, recordsView: undefined, unchecked: [silent] }),
  };
  return {
    yes: makeReport(outcomes.yes, aRepeat, someTimes),
    no: makeReport(outcomes.no, aRepeat, someTimes),
    'could-not-check': makeReport(outcomes['could-not-check'], aRepeat, someTimes),
  };
}

/** The state of an audit under way, with findings in it. */
export function aState(): AuditState {
  const range = CompactRange.of([[new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]]);
  return {
    version: 1,
    origin: 'ledger.example/1',
    logId: `0x${'01'.repeat(32)}`,
    trust: '02'.repeat(32),
    underWay: { checkpoint: 'a note', started: '2026-11-24T08:00:00.000Z', earlier: null },
    written: '2026-11-24T08:01:00.000Z',
    final: { number: 7, hash: `0x${'03'.repeat(32)}` },
    kept: someFindings.slice(0, 2),
    counts: { ENTRY_BACKDATED: 1, STORAGE_DIFFERS: 900 },
    log: {
      version: 1,
      origin: 'ledger.example/1',
      judged: true,
      size: 2,
      root: formatHex(range.root()),
      tiles: tilesOf(range),
      time: 5,
      chainEntry: null,
      segment: { records: 1, firstTime: 5, lastTime: 5, lowerBlockTime: null },
      anchors: [],
      kinds: { genesis: 1, transaction: 1, audit: 0, chain: 0, unreadable: 0 },
      keys: { [hexOf(4)]: { records: 1, firstIndex: 1, lastIndex: 1, firstTime: 5, lastTime: 5 } },
      days: { '0': { [hexOf(4)]: 1 } },
      checkpoint: null,
    },
  };
}
