import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatHex, parseHex } from '../../merkle/bytes.ts';
import { formatEntry } from '../../merkle/entry.ts';
import {
  formatGenesis,
  type Genesis,
  genesisEntry,
  logId,
  parseAgency,
  parseChainId,
  parseGenesis,
  parseOrigin,
} from '../../merkle/genesis.ts';
import { faultsOf } from '../helpers/refusals.ts';

const registry = parseHex('00112233445566778899aabbccddeeff00112233', 20);
const genesis: Genesis = {
  chainId: '2026',
  created: '2026-11-24T08:00:00.000Z',
  origin: 'ledger.example/2026',
  previous: null,
  registry,
};
const document =
  '{"chainId":"2026","created":"2026-11-24T08:00:00.000Z","origin":"ledger.example/2026","previous":null,"registry":"0x00112233445566778899aabbccddeeff00112233"}';
const successor: Genesis = {
  ...genesis,
  previous: { logId: new Uint8Array(32).fill(1), root: new Uint8Array(32).fill(2), size: 9 },
};

describe('formatGenesis and parseGenesis', () => {
  it('print and read the one spelling of a document, which never changes', () => {
    expect(formatGenesis(genesis)).toBe(document);
    expect(parseGenesis(document)).toEqual(genesis);
    const text = document.replace(
      'null',
      `{"logId":"0x${'01'.repeat(32)}","root":"0x${'02'.repeat(32)}","size":9}`,
    );
    expect(formatGenesis(successor)).toBe(text);
    expect(parseGenesis(text)).toEqual(successor);
  });

  it.each<[string, string, string[]]>([
    [
      'white space',
      document.replace(',', ', '),
      [': genesis document is not in its one spelling: members in order, no white space'],
    ],
    [
      'a line feed at the end',
      `${document}\n`,
      [': genesis document is not in its one spelling: members in order, no white space'],
    ],
    [
      'an escape',
      document.replace('ledger', '\\u006cedger'),
      [': genesis document is not in its one spelling: members in order, no white space'],
    ],
    [
      'another order',
      document.replace('"chainId":"2026",', '').replace('}', ',"chainId":"2026"}'),
      [': genesis document is not in its one spelling: members in order, no white space'],
    ],
    ['a member more', document.replace('}', ',"note":1}'), [': unknown member "note"']],
    ['no previous', document.replace('"previous":null,', ''), [': member "previous" is missing']],
    [
      'a previous that is no object',
      document.replace('null', 'false'),
      ['previous: want an object, got a boolean'],
    ],
    [
      'a previous without a root',
      document.replace('null', `{"logId":"0x${'01'.repeat(32)}","size":9}`),
      ['previous: member "root" is missing'],
    ],
    [
      'an empty previous log',
      formatGenesis({
        ...successor,
        previous: { logId: new Uint8Array(32), root: new Uint8Array(32), size: 0 },
      }),
      ['previous.size: is 0, but a log is never empty'],
    ],
    [
      'a chain id that is a number',
      document.replace('"2026"', '2026'),
      ['chainId: want a string, got the number 2026'],
    ],
    [
      'a chain id with a leading zero',
      document.replace('"2026"', '"02026"'),
      ['chainId: "02026" is not a chain id, want a positive number in decimal'],
    ],
    [
      'a time without milliseconds',
      document.replace('.000Z', 'Z'),
      ['created: "2026-11-24T08:00:00Z" is not a time such as 2026-11-24T08:00:00.000Z'],
    ],
    [
      'a time elsewhere',
      document.replace('000Z', '000+01:00'),
      ['created: "2026-11-24T08:00:00.000+01:00" is not a time such as 2026-11-24T08:00:00.000Z'],
    ],
    [
      'a day that does not exist',
      document.replace('11-24', '02-30'),
      ['created: "2026-02-30T08:00:00.000Z" is not a time such as 2026-11-24T08:00:00.000Z'],
    ],
    [
      'an origin in capitals',
      document.replace('ledger', 'Ledger'),
      ['origin: "Ledger.example/2026" is not an origin, want 1 to 128 of [a-z0-9.:/_-]'],
    ],
    [
      'an address in capitals',
      document.replace('aabb', 'AABB'),
      ['registry: "00112233445566778899AABBccddeeff00112233" is not 20 bytes in lower-case hexadecimal'],
    ],
    [
      'several faults',
      '{"chainId":"0","created":"now","origin":"","previous":0,"registry":"0x"}',
      [
        'chainId: "0" is not a chain id, want a positive number in decimal',
        'created: "now" is not a time such as 2026-11-24T08:00:00.000Z',
        'origin: "" is not an origin, want 1 to 128 of [a-z0-9.:/_-]',
        'previous: want an object, got the number 0',
        'registry: "" is not 20 bytes in lower-case hexadecimal',
      ],
    ],
    ['what is no object', '[]', [': want an object, got an array']],
  ])('refuses %s', (_, text, faults) => {
    expect(faultsOf(() => parseGenesis(text))).toEqual(faults);
  });
});

describe('logId', () => {
  it('is SHA-256(chain id as uint256 ‖ registry ‖ origin)', () => {
    const bytes = Buffer.from(`${'00'.repeat(30)}07ea00112233445566778899aabbccddeeff00112233`, 'hex');
    const want = createHash('sha256').update(bytes).update('ledger.example/2026').digest('hex');
    expect(formatHex(logId('2026', registry, 'ledger.example/2026'))).toBe(want);
    expect(want).toBe('bf2bc460cc5481082b746b09157a918c966b691f3286bfbcb08ef43f1291e0a5');
  });

  it('holds the largest chain id there is', () => {
    const largest = 2n ** 256n - 1n;
    const bytes = Buffer.from(`${'ff'.repeat(32)}00112233445566778899aabbccddeeff00112233`, 'hex');
    expect(formatHex(logId(String(largest), registry, 'a'))).toBe(
      createHash('sha256').update(bytes).update('a').digest('hex'),
    );
  });
});

describe('genesisEntry', () => {
  it('commits to the text of the document, under no key', () => {
    const entry = genesisEntry(document, 1);
    const hash = createHash('sha256').update(document).digest('hex');
    expect(formatHex(formatEntry(entry))).toBe(`01000000000000000001${'00'.repeat(32)}${hash}`);
  });
});

describe('parseOrigin, parseAgency and parseChainId', () => {
  it.each(['a', 'ledger.example/2026', '0:_-./', 'a'.repeat(128)])('accept the origin %s', text => {
    expect(parseOrigin(text)).toBe(text);
  });

  it.each(['', 'a'.repeat(129), 'A', 'a b', 'a\n', '\na', 'a+b', 'é', 'a\u0000', '%61'])(
    'refuse the origin "%s"',
    text => {
      expect(faultsOf(() => parseOrigin(text, 'origin'))).toHaveLength(1);
    },
  );

  it.each(['A', 'OVO002949', '0400.000.029', '529900T8BM49AURSDO55', 'A:.-', 'X'.repeat(21)])(
    'accept the agency %s',
    text => {
      expect(parseAgency(text)).toBe(text);
    },
  );

  it.each(['', 'X'.repeat(22), 'ovo', 'A B', 'A\n', 'A/B', 'A_B', 'É', '\u001b[2J', 'A\u0000'])(
    'refuse the agency "%s"',
    text => {
      expect(faultsOf(() => parseAgency(text, 'agency'))).toHaveLength(1);
      expect(faultsOf(() => parseAgency(text, 'agency'))[0]).toMatch(
        /^agency: "[ -~…É]*" is not an agency, want 1 to 21 of /,
      );
    },
  );

  it.each(['1', '2026', '31337', String(2n ** 256n - 1n)])('accept the chain id %s', text => {
    expect(parseChainId(text)).toBe(text);
  });

  it.each([
    '',
    '0',
    '01',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    ' 1',
    '1\n',
    String(2n ** 256n),
    '9'.repeat(1000),
  ])('refuse the chain id "%s"', text => {
    expect(faultsOf(() => parseChainId(text, 'chainId'))).toHaveLength(1);
  });
});
