/** What this machine can do at best: the limits that the service is held against, measured beside it. */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto';
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

/** The same with OpenSSL asked as its documentation shows: the key parsed once, ECDSA's signature as the JWS has it. */
export async function plainSignatureRate(compact: readonly string[], key: Jwk): Promise<number> {
  const parsed = compact.map(text => parseStatement(text));
  const keyObject = createPublicKey({ key, format: 'jwk' });
  let next = 0;
  const check = async () => {
    for (let one: Statement | undefined = parsed[next++]; one !== undefined; one = parsed[next++])
      if (!(await isVerified(one, keyObject))) throw new Error('a signature of ours does not verify');
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: underWay }, check));
  return (parsed.length / (performance.now() - start)) * 1000;
}

const isVerified = ({ alg, signingInput, signature }: Statement, key: KeyObject) =>
  new Promise<boolean>((resolve, reject) => {
    const options = alg.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' as const } : key;
    verify(alg === 'Ed25519' ? null : 'sha256', signingInput, options, signature, (error, verified) =>
      error === null ? resolve(verified) : reject(error),
    );
  });

/**
 * How many entries a second a plain program commits: leaf hash, natural key, tile, root and head made as they come, 256 entries in each
 * synced batch of operations over sublevels. The same values as the service writes, which are made beforehand where they are encrypted.
 */
export async function plainCommitRate(
  folder: string,
  count: number,
  { recordBytes }: { readonly recordBytes: number },
): Promise<number> {
  const width = 256;
  const records = Array.from({ length: count }, () => ({
    entry: randomBytes(74),
    sealed: randomBytes(recordBytes),
    salt: randomBytes(32),
  }));
  const secret = createSecretKey(randomBytes(32));
  const database = await openDatabase(folder, { create: true });
  const view = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  const sublevel = (name: string) => database.sublevel<Uint8Array, Uint8Array>(name, view);
  const [entries, leaves, names, sealed, salts, tiles, heads] = [
    sublevel('entry'),
    sublevel('leaf'),
    sublevel('name'),
    sublevel('record'),
    sublevel('salt'),
    sublevel('tile'),
    sublevel('head'),
  ];
  const sha256 = (...parts: readonly Uint8Array[]) =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  const start = performance.now();
  for (let from = 0; from < count; from += width) {
    const operations = [];
    const hashes: Uint8Array[] = [];
    for (const [i, record] of records.slice(from, from + width).entries()) {
      const index = formatUint64(from + i);
      const hash = sha256(Uint8Array.of(0), record.entry);
      const name = createHmac('sha256', secret)
        .update(`urn:agency:${from + i}`)
        .digest();
      hashes.push(hash);
      operations.push(
        { type: 'put', sublevel: entries, key: index, value: record.entry } as const,
        { type: 'put', sublevel: leaves, key: hash, value: index } as const,
        { type: 'put', sublevel: names, key: name, value: index } as const,
        { type: 'put', sublevel: sealed, key: index, value: record.sealed } as const,
        { type: 'put', sublevel: salts, key: index, value: record.salt } as const,
      );
    }
    let row = hashes;
    while (row.length > 1)
      row = Array.from({ length: Math.ceil(row.length / 2) }, (_, i) =>
        sha256(Uint8Array.of(1), ...row.slice(2 * i, 2 * i + 2)),
      );
    const [root = new Uint8Array(32)] = row;
    operations.push(
      { type: 'put', sublevel: tiles, key: formatUint64(from), value: Buffer.concat(hashes) } as const,
      { type: 'put', sublevel: heads, key: utf8('head'), value: root } as const,
    );
    // `sync` belongs to LevelDB, which the general type does not know.
    const durable = { ...view, sync: true };
    await database.batch(operations, durable);
  }
  const perSecond = (count / (performance.now() - start)) * 1000;
  await database.close();
  await rm(folder, { recursive: true });
  return perSecond;
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
