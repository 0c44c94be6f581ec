import { describe, expect, test } from 'vitest';
import { parseHex, utf8 } from '../../merkle/bytes.ts';
import { appendLeaf, edgeRoot, emptyEdge, leafHash, nodeHash, splitPoint } from '../../merkle/tree.ts';
import { anEntry, Twin } from '../helpers/twin.ts';

describe('leafHash and nodeHash', () => {
  test('give the values that Certificate Transparency tests with', () => {
    expect(leafHash(utf8(''))).toEqual(
      parseHex('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', 32),
    );
    expect(leafHash(utf8('L123456'))).toEqual(
      parseHex('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56', 32),
    );
    expect(nodeHash(utf8('N123'), utf8('N456'))).toEqual(
      parseHex('aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb', 32),
    );
  });

  test('keep an entry that looks like two hashes apart from a node', () => {
    const [left, right] = [leafHash(utf8('a')), leafHash(utf8('b'))];
    expect(leafHash(new Uint8Array([...left, ...right]))).not.toEqual(nodeHash(left, right));
    expect(leafHash(new Uint8Array([1, ...left, ...right]))).not.toEqual(nodeHash(left, right));
  });

  test('are not changed by a change of the bytes they were given', () => {
    const entry = utf8('entry');
    const hash = leafHash(entry);
    entry[0] = 0;
    expect(hash).toEqual(leafHash(utf8('entry')));
  });
});

describe('splitPoint', () => {
  test('is the largest power of two below the size', () => {
    expect([2, 3, 4, 5, 8, 9, 255, 256, 257].map(splitPoint)).toEqual([1, 2, 2, 4, 4, 8, 128, 128, 256]);
  });

  test('does not stop at 32 bits', () => {
    expect(splitPoint(2 ** 32)).toBe(2 ** 31);
    expect(splitPoint(2 ** 32 + 1)).toBe(2 ** 32);
    expect(splitPoint(2 ** 40)).toBe(2 ** 39);
    expect(splitPoint(2 ** 53 - 1)).toBe(2 ** 52);
  });
});

describe('appendLeaf and edgeRoot', () => {
  test('give the root of the recursive definition at every size to 600', () => {
    const twin = Twin.of();
    let edge = emptyEdge;
    for (let size = 1; size <= 600; size++) {
      edge = appendLeaf(edge, leafHash(anEntry(size - 1)));
      expect(edge.size).toBe(size);
      expect(edgeRoot(edge), `size ${size}`).toEqual(twin.root(size));
    }
  });

  test('keep a root for each bit of the size, from the largest subtree to the smallest', () => {
    const twin = Twin.of();
    const edge = twin.leafHashes(13).reduce((grown, hash) => appendLeaf(grown, hash), emptyEdge);
    expect(edge.hashes).toEqual([twin.hash(0, 8), twin.hash(8, 12), twin.hash(12, 13)]);
  });

  test('leave the edge that was grown as it was', () => {
    const edge = Twin.of()
      .leafHashes(7)
      .reduce((grown, hash) => appendLeaf(grown, hash), emptyEdge);
    const before = { size: edge.size, hashes: [...edge.hashes] };
    appendLeaf(edge, leafHash(utf8('one more')));
    expect(edge).toEqual(before);
    expect(emptyEdge).toEqual({ size: 0, hashes: [] });
  });

  test.each([2 ** 32, 2 ** 34 - 1, 2 ** 40 - 1, 2 ** 40, 2 ** 53 - 3])(
    'go on from an edge that stands at %d leaves',
    size => {
      const twin = Twin.around(size - 1, size, size + 1);
      // The edge by definition: the largest perfect subtree that fits, again and again.
      const hashes: Uint8Array[] = [];
      for (let start = 0; start < size; ) {
        const width = splitPoint(size - start + 1);
        hashes.push(twin.hash(start, start + width));
        start += width;
      }
      const edge = { size, hashes };
      expect(edgeRoot(edge)).toEqual(twin.root(size));
      const grown = appendLeaf(edge, leafHash(anEntry(size)));
      expect(edgeRoot(grown)).toEqual(twin.root(size + 1));
      expect(edgeRoot(appendLeaf(grown, leafHash(anEntry(size + 1))))).toEqual(twin.root(size + 2));
    },
  );

  test('refuse an edge with fewer hashes than its size says, and a tree without leaves', () => {
    expect(() => appendLeaf({ size: 3, hashes: [leafHash(utf8('a'))] }, leafHash(utf8('b')))).toThrow(
      /edge of a tree of 3/,
    );
    expect(() => edgeRoot(emptyEdge)).toThrow('a tree without leaves has no root');
  });
});
