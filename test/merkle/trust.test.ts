import { describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { FormatError, type Issue } from '../../merkle/errors.ts';
import { formatVerifierKey, verifierKey } from '../../merkle/note.ts';
import { fingerprint, formatTrust, parseTrust } from '../../merkle/trust.ts';
import {
  readVectorTrustFile,
  vectorsNote,
  vectorsPresent,
  vectorTrustFiles,
} from '../helpers/receipt-vectors.ts';

const address = (digit: string) => `0x${digit.repeat(40)}`;
const hash = (digit: string) => `0x${digit.repeat(64)}`;
const logKey = (origin: string, n: number) =>
  formatVerifierKey(verifierKey(origin, new Uint8Array(32).fill(n)));

/** A trust file as JSON.parse would give it, with every member that there can be. */
function aTrustFile() {
  const chain = {
    chainId: '2026',
    genesisHash: hash('a'),
    consensus: 'qbft',
    validators: [
      { fromBlock: 0, addresses: [address('1'), address('2')] },
      { fromBlock: 2000, addresses: [address('2'), address('3')] },
    ],
  };
  const log = {
    origin: 'ledger.example/2026',
    chainId: '2026',
    anchorRegistry: { address: address('4'), codeHash: hash('b'), rootsSlot: 1 },
    keyRegistry: { address: address('5'), codeHash: hash('c'), keysSlot: 2 },
    verifierKeys: [
      { key: logKey('ledger.example/2026', 1), untilSize: 5000 },
      { key: logKey('ledger.example/2026', 2) },
    ],
    closedAt: 9000,
  };
  return {
    version: 1,
    sequence: 3,
    issued: '2026-11-24T08:00:00Z',
    chains: [
      chain,
      { chainId: '31337', genesisHash: hash('d'), consensus: 'none', validators: [] as object[] },
    ],
    logs: [
      log,
      {
        origin: 'localhost/development',
        chainId: '31337',
        anchorRegistry: { ...log.anchorRegistry },
        keyRegistry: { ...log.keyRegistry },
        verifierKeys: [{ key: logKey('localhost/development', 3) }],
      },
    ],
    agencies: { OVO002949: 'Departement Voorbeeld', '0999.900.123': 'Gemeente "Vóórbeeld"' } as Record<
      string,
      unknown
    >,
  };
}

const bytesOf = (file: unknown) => utf8(JSON.stringify(file));

function faultsOf(bytes: Uint8Array): readonly Issue[] {
  try {
    parseTrust(bytes);
  } catch (error) {
    if (error instanceof FormatError) return error.issues;
    throw error;
  }
  return [];
}

describe('parseTrust', () => {
  it('reads every member', () => {
    const trust = parseTrust(bytesOf(aTrustFile()));
    expect(trust.sequence).toBe(3);
    expect(trust.issued).toBe('2026-11-24T08:00:00Z');
    expect(trust.chains.map(({ chainId, consensus }) => [chainId, consensus])).toEqual([
      ['2026', 'qbft'],
      ['31337', 'none'],
    ]);
    expect(trust.chains[0]?.genesisHash).toEqual(new Uint8Array(32).fill(0xaa));
    expect(trust.chains[0]?.validators).toEqual([
      { fromBlock: 0, addresses: [new Uint8Array(20).fill(0x11), new Uint8Array(20).fill(0x22)] },
      { fromBlock: 2000, addresses: [new Uint8Array(20).fill(0x22), new Uint8Array(20).fill(0x33)] },
    ]);
    const [log, development] = trust.logs;
    expect(log?.origin).toBe('ledger.example/2026');
    expect(log?.chain).toBe(trust.chains[0]);
    expect(log?.anchorRegistry).toEqual({
      address: new Uint8Array(20).fill(0x44),
      codeHash: new Uint8Array(32).fill(0xbb),
      rootsSlot: 1,
    });
    expect(log?.keyRegistry).toEqual({
      address: new Uint8Array(20).fill(0x55),
      codeHash: new Uint8Array(32).fill(0xcc),
      keysSlot: 2,
    });
    expect(log?.verifierKeys).toEqual([
      { key: verifierKey('ledger.example/2026', new Uint8Array(32).fill(1)), untilSize: 5000 },
      { key: verifierKey('ledger.example/2026', new Uint8Array(32).fill(2)) },
    ]);
    expect(log?.closedAt).toBe(9000);
    expect(development?.chain).toBe(trust.chains[1]);
    expect(development).not.toHaveProperty('closedAt');
    expect([...trust.agencies]).toEqual([
      ['OVO002949', 'Departement Voorbeeld'],
      ['0999.900.123', 'Gemeente "Vóórbeeld"'],
    ]);
  });

  it('names every fault with its place', () => {
    const file: Record<string, unknown> = { ...aTrustFile(), version: 2, issued: 'yesterday', sequence: -1 };
    file['chains'] = 'none';
    expect(
      faultsOf(bytesOf(file))
        .map(({ place }) => place)
        .sort(),
    ).toEqual(['chains', 'issued', 'logs[0].chainId', 'logs[1].chainId', 'sequence', 'version'].sort());
  });

  type File = ReturnType<typeof aTrustFile>;
  const [tooLarge, largest] = [(2n ** 256n).toString(), (2n ** 256n - 1n).toString()];

  it.each<[string, (file: File) => void, ...string[]]>([
    ['version 2', file => Object.assign(file, { version: 2 }), 'version'],
    ['a version with a fraction', file => Object.assign(file, { version: '1.0' }), 'version'],
    ['an unknown member', file => Object.assign(file, { comment: '' }), ''],
    ['no sequence', file => Reflect.deleteProperty(file, 'sequence'), ''],
    [
      'a time in another zone',
      file => Object.assign(file, { issued: '2026-11-24T08:00:00+01:00' }),
      'issued',
    ],
    [
      'a time with milliseconds',
      file => Object.assign(file, { issued: '2026-11-24T08:00:00.000Z' }),
      'issued',
    ],
    ['30 February', file => Object.assign(file, { issued: '2026-02-30T08:00:00Z' }), 'issued'],
    ['a day of 24 hours', file => Object.assign(file, { issued: '2026-11-24T24:00:00Z' }), 'issued'],
    ['a date only', file => Object.assign(file, { issued: '2026-11-24' }), 'issued'],
    ['a year of six digits', file => Object.assign(file, { issued: '+012026-11-24T08:00:00Z' }), 'issued'],
    ['a number as time', file => Object.assign(file, { issued: 1795507200 }), 'issued'],
    ['a chain that stands twice', file => file.chains.push({ ...first(file.chains) }), 'chains[2]'],
    ['a chain id in hexadecimal', file => setChainId(file, '0x7ea'), 'chains[0].chainId'],
    ['a chain id with a leading zero', file => setChainId(file, '02026'), 'chains[0].chainId'],
    ['a chain id of zero', file => setChainId(file, '0'), 'chains[0].chainId'],
    ['a chain id of 2^256', file => setChainId(file, tooLarge), 'chains[0].chainId'],
    [
      'a chain id as a number',
      // The log that is on it is then on an unknown chain.
      file => Object.assign(first(file.chains), { chainId: 2026 }),
      'chains[0].chainId',
      'logs[0].chainId',
    ],
    [
      'a short genesis hash',
      file => Object.assign(first(file.chains), { genesisHash: '0xaa' }),
      'chains[0].genesisHash',
    ],
    [
      'an unknown consensus',
      file => Object.assign(first(file.chains), { consensus: 'ibft2' }),
      'chains[0].consensus',
    ],
    [
      'a sealed chain without validators',
      file => Object.assign(first(file.chains), { validators: [] }),
      'chains[0].validators',
    ],
    [
      'validators on a chain of none',
      file => Object.assign(first(file.chains), { consensus: 'none' }),
      'chains[0].validators',
    ],
    [
      'an empty validator set',
      file => Object.assign(set(file, 0), { addresses: [] }),
      'chains[0].validators[0].addresses',
    ],
    [
      'a validator that stands twice',
      file => Object.assign(set(file, 0), { addresses: [address('1'), address('2'), address('1')] }),
      'chains[0].validators[0].addresses[2]',
    ],
    [
      'sets that begin at one block',
      file => Object.assign(set(file, 1), { fromBlock: 0 }),
      'chains[0].validators[1].fromBlock',
    ],
    [
      'sets in descending order',
      file => first(file.chains).validators.reverse(),
      'chains[0].validators[1].fromBlock',
    ],
    [
      'an address in upper case',
      file => Object.assign(set(file, 0), { addresses: [address('A')] }),
      'chains[0].validators[0].addresses[0]',
    ],
    ['a log that stands twice', file => file.logs.push(first(file.logs)), 'logs[2]'],
    [
      'a log on an unknown chain',
      file => Object.assign(first(file.logs), { chainId: '9' }),
      'logs[0].chainId',
    ],
    [
      'an origin outside its alphabet',
      file =>
        Object.assign(first(file.logs, 1), {
          origin: 'Localhost',
          verifierKeys: [{ key: logKey('Localhost', 3) }],
        }),
      'logs[1].origin',
    ],
    [
      'a slot as a string',
      file => Object.assign(first(file.logs).anchorRegistry, { rootsSlot: '1' }),
      'logs[0].anchorRegistry.rootsSlot',
    ],
    [
      'the slot of the other registry',
      file => Object.assign(first(file.logs), { keyRegistry: first(file.logs).anchorRegistry }),
      'logs[0].keyRegistry',
      'logs[0].keyRegistry',
    ],
    [
      'a code hash of 20 bytes',
      file => Object.assign(first(file.logs).keyRegistry, { codeHash: address('1') }),
      'logs[0].keyRegistry.codeHash',
    ],
    ['no log keys', file => Object.assign(first(file.logs), { verifierKeys: [] }), 'logs[0].verifierKeys'],
    [
      'a log key under another name',
      file => Object.assign(first(file.logs), { verifierKeys: [{ key: logKey('ledger.example/2027', 1) }] }),
      'logs[0].verifierKeys[0].key',
    ],
    [
      'a log key that stands twice',
      file => first(file.logs).verifierKeys.push(first(first(file.logs).verifierKeys)),
      'logs[0].verifierKeys[2]',
    ],
    [
      'a log key that is none',
      file => Object.assign(first(file.logs), { verifierKeys: [{ key: 'ledger.example/2026' }] }),
      'logs[0].verifierKeys[0].key',
    ],
    [
      'untilSize as a string',
      file => Object.assign(first(first(file.logs).verifierKeys), { untilSize: '5000' }),
      'logs[0].verifierKeys[0].untilSize',
    ],
    [
      'untilSize null',
      file => Object.assign(first(first(file.logs).verifierKeys), { untilSize: null }),
      'logs[0].verifierKeys[0].untilSize',
    ],
    ['closedAt null', file => Object.assign(first(file.logs), { closedAt: null }), 'logs[0].closedAt'],
    ['agencies in an array', file => Object.assign(file, { agencies: [] }), 'agencies'],
    [
      'an agency in lower case',
      file => Object.assign(file, { agencies: { ovo002949: 'x' } }),
      'agencies.ovo002949',
    ],
    [
      'an agency of 22 characters',
      file => Object.assign(file, { agencies: { ['A'.repeat(22)]: 'x' } }),
      `agencies.${'A'.repeat(22)}`,
    ],
    ['a name that is no string', file => Object.assign(file, { agencies: { OVO1: null } }), 'agencies.OVO1'],
    ['a line feed in a name', file => Object.assign(file, { agencies: { OVO1: 'a\nb' } }), 'agencies.OVO1'],
    [
      'a terminal escape in a name',
      file => Object.assign(file, { agencies: { OVO1: '\u001b[2J' } }),
      'agencies.OVO1',
    ],
    [
      'a C1 control in a name',
      file => Object.assign(file, { agencies: { OVO1: '\u009b2J' } }),
      'agencies.OVO1',
    ],
  ])('refuses %s, and names the place', (_, change, ...places) => {
    const file = aTrustFile();
    change(file);
    expect(faultsOf(bytesOf(file)).map(fault => fault.place)).toEqual(places);
  });

  it('takes the largest chain id that a uint256 holds', () => {
    const file = aTrustFile();
    setChainId(file, largest);
    expect(parseTrust(bytesOf(file)).logs[0]?.chain.chainId).toBe(largest);
  });

  it('refuses a member that stands twice', () => {
    const text = JSON.stringify(aTrustFile()).replace('"sequence":3', '"sequence":3,"sequence":3');
    expect(faultsOf(utf8(text))).toEqual([
      { place: '', message: expect.stringContaining('"sequence" stands twice') },
    ]);
  });

  it.skipIf(!vectorsPresent)(`reads the trust files of vectors/receipts${vectorsNote}`, () => {
    expect(vectorTrustFiles).toHaveLength(5);
    for (const file of vectorTrustFiles) expect(faultsOf(readVectorTrustFile(file))).toEqual([]);
  });
});

describe('formatTrust', () => {
  it("prints the members in DESIGN's order, and leaves out what does not apply", () => {
    const text = formatTrust(parseTrust(bytesOf(aTrustFile())));
    expect(text).toBe(`${JSON.stringify(aTrustFile(), undefined, 2)}\n`);
  });

  it('prints a file that reads as the same', () => {
    const trust = parseTrust(bytesOf(aTrustFile()));
    expect(parseTrust(utf8(formatTrust(trust)))).toEqual(trust);
  });

  it('refuses what breaks a rule of the file', () => {
    const trust = parseTrust(bytesOf(aTrustFile()));
    const twice = { ...trust, logs: [...trust.logs, ...trust.logs] };
    expect(() => formatTrust(twice)).toThrow('log ledger.example/2026 stands twice');
  });
});

describe('fingerprint', () => {
  // FIPS 180-2 appendix B.1.
  it('is SHA-256 in hexadecimal', () => {
    expect(fingerprint(utf8('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

function first<T>(list: readonly T[], i = 0): T {
  const item = list[i];
  if (item === undefined) throw new Error(`no item ${i}`);
  return item;
}

function set(file: ReturnType<typeof aTrustFile>, i: number) {
  return first(first(file.chains).validators, i);
}

function setChainId(file: ReturnType<typeof aTrustFile>, chainId: string): void {
  Object.assign(first(file.chains), { chainId });
  Object.assign(first(file.logs), { chainId });
}
