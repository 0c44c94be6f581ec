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
import { startLyingService } from '../helpers/lying-service.ts';
import { aSite, siteAgency } from '../helpers/site.ts';

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

/** An agency's program, as the README would have it. */
const program = `
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { algorithmOf, formatReceipt, keySigner, LedgerClient, parseTrust, signStatement, verifyReceipt } from 'zegel/client';

const [url, keyFile, trustFile] = process.argv.slice(2);
const key = createPrivateKey(readFileSync(keyFile));
const signer = keySigner(key, algorithmOf(key));
const client = new LedgerClient(url);
const { origin } = await client.about();
const event = text => new TextEncoder().encode(JSON.stringify({
  specversion: '1.0', id: 'library-1', source: 'https://library.example', type: 'example.used',
  time: '2026-11-24T08:00:00Z', data: text,
}));
const sign = text => signStatement(event(text), origin, signer);
const { receipt, isNew } = await client.submit(await sign('one'), signer.key);
const complete = await client.wait(receipt, { waitS: 30 });
const trust = parseTrust(readFileSync(trustFile));
const { verdict, facts } = await verifyReceipt(new TextEncoder().encode(formatReceipt(complete)), trust);
const again = await client.submit(await sign('one'), signer.key);
const refused = await client.submit(await sign('two'), signer.key).catch(error => error.problem);
process.stdout.write(JSON.stringify({ isNew, verdict, agency: facts.agency, again: again.isNew, refused }));
`;

const typed = `
import { readFileSync } from 'node:fs';
import {
  generateKey, keySigner, LedgerClient, parseTrust, type Receipt, RefusedError, signStatement, type Submitted, verifyReceipt,
} from 'zegel/client';

const signer = keySigner(generateKey('ES256'), 'ES256');
const client = new LedgerClient('http://127.0.0.1:1', { timeoutMs: 1_000 });
const statement: string = await signStatement(new Uint8Array(), 'ledger.example/1', signer);
const submitted: Submitted = await client.submit(statement, signer.key);
const receipt: Receipt = await client.wait(submitted.receipt, { waitS: 1 });
const kept: Uint8Array | undefined = receipt.record?.salt;
const verification = await verifyReceipt(kept ?? new Uint8Array(), parseTrust(readFileSync('trust.json')));
const verdict: 'matches' | 'does-not-match' | 'not-yet-anchored' = verification.verdict;
if (new Error(verdict) instanceof RefusedError) throw new Error();
`;

describe('the package', () => {
  it('holds the built sources, the contracts and their artifacts, and neither tests nor TypeScript', () => {
    for (const path of [
      'LICENSE',
      'contracts/AnchorRegistry.sol',
      'dist/artifacts/contracts/AnchorRegistry.sol/AnchorRegistry.json',
      'dist/merkle/verification.js',
      'dist/page.json',
      'dist/service/client/index.d.ts',
      'dist/scripts/zegel.js',
      'scripts/zegel.mjs',
    ])
      expect(packed).toContain(path);
    expect(packed.filter(path => /(?<!\.d)\.ts$|(^|\/)test\//.test(path))).toEqual([]);
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

  it("writes the citizen's page", async () => {
    const { code, err } = await zegel('page', '--trust', 'trust.json', '--out', 'page.html');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(await readFile(join(folder, 'page.html'), 'utf8')).toMatch(
      /^<!doctype html>.*Klopt dit bewijs\?/s,
    );
  });

  it('is a library, which signs, submits, waits and verifies', async () => {
    const site = await aSite();
    try {
      const { url } = await site.serve();
      await writeFile(join(folder, 'program.mjs'), program);
      const { stdout } = await run(process.execPath, ['program.mjs', url, site.keyFile, site.trustFile], {
        cwd: folder,
        env,
      });
      expect(JSON.parse(stdout)).toEqual({
        isNew: true,
        verdict: 'matches',
        agency: siteAgency,
        again: false,
        refused: 'event-conflict',
      });

      const [, listing = ''] =
        /```js\n([\s\S]*?)```/.exec(await readFile(join(root, 'README.md'), 'utf8')) ?? [];
      const readme = listing
        .replace('http://127.0.0.1:8080', url)
        .replace("'desk'", JSON.stringify(site.keyFile))
        .replace("'trust.json'", JSON.stringify(site.trustFile));
      await writeFile(join(folder, 'readme.mjs'), readme);
      const printed = await run(process.execPath, ['readme.mjs'], { cwd: folder, env });
      expect(printed.stderr).toBe('');
      expect(printed.stdout.match(/^\d+ matches$/gm)).toHaveLength(1_000);
    } finally {
      await site.remove();
    }
  });

  it('audits a log, on a chain that is another process, and says no where the service lies', async () => {
    const site = await aSite('apart');
    try {
      const { url } = await site.serve();
      const audit = (where: string) =>
        zegel('audit', '--url', where, '--rpc', site.chain.url, '--trust', site.trustFile, '--json');
      const honest = await audit(url);
      expect({ code: honest.code, err: honest.err }).toMatchObject({ code: 0 });
      expect(JSON.parse(honest.out)).toMatchObject({ verdict: 'yes', figures: { kinds: { genesis: 1 } } });

      const liar = await startLyingService(url);
      liar.lie = async (path, ask) => {
        const answer = await ask();
        return path.startsWith('/log/tile/0/') ? { ...answer, body: new Uint8Array(32) } : answer;
      };
      const { code, out } = await audit(liar.url);
      await liar.stop();
      expect(code).toBe(1);
      expect(JSON.parse(out).counts.byCode).toEqual({ TILE_DIFFERS: 1 });
      expect((await audit('http://127.0.0.1:1')).code).toBe(3);
    } finally {
      await site.remove();
    }
  });

  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'says the types of all that it gives, in modules of %s found as %s',
    async (module, moduleResolution) => {
      // As a program does that is checked strictly, its libraries included.
      await writeFile(join(folder, 'program.mts'), typed);
      const options = {
        target: 'es2024',
        lib: ['es2024', 'dom', 'dom.iterable', 'esnext.typedarrays'],
        module,
        moduleResolution,
        strict: true,
        noEmit: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules', '@types')],
      };
      const config = { compilerOptions: options, files: ['program.mts'] };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const tsc = join(root, 'node_modules', '.bin', 'tsc');
      const check = () =>
        run(tsc, ['-p', '.'], { cwd: folder, env }).then(
          ({ stdout }) => stdout,
          error => error.stdout,
        );
      expect(await check()).toBe('');
      // And a mistake is seen: the types are not all `any`.
      await writeFile(
        join(folder, 'program.mts'),
        typed.replace('submit(statement, signer.key)', 'submit(statement, 7)'),
      );
      expect(await check()).toContain(
        "Argument of type 'number' is not assignable to parameter of type 'Jwk'",
      );
    },
  );

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
