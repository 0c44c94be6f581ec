/** The core's proofs before the registry: what `merkle/` makes and believes, the chain believes, and nothing else. */

import type { Contract } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveConsistency, proveInclusion, rootFromTiles } from '../../merkle/prove.ts';
import { deployRegistries, type EmbeddedChain, embeddedChain } from '../helpers/contracts.ts';
import { Twin } from '../helpers/twin.ts';

const log = Twin.of();
const sizes = [1, 2, 255, 256, 257, 600];

let chain: EmbeddedChain;
let registry: Contract;
let logId: string;

beforeAll(async () => {
  chain = await embeddedChain();
  registry = (await deployRegistries(chain.signer)).anchorRegistry;
  const opening = ['proofs.example/1', chain.signer.address, log.root(1)] as const;
  logId = await registry.getFunction('openLog').staticCall(...opening);
  await registry.getFunction('openLog').send(...opening);
});
afterAll(() => chain.close());

describe('AnchorRegistry', () => {
  it("anchors a log with the core's roots and consistency proofs over tiles", async () => {
    for (const [i, size] of sizes.entries()) {
      const last = sizes[i - 1];
      if (last === undefined) continue;
      const root = await rootFromTiles(size, log.reader());
      const proof = await proveConsistency(last, size, log.reader());
      await registry.getFunction('anchor').send(logId, last, size, root, proof);
      expect((await registry.getFunction('head')(logId)).size).toBe(BigInt(size));
    }
  });

  it("verifies the core's inclusion proofs in every anchored tree", async () => {
    const verify = registry.getFunction('verifyInclusion');
    for (const size of sizes) {
      for (const index of new Set([0, 1, 127, 254, 255, 256, 511, size - 1])) {
        if (index >= size) continue;
        const leaf = log.hash(index, index + 1);
        const path = await proveInclusion(index, size, log.reader());
        expect([size, index, await verify(logId, size, index, leaf, path)]).toEqual([size, index, true]);
        expect(await verify(logId, size, index, log.root(600), path)).toBe(false);
      }
    }
  });

  it('includes nothing at a size that was not anchored', async () => {
    const path = log.path(3, 300);
    expect(await registry.getFunction('verifyInclusion')(logId, 300, 3, log.hash(3, 4), path)).toBe(false);
  });
});
