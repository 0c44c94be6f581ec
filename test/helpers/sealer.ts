/**
 * Seals block headers as QBFT validators and Clique signers do, over any state root: also over that of a running Hardhat node, so
 * that its proofs verify on a chain of consensus `qbft`. Every piece can be had by itself, for tests that put together a wrong one.
 */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { headerFromRpc } from '../../merkle/header.ts';
import { encodeList, encodeRlp, type RlpItem, splitList } from '../../merkle/rlp.ts';
import { integer } from './state.ts';

export type Validator = { readonly privateKey: Uint8Array; readonly address: Uint8Array };

/** A validator whose key follows from a name. */
export function aValidator(name: string): Validator {
  const privateKey = keccak_256(utf8(`test validator ${name}`));
  const publicKey = secp256k1.getPublicKey(privateKey, false);
  return { privateKey, address: keccak_256(publicKey.subarray(1)).subarray(12) };
}

/** Validators in the order of their addresses, as Besu lists them. */
export function someValidators(count: number, name = 'of the network'): Validator[] {
  return Array.from({ length: count }, (_, i) => aValidator(`${name} ${i}`)).sort((a, b) =>
    formatHex0x(a.address) < formatHex0x(b.address) ? -1 : 1,
  );
}

/** r ‖ s ‖ recovery id over a digest. */
export function seal({ privateKey }: Validator, digest: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' });
  return concatBytes(signature.subarray(1), signature.subarray(0, 1));
}

/** The same seal with n - s in place of s, which recovers to the same address. */
export function twinOf(validatorSeal: Uint8Array): Uint8Array {
  const { r, s } = secp256k1.Signature.fromBytes(validatorSeal.subarray(0, 64), 'compact');
  const twin = new secp256k1.Signature(r, secp256k1.Point.Fn.neg(s));
  return concatBytes(twin.toBytes('compact'), Uint8Array.of(1 - (validatorSeal[64] ?? 0)));
}

export type Fork = 'berlin' | 'london' | 'shanghai' | 'cancun' | 'prague';

/** What a header says, with defaults for what a test does not care about. */
export type HeaderFields = {
  readonly stateRoot: Uint8Array;
  readonly number: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly parentHash?: Uint8Array;
  readonly fork?: Fork;
  readonly mixHash?: Uint8Array;
  readonly nonce?: Uint8Array;
};

/** A header's items as RLP, with empty extraData. */
export function headerItems(fields: HeaderFields): Uint8Array[] {
  const items: RlpItem[] = [
    fields.parentHash ?? keccak_256(utf8(`block ${fields.number - 1}`)),
    keccak_256(encodeRlp([])),
    keccak_256(utf8('coinbase')).subarray(12),
    fields.stateRoot,
    emptyTrie,
    emptyTrie,
    new Uint8Array(256),
    integer(1),
    integer(fields.number),
    integer(30_000_000),
    integer(0),
    integer(fields.time),
    new Uint8Array(0),
    fields.mixHash ?? istanbulMixHash,
    fields.nonce ?? new Uint8Array(8),
  ];
  for (const [fork, added] of forkItems) {
    if (forks.indexOf(fork) <= forks.indexOf(fields.fork ?? 'london')) items.push(...added);
  }
  return items.map(encodeRlp);
}

/** How a QBFT header is sealed. */
export type QbftSealing = {
  /** Who seals. */
  readonly signers: readonly Validator[];
  /** Whom the header lists; the signers, if left out. */
  readonly validators?: readonly Validator[];
  readonly round?: number;
  readonly vote?: { readonly recipient: Uint8Array; readonly add: boolean };
};

/** A QBFT header over the fields, as RLP. */
export function sealQbft(fields: HeaderFields, sealing: QbftSealing): Uint8Array {
  return sealQbftItems(headerItems(fields), sealing).header;
}

/** QBFT's extraData: every item as given. */
export function qbftExtra(
  sealing: Omit<QbftSealing, 'signers'> & { readonly validators: readonly Validator[] },
  round: RlpItem,
  seals: RlpItem,
): Uint8Array {
  const { vote } = sealing;
  return encodeRlp([
    new Uint8Array(32),
    sealing.validators.map(({ address }) => address),
    vote === undefined ? [] : [vote.recipient, vote.add ? Uint8Array.of(0xff) : new Uint8Array(0)],
    round,
    seals,
  ]);
}

/** Header RLP with this extraData. */
export function withExtra(items: readonly Uint8Array[], extraData: Uint8Array): Uint8Array {
  return encodeList(items.map((item, i) => (i === 12 ? encodeRlp(extraData) : item)));
}

/**
 * Takes a block that a node has answered to `eth_getBlockByNumber` and seals its header under QBFT. What the state root proves it
 * proves as before. Gives the header and its hash, and the answer that a QBFT node would give for it.
 */
export function resealQbft(
  block: Readonly<Record<string, unknown>>,
  sealing: QbftSealing,
): { readonly header: Uint8Array; readonly hash: Uint8Array; readonly block: Record<string, unknown> } {
  const unsealed = { ...block, mixHash: formatHex0x(istanbulMixHash), difficulty: '0x1' };
  const { header, hash, extraData } = sealQbftItems(splitList(headerFromRpc(unsealed)), sealing);
  return {
    header,
    hash,
    block: { ...unsealed, extraData: formatHex0x(extraData), hash: formatHex0x(hash) },
  };
}

/** The same under Clique. */
export function resealClique(
  block: Readonly<Record<string, unknown>>,
  signer: Validator,
): { readonly header: Uint8Array; readonly hash: Uint8Array; readonly block: Record<string, unknown> } {
  const items = splitList(headerFromRpc(block));
  const vanity = new Uint8Array(32);
  const extraData = concatBytes(vanity, seal(signer, keccak_256(withExtra(items, vanity))));
  const header = withExtra(items, extraData);
  const hash = keccak_256(header);
  return { header, hash, block: { ...block, extraData: formatHex0x(extraData), hash: formatHex0x(hash) } };
}

/** How a Clique header is sealed. */
export type CliqueSealing = {
  readonly signer: Validator;
  /** Whom the header lists, as epoch blocks do. */
  readonly listed?: readonly Validator[];
};

/** A Clique header over the fields, as RLP. */
export function sealClique(fields: HeaderFields, { signer, listed = [] }: CliqueSealing): Uint8Array {
  const items = headerItems({ mixHash: new Uint8Array(32), ...fields });
  const unsealed = concatBytes(new Uint8Array(32), ...listed.map(({ address }) => address));
  const digest = keccak_256(withExtra(items, unsealed));
  return withExtra(items, concatBytes(unsealed, seal(signer, digest)));
}

/** Clique headers in a row, each the child of the one before, by one signer each. */
export function sealCliqueChain(fields: HeaderFields, signers: readonly Validator[]): Uint8Array[] {
  const headers: Uint8Array[] = [];
  for (const [i, signer] of signers.entries()) {
    const parent = headers.at(-1);
    headers.push(
      sealClique(
        {
          ...fields,
          number: fields.number + i,
          time: fields.time + i,
          ...(parent === undefined ? {} : { parentHash: keccak_256(parent) }),
        },
        { signer },
      ),
    );
  }
  return headers;
}

function sealQbftItems(items: readonly Uint8Array[], { round = 0, ...sealing }: QbftSealing) {
  const listed = { ...sealing, validators: sealing.validators ?? sealing.signers };
  const digest = keccak_256(withExtra(items, qbftExtra(listed, integer(round), [])));
  const seals = sealing.signers.map(signer => seal(signer, digest));
  const extraData = qbftExtra(listed, integer(round), seals);
  return {
    extraData,
    header: withExtra(items, extraData),
    hash: keccak_256(withExtra(items, qbftExtra(listed, integer(0), []))),
  };
}

const forks: readonly Fork[] = ['berlin', 'london', 'shanghai', 'cancun', 'prague'];

const emptyTrie = keccak_256(encodeRlp(new Uint8Array(0)));

/** What each fork has appended to the header. */
const forkItems: readonly (readonly [Fork, readonly Uint8Array[]])[] = [
  ['london', [integer(7)]],
  ['shanghai', [emptyTrie]],
  ['cancun', [integer(0), integer(0), new Uint8Array(32)]],
  ['prague', [keccak_256(utf8('no requests'))]],
];

/** By this mixHash Besu's engines know their own headers. */
const istanbulMixHash = utf8('ctical byzantine fault tolerance');
