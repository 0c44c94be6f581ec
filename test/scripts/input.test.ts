import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, parseUtf8, utf8 } from '../../merkle/bytes.ts';
import { type Form, formOf, type InputParts, itemsIn } from '../../scripts/input.ts';
import { formatBatch, signBatch } from '../../service/client/batch.ts';
import type { Item } from '../../service/client/groups.ts';
import { anEvent, aStatement, testOrigin } from '../helpers/builders.ts';
import { keyFor, publicJwk, signAs } from '../helpers/keys.ts';

const key = publicJwk(keyFor('ES256'));
const eventMaxBytes = 1_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-input-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function aFile(content: string | Uint8Array, name = `${files++}`): Promise<InputParts> {
  const path = join(folder, name);
  await writeFile(path, content);
  return { path, eventMaxBytes, keys: [key] };
}

async function read(parts: InputParts, form: Form): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of itemsIn(parts, form)) items.push(item);
  return items;
}

const toldOf = (items: readonly Item[]) =>
  items.map(item =>
    item.kind === 'refused' ? [item.line, item.problem.status, item.problem.detail] : item.line,
  );

const events = Array.from({ length: 5 }, (_, i) => anEvent({ id: `input-${i}` }));
const lines = events.map(event => parseUtf8(event));
const signer = {
  alg: 'ES256',
  key,
  sign: async (message: Uint8Array) => signAs('ES256', keyFor('ES256'), message),
} as const;
const batch = (some: readonly Uint8Array[]) => signBatch(some, testOrigin, signer, randomBytes);

describe('formOf', () => {
  const statement = aStatement();
  const cases: readonly (readonly [string, string, string, Form])[] = [
    ['an event', lines[0] ?? '', 'a.json', 'event'],
    ['an event and a line feed', `${lines[0]}\n`, 'b.json', 'event'],
    ['an event over many lines', JSON.stringify(JSON.parse(lines[0] ?? ''), null, 2), 'c.json', 'event'],
    ['JSON that is no good event', '{"id":"x"}', 'd.json', 'event'],
    ['events', lines.join('\n'), 'e', 'events'],
    ['one event in a file of lines', `${lines[0]}\n`, 'f.ndjson', 'events'],
    [
      'an event with an attribute "statement"',
      `${lines[0]?.replace('{', '{"statement":"x",')}\n${lines[1]}`,
      'g',
      'events',
    ],
    ['events of which the second is no event', `${lines[0]}\nnothing`, 'h', 'events'],
    ['a statement', statement, 'i.jws', 'statement'],
    ['a statement and a line feed', `${statement}\n`, 'j.jws', 'statement'],
    ['statements', `${statement}\n${statement}\n`, 'k', 'statements'],
    ['a line with a statement', `{"statement":"${statement}"}\n`, 'l', 'statements'],
    [
      'a batch',
      `{"statement":"${statement}","secret":"${'A'.repeat(43)}"}\n${lines[0]}\n`,
      'm',
      'statements',
    ],
  ];
  it.each(cases)('tells that a file has %s', async (_, content, name, form) => {
    expect(await formOf(await aFile(content, name))).toBe(form);
  });

  it.each([
    ['nothing', ''],
    ['text', 'once upon a time\nthere was'],
    ['an array', '[1]\n[2]'],
    ['JSON of another kind on lines', '{"a":1}\n{"a":2}\n'],
    ['bytes that are no text', Buffer.of(0xff, 0xfe, 0x0a, 0x00)],
    ['a first line that is longer than any may be', `${' '.repeat(20_000)}\n${lines[0]}\n`],
  ])('refuses to guess what a file with %s is', async (_, content) => {
    await expect(formOf(await aFile(content))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('say what it has with --form'),
    });
  });

  it.each([
    [
      'an event that is too long',
      JSON.stringify({ ...JSON.parse(lines[0] ?? ''), data: 'x'.repeat(9_000) }),
      'longer than',
    ],
    ['one that is cut in a character', `{"data":"${'é'.repeat(9_000)}"}`, 'longer than'],
    [
      'a first line that is broken',
      `{"specversion":"1.0",,}\n${`${lines[1]}\n`.repeat(10)}`,
      'want a member name (at character 21)',
    ],
    ['a first line of another kind', `{"a":1}\n${lines[1]}\n`, 'neither specversion nor statement'],
  ])('says what is wrong with %s', async (_, content, fault) => {
    await expect(formOf(await aFile(content))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(fault),
    });
  });

  it('says what to do with a pipe', async () => {
    const path = join(folder, 'pipe');
    await promisify(execFile)('mkfifo', [path]);
    const writing = writeFile(path, lines.join('\n')).catch(() => undefined);
    await expect(formOf({ path, eventMaxBytes, keys: [] })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('write it to a file first'),
    });
    await writing;
  });

  it('says which file cannot be read', async () => {
    const parts = { path: join(folder, 'nowhere'), eventMaxBytes, keys: [] };
    await expect(formOf(parts)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('ENOENT'),
    });
  });
});

describe('itemsIn', () => {
  it('gives each event with its number and its very bytes', async () => {
    const odd =
      '  {"specversion":"1.0","id":"é\\u0041","source":"/s","type":"t","time":"2026-11-24T08:00:00Z", "n": 1 }  ';
    const items = await read(await aFile(`${lines[0]}\n${odd}`), 'events');
    expect(items).toEqual([
      { line: 1, kind: 'event', event: events[0] },
      { line: 2, kind: 'event', event: utf8(odd) },
    ]);
  });

  it('signs an event that is alone to its last byte', async () => {
    const text = `${JSON.stringify(JSON.parse(lines[0] ?? ''), null, 2)}\n`;
    expect(await read(await aFile(text), 'event')).toEqual([{ line: 1, kind: 'event', event: utf8(text) }]);
  });

  it('refuses lines by their numbers, and none but those', async () => {
    const long = JSON.stringify({ ...JSON.parse(lines[0] ?? ''), data: 'x'.repeat(1_000) });
    const endless = 'x'.repeat(100_000);
    const text = [lines[0], '', long, endless, `${lines[1]}\r`, '{"id":"x"}', lines[2]].join('\n');
    expect(toldOf(await read(await aFile(text), 'events'))).toEqual([
      1,
      [2, 400, 'the line is empty'],
      [3, 413, expect.stringMatching(/^the line has 1\d+ bytes, want at most 1000$/)],
      [4, 413, 'the line has 100000 bytes, want at most 1000'],
      [5, 400, 'the line has a carriage return; lines end in a line feed alone'],
      [6, 400, expect.stringContaining('attribute "source" is missing')],
      7,
    ]);
  });

  it('takes statements in both spellings, and those of known keys only', async () => {
    const [one, two] = [aStatement({ payload: events[0] ?? utf8('') }), aStatement({ alg: 'Ed25519' })];
    const items = await read(
      await aFile(`${one}\n{"statement":"${one}"}\n${two}\n{"statement":1}\nx\n`),
      'statements',
    );
    expect(items.slice(0, 2)).toEqual([
      { line: 1, kind: 'statement', statement: one, key },
      { line: 2, kind: 'statement', statement: one, key },
    ]);
    expect(toldOf(items).slice(2)).toEqual([
      [3, 400, expect.stringContaining('a key that was not named with --key')],
      [4, 400, expect.stringContaining('want a string')],
      [5, 400, expect.any(String)],
    ]);
  });

  it('takes batches between statements, each with its events', async () => {
    const [first, second] = [await batch(events.slice(0, 2)), await batch(events.slice(2))];
    const file = concatBytes(formatBatch(first), utf8(`${aStatement()}\n`), formatBatch(second));
    const items = await read(await aFile(file), 'statements');
    expect(items).toMatchObject([
      { line: 2, kind: 'batch', key, batch: { statement: first.statement, events: first.events } },
      { line: 4, kind: 'statement' },
      { line: 6, kind: 'batch', batch: { statement: second.statement, events: second.events } },
    ]);
  });

  it('refuses a batch whole where its events are other ones, or too few', async () => {
    const text = parseUtf8(formatBatch(await batch(events.slice(0, 2))));
    const changed = text.replace('input-1', 'input-9');
    expect(toldOf(await read(await aFile(`${changed}${aStatement()}\n`), 'statements'))).toEqual([
      [2, 400, expect.stringContaining('is not that of the events that follow')],
      [3, 400, expect.stringContaining('is not that of the events that follow')],
      4,
    ]);
    const short = text.split('\n').slice(0, 2).join('\n');
    expect(toldOf(await read(await aFile(short), 'statements'))).toEqual([
      [2, 400, 'the file ends after 1 of the 2 events of the batch'],
    ]);
  });

  it('ends where it is unknown which lines are the events of a batch', async () => {
    const file = await aFile(`{"statement":"a.b.c","secret":"${'A'.repeat(43)}"}\n${lines[0]}\n`);
    await expect(read(file, 'statements')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('line 1 begins a batch and cannot be read'),
    });
  });
});
