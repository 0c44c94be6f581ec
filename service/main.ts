/**
 * The service: opens what it is made of, wires it together, and closes it in reverse.
 *
 * Nothing else under `service/` reads the environment or ends the process. A service that cannot reach its chain starts, serves
 * reads and refuses submissions; one whose data, keys and deployment do not belong together does not start.
 */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { type Logger, pino } from 'pino';
import { Anchorer } from './anchorer.ts';
import { AnchorBook } from './anchors.ts';
import { Bearers, delay } from './bearers.ts';
import { readConfig, type ServiceConfig, serviceNeeds } from './config.ts';
import { readDeployment } from './deployment.ts';
import { LedgerError } from './errors.ts';
import { createApp } from './http/app.ts';
import { Limits } from './http/limits.ts';
import { close, createServer, listen, type ServerLimits, serverLimits } from './http/server.ts';
import { Intake } from './intake.ts';
import { readAccountKey, readPrivateKeyFile } from './keyfiles.ts';
import { KeyView } from './keys.ts';
import type { Ledger } from './ledger.ts';
import { type Loop, repeat } from './loop.ts';
import { Metrics } from './metrics.ts';
import { openLedger, StartError } from './opening.ts';
import { verifyWithOpenSsl } from './openssl.ts';
import { readBundle, trustText } from './page.ts';
import { every, Pulse } from './pulse.ts';
import { Reading } from './reading.ts';
import { Receipts } from './receipts.ts';
import { Registry } from './registry.ts';
import { Trail } from './trail.ts';
import { accountSigner } from './transactions.ts';
import { Vitals } from './vitals.ts';

/** A running service. */
export type Service = {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes nothing more, lets answers under way go out, and closes everything. */
  stop(): Promise<void>;
};

/** What stands in for what a process has: in tests, and in programs that run more than the service. */
export type Surroundings = {
  readonly log?: Logger;
  readonly now?: () => number;
  readonly limits?: ServerLimits;
  /** Told when nothing may be acknowledged any more. The default ends the process; the next start finds out what is on disk. */
  readonly onFatal?: (error: unknown) => void;
};

/** Exit codes: the process cannot trust its own state any more (EX_SOFTWARE); it could not start. */
const fatalExitCode = 70;
const refusedExitCode = 2;

/** How long answers under way may take once the service is stopping, milliseconds. */
const graceMs = 10_000;

/**
 * Starts the service.
 *
 * @throws {StartError} and the named errors of the deployment, the key files and recovery; each says what to do
 */
export async function startService(config: ServiceConfig, surroundings: Surroundings = {}): Promise<Service> {
  const { now = Date.now, limits = serverLimits, onFatal = endProcess } = surroundings;
  const log = surroundings.log ?? logger(config.logLevel);
  const vitals = new Vitals(log, onFatal);
  const opened: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    vitals.stop();
    for (const shut of opened.splice(0).reverse())
      await shut().catch(error => log.error({ err: error }, 'could not close in order'));
  };

  try {
    const deployment = await readDeployment(config.deploymentFolder);
    const signer = accountSigner(await readAccountKey(config.anchorKeyFile, config.passphraseFile));
    const { serviceKeyFile, passphraseFile } = config;
    const serviceKey =
      serviceKeyFile === undefined ? undefined : await readPrivateKeyFile(serviceKeyFile, passphraseFile);
    const metrics = new Metrics();
    // It is made of what is opened later; records come in only then.
    let countRecords: (records: number) => void = () => undefined;
    const { store, ledger } = await openLedger(config, deployment, {
      now,
      randomBytes,
      onFault: vitals.fail,
      observe: batch => {
        metrics.countBatch(batch);
        countRecords(batch.records);
        log.info(batch, 'committed');
      },
    });
    opened.push(() => store.close());
    opened.push(() => ledger.stop());

    const { rpcUrl, confirmations, anchorIntervalMs: intervalMs, eventMaxBytes, baseUrl } = config;
    const registry = Registry.connect({ rpcUrl, deployment, confirmations });
    // A test that brings its own clock sets it as it likes.
    const elapsed = surroundings.now ?? (() => performance.now());
    const keys = await KeyView.open({ store, registry, log, now, elapsed });
    const book = await AnchorBook.open(store);
    const anchorer = new Anchorer({ ledger, registry, book, signer, intervalMs, now, log });
    const loops = await followChain({ keys, anchorer, book, ledger, intervalMs, fail: vitals.fail });
    opened.push(() => Promise.all(loops.map(loop => loop.stop())));

    const watched = { keys, anchorer, ledger, now };
    const sizes = () => ({
      sequenced: ledger.sequenced,
      signed: ledger.signed().size,
      anchored: book.anchoredSize,
      final: book.finalSize,
    });
    const limiting = new Limits({
      ...config,
      elapsed: () => performance.now(),
      count: limit => metrics.countLimited(limit),
    });
    metrics.watch({
      underWay: () => limiting.underWay,
      sizes,
      accepting: () => vitals.isAccepting(watched),
      waitingMs: () => waitingMs(watched),
    });
    const { origin } = ledger;
    const verify = verifyWithOpenSsl;
    const intake = new Intake({ origin, keys, verify, eventMaxBytes });
    const receipts = new Receipts({ ledger, book });
    const trail = new Trail({ origin, privateKey: serviceKey, keys, intake, ledger, now, randomBytes });
    tellWhetherReadable(trail, log);
    // What was read before the start has left its entry in the log, so that a clock that was put back makes no used token good again.
    const startedAtMs = Math.max(now(), ledger.signed().time + 1);
    const bearers = new Bearers({ origin, keys, verify, now, startedAtMs, delay });
    const bundle = await readBundle();
    if (bundle === undefined)
      log.warn('serves no page for citizens: it is not built, which zegel serve does');
    const pulse = new Pulse({
      sizes,
      condition: () => ({ ...vitals.health(watched), waitingSince: anchorer.status().waitingSince }),
      anchors: book,
      read: ledger.read,
      now,
      every,
      onError: error => vitals.report(error, {}),
    });
    countRecords = records => pulse.count(records);
    const app = createApp({
      ledger,
      intake,
      receipts,
      reading: new Reading({ bearers, trail, keys, ledger, receipts }),
      anchors: book,
      anchorer,
      sizes,
      contracts: Object.values(deployment.contracts),
      version: await version(),
      health: () => vitals.health(watched),
      metrics,
      pulse,
      limits: limiting,
      stopping: vitals.stopping,
      baseUrl,
      bundle,
      trust: () => trustText(config.deploymentFolder),
      languages: config.languages,
      anchorIntervalMs: intervalMs,
      log,
      report: vitals.report,
    });
    // Where all come through a proxy, its address has all connections.
    const isBehindProxy = config.addressLimit === 0;
    const server = createServer(app, {
      ...limits,
      ...(isBehindProxy ? { maxConnectionsPerAddress: limits.maxConnections } : {}),
    });
    const port = await listen(server, config.host, config.port).catch((error: Error) => {
      throw new StartError(error.message, { cause: error });
    });
    opened.push(() => close(server, graceMs));

    const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
    log.info({ url, origin: ledger.origin, size: ledger.signed().size, term: ledger.term }, 'serving');
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Asks the chain once, so that one that answers is known before the first request, and then again and again.
 *
 * @throws {StartError} if the registry holds more of the log than the data folder. When the chain answers only later, that ends the
 *   service then: it was started on an older copy. Once both have agreed, a larger head is a stolen key's, and reads go on.
 */
async function followChain(parts: {
  readonly keys: KeyView;
  readonly anchorer: Anchorer;
  readonly book: AnchorBook;
  readonly ledger: Ledger;
  readonly intervalMs: number;
  readonly fail: (error: unknown) => void;
}): Promise<readonly Loop[]> {
  const { keys, anchorer, book, ledger, intervalMs, fail } = parts;
  let hasAgreed = false;
  const anchor = async () => {
    await anchorer.tick();
    const { fault } = anchorer.status();
    if (fault?.code === 'LEDGER_BEHIND' && !hasAgreed)
      throw new StartError(`${fault.message}: start on the newest copy of the data folder`);
    hasAgreed ||= fault === null;
  };
  const listenToChain = async () => {
    // The first step writes the opening's checkpoint down; no key is known, so no record comes in, before it has.
    const isOpeningKept = book.pending !== undefined || book.finalSize > 0 || ledger.signed().size > 1;
    if (isOpeningKept) await keys.poll();
  };
  await anchor();
  await listenToChain();
  // The chain is asked more often than it is written to: a key may have been retired, an anchor become final.
  const pauseMs = Math.min(2_000, intervalMs);
  return [repeat(pauseMs, anchor, fail), repeat(pauseMs, listenToChain, fail)];
}

/** Says at the start why agencies cannot read back what they have submitted, where that is so. */
function tellWhetherReadable(trail: Trail, log: Logger): void {
  try {
    trail.ready();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const facts = { code: error.code, reason: error.message };
    // Without the setting that is the operator's choice.
    if (error.code === 'READING_OFF') log.info(facts, 'gives no records back');
    else log.warn(facts, 'gives no records back yet');
  }
}

function waitingMs({ anchorer, now }: { readonly anchorer: Anchorer; readonly now: () => number }): number {
  const { waitingSince } = anchorer.status();
  return waitingSince === null ? 0 : Math.max(0, now() - waitingSince);
}

/** Logs go to standard error, line by line as they happen: the last one before the end matters most. */
function logger(level: string): Logger {
  return pino({ level }, pino.destination({ fd: 2, sync: true }));
}

async function version(): Promise<string> {
  // One folder up in a checkout, two in the built package.
  for (const path of ['../package.json', '../../package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => undefined);
    if (text !== undefined) return JSON.parse(text).version;
  }
  throw new Error('package.json is missing');
}

function endProcess(): void {
  process.exit(fatalExitCode);
}

/** Runs the service until SIGTERM or SIGINT: for process managers that start this file. */
async function run(): Promise<void> {
  const stopped = new Promise<void>(resolve => {
    process.once('SIGTERM', resolve).once('SIGINT', resolve);
  });
  try {
    const service = await startService(readConfig(process.env, {}, serviceNeeds));
    await stopped;
    await service.stop();
    process.exit(0);
  } catch (error) {
    // Errors with a name of ours were written for whoever starts the service; of others the stack is what helps.
    const isOurs = error instanceof Error && error.name !== 'Error';
    process.stderr.write(`zegel: ${isOurs ? error.message : error instanceof Error ? error.stack : error}\n`);
    process.exit(refusedExitCode);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await run();
