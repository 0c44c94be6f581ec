import { expect, it } from 'vitest';
import { parseHex0x } from '../../../merkle/bytes.ts';
import { bloomBits, mayHold } from '../../../service/audit/bloom.ts';

it('may hold an address exactly when all of its three bits are set', () => {
  const address = parseHex0x(`0x095e7baea6a6c7c4c2dfeb977efac326af552d87`, 20);
  const bits = bloomBits(address);
  const bloom = new Uint8Array(256);
  expect(mayHold(bloom, bits)).toBe(false);
  for (const { byte, mask } of bits) bloom[byte] = (bloom[byte] ?? 0) | mask;
  expect(mayHold(bloom, bits)).toBe(true);
  expect(mayHold(bloom, bloomBits(new Uint8Array(20)))).toBe(false);
  expect(mayHold(new Uint8Array(256).fill(255), bits)).toBe(true);
  for (const { byte, mask } of bits) {
    const without = bloom.with(byte, (bloom[byte] ?? 0) & ~mask);
    expect(mayHold(without, bits)).toBe(false);
  }
});

it('sets the bits of the yellow paper', () => {
  // Keccak-256 of twenty zero bytes begins with 5380 c7b7 ae81: modulo 2,048 the bits 896, 1975 and 1665.
  expect(bloomBits(new Uint8Array(20))).toEqual([
    { byte: 255 - 112, mask: 1 },
    { byte: 255 - 246, mask: 128 },
    { byte: 255 - 208, mask: 2 },
  ]);
});
