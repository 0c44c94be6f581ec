/** One run of an audit: its files read, the audit made, its report told and kept. */

import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatHex0x } from '../merkle/bytes.ts';
import { formatTime } from '../merkle/entry.ts';
import { FormatError } from '../merkle/errors.ts';
import { logId } from '../merkle/genesis.ts';
import { fingerprint, parseTrust, type Trust, type TrustedLog } from '../merkle/trust.ts';
import { audit } from '../service/audit/audit.ts';
import { CouldNotCheck } from '../service/audit/findings.ts';
import { auditPage } from '../service/audit/page.ts';
import { type AuditReport, makeReport } from '../service/audit/report.ts';
import { httpSource } from '../service/audit/sources.ts';
import { Rpc } from '../service/rpc.ts';
import { contractArtifacts } from './artifacts.ts';
import { type Progress, progressOn } from './audit-progress.ts';
import { saveTo, stateFor } from './audit-state.ts';
import { CommandError, type ExitCode, type Output, readInput } from './command.ts';
import { replaceFile } from './durable.ts';
import { auditVersions } from './version.ts';

export type AuditOptions = {
  readonly url: string;
  readonly rpcUrl: string;
  /** The trust file. */
  readonly trust: string;
  /** Which log, where the trust file has several. */
  readonly origin?: string | undefined;
  readonly confirmations: number;
  readonly exports: readonly string[];
  readonly state?: string | undefined;
  readonly fromScratch: boolean;
  readonly saveEvery?: number | undefined;
  readonly report?: string | undefined;
  readonly evidence?: string | undefined;
  /** For how long an answer is waited for. */
  readonly timeoutMs?: number | undefined;
};

const exitCodes = { yes: 0, no: 1, 'could-not-check': 3 } as const satisfies Record<string, ExitCode>;

/** Audits, tells what came out, and keeps the report where it was wanted. @throws {CommandError} for what was typed wrong */
export async function auditAll(options: AuditOptions, output: Output): Promise<ExitCode> {
  const progress = progressOn(process.stderr);
  const report = await auditReport(options, { note: line => output.note(line), progress });
  const forks = await keepForks(report, options, line => output.note(line));
  const files = [...(options.report === undefined ? [] : [`report    ${options.report}`]), ...forks];
  output.result([...linesFor(report), ...files], report);
  return exitCodes[report.verdict];
}

function keep(file: string, text: string): Promise<void> {
  return replaceFile(file, to => to.writeFile(text));
}

/** Who is told of what goes on. */
type Told = {
  readonly note: (line: string) => void;
  readonly progress: Progress;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

/** Audits, and keeps the page. */
export async function auditReport(options: AuditOptions, told: Told): Promise<AuditReport> {
  const report = await audited(options, told);
  if (options.report !== undefined) await keep(options.report, auditPage(report));
  return report;
}

async function audited(
  options: AuditOptions,
  { note, progress, now = Date.now }: Told,
): Promise<AuditReport> {
  const { timeoutMs = 30_000 } = options;
  if (!/^https?:\/\/[^/]/.test(options.url))
    throw new CommandError(2, `"${options.url}" is not the URL of a log`);
  const { trust, facts } = await readTrust(options.trust);
  const log = logIn(trust, options.origin, options.trust);
  const stateOf = {
    origin: log.origin,
    logId: formatHex0x(logId(log.chain.chainId, log.anchorRegistry.address, log.origin)),
    trust: facts.sha256,
  };
  note(`trust file ${options.trust}, SHA-256 ${facts.sha256}`);
  const from = await stateFor(options, stateOf, { trust, log }, note);
  await verifyFiles(options);
  const exported = options.exports.map(exportFile);
  const scratch = exported.length === 0 ? undefined : await mkdtemp(join(tmpdir(), 'zegel-audit-'));
  try {
    const { outcome, started, seconds } = await audit({
      source: httpSource(options.url, { timeoutMs }),
      rpc: new Rpc({ urls: [options.rpcUrl], timeoutMs }),
      trust,
      log,
      artifacts: await contractArtifacts(),
      confirmations: options.confirmations,
      export: scratch === undefined ? undefined : { chunks: chunksOf(exported), scratch },
      stateOf,
      from,
      ...(options.state === undefined ? {} : { save: saveTo(options.state) }),
      ...(options.saveEvery === undefined ? {} : { saveEvery: options.saveEvery }),
      progress: progress.tell,
      randomBytes,
      now,
      sleep: ms => sleep(ms),
    });
    const ended = now();
    return makeReport(
      outcome,
      {
        command: commandOf(options, log.origin),
        trust: facts,
        exports: exported.map(({ file, sha256 }) => ({ file, sha256: sha256() })),
        versions: await auditVersions(),
      },
      { started, ended: formatTime(ended), seconds: (ended - Date.parse(started)) / 1000, parts: seconds },
    );
  } finally {
    progress.end();
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

/** What would be found out only after hours otherwise. @throws {CommandError} exit code 2 */
async function verifyFiles({ exports, report, state, evidence }: AuditOptions): Promise<void> {
  for (const file of exports) await verifyAccess(file, constants.R_OK, `${file} cannot be read`);
  if (evidence !== undefined) await mkdir(evidence, { recursive: true });
  for (const file of [report, state])
    if (file !== undefined) await verifyAccess(dirname(file), constants.W_OK, `${file} cannot be written`);
}

async function verifyAccess(path: string, mode: number, what: string): Promise<void> {
  try {
    await access(path, mode);
  } catch (cause) {
    throw new CommandError(2, `${what} (${codeOf(cause)})`, cause);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

async function readTrust(file: string): Promise<{ trust: Trust; facts: AuditReport['repeat']['trust'] }> {
  const bytes = await readInput(file);
  try {
    const trust = parseTrust(bytes);
    const { sequence, issued } = trust;
    return { trust, facts: { file, sha256: fingerprint(bytes), sequence, issued } };
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new CommandError(2, `${file} is not a trust file: ${cause.message}`, cause);
  }
}

function logIn(trust: Trust, origin: string | undefined, file: string): TrustedLog {
  const log = origin === undefined ? trust.logs[0] : trust.logs.find(each => each.origin === origin);
  const origins = trust.logs.map(each => each.origin).join(', ');
  if (log === undefined)
    throw new CommandError(
      2,
      `${file} has no log${origin === undefined ? '' : ` ${origin}: it has ${origins}`}`,
    );
  if (origin === undefined && trust.logs.length > 1)
    throw new CommandError(2, `${file} has several logs: name one of them with --origin: ${origins}`);
  return log;
}

/** Signatures are checked on the threads that read files: so a file is read in long pieces, and seldom. */
const readBytes = 1 << 20;

type ExportFile = {
  readonly file: string;
  readonly chunks: () => AsyncIterable<Uint8Array>;
  /** Once it was read to its end. */
  readonly sha256: () => string | null;
};

function exportFile(file: string): ExportFile {
  let digest: string | null = null;
  return {
    file,
    sha256: () => digest,
    async *chunks() {
      const hash = createHash('sha256');
      let last: number | undefined;
      const stream = createReadStream(file, { highWaterMark: readBytes });
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          hash.update(chunk);
          last = chunk.at(-1);
          yield chunk;
        }
      } catch (error) {
        const why = codeOf(error);
        if (why === 'unknown error') throw error;
        throw new CouldNotCheck({ what: 'an export', where: file, why }, error);
      }
      digest = hash.digest('hex');
      // The next file begins on a line of its own.
      if (last !== undefined && last !== 10) yield Uint8Array.of(10);
    },
  };
}

async function* chunksOf(files: readonly ExportFile[]): AsyncGenerator<Uint8Array> {
  for (const { chunks } of files) yield* chunks();
}

/** What to type to do it again; secrets in a URL are left out. */
function commandOf(options: AuditOptions, origin: string): string {
  const words = ['zegel', 'audit', '--url', bare(options.url), '--rpc', bare(options.rpcUrl)];
  words.push('--trust', options.trust);
  if (options.origin !== undefined) words.push('--origin', origin);
  if (options.confirmations !== 0) words.push('--confirmations', String(options.confirmations));
  if (options.exports.length > 0) words.push('--export', ...options.exports);
  return words
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

function bare(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@]*@/, '$1').replace(/[?#].*$/s, '');
}

/** Two checkpoints that contradict each other, as files for `zegel verify`. */
async function keepForks(
  { findings }: AuditReport,
  options: AuditOptions,
  note: (line: string) => void,
): Promise<string[]> {
  const forks = findings.filter(({ code }) => code === 'CHECKPOINT_FORKED');
  const folder = options.evidence ?? (options.report === undefined ? undefined : dirname(options.report));
  if (forks.length === 0) return [];
  if (folder === undefined) {
    note('there is proof of a fork: name a folder for it with --evidence, and show it to others');
    return [];
  }
  await mkdir(folder, { recursive: true });
  const lines: string[] = [];
  for (const [i, { proof, place }] of forks.entries()) {
    const file = join(folder, `fork-${place.size}${i === 0 ? '' : `-${i}`}.json`);
    await keep(file, proof['evidence'] ?? '');
    lines.push(`evidence  ${file}`);
  }
  return lines;
}

const linesShown = 10;

/** The report in some lines, worst first. */
function linesFor({ verdict, sentence, reason, next, parts, findings, counts }: AuditReport): string[] {
  const total = counts.faults + counts.notices;
  return [
    `${verdict}: ${sentence}`,
    `  ${reason}`,
    `  ${next}`,
    ...parts.map(
      ({ name, checked, says }) => `${name.padEnd(8)}${checked === 'no' ? 'not checked. ' : ''}${says}`,
    ),
    ...findings
      .slice(0, linesShown)
      .map(({ code, severity, message }) => `${severity}: ${code}: ${message.slice(0, 300)}`),
    ...(total > linesShown ? [`… ${total - linesShown} more: --json prints them`] : []),
  ];
}
