import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatHex, formatHex0x, parseHex, utf8 } from '../../merkle/bytes.ts';
import { ProofError } from '../../merkle/errors.ts';
import { decodeRlp, encodeRlp, type RlpItem } from '../../merkle/rlp.ts';
import { NodeBag, NodeCollector, walk } from '../../merkle/trie.ts';
import { buildTrie, type Trie } from '../helpers/state.ts';

describe('walk', () => {
  it('finds nothing in an empty trie, and needs no node for that', () => {
    const { root } = buildTrie([]);
    expect(formatHex(root)).toBe('56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421');
    expect(find({ root, prove: () => [] }, keccak_256(utf8('a')))).toBeUndefined();
  });

  // Tries of github.com/ethereum/tests, TrieTests/trieanyorder.json. Their keys are short, so that values stand in branches.
  it.each<readonly [Record<string, string>, string]>([
    [{ A: 'a'.repeat(50) }, 'd23786fb4a010da3ce639d66d5e904a11dbc02746d1ce25029e53290cabf28ab'],
    [
      { doe: 'reindeer', dog: 'puppy', dogglesworth: 'cat' },
      '8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3',
    ],
    [
      { do: 'verb', horse: 'stallion', doge: 'coin', dog: 'puppy' },
      '5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84',
    ],
    [{ foo: 'bar', food: 'bass' }, '17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3'],
    [{ be: 'e', dog: 'puppy', bed: 'd' }, '3f67c7a47520f79faa29255d2d3c084a7a6df0453116ed7232ff10277a8be68b'],
    [{ test: 'test', te: 'testy' }, '8452568af70d8d140f58d941338542f645fcca50094b20f3c3d8c3df49337928'],
  ])("reads Ethereum's own test tries: %j", (entries, root) => {
    const trie = buildTrie(Object.entries(entries).map(([key, value]) => [utf8(key), utf8(value)]));
    expect(formatHex(trie.root)).toBe(root);
    for (const [key, value] of Object.entries(entries)) {
      expect(find(trie, utf8(key))).toStrictEqual(utf8(value));
      for (const absent of [key.slice(0, -1), `${key}z`, `z${key}`]) {
        if (!(absent in entries)) expect(find(trie, utf8(absent))).toBeUndefined();
      }
    }
  });

  it('finds what any trie holds, and proves what it does not hold', () => {
    // Few different keys of few bytes give deep tries full of short nodes that stand embedded in others.
    const aByte = fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0x17, 0xf0, 0xff);
    const aKey = fc.nat(3).chain(length => fc.array(aByte, { minLength: length + 1, maxLength: length + 1 }));
    const aValue = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 3 }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
    );
    const entries = fc.uniqueArray(fc.tuple(aKey, aValue), {
      selector: ([key]) => key.join(),
      maxLength: 25,
    });
    let embedded = 0;
    fc.assert(
      fc.property(entries, fc.array(aKey, { maxLength: 10 }), (list, others) => {
        const trie = buildTrie(list.map(([key, value]) => [Uint8Array.from(key), value]));
        const held = new Map(list.map(([key, value]) => [key.join(), value]));
        for (const key of [...list.map(([key]) => key), ...others]) {
          expect(find(trie, Uint8Array.from(key))).toStrictEqual(held.get(key.join()));
          if (trie.prove(Uint8Array.from(key)).some(embedsNode)) embedded++;
        }
      }),
      { numRuns: 400 },
    );
    expect(embedded).toBeGreaterThan(100);
  });

  it('finds what hashed tries of many sizes hold', () => {
    for (let size = 1; size <= 300; size += size < 40 ? 1 : 43) {
      const entries = someEntries(size);
      const trie = buildTrie(entries);
      for (const [key, value] of entries) expect(find(trie, key)).toStrictEqual(value);
      for (let i = 0; i < 20; i++) expect(find(trie, keccak_256(utf8(`absent ${i}`)))).toBeUndefined();
    }
  });

  it('ends at a leaf or an extension that leads elsewhere', () => {
    const leaf = [hex('20abcd'), utf8('value')];
    expect(walkTo([leaf], 'abcd')).toStrictEqual(utf8('value'));
    for (const key of ['', 'ab', 'abcc', 'abcdef', 'bbcd']) expect(walkTo([leaf], key)).toBeUndefined();

    const branch = [...Array<RlpItem>(16).fill(new Uint8Array(0)), utf8('a value that ends in this branch')];
    const extension = [hex('00abcd'), keccak_256(encodeRlp(branch))];
    expect(walkTo([extension, branch], 'abcd')).toStrictEqual(utf8('a value that ends in this branch'));
    expect(walkTo([extension, branch], 'abcdef')).toBeUndefined();
    for (const key of ['', 'ab', 'abcc', 'bbcd']) expect(walkTo([extension], key)).toBeUndefined();
  });

  it.each<readonly [name: string, node: RlpItem, message: string]>([
    ['a byte string', utf8('node'), 'RLP byte string where a list is wanted'],
    ['no items', [], '0 items, want 2 or 17'],
    ['one item', [hex('20')], '1 items, want 2 or 17'],
    ['three items', [hex('20'), utf8('v'), utf8('v')], '3 items, want 2 or 17'],
    ['sixteen items', aBranch().slice(1), '16 items, want 2 or 17'],
    ['eighteen items', [...aBranch(), new Uint8Array(0)], '18 items, want 2 or 17'],
    ['a leaf without a value', [hex('20'), new Uint8Array(0)], 'a leaf without a value'],
    ['a leaf with a list', [hex('20'), []], 'RLP list where a byte string is wanted'],
    ['a list for a path', [[], utf8('v')], 'RLP list where a byte string is wanted'],
    ['an extension without nibbles', [hex('00'), keccak_256(hex(''))], 'an extension without nibbles'],
    ['an extension without a child', [hex('11'), new Uint8Array(0)], 'an extension without a child'],
    ['an extension to a short hash', [hex('11'), new Uint8Array(31)], 'a child of 31 bytes'],
    ['an extension to a long hash', [hex('11'), new Uint8Array(33)], 'a child of 33 bytes'],
    ['a branch with a short child', aBranch(utf8('v')), 'a child of 1 bytes'],
    [
      'a branch with a list as value',
      [...aBranch().slice(0, 16), []],
      'RLP list where a byte string is wanted',
    ],
    [
      'an embedded node of 32 bytes',
      aBranch([hex('20'), new Uint8Array(29).fill(1)]),
      '32 bytes embedded, want a hash',
    ],
    ['an embedded node of one item', aBranch([hex('20')]), '1 items, want 2 or 17'],
    ['a malformed node in a neighbour', [...aBranch().slice(0, 9), [[]], ...aBranch().slice(10)], '1 items'],
    ['no path', [hex(''), utf8('v')], 'a path that is not hex-prefix encoded'],
    ['padding in a leaf', [hex('21ab'), utf8('v')], 'a path that is not hex-prefix encoded'],
    ['padding in an extension', [hex('0fab'), new Uint8Array(32)], 'a path that is not hex-prefix encoded'],
    ...Array.from(
      { length: 12 },
      (_, i) =>
        [
          `flags ${i + 4}`,
          [hex(`${(i + 4).toString(16)}0`), utf8('v')],
          'a path that is not hex-prefix encoded',
        ] as const,
    ),
  ])('refuses %s for a node', (_, node, message) => {
    expect(() => walkTo([node], '')).toThrow(ProofError);
    expect(() => walkTo([node], '00')).toThrow(
      `node ${formatHex0x(keccak_256(encodeRlp(node)))} is malformed: `,
    );
    expect(() => walkTo([node], '00')).toThrow(message);
  });

  it('takes an embedded node of 31 bytes, and a node of 31 bytes by its hash', () => {
    const leaf = [hex('30'), new Uint8Array(28).fill(1)];
    expect(encodeRlp(leaf)).toHaveLength(31);
    expect(walkTo([aBranch(leaf)], '00')).toStrictEqual(leaf[1]);
    expect(walkTo([aBranch(keccak_256(encodeRlp(leaf))), leaf], '00')).toStrictEqual(leaf[1]);
  });

  it('refuses a node that is not canonical RLP under the right hash', () => {
    const leaf = encodeRlp([hex('20'), utf8('value')]);
    const odd = Uint8Array.of(0xf8, leaf.length - 1, ...leaf.subarray(1));
    expect(() => walk(new NodeBag([odd]), keccak_256(odd), hex(''))).toThrow(
      'is malformed: RLP item has a longer head than it needs',
    );
  });
});

describe('NodeBag', () => {
  const entries = someEntries(120);
  const trie = buildTrie(entries);
  const keys = [
    ...entries.slice(0, 6).map(([key]) => key),
    ...['a', 'b'].map(name => keccak_256(utf8(name))),
  ];
  const foreign = buildTrie(someEntries(3)).prove(keccak_256(hex('')))[0] ?? hex('');

  it('refuses nodes of which one is missing, doubled, swapped with another, or too many', () => {
    for (const key of keys) {
      const nodes = trie.prove(key);
      expect(nodes.length).toBeGreaterThan(1);
      expectTaken(nodes, key);
      for (const [i, node] of nodes.entries()) {
        expectRefused(nodes.toSpliced(i, 1), key);
        for (let at = 0; at <= nodes.length; at++) {
          expectRefused(nodes.toSpliced(at, 0, node), key);
          expectRefused(nodes.toSpliced(at, 0, foreign), key);
        }
        for (const [j, other] of nodes.entries()) {
          if (i !== j) expectRefused(nodes.with(i, other).with(j, node), key);
        }
        expectRefused(nodes.with(i, node.subarray(1)), key);
        expectRefused(nodes.with(i, new Uint8Array(0)), key);
      }
    }
  });

  it('refuses nodes of which one has a bit flipped, whichever it is', () => {
    const [key = hex('')] = keys;
    const nodes = trie.prove(key);
    for (const [i, node] of nodes.entries()) {
      for (let bit = 0; bit < 8 * node.length; bit++) {
        const flipped = node.slice();
        flipped[Math.floor(bit / 8)] = (node[Math.floor(bit / 8)] ?? 0) ^ (1 << (bit % 8));
        expect(() => walk(new NodeBag(nodes.with(i, flipped)), trie.root, key)).toThrow(
          `nodes[${i}] has the hash ${formatHex0x(keccak_256(flipped))}, the walk needs`,
        );
      }
    }
  });

  it('has a node that two walks share once, where the first one needs it', () => {
    const nodes = new Map(keys.flatMap(key => trie.prove(key)).map(node => [formatHex(node), node]));
    const bag = new NodeBag([...nodes.values()]);
    for (const key of keys) expect(walk(bag, trie.root, key)).toStrictEqual(new Map(entries).get(key));
    bag.finish();

    const repeating = new NodeBag(keys.flatMap(key => trie.prove(key)));
    expect(() => {
      for (const key of keys) walk(repeating, trie.root, key);
    }).toThrow(`has the hash ${formatHex0x(trie.root)}, the walk needs`);
  });

  it('says what is missing, and what is left over', () => {
    const root = formatHex0x(trie.root);
    expect(() => new NodeBag([]).take(trie.root)).toThrow(new ProofError(`node ${root} is missing`));
    const bag = new NodeBag([...trie.prove(keys[0] ?? hex('')), foreign]);
    expect(() => bag.finish()).toThrow(new ProofError('no walk needs nodes[0], 5 left over'));
    walk(bag, trie.root, keys[0] ?? hex(''));
    expect(() => bag.finish()).toThrow(new ProofError('no walk needs nodes[4], 1 left over'));
  });

  function expectTaken(nodes: readonly Uint8Array[], key: Uint8Array): void {
    const bag = new NodeBag(nodes);
    walk(bag, trie.root, key);
    bag.finish();
  }

  function expectRefused(nodes: readonly Uint8Array[], key: Uint8Array): void {
    expect(() => expectTaken(nodes, key)).toThrow(ProofError);
  }
});

describe('NodeCollector', () => {
  const entries = someEntries(200);
  const trie = buildTrie(entries);

  it('makes a bag out of nodes in any order, repeated and surplus', () => {
    const aWalk = fc.nat(230).map(i => entries[i]?.[0] ?? keccak_256(utf8(`absent ${i}`)));
    fc.assert(
      fc.property(fc.array(aWalk, { minLength: 1, maxLength: 8 }), fc.nat(), (keys, seed) => {
        const nodes = [...keys, ...entries.slice(0, 5).map(([key]) => key)].flatMap(key =>
          trie.prove(key).map(node => node.slice()),
        );
        const collector = new NodeCollector(shuffled(nodes, seed));
        const found = keys.map(key => walk(collector, trie.root, key));

        const bag = new NodeBag(collector.collected());
        expect(keys.map(key => walk(bag, trie.root, key))).toStrictEqual(found);
        bag.finish();
      }),
      { numRuns: 100 },
    );
  });

  it('says which node is missing', () => {
    const [[key] = [hex('')]] = entries;
    const nodes = trie.prove(key);
    for (const [i, node] of nodes.entries()) {
      const collector = new NodeCollector(nodes.toSpliced(i, 1));
      expect(() => walk(collector, trie.root, key)).toThrow(
        new ProofError(`node ${formatHex0x(keccak_256(node))} is missing`),
      );
    }
  });
});

/** Walks with the nodes that the twin proves with, and demands that these are exactly the ones needed. */
function find(trie: Trie, key: Uint8Array): Uint8Array | undefined {
  const bag = new NodeBag(trie.prove(key));
  const value = walk(bag, trie.root, key);
  bag.finish();
  return value;
}

/** Walks over nodes put together by hand, the root first. */
function walkTo(nodes: readonly RlpItem[], key: string): Uint8Array | undefined {
  const encoded = nodes.map(encodeRlp);
  const bag = new NodeBag(encoded);
  const value = walk(bag, keccak_256(encoded[0] ?? hex('')), hex(key));
  bag.finish();
  return value;
}

function embedsNode(node: Uint8Array): boolean {
  const item = decodeRlp(node);
  return !(item instanceof Uint8Array) && item.some(child => !(child instanceof Uint8Array));
}

/** A branch with a value, and one child under nibble 0. */
function aBranch(child: RlpItem = new Uint8Array(0)): RlpItem[] {
  return [child, ...Array<RlpItem>(15).fill(new Uint8Array(0)), utf8('value')];
}

/** Entries under hashed keys; about half of the values are short. */
function someEntries(size: number): (readonly [Uint8Array, Uint8Array])[] {
  return Array.from({ length: size }, (_, i) => [
    keccak_256(utf8(`key ${i}`)),
    i % 2 === 0 ? keccak_256(utf8(`value ${i}`)) : Uint8Array.of(1 + (i % 255)),
  ]);
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  return items
    .map((item, i) => ({ item, order: formatHex(keccak_256(utf8(`${seed} ${i}`))) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ item }) => item);
}

function hex(text: string): Uint8Array {
  return parseHex(text, text.length / 2);
}
