/** The guard file holds the old checkpoint or the new one, never a part of one. */

import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileGuard } from '../../service/guard.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-guard-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('fileGuard', () => {
  it('reads back what was written last, and undefined before', async () => {
    const guard = fileGuard(join(folder, 'guard'));
    expect(await guard.read()).toBeUndefined();
    await guard.write('one\n');
    await guard.write('two\n');
    expect(await fileGuard(join(folder, 'guard')).read()).toBe('two\n');
    expect(await readdir(folder)).toEqual(['guard']);
    expect((await stat(join(folder, 'guard'))).mode & 0o777).toBe(0o600);
  });

  it('is not disturbed by a half-written successor that a crash has left', async () => {
    const guard = fileGuard(join(folder, 'guard'));
    await guard.write('one\n');
    await writeFile(join(folder, 'guard.next'), 'tw');
    expect(await guard.read()).toBe('one\n');
    await guard.write('two\n');
    expect(await guard.read()).toBe('two\n');
  });

  it('throws where it cannot write or read: no guard is not an empty guard', async () => {
    await expect(fileGuard(join(folder, 'missing', 'guard')).write('one\n')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await expect(fileGuard(folder).read()).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
