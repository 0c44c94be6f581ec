import {
  appendFile,
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatReceipt, type Receipt } from '../../merkle/receipt.ts';
import type { Gap } from '../../scripts/kept.ts';
import { openReceiptLines } from '../../scripts/receipt-lines.ts';
import { anEvent, aStatement } from '../helpers/builders.ts';
import { forge } from '../helpers/forge.ts';
import { keyFor, publicJwk } from '../helpers/keys.ts';
import { eventOf, keptReceipts } from '../helpers/submitting.ts';

let folder: string;
let proof: Receipt;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-lines-'));
  proof = (await forge()).receipt;
});
afterAll(() => rm(folder, { recursive: true }));

const key = publicJwk(keyFor('ES256'));
const event = (id: string) => anEvent({ id });
/** A receipt about an event. Nothing here verifies it. */
const receiptOf = (id: string): Receipt => ({
  ...proof,
  record: { statement: aStatement({ payload: event(id) }), salt: new Uint8Array(32), key },
});
const wanted = (id: string) => ({ event: event(id), name: id });

/** Runs over an input, and keeps a receipt for each event that has none and is not refused; gives those that were found. */
async function submit(path: string, input: string, { refused = '', partLength = 2 } = {}): Promise<string> {
  const receipts = await openReceiptLines(path);
  let found = '';
  const missing: (readonly [Gap, Receipt])[] = [];
  try {
    for (const id of input) {
      const place = await receipts.find(wanted(id));
      if (!('name' in place)) found += id;
      else if (!refused.includes(id)) missing.push([place, receiptOf(id)]);
    }
    for (let from = 0; from < missing.length; from += partLength)
      await receipts.keep(missing.slice(from, from + partLength));
  } finally {
    await receipts.close();
  }
  return found;
}

async function idsIn(path: string): Promise<string> {
  return (await keptReceipts(path)).map(receipt => JSON.parse(eventOf(receipt)).id).join('');
}

let files = 0;
const aPath = () => join(folder, `${files++}.ndjson`);

describe('ReceiptLines', () => {
  it('keeps receipts in the order of their events, for nobody else to read', async () => {
    const path = aPath();
    expect(await submit(path, 'abcde')).toBe('');
    expect(await idsIn(path)).toBe('abcde');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('finds what it has, and appends the rest', async () => {
    const path = aPath();
    await submit(path, 'abc');
    expect(await submit(path, 'abcde')).toBe('abc');
    expect(await submit(path, 'abcde')).toBe('abcde');
    expect(await idsIn(path)).toBe('abcde');
  });

  it.each(['a', 'c', 'e', 'ab', 'bd', 'ace', 'abcde'])(
    'puts what was refused before (%s) where it belongs',
    async refused => {
      for (const partLength of [1, 2, 10]) {
        const path = aPath();
        await submit(path, 'abcde', { refused });
        await submit(path, 'abcdefg', { partLength });
        expect(await idsIn(path)).toBe('abcdefg');
        expect(await submit(path, 'abcdefg')).toBe('abcdefg');
      }
    },
  );

  it('has a receipt for each of two lines that are the same', async () => {
    const path = aPath();
    await submit(path, 'abab');
    expect(await submit(path, 'abab')).toBe('abab');
    expect(await idsIn(path)).toBe('abab');
  });

  it.each([1, 50, 200])(
    'cuts off a line that a kill has torn after %i bytes, and what was being written anew',
    async length => {
      const path = aPath();
      await submit(path, 'abc');
      const whole = await readFile(path, 'utf8');
      await appendFile(path, formatReceipt(receiptOf('d')).slice(0, length));
      await writeFile(`${path}.next`, 'half');
      expect(await submit(path, 'abc')).toBe('abc');
      expect(await readFile(path, 'utf8')).toBe(whole);
      expect((await readdir(folder)).filter(name => name.endsWith('.next'))).toEqual([]);
    },
  );

  it.each(['bcde', 'acd', 'x', 'edcba'])(
    'changes nothing where the receipts are of other events than %s',
    async input => {
      const path = aPath();
      await submit(path, 'abcd');
      const before = await readFile(path, 'utf8');
      await expect(submit(path, input)).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringContaining('name another file with --out'),
      });
      expect(await readFile(path, 'utf8')).toBe(before);
    },
  );

  it('keeps what stood there and what is new when it ends early', async () => {
    const path = aPath();
    await submit(path, 'abcdef', { refused: 'b' });
    const receipts = await openReceiptLines(path);
    await receipts.find(wanted('a'));
    const gap = await receipts.find(wanted('b'));
    if (!('name' in gap)) throw new Error('b was refused');
    await receipts.keep([[gap, receiptOf('b')]]);
    await receipts.release();
    expect(await idsIn(path)).toBe('abcdef');
  });

  it('never puts a file in its place that a failed write has torn', async () => {
    const path = aPath();
    await submit(path, 'abcdef', { refused: 'b' });
    const before = await readFile(path, 'utf8');
    const receipts = await openReceiptLines(path);
    await receipts.find(wanted('a'));
    const gap = await receipts.find(wanted('b'));
    if (!('name' in gap)) throw new Error('b was refused');
    // Stands for a disk that is full in the middle of a line, and has room again a moment later.
    const probe = await open(path);
    const handles: { appendFile: FileHandle['appendFile'] } = Object.getPrototypeOf(probe);
    await probe.close();
    const { appendFile: real } = handles;
    let writes = 0;
    handles.appendFile = async function (this: FileHandle, data, ...rest) {
      if (++writes !== 1) return real.call(this, data, ...rest);
      await real.call(this, Buffer.from(data as Uint8Array).subarray(0, 7), ...rest);
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    try {
      await expect(receipts.keep([[gap, receiptOf('b')]])).rejects.toMatchObject({ exitCode: 3 });
    } finally {
      handles.appendFile = real;
    }
    await receipts.release();
    expect(await readFile(path, 'utf8')).toBe(before);
    await submit(path, 'abcdef');
    expect(await idsIn(path)).toBe('abcdef');
  });

  it('leaves alone what is no receipt, even where its last line has no end', async () => {
    const path = aPath();
    await writeFile(path, '{"specversion":"1.0"}\n{"specversion":"1.0"}');
    await expect(openReceiptLines(path)).rejects.toMatchObject({ exitCode: 2 });
    expect(await readFile(path, 'utf8')).toBe('{"specversion":"1.0"}\n{"specversion":"1.0"}');
  });

  it('is written by one at a time, and by the next when that has ended', async () => {
    const path = aPath();
    const first = await openReceiptLines(path);
    await expect(openReceiptLines(path)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining(`in use by process ${process.pid}`),
    });
    await first.release();
    // Of a run that was killed under this process's number, as happens in a container.
    await writeFile(`${path}.lock`, `${process.pid}\n`);
    await submit(path, 'a');
    expect(await idsIn(path)).toBe('a');
  });

  it('refuses a file of something else', async () => {
    for (const content of ['once upon a time\n', `${formatReceipt(proof).replace(/,"record".*/, '}')}\n`]) {
      const path = aPath();
      await writeFile(path, content);
      await expect(submit(path, 'a')).rejects.toMatchObject({ exitCode: 2 });
      expect(await readFile(path, 'utf8')).toBe(content);
    }
  });
});
