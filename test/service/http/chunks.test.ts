import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { chunksOf } from '../../../service/http/chunks.ts';

async function all(chunks: AsyncIterator<Uint8Array>): Promise<string> {
  let text = '';
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
    text += Buffer.from(next.value).toString();
  return text;
}

describe('chunksOf', () => {
  test('gives all of a body, in order, whether it is there or comes later', async () => {
    const body = new PassThrough();
    body.write('ab');
    const read = all(chunksOf(body));
    for (const text of ['c', 'de', 'f']) {
      await new Promise(setImmediate);
      body.write(text);
    }
    body.end('g');
    expect(await read).toBe('abcdefg');
  });

  test('throws where the body breaks off', async () => {
    for (const error of [new Error('reset'), undefined]) {
      const body = new PassThrough();
      const chunks = chunksOf(body);
      body.write('ab');
      await chunks.next();
      const next = chunks.next();
      body.destroy(error);
      await expect(next).rejects.toThrow(error?.message ?? 'the body breaks off');
    }
  });

  test('ends a wait with the iteration, and leaves the body to be read by others', async () => {
    const body = new PassThrough();
    const chunks = chunksOf(body);
    const next = chunks.next();
    await chunks.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    await new Promise(setImmediate);
    let rest = '';
    body.on('data', chunk => {
      rest += chunk;
    });
    body.end('rest');
    await new Promise(resolve => body.once('end', resolve));
    expect(rest).toBe('rest');
    expect(body.listenerCount('readable') + body.listenerCount('error')).toBe(0);
  });
});
