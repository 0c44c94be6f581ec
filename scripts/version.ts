/** Which versions this is: of zegel, and of what an audit is made with. */

import { readFile } from 'node:fs/promises';

/** The version in package.json. */
export async function version(): Promise<string> {
  // One folder up in a checkout, two in the built package.
  for (const path of ['../package.json', '../../package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => undefined);
    if (text !== undefined) return JSON.parse(text).version;
  }
  throw new Error('package.json is missing');
}

/** What decides what an audit comes to, beside the sources themselves. */
export async function auditVersions(): Promise<Readonly<Record<string, string>>> {
  const hardhat = JSON.parse(await readFile(new URL(import.meta.resolve('hardhat/package.json')), 'utf8'));
  return {
    zegel: await version(),
    Node: process.version,
    OpenSSL: process.versions.openssl,
    Hardhat: hardhat.version,
  };
}
