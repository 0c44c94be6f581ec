/**
 * How fast records go in, beside what this machine can do at best: each figure and its limit are measured in one run, with the
 * clients on the same cores. What counts is the ratio.
 *
 *     npm run bench -- [--rounds 3] [--records 10000] [--only lines|requests|batches] [--json] [--profile <folder>]
 *
 * With a profile the service leaves what V8's profiler saw there, and is slower.
 */

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import hre from 'hardhat';
import { algorithms } from '../../merkle/signature.ts';
import { buildPage } from '../../scripts/bundle.ts';
import { generateKey, keySigner, type StatementSigner } from '../../service/client/signer.ts';
import { readPrivateKeyFile } from '../../service/keyfiles.ts';
import { zegelJson } from '../helpers/cli.ts';
import { aSite, type ServiceProcess, type Site, siteAgency } from '../helpers/site.ts';
import { closedLoop, ordinaryLoop, postRequest, steady, upload } from './clients.ts';
import { commitRate, plainCommitRate, plainSignatureRate, signatureRate, startKoa } from './limits.ts';
import { batches, recordBytes, singles, statements } from './material.ts';
import { type Figures, printTable, quantile, summaryOf } from './table.ts';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    profile: { type: 'string' },
  },
});
const rounds = Number(flags.rounds);
const records = Number(flags.records);

/** Clients that send one record per request, uploads at a time, and how many entries a bare commit has: as many as the service's. */
const [connections, uploads, commitEntries] = [64, 2, 1_000];

/** How many bytes the service answers to one record, for the bare server to answer as many. */
const answerBytes = 1_000;

const wanted = (part: string) => flags.only === undefined || flags.only === part;

const progress = (text: string) => {
  if (!flags.json) process.stderr.write(`${text}\n`);
};

await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
// A service that builds it has Vite in its memory for good.
await buildPage();
const site = await aSite('anvil');
const koa = await startKoa(answerBytes);
try {
  const signers = {
    ES256: keySigner(await readPrivateKeyFile(site.keyFile), 'ES256'),
    Ed25519: await anEd25519Key(site),
  };
  const service = await site.serve(serviceSettings());
  const measuredRounds: Figures[] = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`);
    measuredRounds.push({
      ...(wanted('lines') && (await checksOf(site.origin))),
      ...(wanted('lines') && (await linesOf(service, site.origin, signers))),
      ...(wanted('requests') && (await requestsOf(service, site.origin, signers.ES256))),
      ...(wanted('batches') && (await batchEventsOf(service, site, signers.ES256))),
      memory: await peakMiB(service),
    });
  }
  service.child.kill('SIGTERM');
  await service.ended;
  const summary = {
    cores: availableParallelism(),
    node: process.version,
    rounds,
    records,
    ...summaryOf(measuredRounds),
  };
  if (flags.json) console.log(JSON.stringify({ ...summary, measured: measuredRounds }));
  else {
    console.log(`medians of ${rounds} rounds; ${summary.cores} cores, Node ${summary.node}\n`);
    printTable(summary);
  }
} finally {
  koa.child.kill('SIGTERM');
  await site.remove();
}

/** The service as its operator would run it, but for what it logs of each commit. */
function serviceSettings(): Record<string, string> {
  const settings = {
    ZEGEL_ANCHOR_INTERVAL_MS: '10000',
    // One key and one address send all there is.
    ZEGEL_KEY_LIMIT: '0',
    ZEGEL_ADDRESS_LIMIT: '0',
    ZEGEL_READ_LIMIT: '0',
  };
  if (flags.profile === undefined) return settings;
  return { ...settings, NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${flags.profile}` };
}

async function anEd25519Key({ folder, env }: Site): Promise<StatementSigner> {
  const file = join(folder, 'ed25519');
  await zegelJson(['key', 'generate', file, '--agency', siteAgency, '--alg', 'Ed25519'], env);
  await zegelJson(['key', 'add', `${file}.json`], env);
  return keySigner(await readPrivateKeyFile(file), 'Ed25519');
}

/** Bare signature checks, by algorithm. */
async function checksOf(origin: string): Promise<Figures> {
  const figures: Record<string, number> = {};
  for (const { name } of algorithms) {
    const signer = keySigner(generateKey(name), name);
    const signed = await statements(records, origin, signer);
    figures[`checks ${name}`] = await signatureRate(signed, signer.key);
    if (name === 'ES256' || name === 'Ed25519')
      figures[`plain checks ${name}`] = await plainSignatureRate(signed, signer.key);
  }
  return figures;
}

/** Statements as lines of uploads, each new, durable and in the tree when it is answered. */
async function linesOf(
  service: ServiceProcess,
  origin: string,
  signers: Readonly<Record<string, StatementSigner>>,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  for (const [alg, signer] of Object.entries(signers)) {
    const bodies = await Promise.all(
      Array.from({ length: uploads }, () => singles(records / uploads, origin, signer)),
    );
    Object.assign(figures, await uploadOf(`lines ${alg}`, service, bodies));
  }
  return figures;
}

async function batchEventsOf(
  service: ServiceProcess,
  { origin, folder }: Site,
  signer: StatementSigner,
): Promise<Figures> {
  const bodies = [];
  for (let i = 0; i < uploads; i++) bodies.push(await batches(records / uploads, origin, signer));
  const shape = { entries: commitEntries, recordBytes: await recordBytes(origin, signer) };
  return {
    'bare commits': await commitRate(join(folder, 'bare'), records, shape),
    'plain commits': await plainCommitRate(join(folder, 'plain'), records, shape),
    ...(await uploadOf('batch events', service, bodies)),
  };
}

/** Uploads bodies at a time: how many records a second went in, and how much time of a core the service took for each. */
async function uploadOf(name: string, service: ServiceProcess, bodies: readonly Buffer[]): Promise<Figures> {
  const { url } = service;
  const before = await sizeOf(url);
  const cpuBefore = await cpuMs(service);
  const start = performance.now();
  const recorded = await Promise.all(bodies.map(body => upload(url, body)));
  const seconds = (performance.now() - start) / 1000;
  const sum = recorded.reduce((a, b) => a + b);
  const grown = (await sizeOf(url)) - before;
  // Anchors add entries of their own.
  if (sum !== records || grown < sum)
    throw new Error(`${sum} of ${records} records went in, the log grew by ${grown}`);
  return { [name]: sum / seconds, [`cpu ${name}`]: (1000 * ((await cpuMs(service)) - cpuBefore)) / sum };
}

async function sizeOf(url: string): Promise<number> {
  const about = await (await fetch(`${url}/v1/log`)).json();
  return about.sizes.signed;
}

/** One record per request: at full load, beside a bare server at the same, and at a quarter of it. */
async function requestsOf(
  service: ServiceProcess,
  origin: string,
  signer: StatementSigner,
): Promise<Figures> {
  const [path, type] = ['/v1/records', 'application/jose'];
  const ordinary = await statements(records / 2, origin, signer);
  const ordinaryBare = await ordinaryLoop(koa.url, connections, path, type, ordinary);
  const ordinaryFull = await ordinaryLoop(service.url, connections, path, type, ordinary);
  const requests = (await statements(records, origin, signer)).map(statement =>
    postRequest(path, type, statement),
  );
  const half = Math.floor(records / 2);
  const bare = await closedLoop(koa.url, connections, requests.slice(0, half));
  const full = await closedLoop(service.url, connections, requests.slice(0, half));
  const quarter = await steady(
    service.url,
    connections,
    requests.slice(half, half + records / 5),
    full.perSecond / 4,
  );
  return {
    'ordinary Koa': ordinaryBare,
    'ordinary requests': ordinaryFull,
    'bare Koa': bare.perSecond,
    requests: full.perSecond,
    'full p50': quantile(full.times, 0.5),
    'full p99': quantile(full.times, 0.99),
    'quarter p50': quantile(quarter.times, 0.5),
    'quarter p99': quantile(quarter.times, 0.99),
  };
}

/** How long the service has kept cores busy, milliseconds; only Linux tells, in hundredths of a second. */
async function cpuMs({ child }: ServiceProcess): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => '');
  const [user = Number.NaN, system = Number.NaN] = stat.split(' ').slice(13, 15).map(Number);
  return 10 * (user + system);
}

/** The most memory that the service has had so far; only Linux tells. */
async function peakMiB({ child }: ServiceProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
