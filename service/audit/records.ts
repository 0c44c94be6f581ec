/**
 * The records of an export, one line each as `zegel export` writes them, against the log and the chain: the agency's key signed
 * them, the entry commits to them, and no event of an agency is there twice.
 *
 * Lines come in any number, from one export or several after another. What is not exported, or was erased, is counted: it is not a
 * fault. A record may be personal data, so findings do not quote it: they name the line, and prove it by hashes.
 */

import { hash } from 'node:crypto';
import { formatHex } from '../../merkle/bytes.ts';
import { type Entry, isRecord, parseEntry } from '../../merkle/entry.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { type ExportedRecord, parseExportedRecord } from '../../merkle/exported.ts';
import type { TrustedLog } from '../../merkle/trust.ts';
import type { ChainView } from './chain-view.ts';
import { type Finding, keptOfOneCode, type Report } from './findings.ts';
import { linesOf } from './lines.ts';
import { Names } from './names.ts';
import { Places } from './places.ts';
import { parsePrintedLine } from './printed-line.ts';
import { RecordFault, RecordJudge } from './record-judge.ts';
import type { Source } from './sources.ts';

export type RecordsAudit = {
  /** The bytes of one export or more. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly source: Source;
  readonly log: TrustedLog;
  readonly chain: ChainView | undefined;
  /** What the log was found to be. */
  readonly tree: { readonly size: number; readonly root: Uint8Array };
  readonly report: Report;
  /** An empty folder for what does not fit in memory; without it, 24 bytes a record stay in memory. */
  readonly scratch?: string | undefined;
  readonly randomBytes: (lengthBytes: number) => Uint8Array;
  readonly progress?: (lines: number) => void;
};

export type RecordsView = {
  /** Lines read, whatever was in them. */
  readonly lines: number;
  /** Records that are what the log says. */
  readonly good: number;
  readonly erased: number;
  /** Lines for an index that an earlier line had. */
  readonly repeated: number;
  /** Lines beyond the size of this audit. */
  readonly beyond: number;
  /** Signatures that were verified: one for each statement, so one for a batch. */
  readonly signatures: number;
};

/** More than an event of the largest size that a service may allow, twice in base64url. */
const lineMaxBytes = 4 << 20;

/** How much is judged at a time, while signatures are being verified: lines, and bytes of them. */
const ahead = { lines: 128, bytes: 32 << 20 };

/** What is said of a line, once it is its turn. */
type Verdict =
  | { readonly kind: 'good' | 'erased' | 'repeated' | 'beyond' }
  | { readonly kind: 'wrong'; readonly finding: Finding };

/** Audits records. @throws {CouldNotCheck} if the log is not served as it was audited; whatever the chunks throw */
export async function auditRecords(audit: RecordsAudit): Promise<RecordsView> {
  const { source, log, chain, tree, report, progress } = audit;
  const names = new Names({ secret: audit.randomBytes(32), folder: audit.scratch });
  const judge = new LineJudge(new Places(source, tree), new RecordJudge(log, chain), names, tree.size);
  const counts = { good: 0, erased: 0, repeated: 0, beyond: 0, wrong: 0 };
  let lines = 0;
  let waitingBytes = 0;
  const waiting: { readonly verdict: Promise<Verdict>; readonly bytes: number }[] = [];
  const takeFirst = async (): Promise<void> => {
    const first = waiting.shift();
    if (first === undefined) return;
    waitingBytes -= first.bytes;
    const verdict = await first.verdict;
    counts[verdict.kind]++;
    // In the order of the lines, whatever was verified first.
    if (verdict.kind === 'wrong') report(verdict.finding);
  };
  try {
    for await (const bytes of linesOf(audit.chunks, lineMaxBytes)) {
      const verdict = judge.judge(++lines, bytes);
      // Met when it is its turn.
      verdict.catch(() => undefined);
      waiting.push({ verdict, bytes: bytes?.length ?? 0 });
      waitingBytes += bytes?.length ?? 0;
      while (waiting.length >= ahead.lines || waitingBytes > ahead.bytes) await takeFirst();
      if (lines % ahead.lines === 0) {
        await names.settle();
        progress?.(lines);
      }
    }
    while (waiting.length > 0) await takeFirst();
    await reportRepeated(names, report);
  } finally {
    await names.close();
  }
  const { good, erased, repeated, beyond } = counts;
  return { lines, good, erased, repeated, beyond, signatures: judge.records.signatures };
}

class LineJudge {
  readonly records: RecordJudge;
  readonly #places: Places;
  readonly #names: Names;
  readonly #size: number;
  /** A bit for each entry: whether a line for it was judged. */
  readonly #seen: Uint8Array;

  constructor(places: Places, records: RecordJudge, names: Names, size: number) {
    this.records = records;
    this.#places = places;
    this.#names = names;
    this.#size = size;
    this.#seen = new Uint8Array(Math.ceil(size / 8));
  }

  async judge(number: number, bytes: Uint8Array | undefined): Promise<Verdict> {
    const wrong = (
      code: RecordFault['code'],
      message: string,
      index?: number,
      entry?: Uint8Array,
    ): Verdict => ({
      kind: 'wrong',
      finding: {
        code,
        place: index === undefined ? {} : { index },
        message: `line ${number}: ${message}`,
        proof: {
          line: String(number),
          ...(bytes === undefined ? {} : { lineSha256: hash('sha256', bytes, 'hex') }),
          ...(entry === undefined ? {} : { entry: formatHex(entry) }),
        },
      },
    });
    if (bytes === undefined) return wrong('RECORD_MALFORMED', `it has more than ${lineMaxBytes} bytes`);
    let line: ExportedRecord;
    try {
      line = parseLine(bytes);
    } catch (error) {
      if (error instanceof FormatError) return wrong('RECORD_MALFORMED', faultsOf(error));
      throw error;
    }
    const { index, record } = line;
    if (index >= this.#size) return { kind: 'beyond' };
    if (!this.#isNew(index)) return { kind: 'repeated' };

    const place = await this.#places.at(index);
    const entry = place?.entry;
    const logged = entry === undefined ? undefined : asEntry(entry);
    if (place === undefined || entry === undefined || !same(entry, line.entry) || !isRecordEntry(logged))
      return wrong('RECORD_FOREIGN', `entry ${index} of the log is another one`, index, entry);
    if (!same(line.leafHash, place.leafHash))
      return wrong('RECORD_FOREIGN', `its leaf hash is not that of entry ${index}`, index, entry);
    if (record === null) return { kind: 'erased' };
    try {
      const { agency, source, id } = await this.records.judge(record, logged);
      this.#names.add(agency, source, id, index);
      return { kind: 'good' };
    } catch (error) {
      if (error instanceof RecordFault) return wrong(error.code, error.message, index, entry);
      throw error;
    }
  }

  #isNew(index: number): boolean {
    const at = Math.floor(index / 8);
    const bit = 1 << (index % 8);
    const byte = this.#seen[at] ?? 0;
    this.#seen[at] = byte | bit;
    return (byte & bit) === 0;
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isRecordEntry(entry: Entry | undefined): entry is Entry {
  return entry !== undefined && isRecord(entry.kind);
}

function asEntry(bytes: Uint8Array): Entry | undefined {
  try {
    return parseEntry(bytes);
  } catch (error) {
    if (error instanceof FormatError || error instanceof ProofError) return undefined;
    throw error;
  }
}

/** A line in the one spelling that is printed is read by the platform, at several times the strict reader's rate. */
function parseLine(bytes: Uint8Array): ExportedRecord {
  return (
    parsePrintedLine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) ?? parseExportedRecord(bytes)
  );
}

/** Where the faults are; what stands there is not told. */
function faultsOf({ issues }: FormatError): string {
  const places = issues.slice(0, 5).map(({ place }) => place || 'the line');
  return `it is not a record in its form, at ${places.join(', ')}`;
}

/** More are only counted, as one more finding each; so many are told in their order. */
const toldMax = 10 * keptOfOneCode;

async function reportRepeated(names: Names, report: Report): Promise<void> {
  const found: { readonly first: number; readonly second: number }[] = [];
  const told = ({ first, second }: { readonly first: number; readonly second: number }) =>
    report({
      code: 'NATURAL_KEY_REPEATED',
      place: { index: second },
      message: `entries ${first} and ${second} hold events of one agency with the same source and id`,
      proof: { first: String(first), second: String(second) },
    });
  for await (const pair of names.repeated()) {
    if (found.length < toldMax) found.push(pair);
    else told(pair);
  }
  for (const pair of found.sort((a, b) => a.second - b.second)) told(pair);
}
