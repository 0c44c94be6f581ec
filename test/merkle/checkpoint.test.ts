import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBase64 } from '../../merkle/bytes.ts';
import { formatCheckpoint, originLine, parseCheckpoint, readCheckpoint } from '../../merkle/checkpoint.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { parseVerifierKey, type VerifierKey, verifyNote } from '../../merkle/note.ts';

const root = new Uint8Array(32).map((_, i) => 3 * i);
const rootText = 'AAMGCQwPEhUYGx4hJCcqLTAzNjk8P0JFSEtOUVRXWl0=';
const text = `ledger.example/2026\n257\n${rootText}\n`;
const signature = `\n— witness.example/w1 ${formatBase64(new Uint8Array(68))}\n`;

function faultOf(read: () => unknown): unknown {
  try {
    read();
  } catch (error) {
    return error;
  }
  return 'accepted';
}

describe('formatCheckpoint and parseCheckpoint', () => {
  test('write origin, size and root on a line each', () => {
    const checkpoint = { origin: 'ledger.example/2026', size: 257, root };
    expect(formatCheckpoint(checkpoint)).toBe(text);
    expect(parseCheckpoint(text)).toEqual(checkpoint);
  });

  test('give back each checkpoint', () => {
    const anOrigin = fc.string({ unit: 'grapheme', minLength: 1 }).filter(origin => !origin.includes('\n'));
    fc.assert(
      fc.property(
        anOrigin,
        fc
          .oneof(fc.maxSafeNat(), fc.nat(1000), fc.constant(Number.MAX_SAFE_INTEGER))
          .filter(size => size > 0),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (origin, size, root) => {
          expect(parseCheckpoint(formatCheckpoint({ origin, size, root }))).toEqual({ origin, size, root });
        },
      ),
    );
  });

  test('read no text that they would not write', () => {
    const aLine = fc.constantFrom(
      'a',
      '',
      '1',
      '257',
      '01',
      '+1',
      '1 ',
      '1e2',
      rootText,
      rootText.slice(1),
      ' ',
      'a\r',
    );
    fc.assert(
      fc.property(fc.array(aLine, { maxLength: 5 }), fc.constantFrom('', '\n'), (lines, end) => {
        const any = lines.join('\n') + end;
        const got = faultOf(() => expect(formatCheckpoint(parseCheckpoint(any))).toBe(any));
        if (got !== 'accepted') expect(got).toBeInstanceOf(FormatError);
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[string, string, string, RegExp]>([
    ['nothing', '', '', /0 lines, want 3/],
    ['two lines', 'ledger.example/2026\n257\n', '', /2 lines, want 3/],
    ['no line feed at the end', text.slice(0, -1), '', /2 lines, want 3/],
    ['a line that does not end', `${text}x`, '', /3 lines, want 3, each ended by a line feed/],
    ['an extension line', `${text}extension\n`, '', /4 lines, want 3/],
    ['a blank line at the end', `${text}\n`, '', /4 lines, want 3/],
    ['a blank line between', text.replace('257\n', '257\n\n'), '', /4 lines, want 3/],
    ['no origin', text.replace('ledger.example/2026', ''), 'line 1', /the origin is empty/],
    ['no size', text.replace('257', ''), 'line 2', /"" is not a size/],
    [
      'size 0',
      text.replace('257', '0'),
      'line 2',
      /"0" is not a size, want 1 to 2\^53 - 1 in decimal digits/,
    ],
    ['size 2^53', text.replace('257', '9007199254740992'), 'line 2', /"9007199254740992" is not a size/],
    ['a size far beyond', text.replace('257', '9'.repeat(400)), 'line 2', /is not a size/],
    ['a negative size', text.replace('257', '-257'), 'line 2', /"-257" is not a size/],
    ['a size with a plus', text.replace('257', '+257'), 'line 2', /is not a size/],
    ['a size with a leading zero', text.replace('257', '0257'), 'line 2', /is not a size/],
    ['a size in hexadecimal', text.replace('257', '0x101'), 'line 2', /is not a size/],
    ['a size with an exponent', text.replace('257', '2.57e2'), 'line 2', /is not a size/],
    ['a size with a fraction', text.replace('257', '257.0'), 'line 2', /is not a size/],
    ['a space behind the size', text.replace('257', '257 '), 'line 2', /is not a size/],
    ['a space before the size', text.replace('257', ' 257'), 'line 2', /is not a size/],
    ['digits of another script', text.replace('257', '٢٥٧'), 'line 2', /is not a size/],
    ['a carriage return', text.replace('257', '257\r'), 'line 2', /is not a size/],
    [
      'a root of 31 bytes',
      text.replace(/.{44}\n$/, `${formatBase64(root.slice(1))}\n`),
      'line 3',
      /31 bytes, want 32/,
    ],
    ['a root of 33 bytes', text.replace(/=\n$/, 'A\n'), 'line 3', /33 bytes, want 32/],
    ['no root', text.replace(/.{44}\n$/, '\n'), 'line 3', /0 bytes, want 32/],
    ['a root without padding', text.replace('=', ''), 'line 3', /is not canonical base64/],
    ['a root with unused bits set', text.replace('0=', '1='), 'line 3', /is not canonical base64/],
    ['a root in base64url', text.replace('Wl0=', 'W_0='), 'line 3', /is not canonical base64/],
    ['a root in hexadecimal', text.replace(/.{44}\n$/, `${'0'.repeat(64)}\n`), 'line 3', /48 bytes, want 32/],
  ])('refuse %s', (_what, wrong, place, message) => {
    expect(wrong).not.toBe(text);
    expect(faultOf(() => parseCheckpoint(wrong))).toBeInstanceOf(FormatError);
    expect(faultOf(() => parseCheckpoint(wrong))).toMatchObject({
      issues: [{ place, message: expect.stringMatching(message) }],
    });
  });
});

describe('readCheckpoint and originLine', () => {
  test('take a checkpoint out of a note without asking who signed it', () => {
    expect(readCheckpoint(`${text}${signature}`)).toEqual({ origin: 'ledger.example/2026', size: 257, root });
    expect(originLine(`${text}${signature}`)).toBe('ledger.example/2026');
  });

  test('refuse a note that is none, and a note about something else', () => {
    expect(faultOf(() => readCheckpoint(text))).toBeInstanceOf(FormatError);
    expect(faultOf(() => readCheckpoint(`${text}\n${signature}`))).toMatchObject({
      issues: [{ place: '', message: 'the checkpoint has 4 lines, want 3, each ended by a line feed' }],
    });
    expect(faultOf(() => readCheckpoint(`hello\n${signature}`))).toBeInstanceOf(FormatError);
  });

  test('find an origin line in anything', () => {
    expect(originLine('')).toBe('');
    expect(originLine('ledger.example/2026')).toBe('ledger.example/2026');
    expect(originLine('\nledger.example/2026\n')).toBe('');
    expect(originLine('a,b\nc')).toBe('a,b');
  });
});

const vectors = new URL('../../../shared/vectors/receipts/', import.meta.url);
const present = existsSync(vectors);

type Vector = {
  name: string;
  finding: string | undefined;
  verdict: string;
  checkpoint: string;
  known: VerifierKey[];
};

/** The cases with one of these beginnings that have a receipt as an object, and the keys in their trust file. */
function readVectors(...beginnings: readonly string[]): Vector[] {
  return readdirSync(vectors)
    .filter(file => file.endsWith('.json') && beginnings.some(beginning => file.startsWith(beginning)))
    .map(file => ({ file, vector: JSON.parse(readFileSync(new URL(file, vectors), 'utf8')) }))
    .filter(({ vector }) => vector.receipt !== undefined)
    .map(({ file, vector }) => {
      const trust = JSON.parse(readFileSync(new URL(`trust/${vector.trust}`, vectors), 'utf8'));
      const logs: { verifierKeys: { key: string }[] }[] = trust.logs;
      return {
        name: file.replace(/\.json$/, ''),
        finding: vector.finding,
        verdict: vector.expect.verdict,
        checkpoint: vector.receipt.checkpoint,
        known: logs.flatMap(({ verifierKeys }) => verifierKeys.map(({ key }) => parseVerifierKey(key))),
      };
    });
}

describe.skipIf(!present)(`vectors/receipts${present ? '' : ' (skipped: ../shared is absent)'}`, () => {
  test('every checkpoint of a good receipt is read and signed by a known key', () => {
    const good = readVectors('valid-', 'pending-').filter(({ verdict }) => verdict !== 'does-not-match');
    expect(good.length).toBeGreaterThan(80);
    for (const { name, checkpoint, known } of good) {
      const { origin, size, root } = readCheckpoint(checkpoint);
      expect(checkpoint.startsWith(formatCheckpoint({ origin, size, root })), name).toBe(true);
      expect(originLine(checkpoint), name).toBe(origin);
      expect(
        verifyNote(checkpoint, known).some(key => key.name === origin),
        name,
      ).toBe(true);
    }
  });

  test('every checkpoint that cannot be read is refused as a fault of form', () => {
    const unreadable = readVectors('checkpoint-').filter(
      ({ finding }) => finding === 'unreadable-checkpoint',
    );
    expect(unreadable).toHaveLength(27);
    for (const { name, checkpoint } of unreadable)
      expect(
        faultOf(() => readCheckpoint(checkpoint)),
        name,
      ).toBeInstanceOf(FormatError);
  });

  test('every other one can be read, and is refused for its signatures or by what the trust file says of its key', () => {
    const readable = readVectors('checkpoint-').filter(({ finding }) => finding !== 'unreadable-checkpoint');
    const nobody = /^no known key has signed the note$/;
    const bad = /Ed25519/;
    const refusals: Record<string, RegExp | 'accepted'> = {
      'checkpoint-all-other-chain': nobody,
      'checkpoint-cosignature-only': nobody,
      'checkpoint-key-id-changed': nobody,
      'checkpoint-known-key-other-name': nobody,
      'checkpoint-unknown-key': nobody,
      'checkpoint-unknown-origin': nobody,
      'checkpoint-key-beyond-its-size-bad': bad,
      'checkpoint-not-yet-anchored': bad,
      'checkpoint-origin-changed': bad,
      'checkpoint-other-log-signed-badly': bad,
      'checkpoint-second-key-bad': bad,
      'checkpoint-signature-bit-flipped': bad,
      'checkpoint-signature-of-other-text': bad,
      'checkpoint-signature-truncated': bad,
      'checkpoint-size-changed': bad,
      'checkpoint-same-key-twice': /signed twice$/,
      'checkpoint-same-key-twice-second-bad': /signed twice$/,
      'checkpoint-signature-unused-bits': /is not canonical base64$/,
      // Signed well by a known key: which log it speaks for, and up to which size, is in the trust file.
      'checkpoint-key-beyond-its-size': 'accepted',
      'checkpoint-log-closed': 'accepted',
      'checkpoint-other-logs-key': 'accepted',
    };
    expect(readable.map(({ name }) => name).sort()).toEqual(Object.keys(refusals).sort());
    for (const { name, checkpoint, known } of readable) {
      readCheckpoint(checkpoint);
      const got = faultOf(() => verifyNote(checkpoint, known));
      const want = refusals[name];
      if (want instanceof RegExp) {
        expect(got, name).toBeInstanceOf(ProofError);
        expect(got, name).toMatchObject({ message: expect.stringMatching(want) });
      } else expect(got, name).toBe(want);
    }
  });
});
