/** Where the demonstration goes: never where another one runs, and always where one has ended. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/demo-chain.ts';
import { takeDemoPlace } from '../../scripts/demo-place.ts';

describe('takeDemoPlace', () => {
  const home = process.cwd();
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zegel-demo-'));
    process.chdir(folder);
  });
  afterEach(async () => {
    process.chdir(home);
    await rm(folder, { recursive: true });
  });

  it('gives a pair that nobody else has, and the first one again when it is free', async () => {
    const first = await takeDemoPlace();
    const second = await takeDemoPlace();
    expect(first).toMatchObject({ folder: join('.zegel', 'demo'), deployment: join('deployments', 'demo') });
    expect(second).toMatchObject({
      folder: join('.zegel', 'demo-2'),
      deployment: join('deployments', 'demo-2'),
    });
    await first.release();
    expect((await takeDemoPlace()).folder).toBe(first.folder);
  });

  it('keeps the files of the last start until the next', async () => {
    const first = await takeDemoPlace();
    await writeFile(join(first.folder, 'receipt.json'), '{}');
    await first.release();
    expect(await readFile(join(first.folder, 'receipt.json'), 'utf8')).toBe('{}');
    const next = await takeDemoPlace();
    await expect(stat(join(next.folder, 'receipt.json'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await stat(join(next.folder, 'keys'))).mode & 0o777).toBe(0o700);
  });

  it('takes over from a process that was killed', async () => {
    const killed = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await takeDemoPlace();
    await writeFile(join('.zegel', 'demo.lock'), `${killed.pid}\n`);
    expect((await takeDemoPlace()).folder).toBe(join('.zegel', 'demo-2'));
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect((await takeDemoPlace()).folder).toBe(join('.zegel', 'demo'));
  });
});

describe('freePort', () => {
  it('goes past a default port that is taken, and refuses an explicit one', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      expect(await freePort(port, false)).toBeGreaterThan(port);
      await expect(freePort(port, true)).rejects.toThrow(
        `port ${port} of 127.0.0.1 is taken: choose another one`,
      );
    } finally {
      taken.close();
    }
    expect(await freePort(port, true)).toBe(port);
  });
});
