import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { documentEvent } from '../../../scripts/documents.ts';
import { compare, isOther } from '../../../service/web/comparison.ts';
import { anEvent } from '../../helpers/builders.ts';

const file = (content: string | Uint8Array) => new Blob([new Uint8Array(Buffer.from(content))]);
const content = '%PDF-1.7 a decision';
const digest = createHash('sha256').update(content).digest();

describe('compare', () => {
  it('knows the event itself, byte for byte', async () => {
    expect(await compare(anEvent(), file(anEvent()))).toEqual({ kind: 'event' });
  });

  it('knows the same event in another spelling, and no other', async () => {
    const event = anEvent({ data: { a: 1, b: [true] } });
    const value = JSON.parse(new TextDecoder().decode(event));
    const turned = Object.fromEntries(Object.entries(value).reverse());
    expect(await compare(event, file(JSON.stringify(turned, null, 2)))).toEqual({ kind: 'event-respelt' });
    for (const data of [{ a: 1, b: [false] }, { a: 1 }, { a: 1, b: [true], c: 1 }, { a: 2, b: [true] }]) {
      const found = await compare(event, file(JSON.stringify({ ...value, data })));
      expect(found).toEqual({ kind: 'other-event' });
      expect(isOther(found)).toBe(true);
    }
    for (const [spelt, kind] of [
      ['1.0', 'event-respelt'],
      ['1e0', 'event-respelt'],
      ['0.1E+1', 'event-respelt'],
      ['100e-2', 'event-respelt'],
      ['-1', 'other-event'],
      ['10', 'other-event'],
      ['1.0000000000000000001', 'other-event'],
      ['1e99999999999999999999', 'other-event'],
    ] as const) {
      const other = new TextDecoder().decode(event).replace('"a":1', `"a":${spelt}`);
      expect(await compare(event, file(other)), spelt).toEqual({ kind });
    }
  });

  it('knows a document by what zegel submit --documents says of it', async () => {
    const options = { source: 'https://permits.example/documents', time: '1970-01-01T00:00:00Z' };
    const event = documentEvent({ digest: new Uint8Array(digest), lengthBytes: content.length }, options);
    expect(await compare(event, file(content))).toEqual({ kind: 'document', path: ['data', 'sha256'] });
    const found = await compare(event, file(`${content} `));
    expect(found).toEqual({ kind: 'other-document' });
    expect(isOther(found)).toBe(true);
  });

  it.each(['hex', 'base64', 'base64url'] as const)(
    'finds a fingerprint in %s wherever it stands',
    async form => {
      const event = anEvent({ data: { attachments: [{ hash: digest.toString(form) }] } });
      const path = ['data', 'attachments', '1', 'hash'];
      expect(await compare(event, file(content))).toEqual({ kind: 'document', path });
    },
  );

  it('finds one with a word before it, in capitals', async () => {
    const event = anEvent({ data: { hash: `SHA256:${digest.toString('hex').toUpperCase()}` } });
    expect(await compare(event, file(content))).toMatchObject({ kind: 'document' });
  });

  it('says nothing of a file that the event does not name, and nothing without an event', async () => {
    const found = await compare(anEvent(), file(content));
    expect(found).toEqual({ kind: 'no-fingerprint' });
    expect(isOther(found)).toBe(false);
    expect(await compare(undefined, file(content))).toEqual({ kind: 'no-event' });
  });
});
