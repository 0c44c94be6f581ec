/** The receipts of an independent implementation, 94 good and 464 that each break one rule, get the verdicts that it gives them. */

import { describe, expect, it } from 'vitest';
import { judgeReceipt, stepNames, type Verification } from '../../merkle/verification.ts';
import {
  type ReceiptVector,
  readVectors,
  readVectorTrust,
  vectorsNote,
  vectorsPresent,
  vectorTrustFiles,
} from '../helpers/receipt-vectors.ts';

const vectors = readVectors();
const trusts = new Map(vectorTrustFiles.map(file => [file, readVectorTrust(file)]));

describe.skipIf(!vectorsPresent)(`vectors/receipts${vectorsNote}`, () => {
  it('has all its cases', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(558);
  });

  it.each(vectors)('$name: $description', async vector => {
    const verification = await judge(vector, vector.trust);
    expect(verification.verdict, why(verification)).toBe(vector.expect.verdict);
    expect(failedStep(verification), why(verification)).toBe(vector.expect.step);
    expect(verification.facts).toStrictEqual(vector.expect.facts ?? null);
    const isProved = vector.expect.verdict === 'matches' && vector.expect.finality !== 'unproved';
    expect(verification.finality).toBe(isProved ? 'proved' : 'unproved');
    expectStepsInOrder(verification);
  });

  // What a trust file says of one log does not depend on what else is in it. The exception is about a log that only `all` knows.
  it.each(vectors.filter(({ name }) => name !== 'checkpoint-all-other-chain'))(
    '$name fares the same with a trust file that has all chains',
    async vector => {
      const verification = await judge(vector, 'all.json');
      expect(verification.verdict, why(verification)).toBe(vector.expect.verdict);
      expect(failedStep(verification), why(verification)).toBe(vector.expect.step);
      expect(verification.facts).toStrictEqual(vector.expect.facts ?? null);
    },
  );
});

async function judge(vector: ReceiptVector, trustFile: string): Promise<Verification> {
  const trust = trusts.get(trustFile);
  if (trust === undefined) throw new Error(`no trust file ${trustFile}`);
  return judgeReceipt(vector.receipt, trust);
}

function failedStep({ steps }: Verification): string | undefined {
  return steps.find(({ ok }) => ok === false)?.name;
}

/** Every step up to the failed one is there once, in DESIGN's order, with a reason; none stands after it. */
function expectStepsInOrder({ steps }: Verification): void {
  expect(steps.map(({ name }) => name)).toStrictEqual(stepNames.slice(0, steps.length));
  const failed = steps.findIndex(({ ok }) => ok === false);
  expect(steps.length).toBe(failed < 0 ? stepNames.length : failed + 1);
  for (const { detail } of steps) expect(detail).toMatch(/\S/);
}

function why({ steps }: Verification): string {
  return steps.map(({ name, ok, detail }) => `${name} ${ok}: ${detail}`).join('\n');
}
