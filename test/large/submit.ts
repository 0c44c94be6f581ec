/**
 * The long forms of `zegel submit`, on a real site: 10,000 events killed at ten random moments, and 100,000 in batch statements in one
 * go. Prints the figures, and exits with 1 if anything is lost, doubled or larger than it may be. `npm run test:submit`.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatHex } from '../../merkle/bytes.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { receiptsIn } from '../../scripts/receipt-lines.ts';
import { runZegel } from '../helpers/cli.ts';
import { aSite, type ServiceProcess, type Site } from '../helpers/site.ts';
import {
  entriesOf,
  eventOf,
  keptReceipts,
  peakMemoryMiB,
  recordsIn,
  startSubmit,
  writeEvents,
} from '../helpers/submitting.ts';

const accept = fileURLToPath(new URL('../../../shared/accept', import.meta.url));

/** What both processes may take at most, in MiB. */
const memoryMaxMiB = 600;

/** Files to verify in one process. */
const chunk = 500;

let failed = 0;
function check(name: string, ok: boolean, detail: string): void {
  if (!ok) failed++;
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${name}: ${detail}\n`);
}

const site = await aSite();
try {
  const service = await site.serve();
  await killed(site, service);
  await batched(site, service);
} finally {
  await site.remove();
}
process.exit(failed === 0 ? 0 : 1);

async function killed({ folder, keyFile, trustFile }: Site, { url }: ServiceProcess): Promise<void> {
  const count = 10_000;
  const file = join(folder, 'killed.ndjson');
  const out = join(folder, 'killed-receipts');
  await writeEvents(file, count, 'killed', { data: 'x'.repeat(300) });
  const args = [file, '--url', url, '--key', keyFile, '--out', out];
  const before = await recordsIn(url);
  // Ten moments, each somewhere after a random number of receipts, so that runs die early and late, and in between uploads.
  const targets = Array.from({ length: 10 }, () => Math.floor(Math.random() * 0.9 * count)).sort(
    (x, y) => x - y,
  );
  const moments: string[] = [];
  for (const target of targets) {
    const { child, ended } = startSubmit(args);
    await Promise.race([ended, child.stderr && once(child.stderr, 'data')]);
    while (child.exitCode === null && (await receiptsThere(out)) < target) await sleep(20);
    await Promise.race([ended, sleep(Math.random() * 800)]);
    if (!child.kill('SIGKILL')) break;
    await ended;
    moments.push(String(await receiptsThere(out)));
  }
  const last = await startSubmit([...args, '--wait', '120', '--json']).ended;
  check('the killed runs', moments.length === 10, `killed with ${moments.join(', ')} receipts there`);
  check('the last run', last.code === 0, `${last.out.trim()}${last.code === 0 ? '' : last.err}`);
  const records = (await recordsIn(url)) - before;
  check('records', records === count, `${records} of ${count}`);
  const receipts = await keptReceipts(out);
  const entries = entriesOf(receipts);
  const events = new Set(receipts.map(eventOf)).size;
  check('receipts', receipts.length === count && entries === count && events === count, `${receipts.length}`);
  const files = (await readdir(out)).sort().map(name => join(out, name));
  await verifyAll('zegel verify', files, some =>
    runZegel(['verify', ...some, '--trust', trustFile, '--json']),
  );
  await verifyOutside(files, trustFile);
}

async function receiptsThere(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(name => name.endsWith('.receipt.json')).length;
}

async function batched({ folder, keyFile, trustFile }: Site, service: ServiceProcess): Promise<void> {
  const count = 100_000;
  const { url } = service;
  const file = join(folder, 'batched.ndjson');
  const out = join(folder, 'batched.receipts.ndjson');
  await writeEvents(file, count, 'batched', { data: 'x'.repeat(400) });
  const before = await recordsIn(url);
  const start = performance.now();
  const { child, ended } = startSubmit([
    file,
    '--url',
    url,
    '--key',
    keyFile,
    '--out',
    out,
    '--batch',
    '1000',
    '--json',
  ]);
  let clientMiB = 0;
  while (child.exitCode === null) {
    clientMiB = Math.max(clientMiB, await peakMemoryMiB(child).catch(() => 0));
    await sleep(200);
  }
  const { code, out: printed, err } = await ended;
  const seconds = (performance.now() - start) / 1000;
  check('100,000 events in batch statements', code === 0, `${printed.trim()}${code === 0 ? '' : err}`);
  check('rate', true, `${Math.round(count / seconds)}/s, ${seconds.toFixed(1)} s`);
  const serviceMiB = await peakMemoryMiB(service.child);
  check('memory of the client', clientMiB < memoryMaxMiB, `${clientMiB} MiB at most`);
  check('memory of the service', serviceMiB < memoryMaxMiB, `${serviceMiB} MiB at most`);
  const records = (await recordsIn(url)) - before;
  check('records', records === count, `${records} of ${count}`);

  const completing = performance.now();
  const completed = await runZegel(['receipt', out, '--url', url, '--wait', '120', '--json']);
  const took = (performance.now() - completing) / 1000;
  check('completing all receipts', completed.code === 0, `${completed.out.trim()}, ${took.toFixed(1)} s`);
  // One after another: together they are more than a string can hold.
  const statements = new Set<string | undefined>();
  const leaves = new Set<string>();
  const sample = join(folder, 'sample');
  await mkdir(sample);
  const files: string[] = [];
  let i = 0;
  for await (const receipt of receiptsIn(out)) {
    statements.add(receipt.record?.statement);
    leaves.add(formatHex(leafHash(receipt.entry)));
    if (i++ % 100 !== 37) continue;
    const path = join(sample, `${i}.receipt.json`);
    files.push(path);
    await writeFile(path, formatReceipt(receipt));
  }
  check('receipts', i === count && leaves.size === count, `${i}, under ${statements.size} statements`);
  await verifyAll('zegel verify, one of a hundred', files, some =>
    runZegel(['verify', ...some, '--trust', trustFile, '--json']),
  );
  await verifyOutside(files, trustFile);
}

/** Counts the receipts that a verifier says match. */
async function verifyAll(
  name: string,
  files: readonly string[],
  verify: (files: readonly string[]) => Promise<{ readonly out: string }>,
): Promise<void> {
  let matching = 0;
  for (let from = 0; from < files.length; from += chunk) {
    const { out } = await verify(files.slice(from, from + chunk));
    matching += out.match(/"verdict":"matches"/g)?.length ?? 0;
  }
  check(name, matching === files.length, `${matching} of ${files.length} match`);
}

/** The same with the independent implementation, where it is at hand. */
async function verifyOutside(files: readonly string[], trustFile: string): Promise<void> {
  try {
    await access(accept);
  } catch {
    process.stdout.write('left out: the independent implementation is not at hand\n');
    return;
  }
  await verifyAll('the independent implementation', files, async some => {
    const child = spawn('go', ['run', './cmd/verify', '--trust', trustFile, '--json', ...some], {
      cwd: accept,
      env: { ...process.env, GOFLAGS: '-mod=readonly' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      out += text;
    });
    await once(child, 'close');
    return { out };
  });
}
