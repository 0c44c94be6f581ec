/** The book of anchors: what is written down is there again, in evidence's order, and nothing else is. */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { formatUint64, utf8 } from '../../merkle/bytes.ts';
import { type Anchor, AnchorBook, type GatheredEvidence, type PendingAnchor } from '../../service/anchors.ts';
import { Store, StoreCorruptError } from '../../service/store.ts';
import { memoryDatabase } from '../helpers/ledger.ts';

const hash = (text: string) => keccak_256(utf8(text));
const node = (name: string) => utf8(`trie node ${name}`);
const [keyA, keyB] = [hash('key a'), hash('key b')];

function anAnchor(size: number): Anchor {
  return {
    size,
    root: hash(`root ${size}`),
    block: 10 * size,
    blockHash: hash(`block ${size}`),
    blockTime: 1_800_000_000 + size,
    transaction: hash(`transaction ${size}`),
    checkpoint: `checkpoint ${size}\n`,
  };
}

function evidenceOf(size: number, keys: GatheredEvidence['keys'] = []): GatheredEvidence {
  return { headers: [utf8(`header ${size}`)], nodes: [node('root'), node(`leaf ${size}`)], keys };
}

function aPending(changes: Partial<PendingAnchor> = {}): PendingAnchor {
  return {
    size: 5,
    root: hash('root 5'),
    oldSize: 3,
    checkpoint: 'checkpoint 5\n',
    createdAt: 1_800_000_000_000,
    fromBlock: 7,
    transaction: { nonce: 4, attempts: [{ hash: hash('first'), raw: utf8('first') }] },
    ...changes,
  };
}

async function aBook(database = memoryDatabase()) {
  const store = new Store(database, () => undefined);
  return { store, book: await AnchorBook.open(store), reopen: () => AnchorBook.open(store) };
}

describe('what is under way', () => {
  it('is there again after a restart, with every transaction that was signed for its nonce', async () => {
    const { book, reopen } = await aBook();
    expect(book.pending).toBeUndefined();
    await book.begin(aPending());
    expect((await reopen()).pending).toEqual(aPending());
    const attempts = ['first', 'second'].map(name => ({ hash: hash(name), raw: utf8(name) }));
    await book.begin(aPending({ transaction: { nonce: 4, attempts } }));
    expect((await reopen()).pending?.transaction).toEqual({ nonce: 4, attempts });
  });

  it('can be without a transaction of ours, and can be struck out', async () => {
    const { book, reopen } = await aBook();
    await book.begin(aPending({ transaction: null }));
    expect((await reopen()).pending).toEqual(aPending({ transaction: null }));
    await book.abandon();
    expect(book.pending).toBeUndefined();
    expect((await reopen()).pending).toBeUndefined();
  });

  it('ends in the same write that enters the anchor', async () => {
    const { book, reopen } = await aBook();
    await book.begin(aPending());
    await book.settle(anAnchor(5), evidenceOf(5));
    expect(book).toMatchObject({ pending: undefined, finalSize: 5, anchoredSize: 5 });
    expect(await reopen()).toMatchObject({ pending: undefined, finalSize: 5 });
  });
});

describe('final anchors', () => {
  it('are found by size, in pages, and by the entries that they are the first to cover', async () => {
    const { book, reopen } = await aBook();
    for (const size of [1, 3, 300, 70_000]) await book.settle(anAnchor(size), evidenceOf(size));
    const { headers, nodes } = evidenceOf(300);
    expect(await book.at(300)).toEqual({ ...anAnchor(300), evidence: { headers, nodes } });
    expect(await book.at(299)).toBeUndefined();
    const sizes = async (after: number, limit: number) =>
      (await book.after(after, limit)).map(anchor => anchor.size);
    expect(await sizes(0, 2)).toEqual([1, 3]);
    expect(await sizes(3, 10)).toEqual([300, 70_000]);
    expect(await sizes(70_000, 10)).toEqual([]);
    const covering = await Promise.all([0, 1, 2, 3, 299, 300, 69_999, 70_000].map(i => book.covering(i)));
    expect(covering.map(anchor => anchor?.size)).toEqual([1, 3, 3, 300, 300, 70_000, 70_000, undefined]);
    expect((await reopen()).finalSize).toBe(70_000);
  });

  it('are given newest first, as many as are asked for, and without their evidence', async () => {
    const { book } = await aBook();
    for (const size of [1, 3, 7]) await book.settle(anAnchor(size), evidenceOf(size));
    expect(await book.newest(2)).toEqual([anAnchor(7), anAnchor(3)]);
    expect(await book.newest(9)).toEqual([7, 3, 1].map(anAnchor));
  });

  it("give a key its walks after the anchor's, each node once", async () => {
    const { book } = await aBook();
    const keys = [
      { keyId: keyA, nodes: [node('root'), node('account'), node('key a')] },
      { keyId: keyB, nodes: [node('root'), node('account'), node('key b'), node('leaf 3')] },
    ];
    await book.settle(anAnchor(3), evidenceOf(3, keys));
    expect(await book.evidence(3, undefined)).toEqual({
      headers: [utf8('header 3')],
      nodes: [node('root'), node('leaf 3')],
    });
    expect((await book.evidence(3, keyA)).nodes).toEqual([
      node('root'),
      node('leaf 3'),
      node('account'),
      node('key a'),
    ]);
    expect((await book.evidence(3, keyB)).nodes).toEqual([
      node('root'),
      node('leaf 3'),
      node('account'),
      node('key b'),
    ]);
  });

  it('share the nodes that they have in common', async () => {
    const { book, store } = await aBook();
    await book.settle(anAnchor(1), evidenceOf(1));
    await book.settle(anAnchor(2), evidenceOf(2));
    const nodes = [];
    for await (const [key] of store.range('node')) nodes.push(key);
    expect(nodes).toHaveLength(3);
  });

  it('are not given out when a node, or a key of theirs, is missing', async () => {
    const { book, store } = await aBook();
    await book.settle(anAnchor(3), evidenceOf(3));
    await expect(book.evidence(3, keyA)).rejects.toThrow(StoreCorruptError);
    await store.write([{ table: 'node', key: keccak_256(node('leaf 3')), value: node('another') }]);
    await expect(book.at(3)).rejects.toThrow(/trie node 0x[0-9a-f]{64} is missing or another one/);
    await store.write([{ table: 'evidence', key: formatUint64(3), value: null }]);
    await expect(book.at(3)).rejects.toThrow('evidence of size 3 is missing');
  });
});

describe('anchored in a block', () => {
  it('goes forth and back with what is seen, and never below what is final', async () => {
    const { book } = await aBook();
    await book.settle(anAnchor(3), evidenceOf(3));
    book.sawAnchored(5);
    expect(book.anchoredSize).toBe(5);
    book.sawAnchored(0);
    expect(book.anchoredSize).toBe(3);
  });
});
