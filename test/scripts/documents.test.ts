import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseUtf8 } from '../../merkle/bytes.ts';
import { parseEvent } from '../../merkle/event.ts';
import { countDocuments, documentEvent, documentsIn } from '../../scripts/documents.ts';

const options = { source: 'urn:zegel:documents', time: '1970-01-01T00:00:00Z' };
const digest = new Uint8Array(32).fill(0xab);

describe('documentEvent', () => {
  it('has these very bytes, which must never change: a second run would be in conflict with the first', () => {
    const event = documentEvent({ digest, lengthBytes: 7 }, options);
    const rest =
      '"source":"urn:zegel:documents","type":"zegel.document","time":"1970-01-01T00:00:00Z","recordkind":"audit",' +
      `"datacontenttype":"application/json","data":{"sha256":"${'ab'.repeat(32)}","bytes":7}}`;
    const id = createHash('sha256').update(`{${rest}`).digest('hex');
    expect(parseUtf8(event)).toBe(`{"specversion":"1.0","id":"sha256:${id}",${rest}`);
    expect(parseEvent(event, { maxBytes: 65_536 })).toMatchObject({ recordkind: 'audit' });
  });

  it('has another id for whatever else it says', () => {
    const facts = { digest, lengthBytes: 7 };
    const ids = [
      documentEvent(facts, options),
      documentEvent({ ...facts, name: 'a.pdf' }, options),
      documentEvent({ ...facts, name: 'b.pdf' }, options),
      documentEvent({ ...facts, lengthBytes: 8 }, options),
      documentEvent({ ...facts, digest: new Uint8Array(32) }, options),
      documentEvent(facts, { ...options, source: 'urn:example:other' }),
      documentEvent(facts, { ...options, time: '2026-11-24T08:00:00Z' }),
    ].map(event => JSON.parse(parseUtf8(event)).id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('documentsIn', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zegel-documents-'));
    for (const name of ['b', 'B', 'a/z', 'a/y', 'ab', 'é']) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await writeFile(join(folder, name), name);
    }
    await symlink(join(folder, 'b'), join(folder, 'link'));
    await symlink(folder, join(folder, 'loop'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function read(more: { names?: boolean } = {}) {
    const leftOut: string[] = [];
    const items = [];
    const all = { ...options, names: false, ...more, onLeftOut: (path: string) => leftOut.push(path) };
    for await (const item of documentsIn(folder, all)) items.push(item);
    return { items, leftOut };
  }

  it('goes through files in the order of their names, and leaves out links and pipes', async () => {
    const { items, leftOut } = await read();
    expect(items.map(({ label }) => label)).toEqual(['B', 'a/y', 'a/z', 'ab', 'b', 'é']);
    expect(items.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(leftOut).toEqual(['link', 'loop', 'pipe']);
    expect(await countDocuments(folder)).toBe(6);
  });

  it('names a document only where that is asked for', async () => {
    const named = async (names: boolean) =>
      (await read({ names })).items.map(item => (item.kind === 'event' ? parseUtf8(item.event) : ''));
    for (const event of await named(false)) expect(event).not.toMatch(/"name"|a\/y/);
    expect((await named(true))[1]).toContain('"name":"a/y"');
  });

  it('hashes what is in the file', async () => {
    const [first] = (await read()).items;
    if (first?.kind !== 'event') throw new Error('an event');
    const { data } = JSON.parse(parseUtf8(first.event));
    expect(data).toEqual({ sha256: createHash('sha256').update('B').digest('hex'), bytes: 1 });
  });

  it('takes a name that is no UTF-8 for no other file, and goes on', async context => {
    const odd = await mkdtemp(join(tmpdir(), 'zegel-names-'));
    try {
      await writeFile(join(odd, '\ufffd'), 'another');
      await writeFile(join(odd, 'with\nline feed'), '');
      const name = (byte: number) => Buffer.concat([Buffer.from(`${odd}/`), Buffer.of(byte)]);
      await writeFile(name(0xff), 'one').catch(() => context.skip('names must be text here'));
      await mkdir(name(0xfe));
      const seen = [];
      for await (const item of documentsIn(odd, { ...options, names: false, onLeftOut: () => undefined }))
        seen.push(item.kind === 'event' ? item.label : item.kind);
      expect(seen).toEqual(['with\nline feed', '\ufffd', 'refused', 'refused']);
      expect(await countDocuments(odd)).toBe(4);
    } finally {
      await rm(odd, { recursive: true });
    }
  });

  it('says which folder cannot be read', async () => {
    const items = documentsIn(join(folder, 'nowhere'), {
      ...options,
      names: false,
      onLeftOut: () => undefined,
    });
    await expect(items.next()).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('nowhere'),
    });
  });
});
