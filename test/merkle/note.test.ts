import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, formatBase64, formatHex, parseBase64, parseUtf8, utf8 } from '../../merkle/bytes.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import {
  formatVerifierKey,
  type NoteSigner,
  parseNote,
  parseVerifierKey,
  signNote,
  type VerifierKey,
  verifierKey,
  verifyNote,
} from '../../merkle/note.ts';

/** A signer with OpenSSL's Ed25519, always the same one for a name and a number. */
function aSigner({ name = 'ledger.example/2026', number = 1 } = {}): NoteSigner {
  const privateKey = createPrivateKey({
    key: Buffer.from([...Buffer.from('302e020100300506032b657004220420', 'hex'), ...Array(32).fill(number)]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return {
    key: verifierKey(name, new Uint8Array(publicKey)),
    sign: async message => new Uint8Array(sign(null, message, privateKey)),
  };
}

const text = 'ledger.example/2026\n257\n3bxtEYv1MNucyxjEmYMS+y5pHLzs81ICqJrKuaa0tkE=\n';

/** The signature line of a signer, without its line feed. */
async function aLine(signer: NoteSigner, signed = text): Promise<string> {
  return (await signNote(signed, signer)).slice(signed.length + 1, -1);
}

function aNote(...lines: readonly string[]): string {
  return `${text}\n${lines.map(line => `${line}\n`).join('')}`;
}

/** A line that is well formed, and says nothing. */
function anUnknownLine(name: string, bytes: Uint8Array = new Uint8Array(76).fill(7)): string {
  return `— ${name} ${formatBase64(bytes)}`;
}

function faultOf(read: () => unknown): Error {
  try {
    read();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('accepted');
}

describe('verifierKey, formatVerifierKey and parseVerifierKey', () => {
  // The example of C2SP signed-note.
  const example = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';

  test('read the example of the standard, and derive its id', () => {
    const key = parseVerifierKey(example);
    expect(key.name).toBe('example.com/foo');
    expect(formatHex(key.keyId)).toBe('530d903a');
    expect(formatVerifierKey(key)).toBe(example);
    expect(verifierKey(key.name, key.publicKey)).toEqual(key);
  });

  test('give back each key', () => {
    const aName = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter(name => !/[\p{White_Space}+]/u.test(name));
    fc.assert(
      fc.property(aName, fc.uint8Array({ minLength: 32, maxLength: 32 }), (name, publicKey) => {
        const key = verifierKey(name, publicKey);
        expect(parseVerifierKey(formatVerifierKey(key))).toEqual(key);
      }),
    );
  });

  test('take a key apart whose base64 has plus signs', () => {
    const key = verifierKey('a', new Uint8Array(32).fill(0xfb));
    expect(formatVerifierKey(key)).toMatch(/^a\+[0-9a-f]{8}\+.*\+/);
    expect(parseVerifierKey(formatVerifierKey(key))).toEqual(key);
  });

  test('read no key with one character changed, but for the name and so the id', () => {
    for (let i = 0; i < example.length; i++)
      for (const character of ['A', '0', '+', ' ', '='])
        if (example[i] !== character) {
          const changed = example.slice(0, i) + character + example.slice(i + 1);
          expect(
            faultOf(() => parseVerifierKey(changed)),
            changed,
          ).toBeInstanceOf(FormatError);
        }
  });

  test.each([
    ['', 'nothing'],
    ['example.com/foo', 'a name only'],
    ['example.com/foo+530d903a', 'no key'],
    ['+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'no name'],
    ['example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'an id in capitals'],
    ['example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n', 'a line feed'],
    ['example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'the id of another key'],
    ['example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k', 'a key of another type'],
    ['example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==', 'a key of 31 bytes'],
  ])('refuse "%s": %s', key => {
    expect(faultOf(() => parseVerifierKey(key))).toBeInstanceOf(FormatError);
  });

  test('say of a key of another type that it is one', () => {
    const cosigner = 'example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
    expect(faultOf(() => parseVerifierKey(cosigner)).message).toMatch(/is not an Ed25519 verifier key$/);
  });

  test.each(['', 'a b', 'a+b', 'a\tb', 'a\u00a0b', 'a\u3000b', 'a\u0085b', 'a\nb', 'a\ud800'])(
    'refuse the name %j',
    name => {
      expect(faultOf(() => verifierKey(name, new Uint8Array(32)))).toBeInstanceOf(FormatError);
    },
  );
});

describe('signNote', () => {
  test('gives text, blank line and one line with key id and signature', async () => {
    const signer = aSigner();
    const signed = await signNote(text, signer);
    const [, name, encoded] = /^— (\S+) (\S+)\n$/.exec(signed.slice(text.length + 1)) ?? [];
    expect(signed.startsWith(`${text}\n`)).toBe(true);
    expect(name).toBe('ledger.example/2026');
    expect(parseBase64(encoded ?? '')).toEqual(concatBytes(signer.key.keyId, await signer.sign(utf8(text))));
  });

  test('is what verifyNote accepts, whatever the text', async () => {
    const signer = aSigner();
    const aLineOfText = fc.string({ unit: 'grapheme' }).filter(line => !/[\u0000-\u001f]/.test(line));
    await fc.assert(
      fc.asyncProperty(fc.array(aLineOfText, { minLength: 1, maxLength: 6 }), async lines => {
        const any = `${lines.join('\n')}\n`;
        const signed = await signNote(any, signer);
        expect(parseNote(signed)).toMatchObject({
          text: any,
          signatures: [{ name: signer.key.name, keyId: signer.key.keyId, isCanonical: true }],
        });
        expect(verifyNote(signed, [signer.key])).toEqual([signer.key]);
      }),
      { numRuns: 30 },
    );
  });

  test.each(['', 'no line feed', 'a\r\n', 'a\tb\n', 'a\u0000\n', 'a\ud800\n'])(
    'refuses the text %j',
    async bad => {
      await expect(signNote(bad, aSigner())).rejects.toThrow(/a note is text/);
    },
  );

  test('refuses a signer that gives something else than 64 bytes', async () => {
    const signer = { key: aSigner().key, sign: async () => new Uint8Array(72) };
    await expect(signNote(text, signer)).rejects.toThrow('the signer gave 72 bytes, want 64');
  });
});

describe('parseNote', () => {
  test('takes every signature line, known or not, in order', async () => {
    const signed = aNote(anUnknownLine('witness.example/w1'), await aLine(aSigner()));
    const { text: got, signatures } = parseNote(signed);
    expect(got).toBe(text);
    expect(signatures.map(({ name }) => name)).toEqual(['witness.example/w1', 'ledger.example/2026']);
    expect(signatures[0]).toEqual({
      name: 'witness.example/w1',
      keyId: new Uint8Array(4).fill(7),
      signature: new Uint8Array(72).fill(7),
      isCanonical: true,
    });
  });

  test('splits at the last blank line, so that the text may have some', () => {
    expect(parseNote(`one\n\ntwo\n\n${anUnknownLine('k')}\n`).text).toBe('one\n\ntwo\n');
    expect(parseNote(`${text}\n\n${anUnknownLine('k')}\n`).text).toBe(`${text}\n`);
    expect(parseNote(`\n\n${anUnknownLine('k')}\n`).text).toBe('\n');
  });

  test('says which lines are not canonical base64 and goes on', () => {
    const { signatures } = parseNote(
      aNote('— k AAAAAAB=', '— k AAAAAAA=', '— k AAAAAAAC', '— k AAAAAAAAAC=='),
    );
    expect(signatures.map(({ isCanonical }) => isCanonical)).toEqual([false, true, true, false]);
    expect(signatures[0]?.signature).toEqual(Uint8Array.of(0));
  });

  const good = anUnknownLine('k');
  test.each<[string, string, string, RegExp]>([
    ['nothing', '', '', /no blank line before its signatures/],
    ['the text only', text, '', /no blank line before its signatures/],
    ['no blank line', `${text}${good}\n`, '', /no blank line before its signatures/],
    ['no signature', `${text}\n`, '', /0 signatures, want 1 to 100/],
    ['no line feed at the end', aNote(good).slice(0, -1), '', /does not end in a line feed/],
    ['a line feed more at the end', `${aNote(good)}\n`, '', /0 signatures, want 1 to 100/],
    ['text behind the signatures', aNote(good, 'hello'), 'signature line 2', /"hello" is not a dash/],
    ['carriage returns', aNote(good).replaceAll('\n', '\r\n'), '', /control character/],
    ['a tab', aNote(good, '— witness.example/w1\t AAAAAAAA'), '', /control character/],
    ['a zero byte', `\u0000${aNote(good)}`, '', /control character/],
    ['an escape', `\u001b[2J${aNote(good)}`, '', /control character/],
    ['a lone surrogate', `\udc00${aNote(good)}`, '', /lone surrogate/],
    ['a hyphen for the dash', aNote(good.replace('—', '-')), 'signature line 1', /is not a dash/],
    ['a shorter dash', aNote(good.replace('—', '–')), 'signature line 1', /is not a dash/],
    ['no space behind the dash', aNote(good.replace('— ', '—')), 'signature line 1', /is not a dash/],
    ['two spaces behind the dash', aNote(good.replace('— ', '—  ')), 'signature line 1', /is not a dash/],
    ['two spaces behind the name', aNote(good.replace('k ', 'k  ')), 'signature line 1', /is not a dash/],
    ['a space at the end', aNote(`${good} `), 'signature line 1', /is not a dash/],
    ['a space before', aNote(` ${good}`), 'signature line 1', /is not a dash/],
    ['no name', aNote(good.replace('k', '')), 'signature line 1', /is not a dash/],
    ['a name with a plus', aNote(good.replace('k', 'k+1')), 'signature line 1', /is not a dash/],
    ['a name with a wide space', aNote(good.replace('k', 'k\u3000')), 'signature line 1', /is not a dash/],
    ['a name and nothing', aNote('— k'), 'signature line 1', /0 bytes, want a key id of 4 and a signature/],
    [
      'a name and no base64',
      aNote('— k '),
      'signature line 1',
      /0 bytes, want a key id of 4 and a signature/,
    ],
    ['what is no base64', aNote('— k !'), 'signature line 1', /is not a dash/],
    ['base64url', aNote('— k _-AAAAAA'), 'signature line 1', /is not a dash/],
    ['base64 without padding', aNote('— k AAAAAAA'), 'signature line 1', /is not a dash/],
    ['base64 with too much padding', aNote('— k AAAAA==='), 'signature line 1', /is not a dash/],
    ['base64 with padding inside', aNote('— k AAAA=AAA'), 'signature line 1', /is not a dash/],
    ['a key id and no signature', aNote('— k AAAAAA=='), 'signature line 1', /4 bytes, want a key id/],
    ['less than a key id', aNote('— k AAAA'), 'signature line 1', /3 bytes, want a key id/],
  ])('refuses %s', (_what, signed, place, message) => {
    const fault = faultOf(() => parseNote(signed));
    expect(fault).toBeInstanceOf(FormatError);
    expect(fault).toMatchObject({ issues: [{ place, message: expect.stringMatching(message) }] });
  });

  test('reads a hundred signatures and not one more', () => {
    const lines = Array.from({ length: 100 }, (_, i) => anUnknownLine(`w${i}`));
    expect(parseNote(aNote(...lines)).signatures).toHaveLength(100);
    expect(faultOf(() => parseNote(aNote(...lines, good)))).toMatchObject({
      issues: [{ place: '', message: 'the note has 101 signatures, want 1 to 100' }],
    });
  });
});

describe('verifyNote', () => {
  const first = aSigner();
  const second = aSigner({ number: 2 });
  const other = aSigner({ name: 'ledger.example/other', number: 3 });
  const known = [first.key, second.key, other.key];

  test('verifies the example of the standard', () => {
    const key = parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
    const signed = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;
    expect(verifyNote(signed, [key])).toEqual([key]);
  });

  test('gives the known keys that signed, in the order of their lines', async () => {
    const signed = aNote(await aLine(other), anUnknownLine('w'), await aLine(first));
    expect(verifyNote(signed, known)).toEqual([other.key, first.key]);
  });

  test('ignores fifteen lines by unknown keys', async () => {
    const lines = Array.from({ length: 15 }, (_, i) => anUnknownLine(`witness.example/w${i}`));
    expect(verifyNote(aNote(...lines, await aLine(first)), known)).toEqual([first.key]);
  });

  test('ignores an unknown line twice, with a known name, with a known key id, or in loose base64', async () => {
    const line = await aLine(first);
    const sameId = anUnknownLine('witness.example/w1', concatBytes(first.key.keyId, new Uint8Array(64)));
    for (const unknown of [anUnknownLine('w'), anUnknownLine(first.key.name), sameId, '— w AAAAAAB='])
      expect(verifyNote(aNote(unknown, unknown, line), known), unknown).toEqual([first.key]);
  });

  test.each<[string, () => Promise<string>, readonly VerifierKey[], RegExp]>([
    [
      'without a known key',
      async () => aNote(anUnknownLine('w')),
      known,
      /^no known key has signed the note$/,
    ],
    ['when no key is known', async () => aNote(await aLine(first)), [], /^no known key has signed the note$/],
    [
      'by a known key under another name',
      async () =>
        aNote(await aLine({ ...first, key: verifierKey('ledger.example/alias', first.key.publicKey) })),
      known,
      /^no known key has signed the note$/,
    ],
    [
      'with the known name and a key id of nobody',
      async () => aNote(await aLine({ ...first, key: { ...first.key, keyId: Uint8Array.of(1, 2, 3, 4) } })),
      known,
      /^no known key has signed the note$/,
    ],
    ['over another text', async () => aNote(await aLine(first, 'other\n')), known, /Ed25519/],
    [
      'by another key under the known name and id',
      async () => aNote(await aLine({ ...second, key: first.key })),
      known,
      /Ed25519/,
    ],
    [
      'well once and badly by a second known key',
      async () => aNote(await aLine(first), await aLine(second, 'other\n')),
      known,
      /Ed25519/,
    ],
    [
      'well once and badly by a key of another log',
      async () => aNote(await aLine(first), await aLine(other, 'other\n')),
      known,
      /Ed25519/,
    ],
    [
      'twice by one key',
      async () => aNote(await aLine(first), await aLine(first)),
      known,
      /^ledger\.example\/2026\+[0-9a-f]{8} signed twice$/,
    ],
    [
      'twice by one key, and badly the second time',
      async () => aNote(await aLine(first), await aLine(first, 'other\n')),
      known,
      /signed twice$/,
    ],
    [
      'in non-canonical base64 by a known key',
      async () => aNote(loosely(await aLine(first))),
      known,
      /^the signature by ledger\.example\/2026\+[0-9a-f]{8} is not canonical base64$/,
    ],
    [
      'with a signature cut short',
      async () => aNote(anUnknownLine(first.key.name, (await bytesOf(first)).slice(0, -1))),
      known,
      /63 bytes, want 64/,
    ],
    [
      'with a byte behind the signature',
      async () => aNote(anUnknownLine(first.key.name, concatBytes(await bytesOf(first), Uint8Array.of(0)))),
      known,
      /65 bytes, want 64/,
    ],
    [
      'by a key that shares name and id with another known one',
      async () => aNote(await aLine(first)),
      [first.key, { ...second.key, keyId: first.key.keyId }],
      /^two known keys are called ledger\.example\/2026\+[0-9a-f]{8}$/,
    ],
  ])('refuses a note signed %s', async (_how, signed, keys, message) => {
    const note = await signed();
    const fault = faultOf(() => verifyNote(note, keys));
    expect(fault).toBeInstanceOf(ProofError);
    expect(fault.message).toMatch(message);
  });

  test('refuses what parseNote refuses as a fault of form', () => {
    expect(faultOf(() => verifyNote(text, known))).toBeInstanceOf(FormatError);
  });

  test('refuses the note with any one bit changed', async () => {
    const bytes = utf8(await signNote(text, first));
    for (let i = 0; i < bytes.length; i++) {
      // All bits of the ends, where padding and line feeds are; one bit of each byte between.
      const bits = i > bytes.length - 8 ? [0, 1, 2, 3, 4, 5, 6, 7] : [i % 8];
      for (const bit of bits) {
        const changed = bytes.with(i, (bytes[i] ?? 0) ^ (1 << bit));
        const fault = faultOf(() => verifyNote(parseUtf8(changed), known));
        expect(fault instanceof FormatError || fault instanceof ProofError, `bit ${bit} of byte ${i}`).toBe(
          true,
        );
      }
    }
  });
});

/** The line with unused bits set in its last base64 character before the padding. */
function loosely(line: string): string {
  expect(line).toMatch(/[^=]=$/);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const last = alphabet[alphabet.indexOf(line.at(-2) ?? '') + 1];
  return `${line.slice(0, -2)}${last}=`;
}

async function bytesOf(signer: NoteSigner): Promise<Uint8Array> {
  return concatBytes(signer.key.keyId, await signer.sign(utf8(text)));
}
