import { describe, expect, it } from 'vitest';
import { parseUtf8, utf8 } from '../../../merkle/bytes.ts';
import { linesOf } from '../../../service/client/lines.ts';

async function* inChunks(text: string, length: number): AsyncGenerator<Uint8Array> {
  const bytes = utf8(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function read(text: string, chunkLength: number, maxBytes = 10) {
  const lines: (readonly [number, string | undefined, number, boolean])[] = [];
  for await (const { number, bytes, lengthBytes, isWhole } of linesOf(inChunks(text, chunkLength), maxBytes))
    lines.push([number, bytes && parseUtf8(bytes), lengthBytes, isWhole]);
  return lines;
}

describe('linesOf', () => {
  for (const chunkLength of [1, 2, 3, 7, 100]) {
    it(`reads lines whatever the chunks, here of ${chunkLength}`, async () => {
      expect(await read('one\n\né\r\nlast', chunkLength)).toEqual([
        [1, 'one', 3, true],
        [2, '', 0, true],
        [3, 'é\r', 3, true],
        [4, 'last', 4, false],
      ]);
      expect(await read('', chunkLength)).toEqual([]);
      expect(await read('\n', chunkLength)).toEqual([[1, '', 0, true]]);
    });

    it(`reads a line away that is too long, and none but that, in chunks of ${chunkLength}`, async () => {
      expect(await read(`a\n${'b'.repeat(11)}\n${'c'.repeat(10)}\n`, chunkLength)).toEqual([
        [1, 'a', 1, true],
        [2, undefined, 11, true],
        [3, 'c'.repeat(10), 10, true],
      ]);
    });
  }

  it('does not hold the chunk that a line came in', async () => {
    for await (const { bytes } of linesOf(inChunks('abc\ndef\n', 8), 10))
      expect(bytes?.buffer.byteLength).toBe(3);
  });
});
