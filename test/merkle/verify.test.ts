import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ProofError } from '../../merkle/errors.ts';
import { inclusionPathLength, verifyConsistency, verifyInclusion } from '../../merkle/verify.ts';
import { Twin } from '../helpers/twin.ts';

type Inclusion = Parameters<typeof verifyInclusion>[0];
type Consistency = Parameters<typeof verifyConsistency>[0];

const twin = Twin.of();
const maxSmall = 66;
const maxSize = 2 ** 53 - 1;
const stranger = new Uint8Array(32).fill(0xee);

function anInclusion(index: number, size: number, from = twin): Inclusion {
  return {
    index,
    size,
    leafHash: from.hash(index, index + 1),
    path: from.path(index, size),
    root: from.root(size),
  };
}

function aConsistency(first: number, second: number, from = twin): Consistency {
  return {
    first,
    second,
    firstRoot: from.root(first),
    secondRoot: from.root(second),
    path: from.proof(first, second),
  };
}

function everyInclusion(): [number, number][] {
  return pairs((index, size) => index < size && size >= 1);
}

function everyConsistency(): [number, number][] {
  return pairs((first, second) => first >= 1 && first <= second);
}

function pairs(holds: (a: number, b: number) => boolean): [number, number][] {
  const to66 = Array.from({ length: maxSmall + 1 }, (_, i) => i);
  return to66.flatMap(b => to66.filter(a => holds(a, b)).map((a): [number, number] => [a, b]));
}

function withOneBitFlipped(hash: Uint8Array, bit: number): Uint8Array {
  return hash.map((byte, i) => (i === Math.floor(bit / 8) ? byte ^ (1 << (bit % 8)) : byte));
}

/** Every path that differs from an honest one by one hash: flipped, dropped, added, swapped with the next. */
function tampered(path: readonly Uint8Array[], salt: number): { how: string; path: Uint8Array[] }[] {
  const changed: { how: string; path: Uint8Array[] }[] = [];
  for (const [i, hash] of path.entries()) {
    changed.push({
      how: `hash ${i} flipped`,
      path: path.with(i, withOneBitFlipped(hash, (salt + 37 * i) % 256)),
    });
    changed.push({ how: `hash ${i} dropped`, path: path.toSpliced(i, 1) });
    const next = path[i + 1];
    if (next !== undefined)
      changed.push({ how: `hash ${i} swapped`, path: path.with(i, next).with(i + 1, hash) });
    changed.push({ how: `hash ${i} doubled`, path: path.toSpliced(i, 0, hash) });
  }
  for (let i = 0; i <= path.length; i++)
    changed.push({ how: `added at ${i}`, path: path.toSpliced(i, 0, stranger) });
  return changed;
}

function refusal(verify: () => void): string {
  try {
    verify();
  } catch (error) {
    if (error instanceof ProofError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('inclusionPathLength', () => {
  test('is the length of the path by definition, for every leaf of every tree to 66', () => {
    for (const [index, size] of everyInclusion())
      expect(inclusionPathLength(index, size), `${index} of ${size}`).toBe(twin.path(index, size).length);
  });

  test.each([
    [0, 1, 0],
    [0, 2 ** 32, 32],
    [2 ** 32 - 1, 2 ** 32, 32],
    [2 ** 32, 2 ** 32 + 1, 1],
    [0, 2 ** 32 + 1, 33],
    [2 ** 31, 2 ** 32 - 1, 32],
    [2 ** 32 - 2, 2 ** 32 - 1, 31],
    [2 ** 40, 2 ** 40 + 2, 2],
    [2 ** 40 - 1, 2 ** 40, 40],
    [0, maxSize, 53],
    [maxSize - 1, maxSize, 52],
    [2 ** 52, maxSize, 53],
  ])('of leaf %d in a tree of %d is %d', (index, size, length) => {
    expect(inclusionPathLength(index, size)).toBe(length);
    expect(Twin.around(index).path(index, size)).toHaveLength(length);
  });
});

describe('verifyInclusion', () => {
  test('accepts every leaf of every tree to 66', () => {
    for (const [index, size] of everyInclusion())
      expect(
        refusal(() => verifyInclusion(anInclusion(index, size))),
        `${index} of ${size}`,
      ).toBe('accepted');
  });

  test('refuses every path with one hash flipped, dropped, added or swapped', () => {
    let refused = 0;
    for (const [index, size] of everyInclusion()) {
      const honest = anInclusion(index, size);
      for (const { how, path } of tampered(honest.path, index)) {
        const want =
          path.length === honest.path.length
            ? `inclusion proof does not lead from leaf ${index} to the root`
            : `inclusion proof has ${path.length} hashes, want ${honest.path.length}`;
        expect(
          refusal(() => verifyInclusion({ ...honest, path })),
          `${index} of ${size}, ${how}`,
        ).toBe(want);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50_000);
  });

  test('refuses another leaf hash and another root', () => {
    for (const [index, size] of everyInclusion()) {
      const honest = anInclusion(index, size);
      const want = `inclusion proof does not lead from leaf ${index} to the root`;
      const leafHash = withOneBitFlipped(honest.leafHash, index);
      const root = withOneBitFlipped(honest.root, size);
      expect(refusal(() => verifyInclusion({ ...honest, leafHash }))).toBe(want);
      expect(refusal(() => verifyInclusion({ ...honest, root }))).toBe(want);
    }
  });

  test('refuses the proof of every leaf under the index of another', () => {
    for (let size = 1; size <= 34; size++) {
      for (let index = 0; index < size; index++) {
        const honest = anInclusion(index, size);
        for (let other = 0; other < size; other++) {
          if (other === index) continue;
          expect(
            refusal(() => verifyInclusion({ ...honest, index: other })),
            `${index} of ${size} as ${other}`,
          ).not.toBe('accepted');
        }
      }
    }
  });

  test('refuses an inner node as a leaf, and the root as a leaf with an empty path', () => {
    for (let size = 2; size <= maxSmall; size++) {
      const honest = anInclusion(0, size);
      const leafHash = twin.hash(0, 2);
      expect(refusal(() => verifyInclusion({ ...honest, leafHash, path: honest.path.slice(1) }))).toMatch(
        /inclusion proof has \d+ hashes, want \d+/,
      );
      expect(refusal(() => verifyInclusion({ ...honest, leafHash: honest.root, path: [] }))).toBe(
        `inclusion proof has 0 hashes, want ${honest.path.length}`,
      );
    }
  });

  test.each([
    [7, 7],
    [9, 7],
    [0, 0],
    [-1, 7],
    [0.5, 7],
    [Number.NaN, 7],
    [0, Number.NaN],
    [0, 2 ** 53],
    [2 ** 53, 2 ** 53],
    [0, -1],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses leaf %d of %d: there is none', (index, size) => {
    expect(refusal(() => verifyInclusion({ ...anInclusion(0, 1), index, size }))).toBe(
      `leaf ${index} is outside a tree of ${size}`,
    );
  });

  test('refuses hashes of another length, also where they would join to the same bytes', () => {
    const honest = anInclusion(0, 2);
    const sibling = twin.hash(1, 2);
    // The boundary between left and right child moved by a byte: the same 65 bytes are hashed.
    const leafHash = honest.leafHash.subarray(0, 31);
    const path = [Uint8Array.of(...honest.leafHash.subarray(31), ...sibling)];
    expect(refusal(() => verifyInclusion({ ...honest, leafHash, path }))).toBe(
      'proof has a hash of 31 bytes, want 32',
    );
    expect(refusal(() => verifyInclusion({ ...honest, path }))).toBe('proof has a hash of 33 bytes, want 32');
    const empty = new Uint8Array(0);
    expect(
      refusal(() => verifyInclusion({ index: 0, size: 1, leafHash: empty, path: [], root: empty })),
    ).toBe('proof has a hash of 0 bytes, want 32');
  });

  test('names the length wanted before it hashes or looks at anything', () => {
    const path = Array.from({ length: 1000 }, () => new Uint8Array(0));
    expect(refusal(() => verifyInclusion({ ...anInclusion(3, 5), path }))).toBe(
      'inclusion proof has 1000 hashes, want 3',
    );
  });

  test.each([2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 - 1, 2 ** 40 + 3, 2 ** 53 - 2, maxSize])(
    'verifies and refuses in a tree of %d as in a small one',
    size => {
      for (const index of [0, 1, 2 ** 20, Math.floor(size / 2), Math.ceil(size / 3), size - 2, size - 1]) {
        const honest = anInclusion(index, size, Twin.around(index));
        verifyInclusion(honest);
        for (const { how, path } of tampered(honest.path, index % 256)) {
          expect(
            refusal(() => verifyInclusion({ ...honest, path })),
            `${index}, ${how}`,
          ).not.toBe('accepted');
        }
        const neighbour = index === 0 ? 1 : index - 1;
        expect(refusal(() => verifyInclusion({ ...honest, index: neighbour }))).not.toBe('accepted');
      }
    },
  );
});

describe('verifyConsistency', () => {
  test('accepts every pair of trees to 66', () => {
    for (const [first, second] of everyConsistency())
      expect(
        refusal(() => verifyConsistency(aConsistency(first, second))),
        `${first} to ${second}`,
      ).toBe('accepted');
  });

  test('refuses every proof with one hash flipped, dropped, added or swapped', () => {
    let refused = 0;
    for (const [first, second] of everyConsistency()) {
      const honest = aConsistency(first, second);
      for (const { how, path } of tampered(honest.path, first)) {
        const want =
          path.length === honest.path.length
            ? /^consistency proof does not lead to the root of the tree of \d+$/
            : new RegExp(`^consistency proof has ${path.length} hashes, want ${honest.path.length}$`);
        expect(
          refusal(() => verifyConsistency({ ...honest, path })),
          `${first} to ${second}, ${how}`,
        ).toMatch(want);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(40_000);
  });

  test('refuses another old root, another new root, and both exchanged', () => {
    for (const [first, second] of everyConsistency()) {
      const honest = aConsistency(first, second);
      const firstRoot = withOneBitFlipped(honest.firstRoot, first);
      const secondRoot = withOneBitFlipped(honest.secondRoot, second);
      const oldOrNew = first === second ? /two different roots/ : /does not lead to the root of the tree of/;
      expect(refusal(() => verifyConsistency({ ...honest, firstRoot }))).toMatch(oldOrNew);
      expect(refusal(() => verifyConsistency({ ...honest, secondRoot }))).toMatch(oldOrNew);
      if (first < second)
        expect(
          refusal(() =>
            verifyConsistency({ ...honest, firstRoot: honest.secondRoot, secondRoot: honest.firstRoot }),
          ),
        ).not.toBe('accepted');
    }
  });

  test('refuses every proof under another old size', () => {
    for (const [first, second] of everyConsistency()) {
      const honest = aConsistency(first, second);
      for (let other = 1; other <= second; other++) {
        if (other === first) continue;
        expect(
          refusal(() => verifyConsistency({ ...honest, first: other })),
          `${first} to ${second} as ${other}`,
        ).not.toBe('accepted');
      }
    }
  });

  test('refuses a history that was rewritten: an entry changed before the old size', () => {
    const forged = Twin.of(index => new TextEncoder().encode(index === 2 ? 'forged' : `entry ${index}`));
    for (const [first, second] of everyConsistency()) {
      if (first < 3) continue;
      const firstRoot = twin.root(first);
      expect(
        refusal(() => verifyConsistency({ ...aConsistency(first, second, forged), firstRoot })),
        `${first} to ${second}`,
      ).not.toBe('accepted');
    }
  });

  test.each([
    [0, 0],
    [0, 5],
    [6, 5],
    [-1, 5],
    [1.5, 5],
    [1, Number.NaN],
    [1, 2 ** 53],
    [Number.NaN, 5],
  ])('refuses %d to %d: not two sizes of one log', (first, second) => {
    expect(refusal(() => verifyConsistency({ ...aConsistency(1, 1), first, second }))).toBe(
      `a tree of ${first} is not the beginning of a tree of ${second}`,
    );
  });

  test('refuses hashes of another length', () => {
    const honest = aConsistency(3, 7);
    const short = new Uint8Array(31);
    for (let i = 0; i < honest.path.length; i++)
      expect(refusal(() => verifyConsistency({ ...honest, path: honest.path.with(i, short) }))).toBe(
        'proof has a hash of 31 bytes, want 32',
      );
    expect(refusal(() => verifyConsistency({ ...honest, firstRoot: short }))).toMatch(/31 bytes, want 32/);
    expect(refusal(() => verifyConsistency({ ...honest, secondRoot: short }))).toMatch(/31 bytes, want 32/);
    expect(
      refusal(() => verifyConsistency({ ...aConsistency(4, 4), firstRoot: short, secondRoot: short })),
    ).toMatch(/31 bytes, want 32/);
  });

  test('names the length wanted before it hashes or looks at anything', () => {
    const path = Array.from({ length: 1000 }, () => new Uint8Array(0));
    expect(refusal(() => verifyConsistency({ ...aConsistency(3, 7), path }))).toBe(
      'consistency proof has 1000 hashes, want 4',
    );
    expect(refusal(() => verifyConsistency({ ...aConsistency(3, 7), path: [] }))).toBe(
      'consistency proof has 0 hashes, want 4',
    );
    expect(refusal(() => verifyConsistency({ ...aConsistency(5, 5), path }))).toBe(
      'consistency proof has 1000 hashes, want 0',
    );
  });

  test.each([
    [1, 2 ** 32],
    [2 ** 31, 2 ** 32 - 1],
    [2 ** 31 - 1, 2 ** 32 - 1],
    [2 ** 32 - 1, 2 ** 32],
    [2 ** 32, 2 ** 32 + 1],
    [2 ** 32 + 1, 2 ** 33 + 5],
    [2 ** 40 - 3, 2 ** 40 + 3],
    [1_000_000_007, 2 ** 40],
    [2 ** 52, maxSize],
    [2 ** 52 - 1, maxSize],
    [2 ** 53 - 2, maxSize],
    [maxSize, maxSize],
    [3, maxSize],
  ])('verifies and refuses from %d to %d as between small trees', (first, second) => {
    const honest = aConsistency(first, second, Twin.around(first - 1, first));
    verifyConsistency(honest);
    for (const { how, path } of tampered(honest.path, first % 256))
      expect(
        refusal(() => verifyConsistency({ ...honest, path })),
        how,
      ).not.toBe('accepted');
    if (first > 1)
      expect(refusal(() => verifyConsistency({ ...honest, first: first - 1 }))).not.toBe('accepted');
  });
});

const vectors = new URL('../../../shared/vectors/rfc6962/', import.meta.url);
const present = existsSync(vectors);

describe.skipIf(!present)(`vectors/rfc6962${present ? '' : ' (skipped: ../shared is absent)'}`, () => {
  test('inclusion probes are judged as transparency-dev judges them', () => {
    const probes = readProbes<{ leafIdx: number; treeSize: number; root: string; leafHash: string }>(
      'inclusion/',
    );
    expect(probes).toHaveLength(98);
    for (const { file, probe } of probes) {
      const got = refusal(() =>
        verifyInclusion({
          index: probe.leafIdx,
          size: probe.treeSize,
          leafHash: fromBase64(probe.leafHash),
          path: (probe.proof ?? []).map(fromBase64),
          root: fromBase64(probe.root),
        }),
      );
      expect(got !== 'accepted', `${file}: ${got}`).toBe(probe.wantErr);
    }
  });

  test('consistency probes are judged as transparency-dev judges them, but for one whose roots are no hashes', () => {
    const probes = readProbes<{ size1: number; size2: number; root1: string; root2: string }>('consistency/');
    expect(probes).toHaveLength(98);
    const stricter: string[] = [];
    for (const { file, probe } of probes) {
      const got = refusal(() =>
        verifyConsistency({
          first: probe.size1,
          second: probe.size2,
          firstRoot: fromBase64(probe.root1),
          secondRoot: fromBase64(probe.root2),
          path: (probe.proof ?? []).map(fromBase64),
        }),
      );
      if (got !== 'accepted' && !probe.wantErr) stricter.push(`${file}: ${got}`);
      else expect(got !== 'accepted', `${file}: ${got}`).toBe(probe.wantErr);
    }
    expect(stricter).toEqual([
      'consistency/additional/sizes-are-equal-one-and-proof-is-empty.json: proof has a hash of 12 bytes, want 32',
    ]);
  });
});

/** Every probe in a folder and in those below it. */
function readProbes<T>(
  folder: string,
): { file: string; probe: T & { proof: string[] | null; wantErr: boolean } }[] {
  return readdirSync(new URL(folder, vectors), { withFileTypes: true }).flatMap(entry => {
    if (entry.isDirectory()) return readProbes<T>(`${folder}${entry.name}/`);
    // The vectors' file names have characters that an URL would take for its own.
    const file = `${folder}${entry.name}`;
    return [{ file, probe: JSON.parse(readFileSync(new URL(encodeURI(file), vectors), 'utf8')) }];
  });
}

function fromBase64(text: string | null): Uint8Array {
  return new Uint8Array(Buffer.from(text ?? '', 'base64'));
}
