import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../merkle/bytes.ts';
import { maxLines, readEvent, visible, visibleLine } from '../../../service/web/event.ts';

describe('readEvent', () => {
  it('gives every value with its path, numbers as they were spelt', () => {
    const text = '{"id":"a","data":{"amount":{"value":12.50},"list":[true,null,[]],"none":{}}}';
    expect(readEvent(utf8(text))).toEqual({
      text,
      lines: [
        { path: ['id'], value: 'a' },
        { path: ['data', 'amount', 'value'], value: '12.50' },
        { path: ['data', 'list', '1'], value: 'true' },
        { path: ['data', 'list', '2'], value: 'null' },
        { path: ['data', 'list', '3'], value: '[]' },
        { path: ['data', 'none'], value: '{}' },
      ],
      more: 0,
    });
  });

  it('gives no more lines than can be read, and says how many there are', () => {
    const event = readEvent(utf8(JSON.stringify({ data: Array.from({ length: maxLines + 7 }, () => 1) })));
    expect(event.lines).toHaveLength(maxLines);
    expect(event.more).toBe(7);
  });
});

describe('visible', () => {
  it.each([
    ['\u001b[31m', '\\u{1b}[31m'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['a\u200bb', 'a\\u{200b}b'],
    ['a\u2028b', 'a\\u{2028}b'],
    ['a\u0000b', 'a\\u{0}b'],
    ['a\u{e0041}b', 'a\\u{e0041}b'],
    ['OVO\ufe0f1', 'OVO\\u{fe0f}1'],
    ['a\u034fb', 'a\\u{34f}b'],
    ['a\u2800b', 'a\\u{2800}b'],
    ['\ud800', '\ufffd'],
    ['é ß 漢 🙂', 'é ß 漢 🙂'],
    ['a\tb\nc', 'a\tb\nc'],
  ])('shows %j as %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('keeps one line on one line', () => {
    expect(visibleLine('a\nb\tc')).toBe('a\\u{a}b\\u{9}c');
  });
});
