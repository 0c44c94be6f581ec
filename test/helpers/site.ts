/** A whole site for end-to-end tests, built with the command line: a chain, contracts, a log, an agency with a key, a service. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fundedKeys, startAnvil, startHardhat, startHardhatProcess, type TestChain } from './chain.ts';
import { cleanEnvironment, zegel, zegelJson } from './cli.ts';

/** A service as a process of its own. */
export type ServiceProcess = {
  readonly url: string;
  readonly child: ChildProcess;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
};

export type Site = {
  readonly chain: TestChain;
  readonly folder: string;
  /** What every command of this site finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly trustFile: string;
  /** The agency's private key. */
  readonly keyFile: string;
  readonly origin: string;
  serve(more?: Readonly<Record<string, string>>): Promise<ServiceProcess>;
  remove(): Promise<void>;
};

export const siteAgency = 'OVO900009';

let sites = 0;

const chains = { anvil: startAnvil, hardhat: startHardhat, apart: startHardhatProcess };

/** Builds a site up to its first `serve`: every step a command, as an operator would type it. */
export async function aSite(node: keyof typeof chains = 'hardhat'): Promise<Site> {
  const chain = await chains[node]();
  const folder = await mkdtemp(join(tmpdir(), 'zegel-site-'));
  // Nobody may use an origin twice, tests included.
  const origin = `ledger.test/${process.pid}-${Date.now()}-${sites++}`;
  const env = {
    ZEGEL_RPC_URL: chain.url,
    ZEGEL_DEPLOYMENT: join(folder, 'deployments', 'local'),
    ZEGEL_ORIGIN: origin,
    ZEGEL_DATA: join(folder, 'data'),
    ZEGEL_ADMIN_KEY_FILE: join(folder, 'admin'),
    ZEGEL_ANCHOR_KEY_FILE: join(folder, 'anchor'),
    ZEGEL_PORT: '0',
    ZEGEL_ANCHOR_INTERVAL_MS: '300',
    ZEGEL_LOG_LEVEL: 'warn',
  };
  await writeFile(env.ZEGEL_ADMIN_KEY_FILE, `${fundedKeys[0]}\n`, { mode: 0o600 });
  await writeFile(env.ZEGEL_ANCHOR_KEY_FILE, `${fundedKeys[1]}\n`, { mode: 0o600 });
  const keyFile = join(folder, 'desk');
  await zegelJson(['deploy'], env);
  await zegelJson(['init'], env);
  await zegelJson(['log', 'open'], env);
  await zegelJson(['agency', 'add', siteAgency, 'Gemeente Voorbeeld'], env);
  await zegelJson(['key', 'generate', keyFile, '--agency', siteAgency, '--alg', 'ES256'], env);
  await zegelJson(['key', 'add', `${keyFile}.json`], env);

  const running = new Set<ServiceProcess>();
  return {
    chain,
    folder,
    env,
    origin,
    keyFile,
    trustFile: join(env.ZEGEL_DEPLOYMENT, 'trust.json'),
    async serve(more = {}) {
      const service = await serve({ ...env, ...more });
      running.add(service);
      service.ended.then(() => running.delete(service));
      return service;
    },
    async remove() {
      for (const { child, ended } of running) {
        child.kill('SIGKILL');
        await ended;
      }
      await chain.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Starts `zegel serve` and waits until it says where it is. */
async function serve(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [zegel, 'serve', '--json'], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  for await (const line of createInterface(child.stdout)) {
    // Its log is on the same stream, one JSON object a line.
    const { url } = JSON.parse(line);
    if (url === undefined) continue;
    child.stdout.resume();
    return { url, child, ended };
  }
  throw new Error(`the service ended with ${await ended} before it served`);
}
