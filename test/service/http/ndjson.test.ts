import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { chunksOf as chunksOfBody } from '../../../service/http/chunks.ts';
import { Answers, LineReader } from '../../../service/http/ndjson.ts';

const noClock = { start: () => undefined, stop: () => undefined, moved: () => undefined };

async function* chunksOf(...texts: readonly string[]) {
  for (const text of texts) yield new Uint8Array(Buffer.from(text));
}

/** All lines of a body that comes in these pieces, as text or as what they are instead. */
async function linesOf(pieces: readonly string[], maxBytes = 100): Promise<string[]> {
  const reader = new LineReader(chunksOf(...pieces), noClock);
  const lines: string[] = [];
  for (let line = await reader.line(maxBytes); line !== undefined; line = await reader.line(maxBytes)) {
    lines.push(line.kind === 'whole' ? Buffer.from(line.bytes).toString() : `(${line.kind})`);
    if (line.kind === 'cut') break;
  }
  return lines;
}

describe('LineReader', () => {
  test.each([
    ['nothing', '', []],
    ['one line', 'a\n', ['a']],
    ['empty lines', '\n\na\n', ['', '', 'a']],
    ['a carriage return, which is a byte like others', 'a\r\n', ['a\r']],
    ['a last line without a line feed', 'a\nb', ['a', '(cut)']],
    [
      'a line that is too long, and one that is just not',
      `${'x'.repeat(101)}\n${'y'.repeat(100)}\n`,
      ['(long)', 'y'.repeat(100)],
    ],
  ])('reads %s, however it is cut into chunks', async (_, body, lines) => {
    expect(await linesOf([body])).toEqual(lines);
    for (const length of [1, 2, 3, 7, 64, 100]) {
      const pieces = body.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? [];
      expect(await linesOf(pieces)).toEqual(lines);
    }
  });

  test('gives credit for lines that it holds, and none for those that it reads away', async () => {
    let credit = 0;
    const clock = {
      ...noClock,
      moved: (bytes: number) => {
        credit += bytes;
      },
    };
    const reader = new LineReader(chunksOf('x'.repeat(60), 'x'.repeat(60), '\nab', 'c\n'), clock);
    expect((await reader.line(100))?.kind).toBe('long');
    expect(credit).toBe(0);
    await reader.line(100);
    expect(credit).toBe(4);
  });

  test('keeps a line that it gave as it was, whatever comes after', async () => {
    const reader = new LineReader(chunksOf('ab', 'cd\nefg', 'h\n'), noClock);
    const first = await reader.line(100);
    await reader.line(100);
    expect(first).toEqual({ kind: 'whole', bytes: new Uint8Array(Buffer.from('abcd')) });
  });

  test('does not write into the chunks', async () => {
    const chunk = new Uint8Array(Buffer.from('ab-----'));
    async function* chunks() {
      yield chunk.subarray(0, 2);
      yield new Uint8Array(Buffer.from('cd\n'));
    }
    await new LineReader(chunks(), noClock).line(100);
    expect(Buffer.from(chunk).toString()).toBe('ab-----');
  });

  test('gives a line up that does not end', async () => {
    async function* endless() {
      for (;;) yield new Uint8Array(1 << 20);
    }
    expect(await new LineReader(endless(), noClock).line(100)).toEqual({ kind: 'endless' });
  });

  test('has its clock run only while it waits, once for each line', async () => {
    const told: string[] = [];
    const clock = {
      start: () => told.push('start'),
      stop: () => told.push('stop'),
      moved: (bytes: number) => told.push(`${bytes}`),
    };
    const reader = new LineReader(chunksOf('a\nb\nc', 'd\n'), clock);
    for (let i = 0; i < 3; i++) await reader.line(100);
    expect(told).toEqual(['start', '0', '2', 'stop', '2', 'stop', 'start', '0', '3', 'stop']);
  });

  test.each(['late', 'stopping'] as const)(
    'ends at once when it is interrupted as %s, and for good',
    async reason => {
      let ended = 0;
      const forever: AsyncIterator<Uint8Array> = {
        next: () => waiting.promise,
        return: async () => {
          ended++;
          waiting.resolve({ done: true, value: undefined });
          return { done: true, value: undefined };
        },
      };
      const waiting = Promise.withResolvers<IteratorResult<Uint8Array>>();
      const reader = new LineReader(forever, noClock);
      const line = reader.line(100);
      reader.interrupt(reason);
      reader.interrupt('late');
      expect(await line).toBe(undefined);
      expect(await reader.line(100)).toBe(undefined);
      expect(reader.interruption).toBe(reason);
      expect(ended).toBe(1);
    },
  );

  test('says so of the line that had begun, and of no other', async () => {
    const body = new PassThrough();
    const reader = new LineReader(chunksOfBody(body), noClock);
    body.write('a\nb');
    await reader.line(100);
    const begun = reader.line(100);
    reader.interrupt('late');
    expect(await begun).toEqual({ kind: 'late' });
    expect(await reader.line(100)).toBe(undefined);
  });

  test('gives no line any more after an interruption, though some are there', async () => {
    const reader = new LineReader(chunksOf('a\nb\n'), noClock);
    expect(await reader.line(100)).toEqual({ kind: 'whole', bytes: new Uint8Array(Buffer.from('a')) });
    reader.interrupt('stopping');
    expect(await reader.line(100)).toEqual({ kind: 'stopping' });
    expect(await reader.line(100)).toBe(undefined);
  });

  test('asks for room before it holds a piece, and has the line too long where there is none', async () => {
    const reader = new LineReader(chunksOf('ab', 'cde', 'fgh', 'i\nj\n'), noClock);
    const asked: number[] = [];
    const hold = (bytes: number) => {
      asked.push(bytes);
      return bytes < 3;
    };
    expect(await reader.line(100, hold)).toEqual({ kind: 'long' });
    expect(asked.filter(bytes => bytes > 0)).toEqual([2, 3]);
    expect(await reader.line(100, hold)).toEqual({ kind: 'whole', bytes: new Uint8Array(Buffer.from('j')) });
  });

  test('passes on what the body fails with', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1);
      throw new Error('aborted');
    }
    await expect(new LineReader(failing(), noClock).line(100)).rejects.toThrow('aborted');
  });
});

describe('Answers', () => {
  async function allOf(answers: Answers): Promise<string> {
    let all = '';
    for await (const text of answers.text()) all += text;
    return all;
  }

  test('come in the order of their lines, whatever is ready first, and the last line last', async () => {
    const answers = new Answers(noClock);
    const waiting = Array.from({ length: 5 }, () => answers.add(1));
    answers.repeat('r', 2);
    answers.end(() => 'last');
    const all = allOf(answers);
    for (const i of [3, 1, 4, 0, 2]) {
      waiting[i]?.(String(i));
      await new Promise(setImmediate);
    }
    expect(await all).toBe('0\n1\n2\n3\n4\nr\nr\nlast\n');
  });

  test('make the last line only when all others are out', async () => {
    const answers = new Answers(noClock);
    let isOut = false;
    const answer = answers.add(1);
    setImmediate(() => {
      isOut = true;
      answer('a');
    });
    answers.end(() => String(isOut));
    expect(await allOf(answers)).toBe('a\ntrue\n');
  });

  test.each([
    ['a thousand answers', 1_000, 1],
    ['two megabytes of lines', 4, 1 << 19],
  ])('let no more than %s be under way', async (_, count, weight) => {
    const answers = new Answers(noClock);
    let added = 0;
    const adding = (async () => {
      while (added < 2 * count && (await answers.room())) {
        answers.add(weight)('a');
        added++;
      }
      answers.end(() => 'last');
    })();
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    expect(added).toBe(count);
    expect(await allOf(answers)).toBe(`${'a\n'.repeat(2 * count)}last\n`);
    await adding;
    expect(added).toBe(2 * count);
  });

  test.each([
    ['answers', (answers: Answers, text: string) => answers.add(1)(text)],
    ['repeated answers', (answers: Answers, text: string) => answers.repeat(text, 2)],
  ])('let no more than two megabytes of %s wait, however short the lines were', async (_, give) => {
    const answers = new Answers(noClock);
    const text = 'x'.repeat(1 << 17);
    let given = 0;
    const giving = (async () => {
      while (given < 100 && (await answers.room())) {
        give(answers, text);
        given++;
      }
      answers.end(() => 'last');
    })();
    for (let i = 0; i < 200; i++) await new Promise(setImmediate);
    expect(given).toBeLessThan(20);
    expect((await allOf(answers)).endsWith('x\nlast\n')).toBe(true);
    await giving;
    expect(given).toBe(100);
  });

  test('repeat a line without holding it so many times', async () => {
    const answers = new Answers(noClock);
    answers.repeat('x'.repeat(1_000), 65_536);
    answers.end(() => 'last');
    let longest = 0;
    let count = 0;
    for await (const text of answers.text()) {
      longest = Math.max(longest, text.length);
      count += text.split('\n').length - 1;
    }
    expect(count).toBe(65_537);
    expect(longest).toBeLessThan(40_000);
  });

  test('let nobody wait for room or for an answer once they are cancelled', async () => {
    const answers = new Answers(noClock);
    for (let i = 0; i < 1_000; i++) answers.add(1);
    const room = answers.room();
    answers.cancel();
    expect(await room).toBe(false);
    expect(await allOf(answers)).toBe('');
  });
});
