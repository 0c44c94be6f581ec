import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, formatHex, formatHex0x, utf8 } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { ProofError } from '../../merkle/errors.ts';
import { parseHeader } from '../../merkle/header.ts';
import { encodeList, splitList } from '../../merkle/rlp.ts';
import { blockHash } from '../../merkle/seals.ts';
import { type Algorithm, verifySignature } from '../../merkle/signature.ts';
import { leafHash } from '../../merkle/tree.ts';
import {
  judgeReceipt,
  ReceiptError,
  stepNames,
  type Verification,
  verifyReceipt,
} from '../../merkle/verification.ts';
import { anEvent } from '../helpers/builders.ts';
import {
  agency,
  block,
  closedAtSize,
  type Forged,
  forge,
  logKeys,
  type Plan,
  rotatedUntilSize,
  startTime,
} from '../helpers/forge.ts';
import { kidOf, testKeys } from '../helpers/keys.ts';

/** No key of anybody's, so another one must sign. */
const hugeKey = { ...testKeys.rs256, e: 'AQAB'.repeat(250_000) };

const algorithms: readonly Algorithm[] = ['ES256', 'ES384', 'ES256K', 'RS256', 'PS256', 'Ed25519'];

async function judge(plan: Plan): Promise<Verification> {
  const { bytes, trust } = await forge(plan);
  return judgeReceipt(bytes, trust);
}

function outcome({ verdict, steps }: Verification): string {
  const failed = steps.find(({ ok }) => ok === false);
  return failed === undefined ? verdict : `${verdict}: ${failed.name}`;
}

function told({ steps }: Verification): Record<string, boolean | null> {
  return Object.fromEntries(steps.map(({ name, ok }) => [name, ok]));
}

/** What must have been proved, from the pieces that were forged. */
function expectedFacts({ receipt, entry, checkpoint }: Forged, plan: Plan) {
  const header = receipt.evidence?.headers[0];
  const isAgencys = entry.kind === 'transaction' || entry.kind === 'audit';
  return {
    leafHash: formatHex(leafHash(receipt.entry)),
    index: receipt.inclusion.index,
    size: checkpoint.size,
    root: formatHex(checkpoint.root),
    kind: entry.kind,
    time: formatTime(entry.time),
    ...(isAgencys && header !== undefined && { agency }),
    ...(isAgencys && (header !== undefined || receipt.record) && { algorithm: plan.alg ?? 'ES256' }),
    ...(header !== undefined && {
      block: block.number,
      blockTime: '2026-11-24T08:01:00.000Z',
      blockHash: formatHex0x(blockHash(plan.consensus ?? 'qbft', parseHeader(header))),
    }),
  };
}

const honest: readonly (readonly [name: string, plan: Plan])[] = [
  ...algorithms.flatMap(
    alg =>
      [
        [`a statement by ${alg}`, { alg }],
        [`a batch statement by ${alg}`, { alg, batch: { size: 5, index: 3 } }],
        [`a proof-only receipt under a key for ${alg}`, { alg, proofOnly: true }],
      ] as const,
  ),
  ['an audit event', { kind: 'audit' }],
  [
    'an audit event without recordkind',
    { kind: 'audit', change: { event: () => anEvent({ recordkind: undefined }) } },
  ],
  ['a batch of one', { batch: { size: 1, index: 0 } }],
  ['a genesis entry', { kind: 'genesis' }],
  ['a genesis entry in a tree of one', { kind: 'genesis', size: 1 }],
  ['a chain entry', { kind: 'chain' }],
  ['the last entry', { size: 11, index: 10 }],
  ['Clique', { consensus: 'clique' }],
  ['Clique with one signer', { consensus: 'clique', validators: 1 }],
  ['six validators, of whom five sealed', { validators: 6 }],
  ['a tree as large as the rotated log key may sign', { size: rotatedUntilSize, signers: [logKeys.rotated] }],
  ['a tree larger than that, by the key that came after', { size: rotatedUntilSize + 1 }],
  ['the rotated key beside it', { size: rotatedUntilSize + 1, signers: [logKeys.rotated, logKeys.present] }],
  ["a witness's line", { signers: [logKeys.witness, logKeys.present] }],
  ['another log', { origin: 'ledger.example/other' }],
  ['the last checkpoint of a closed log', { origin: 'ledger.example/closed', size: closedAtSize }],
  ['an entry 30 s ahead of its block', { time: startTime + 90_000 }],
  [
    'a key that is valid from the entry on',
    { time: startTime, change: { registered: key => ({ ...key, validFrom: startTime / 1000 }) } },
  ],
  [
    'a key in its last millisecond',
    { time: startTime + 999, change: { registered: key => ({ ...key, validUntil: startTime / 1000 + 1 }) } },
  ],
  ['registries that stand alone on their chain', { neighbours: 0 }],
];

describe('judgeReceipt', () => {
  it.each(honest)('says that %s matches', async (_, plan) => {
    const forged = await forge(plan);
    const verification = await judgeReceipt(forged.bytes, forged.trust);
    expect(outcome(verification), why(verification)).toBe('matches');
    expect(verification.finality).toBe('proved');
    expect(verification.facts).toStrictEqual(expectedFacts(forged, plan));
  });

  it.each<[string, Plan]>([
    ['a record', {}],
    ['a batch', { batch: { size: 5, index: 0 } }],
    ['a proof-only receipt', { proofOnly: true }],
    ['a genesis entry', { kind: 'genesis' }],
    ['a chain entry', { kind: 'chain' }],
  ])('says that %s without evidence is not yet anchored', async (_, plan) => {
    const forged = await forge({ ...plan, pending: true });
    const verification = await judgeReceipt(forged.bytes, forged.trust);
    expect(outcome(verification), why(verification)).toBe('not-yet-anchored');
    expect(verification.finality).toBe('unproved');
    expect(verification.facts).toStrictEqual(expectedFacts(forged, plan));
    expect(verification.steps.slice(6)).toEqual(
      (['seals', 'anchor', 'key', 'time'] as const).map(name => ({
        name,
        ok: null,
        detail: 'not yet anchored',
      })),
    );
  });

  it.each<[string, Plan]>([
    ['a record', {}],
    ['a genesis entry', { kind: 'genesis' }],
  ])('says that %s on a development chain matches, its finality unproved', async (_, plan) => {
    const forged = await forge({ ...plan, consensus: 'none' });
    const verification = await judgeReceipt(forged.bytes, forged.trust);
    expect(outcome(verification), why(verification)).toBe('matches');
    expect(verification.finality).toBe('unproved');
    expect(verification.facts).toStrictEqual(expectedFacts(forged, { ...plan, consensus: 'none' }));
    expect(told(verification)['seals']).toBeNull();
  });

  it('shows every step in its order, and those that do not apply as neither passed nor failed', async () => {
    expect(told(await judge({ batch: { size: 2, index: 1 } }))).toEqual(
      Object.fromEntries(stepNames.map(name => [name, true])),
    );
    const { steps } = await judge({ kind: 'chain' });
    expect(steps.map(({ name }) => name)).toEqual(stepNames);
    expect(steps.filter(({ ok }) => ok === null)).toEqual([
      { name: 'statement', ok: null, detail: 'no record in this receipt' },
      { name: 'commitment', ok: null, detail: 'no record in this receipt' },
      { name: 'batch', ok: null, detail: 'no record in this receipt' },
      { name: 'key', ok: null, detail: 'a chain entry has no key' },
    ]);
    expect(told(await judge({}))['batch']).toBeNull();
  });

  it('tells what each step found', async () => {
    const { steps } = await judge({ batch: { size: 5, index: 3 } });
    expect(steps.map(({ detail }) => detail)).toEqual([
      'a receipt for a record of kind transaction, with the record',
      `signed with ES256 by the key ${kidOf(testKeys.es256)} for ledger.example/2026`,
      'the entry commits to this statement and transaction event',
      'event 3 of the 5 under the statement',
      'entry 4 of the 11 in the tree',
      `size 11 is signed by ledger.example/2026+${formatHex(logKeys.present.key.keyId)}`,
      'enough validators of chain 2026 sealed block 1234',
      'block 1234 holds this root for size 11',
      'OVO002949 holds the key, for ES256, from 2026-11-24T07:00:00.000Z without end',
      'the entry is of 2026-11-24T08:00:00.400Z, the block of 2026-11-24T08:01:00.000Z',
    ]);
  });

  it('stops at the first step that fails, and proves nothing', async () => {
    // The signature, the path and the seals are all bad.
    const verification = await judge({
      change: {
        statement: text => text.slice(0, -4),
        receipt: receipt => ({ ...receipt, inclusion: { ...receipt.inclusion, path: [] } }),
        qbft: sealing => ({ ...sealing, signers: [] }),
      },
    });
    expect(told(verification)).toEqual({ parse: true, statement: false });
    expect(verification).toMatchObject({ verdict: 'does-not-match', finality: 'unproved', facts: null });
  });

  it('leaves an unreadable checkpoint to its own step, and inclusion unsaid', async () => {
    const verification = await judge({ change: { text: text => `${text}extension\n` } });
    expect(told(verification)).toEqual({
      parse: true,
      statement: true,
      commitment: true,
      batch: null,
      inclusion: null,
      checkpoint: false,
    });
  });

  it('names every fault in the form, but not a thousand', async () => {
    const { bytes, trust } = await forge({
      change: { receipt: r => ({ ...r, inclusion: { index: 1, path: Array(1000).fill(Uint8Array.of(1)) } }) },
    });
    const { steps } = await judgeReceipt(bytes, trust);
    const detail = steps.at(-1)?.detail ?? '';
    expect(detail).toContain('inclusion.path[7]: 1 bytes, want 32');
    expect(detail).toMatch(/; and 992 more$/);
  });

  it('throws what is no verdict on the receipt', async () => {
    const { bytes, trust } = await forge();
    const fault = new Error('the signature service is gone');
    await expect(judgeReceipt(bytes, trust, () => Promise.reject(fault))).rejects.toBe(fault);
  });

  it('checks statements by the verifier that is passed in', async () => {
    const { bytes, trust } = await forge();
    const asked: string[] = [];
    const verification = await judgeReceipt(bytes, trust, async (alg, ...rest) => {
      asked.push(alg);
      return verifySignature(alg, ...rest);
    });
    expect(outcome(verification)).toBe('matches');
    expect(asked).toEqual(['ES256']);
    const refused = await judgeReceipt(bytes, trust, () => Promise.reject(new ProofError('no')));
    expect(outcome(refused)).toBe('does-not-match: statement');
  });

  it('gives a verdict on whatever bytes, and does not fall over', async () => {
    const { bytes, trust } = await forge({ batch: { size: 3, index: 1 } });
    const at = fc.nat({ max: bytes.length - 1 });
    const spoilt = fc
      .array(fc.record({ at, byte: fc.nat({ max: 255 }) }), { minLength: 1, maxLength: 3 })
      .map(changes => {
        const changed = bytes.slice();
        for (const { at, byte } of changes) changed[at] = byte;
        return changed;
      });
    const cut = fc.tuple(at, at).map(([from, to]) => bytes.slice(from, to));
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoilt, cut, fc.uint8Array(), fc.json().map(utf8)), async any => {
        const { verdict, facts } = await judgeReceipt(any, trust);
        const isSame = equalBytes(any, bytes);
        expect(verdict).toBe(isSame ? 'matches' : 'does-not-match');
        expect(facts === null).toBe(!isSame);
      }),
      { numRuns: 300 },
    );
  });

  // Each of these once ended in an overflowing stack, in exhausted memory, or in minutes of arithmetic.
  it.each<[string, Plan, string]>([
    [
      'a line of base64 by an unknown key',
      { change: { note: note => `${note}— witness ${'AAAA'.repeat(1_500_000)}\n` } },
      'matches',
    ],
    [
      'an unknown key with a name of two-unit characters',
      { change: { note: note => `${note}— ${'😀'.repeat(3_000_000)} AAAAAAAA\n` } },
      'matches',
    ],
    [
      'a header of a million items',
      {
        consensus: 'none',
        change: {
          headers: ([header = utf8('')]) => [
            encodeList([concatBytes(...splitList(header), new Uint8Array(1_000_000).fill(0x80))]),
          ],
        },
      },
      'does-not-match: seals',
    ],
    [
      'an RSA key with a huge exponent',
      {
        alg: 'RS256',
        key: hugeKey,
        statement: { key: testKeys.rs256, kid: kidOf(hugeKey) },
      },
      'does-not-match: statement',
    ],
    [
      'a million nodes',
      { change: { nodes: () => Array(1_000_000).fill(new Uint8Array(0)) } },
      'does-not-match: parse',
    ],
  ])('gives a verdict at once on %s', async (_, plan, expected) => {
    expect(outcome(await judge(plan))).toBe(expected);
  });

  it('judges many receipts at once as it judges each', async () => {
    const all = await Promise.all(honest.slice(0, 12).map(([, plan]) => forge(plan)));
    const together = await Promise.all(all.map(({ bytes, trust }) => judgeReceipt(bytes, trust)));
    for (const [i, { bytes, trust }] of all.entries()) {
      expect(together[i]).toStrictEqual(await judgeReceipt(bytes, trust));
    }
  });
});

describe('verifyReceipt', () => {
  it('gives the verification of a receipt that matches', async () => {
    const { bytes, trust } = await forge();
    expect(await verifyReceipt(bytes, trust)).toStrictEqual(await judgeReceipt(bytes, trust));
  });

  it('gives that of one that is not yet anchored, which is no failure', async () => {
    const { bytes, trust } = await forge({ pending: true });
    expect(await verifyReceipt(bytes, trust)).toMatchObject({ verdict: 'not-yet-anchored' });
  });

  it('throws the verification of one that does not match', async () => {
    const { bytes, trust } = await forge({ time: startTime + 90_001 });
    const error = await verifyReceipt(bytes, trust).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ReceiptError);
    expect(error).toBeInstanceOf(ProofError);
    expect(error).toMatchObject({
      message: 'time: the entry is of 2026-11-24T08:01:30.001Z, the block of 2026-11-24T08:01:00.000Z',
      verification: await judgeReceipt(bytes, trust),
    });
  });
});

function why({ steps }: Verification): string {
  return steps.map(({ name, ok, detail }) => `${name} ${ok}: ${detail}`).join('\n');
}
