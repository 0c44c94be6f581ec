import { keccak_256 } from '@noble/hashes/sha3.js';
import { computeAddress, SigningKey } from 'ethers';
import { describe, expect, it } from 'vitest';
import { concatBytes, formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { headerHash, parseHeader } from '../../merkle/header.ts';
import { qbftQuorum } from '../../merkle/qbft.ts';
import { encodeRlp, type RlpItem, splitList } from '../../merkle/rlp.ts';
import {
  blockHash,
  type ChainRules,
  type Consensus,
  headersNeeded,
  sealSigner,
  verifyHeaders,
} from '../../merkle/seals.ts';
import {
  addressesIn,
  bytesIn,
  headerVectorsNote,
  headerVectorsPresent,
  readHeaderVector,
} from '../helpers/header-vectors.ts';
import {
  aValidator,
  headerItems,
  qbftExtra,
  seal,
  sealClique,
  sealCliqueChain,
  sealQbft,
  someValidators,
  twinOf,
  type Validator,
  withExtra,
} from '../helpers/sealer.ts';
import { integer } from '../helpers/state.ts';

const fields = { stateRoot: keccak_256(utf8('state')), number: 14, time: 1_795_507_200 };
const four = someValidators(4);
const [v0 = aValidator(''), v1 = v0, v2 = v0, v3 = v0] = four;
const stranger = aValidator('stranger');
/** n, the order of secp256k1's group. */
const order = integer(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n);

describe('verifyHeaders under QBFT', () => {
  it('takes more than two thirds of the validators, of every number up to 20, and no fewer', () => {
    for (let n = 1; n <= 20; n++) {
      const validators = someValidators(n);
      const digest = digestOf(qbftExtra({ validators }, integer(0), []));
      const seals = validators.map(validator => seal(validator, digest));
      for (let k = 0; k <= n; k++) {
        const header = withExtra(
          headerItems(fields),
          qbftExtra({ validators }, integer(0), seals.slice(n - k)),
        );
        if (k >= qbftQuorum(n)) {
          expect(verifyHeaders(qbft(validators), [header]).sealed).toBe(true);
        } else {
          expect(() => verifyHeaders(qbft(validators), [header])).toThrow(
            new ProofError(`headers[0]: ${k} of ${n} validators sealed, want ${qbftQuorum(n)}`),
          );
        }
      }
    }
  });

  it('gives the header, and its hash without seals and round', () => {
    for (const round of [0, 1, 300]) {
      const rlp = sealQbft(fields, { signers: four, round });
      const block = verifyHeaders(qbft(four), [rlp]);
      expect(block.header.stateRoot).toStrictEqual(fields.stateRoot);
      expect(block.header.number).toBe(14);
      expect(block.hash).toStrictEqual(digestOf(qbftExtra({ validators: four }, integer(0), [])));
      expect(block.hash).toStrictEqual(blockHash('qbft', parseHeader(rlp)));
    }
  });

  it('takes headers of every fork, with votes, and without a list', () => {
    const vote = { recipient: stranger.address, add: true };
    for (const fork of ['berlin', 'london', 'shanghai', 'cancun', 'prague'] as const) {
      for (const sealing of [
        { signers: four },
        { signers: four, vote },
        { signers: four, vote: { ...vote, add: false } },
        { signers: four, validators: [] },
        { signers: [v3, v0, v2], validators: [v2, v1, v0, v3], round: 7 },
      ]) {
        expect(verifyHeaders(qbft(four), [sealQbft({ ...fields, fork }, sealing)]).sealed).toBe(true);
      }
    }
  });

  it.each<readonly [name: string, signers: readonly Validator[]]>([
    ['in place of a seal', [v0, v1, stranger]],
    ['beside a quorum', [v0, v1, v2, stranger]],
    ['before all others', [stranger, v0, v1, v2, v3]],
  ])("refuses a stranger's seal %s", (_, signers) => {
    const header = sealQbft(fields, { signers, validators: four });
    expect(() => verifyHeaders(qbft(four), [header])).toThrow(
      new ProofError(
        `headers[0]: block 14 is sealed by ${formatHex0x(stranger.address)}, who is not pinned for it`,
      ),
    );
  });

  it('refuses a repeated seal, also as its twin with n - s', () => {
    const seals = sealsOf(four);
    const [first = new Uint8Array(0), second = first] = seals;
    for (const list of [
      [first, first, second],
      [first, second, twinOf(first)],
      [...seals, first],
      [...seals, twinOf(first)],
    ]) {
      expect(() => verifyHeaders(qbft(four), [headerWithSeals(list)])).toThrow(
        new ProofError(`headers[0]: ${formatHex0x(v0.address)} sealed twice`),
      );
    }
  });

  it('takes a seal with s in the upper half, as Besu does', () => {
    const seals = sealsOf(four).map(twinOf);
    expect(verifyHeaders(qbft(four), [headerWithSeals(seals)]).sealed).toBe(true);
  });

  it.each<readonly [name: string, change: (good: Uint8Array) => Uint8Array, message: string]>([
    ['without a recovery id', good => good.subarray(0, 64), 'seal of 64 bytes, want 65'],
    ['with a byte more', good => concatBytes(good, Uint8Array.of(0)), 'seal of 66 bytes, want 65'],
    ['of no bytes', () => new Uint8Array(0), 'seal of 0 bytes, want 65'],
    ['of zeros', () => new Uint8Array(65), 'is no signature by any key'],
    ['with recovery id 2', good => good.with(64, 2), 'seal has the recovery id 2, want 0 or 1'],
    ["with Ethereum's older recovery id", good => good.with(64, 27), 'recovery id 27, want 0 or 1'],
    ['with the other recovery id', good => good.with(64, 1 - (good[64] ?? 0)), 'who is not pinned for it'],
    ['with r of no point', good => concatBytes(word(5), good.subarray(32)), 'is no signature'],
    ['with r = 0', good => concatBytes(word(0), good.subarray(32)), 'is no signature by any key'],
    ['with r = n', good => concatBytes(order, good.subarray(32)), 'is no signature by any key'],
    ['with s = 0', good => concatBytes(good.subarray(0, 32), word(0), good.subarray(64)), 'is no signature'],
    ['with s = n', good => concatBytes(good.subarray(0, 32), order, good.subarray(64)), 'is no signature'],
  ])('refuses a seal %s beside a quorum', (_, change, message) => {
    const seals = sealsOf(four);
    const header = headerWithSeals([...seals.slice(0, 3), change(seals[3] ?? new Uint8Array(0))]);
    expect(() => verifyHeaders(qbft(four), [header])).toThrow(ProofError);
    expect(() => verifyHeaders(qbft(four), [header])).toThrow(message);
  });

  it('refuses seals over anything but the header without seals and with its round', () => {
    const round = integer(1);
    const items = headerItems(fields);
    const of = (...extra: RlpItem[]) => digestOf(encodeRlp(extra));
    const list = four.map(({ address }) => address);
    const vanity = new Uint8Array(32);
    const digests = {
      right: of(vanity, list, [], round, []),
      'the block hash': of(vanity, list, [], new Uint8Array(0), []),
      'another round': of(vanity, list, [], integer(2), []),
      'the seals left out': of(vanity, list, [], round),
      'another vote': of(vanity, list, [v0.address, Uint8Array.of(0xff)], round, []),
      'the vanity only': digestOf(vanity),
      'no extraData': digestOf(new Uint8Array(0)),
      'a signed message': keccak_256(
        concatBytes(utf8('\x19Ethereum Signed Message:\n32'), of(vanity, list, [], round, [])),
      ),
    };
    for (const [name, digest] of Object.entries(digests)) {
      const seals = four.map(validator => seal(validator, digest));
      const header = withExtra(items, qbftExtra({ validators: four }, round, seals));
      if (name === 'right') {
        expect(verifyHeaders(qbft(four), [header]).sealed).toBe(true);
      } else {
        expect(() => verifyHeaders(qbft(four), [header]), name).toThrow('who is not pinned for it');
      }
    }
  });

  it.each<readonly [name: string, listed: readonly Validator[]]>([
    ['a validator more', [...four, stranger]],
    ['a validator less', [v0, v1, v2]],
    ['another validator', [v0, v1, v2, stranger]],
    ['a validator twice', [v0, v1, v2, v2]],
    ['a validator twice beside all others', [v0, v1, v2, v3, v3]],
    ['strangers only', someValidators(4, 'elsewhere')],
  ])('refuses a header that lists %s', (_, validators) => {
    const header = sealQbft(fields, { signers: four, validators });
    expect(() => verifyHeaders(qbft(four), [header])).toThrow(
      new ProofError('headers[0]: block 14 lists other validators than the trust file pins for it'),
    );
  });

  it('takes the set that is pinned for the block, from its first to its last', () => {
    const later = someValidators(4, 'later');
    const rules: ChainRules = {
      consensus: 'qbft',
      validators: [
        { fromBlock: 10, addresses: four.map(({ address }) => address) },
        { fromBlock: 20, addresses: later.map(({ address }) => address) },
      ],
    };
    const at = (number: number, signers: readonly Validator[]) =>
      verifyHeaders(rules, [sealQbft({ ...fields, number }, { signers })]).header.number;
    for (const [number, right, wrong] of [
      [10, four, later],
      [19, four, later],
      [20, later, four],
      [2 ** 53 - 1, later, four],
    ] as const) {
      expect(at(number, right)).toBe(number);
      expect(() => at(number, wrong)).toThrow('lists other validators than the trust file pins for it');
    }
    for (const number of [0, 9]) {
      expect(() => at(number, four)).toThrow(`the trust file pins no validators for block ${number}`);
    }
  });

  it('refuses a header more, none, and one that cannot be read', () => {
    const header = sealQbft(fields, { signers: four });
    expect(() => verifyHeaders(qbft(four), [])).toThrow(new ProofError('there is no header'));
    expect(() => verifyHeaders(qbft(four), [header, header])).toThrow(new ProofError('2 headers, want 1'));
    expect(() => verifyHeaders(qbft(four), [header.subarray(1)])).toThrow(FormatError);
    // Surplus ones are counted and not read, since there may be any number of them.
    expect(() => verifyHeaders(qbft(four), [header, header.subarray(1)])).toThrow(
      new ProofError('2 headers, want 1'),
    );
    const clique = sealClique(fields, { signer: v0 });
    expect(() => verifyHeaders(qbft(four), [clique])).toThrow(FormatError);
  });
});

describe('verifyHeaders under Clique', () => {
  const three = four.slice(0, 3);

  it('takes a majority of signers in a row, of every number up to 12, and neither more nor fewer', () => {
    for (let n = 1; n <= 12; n++) {
      const signers = someValidators(n);
      const needed = Math.floor(n / 2) + 1;
      expect(headersNeeded(clique(signers), 14)).toBe(needed);
      const headers = sealCliqueChain(fields, signers);
      for (let k = 1; k <= n; k++) {
        if (k === needed) {
          const block = verifyHeaders(clique(signers), headers.slice(0, k));
          expect(block.sealed).toBe(true);
          expect(block.header.number).toBe(14);
          expect(block.hash).toStrictEqual(keccak_256(headers[0] ?? new Uint8Array(0)));
        } else {
          expect(() => verifyHeaders(clique(signers), headers.slice(0, k))).toThrow(
            new ProofError(`${k} headers, want ${needed}`),
          );
        }
      }
    }
  });

  it('refuses a signer who has sealed another of the headers', () => {
    const headers = sealCliqueChain(fields, [v0, v0]);
    expect(() => verifyHeaders(clique(three), headers)).toThrow(
      new ProofError(`headers[1]: ${formatHex0x(v0.address)} sealed twice`),
    );
  });

  it.each([
    [0, [stranger, v0]],
    [1, [v0, stranger]],
    [1, [v0, v3]],
  ] as const)('refuses a stranger as signer of headers[%i]', (i, signers) => {
    expect(() => verifyHeaders(clique(three), sealCliqueChain(fields, signers))).toThrow(
      `headers[${i}]: block ${14 + i} is sealed by ${formatHex0x(signers[i].address)}, who is not pinned`,
    );
  });

  it('refuses headers that are no chain', () => {
    const [first = new Uint8Array(0), second = new Uint8Array(0)] = sealCliqueChain(fields, [v0, v1]);
    const child = { ...fields, number: 15, parentHash: keccak_256(first) };
    const message = (number: number, parent: number) =>
      new ProofError(`headers[1]: block ${number} is not the child of block ${parent} before it`);
    expect(() => verifyHeaders(clique(three), [second, first])).toThrow(message(14, 15));
    for (const wrong of [
      { ...child, number: 16 },
      { ...child, number: 14 },
      { ...child, parentHash: keccak_256(second) },
      { ...child, parentHash: headerHash(parseHeader(withExtra(splitList(first), new Uint8Array(32)))) },
    ]) {
      const headers = [first, sealClique(wrong, { signer: v1 })];
      expect(() => verifyHeaders(clique(three), headers)).toThrow(message(wrong.number, 14));
    }
    expect(verifyHeaders(clique(three), [first, sealClique(child, { signer: v1 })]).sealed).toBe(true);
  });

  it('takes the list of an epoch block in any order, and refuses another list', () => {
    const block = (listed: readonly Validator[], number = 14) =>
      sealClique({ ...fields, number }, { signer: v0, listed });
    const withChild = (header: Uint8Array) => [
      header,
      sealClique({ ...fields, number: 15, parentHash: keccak_256(header) }, { signer: v1 }),
    ];
    expect(verifyHeaders(clique(three), withChild(block([v2, v0, v1]))).sealed).toBe(true);
    for (const listed of [
      [v0, v1],
      [v0, v1, v2, v3],
      [v0, v1, v3],
      [v0, v1, v1],
    ]) {
      expect(() => verifyHeaders(clique(three), withChild(block(listed)))).toThrow(
        new ProofError('headers[0]: block 14 lists other validators than the trust file pins for it'),
      );
    }
  });

  it('takes each signer from the set that is pinned for the very block', () => {
    const rules: ChainRules = {
      consensus: 'clique',
      validators: [
        { fromBlock: 0, addresses: [v0.address, v1.address] },
        { fromBlock: 15, addresses: [v1.address, v2.address] },
      ],
    };
    expect(verifyHeaders(rules, sealCliqueChain(fields, [v0, v2])).sealed).toBe(true);
    expect(() => verifyHeaders(rules, sealCliqueChain(fields, [v1, v0]))).toThrow('block 15 is sealed by');
    expect(() => verifyHeaders(rules, sealCliqueChain(fields, [v2, v1]))).toThrow('block 14 is sealed by');
  });

  it('refuses a header without a seal, and one that was changed after sealing', () => {
    const [first = new Uint8Array(0), second = new Uint8Array(0)] = sealCliqueChain(fields, [v0, v1]);
    const unsealed = withExtra(splitList(first), new Uint8Array(32));
    expect(() => verifyHeaders(clique(three), [unsealed, second])).toThrow(
      'headers[0]: extraData of 32 bytes is not vanity, signers and seal',
    );
    // Any byte but those of extraData and of the list's own head: the seal then names somebody else.
    const changed = second.slice();
    changed[100] = (changed[100] ?? 0) ^ 1;
    expect(() => verifyHeaders(clique(three), [first, changed])).toThrow('headers[1]: block 15 is sealed by');
  });
});

describe('verifyHeaders on a development chain', () => {
  it('reads one header, and says that nobody sealed it', () => {
    const rlp = withExtra(headerItems(fields), new Uint8Array(0));
    const block = verifyHeaders({ consensus: 'none', validators: [] }, [rlp]);
    expect(block.sealed).toBe(false);
    expect(block.hash).toStrictEqual(keccak_256(rlp));
    expect(block.header.stateRoot).toStrictEqual(fields.stateRoot);
  });

  it('refuses a header more, none, and one that cannot be read', () => {
    const none: ChainRules = { consensus: 'none', validators: [] };
    const rlp = withExtra(headerItems(fields), new Uint8Array(0));
    expect(() => verifyHeaders(none, [])).toThrow(new ProofError('there is no header'));
    expect(() => verifyHeaders(none, [rlp, rlp])).toThrow(new ProofError('2 headers, want 1'));
    expect(() => verifyHeaders(none, [utf8('garbage')])).toThrow(FormatError);
  });
});

describe('headersNeeded', () => {
  it('is one, but for Clique', () => {
    expect(headersNeeded({ consensus: 'none', validators: [] }, 7)).toBe(1);
    expect(headersNeeded(qbft(four), 7)).toBe(1);
    expect(headersNeeded(clique(four), 7)).toBe(3);
    expect(() => headersNeeded(clique([]), 7)).toThrow('the trust file pins no validators for block 7');
  });
});

describe('blockHash', () => {
  it('is that of the header as it stands, but for QBFT', () => {
    const qbftRlp = sealQbft(fields, { signers: four, round: 2 });
    const cliqueRlp = sealClique(fields, { signer: v0 });
    for (const consensus of ['clique', 'none'] as const) {
      expect(blockHash(consensus, parseHeader(qbftRlp))).toStrictEqual(keccak_256(qbftRlp));
      expect(blockHash(consensus, parseHeader(cliqueRlp))).toStrictEqual(keccak_256(cliqueRlp));
    }
    expect(blockHash('qbft', parseHeader(qbftRlp))).not.toStrictEqual(keccak_256(qbftRlp));
    expect(() => blockHash('qbft', parseHeader(cliqueRlp))).toThrow(FormatError);
  });
});

describe('sealSigner', () => {
  it('names the address that ethers gives the key, in either half of s', () => {
    for (let i = 0; i < 20; i++) {
      const validator = aValidator(`number ${i}`);
      const key = new SigningKey(validator.privateKey);
      const digest = keccak_256(integer(i + 1));
      const { r, s, yParity } = key.sign(digest);
      const ours = seal(validator, digest);
      expect(formatHex0x(ours)).toBe(`${r}${s.slice(2)}0${yParity}`);
      for (const either of [ours, twinOf(ours)]) {
        expect(formatHex0x(sealSigner(digest, either))).toBe(computeAddress(key.publicKey).toLowerCase());
      }
    }
  });
});

describe.skipIf(!headerVectorsPresent)(`vectors/headers${headerVectorsNote}`, () => {
  // Read in the tests: this function runs also where the vectors are absent.
  const besu = () => readHeaderVector('besu-qbft-7528');
  const geth = () => readHeaderVector('geth-clique-50110');

  it("has Besu's seals by the validators that it says", () => {
    const { headerRlp, validators, sealSigners, blockHash: hash, committedSealDigest } = besu();
    const rlp = bytesIn(headerRlp);
    const block = verifyHeaders(rulesOf('qbft', addressesIn(validators)), [rlp]);
    expect(formatHex0x(block.hash)).toBe(hash);
    const [, , , , seals = new Uint8Array(0)] = splitList(block.header.extraData);
    const signers = splitList(seals).map(item => sealSigner(bytesIn(committedSealDigest), item.subarray(2)));
    expect(signers).toStrictEqual(addressesIn(sealSigners));
  });

  // 6,640 keys to recover: 8 s on a free core.
  it("refuses Besu's header with any bit flipped", { timeout: 180_000 }, () => {
    const { headerRlp, validators } = besu();
    const rlp = bytesIn(headerRlp);
    const rules = rulesOf('qbft', addressesIn(validators));
    for (let bit = 0; bit < 8 * rlp.length; bit++) {
      const flipped = rlp.slice();
      flipped[Math.floor(bit / 8)] = (rlp[Math.floor(bit / 8)] ?? 0) ^ (1 << (bit % 8));
      let refusal: unknown;
      try {
        verifyHeaders(rules, [flipped]);
      } catch (error) {
        refusal = error;
      }
      // Not `toThrow`: an error of another kind would be a bug, and 6,640 assertions take their time.
      if (!(refusal instanceof ProofError || refusal instanceof FormatError)) {
        expect.fail(`bit ${bit} flipped: ${refusal === undefined ? 'accepted' : refusal}`);
      }
    }
  });

  it("refuses Besu's header for other pinned sets", () => {
    const { headerRlp, validators } = besu();
    const rlp = bytesIn(headerRlp);
    const pinned = addressesIn(validators);
    expect(verifyHeaders(rulesOf('qbft', pinned.toReversed()), [rlp]).sealed).toBe(true);
    const message = 'block 7528 lists other validators than the trust file pins for it';
    for (const set of [pinned.slice(1), [...pinned, v0.address], pinned.with(0, v0.address)]) {
      expect(() => verifyHeaders(rulesOf('qbft', set), [rlp])).toThrow(message);
    }
    const later: ChainRules = { consensus: 'qbft', validators: [{ fromBlock: 7529, addresses: pinned }] };
    expect(() => verifyHeaders(later, [rlp])).toThrow('the trust file pins no validators for block 7528');
  });

  it("has geth's seal by the signer that it says", () => {
    const { blockRlp, sealer, blockHash: hash, number } = geth();
    const [rlp = new Uint8Array(0)] = splitList(bytesIn(blockRlp));
    const block = verifyHeaders(rulesOf('clique', [bytesIn(sealer)]), [rlp]);
    expect(formatHex0x(block.hash)).toBe(hash);
    expect(block.header.number).toBe(number);
    expect(() => verifyHeaders(rulesOf('clique', [v0.address]), [rlp])).toThrow(
      `headers[0]: block 50110 is sealed by ${sealer}, who is not pinned for it`,
    );
  });
});

function rulesOf(consensus: Consensus, addresses: readonly Uint8Array[]): ChainRules {
  return { consensus, validators: [{ fromBlock: 0, addresses }] };
}

function qbft(validators: readonly Validator[]): ChainRules {
  return rulesOf(
    'qbft',
    validators.map(({ address }) => address),
  );
}

function clique(signers: readonly Validator[]): ChainRules {
  return rulesOf(
    'clique',
    signers.map(({ address }) => address),
  );
}

/** Keccak-256 of the header of these tests with this extraData. */
function digestOf(extraData: Uint8Array): Uint8Array {
  return keccak_256(withExtra(headerItems(fields), extraData));
}

function sealsOf(signers: readonly Validator[]): Uint8Array[] {
  const digest = digestOf(qbftExtra({ validators: four }, integer(0), []));
  return signers.map(signer => seal(signer, digest));
}

function headerWithSeals(seals: readonly Uint8Array[]): Uint8Array {
  return withExtra(headerItems(fields), qbftExtra({ validators: four }, integer(0), [...seals]));
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes[31] = value;
  return bytes;
}
