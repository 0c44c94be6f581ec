import { describe, expect, it } from 'vitest';
import { parsePrintedLine } from '../../../service/audit/printed-line.ts';
import { ForgedLog } from '../../helpers/forged-log.ts';

const log = await ForgedLog.open();
const line = log.addRecord().trimEnd();
const batched = log
  .addRecord({
    batch: { salt: new Uint8Array(32), index: 3, path: [new Uint8Array(32), new Uint8Array(32)] },
  })
  .trimEnd();
const rsa = log.addRecord({ alg: 'RS256' }).trimEnd();
const erased = log.line(1, null).trimEnd();
const read = (text: string) => parsePrintedLine(Buffer.from(text));

describe('parsePrintedLine', () => {
  it('reads what is printed', () => {
    for (const text of [line, batched, rsa, erased]) expect(read(text), text).toBeDefined();
    expect(read(batched)?.record?.batch).toMatchObject({ index: 3, path: { length: 2 } });
    expect(read(erased)).toMatchObject({ index: 1, record: null });
  });

  it('reads nothing else: every character changed, dropped or added is refused, or read as what it says', () => {
    for (const text of [line, batched, erased]) {
      for (let at = 0; at < text.length; at++)
        for (const changed of [
          `${text.slice(0, at)}${text.slice(at + 1)}`,
          `${text.slice(0, at)}0${text.slice(at + 1)}`,
          `${text.slice(0, at)} ${text.slice(at)}`,
        ]) {
          const found = read(changed);
          if (found === undefined || changed === text) continue;
          // It was printed again to the very same text, so it is another record in its one spelling.
          expect(found).not.toEqual(read(text));
        }
    }
  });

  it('leaves duplicates, other orders, other spellings and invalid UTF-8 to the strict reader', () => {
    for (const wrong of [
      line.replace('{"leafHash"', '{"index":1,"leafHash"'),
      line.replace('"index":1', '"index":1.0'),
      line.replace('"index":1', '"index":1e0'),
      line.replace('"kty"', '"k\\u0074y"'),
      line.replace('"record":{', '"record":{"more":1,'),
      line.replace('"record":{', '"record":{"__proto__":{},'),
      `${line} `,
      '',
      'null',
      '[]',
      '{}',
    ])
      expect(read(wrong), wrong).toBeUndefined();
    const bytes = Buffer.from(line);
    const at = bytes.indexOf('"statement":"') + 14;
    expect(
      parsePrintedLine(Buffer.concat([bytes.subarray(0, at), Buffer.of(0xff), bytes.subarray(at)])),
    ).toBeUndefined();
  });
});
