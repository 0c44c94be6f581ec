/** Reads `vectors/receipts` of the folder `shared` beside the checkout, where it is there: receipts and the verdicts they must get. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parseTrust, type Trust } from '../../merkle/trust.ts';
import type { Facts, StepName, Verification } from '../../merkle/verification.ts';

export type ReceiptVector = {
  readonly name: string;
  readonly description: string;
  /** The file name of its trust file. */
  readonly trust: string;
  readonly receipt: Uint8Array;
  readonly expect: {
    readonly verdict: Verification['verdict'];
    readonly step?: StepName;
    readonly finality?: 'unproved';
    readonly facts?: Facts;
  };
};

const folder = new URL('../../../shared/vectors/receipts/', import.meta.url);

/** Whether the vectors are there. */
export const vectorsPresent = existsSync(folder);

/** What to put behind a test's name where they are not. */
export const vectorsNote = vectorsPresent ? '' : ' (skipped: ../shared/vectors/receipts is absent)';

export function readVectors(): readonly ReceiptVector[] {
  if (!vectorsPresent) return [];
  return readdirSync(folder)
    .filter(file => file.endsWith('.json'))
    .sort()
    .map(file => {
      // The vectors' own form is ordinary JSON; only the receipts are under the strict rules.
      const vector = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
      return {
        name: file.slice(0, -'.json'.length),
        description: vector.description,
        trust: vector.trust,
        receipt: receiptBytes(vector),
        expect: vector.expect,
      };
    });
}

function receiptBytes(vector: {
  receipt?: object;
  receiptText?: string;
  receiptBase64?: string;
}): Uint8Array {
  if (vector.receiptBase64 !== undefined) return Uint8Array.from(Buffer.from(vector.receiptBase64, 'base64'));
  return new TextEncoder().encode(vector.receiptText ?? JSON.stringify(vector.receipt));
}

/** One of the trust files, by its file name. */
export function readVectorTrust(file: string): Trust {
  return parseTrust(readVectorTrustFile(file));
}

export function readVectorTrustFile(file: string): Uint8Array {
  return readFileSync(new URL(`trust/${file}`, folder));
}

/** The names of the trust files. */
export const vectorTrustFiles = vectorsPresent ? readdirSync(new URL('trust/', folder)).sort() : [];
