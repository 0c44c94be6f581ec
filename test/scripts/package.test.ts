/** What is installed as a package works: packed as it would be published, installed by npm in a folder of its own, and run from there. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatTrust } from '../../merkle/trust.ts';
import { fundedKeys, startHardhat } from '../helpers/chain.ts';
import { cleanEnvironment } from '../helpers/cli.ts';
import { forge } from '../helpers/forge.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let folder: string;
let packed: readonly string[];

/** `npm` and the installed commands run under the Node that runs this. */
const env = cleanEnvironment({ PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-package-'));
  const pack = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: root, env, maxBuffer: 2 ** 24 });
  // prepack's own lines may stand before the JSON.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  packed = files.map(({ path }: { path: string }) => path);
  await install(filename);
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Installs the tarball with the packages that it asks for, at the versions of our lock file, so that npm's cache has them. */
async function install(tarball: string): Promise<void> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const manifest = { name: 'somewhere', version: '1.0.0', dependencies: { zegel: `file:${tarball}` } };
  const { dependencies, bin, engines } = packages[''];
  const installed = Object.entries<{ dev?: boolean }>(packages).filter(
    ([path, entry]) => path !== '' && entry.dev !== true,
  );
  const lock = {
    ...manifest,
    lockfileVersion: 3,
    packages: {
      '': manifest,
      'node_modules/zegel': { version: '0.1.0', resolved: `file:${tarball}`, dependencies, bin, engines },
      ...Object.fromEntries(installed),
    },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['ci', ...flags], { cwd: folder, env });
}

async function zegel(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const command = join(folder, 'node_modules', '.bin', 'zegel');
  try {
    const { stdout, stderr } = await run(command, args, { cwd: folder, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

describe('the package', () => {
  it('holds the built sources, the contracts and their artifacts, and neither tests nor TypeScript', () => {
    for (const path of [
      'LICENSE',
      'contracts/AnchorRegistry.sol',
      'dist/artifacts/contracts/AnchorRegistry.sol/AnchorRegistry.json',
      'dist/merkle/verification.js',
      'dist/scripts/zegel.js',
      'scripts/zegel.mjs',
    ])
      expect(packed).toContain(path);
    expect(packed.filter(path => /\.ts$|(^|\/)test\//.test(path))).toEqual([]);
  });

  it('says its version and what a command does', async () => {
    expect(await zegel('--version')).toEqual({ code: 0, out: '0.1.0\n', err: '' });
    const { code, out } = await zegel('verify', '--help');
    expect({ code, usage: out.split('\n')[0] }).toEqual({
      code: 0,
      usage: expect.stringMatching(/^Usage: zegel verify/),
    });
  });

  it('verifies a receipt, and refuses a changed one', async () => {
    const { bytes, trust } = await forge();
    const text = new TextDecoder().decode(bytes);
    await writeFile(join(folder, 'trust.json'), formatTrust(trust));
    await writeFile(join(folder, 'good.json'), bytes);
    await writeFile(join(folder, 'changed.json'), text.replace('"index":', '"index":1'));
    expect(await zegel('verify', 'good.json', '--trust', 'trust.json')).toMatchObject({ code: 0 });
    expect(await zegel('verify', 'changed.json', '--trust', 'trust.json')).toMatchObject({ code: 1 });
  });

  it('deploys the contracts that it carries', async () => {
    const chain = await startHardhat();
    try {
      const key = join(folder, 'admin');
      await writeFile(key, `${fundedKeys[0]}\n`, { mode: 0o600 });
      const where = ['--rpc', chain.url, '--network', join(folder, 'network'), '--admin-key-file', key];
      const { code, out, err } = await zegel('deploy', ...where, '--json');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      const { contracts } = JSON.parse(out);
      for (const { name, address } of contracts)
        expect({ name, code: await chain.ask('eth_getCode', address, 'latest') }).not.toEqual({
          name,
          code: '0x',
        });
      expect(contracts).toHaveLength(3);
    } finally {
      await chain.stop();
    }
  });
});
