/** Receipts that each break one rule, broken where they are made: the step that the rule belongs to refuses them. */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import type { Receipt } from '../../merkle/receipt.ts';
import type { Algorithm } from '../../merkle/signature.ts';
import { batchLeafHash } from '../../merkle/statement.ts';
import { judgeReceipt, type StepName, stepNames, type Verification } from '../../merkle/verification.ts';
import { anEvent, aStatement } from '../helpers/builders.ts';
import {
  closedAtSize,
  forge,
  logKeys,
  type Pieces,
  type Plan,
  rotatedUntilSize,
  startTime,
} from '../helpers/forge.ts';
import { keyFor, kidOf, publicJwk, signAs, testKeys } from '../helpers/keys.ts';
import { aValidator, someValidators } from '../helpers/sealer.ts';

async function judge(plan: Plan): Promise<Verification> {
  const { bytes, trust } = await forge(plan);
  return judgeReceipt(bytes, trust);
}

function outcome({ verdict, steps }: Verification): string {
  const failed = steps.find(({ ok }) => ok === false);
  return failed === undefined ? verdict : `${verdict}: ${failed.name}`;
}

type Broken = readonly [step: StepName, name: string, plan: Plan];

/** Changes the finished receipt. */
const receiptWith = (change: (receipt: Receipt) => object): NonNullable<Plan['change']> => ({
  receipt: receipt => ({ ...receipt, ...change(receipt) }),
});

const batch = { size: 5, index: 3 };

/** Changes what the receipt has beside its statement. */
const recordWith = (members: object): NonNullable<Plan['change']> =>
  receiptWith(({ record }) => ({ record: { ...record, ...members } }));

const batchWith = (members: object): Plan => ({
  batch,
  change: receiptWith(({ record }) => ({ record: { ...record, batch: { ...record?.batch, ...members } } })),
});

const broken: readonly Broken[] = [
  ['parse', 'version 2', { change: { json: text => text.replace('"version":1', '"version":2') } }],
  ['parse', 'a byte more', { change: { json: text => `${text}x` } }],
  ['parse', 'an entry of version 2, logged so', { change: { entryBytes: bytes => patch(bytes, 0, 2) } }],
  ['parse', 'an entry of kind 4, logged so', { change: { entryBytes: bytes => patch(bytes, 1, 4) } }],
  [
    'parse',
    'an entry time of 2^53, logged so',
    { change: { entryBytes: bytes => patch(bytes, 2, 0, 0x20, 0, 0, 0, 0, 0, 0) } },
  ],
  [
    'parse',
    'a chain entry with a key id, logged so',
    { kind: 'chain', change: { entryBytes: bytes => patch(bytes, 41, 1) } },
  ],
  [
    'parse',
    'a transaction without a key id, logged so',
    { change: { entry: entry => ({ ...entry, keyId: new Uint8Array(32) }) } },
  ],
  [
    'parse',
    'a record on a chain entry',
    {
      kind: 'chain',
      change: receiptWith(() => ({
        record: { statement: aStatement(), salt: new Uint8Array(32), key: publicJwk(testKeys.es256) },
      })),
    },
  ],
  ['parse', 'evidence without a header', { change: { headers: () => [] } }],

  ['statement', 'a bit of the signature flipped', { change: { statement: flipSignature } }],
  [
    'statement',
    'the payload left out, as in a detached JWS',
    { change: { statement: text => text.replace(/\.[^.]*\./, '..') } },
  ],
  [
    'statement',
    'the signature over another statement',
    {
      change: {
        statement: text => [...text.split('.').slice(0, 2), aStatement().split('.')[2]].join('.'),
        event: () => anEvent({ id: 'x' }),
      },
    },
  ],
  [
    'statement',
    'another key beside the statement',
    { change: recordWith({ key: publicJwk(testKeys.es256k) }) },
  ],
  ['statement', "another key's kid", { statement: { kid: kidOf(testKeys.es256k) } }],
  [
    'statement',
    "an entry with another key's id",
    { change: { entry: entry => ({ ...entry, keyId: new Uint8Array(32).fill(7) }) } },
  ],
  ['statement', 'a statement for another log', { statement: { aud: 'ledger.example/other' } }],
  [
    'statement',
    'an algorithm that is not for the key',
    { statement: { alg: 'ES256K', key: keyFor('ES256K'), kid: kidOf(testKeys.es256) } },
  ],
  [
    'statement',
    'the alias EdDSA',
    {
      alg: 'Ed25519',
      change: { statement: text => resign(text, 'Ed25519', header => ({ ...header, alg: 'EdDSA' })) },
    },
  ],
  [
    'statement',
    'a crit member',
    { change: { statement: text => resign(text, 'ES256', header => ({ ...header, crit: ['alg'] })) } },
  ],
  [
    'statement',
    'no aud',
    { change: { statement: text => resign(text, 'ES256', ({ aud, ...header }) => header) } },
  ],
  ['statement', 'a batch statement without a batch', { statement: { typ: 'zegel-batch+jws' } }],
  ['statement', 'a batch beside a statement over one event', { batch, statement: { typ: 'zegel+jws' } }],
  ['statement', 'no statement at all', { change: recordWith({ statement: '' }) }],

  ['commitment', 'another salt', { change: recordWith({ salt: new Uint8Array(32) }) }],
  [
    'commitment',
    'another statement by the same key',
    { change: recordWith({ statement: aStatement({ payload: anEvent({ id: 'other' }) }) }) },
  ],
  [
    'commitment',
    'another commitment in the entry',
    { change: { entry: entry => ({ ...entry, commitment: new Uint8Array(32) }) } },
  ],
  ['commitment', "a neighbour's event in a batch", batchWith({ event: anEvent({ id: 'neighbour-2' }) })],
  [
    'commitment',
    'an audit event in an entry of kind transaction',
    { change: { event: () => anEvent({ recordkind: 'audit' }) } },
  ],
  [
    'commitment',
    'an event without recordkind in an entry of kind transaction',
    { change: { event: () => anEvent({ recordkind: undefined }) } },
  ],
  [
    'commitment',
    'an unknown recordkind',
    { change: { event: () => anEvent({ recordkind: 'Transaction' }) } },
  ],
  [
    'commitment',
    'an event with two recordkinds',
    { change: { event: event => utf8(`{"recordkind":"audit",${new TextDecoder().decode(event).slice(1)}`) } },
  ],
  ['commitment', 'an event of no bytes', { change: { event: () => utf8('') } }],
  ['commitment', 'an event that is an array', { change: { event: () => utf8('["transaction"]') } }],
  [
    'commitment',
    'an event that is 33 deep',
    { change: { event: () => utf8(`{"recordkind":"transaction","a":${'['.repeat(32)}${']'.repeat(32)}}`) } },
  ],

  ['batch', 'another index', batchWith({ index: 2 })],
  ['batch', 'an index beyond the batch', batchWith({ index: 5 })],
  ['batch', 'no path', batchWith({ path: [] })],
  ['batch', 'another salt beside the event', batchWith({ salt: new Uint8Array(32) })],
  [
    'batch',
    'leaves without salt',
    {
      batch,
      change: {
        batchLeaves: leaves =>
          leaves.map((_, i) => batchLeafHash(new Uint8Array(0), anEvent({ id: `${i}` }))),
      },
    },
  ],
  ['batch', 'a payload of no bytes', { batch, change: { payload: () => utf8('') } }],
  [
    'batch',
    'a space in the payload',
    { batch, change: { payload: payload => utf8(new TextDecoder().decode(payload).replace(',', ', ')) } },
  ],
  [
    'batch',
    'a third member in the payload',
    {
      batch,
      change: { payload: payload => utf8(new TextDecoder().decode(payload).replace('}', ',"x":1}')) },
    },
  ],
  [
    'batch',
    'a size of 0',
    {
      batch,
      change: { payload: payload => utf8(new TextDecoder().decode(payload).replace('"size":5', '"size":0')) },
    },
  ],
  [
    'batch',
    'a size of 65,537',
    {
      batch,
      change: {
        payload: payload => utf8(new TextDecoder().decode(payload).replace('"size":5', '"size":65537')),
      },
    },
  ],

  ['inclusion', "the sibling's index", { change: inclusionWith({ index: 5 }) }],
  ['inclusion', 'the index of 2^32 more', { change: inclusionWith({ index: 4 + 2 ** 32 }) }],
  ['inclusion', 'no path', { change: inclusionWith({ path: [] }) }],
  [
    'inclusion',
    'one hash too many',
    {
      change: {
        receipt: r => ({
          ...r,
          inclusion: { ...r.inclusion, path: [...r.inclusion.path, new Uint8Array(32)] },
        }),
      },
    },
  ],
  [
    'inclusion',
    'another root, signed and anchored',
    { change: { checkpoint: c => ({ ...c, root: new Uint8Array(32).fill(1) }) } },
  ],
  [
    'inclusion',
    'a size too small, signed and anchored',
    { change: { checkpoint: c => ({ ...c, size: 4 }) } },
  ],
  ['inclusion', 'an entry of kind genesis elsewhere', { kind: 'genesis', index: 4 }],
  ['inclusion', 'a record at index 0', { index: 0 }],
  ['inclusion', 'a wrong path without evidence', { pending: true, change: inclusionWith({ path: [] }) }],

  [
    'checkpoint',
    'a bit of the signature flipped',
    { change: { note: note => `${note.slice(0, -10)}${note.at(-10) === 'A' ? 'B' : 'A'}${note.slice(-9)}` } },
  ],
  [
    'checkpoint',
    'a bad signature without evidence',
    {
      pending: true,
      change: { note: note => `${note.slice(0, -10)}${note.at(-10) === 'A' ? 'B' : 'A'}${note.slice(-9)}` },
    },
  ],
  ['checkpoint', 'a witness only', { signers: [logKeys.witness] }],
  ['checkpoint', "another log's key", { signers: [logKeys.other] }],
  ['checkpoint', 'an unknown log', { origin: 'ledger.example/unknown' }],
  [
    'checkpoint',
    'a tree too large for the rotated key',
    { size: rotatedUntilSize + 1, signers: [logKeys.rotated] },
  ],
  [
    'checkpoint',
    'a tree larger than the closed log',
    { origin: 'ledger.example/closed', size: closedAtSize + 1 },
  ],
  ['checkpoint', 'the same key twice', { signers: [logKeys.present, logKeys.present] }],
  [
    'checkpoint',
    'a bad line by the rotated key, which does not count here',
    {
      size: rotatedUntilSize + 1,
      signers: [{ ...logKeys.rotated, sign: logKeys.witness.sign }, logKeys.present],
    },
  ],
  [
    'checkpoint',
    "a bad line by another log's key",
    { signers: [logKeys.present, { ...logKeys.other, sign: logKeys.witness.sign }] },
  ],
  ['checkpoint', 'an extension line', { change: { text: text => `${text}extension\n` } }],
  ['checkpoint', 'a size in hexadecimal', { change: { text: text => text.replace('\n11\n', '\n0xb\n') } }],
  [
    'checkpoint',
    'line ends of two characters',
    { proofOnly: true, change: { note: note => note.replaceAll('\n', '\r\n') } },
  ],
  ['checkpoint', 'no signature', { change: { note: note => note.slice(0, note.indexOf('\n\n') + 1) } }],
  [
    'checkpoint',
    'a size that was changed after signing',
    { change: { note: note => note.replace('\n11\n', '\n12\n') } },
  ],

  ['seals', 'no seals', { change: { qbft: sealing => ({ ...sealing, signers: [] }) } }],
  [
    'seals',
    'two of four validators',
    { change: { qbft: sealing => ({ ...sealing, signers: sealing.signers.slice(1) }) } },
  ],
  [
    'seals',
    'four of six validators',
    { validators: 6, change: { qbft: sealing => ({ ...sealing, signers: sealing.signers.slice(1) }) } },
  ],
  [
    'seals',
    'a validator who sealed twice',
    { change: { qbft: s => ({ ...s, signers: [...s.signers.slice(1), ...s.signers.slice(1)] }) } },
  ],
  [
    'seals',
    'a stranger beside a quorum',
    { change: { qbft: s => ({ ...s, signers: [...s.signers, aValidator('stranger')] }) } },
  ],
  [
    'seals',
    'strangers who list themselves',
    { change: { qbft: () => ({ signers: someValidators(4, 'of another network') }) } },
  ],
  [
    'seals',
    'a list with a stranger in it',
    { change: { qbft: s => ({ ...s, validators: [...someValidators(4), aValidator('stranger')] }) } },
  ],
  [
    'seals',
    'a second header',
    { change: { headers: ([first]) => (first === undefined ? [] : [first, first]) } },
  ],
  [
    'seals',
    'a byte after the header',
    { change: { headers: headers => headers.map(h => Uint8Array.from([...h, 0])) } },
  ],
  [
    'seals',
    'Clique headers by one signer',
    { consensus: 'clique', change: { clique: ([first]) => (first === undefined ? [] : [first, first]) } },
  ],
  [
    'seals',
    'one Clique header of two',
    { consensus: 'clique', change: { clique: signers => signers.slice(1) } },
  ],
  [
    'seals',
    'Clique headers in reverse',
    { consensus: 'clique', change: { headers: headers => headers.toReversed() } },
  ],
  [
    'seals',
    'no header on a development chain',
    { consensus: 'none', change: { headers: () => [utf8('no header')] } },
  ],
  [
    'seals',
    'two headers on a development chain',
    { consensus: 'none', change: { headers: headers => [...headers, ...headers] } },
  ],

  [
    'anchor',
    'another root in the slot',
    { change: { accounts: storageOf(0, () => new Uint8Array(32).fill(1)) } },
  ],
  [
    'anchor',
    'zero in the slot',
    {
      change: {
        accounts: accounts =>
          storageOf(0, () => new Uint8Array(32))(accounts).map(a => ({ ...a, keepsZeros: true })),
      },
    },
  ],
  ['anchor', 'nothing in the slot', { change: { accounts: storageOf(0, () => new Uint8Array(32)) } }],
  ['anchor', 'other code', { change: { accounts: accountWith(0, { codeHash: keccak_256(utf8('other')) }) } }],
  ['anchor', 'no account', { change: { accounts: accounts => accounts.slice(1) } }],
  ['anchor', 'the walks to the key first', { change: { walks: walks => walks.toReversed() } }],
  ['anchor', 'no nodes', { change: { nodes: () => [] } }],
  [
    'anchor',
    'the first node twice',
    { change: { nodes: ([first, ...rest]) => (first === undefined ? [] : [first, first, ...rest]) } },
  ],
  [
    'anchor',
    'a node too many behind a genesis entry',
    { kind: 'genesis', change: { nodes: nodes => [...nodes, utf8('surplus')] } },
  ],
  [
    'anchor',
    'a node too many behind a chain entry',
    { kind: 'chain', change: { nodes: nodes => [...nodes, utf8('surplus')] } },
  ],
  [
    'anchor',
    'another state',
    { change: { header: header => ({ ...header, stateRoot: keccak_256(utf8('other')) }) } },
  ],

  ['key', 'a key for another algorithm', { change: { registered: key => ({ ...key, algorithm: 3 }) } }],
  [
    'key',
    'an unknown algorithm',
    { proofOnly: true, change: { registered: key => ({ ...key, algorithm: 7 }) } },
  ],
  [
    'key',
    'a key of the second after',
    { time: startTime, change: { registered: key => ({ ...key, validFrom: startTime / 1000 + 1 }) } },
  ],
  [
    'key',
    'a key of a millisecond after',
    { time: startTime - 1, change: { registered: key => ({ ...key, validFrom: startTime / 1000 }) } },
  ],
  [
    'key',
    'a key retired that very moment',
    { time: startTime, change: { registered: key => ({ ...key, validUntil: startTime / 1000 }) } },
  ],
  [
    'key',
    'a proof-only receipt under a retired key',
    { proofOnly: true, change: { registered: key => ({ ...key, validUntil: 1 }) } },
  ],
  [
    'key',
    'an agency in lower case',
    { change: { registered: key => ({ ...key, agency: utf8('ovo002949') }) } },
  ],
  [
    'key',
    'an agency with a line feed',
    { change: { registered: key => ({ ...key, agency: utf8('OVO002949\n') }) } },
  ],
  ['key', 'no agency', { change: { registered: key => ({ ...key, agency: new Uint8Array(0) }) } }],
  ['key', 'a key that is not registered', { change: { accounts: storageOf(1, () => new Uint8Array(32)) } }],
  ['key', 'other code', { change: { accounts: accountWith(1, { codeHash: keccak_256(utf8('other')) }) } }],
  ['key', 'the walks to the key left out', { change: { walks: walks => walks.slice(0, 1) } }],
  ['key', 'the last node left out', { change: { nodes: nodes => nodes.slice(0, -1) } }],
  ['key', 'a node too many', { change: { nodes: nodes => [...nodes, utf8('surplus')] } }],
  ['key', 'the last node twice', { change: { nodes: nodes => [...nodes, ...nodes.slice(-1)] } }],

  ['time', 'an entry 30.001 s ahead of its block', { time: startTime + 90_001 }],
  [
    'time',
    'a block 31 s before the entry',
    { change: { header: header => ({ ...header, time: startTime / 1000 - 31 }) } },
  ],
  ['time', 'a proof-only receipt of the future', { proofOnly: true, time: startTime + 90_001 }],
  ['time', 'a genesis entry of the future', { kind: 'genesis', time: startTime + 90_001 }],
  ['time', 'a chain entry of the future', { kind: 'chain', time: startTime + 90_001 }],
  ['time', 'the future on a development chain', { consensus: 'none', time: startTime + 90_001 }],
];

describe('each step', () => {
  it.each(broken)('%s refuses %s', async (step, _, plan) => {
    const verification = await judge(plan);
    expect(outcome(verification), why(verification)).toBe(`does-not-match: ${step}`);
    expect(verification.steps.at(-1)?.name).toBe(step);
  });

  it('is held to by several of these', () => {
    for (const step of stepNames) {
      expect(broken.filter(([name]) => name === step).length, step).toBeGreaterThanOrEqual(5);
    }
  });
});

/** Replaces a word in a contract's storage: the first one, which is the one that counts. */
function storageOf(account: number, change: (word: Uint8Array) => Uint8Array) {
  return (accounts: Pieces['accounts']): Pieces['accounts'] =>
    accounts.map((a, i) =>
      i === account
        ? {
            ...a,
            storage: a.storage.map(([slot, word], j) => [slot, j === 0 ? change(word) : word] as const),
          }
        : a,
    );
}

function accountWith(account: number, members: object) {
  return (accounts: Pieces['accounts']): Pieces['accounts'] =>
    accounts.map((a, i) => (i === account ? { ...a, ...members } : a));
}

function inclusionWith(members: object): NonNullable<Plan['change']> {
  return receiptWith(({ inclusion }) => ({ inclusion: { ...inclusion, ...members } }));
}

function patch(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const patched = bytes.slice();
  patched.set(values, at);
  return patched;
}

function flipSignature(statement: string): string {
  const [header = '', payload = '', signature = ''] = statement.split('.');
  return [
    header,
    payload,
    `${signature.slice(0, 9)}${signature[9] === 'A' ? 'B' : 'A'}${signature.slice(10)}`,
  ].join('.');
}

/** The statement under another header, signed so. */
function resign(
  statement: string,
  alg: Algorithm,
  change: (header: Record<string, unknown>) => object,
): string {
  const [header = '', payload = ''] = statement.split('.');
  const changed = change(JSON.parse(Buffer.from(header, 'base64url').toString()));
  const input = `${formatBase64url(utf8(JSON.stringify(changed)))}.${payload}`;
  return `${input}.${formatBase64url(signAs(alg, keyFor(alg), input))}`;
}

function why({ steps }: Verification): string {
  return steps.map(({ name, ok, detail }) => `${name} ${ok}: ${detail}`).join('\n');
}
