/** `zegel submit` of many against a real site: killed and resumed, over a bad line, a bad connection, a full disk. */

import { execFile, execFileSync } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHex } from '../../merkle/bytes.ts';
import { formatReceipt } from '../../merkle/receipt.ts';
import { leafHash } from '../../merkle/tree.ts';
import { runZegel, zegelJson } from '../helpers/cli.ts';
import { forge } from '../helpers/forge.ts';
import { answerText, aProxy } from '../helpers/proxy.ts';
import { aSite, type ServiceProcess, type Site, siteAgency } from '../helpers/site.ts';
import {
  entriesOf,
  eventOf,
  keptReceipts,
  killedSubmits,
  peakMemoryMiB,
  recordsIn,
  startSubmit,
  writeEvents,
} from '../helpers/submitting.ts';

const run = promisify(execFile);

let site: Site;
let service: ServiceProcess;
beforeAll(async () => {
  site = await aSite();
  service = await site.serve();
});
afterAll(() => site.remove());

const place = (name: string) => join(site.folder, name);
const args = (file: string, out: string, ...more: readonly string[]) => [
  place(file),
  '--url',
  service.url,
  '--key',
  site.keyFile,
  '--out',
  place(out),
  ...more,
];

/** Holds receipts against the file that they are for: one for each line, in order, each for an entry of its own. */
async function requireAll(file: string, out: string): Promise<void> {
  const receipts = await keptReceipts(place(out));
  expect(receipts.map(eventOf)).toEqual((await readFile(place(file), 'utf8')).trimEnd().split('\n'));
  expect(entriesOf(receipts)).toBe(receipts.length);
}

// Many processes one after another: on a machine that is busy with other tests each takes its time.
describe('zegel submit', { timeout: 240_000 }, () => {
  it.each(['out.ndjson', 'folder'])(
    'killed three times and run again, has 600 records and receipts in %s',
    async out => {
      const file = `killed-${out}.ndjson`;
      await writeEvents(place(file), 600, file);
      const before = await recordsIn(service.url);
      const { kills, last } = await killedSubmits(args(file, out), [0, 60, 150]);
      expect(kills).toBe(3);
      expect(last).toMatchObject({ code: 0 });
      await requireAll(file, out);
      expect((await recordsIn(service.url)) - before).toBe(600);
    },
  );

  it('sends 2,000 events in batch statements, with flat memory, and completes their receipts from the tiles', async () => {
    await writeEvents(place('batched.ndjson'), 2_000, 'batched');
    const { child, ended } = startSubmit(
      args('batched.ndjson', 'batched-out.ndjson', '--batch', '250', '--wait', '60', '--json'),
    );
    let peak = 0;
    const watching = (async () => {
      while (child.exitCode === null) {
        peak = Math.max(peak, await peakMemoryMiB(child).catch(() => 0));
        await sleep(100);
      }
    })();
    const { code, out, err } = await ended;
    await watching;
    expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining('error') });
    expect(JSON.parse(out)).toMatchObject({
      recorded: 2_000,
      known: 0,
      refused: 0,
      complete: 2_000,
      incomplete: 0,
    });
    await requireAll('batched.ndjson', 'batched-out.ndjson');
    if (process.platform === 'linux') expect(peak).toBeLessThan(400);

    // What was made from the tiles is byte for byte what the service serves, but for the record.
    const receipts = await keptReceipts(place('batched-out.ndjson'));
    expect(new Set(receipts.map(({ record }) => record?.statement)).size).toBe(8);
    for (const kept of receipts.filter((_, i) => i % 97 === 0)) {
      const { record: _, ...proof } = kept;
      const served = await fetch(`${service.url}/v1/records/${formatHex(leafHash(kept.entry))}/receipt`);
      expect(await served.text()).toBe(formatReceipt(proof));
    }
    const one = place('one.json');
    await writeFile(one, formatReceipt(receipts[1_234] ?? receipts[0] ?? expect.fail()));
    expect(await runZegel(['verify', one, '--trust', site.trustFile])).toMatchObject({ code: 0 });
  });

  it('takes a batch that was signed before, and sends it whole where only some of it has receipts', async () => {
    await writeEvents(place('plain.ndjson'), 20, 'signed');
    const signing = ['--key', site.keyFile, '--url', service.url, '--batch', '--out', place('signed.batch')];
    await zegelJson(['sign', place('plain.ndjson'), ...signing]);
    // A batch file is told from its content.
    const submitted = () => zegelJson(['submit', ...args('signed.batch', 'signed-out.ndjson')]);
    expect(await submitted()).toMatchObject([{ recorded: 20 }]);
    const whole = await readFile(place('signed-out.ndjson'));
    // A torn last line, as a kill leaves it: it is cut off, and the batch sent again.
    await truncate(place('signed-out.ndjson'), whole.length - 1_000);
    expect(await submitted()).toMatchObject([{ recorded: 0, known: 1, kept: 19 }]);
    await requireAll('plain.ndjson', 'signed-out.ndjson');
    expect(await submitted()).toMatchObject([{ recorded: 0, known: 0, kept: 20 }]);
    // The public key is enough for what is signed.
    const key = ['--key', `${site.keyFile}.json`];
    const rest = ['--url', service.url, '--out', place('again.ndjson')];
    expect(await zegelJson(['submit', place('signed.batch'), ...key, ...rest])).toMatchObject([
      { known: 20 },
    ]);
  });

  it('tells refused lines by their numbers, and records all others', async () => {
    await writeEvents(place('some.ndjson'), 6, 'some');
    const lines = (await readFile(place('some.ndjson'), 'utf8')).trimEnd().split('\n');
    const bad = [...lines];
    bad[1] = '';
    bad[2] = `${lines[2]}\r`;
    bad[3] = JSON.stringify({ ...JSON.parse(lines[3] ?? ''), data: 'x'.repeat(70_000) });
    bad[4] = (lines[0] ?? '').replace('granted', 'refused');
    await writeFile(place('bad.ndjson'), `${bad.join('\n')}\nno event`);
    const refused = ['--refused', place('refused.ndjson')];
    const { code, out } = await runZegel([
      'submit',
      ...args('bad.ndjson', 'bad-out.ndjson', '--json', ...refused),
    ]);
    expect(code).toBe(1);
    const told = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(told.pop()).toMatchObject({ recorded: 2, refused: 5 });
    expect(told.map(({ line, problem }) => [line, problem])).toEqual([
      [2, 'record-malformed'],
      [3, 'record-malformed'],
      [4, 'body-too-large'],
      [5, 'event-conflict'],
      [7, 'record-malformed'],
    ]);
    const file = await readFile(place('refused.ndjson'), 'utf8');
    expect(
      file
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toEqual(told);

    // Mended, the lines go in, and their receipts stand where they belong.
    await writeFile(place('bad.ndjson'), `${lines.join('\n')}\n`);
    expect(await zegelJson(['submit', ...args('bad.ndjson', 'bad-out.ndjson')])).toMatchObject([
      { recorded: 4, kept: 2, refused: 0 },
    ]);
    await requireAll('bad.ndjson', 'bad-out.ndjson');
  });

  it('writes nothing into the receipts of another file', async () => {
    for (const name of ['first', 'second']) await writeEvents(place(`${name}.ndjson`), 5, name);
    await zegelJson(['submit', ...args('first.ndjson', 'first-out.ndjson')]);
    const before = await readFile(place('first-out.ndjson'));
    const { code, err } = await runZegel(['submit', ...args('second.ndjson', 'first-out.ndjson')]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('name another file with --out') });
    expect(await readFile(place('first-out.ndjson'))).toEqual(before);
  });

  it('gets over a reset, a 503 and an answer that is cut', async () => {
    await writeEvents(place('rough.ndjson'), 300, 'rough');
    const proxy = await aProxy(Number(new URL(service.url).port), [
      { kind: 'reset', afterBytes: 50_000 },
      { kind: 'answer', text: answerText(503, { detail: 'busy' }, { 'Retry-After': '1' }) },
      { kind: 'cut', afterBytes: 20_000 },
    ]);
    const before = await recordsIn(service.url);
    const rough = args('rough.ndjson', 'rough-out.ndjson').map(arg =>
      arg === service.url ? proxy.url : arg,
    );
    const { code, err } = await startSubmit(rough).ended;
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('busy: trying again') });
    await requireAll('rough.ndjson', 'rough-out.ndjson');
    expect((await recordsIn(service.url)) - before).toBe(300);
    await proxy.stop();
  });

  it('waits for a service that is killed and started again, and loses nothing', async () => {
    await writeEvents(place('restart.ndjson'), 3_000, 'restart');
    const before = await recordsIn(service.url);
    const { ended } = startSubmit(args('restart.ndjson', 'restart-out.ndjson'));
    while (!(await isThere('restart-out.ndjson'))) await sleep(20);
    service.child.kill('SIGKILL');
    await service.ended;
    service = await site.serve({ ZEGEL_PORT: new URL(service.url).port });
    const { code, err } = await ended;
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('trying again') });
    await requireAll('restart.ndjson', 'restart-out.ndjson');
    expect((await recordsIn(service.url)) - before).toBe(3_000);
  });

  it('says how to go on when the service is gone, and goes on', async () => {
    await writeEvents(place('gone.ndjson'), 5, 'gone');
    const nobody = args('gone.ndjson', 'gone-out.ndjson', '--give-up', '1').map(arg =>
      arg === service.url ? 'http://127.0.0.1:9' : arg,
    );
    const { code, out, err } = await startSubmit([...nobody, '--json']).ended;
    expect({ code, err }).toEqual({
      code: 3,
      err: expect.stringContaining('the same command goes on from there'),
    });
    expect(JSON.parse(out)).toMatchObject({
      recorded: 0,
      ended: 'gave-up',
      reason: expect.stringContaining('does not answer; gave up with 0 events recorded'),
    });
    expect(await zegelJson(['submit', ...args('gone.ndjson', 'gone-out.ndjson')])).toMatchObject([
      { recorded: 5 },
    ]);
  });

  it('ends in order when it is interrupted, and goes on', async () => {
    await writeEvents(place('stopped.ndjson'), 30_000, 'stopped');
    const { child, ended } = startSubmit(args('stopped.ndjson', 'stopped-out.ndjson', '--json'));
    while (
      !(await stat(place('stopped-out.ndjson')).then(
        ({ size }) => size > 0,
        () => false,
      ))
    )
      await sleep(50);
    child.kill('SIGINT');
    const { code, out, err } = await ended;
    expect({ code, err }).toEqual({
      code: 3,
      err: expect.stringContaining('the same command goes on from there'),
    });
    const receipts = await keptReceipts(place('stopped-out.ndjson'));
    expect(JSON.parse(out)).toMatchObject({ recorded: receipts.length, refused: 0, ended: 'stopped' });
    expect(receipts.length).toBeGreaterThan(0);
    expect(receipts.length).toBeLessThan(30_000);
    // What went in has its receipt.
    await truncateLines(place('stopped.ndjson'), receipts.length);
    expect(await zegelJson(['submit', ...args('stopped.ndjson', 'stopped-out.ndjson')])).toMatchObject([
      { recorded: 0, known: 0, kept: receipts.length },
    ]);
  });

  it('loses nothing on a full disk, and says what to do', async context => {
    const disk = place('disk');
    await mkdir(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      return context.skip('mounting a small disk is not allowed here');
    }
    try {
      await writeEvents(place('full.ndjson'), 400, 'full');
      const before = await recordsIn(service.url);
      for (const out of ['disk/out.ndjson', 'disk/folder']) {
        const { code, err } = await startSubmit(args('full.ndjson', out)).ended;
        expect({ code, err }).toEqual({
          code: 3,
          err: expect.stringContaining('free some, and run the same command again'),
        });
        execFileSync('mount', ['-o', 'remount,size=30m', disk]);
        expect(await startSubmit(args('full.ndjson', out)).ended).toMatchObject({ code: 0 });
        await requireAll('full.ndjson', out);
        await rm(place(out), { recursive: true });
        execFileSync('mount', ['-o', 'remount,size=300k', disk]);
      }
      expect((await recordsIn(service.url)) - before).toBe(400);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('stops at the first refusal where it is asked to', async () => {
    await writeEvents(place('halt.ndjson'), 3, 'halt');
    await appendFile(place('halt.ndjson'), 'no event\n');
    const { code } = await runZegel([
      'submit',
      ...args('halt.ndjson', 'halt-out.ndjson', '--stop-at-refusal'),
    ]);
    expect(code).toBe(1);
    expect(await keptReceipts(place('halt-out.ndjson'))).toHaveLength(3);
  });

  it('keeps the receipts of what went along with a refused line', async () => {
    await writeEvents(place('along.ndjson'), 2_500, 'along');
    const text = await readFile(place('along.ndjson'), 'utf8');
    await writeFile(place('along.ndjson'), text.replace('\n', '\nno event\n'));
    const before = await recordsIn(service.url);
    const { code } = await runZegel(['submit', ...args('along.ndjson', 'along-out', '--stop-at-refusal')]);
    expect(code).toBe(1);
    const records = (await recordsIn(service.url)) - before;
    expect(await keptReceipts(place('along-out'))).toHaveLength(records);
  });

  it('does not take the receipts of another log for its own', async () => {
    await writeFile(place('moved.ndjson'), `${eventOf((await forge()).receipt)}\n`);
    const kept = formatReceipt((await forge()).receipt);
    await writeFile(place('moved-out.ndjson'), `${kept}\n`);
    const { code, err } = await startSubmit(args('moved.ndjson', 'moved-out.ndjson')).ended;
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('has a receipt of the log') });
    expect(await readFile(place('moved-out.ndjson'), 'utf8')).toBe(`${kept}\n`);
    await writeFile(place('moved.json'), eventOf((await forge()).receipt));
    await writeFile(place('moved-one.json'), kept);
    expect(await startSubmit(args('moved.json', 'moved-one.json')).ended).toMatchObject({ code: 2 });
    expect(await readFile(place('moved-one.json'), 'utf8')).toBe(kept);
  });

  it('lets one run at a time write receipts to one place', async () => {
    await writeEvents(place('twice.ndjson'), 30_000, 'twice');
    const first = startSubmit(args('twice.ndjson', 'twice-out.ndjson'));
    while (!(await isThere('twice-out.ndjson'))) await sleep(50);
    const second = await startSubmit(args('twice.ndjson', 'twice-out.ndjson')).ended;
    const complete = await runZegel(['receipt', place('twice-out.ndjson'), '--url', service.url]);
    first.child.kill('SIGINT');
    expect(second).toMatchObject({ code: 3, err: expect.stringContaining('is in use by process') });
    expect(complete).toMatchObject({ code: 3, err: expect.stringContaining('is in use by process') });
    await first.ended;
    const count = (await keptReceipts(place('twice-out.ndjson'))).length;
    await truncateLines(place('twice.ndjson'), count);
    await requireAll('twice.ndjson', 'twice-out.ndjson');
  });

  it('stops while it waits for a service that is not there', async () => {
    await writeEvents(place('absent.ndjson'), 5, 'absent');
    const nobody = args('absent.ndjson', 'absent-out.ndjson').map(arg =>
      arg === service.url ? 'http://127.0.0.1:9' : arg,
    );
    const { child, ended } = startSubmit(nobody);
    child.stderr?.on('data', (text: string) => {
      if (text.includes('trying again')) child.kill('SIGINT');
    });
    const { code, err } = await ended;
    expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('stopped with 0 events') });
  });

  it('does not put an unanchored receipt over the anchored one of the same event', async () => {
    await writeEvents(place('one.json'), 1, 'one');
    const once = args('one.json', 'one.receipt.json', '--wait', '60');
    expect(await startSubmit(once).ended).toMatchObject({ code: 0 });
    const anchored = await readFile(place('one.receipt.json'), 'utf8');
    expect(await startSubmit(args('one.json', 'one.receipt.json')).ended).toMatchObject({ code: 0 });
    expect(await readFile(place('one.receipt.json'), 'utf8')).toBe(anchored);
  });

  it('writes refusals neither over its input nor over the receipts', async () => {
    await writeEvents(place('apart.ndjson'), 2, 'apart');
    for (const over of ['apart.ndjson', 'apart-out.ndjson']) {
      const refused = args('apart.ndjson', 'apart-out.ndjson', '--refused', place(over));
      expect(await startSubmit(refused).ended).toMatchObject({ code: 2 });
    }
    expect((await readFile(place('apart.ndjson'), 'utf8')).split('\n')).toHaveLength(3);
  });
});

/** Whether the first receipts have been kept. */
function isThere(out: string): Promise<boolean> {
  return stat(place(out)).then(
    ({ size }) => size > 0,
    () => false,
  );
}

/** Leaves a file so many lines. */
async function truncateLines(path: string, count: number): Promise<void> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, count);
  await writeFile(path, lines.map(line => `${line}\n`).join(''));
}

describe('zegel submit --documents', { timeout: 240_000 }, () => {
  const documents = (out: string, ...more: readonly string[]) => [
    'submit',
    '--documents',
    place('documents'),
    '--url',
    service.url,
    '--key',
    site.keyFile,
    '--out',
    place(out),
    ...more,
  ];

  it('has a record for each document by its digest, without its name, and the second run is a retry', async () => {
    await mkdir(place('documents/deep'), { recursive: true });
    await writeFile(place('documents/a.pdf'), 'first');
    await writeFile(place('documents/deep/b.pdf'), 'second');
    await writeFile(place('documents/deep/the same as a.pdf'), 'first');
    await symlink('/etc/hostname', place('documents/link'));
    await run('mkfifo', [place('documents/pipe')]);

    const { code, out, err } = await runZegel([...documents('receipts'), '--json']);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('link is left out') });
    expect(err).toContain('pipe is left out');
    // Two documents are the same: one record, and a receipt for each.
    expect(JSON.parse(out)).toMatchObject({ recorded: 2, known: 1, refused: 0 });
    const receipts = await keptReceipts(place('receipts'));
    expect(receipts).toHaveLength(3);
    expect(entriesOf(receipts)).toBe(2);
    const events = receipts.map(eventOf);
    expect(events.join()).not.toMatch(/a\.pdf|deep/);
    expect(JSON.parse(events[0] ?? '').data).toEqual({
      sha256: 'a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e',
      bytes: 5,
    });

    await run('touch', ['-d', '2020-01-01', place('documents/a.pdf')]);
    expect(await zegelJson(documents('receipts'))).toMatchObject([{ recorded: 0, known: 0, kept: 3 }]);
    expect(await zegelJson(documents('elsewhere'))).toMatchObject([{ recorded: 0, known: 3, refused: 0 }]);
    expect(await zegelJson(documents('in-one.ndjson', '--batch', '2'))).toMatchObject([{ known: 3 }]);
    // Their names are another statement about them, and in no conflict with this one.
    expect(await zegelJson(documents('named', '--names'))).toMatchObject([{ recorded: 3, refused: 0 }]);
    // A document that has changed gets a receipt beside the old one.
    await writeFile(place('documents/a.pdf'), 'changed');
    expect(await zegelJson(documents('receipts'))).toMatchObject([{ recorded: 1, kept: 2 }]);
    expect(await keptReceipts(place('receipts'))).toHaveLength(4);
  });

  it('keeps neither receipts nor refusals among the documents', async () => {
    for (const among of [
      documents('documents/receipts'),
      [...documents('elsewhere'), '--refused', place('documents/refused.ndjson')],
    ]) {
      const { code, err } = await runZegel(among);
      expect({ code, err }).toEqual({
        code: 2,
        err: expect.stringContaining('would be submitted the next time'),
      });
    }
  });
});

describe('zegel receipt', { timeout: 240_000 }, () => {
  it('completes many at once, and refuses a record that is another one', async () => {
    await writeEvents(place('late.ndjson'), 40, 'late');
    await zegelJson(['submit', ...args('late.ndjson', 'late-out.ndjson')]);
    const url = ['--url', service.url];
    const [completed] = await zegelJson(['receipt', place('late-out.ndjson'), ...url, '--wait', '60']);
    expect(completed).toMatchObject({ complete: 40, incomplete: 0 });
    await requireAll('late.ndjson', 'late-out.ndjson');
    const again = await readFile(place('late-out.ndjson'));
    await zegelJson(['receipt', place('late-out.ndjson'), ...url]);
    expect(await readFile(place('late-out.ndjson'))).toEqual(again);

    // A few requests for all of them: the list of anchors, one receipt for each anchor, and the tiles.
    const proxy = await aProxy(Number(new URL(service.url).port));
    await zegelJson(['submit', ...args('late.ndjson', 'once-more.ndjson')]);
    await zegelJson(['receipt', place('once-more.ndjson'), '--url', proxy.url]);
    expect(await readFile(place('once-more.ndjson'))).toEqual(again);
    expect(proxy.seen.requests.length).toBeLessThan(20);
    await proxy.stop();

    const [first, second] = await keptReceipts(place('late-out.ndjson'));
    if (first === undefined || second === undefined) throw new Error('forty receipts');
    for (const [name, receipt] of Object.entries({ first, second }))
      await writeFile(place(`${name}.json`), formatReceipt(receipt));
    const hash = formatHex(leafHash(first.entry));
    const proofOnly = [hash, ...url, '--out', place('proof.json')];
    await zegelJson(['receipt', ...proofOnly]);
    expect((await readFile(place('proof.json'), 'utf8')).includes('record')).toBe(false);
    const other = await runZegel(['receipt', place('proof.json'), ...url, '--record', place('second.json')]);
    expect({ code: other.code, err: other.err }).toEqual({
      code: 1,
      err: expect.stringContaining('commitment'),
    });
    expect((await readFile(place('proof.json'), 'utf8')).includes('record')).toBe(false);
    await zegelJson(['receipt', place('proof.json'), ...url, '--record', place('first.json')]);
    expect(await readFile(place('proof.json'), 'utf8')).toBe(`${formatReceipt(first)}\n`);
    const [verdict] = await zegelJson(['verify', place('proof.json'), '--trust', site.trustFile]);
    expect(verdict).toMatchObject({ verdict: 'matches', facts: { agency: siteAgency } });
  });
});
