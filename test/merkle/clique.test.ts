import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../merkle/bytes.ts';
import { cliqueSealDigest, parseCliqueExtra } from '../../merkle/clique.ts';
import { FormatError } from '../../merkle/errors.ts';
import { parseHeader } from '../../merkle/header.ts';
import { headerItems, someValidators, withExtra } from '../helpers/sealer.ts';

const addresses = someValidators(5).map(({ address }) => address);
const vanity = new Uint8Array(32).fill(1);
const seal = new Uint8Array(65).fill(2);

describe('parseCliqueExtra', () => {
  it('gives the signers of an epoch block, none between epochs, and the seal', () => {
    for (let count = 0; count <= addresses.length; count++) {
      const signers = addresses.slice(0, count);
      expect(parseCliqueExtra(concatBytes(vanity, ...signers, seal))).toStrictEqual({ signers, seal });
    }
  });

  it('refuses every other length', () => {
    for (let length = 0; length < 250; length++) {
      if (length >= 97 && (length - 97) % 20 === 0) continue;
      expect(() => parseCliqueExtra(new Uint8Array(length))).toThrow(FormatError);
      expect(() => parseCliqueExtra(new Uint8Array(length))).toThrow(
        `extraData of ${length} bytes is not vanity, signers and seal`,
      );
    }
  });
});

describe('cliqueSealDigest', () => {
  it('leaves the seal out, and nothing else', () => {
    const items = headerItems({ stateRoot: new Uint8Array(32), number: 7, time: 9, fork: 'shanghai' });
    const unsealed = concatBytes(vanity, ...addresses);
    const header = parseHeader(withExtra(items, concatBytes(unsealed, seal)));
    expect(cliqueSealDigest(header)).toStrictEqual(keccak_256(withExtra(items, unsealed)));
  });
});
