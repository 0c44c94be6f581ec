import { sha256 } from '@noble/hashes/sha2.js';
import { expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../../merkle/bytes.ts';
import { BlockIndex } from '../../../service/audit/block-index.ts';

const hashOf = (i: number) => sha256(utf8(`block ${i}`));

it('finds every block that was added, and no other, however many there are', () => {
  const index = new BlockIndex();
  for (let i = 0; i < 10_000; i++) index.add({ hash: hashOf(i), number: i, time: 1_800_000_000 + i });
  expect(index.count).toBe(10_000);
  for (let i = 0; i < 10_000; i++) {
    expect(index.find(hashOf(i))).toEqual({ number: i, time: 1_800_000_000 + i });
    expect(index.find(hashOf(-1 - i))).toBeUndefined();
  }
});

it('tells hashes apart that begin alike', () => {
  const index = new BlockIndex();
  const alike = Array.from({ length: 50 }, (_, i) =>
    concatBytes(new Uint8Array(28), hashOf(i).subarray(0, 4)),
  );
  for (const [number, hash] of alike.entries()) index.add({ hash, number, time: number });
  for (const [number, hash] of alike.entries()) expect(index.find(hash)).toEqual({ number, time: number });
  expect(index.find(new Uint8Array(32))).toBeUndefined();
});
