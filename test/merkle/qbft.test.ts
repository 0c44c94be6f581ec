import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { concatBytes, formatHex0x } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { parseHeader } from '../../merkle/header.ts';
import { parseQbftExtra, qbftBlockHash, qbftQuorum, qbftSealDigest } from '../../merkle/qbft.ts';
import { encodeRlp, type RlpItem } from '../../merkle/rlp.ts';
import {
  addressesIn,
  bytesIn,
  headerVectorsNote,
  headerVectorsPresent,
  readHeaderVector,
} from '../helpers/header-vectors.ts';
import { headerItems, qbftExtra, sealQbft, someValidators, withExtra } from '../helpers/sealer.ts';
import { integer } from '../helpers/state.ts';

const validators = someValidators(4);
const addresses = validators.map(({ address }) => address);
const aSeal = new Uint8Array(65).fill(7);
const fields = { stateRoot: keccak_256(Uint8Array.of(1)), number: 14, time: 1_795_507_200 };
const items = headerItems(fields);
const vanity = new Uint8Array(32);
const none = new Uint8Array(0);

describe('parseQbftExtra', () => {
  it('gives the validators and the seals', () => {
    const extra = parseQbftExtra(encodeRlp([vanity, addresses, [], none, [aSeal, aSeal]]));
    expect(extra).toStrictEqual({ validators: addresses, seals: [aSeal, aSeal] });
    expect(parseQbftExtra(encodeRlp([vanity, [], [], none, []]))).toStrictEqual({
      validators: [],
      seals: [],
    });
  });

  it('reads every round that Besu can count to, and both votes', () => {
    for (const round of [0, 1, 127, 128, 300, 2 ** 31 - 1]) {
      for (const vote of [undefined, true, false]) {
        const sealing = {
          validators,
          round,
          ...(vote === undefined ? {} : { vote: { recipient: new Uint8Array(20).fill(5), add: vote } }),
        };
        const extra = parseQbftExtra(qbftExtra(sealing, integer(round), [aSeal]));
        expect(extra.seals).toStrictEqual([aSeal]);
      }
    }
  });

  it.each<readonly [name: string, extra: RlpItem, message: string]>([
    ['a byte string', vanity, 'RLP byte string where a list is wanted'],
    ['four items', [vanity, [], [], none], 'extraData has 4 items, want 5'],
    ['six items', [vanity, [], [], none, [], []], 'extraData has 6 items, want 5'],
    ['a short vanity', [vanity.subarray(1), [], [], none, []], 'vanity of 31 bytes, want 32'],
    ['a long vanity', [new Uint8Array(33), [], [], none, []], 'vanity of 33 bytes, want 32'],
    ['a list for vanity', [[], [], [], none, []], 'RLP list where a byte string is wanted'],
    ['no list of validators', [vanity, none, [], none, []], 'RLP byte string where a list is wanted'],
    ['a short address', [vanity, [new Uint8Array(19)], [], none, []], 'is not an address of 20 bytes'],
    ['a long address', [vanity, [new Uint8Array(21)], [], none, []], 'is not an address of 20 bytes'],
    ['a list for an address', [vanity, [[]], [], none, []], 'RLP list where a byte string is wanted'],
    ["IBFT 2.0's empty vote", [vanity, [], none, none, []], 'RLP byte string where a list is wanted'],
    ['a vote without a kind', [vanity, [], [new Uint8Array(20)], none, []], 'vote is neither'],
    ['a vote for a short address', [vanity, [], [new Uint8Array(19), none], none, []], 'vote is neither'],
    ['a vote of another kind', [vanity, [], [new Uint8Array(20), integer(1)], none, []], 'vote is neither'],
    ['a vote of two bytes', [vanity, [], [new Uint8Array(20), integer(0xff00)], none, []], 'vote is neither'],
    ['a vote with a third item', [vanity, [], [new Uint8Array(20), none, none], none, []], 'vote is neither'],
    ["IBFT 2.0's round", [vanity, [], [], Uint8Array.of(0, 0, 0, 1), []], 'round is not an integer'],
    ['a zero round that is spelt', [vanity, [], [], Uint8Array.of(0), []], 'round is not an integer'],
    ['a round of five bytes', [vanity, [], [], Uint8Array.of(1, 0, 0, 0, 0), []], 'round is not an integer'],
    ['a list for a round', [vanity, [], [], [], []], 'RLP list where a byte string is wanted'],
    ['no list of seals', [vanity, [], [], none, aSeal], 'RLP byte string where a list is wanted'],
    ['a list for a seal', [vanity, [], [], none, [[aSeal]]], 'RLP list where a byte string is wanted'],
  ])('refuses %s', (_, extra, message) => {
    expect(() => parseQbftExtra(encodeRlp(extra))).toThrow(FormatError);
    expect(() => parseQbftExtra(encodeRlp(extra))).toThrow(message);
  });

  it('refuses nothing at all, and bytes after the list', () => {
    expect(() => parseQbftExtra(none)).toThrow('RLP item of no bytes');
    const extra = encodeRlp([vanity, [], [], none, []]);
    expect(() => parseQbftExtra(concatBytes(extra, Uint8Array.of(0)))).toThrow('is followed by 1 bytes');
  });
});

describe('qbftSealDigest and qbftBlockHash', () => {
  it('leave the seals out, and only the hash leaves the round out', () => {
    const of = (round: number, seals: RlpItem[]) =>
      parseHeader(withExtra(items, qbftExtra({ validators }, integer(round), seals)));
    const sealed = of(3, [aSeal, aSeal]);
    expect(qbftSealDigest(sealed)).toStrictEqual(qbftSealDigest(of(3, [])));
    expect(qbftSealDigest(sealed)).not.toStrictEqual(qbftSealDigest(of(4, [aSeal, aSeal])));
    expect(qbftBlockHash(sealed)).toStrictEqual(qbftBlockHash(of(4, [])));
    expect(qbftBlockHash(sealed)).toStrictEqual(qbftSealDigest(of(0, [])));
    expect(qbftSealDigest(sealed)).toStrictEqual(
      keccak_256(withExtra(items, qbftExtra({ validators }, integer(3), []))),
    );
  });

  it('refuse a header with other extraData', () => {
    const header = parseHeader(withExtra(items, new Uint8Array(97)));
    expect(() => qbftSealDigest(header)).toThrow(FormatError);
    expect(() => qbftBlockHash(header)).toThrow(FormatError);
  });

  it('change with every other byte of the header', () => {
    const rlp = sealQbft(fields, { signers: [], validators });
    const header = parseHeader(rlp);
    let flips = 0;
    for (let i = 3; i < rlp.length; i++) {
      const flipped = rlp.slice();
      flipped[i] = (rlp[i] ?? 0) ^ 1;
      try {
        const other = parseHeader(flipped);
        expect(qbftSealDigest(other)).not.toStrictEqual(qbftSealDigest(header));
        flips++;
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    }
    expect(flips).toBeGreaterThan(600);
  });
});

describe.skipIf(!headerVectorsPresent)(`vectors/headers${headerVectorsNote}`, () => {
  it("has Besu's digest and hash of a block of round 1", () => {
    const vector = readHeaderVector('besu-qbft-7528');
    const header = parseHeader(bytesIn(vector['headerRlp']));
    const { validators: listed, seals } = parseQbftExtra(header.extraData);
    expect(listed).toStrictEqual(addressesIn(vector['validators']));
    expect(seals).toHaveLength(3);
    expect(formatHex0x(qbftSealDigest(header))).toBe(vector['committedSealDigest']);
    expect(formatHex0x(qbftBlockHash(header))).toBe(vector.blockHash);
  });
});

describe('qbftQuorum', () => {
  it('is the least number that is more than two thirds', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(qbftQuorum)).toStrictEqual([1, 2, 3, 3, 4, 5, 5, 6, 7, 7]);
    for (let n = 1; n <= 1000; n++) {
      const quorum = qbftQuorum(n);
      expect(3 * quorum).toBeGreaterThan(2 * n);
      expect(3 * (quorum - 1)).toBeLessThanOrEqual(2 * n);
      expect(quorum).toBeGreaterThanOrEqual(Math.ceil((2 * n) / 3));
      expect(quorum).toBeLessThanOrEqual(n);
    }
  });
});
