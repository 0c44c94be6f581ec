/** OpenSSL's hashes are the core's, whatever is hashed and however often. */

import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../merkle/bytes.ts';
import * as entry from '../../merkle/entry.ts';
import * as statement from '../../merkle/statement.ts';
import * as tree from '../../merkle/tree.ts';
import { batchSalt, commitmentOf, HmacKey, leafHash, nodeHash } from '../../service/hashing.ts';
import { countingBytes } from '../helpers/ledger.ts';

const bytes = countingBytes('hashing');
const lengths = [0, 1, 31, 32, 55, 56, 63, 64, 65, 74, 600, 65_536, 70_000, 3];

describe('leafHash', () => {
  it.each(lengths)("is the core's for an entry of %i bytes, in one piece or several", length => {
    const whole = bytes(length);
    expect(leafHash(whole)).toEqual(tree.leafHash(whole));
    const middle = Math.floor(length / 2);
    expect(leafHash(whole.subarray(0, middle), whole.subarray(middle))).toEqual(tree.leafHash(whole));
  });

  it('is not that of other bytes of the same length', () => {
    expect(leafHash(bytes(74))).not.toEqual(leafHash(bytes(74)));
  });
});

describe('nodeHash', () => {
  it("is the core's", () => {
    const [left, right] = [bytes(32), bytes(32)];
    expect(nodeHash(left, right)).toEqual(tree.nodeHash(left, right));
    expect(nodeHash(right, left)).not.toEqual(tree.nodeHash(left, right));
  });
});

describe('commitmentOf', () => {
  it.each(lengths)("is the core's for an event of %i bytes", length => {
    const [salt, event] = [bytes(32), bytes(length)];
    const jws = `ey.${length}.é`;
    expect(commitmentOf(salt, event, jws)).toEqual(entry.commitmentOf(salt, event, jws));
    expect(commitmentOf(salt, concatBytes(event, Uint8Array.of(0)), jws)).not.toEqual(
      entry.commitmentOf(salt, event, jws),
    );
  });
});

describe('HmacKey', () => {
  it.each([0, 1, 20, 32, 63, 64])('gives what Node gives under a key of %i bytes', length => {
    const key = bytes(length);
    for (const message of lengths.map(bytes))
      expect(Buffer.from(new HmacKey(key).mac(message)).toString('hex')).toBe(
        createHmac('sha256', key).update(message).digest('hex'),
      );
  });

  it('refuses a key that is longer than a block', () => {
    expect(() => new HmacKey(bytes(65))).toThrow('a key of 65 bytes, want at most 64');
  });
});

describe('batchSalt', () => {
  it.each([0, 1, 255, 256, 65_535])("is the core's for event %i", index => {
    const secret = bytes(32);
    expect(batchSalt(new HmacKey(secret), index)).toEqual(statement.batchSalt(secret, index));
    expect(batchSalt(new HmacKey(secret), index + 1)).not.toEqual(statement.batchSalt(secret, index));
  });
});
