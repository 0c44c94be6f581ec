/**
 * Checks the running product from outside, with the independent implementation in `../shared/accept` (Go): the log that it serves,
 * and the receipts that it issues. Prints `N passed, N failed` as its last line; `.ci/run` calls it where that folder and Go are.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { formatHex, utf8 } from '../merkle/bytes.ts';
import { LedgerClient, receiptFile } from '../service/client/client.ts';
import { signStatement } from '../service/client/signer.ts';
import { sampleEvents } from './samples.ts';
import { readSigner } from './sign.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const accept = fileURLToPath(new URL('../../shared/accept', import.meta.url));

/** Enough to fill a tile and begin the next one. */
const records = 300;

const results: boolean[] = [];
const check = (name: string, ok: boolean, detail = ''): void => {
  results.push(ok);
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name}${detail === '' ? '' : `: ${detail}`}\n`);
};

const demo = spawn(process.execPath, [join(root, 'scripts/demo.ts')], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const { url, folder, trust } = await served(demo);
  const receipts = await submitMany(url, folder);
  await checkLog(url);
  await checkReceipts(receipts, trust);
} finally {
  demo.kill('SIGINT');
  await once(demo, 'exit');
}
const failed = results.filter(ok => !ok).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

/** Waits until the demonstration serves, and reads from what it prints where things are. */
async function served({ stdout }: ChildProcess): Promise<{ url: string; folder: string; trust: string }> {
  if (stdout === null) throw new Error('the demonstration was started with a pipe');
  let url: string | undefined;
  let place: RegExpExecArray | null = null;
  for await (const line of createInterface(stdout)) {
    url ??= /^service\s+(http\S+)$/.exec(line)?.[1];
    place ??= /npx zegel verify (\S+)\/receipts\/\S+ --trust (\S+)/.exec(line);
    const [, folder, trust] = place ?? [];
    if (url === undefined || folder === undefined || trust === undefined) continue;
    stdout.resume();
    return { url, folder: join(root, folder), trust: join(root, trust) };
  }
  throw new Error('the demonstration ended before it served');
}

/** Submits records until the log has more than one tile, and keeps complete receipts of some, and proof-only ones of others. */
async function submitMany(url: string, folder: string): Promise<readonly string[]> {
  const client = new LedgerClient(url);
  const { origin } = await client.about();
  const place = join(folder, 'accept');
  await mkdir(place);
  const files = (await readdir(join(folder, 'receipts'))).map(name => join(folder, 'receipts', name));
  for (let n = 0; n * 5 < records; n++) {
    const samples = sampleEvents(new Date().toISOString(), `accept-${n}`);
    const submitted = await Promise.all(
      samples.map(async ({ by, event }) => {
        const signer = await readSigner(join(folder, 'keys', by), undefined);
        const statement = await signStatement(utf8(JSON.stringify(event)), origin, signer);
        return client.submit(statement, signer.key, { waitS: n % 20 === 0 ? 30 : 0 });
      }),
    );
    if (n % 20 !== 0) continue;
    for (const [i, { receipt, leafHash }] of submitted.entries()) {
      const file = join(place, `${formatHex(leafHash)}.json`);
      await writeFile(
        file,
        receiptFile(i % 2 === 0 ? await client.complete(receipt) : await client.receipt(leafHash)),
      );
      files.push(file);
    }
  }
  return files;
}

async function checkLog(url: string): Promise<void> {
  const { verifierKey } = await new LedgerClient(url).about();
  const { code, output } = await go('./cmd/log', '--url', url, '--vkey', verifierKey, '--json');
  check('the log has no fault', code === 0, output.trim().split('\n').at(-1));
}

async function checkReceipts(files: readonly string[], trust: string): Promise<void> {
  const { output } = await go('./cmd/verify', '--trust', trust, '--json', ...files);
  const lines = output.split('\n').filter(line => line.startsWith('{'));
  for (const [i, file] of files.entries()) {
    const result = JSON.parse(lines[i] ?? '{}');
    check(`receipt ${i} is accepted`, result.verdict === 'matches', result.detail);
    const changed = `${file}.changed`;
    await writeFile(
      changed,
      (await readFile(file, 'utf8')).replace(/"entry":"AQ([EI])AAAG/, '"entry":"AQ$1AAAH'),
    );
    const { code } = await go('./cmd/verify', '--trust', trust, changed);
    check(`receipt ${i} with a changed time is refused`, code === 1);
  }
}

async function go(command: string, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const env = { ...process.env, GOFLAGS: '-mod=readonly' };
  const child = spawn('go', ['run', command, ...args], {
    cwd: accept,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, output };
}
