import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readState, saveTo, stateFor } from '../../scripts/audit-state.ts';
import { aState } from '../helpers/audit-reports.ts';
import { ForgedLog } from '../helpers/forged-log.ts';

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
  const { origin, logId, trust } = aState();
  const forged = await ForgedLog.open();
  const underWay = {
    checkpoint: await forged.sign(),
    started: '2026-11-24T08:00:00.000Z',
    earlier: null,
  };
  const state = { ...aState(), underWay };
  await saveTo(file)(state);
  const notes: string[] = [];
  const asked = (fromScratch: boolean, wanted = { origin, logId, trust }) =>
    stateFor({ state: file, fromScratch }, wanted, forged, line => notes.push(line));
  expect(await asked(false)).toEqual(state);
  expect(notes).toEqual([expect.stringContaining('going on at entry 2 from the audit that was interrupted')]);
  expect(await asked(true)).toBeUndefined();
  await expect(asked(false, { origin: 'x', logId, trust })).rejects.toMatchObject({ exitCode: 2 });
});

it('is not gone on from with a checkpoint that the log has not signed: that would be said of the log', async () => {
  const file = join(folder, 'unsigned');
  const forged = await ForgedLog.open();
  const { origin, logId, trust, log } = aState();
  const started = '2026-11-24T08:00:00.000Z';
  const other = (await forged.sign()).replace('\n1\n', '\n2\n');
  const kept = [
    {
      code: 'CHECKPOINT_ROOT_DIFFERS' as const,
      place: { size: 2 },
      message: '',
      proof: { entries: '00'.repeat(32), checkpoint: other },
    },
  ];
  for (const state of [
    { ...aState(), underWay: { checkpoint: other, started, earlier: null } },
    { ...aState(), underWay: null, log: { ...log, checkpoint: other } },
    { ...aState(), underWay: null, kept },
  ]) {
    await saveTo(file)(state);
    const asked = stateFor(
      { state: file, fromScratch: false },
      { origin, logId, trust },
      forged,
      () => undefined,
    );
    await expect(asked).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('not signed'),
    });
  }
});
