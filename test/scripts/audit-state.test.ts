import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readState, saveTo, stateFor } from '../../scripts/audit-state.ts';
import { aState } from '../helpers/audit-reports.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-state-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('is there, whole, once it is written, whatever an interrupted run has left', async () => {
  const file = join(folder, 'state');
  expect(await readState(file)).toBeUndefined();
  await writeFile(`${file}.next`, 'half a st');
  await saveTo(file)(aState());
  expect(await readState(file)).toEqual(aState());
  expect(await readdir(folder)).toEqual(['state']);
});

it('is gone on from, unless nobody wants to, or it is of something else', async () => {
  const file = join(folder, 'whose');
  await saveTo(file)(aState());
  const { origin, logId, trust } = aState();
  const notes: string[] = [];
  const asked = (fromScratch: boolean, wanted = { origin, logId, trust }) =>
    stateFor({ state: file, fromScratch }, wanted, line => notes.push(line));
  expect(await asked(false)).toEqual(aState());
  expect(notes).toEqual([expect.stringContaining('going on at entry 2 from the audit that was interrupted')]);
  expect(await asked(true)).toBeUndefined();
  await expect(asked(false, { origin: 'x', logId, trust })).rejects.toMatchObject({ exitCode: 2 });
});
