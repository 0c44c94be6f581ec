import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../merkle/bytes.ts';
import { formatTrust } from '../../../merkle/trust.ts';
import { kindOf } from '../../../service/web/kind.ts';
import { anEvent } from '../../helpers/builders.ts';
import { aTrust, forge } from '../../helpers/forge.ts';

describe('kindOf', () => {
  it('knows a receipt, also a bad one', async () => {
    const { bytes } = await forge();
    expect(kindOf(bytes)).toBe('receipt');
    expect(kindOf(utf8('{"entry":1,"specversion":"1.0"}'))).toBe('receipt');
  });

  it.each([
    ['%PDF-1.7', 'document'],
    ['PK\x03\x04', 'document'],
    ['\x89PNG\r\n', 'document'],
    ['<html>', 'document'],
    ['\xef\xbb\xbf<?xml', 'document'],
    ['{"chains":[],"logs":[]}', 'trust'],
    ['{"checkpoints":[]}', 'fork'],
    ['', 'unknown'],
    ['hello', 'unknown'],
    ['[]', 'unknown'],
    ['{"entry"', 'unknown'],
  ])('takes %j for: %s', (text, kind) => {
    expect(kindOf(Uint8Array.from(Buffer.from(text, 'latin1')))).toBe(kind);
  });

  it('knows an event and a trust file', () => {
    expect(kindOf(anEvent())).toBe('event');
    expect(kindOf(anEvent({ evidence: 'photo' }))).toBe('event');
    expect(kindOf(utf8(formatTrust(aTrust())))).toBe('trust');
  });
});
