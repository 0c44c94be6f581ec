import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { formatHex0x, utf8 } from '../../../merkle/bytes.ts';
import { encodeRlp } from '../../../merkle/rlp.ts';
import { orderedTrieRoot, trieRoot } from '../../../service/audit/trie-root.ts';
import { buildTrie, integer } from '../../helpers/state.ts';

/** A value of some length, other for each number. */
const value = (i: number, length: number) => Uint8Array.from({ length }, (_, at) => (i * 31 + at) % 256);

describe('orderedTrieRoot', () => {
  it('is the empty root of the yellow paper over nothing', () => {
    expect(formatHex0x(orderedTrieRoot([]))).toBe(
      '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
    );
  });

  it('equals its naive twin for every number of items up to 300, also where nodes are short enough to stand in each other', () => {
    for (const length of [1, 40]) {
      const items: Uint8Array[] = [];
      for (let size = 1; size <= 300; size++) {
        items.push(value(size, length));
        const entries = items.map((item, i) => [encodeRlp(integer(i)), item] as const);
        expect({ size, root: orderedTrieRoot(items) }).toEqual({ size, root: buildTrie(entries).root });
      }
    }
  });

  it('depends on every item, and on their order', () => {
    const items = Array.from({ length: 17 }, (_, i) => value(i, 50));
    const root = orderedTrieRoot(items);
    expect(orderedTrieRoot(items.toReversed())).not.toEqual(root);
    for (const i of items.keys()) {
      expect(orderedTrieRoot(items.toSpliced(i, 1))).not.toEqual(root);
      expect(orderedTrieRoot(items.with(i, value(99, 50)))).not.toEqual(root);
    }
  });
});

describe('trieRoot', () => {
  it('equals its naive twin over hashed keys, in any order', () => {
    const entries = Array.from({ length: 200 }, (_, i) => [keccak_256(utf8(`${i}`)), value(i, 3)] as const);
    for (let size = 0; size <= 200; size += 7) {
      const some = entries.slice(0, size);
      expect(trieRoot(some.toReversed())).toEqual(buildTrie(some).root);
    }
  });
});
