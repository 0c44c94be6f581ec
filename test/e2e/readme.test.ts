/** What README.md tells people to type works as printed, and so does what `npm start` prints. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBrowser, chromiumNote, chromiumPresent, citizen } from '../helpers/browsing.ts';
import { cleanEnvironment } from '../helpers/cli.ts';
import { blocksOf, readPage } from '../helpers/page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The shell blocks under a heading of README.md. */
async function blocksUnder(heading: string): Promise<readonly string[]> {
  const text = await readFile(`${root}/README.md`, 'utf8');
  const section = text.split(/^## /m).find(part => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`README.md has no section "${heading}"`);
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
}

async function runShell(script: string): Promise<{ code: number | null; out: string }> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: root,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      out += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, out };
}

/** Starts a program in a group of its own and gives the lines that it prints until one fits. */
async function startUntil(
  command: readonly string[],
  last: RegExp,
): Promise<{ child: ChildProcess; lines: string[] }> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: root,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const lines: string[] = [];
  if (child.stdout === null) throw new Error('the child was started with a pipe');
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (!last.test(line)) continue;
    child.stdout.resume();
    return { child, lines };
  }
  throw new Error(`${command.join(' ')} ended before it was ready:\n${lines.join('\n')}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.pid === undefined) return child.exitCode;
  process.kill(-child.pid, signal);
  const [code] = await once(child, 'exit');
  return code;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('By hand', () => {
  let demo: Awaited<ReturnType<typeof startUntil>>;
  /** What this run of `npm start` has in place of what README.md says, because others may run at the same time. */
  let adapt: (text: string) => string;

  beforeAll(async () => {
    demo = await startUntil([process.execPath, 'scripts/demo.ts'], /npx zegel audit/);
    const printed = demo.lines.join('\n');
    const url = /^service\s+(\S+)$/m.exec(printed)?.[1] ?? '';
    const [, folder = '', trust = ''] =
      /npx zegel verify (\S+)\/receipts\/\S+ --trust (\S+)/.exec(printed) ?? [];
    adapt = text =>
      text
        .replaceAll('http://127.0.0.1:8080', url)
        .replaceAll('.zegel/demo/', `${folder}/`)
        .replaceAll('deployments/demo/trust.json', trust);
  });
  afterAll(() => end(demo.child, 'SIGKILL'));

  // A dozen commands, each a process of its own.
  it('works as printed in README.md', { timeout: 180_000 }, async () => {
    const blocks = await blocksUnder('By hand');
    expect(blocks).toHaveLength(2);
    for (const block of blocks) {
      const { code, out } = await runShell(adapt(block));
      expect(code, out).toBe(0);
    }
    const { out } = await runShell(
      adapt(
        blocks[1]
          ?.split('\n')
          .filter(line => line.includes(' verify '))
          .join('\n') ?? '',
      ),
    );
    expect(out).toContain('mine.receipt.json: matches: transaction');
  });

  it('submits many as printed in README.md', async () => {
    const [block = ''] = await blocksUnder('Many records');
    const { code, out } = await runShell(adapt(block));
    expect(code, out).toBe(0);
    expect(out).toContain('5 events: 5 recorded');
    expect(out).toMatch(
      /5 anchored, 0 not yet anchored; checked against the trust file\n.*has \d+ documents/s,
    );
  });

  it('gives citizens their page as printed in README.md', async () => {
    const [block = ''] = await blocksUnder('As a citizen');
    const { code, out } = await runShell(adapt(block));
    expect(code, out).toBe(0);
    expect(out).toContain('with the trust file of SHA-256');
  });

  it.skipIf(!chromiumPresent)(
    `shows a verified receipt at the link that npm start prints${chromiumNote}`,
    async () => {
      const [, link = ''] = /^ {2}(http\S+\/verify#leaf=[0-9a-f]{64})$/m.exec(demo.lines.join('\n')) ?? [];
      const browser = await aBrowser(citizen);
      try {
        const tab = await browser.context.newPage();
        await tab.goto(link);
        await tab.locator('section.verdict.matches').waitFor();
        expect(await tab.locator('h1').textContent()).toContain('Agentschap Voorbeeldpremies (OVO900001)');
        // And all of it, when the file is dropped there.
        await tab.setInputFiles(
          '.again input[type=file]',
          `${root}/${adapt('.zegel/demo/receipts/permit.json')}`,
        );
        await tab.getByText('omgevingsvergunning', { exact: true }).waitFor();
        expect(await tab.locator('h1').textContent()).toContain('Departement Voorbeeldwerken (OVO900002)');
      } finally {
        await browser.close();
      }
    },
  );

  it('is audited as printed in README.md', async () => {
    const [block = ''] = await blocksUnder('As an auditor');
    const [, chain = ''] = /^chain\s+(\S+)/m.exec(demo.lines.join('\n')) ?? [];
    const { code, out } = await runShell(adapt(block).replaceAll('http://127.0.0.1:8545', chain));
    expect(code, out).toBe(0);
    expect(out).toMatch(/^yes: Nothing is wrong/m);
  });

  it('works as printed by npm start', async () => {
    const commands = demo.lines.filter(line => /^ {2}(npx|sed)/.test(line));
    expect(commands).toHaveLength(5);
    const results = [];
    for (const command of commands) results.push(await runShell(command));
    expect(results.map(({ code }) => code)).toEqual([0, 1, 0, 0, 0]);
    expect(results[0]?.out).toContain(': matches:');
    expect(results[1]?.out).toContain('does-not-match at inclusion');
    expect(results[2]?.out).toContain('was recorded before');
    expect(results[3]?.out).toMatch(/works\.ndjson: \d+ records of entries 0 to \d+, verified/);
    expect(results[4]?.out).toMatch(/^yes: Nothing is wrong.*\d+ exported records hold/ms);
    const [, page = ''] = /^ {2}report: (\S+)$/m.exec(demo.lines.join('\n')) ?? [];
    expect(await readFile(`${root}/${page}`, 'utf8')).toContain('Nothing is wrong');
    for (const url of demo.lines.filter(line => /^ {2}http/.test(line))) {
      expect((await fetch(url.trim())).status).toBe(200);
    }
  });

  it('lets people play the registrar, as ONBOARDING.md says', async () => {
    const [block] = blocksOf(await readPage('ONBOARDING.md'));
    const [, chain = ''] = /^chain\s+(\S+)/m.exec(demo.lines.join('\n')) ?? [];
    const trust = adapt('deployments/demo/trust.json');
    const typed = adapt(block?.text ?? '')
      .replaceAll('http://127.0.0.1:8545', chain)
      .replaceAll('$PWD/deployments/demo', `$PWD/${dirname(trust)}`)
      .replaceAll('.zegel/agency', adapt('.zegel/demo/agency'));
    const script = `shopt -s expand_aliases\n${typed}ls\nzegel agency add OVO900003 'Gemeente Voorbeeld'`;
    const { code, out } = await runShell(script);
    expect(code, out).toBe(0);
    expect(out).toMatch(/^trust\.json\n.*registered OVO900003/s);
  });

  it('ends with Ctrl-C and exit code 0', async () => {
    expect(await end(demo.child, 'SIGINT')).toBe(0);
  });
});

describe('A chain of its own', () => {
  let node: ChildProcess | undefined;
  let service: ChildProcess | undefined;
  const place = `.zegel/readme-${process.pid}`;
  const network = `readme-${process.pid}`;
  afterAll(async () => {
    for (const child of [service, node]) if (child !== undefined) await end(child, 'SIGKILL');
    for (const folder of [place, `deployments/${network}`])
      await rm(`${root}/${folder}`, { recursive: true, force: true });
  });

  // A dozen commands, each a process of its own.
  it('works as printed in README.md', { timeout: 180_000 }, async () => {
    const [chain = '', commands = ''] = await blocksUnder('A chain of its own');
    const [nodePort, servicePort] = [await freePort(), await freePort()];
    const adapt = (text: string) =>
      text
        .replaceAll('8555', `${nodePort}`)
        .replaceAll('8090', `${servicePort}`)
        .replaceAll('.zegel/local', place)
        .replaceAll('ZEGEL_DEPLOYMENT=local', `ZEGEL_DEPLOYMENT=${network}`);
    const background = adapt(chain).replace(/&\s*$/, '');
    ({ child: node } = await startUntil(['bash', '-c', background], /Started HTTP/));
    ({ child: service } = await startUntil(
      ['bash', '-euo', 'pipefail', '-c', adapt(commands)],
      /^serving at/,
    ));

    const status = await fetch(`http://127.0.0.1:${servicePort}/v1/log`);
    expect(await status.json()).toMatchObject({ origin: 'ledger.local/1', sizes: { signed: 1 } });
  });
});
