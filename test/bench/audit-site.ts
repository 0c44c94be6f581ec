/** The site of the audit's bench, how it grows, and how long its audits take. */

import { spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment, zegel, zegelJson } from '../helpers/cli.ts';
import { aSite, type Site, siteAgency } from '../helpers/site.ts';
import { anEvent } from './material.ts';

const operator = 'OVO900000';

export type BenchSite = Site & {
  readonly url: string;
  readonly keys: { readonly es256: string; readonly ed25519: string };
};

/** A site with the operator's key, so that records are given back, and keys of both algorithms. */
export async function servedSite(): Promise<BenchSite> {
  const site = await aSite('apart');
  const key = async (name: string, agency: string, alg: string): Promise<string> => {
    const file = join(site.folder, name);
    await zegelJson(['key', 'generate', file, '--agency', agency, '--alg', alg], site.env);
    await zegelJson(['key', 'add', `${file}.json`], site.env);
    return file;
  };
  await zegelJson(['agency', 'add', operator, 'Beheerder Voorbeeld'], site.env);
  const ed25519 = await key('ed25519', siteAgency, 'Ed25519');
  const service = await key('operator', operator, 'ES256');
  const { timestamp } = (await site.chain.ask('eth_getBlockByNumber', 'latest', false)) as {
    timestamp: string;
  };
  // Each block of such a node is a second later than the one before: the keys are valid once the clock has come that far.
  await sleep(Math.max(0, Number(timestamp) * 1000 + 1_000 - Date.now()));
  const limits = { ZEGEL_KEY_LIMIT: '0', ZEGEL_ADDRESS_LIMIT: '0', ZEGEL_READ_LIMIT: '0' };
  const { url } = await site.serve({
    ...limits,
    ZEGEL_SERVICE_KEY_FILE: service,
    ZEGEL_ANCHOR_INTERVAL_MS: '2000',
  });
  return { ...site, url, keys: { es256: site.keyFile, ed25519 } };
}

/** Submits so many events three times: under ES256 and Ed25519 statements, and under batch statements; and waits for their anchor. */
export async function grow(site: BenchSite, count: number): Promise<void> {
  const ways = [
    ['--key', site.keys.es256],
    ['--key', site.keys.ed25519],
    ['--key', site.keys.es256, '--batch', '1000'],
  ];
  for (const [i, way] of ways.entries()) {
    const name = `${Date.now()}-${i}`;
    const events = join(site.folder, `events-${name}.ndjson`);
    await writeFile(
      events,
      Array.from({ length: count }, () => `${Buffer.from(anEvent()).toString()}\n`),
    );
    const receipts = join(site.folder, `receipts-${name}.ndjson`);
    await zegelJson(['submit', events, '--url', site.url, ...way, '--out', receipts]);
  }
  for (;;) {
    const { sizes } = (await (await fetch(`${site.url}/v1/log`)).json()) as {
      sizes: { signed: number; final: number };
    };
    if (sizes.final === sizes.signed) return;
    await sleep(100);
  }
}

/** Exports from an index on. Gives the index where the next export begins. */
export async function exportTo(site: BenchSite, out: string, from: number): Promise<number> {
  const range = ['--from', String(from), '--out', out];
  const [done] = await zegelJson(['export', '--url', site.url, '--key', site.keys.es256, ...range]);
  return done.to;
}

export type Audited = {
  /** From the start of the process to its end. */
  readonly seconds: number;
  readonly parts: { readonly chain: number; readonly log: number; readonly records: number };
  readonly memoryMiB: number;
  /** Of the process's own work, on all cores. */
  readonly processorSeconds: number;
  readonly findings: readonly string[];
};

const usedMark = 'used: ';
const tellUsed = `process.on('exit', () => process.stderr.write('${usedMark}' + JSON.stringify(process.resourceUsage()) + '\\n'))`;

/** Audits in a process of its own. @throws {Error} unless it says yes */
export async function auditOnce(site: BenchSite, options: readonly string[]): Promise<Audited> {
  const where = ['--url', site.url, '--rpc', site.chain.url, '--trust', site.trustFile];
  // A chain that nobody writes on grows old while records are exported, which is worth a notice.
  await site.chain.ask('evm_mine');
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(tellUsed)}`,
      zegel,
      'audit',
      ...where,
      ...options,
      '--json',
    ],
    { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text;
  });
  const [code] = await once(child, 'close');
  const seconds = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`the audit ended with ${code}: ${err}\n${out.slice(0, 3000)}`);
  const { times, counts } = JSON.parse(out);
  const used = JSON.parse(err.split(usedMark)[1]?.split('\n')[0] ?? '') as NodeJS.ResourceUsage;
  return {
    seconds,
    parts: times.parts,
    memoryMiB: used.maxRSS / 1024,
    processorSeconds: (used.userCPUTime + used.systemCPUTime) / 1e6,
    findings: Object.keys(counts.byCode),
  };
}

export type RawChecks = { readonly seconds: number; readonly processorSeconds: number };

/** How long so many checks of each of both algorithms take on all cores, from a part of them. */
export async function rawChecks(count: number): Promise<RawChecks> {
  const es256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed25519 = generateKeyPairSync('ed25519');
  const cpu = process.cpuUsage();
  const [a, b] = [await checksPerSecond('sha256', es256), await checksPerSecond(null, ed25519)];
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: count / a + count / b, processorSeconds: ((user + system) / 1e6) * (count / sampled) };
}

const sampled = 20_000;

async function checksPerSecond(
  digest: 'sha256' | null,
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): Promise<number> {
  const message = Buffer.from(anEvent());
  const signature = sign(digest, message, privateKey);
  const start = performance.now();
  let left = sampled;
  const worker = async (): Promise<void> => {
    while (left-- > 0)
      await new Promise<void>((resolve, reject) =>
        verify(digest, message, publicKey, signature, (error, ok) => (ok ? resolve() : reject(error))),
      );
  };
  await Promise.all(Array.from({ length: 4 * availableParallelism() }, worker));
  return sampled / ((performance.now() - start) / 1000);
}
