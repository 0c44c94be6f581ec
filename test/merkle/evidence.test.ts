import { keccak_256 } from '@noble/hashes/sha3.js';
import { AbiCoder, keccak256, zeroPadValue } from 'ethers';
import fc from 'fast-check';
import hre from 'hardhat';
import { describe, expect, it } from 'vitest';
import { concatBytes, formatHex0x, parseHex, parseHex0x, utf8 } from '../../merkle/bytes.ts';
import { ProofError } from '../../merkle/errors.ts';
import {
  gatherWalks,
  keySlot,
  mappingSlot,
  noEnd,
  parseKeySlot,
  type RegisteredKey,
  rootSlot,
  type StorageWalk,
  verifyAccount,
  verifySlot,
  wordOf,
} from '../../merkle/evidence.ts';
import { headerFromRpc, headerHash, parseHeader } from '../../merkle/header.ts';
import { encodeRlp, type RlpItem } from '../../merkle/rlp.ts';
import { verifyHeaders } from '../../merkle/seals.ts';
import { NodeBag } from '../../merkle/trie.ts';
import { resealQbft, someValidators } from '../helpers/sealer.ts';
import { type AccountState, buildState, buildTrie, encodeAccount, integer } from '../helpers/state.ts';

const logId = keccak_256(utf8('log'));
const keyId = keccak_256(utf8('key'));
const root = keccak_256(utf8('root'));
const code = keccak_256(utf8('code'));
const registry = addressOf('registry');

describe('wordOf, mappingSlot, rootSlot and keySlot', () => {
  it('pad an integer to a word', () => {
    for (const value of [0, 1, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER, 2n ** 256n - 1n]) {
      expect(formatHex0x(wordOf(value))).toBe(`0x${value.toString(16).padStart(64, '0')}`);
    }
  });

  it("are where Solidity's mappings keep their values", () => {
    const abi = AbiCoder.defaultAbiCoder();
    const solidity = (type: string, key: unknown, slot: string) =>
      keccak256(abi.encode([type, 'bytes32'], [key, slot]));
    const atOne = zeroPadValue('0x01', 32);
    expect(formatHex0x(mappingSlot(logId, wordOf(1)))).toBe(solidity('bytes32', logId, atOne));
    expect(formatHex0x(keySlot(keyId, 1))).toBe(solidity('bytes32', keyId, atOne));
    for (const size of [1, 257, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      const outer = solidity('bytes32', logId, atOne);
      expect(formatHex0x(rootSlot(logId, size, 1))).toBe(solidity('uint64', size, outer));
    }
  });
});

describe('verifyAccount', () => {
  it('gives the root of the storage', () => {
    const state = buildState([
      { address: registry, codeHash: code, storage: [[wordOf(1), root]] },
      ...others(40),
    ]);
    const bag = new NodeBag(state.evidence([{ address: registry, slot: wordOf(1) }]));
    const storageRoot = verifyAccount(bag, state.root, registry, code);
    expect(storageRoot).toStrictEqual(buildTrie([[keccak_256(wordOf(1)), encodeRlp(root)]]).root);
    expect(verifySlot(bag, storageRoot, wordOf(1))).toStrictEqual(root);
    bag.finish();
  });

  it('refuses an account that is proved to be absent', () => {
    const state = buildState(others(40));
    const bag = new NodeBag(state.evidence([{ address: registry, slot: wordOf(1) }]));
    expect(() => verifyAccount(bag, state.root, registry, code)).toThrow(
      new ProofError(`there is no account ${formatHex0x(registry)}`),
    );
    bag.finish();
    const nothing = buildState([]);
    expect(() => verifyAccount(new NodeBag([]), nothing.root, registry, code)).toThrow('there is no account');
  });

  it.each<readonly [name: string, codeHash: Uint8Array | undefined]>([
    ['other code', keccak_256(utf8('other code'))],
    ['no code', undefined],
  ])('refuses an account with %s', (_, codeHash) => {
    const state = buildState([{ address: registry, ...(codeHash ? { codeHash } : {}) }, ...others(9)]);
    const bag = new NodeBag(state.prove(registry, wordOf(1)).accountProof);
    const met = formatHex0x(codeHash ?? keccak_256(new Uint8Array(0)));
    expect(() => verifyAccount(bag, state.root, registry, code)).toThrow(
      new ProofError(
        `account ${formatHex0x(registry)} has code ${met}, the trust file wants ${formatHex0x(code)}`,
      ),
    );
  });

  const storageRoot = buildTrie([]).root;
  it.each<readonly [name: string, leaf: RlpItem, message: string]>([
    ['a byte string', utf8('account'), 'RLP byte string where a list is wanted'],
    ['three items', [integer(1), integer(0), storageRoot], 'want nonce, balance, storage root and code hash'],
    ['five items', [integer(1), integer(0), storageRoot, code, integer(1)], '5 items, want 4'],
    ['a list for nonce', [[], integer(0), storageRoot, code], 'RLP list where a byte string is wanted'],
    ['a padded nonce', [Uint8Array.of(0), integer(0), storageRoot, code], 'want nonce, balance'],
    ['a long nonce', [integer(2n ** 64n), integer(0), storageRoot, code], 'want nonce, balance'],
    ['a padded balance', [integer(1), Uint8Array.of(0, 1), storageRoot, code], 'want nonce, balance'],
    ['a long balance', [integer(1), integer(2n ** 256n), storageRoot, code], 'want nonce, balance'],
    ['a short storage root', [integer(1), integer(0), storageRoot.subarray(1), code], 'want nonce, balance'],
    ['a short code hash', [integer(1), integer(0), storageRoot, code.subarray(1)], 'want nonce, balance'],
  ])('refuses an account of %s', (_, leaf, message) => {
    const trie = buildTrie([[keccak_256(registry), encodeRlp(leaf)]]);
    const verify = () =>
      verifyAccount(new NodeBag(trie.prove(keccak_256(registry))), trie.root, registry, code);
    expect(verify).toThrow(ProofError);
    expect(verify).toThrow(`account ${formatHex0x(registry)} is malformed: `);
    expect(verify).toThrow(message);
  });

  it('reads the largest nonce and balance', () => {
    const leaf = encodeAccount(
      { address: registry, nonce: Number.MAX_SAFE_INTEGER, balance: 2n ** 256n - 1n, codeHash: code },
      root,
    );
    const trie = buildTrie([[keccak_256(registry), leaf]]);
    const bag = new NodeBag(trie.prove(keccak_256(registry)));
    expect(verifyAccount(bag, trie.root, registry, code)).toStrictEqual(root);
  });
});

describe('verifySlot', () => {
  it('gives every word that is not zero, padded on the left', () => {
    for (const value of [1n, 0x7fn, 0x80n, 0xffn, 0x100n, 2n ** 128n, 2n ** 248n, 2n ** 256n - 1n]) {
      expect(slotOf([[wordOf(3), wordOf(value)]], 3)).toStrictEqual(wordOf(value));
    }
  });

  it('refuses a slot that is proved to be empty', () => {
    const message = new ProofError(`slot ${formatHex0x(wordOf(4))} is empty`);
    expect(() => slotOf([], 4)).toThrow(message);
    expect(() => slotOf([[wordOf(3), root]], 4)).toThrow(message);
    expect(() => slotOf([[wordOf(4), wordOf(0)]], 4)).toThrow(message);
    expect(() => slotOf(manySlots(100), 4)).toThrow(message);
  });

  it('refuses a zero that a trie keeps, as anvil does', () => {
    const storage = [...manySlots(20), [wordOf(4), wordOf(0)] as const];
    expect(() => slotOf(storage, 4, true)).toThrow(
      new ProofError(`slot ${formatHex0x(wordOf(4))} holds zero`),
    );
  });

  it.each<readonly [name: string, leaf: Uint8Array, message: string]>([
    ['a list', encodeRlp([]), 'is malformed: RLP list where a byte string is wanted'],
    ['a padded integer', encodeRlp(Uint8Array.of(0, 1)), 'does not hold a word'],
    ['a zero byte', encodeRlp(Uint8Array.of(0)), 'does not hold a word'],
    ['33 bytes', encodeRlp(new Uint8Array(33).fill(1)), 'does not hold a word'],
    [
      'a byte after the value',
      concatBytes(encodeRlp(root), Uint8Array.of(0)),
      'is malformed: RLP item is followed',
    ],
    ['RLP that is not minimal', Uint8Array.of(0x81, 0x01), 'is malformed: RLP item has a head'],
  ])('refuses a slot with %s', (_, leaf, message) => {
    const trie = buildTrie([[keccak_256(wordOf(4)), leaf]]);
    const verify = () => verifySlot(new NodeBag(trie.prove(keccak_256(wordOf(4)))), trie.root, wordOf(4));
    expect(verify).toThrow(ProofError);
    expect(verify).toThrow(message);
  });
});

describe('parseKeySlot', () => {
  const key = { agency: 'OVO002949', algorithm: 1, validFrom: 1_795_420_800, validUntil: noEnd };

  it.each([
    { ...key },
    { ...key, agency: 'A' },
    { ...key, agency: '0999.900.123' },
    { ...key, agency: 'ABCDEFGHIJKLMNOPQRSTU', algorithm: 6 },
    { ...key, agency: 'A-Z:0.9', validFrom: 0, validUntil: 0 },
    { ...key, validFrom: noEnd, validUntil: noEnd - 1 },
  ])('reads %j', registered => {
    expect(parseKeySlot(pack(registered))).toStrictEqual(registered);
  });

  it('reads validUntil, validFrom, algorithm and agency from the left', () => {
    const word = parseHex(`0102030405060708090a034f564f31${'00'.repeat(17)}`, 32);
    expect(parseKeySlot(word)).toStrictEqual({
      agency: 'OVO1',
      algorithm: 3,
      validFrom: 0x060708090a,
      validUntil: 0x0102030405,
    });
  });

  it.each([
    '',
    'ovo002949',
    'OVO 1',
    'OVO/1',
    'OVO_1',
    'OVO\n',
    'OVO\0A',
    '\0OVO',
    'OVO\u001b[31m',
    'OV\u00c9',
  ])('refuses the agency %j', agency => {
    const word = pack({ ...key, agency });
    expect(() => parseKeySlot(word)).toThrow(
      new ProofError(`the key is registered for ${formatHex0x(word.subarray(11))}, which names no agency`),
    );
  });

  it('refuses every algorithm but the six', () => {
    for (let algorithm = 0; algorithm < 256; algorithm++) {
      const word = pack({ ...key, algorithm });
      if (algorithm >= 1 && algorithm <= 6) {
        expect(parseKeySlot(word).algorithm).toBe(algorithm);
      } else {
        expect(() => parseKeySlot(word)).toThrow(
          new ProofError(`the key is registered for algorithm ${algorithm}`),
        );
      }
    }
  });
});

describe('gatherWalks', () => {
  it('makes of any answers the nodes that the twin proves with, over hundreds of random states', () => {
    const aState = fc.record({
      accounts: fc.integer({ min: 0, max: 12 }),
      slots: fc.integer({ min: 0, max: 30 }),
      keys: fc.integer({ min: 0, max: 30 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(aState, ({ accounts, slots, keys, seed }) => {
        const at = rootSlot(logId, 1 + (seed % 1000), 1);
        const keyRegistry = addressOf(`key registry ${seed}`);
        const word = pack({ agency: 'OVO1', algorithm: 2, validFrom: seed, validUntil: noEnd });
        const state = buildState([
          { address: registry, codeHash: code, storage: [...manySlots(slots), [at, root]] },
          { address: keyRegistry, codeHash: code, storage: [...manySlots(keys), [keySlot(keyId, 1), word]] },
          ...others(accounts),
        ]);
        const walks = [
          { address: registry, slot: at },
          { address: keyRegistry, slot: keySlot(keyId, 1) },
        ];
        const answers = walks.flatMap(({ address, slot }) =>
          Object.values(state.prove(address, slot)).flat(),
        );
        const nodes = gatherWalks(state.root, walks, shuffled([...answers, ...answers], seed));
        expect(nodes).toStrictEqual(state.evidence(walks));

        const verify = (bagged: readonly Uint8Array[]) => {
          const bag = new NodeBag(bagged);
          expect(verifySlot(bag, verifyAccount(bag, state.root, registry, code), at)).toStrictEqual(root);
          const storageRoot = verifyAccount(bag, state.root, keyRegistry, code);
          expect(verifySlot(bag, storageRoot, keySlot(keyId, 1))).toStrictEqual(word);
          bag.finish();
        };
        verify(nodes);
        const i = seed % nodes.length;
        const [node = word] = nodes.slice(i);
        expect(() => verify(nodes.toSpliced(i, 1))).toThrow(ProofError);
        expect(() => verify(nodes.toSpliced(i, 0, node))).toThrow(ProofError);
        expect(() =>
          verify(nodes.with(i, node.with(seed % node.length, 0xee ^ (node[seed % node.length] ?? 0)))),
        ).toThrow(ProofError);
        if (i > 0)
          expect(() => verify(nodes.with(i, nodes[i - 1] ?? word).with(i - 1, node))).toThrow(ProofError);
      }),
      { numRuns: 300 },
    );
  });

  it('gathers also what proves that something is not there', () => {
    const state = buildState([{ address: registry, codeHash: code, storage: manySlots(50) }, ...others(20)]);
    const walks = [
      { address: registry, slot: wordOf(99) },
      { address: addressOf('nobody'), slot: wordOf(99) },
    ];
    const answers = walks.flatMap(({ address, slot }) => Object.values(state.prove(address, slot)).flat());
    expect(gatherWalks(state.root, walks, answers)).toStrictEqual(state.evidence(walks));
  });

  it('leaves no node out that is missing in the answers', () => {
    const state = buildState([{ address: registry, codeHash: code, storage: manySlots(50) }, ...others(20)]);
    const [slot = wordOf(0)] = manySlots(50).map(([at]) => at);
    const nodes = state.evidence([{ address: registry, slot }]);
    for (const [i, node] of nodes.entries()) {
      expect(() => gatherWalks(state.root, [{ address: registry, slot }], nodes.toSpliced(i, 1))).toThrow(
        new ProofError(`node ${formatHex0x(keccak_256(node))} is missing`),
      );
    }
  });
});

describe('the state of a Hardhat node', () => {
  // Stores its second argument at its first: PUSH1 32 CALLDATALOAD PUSH1 0 CALLDATALOAD SSTORE STOP.
  const runtime = '6020356000355500';
  // PUSH8 runtime PUSH1 0 MSTORE PUSH1 8 PUSH1 24 RETURN.
  const creation = `0x67${runtime}60005260086018f3`;
  const size = 257;
  const keyWord = pack({ agency: 'OVO002949', algorithm: 1, validFrom: 1_795_420_800, validUntil: noEnd });

  it('proves an anchored root and a key under a block that QBFT validators sealed', async () => {
    const node = await aNode();
    const anchors = await node.deploy();
    const keys = await node.deploy();
    for (let i = 0; i < 40; i++) {
      await node.store(anchors, rootSlot(logId, 1000 + i, 1), keccak_256(integer(i + 1)));
      await node.store(keys, keySlot(keccak_256(integer(i + 1)), 1), keyWord);
    }
    await node.store(anchors, rootSlot(logId, size, 1), root);
    await node.store(keys, keySlot(keyId, 1), keyWord);

    const answer = await node.block();
    const header = parseHeader(headerFromRpc(answer));
    expect(formatHex0x(headerHash(header))).toBe(answer['hash']);

    const walks = [
      { address: anchors, slot: rootSlot(logId, size, 1) },
      { address: keys, slot: keySlot(keyId, 1) },
    ];
    const nodes = gatherWalks(header.stateRoot, walks, await node.proofNodes(walks.toReversed()));

    const validators = someValidators(4);
    const sealed = resealQbft(answer, { signers: validators.slice(1), validators, round: 2 });
    const block = verifyHeaders(
      {
        consensus: 'qbft',
        validators: [{ fromBlock: 0, addresses: validators.map(({ address }) => address) }],
      },
      [sealed.header],
    );
    expect(block.hash).toStrictEqual(sealed.hash);
    expect(headerFromRpc(sealed.block)).toStrictEqual(sealed.header);
    expect(formatHex0x(block.header.stateRoot)).toBe(answer['stateRoot']);

    const runtimeHash = keccak_256(parseHex(runtime, 8));
    const bag = new NodeBag(nodes);
    const anchorStorage = verifyAccount(bag, block.header.stateRoot, anchors, runtimeHash);
    expect(verifySlot(bag, anchorStorage, rootSlot(logId, size, 1))).toStrictEqual(root);
    const keyStorage = verifyAccount(bag, block.header.stateRoot, keys, runtimeHash);
    expect(parseKeySlot(verifySlot(bag, keyStorage, keySlot(keyId, 1))).agency).toBe('OVO002949');
    bag.finish();
    for (const i of nodes.keys()) {
      const short = new NodeBag(nodes.toSpliced(i, 1));
      expect(() => {
        const storage = verifyAccount(short, block.header.stateRoot, anchors, runtimeHash);
        verifySlot(short, storage, rootSlot(logId, size, 1));
        verifySlot(short, verifyAccount(short, block.header.stateRoot, keys, runtimeHash), keySlot(keyId, 1));
      }).toThrow(ProofError);
    }
    await node.close();
  });

  it('proves that a slot is empty, was never written, or was set to zero, and that an account is absent', async () => {
    const node = await aNode();
    const contract = await node.deploy();
    const other = await node.deploy();
    await node.store(contract, wordOf(1), root);
    await node.store(contract, wordOf(2), root);
    await node.store(contract, wordOf(2), wordOf(0));
    const { stateRoot } = parseHeader(headerFromRpc(await node.block()));
    const runtimeHash = keccak_256(parseHex(runtime, 8));

    for (const [address, slot, message] of [
      [contract, wordOf(2), 'is empty'],
      [contract, wordOf(3), 'is empty'],
      [other, wordOf(1), 'is empty'],
      [addressOf('nobody'), wordOf(1), 'there is no account'],
    ] as const) {
      const nodes = gatherWalks(stateRoot, [{ address, slot }], await node.proofNodes([{ address, slot }]));
      const bag = new NodeBag(nodes);
      expect(() => verifySlot(bag, verifyAccount(bag, stateRoot, address, runtimeHash), slot)).toThrow(
        message,
      );
      bag.finish();
    }
    await node.close();
  });

  async function aNode() {
    const { provider, close } = await hre.network.create();
    const request = (method: string, ...params: unknown[]) => provider.request({ method, params });
    const [from] = (await request('eth_accounts')) as string[];
    const send = (transaction: Record<string, string>) =>
      request('eth_sendTransaction', { from, gas: '0x30d40', ...transaction });
    return {
      close,
      block: async () => (await request('eth_getBlockByNumber', 'latest', false)) as Record<string, unknown>,
      deploy: async () => {
        const hash = await send({ data: creation });
        const receipt = (await request('eth_getTransactionReceipt', hash)) as { contractAddress: string };
        return parseHex0x(receipt.contractAddress, 20);
      },
      store: (to: Uint8Array, slot: Uint8Array, value: Uint8Array) =>
        send({ to: formatHex0x(to), data: formatHex0x(concatBytes(slot, value)) }),
      proofNodes: async (walks: readonly StorageWalk[]) => {
        const nodes: Uint8Array[] = [];
        for (const { address, slot } of walks) {
          const answer = (await request(
            'eth_getProof',
            formatHex0x(address),
            [formatHex0x(slot)],
            'latest',
          )) as {
            accountProof: string[];
            storageProof: { proof: string[] }[];
          };
          for (const node of [...answer.accountProof, ...answer.storageProof.flatMap(({ proof }) => proof)]) {
            nodes.push(parseHex0x(node, node.length / 2 - 1));
          }
        }
        return nodes;
      },
    };
  }
});

function addressOf(name: string): Uint8Array {
  return keccak_256(utf8(name)).subarray(12);
}

/** Accounts that nobody asks for. */
function others(count: number): AccountState[] {
  return Array.from({ length: count }, (_, i) => ({
    address: addressOf(`account ${i}`),
    balance: BigInt(i),
  }));
}

/** Slots that nobody asks for. */
function manySlots(count: number): (readonly [Uint8Array, Uint8Array])[] {
  return Array.from({ length: count }, (_, i) => [keccak_256(integer(i + 1)), wordOf(1 + (i % 3) * 2 ** 40)]);
}

/** The word under a small slot number in a storage, with exactly the nodes that the twin proves it with. */
function slotOf(
  storage: readonly (readonly [Uint8Array, Uint8Array])[],
  slot: number,
  keepsZeros = false,
): Uint8Array {
  const state = buildState([{ address: registry, codeHash: code, storage, keepsZeros }, ...others(5)]);
  const bag = new NodeBag(state.evidence([{ address: registry, slot: wordOf(slot) }]));
  const storageRoot = verifyAccount(bag, state.root, registry, code);
  try {
    return verifySlot(bag, storageRoot, wordOf(slot));
  } finally {
    bag.finish();
  }
}

/** Packs a key as Solidity does. */
function pack({ agency, algorithm, validFrom, validUntil }: RegisteredKey): Uint8Array {
  const name = Uint8Array.from({ length: 21 }, (_, i) => agency.charCodeAt(i) || 0);
  return concatBytes(
    wordOf(validUntil).subarray(27),
    wordOf(validFrom).subarray(27),
    Uint8Array.of(algorithm),
    name,
  );
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  return items
    .map((item, i) => ({ item, order: formatHex0x(keccak_256(utf8(`${seed} ${i}`))) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ item }) => item);
}
