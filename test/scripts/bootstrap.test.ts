import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingPackages } from '../../scripts/bootstrap/packages.mjs';
import { cleanEnvironment } from '../helpers/cli.ts';

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url));
const machine = { os: 'linux', cpu: 'x64', libc: 'glibc' };

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'zegel-bootstrap-')));
});
afterEach(() => rm(root, { recursive: true, force: true }));

type Packages = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const gnu = { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['glibc'] };
const locked: Packages = {
  '': { name: 'house' },
  'node_modules/plain': { version: '1.0.0' },
  'node_modules/tool': { version: '1.0.0', dev: true },
  'node_modules/native-linux-x64-gnu': gnu,
  'node_modules/native-linux-x64-musl': { ...gnu, libc: ['musl'] },
  'node_modules/native-linux-arm64-gnu': { ...gnu, cpu: ['arm64'] },
  'node_modules/native-darwin-arm64': { version: '1.0.0', optional: true, os: ['darwin'], cpu: ['arm64'] },
  'node_modules/native-not-darwin': { version: '1.0.0', optional: true, os: ['!darwin'] },
  // A package of one that belongs on another machine: npm leaves it out together with that one.
  'node_modules/of-another': { version: '1.0.0', optional: true },
};
const complete = ['plain', 'tool', 'native-linux-x64-gnu', 'native-not-darwin'];

/** Lays out package-lock.json and what an npm has installed of it. */
async function layOut(installed: readonly string[], packages: Packages = locked): Promise<void> {
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  const names = installed.map(name => `node_modules/${name}`);
  for (const name of names) {
    await mkdir(join(root, name), { recursive: true });
    await writeFile(join(root, name, 'package.json'), '{}');
  }
  const list = Object.fromEntries(names.map(name => [name, packages[name]]));
  await mkdir(join(root, 'node_modules'), { recursive: true });
  await writeFile(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: list }));
}

describe('missingPackages', () => {
  const missing = (dev = true) => missingPackages(root, machine, { dev });

  it('misses nothing where all that belongs on this machine is there', async () => {
    await layOut(complete);
    expect(missing()).toEqual([]);
  });

  it('misses what an npm under an old Node leaves out', async () => {
    await layOut(complete.filter(name => name !== 'native-linux-x64-gnu'));
    expect(missing()).toEqual(['node_modules/native-linux-x64-gnu']);
  });

  it('misses what belongs here in a folder that was filled on another machine', async () => {
    await layOut(['plain', 'tool', 'native-darwin-arm64']);
    expect(missing()).toEqual(['node_modules/native-linux-x64-gnu', 'node_modules/native-not-darwin']);
  });

  it('misses what only developers need when a developer asks', async () => {
    await layOut(complete.filter(name => name !== 'tool'));
    expect(missing(true)).toEqual(['node_modules/tool']);
    expect(missing(false)).toEqual([]);
  });

  it('misses a package of another version than package-lock.json now says', async () => {
    await layOut(complete);
    const newer = { ...locked, 'node_modules/plain': { version: '1.0.1' } };
    await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages: newer }));
    expect(missing()).toEqual(['node_modules/plain']);
  });

  it('misses a package whose folder was removed', async () => {
    await layOut(complete);
    await rm(join(root, 'node_modules', 'plain'), { recursive: true });
    expect(missing()).toEqual(['node_modules/plain']);
  });

  it('misses everything where npm has not come to its end', async () => {
    await layOut(complete);
    await writeFile(join(root, 'node_modules', '.package-lock.json'), '{"packages": {"node_mod');
    expect(missing()).toHaveLength(complete.length);
    await rm(join(root, 'node_modules'), { recursive: true });
    expect(missing()).toHaveLength(complete.length);
  });
});

/** Stands in for npm: writes down how it was called, and makes the folders that `npm ci` would make. */
const fakeNpm = `
const { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const folder = process.argv[process.argv.indexOf('--prefix') + 1];
const first = process.env.PATH.split(':')[0];
appendFileSync(process.env.FAKE_CALLS, JSON.stringify({ node: process.argv0, first, args: process.argv.slice(2) }) + '\\n');
if (process.env.FAKE_NPM === 'fails') process.exit(7);
setTimeout(() => {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  if (process.env.FAKE_NPM === 'forgets') delete packages['node_modules/plain'];
  for (const [path, { integrity }] of Object.entries(packages)) {
    mkdirSync(join(folder, path), { recursive: true });
    if (path !== '') writeFileSync(join(folder, path, 'package.json'), '{}');
    if (!/node-.*(linux|darwin)-/.test(path)) continue;
    mkdirSync(join(folder, path, 'bin'));
    symlinkSync(process.env.FAKE_NODE, join(folder, path, 'bin', 'node'));
  }
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
}, 300);
`;

/** What `npm test` runs in the made-up house. It tells how it was started, and can wait for signals. */
const target = `
const facts: object = { pid: process.pid, args: process.argv.slice(2), cwd: process.cwd() };
if (process.argv[2] === 'wait') {
  const seen: string[] = [];
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
    seen.push(signal);
    setTimeout(() => { console.log(JSON.stringify(seen)); process.exit(5); }, 300);
  });
  setInterval(() => {}, 1000);
}
console.log(JSON.stringify(facts));
if (process.argv[2] === 'exit') process.exit(Number(process.argv[3]));
`;

type Call = { readonly node: string; readonly first: string; readonly args: readonly string[] };

/** A checkout with our bootstrap, few packages and an npm that is not one. */
async function aHouse(installed: readonly string[] | undefined) {
  const packages: Packages = { '': {}, 'node_modules/plain': { version: '1.0.0' } };
  await mkdir(join(root, 'scripts'));
  for (const part of ['bootstrap', 'bootstrap.mjs'])
    await cp(join(scripts, part), join(root, 'scripts', part), { recursive: true });
  await writeFile(join(root, 'package.json'), '{"type": "module"}');
  await writeFile(join(root, 'scripts', 'test.ts'), target);
  await mkdir(join(root, 'fake'));
  const npm = join(root, 'fake', 'npm-cli.js');
  await writeFile(join(root, 'fake', 'package.json'), '{"type": "commonjs"}');
  await writeFile(npm, fakeNpm);
  await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  if (installed !== undefined) await layOut(installed, packages);

  const calls = join(root, 'fake', 'calls');
  const start = (args: readonly string[], { flags = [], env = {} }: Options = {}) => {
    const fakes = { npm_execpath: npm, FAKE_CALLS: calls, FAKE_NODE: process.execPath };
    return spawn(process.execPath, [...flags, join(root, 'scripts', 'bootstrap.mjs'), ...args], {
      env: cleanEnvironment({ ...fakes, ...env }),
      // A session of its own: no terminal of whoever runs this test sends signals along.
      detached: true,
    });
  };
  return {
    start,
    run: async (args: readonly string[], options?: Options) => ended(start(args, options)),
    npmCalls: async (): Promise<readonly Call[]> => {
      const text = await readFile(calls, 'utf8').catch(() => '');
      return text
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line));
    },
  };
}

type Options = { readonly flags?: readonly string[]; readonly env?: Readonly<Record<string, string>> };

/** Node 22.18 and later without what makes them suitable: as good as an old one. */
const old = ['--no-experimental-strip-types'];

async function ended(child: ChildProcess) {
  const output = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', text => {
    output.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', text => {
    output.err += text;
  });
  const [code, signal] = await once(child, 'close');
  return { pid: child.pid, code, signal, ...output };
}

describe('bootstrap', () => {
  it('runs the script in its own process, without npm, where all is there', async () => {
    const house = await aHouse(['plain']);
    const { code, out, err, pid } = await house.run(['test', 'exit', '41']);
    expect({ code, err }).toEqual({ code: 41, err: '' });
    expect(JSON.parse(out)).toEqual({ pid, args: ['exit', '41'], cwd: root });
    expect(await house.npmCalls()).toEqual([]);
    expect(await readdir(root)).not.toContain('.zegel');
  });

  it('installs packages that are missing, says so, and installs nothing the next time', async () => {
    const house = await aHouse(undefined);
    const { code, err } = await house.run(['test']);
    expect(code).toBe(0);
    expect(err).toBe('zegel: there are no packages yet: installing them with npm ci\n');
    const again = await house.run(['test']);
    expect(again).toMatchObject({ code: 0, err: '' });
    const [call, ...others] = await house.npmCalls();
    expect(others).toEqual([]);
    expect(call).toMatchObject({ node: process.execPath, first: dirname(process.execPath) });
    expect(call?.args.slice(0, 4)).toEqual(['ci', '--ignore-scripts', '--include=dev', '--include=optional']);
  });

  it('names the package that is missing', async () => {
    const house = await aHouse([]);
    const { err } = await house.run(['test']);
    expect(err).toBe('zegel: packages are missing (node_modules/plain): installing them with npm ci\n');
  });

  it('says what to do when npm fails, and leaves nothing behind that stops the next', async () => {
    const house = await aHouse(undefined);
    const { code, out, err } = await house.run(['test'], { env: { FAKE_NPM: 'fails' } });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('zegel: npm ci failed in this folder; what it says stands above.');
    expect(err).toContain('type the same command again');
    expect(await house.run(['test'])).toMatchObject({ code: 0 });
  });

  it('stops when npm ends well without a package that is needed', async () => {
    const house = await aHouse(undefined);
    const { code, err } = await house.run(['test'], { env: { FAKE_NPM: 'forgets' } });
    expect(code).toBe(1);
    expect(err).toContain('npm ci ended well, yet without node_modules/plain');
  });

  it('fetches a Node once where this one is too old, and installs with the fetched one', async () => {
    const house = await aHouse(undefined);
    const { code, out, err, pid } = await house.run(['test', 'exit', '3'], { flags: old });
    expect(code).toBe(3);
    expect(err).toMatch(
      /Node 22\.18 or later is needed, this is \S+: fetching Node \S+ into \.zegel\/node-\S+\n/,
    );
    expect(JSON.parse(out)).toMatchObject({ args: ['exit', '3'], cwd: root });
    expect(JSON.parse(out).pid).not.toBe(pid);
    await house.run(['test'], { flags: old });
    const [node, packages, ...others] = await house.npmCalls();
    expect(others).toEqual([]);
    expect(node?.args.join(' ')).toMatch(/^ci --ignore-scripts --prefix \S+\/\.zegel\/node-\S+\.part /);
    expect(node?.node).toBe(process.execPath);
    expect(packages?.first).toMatch(/\/\.zegel\/node-[^/]+\/node_modules\/[^/]+\/bin$/);
    expect(packages?.node).toBe(`${packages?.first}/node`);
  });

  it('forgets a Node that was fetched in part', async () => {
    const house = await aHouse(['plain']);
    await house.run(['test'], { flags: old, env: { FAKE_NPM: 'fails' } });
    expect(await readdir(join(root, '.zegel'))).toEqual([expect.stringMatching(/\.part$/)]);
    expect(await house.run(['test'], { flags: old })).toMatchObject({ code: 0 });
    expect(await readdir(join(root, '.zegel'))).toEqual([expect.not.stringMatching(/\.part$/)]);
  });

  it('passes each signal on once to a script in a process of its own, and ends as that ends', async () => {
    const house = await aHouse(['plain']);
    await house.run(['test'], { flags: old });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const child = house.start(['test', 'wait'], { flags: old });
      const result = ended(child);
      await once(child.stdout, 'data');
      child.kill(signal);
      const { code, out } = await result;
      expect({ signal, code, last: out.trim().split('\n').at(-1) }).toEqual({
        signal,
        code: 5,
        last: JSON.stringify([signal]),
      });
    }
  });

  it('lets one of several do the work while the others wait', async () => {
    const house = await aHouse(undefined);
    const all = await Promise.all([1, 2, 3, 4].map(() => house.run(['test'], { flags: old })));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(await house.npmCalls()).toHaveLength(2);
  });

  it('says whom it waits for', async () => {
    const house = await aHouse(undefined);
    await mkdir(join(root, '.zegel'));
    const lock = join(root, '.zegel', 'bootstrap.lock');
    await symlink(String(process.pid), lock);
    const child = house.start(['test']);
    const result = ended(child);
    await once(child.stderr, 'data');
    expect(await house.npmCalls()).toEqual([]);
    await rm(lock);
    const { code, err } = await result;
    expect(code).toBe(0);
    expect(err).toContain(`waiting for process ${process.pid}, which prepares this folder`);
    expect(err).toContain('remove .zegel/bootstrap.lock\n');
  });

  it('does not wait for one that was killed', async () => {
    const house = await aHouse(undefined);
    const gone = spawn(process.execPath, ['-e', '0']);
    await once(gone, 'close');
    await mkdir(join(root, '.zegel'));
    await symlink(String(gone.pid), join(root, '.zegel', 'bootstrap.lock'));
    const all = await Promise.all([1, 2, 3].map(() => house.run(['test'])));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await house.npmCalls()).toHaveLength(1);
    expect(await readdir(join(root, '.zegel'))).toEqual([]);
  });

  it('runs any command with its Node first on the PATH, and ends by the signal that ended the command', async () => {
    const house = await aHouse(['plain']);
    const { code, out } = await house.run(['exec', '--', 'sh', '-c', 'command -v node; exit 9']);
    expect({ code, out }).toEqual({ code: 9, out: `${process.execPath}\n` });
    expect(await house.run(['exec', 'sh', '-c', 'kill -TERM $$'])).toMatchObject({ signal: 'SIGTERM' });
    expect(await house.run(['exec', 'no-such-command'])).toMatchObject({
      code: 1,
      err: 'zegel: no-such-command is not on the PATH\n',
    });
  });

  it('says in a sentence where it does not run', async () => {
    const house = await aHouse(['plain']);
    const windows = 'data:text/javascript,Object.defineProperty(process,"platform",{value:"win32"})';
    expect(await house.run(['test'], { flags: ['--import', windows] })).toMatchObject({
      code: 1,
      out: '',
      err: 'zegel: zegel runs on Linux and macOS; this is win32\n',
    });
  });

  it('says how it is used', async () => {
    const house = await aHouse(['plain']);
    for (const args of [[], ['no-such'], ['exec'], ['exec', '--']]) {
      const { code, err } = await house.run(args);
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(err).toContain('usage: bootstrap.mjs start [--once] | test [stage…] | exec COMMAND…');
    }
  });
});
