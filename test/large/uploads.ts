/**
 * Sends 2 GB of lines to the service, a process of its own, and shows that its memory stays flat: `npm run test:large`.
 *
 * Two uploads at the same time, each as long as the whole: singles and batch statements, new ones and retries, and lines that are
 * refused. Every answer is counted against what was sent. The peak is taken for each quarter; the last one must not be more than a
 * little above the first, and none above what the service may have under full load.
 *
 *     node test/large/uploads.ts [megabytes]
 */

import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { keySigner, type StatementSigner } from '../../service/client/signer.ts';
import { aSite } from '../helpers/site.ts';
import { rounds } from './material.ts';
import { type Peak, watchMemory } from './memory.ts';

const megabyte = 1 << 20;
const uploads = 2;
/** The bar for the service's memory under full load, and how much the last quarter may be above the first. */
const peakMaxBytes = 500 * megabyte;
const growthMaxBytes = 64 * megabyte;

type Counts = Record<number, number>;

const total = Number(process.argv[2] ?? 2_048) * megabyte;
if (!(total > 0)) throw new Error(`${process.argv[2]} is not a number of megabytes`);
if (process.platform !== 'linux')
  throw new Error('the peak of memory is read from /proc, which only Linux has');

const site = await aSite();
let failed = true;
try {
  const { url, child } = await site.serve();
  if (child.pid === undefined) throw new Error('the service has no process');
  failed = await measure(url, child.pid, keySigner(createPrivateKey(await readFile(site.keyFile)), 'ES256'));
} finally {
  await site.remove();
}
process.exitCode = failed ? 1 : 0;

async function measure(url: string, pid: number, signer: StatementSigner): Promise<boolean> {
  const [wanted, got]: [Counts, Counts] = [{}, {}];
  const peaks: Peak[] = [];
  const memory = await watchMemory(pid);
  const start = performance.now();
  let sent = 0;
  let rest = Promise.resolve();

  /** Takes note of what was sent, and of the peak at the end of each quarter. */
  function count(bytes: number): Promise<void> {
    sent += bytes;
    rest = rest.then(async () => {
      if (sent < (total * (peaks.length + 1)) / 4 || peaks.length === 3) return;
      await endQuarter();
    });
    return rest;
  }

  async function endQuarter(): Promise<void> {
    const peak = await memory.take();
    peaks.push(peak);
    const seconds = (performance.now() - start) / 1_000;
    print(
      `quarter ${peaks.length}: ${mega(sent)} MB sent after ${seconds.toFixed(0)} s, peak ${mega(peak.own)} MB, with mapped files ${mega(peak.all)} MB`,
    );
  }

  await Promise.all(
    Array.from({ length: uploads }, async (_, i) => {
      const upload = beginUpload(url, got);
      for await (const { bytes, answers } of rounds(`large-${i}`, site.origin, signer)) {
        if (sent >= total) break;
        for (const [status, times] of Object.entries(answers)) add(wanted, Number(status), times);
        await upload.send(bytes);
        await count(bytes.length);
      }
      await upload.end();
    }),
  );
  await endQuarter();
  await memory.stop();

  const seconds = (performance.now() - start) / 1_000;
  const answers = Object.values(got).reduce((sum, times) => sum + times, 0);
  print(`answers by status: ${JSON.stringify(got)}`);
  print(
    `${mega(sent)} MB and ${answers} lines answered in ${seconds.toFixed(0)} s: ${(sent / megabyte / seconds).toFixed(1)} MB/s`,
  );
  const own = peaks.map(peak => peak.own);
  const [first = 0] = own;
  const last = own.at(-1) ?? 0;
  const highest = Math.max(...own);
  const faults = [
    ...(JSON.stringify(got) === JSON.stringify(wanted) ? [] : [`answers are not ${JSON.stringify(wanted)}`]),
    ...(highest <= peakMaxBytes ? [] : [`peak of ${mega(highest)} MB, want at most ${mega(peakMaxBytes)}`]),
    ...(last <= first + growthMaxBytes ? [] : [`memory grew by ${mega(last - first)} MB`]),
  ];
  print(
    faults.length === 0
      ? `memory is flat: ${mega(first)} MB at most in the first quarter, ${mega(last)} in the last`
      : faults.join('\n'),
  );
  return faults.length > 0;
}

/** An upload whose answers are counted as they come, by their status. */
function beginUpload(url: string, got: Counts) {
  const sending: ClientRequest = request(`${url}/v1/records/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    agent: false,
  });
  const answered = (async () => {
    const [response] = await once(sending, 'response');
    if (response.statusCode !== 200) throw new Error(`the upload is answered ${response.statusCode}`);
    let head = '';
    let last = '';
    for await (const chunk of response) {
      // Of each line its beginning says it all, and a retry's is long.
      const lines: string[] = chunk.toString('latin1').split('\n');
      for (const [i, part] of lines.entries()) {
        if (i > 0) {
          take(head);
          last = head;
          head = '';
        }
        head += part.slice(0, Math.max(0, 20 - head.length));
      }
    }
    if (!last.startsWith('{"checkpoint"')) throw new Error(`the last line is ${last}`);
  })();
  // Met when the upload ends.
  answered.catch(() => sending.destroy());

  function take(line: string): void {
    const status = /^\{"status":(\d{3}),/.exec(line)?.[1];
    if (status !== undefined) add(got, Number(status), 1);
  }

  return {
    async send(bytes: Uint8Array): Promise<void> {
      if (!sending.write(bytes)) await Promise.race([once(sending, 'drain'), answered]);
    },
    async end(): Promise<void> {
      sending.end();
      await answered;
    },
  };
}

function add(counts: Counts, status: number, times: number): void {
  counts[status] = (counts[status] ?? 0) + times;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function mega(bytes: number): string {
  return (bytes / megabyte).toFixed(0);
}
