/** Runs of `zegel submit` as processes of their own, so that they can be killed, and looked at while they run. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { formatHex } from '../../merkle/bytes.ts';
import { parseReceipt, type Receipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { anEvent } from './builders.ts';
import { cleanEnvironment, zegel } from './cli.ts';

/** Writes a file with an event on each line. */
export async function writeEvents(
  path: string,
  count: number,
  prefix: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const file = createWriteStream(path);
  for (let i = 0; i < count; i++) {
    const line = `${Buffer.from(anEvent({ id: `${prefix}-${i}`, ...more })).toString()}\n`;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

export type Submitting = {
  readonly child: ChildProcess;
  /** What it has printed, once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
};

/** Starts `zegel submit` and does not wait for it. */
export function startSubmit(args: readonly string[]): Submitting {
  const child = spawn(process.execPath, [zegel, 'submit', ...args], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', text => {
    output.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    output.err += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, ended };
}

/**
 * Kills runs of `zegel submit` (SIGKILL) at chosen moments, and lets a last one end.
 *
 * @param moments milliseconds from when each run has looked at its file; a run that has ended by then was not killed
 * @returns how many were killed, and what the last one printed
 */
export async function killedSubmits(args: readonly string[], moments: readonly number[]) {
  let kills = 0;
  for (const ms of moments) {
    const { child, ended } = startSubmit(args);
    // Starting takes longer on a busy machine, and a moment before the first line is read would show nothing.
    await Promise.race([ended, child.stderr && once(child.stderr, 'data')]);
    await Promise.race([ended, setTimeout(ms)]);
    if (child.kill('SIGKILL')) kills++;
    await ended;
  }
  return { kills, last: await startSubmit(args).ended };
}

/** The largest resident set that a process has had so far, in MiB; 0 for one that has ended. Linux only. */
export async function peakMemoryMiB({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes = 0] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

/** The receipts of a file that has one on each line, or of a folder. */
export async function keptReceipts(place: string): Promise<Receipt[]> {
  if (place.endsWith('.ndjson')) {
    const lines = (await readFile(place, 'utf8')).split('\n');
    if (lines.pop() !== '') throw new Error('the last line is torn');
    return lines.map(line => parseReceipt(Buffer.from(line)));
  }
  const files = (await readdir(place, { recursive: true }))
    .filter(name => name.endsWith('.receipt.json'))
    .sort();
  return Promise.all(files.map(async name => parseReceipt(await readFile(join(place, name)))));
}

/** How many different entries receipts are for. */
export function entriesOf(receipts: readonly Receipt[]): number {
  return new Set(receipts.map(({ entry }) => formatHex(leafHash(entry)))).size;
}

/** The event behind a receipt. */
export function eventOf({ record }: Receipt): string {
  const payload = record?.statement.split('.')[1] ?? '';
  return Buffer.from(record?.batch?.event ?? Buffer.from(payload, 'base64url')).toString();
}

/** How many records the log has: entries that are neither the genesis nor a block's. */
export async function recordsIn(url: string): Promise<number> {
  const { sizes } = await (await fetch(`${url}/v1/log`)).json();
  let records = 0;
  for (let from = 0; from < sizes.signed; from += 256) {
    const width = Math.min(256, sizes.signed - from);
    const bytes = Buffer.from(
      await (await fetch(`${url}/log/${bundleName(from / 256, width)}`)).arrayBuffer(),
    );
    // Each entry stands after its length in two bytes; its second byte is its kind.
    for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) {
      const kind = bytes[at + 3];
      if (kind === 1 || kind === 2) records++;
    }
  }
  return records;
}

function bundleName(index: number, width: number): string {
  const groups =
    String(index)
      .padStart(3 * Math.ceil(String(index).length / 3), '0')
      .match(/.../g) ?? [];
  const place = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `tile/entries/${place}${width === 256 ? '' : `.p/${width}`}`;
}
