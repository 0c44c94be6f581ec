import { describe, expect, it } from 'vitest';
import { utf8 } from '../../merkle/bytes.ts';
import { formatCheckpoint } from '../../merkle/checkpoint.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { wordOf } from '../../merkle/evidence.ts';
import { type Fork, formatFork, isForkEvidence, parseFork, verifyFork } from '../../merkle/fork.ts';
import { proveConsistency, treeRoot } from '../../merkle/prove.ts';
import { leafHash } from '../../merkle/tree.ts';
import { rootsFromConsistency, verifyConsistency } from '../../merkle/verify.ts';
import { testOrigin } from '../helpers/builders.ts';
import { aTrust, forge, logKeys, rotatedUntilSize, signAll } from '../helpers/forge.ts';

const trust = aTrust();
const leaves = Array.from({ length: 24 }, (_, i) => leafHash(wordOf(i)));
const rootAt = (size: number) => treeRoot(leaves.slice(0, size));
const other = new Uint8Array(32).fill(7);

function sign(size: number, root: Uint8Array, signer = logKeys.present, origin = testOrigin) {
  return signAll(formatCheckpoint({ origin, size, root }), [signer]);
}

/** The nodes that show how the tree of `second` leaves begins. */
async function nodesOf(first: number, second: number): Promise<Uint8Array[]> {
  const path = await proveConsistency(first, second, async tiles =>
    tiles.map(({ width }) => leaves.slice(0, width)),
  );
  const isWhole = Number.isInteger(Math.log2(first));
  return isWhole ? [rootAt(first), ...path] : path;
}

async function aFork(first: number, second: number, changes: Partial<Fork> = {}): Promise<Fork> {
  const checkpoints = [await sign(first, other), await sign(second, rootAt(second))] as const;
  return { checkpoints, nodes: first === second ? [] : await nodesOf(first, second), ...changes };
}

describe('rootsFromConsistency', () => {
  it('gives both roots of every pair of sizes', async () => {
    for (let second = 2; second <= leaves.length; second++)
      for (let first = 1; first < second; first++)
        expect(
          rootsFromConsistency(first, second, await nodesOf(first, second)),
          `${first} ${second}`,
        ).toEqual({
          firstRoot: rootAt(first),
          secondRoot: rootAt(second),
        });
  });

  it('refuses more or fewer nodes, of other lengths, and sizes in no order', async () => {
    const nodes = await nodesOf(5, 11);
    for (const wrong of [[], nodes.slice(1), [...nodes, other], [new Uint8Array(31), ...nodes.slice(1)]])
      expect(() => rootsFromConsistency(5, 11, wrong)).toThrow(ProofError);
    for (const [first, second] of [
      [11, 5],
      [5, 5],
      [0, 5],
      [1.5, 5],
    ] as const)
      expect(() => rootsFromConsistency(first, second, nodes)).toThrow(ProofError);
  });
});

describe('verifyFork', () => {
  it('accepts two roots for one size', async () => {
    const { first, second } = verifyFork(await aFork(11, 11), trust);
    expect([first.checkpoint.root, second.checkpoint.root]).toEqual([other, rootAt(11)]);
    expect(first.key.key).toEqual(logKeys.present.key);
  });

  it('accepts a tree that begins otherwise, for every pair of sizes', async () => {
    for (let second = 2; second <= 17; second++)
      for (let first = 1; first < second; first++) verifyFork(await aFork(first, second), trust);
  });

  it('never frames a log that only appends, whatever the nodes are', async () => {
    for (let second = 1; second <= 12; second++)
      for (let first = 1; first <= second; first++) {
        const checkpoints = [await sign(first, rootAt(first)), await sign(second, rootAt(second))] as const;
        const nodes = first === second ? [] : await nodesOf(first, second);
        if (first < second)
          verifyConsistency({
            ...{ first, second, firstRoot: rootAt(first), secondRoot: rootAt(second) },
            path: Number.isInteger(Math.log2(first)) ? nodes.slice(1) : nodes,
          });
        const tries = [nodes, [], [...nodes, other], ...nodes.map((_, i) => nodes.with(i, other))];
        for (const each of tries)
          expect(() => verifyFork({ checkpoints, nodes: each }, trust)).toThrow(ProofError);
      }
  });

  it('refuses nodes of another tree than the larger checkpoint signs', async () => {
    const good = await aFork(5, 11);
    for (const [i] of good.nodes.entries())
      expect(() => verifyFork({ ...good, nodes: good.nodes.with(i, other) }, trust)).toThrow(
        'do not lead to the root that was signed for size 11',
      );
  });

  it('refuses nodes beside two checkpoints of one size, where they would be decoration', async () => {
    const fork = await aFork(11, 11, { nodes: [other] });
    expect(() => verifyFork(fork, trust)).toThrow('want none');
  });

  it('refuses the larger one first', async () => {
    const { checkpoints, nodes } = await aFork(5, 11);
    const [a, b] = checkpoints;
    expect(() => verifyFork({ checkpoints: [b, a], nodes }, trust)).toThrow(
      'the checkpoint of size 11 stands before the one of size 5',
    );
  });

  it('refuses checkpoints of two logs', async () => {
    const foreign = await sign(11, other, logKeys.other, 'ledger.example/other');
    const own = await sign(11, rootAt(11));
    expect(() => verifyFork({ checkpoints: [foreign, own], nodes: [] }, trust)).toThrow('are of');
  });

  it('refuses what no key of the log signed that is good for its size', async () => {
    const own = await sign(24, rootAt(24));
    for (const signer of [logKeys.witness, logKeys.rotated, logKeys.other]) {
      const checkpoints = [await sign(24, other, signer), own] as const;
      expect(() => verifyFork({ checkpoints, nodes: [] }, trust)).toThrow(ProofError);
    }
    // Up to its last size, the rotated key speaks for the log as well.
    const checkpoints = [await sign(rotatedUntilSize, other, logKeys.rotated), own] as const;
    verifyFork({ checkpoints, nodes: await nodesOf(rotatedUntilSize, 24) }, trust);
  });

  it('refuses a note that cannot be read', () => {
    expect(() => verifyFork({ checkpoints: ['', ''], nodes: [] }, trust)).toThrow(FormatError);
  });

  it('refuses a note that was changed', async () => {
    const good = await aFork(11, 11);
    const changed = good.checkpoints[0].replace('\n11\n', '\n12\n');
    expect(() => verifyFork({ ...good, checkpoints: [good.checkpoints[1], changed] }, trust)).toThrow(
      ProofError,
    );
  });
});

describe('parseFork', () => {
  it('reads what formatFork prints', async () => {
    const fork = await aFork(5, 11);
    expect(parseFork(utf8(formatFork(fork)))).toEqual(fork);
  });

  it('refuses any other form', async () => {
    const value = JSON.parse(formatFork(await aFork(5, 11)));
    for (const wrong of [
      { ...value, version: 2 },
      { ...value, more: 1 },
      { ...value, nodes: undefined },
      { ...value, nodes: ['AA'] },
      { ...value, checkpoints: value.checkpoints.slice(1) },
      { ...value, checkpoints: [...value.checkpoints, ''] },
      { ...value, checkpoints: [1, 2] },
    ])
      expect(() => parseFork(utf8(JSON.stringify(wrong)))).toThrow(FormatError);
  });
});

describe('isForkEvidence', () => {
  it('tells it from receipts, and from what is nothing', async () => {
    expect(isForkEvidence(utf8(formatFork(await aFork(5, 11))))).toBe(true);
    expect(isForkEvidence((await forge()).bytes)).toBe(false);
    for (const text of ['', '[]', 'x', '{}']) expect(isForkEvidence(utf8(text))).toBe(false);
  });
});
