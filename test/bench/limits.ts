/** What this machine can do at best: the limits that the service is held against, measured beside it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { formatUint64, utf8 } from '../../merkle/bytes.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import { parseStatement, type Statement } from '../../merkle/statement.ts';
import { verifyWithOpenSsl } from '../../service/openssl.ts';
import { openDatabase } from '../../service/store.ts';

/** How many checks are under way at once: enough for every core, however many there are. */
const underWay = 64;

/** How many signatures a second are checked on all of libuv's threads. */
export async function signatureRate(compact: readonly string[], key: Jwk): Promise<number> {
  const parsed = compact.map(text => parseStatement(text));
  let next = 0;
  const check = async () => {
    for (let one: Statement | undefined = parsed[next++]; one !== undefined; one = parsed[next++])
      await verifyWithOpenSsl(one.alg, key, one.signingInput, one.signature);
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: underWay }, check));
  return (parsed.length / (performance.now() - start)) * 1000;
}

/**
 * How many entries a second go into a bare database, so many in each synced atomic commit: the same keys and as many bytes as the
 * service writes for them (74 bytes, the place by leaf hash and by name, the record, its salt; a tile for each 256; the head), made
 * beforehand.
 */
export async function commitRate(
  folder: string,
  count: number,
  { entries, recordBytes }: { readonly entries: number; readonly recordBytes: number },
): Promise<number> {
  const check = 16;
  const bytes = (length: number) => randomBytes(check + length);
  const put = (table: string, key: Uint8Array, value: Uint8Array) =>
    ({ type: 'put', key: Buffer.concat([utf8(`!${table}!`), key]), value }) as const;
  const commits = Array.from({ length: Math.ceil(count / entries) }, (_, i) => [
    ...Array.from({ length: entries }, (_, j) => formatUint64(i * entries + j)).flatMap(index => [
      put('entry', index, bytes(74)),
      put('leaf', randomBytes(32), bytes(8)),
      put('name', randomBytes(32), bytes(8)),
      put('record', index, bytes(recordBytes)),
      put('salt', index, bytes(32)),
    ]),
    ...Array.from({ length: Math.ceil(entries / 256) }, (_, j) =>
      put('tile', formatUint64(i * 256 + j), bytes(8_192)),
    ),
    put('head', utf8('head'), bytes(170)),
  ]);

  const database = await openDatabase(folder, { create: true });
  const durable = { keyEncoding: 'view', valueEncoding: 'view', sync: true } as const;
  const start = performance.now();
  for (const commit of commits) await database.batch(commit, durable);
  const perSecond = ((commits.length * entries) / (performance.now() - start)) * 1000;
  await database.close();
  await rm(folder, { recursive: true });
  return perSecond;
}

/** A bare Koa that answers so many bytes, as a process of its own. */
export async function startKoa(
  answerBytes: number,
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const file = fileURLToPath(new URL('koa.ts', import.meta.url));
  const child = spawn(process.execPath, [file, String(answerBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface(child.stdout), 'line');
  return { url, child };
}
