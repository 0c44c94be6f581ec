import { keccak_256 } from '@noble/hashes/sha3.js';
import hre from 'hardhat';
import { describe, expect, it } from 'vitest';
import { concatBytes, formatHex0x } from '../../merkle/bytes.ts';
import { FormatError, type Issue } from '../../merkle/errors.ts';
import { headerFromRpc, headerHash, headerWithExtra, parseHeader } from '../../merkle/header.ts';
import { decodeString, encodeList, encodeRlp, splitList } from '../../merkle/rlp.ts';
import {
  bytesIn,
  headerVectorsNote,
  headerVectorsPresent,
  readHeaderVector,
} from '../helpers/header-vectors.ts';
import { type Fork, headerItems, withExtra } from '../helpers/sealer.ts';
import { integer } from '../helpers/state.ts';

const fields = { stateRoot: keccak_256(Uint8Array.of(1)), number: 41, time: 1_795_507_200 };
const names = [
  'parentHash',
  'sha3Uncles',
  'miner',
  'stateRoot',
  'transactionsRoot',
  'receiptsRoot',
  'logsBloom',
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'extraData',
  'mixHash',
  'nonce',
];
const lengths = [
  32,
  32,
  20,
  32,
  32,
  32,
  256,
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  32,
  8,
];

describe('parseHeader', () => {
  it.each<readonly [Fork, number]>([
    ['berlin', 15],
    ['london', 16],
    ['shanghai', 17],
    ['cancun', 20],
    ['prague', 21],
  ])('reads a header of %s with its %i items', (fork, count) => {
    const rlp = withExtra(headerItems({ ...fields, fork }), Uint8Array.of(1, 2, 3));
    const header = parseHeader(rlp);
    expect(header.items).toHaveLength(count);
    expect(header.stateRoot).toStrictEqual(fields.stateRoot);
    expect(header.parentHash).toHaveLength(32);
    expect(header.number).toBe(41);
    expect(header.time).toBe(1_795_507_200);
    expect(header.extraData).toStrictEqual(Uint8Array.of(1, 2, 3));
  });

  it('reads items of forks to come, whatever their lengths', () => {
    for (let more = 0; more < 30; more++) {
      const later = Array.from({ length: more }, (_, i) => encodeRlp(new Uint8Array(i * 5)));
      const header = parseHeader(encodeList([...headerItems({ ...fields, fork: 'berlin' }), ...later]));
      expect(header.items).toHaveLength(15 + more);
    }
  });

  it('refuses fewer than fifteen items', () => {
    for (let count = 0; count < 15; count++) {
      const rlp = encodeList(headerItems(fields).slice(0, count));
      expect(() => parseHeader(rlp)).toThrow(`header has ${count} items, want 15 or more`);
    }
  });

  it('refuses a list in place of any item', () => {
    for (let i = 0; i < 16; i++) {
      expect(() => parseHeader(withItem(i, encodeRlp([])))).toThrow('RLP list where a byte string is wanted');
    }
  });

  it.each(names.map((name, i) => [name, i] as const))(
    'refuses another length or spelling of %s',
    (name, i) => {
      const length = lengths[i];
      if (length !== undefined) {
        for (const wrong of [0, 1, length - 1, length + 1]) {
          const rlp = withItem(i, encodeRlp(new Uint8Array(wrong).fill(7)));
          expect(() => parseHeader(rlp)).toThrow(`header's ${name} has ${wrong} bytes, want ${length}`);
        }
      } else if (name !== 'extraData') {
        for (const wrong of [[0], [0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0]]) {
          const rlp = withItem(i, encodeRlp(Uint8Array.from(wrong)));
          expect(() => parseHeader(rlp)).toThrow(`header's ${name} is an integer with a leading zero`);
        }
      }
    },
  );

  it.each([
    ['number', 8],
    ['timestamp', 11],
  ])('reads a %s up to 2^53 - 1', (name, item) => {
    for (const value of [0, 1, 255, 256, Number.MAX_SAFE_INTEGER]) {
      const header = parseHeader(withItem(item, encodeRlp(integer(value))));
      expect(item === 8 ? header.number : header.time).toBe(value);
    }
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 64n, 2n ** 256n]) {
      const rlp = withItem(item, encodeRlp(integer(value)));
      expect(() => parseHeader(rlp)).toThrow(`header's ${name} is beyond 2^53 - 1`);
    }
  });

  it('refuses every truncation, and a byte more', () => {
    const rlp = encodeList(headerItems(fields));
    for (let length = 0; length < rlp.length; length++) {
      expect(() => parseHeader(rlp.subarray(0, length))).toThrow(FormatError);
    }
    expect(() => parseHeader(concatBytes(rlp, Uint8Array.of(0)))).toThrow('RLP item is followed by 1 bytes');
  });
});

describe('headerWithExtra', () => {
  it('changes nothing but extraData', () => {
    const items = headerItems({ ...fields, fork: 'prague' });
    const header = parseHeader(withExtra(items, Uint8Array.of(9)));
    expect(headerWithExtra(header, Uint8Array.of(9))).toStrictEqual(encodeList(header.items));
    for (const length of [0, 1, 32, 97, 300]) {
      const extra = new Uint8Array(length).fill(3);
      expect(headerWithExtra(header, extra)).toStrictEqual(withExtra(items, extra));
    }
  });
});

describe.skipIf(!headerVectorsPresent)(`vectors/headers${headerVectorsNote}`, () => {
  it("has Besu's header as Besu says", () => {
    const vector = readHeaderVector('besu-qbft-7528');
    const rlp = bytesIn(vector['headerRlp']);
    const header = parseHeader(rlp);
    expect(header.number).toBe(vector.number);
    expect(formatHex0x(header.stateRoot)).toBe(vector['stateRoot']);
    expect(formatHex0x(headerHash(header))).toBe(vector['keccakOfRawHeader_isNotTheHash']);
    expect(encodeList(header.items)).toStrictEqual(rlp);
  });

  it("has geth's header under its hash, and no other part of the block is one", () => {
    const vector = readHeaderVector('geth-clique-50110');
    const block = bytesIn(vector['blockRlp']);
    const [rlp = block, ...others] = splitList(block);
    const header = parseHeader(rlp);
    expect(header.number).toBe(vector.number);
    expect(formatHex0x(headerHash(header))).toBe(vector.blockHash);
    for (const other of [block, ...others]) expect(() => parseHeader(other)).toThrow(FormatError);
  });
});

describe('headerFromRpc', () => {
  it.each<readonly [hardfork: string, items: number]>([
    ['berlin', 15],
    ['london', 16],
    ['merge', 16],
    ['shanghai', 17],
    ['cancun', 20],
    ['prague', 21],
    ['osaka', 21],
  ])(
    "rebuilds a Hardhat node's headers of %s, so that they hash to their blocks' hashes",
    async (hardfork, items) => {
      const { provider, close } = await hre.network.create({ override: { hardfork } });
      const accounts = (await provider.request({ method: 'eth_accounts' })) as string[];
      const [from, to] = accounts;
      await provider.request({ method: 'eth_sendTransaction', params: [{ from, to, value: '0x1' }] });
      await provider.request({ method: 'hardhat_mine', params: ['0x3'] });
      for (let number = 0; number <= 4; number++) {
        const block = (await provider.request({
          method: 'eth_getBlockByNumber',
          params: [`0x${number.toString(16)}`, false],
        })) as Record<string, unknown>;
        const header = parseHeader(headerFromRpc(block));
        expect(header.items).toHaveLength(items);
        expect(formatHex0x(headerHash(header))).toBe(block['hash']);
        expect(formatHex0x(header.stateRoot)).toBe(block['stateRoot']);
        expect(header.number).toBe(number);
        expect(header.time).toBe(Number(block['timestamp']));
      }
      await close();
    },
  );

  it('takes no item from anything else in the answer', () => {
    const block = { ...aBlock(), totalDifficulty: '0x0', size: '0x26a', uncles: [], hash: 'whatever' };
    expect(headerFromRpc(block)).toStrictEqual(headerFromRpc(aBlock()));
  });

  it('takes a member that is null for one that is not there', () => {
    const { requestsHash: _, ...cancun } = aBlock();
    expect(headerFromRpc({ ...aBlock(), requestsHash: null })).toStrictEqual(headerFromRpc(cancun));
    expect(parseHeader(headerFromRpc(cancun)).items).toHaveLength(20);
  });

  it('encodes zero as no bytes, and other quantities without leading zeros', () => {
    const rlp = headerFromRpc({ ...aBlock(), gasUsed: '0x0', gasLimit: '0xabc', number: '0x100' });
    const values = splitList(rlp).map(decodeString);
    expect(values[10]).toStrictEqual(new Uint8Array(0));
    expect(values[9]).toStrictEqual(Uint8Array.of(0x0a, 0xbc));
    expect(values[8]).toStrictEqual(Uint8Array.of(1, 0));
  });

  it('refuses a member of a later fork without the ones before it', () => {
    const { baseFeePerGas: _, excessBlobGas: __, ...block } = aBlock();
    expect(issuesOf(block)).toStrictEqual([
      { place: 'withdrawalsRoot', message: 'is there without baseFeePerGas' },
      { place: 'blobGasUsed', message: 'is there without baseFeePerGas' },
      { place: 'parentBeaconBlockRoot', message: 'is there without baseFeePerGas' },
      { place: 'requestsHash', message: 'is there without baseFeePerGas' },
    ]);
  });

  it('names every member that is missing', () => {
    const issues = issuesOf({});
    expect(issues.map(({ place }) => place)).toStrictEqual(names);
    expect(issues[0]?.message).toBe('a missing member is not hexadecimal data');
    expect(issues[8]?.message).toBe('a missing member is not a hexadecimal quantity');
  });

  it.each<readonly [string, unknown, string]>([
    ['number', 41, 'a number is not a hexadecimal quantity'],
    ['number', '41', '"41" is not a hexadecimal quantity'],
    ['number', '0x', '"0x" is not a hexadecimal quantity'],
    ['number', '0x029', '"0x029" is not a hexadecimal quantity'],
    ['number', '0x2A', '"0x2A" is not a hexadecimal quantity'],
    ['timestamp', '0x2a\n', '"0x2a\\n" is not a hexadecimal quantity'],
    ['baseFeePerGas', '-0x1', '"-0x1" is not a hexadecimal quantity'],
    ['stateRoot', `0x${'A'.repeat(64)}`, `"${'A'.repeat(40)}…" is not 32 bytes in lower-case hexadecimal`],
    ['stateRoot', '0x12', '"12" is not 32 bytes in lower-case hexadecimal'],
    ['stateRoot', 'ab'.repeat(32), `"${'ab'.repeat(20)}…" is not 0x and 64 hexadecimal digits`],
    ['nonce', '0x0', '"0" is not 8 bytes in lower-case hexadecimal'],
    ['extraData', '0x123', '"123" is not 1 bytes in lower-case hexadecimal'],
    ['extraData', '', '"" is not 0x and 0 hexadecimal digits'],
    ['extraData', 7, 'a number is not hexadecimal data'],
  ])('refuses %s spelt %j', (place, value, message) => {
    expect(issuesOf({ ...aBlock(), [place]: value })).toStrictEqual([{ place, message }]);
  });
});

function withItem(index: number, encoded: Uint8Array): Uint8Array {
  return encodeList(headerItems(fields).map((item, i) => (i === index ? encoded : item)));
}

/** An answer to `eth_getBlockByNumber` with the 21 items of Prague. */
function aBlock() {
  const hash = `0x${'ab'.repeat(32)}`;
  return {
    parentHash: hash,
    sha3Uncles: hash,
    miner: `0x${'cd'.repeat(20)}`,
    stateRoot: hash,
    transactionsRoot: hash,
    receiptsRoot: hash,
    logsBloom: `0x${'00'.repeat(256)}`,
    difficulty: '0x1',
    number: '0x29',
    gasLimit: '0x1c9c380',
    gasUsed: '0x0',
    timestamp: '0x6b056b45',
    extraData: '0x',
    mixHash: hash,
    nonce: '0x0000000000000000',
    baseFeePerGas: '0x7',
    withdrawalsRoot: hash,
    blobGasUsed: '0x0',
    excessBlobGas: '0x0',
    parentBeaconBlockRoot: hash,
    requestsHash: hash,
  };
}

function issuesOf(block: Record<string, unknown>): readonly Issue[] {
  try {
    headerFromRpc(block);
  } catch (error) {
    if (error instanceof FormatError) return error.issues;
    throw error;
  }
  throw new Error('the block was accepted');
}
