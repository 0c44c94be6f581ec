/**
 * Verifying a receipt (DESIGN 3.5): ten named steps, with a trust file and nothing else, stopping at the first that fails.
 *
 * No I/O and no clock: the same receipt and trust file give the same verdict for ever, in a browser as on a server.
 */

import { formatHex, formatHex0x } from './bytes.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type Entry, type EntryKind, formatTime, isRecord, parseEntry } from './entry.ts';
import { FormatError, ProofError } from './errors.ts';
import { noEnd } from './evidence.ts';
import { type Evidence, parseReceipt, type Receipt } from './receipt.ts';
import { type Block, type VerifyHeaders, verifyHeaders } from './seals.ts';
import { type Algorithm, type VerifySignature, verifySignature } from './signature.ts';
import type { Statement } from './statement.ts';
import {
  readableCheckpoint,
  type SignedCheckpoint,
  type SigningKey,
  verifyAnchor,
  verifyBatch,
  verifyCheckpoint,
  verifyCommitment,
  verifyEntryInclusion,
  verifyKey,
  verifyRecordStatement,
  verifyTime,
} from './steps.ts';
import { leafHash } from './tree.ts';
import { NodeBag } from './trie.ts';
import type { Trust } from './trust.ts';

/** What a verifier may say (DESIGN 4). `could-not-check` is for those who fetch: here everything is at hand. */
export type Verdict = 'matches' | 'does-not-match' | 'not-yet-anchored' | 'could-not-check';

/** The steps in their order; the CLI, the page and the audit share these names. */
export const stepNames = [
  'parse',
  'statement',
  'commitment',
  'batch',
  'inclusion',
  'checkpoint',
  'seals',
  'anchor',
  'key',
  'time',
] as const;

export type StepName = (typeof stepNames)[number];

export type Step = {
  readonly name: StepName;
  /** Null where the step does not apply, which is neither passed nor failed. */
  readonly ok: boolean | null;
  /** One sentence: what was found, what is wrong, or why the step does not apply. */
  readonly detail: string;
};

/** What a receipt proves; what it does not prove yet, or has no place for, is left out. */
export type Facts = {
  /** Hexadecimal, as is `root`. */
  readonly leafHash: string;
  readonly index: number;
  readonly size: number;
  readonly root: string;
  readonly kind: EntryKind;
  /** UTC with milliseconds, as is `blockTime`. */
  readonly time: string;
  readonly agency?: string;
  readonly algorithm?: Algorithm;
  readonly block?: number;
  readonly blockTime?: string;
  /** Hexadecimal with 0x. */
  readonly blockHash?: string;
};

export type Verification = {
  readonly verdict: Exclude<Verdict, 'could-not-check'>;
  /** `proved` when enough pinned validators sealed the block. */
  readonly finality: 'proved' | 'unproved';
  /** Every step up to the first that failed. */
  readonly steps: readonly Step[];
  /** Null when the receipt does not match. */
  readonly facts: Facts | null;
};

/** A receipt that does not match; `verification` tells how far it got. */
export class ReceiptError extends ProofError {
  readonly verification: Verification;

  constructor(verification: Verification) {
    const failed = verification.steps.at(-1);
    super(`${failed?.name}: ${failed?.detail}`);
    this.verification = verification;
  }
}

/**
 * Verifies a receipt. A receipt that is not yet anchored is no failure: look at the verdict.
 *
 * @param receipt the file's bytes
 * @param verify checks a statement's signature; a server may pass one that is faster than the core's own
 * @param seals the same for a block's seals: whoever judges many receipts under one block may remember what was found
 * @throws {ReceiptError} if the receipt does not match
 */
export async function verifyReceipt(
  receipt: Uint8Array,
  trust: Trust,
  verify: VerifySignature = verifySignature,
  seals: VerifyHeaders = verifyHeaders,
): Promise<Verification> {
  const verification = await judgeReceipt(receipt, trust, verify, seals);
  if (verification.verdict === 'does-not-match') throw new ReceiptError(verification);
  return verification;
}

/** The same, for who wants to show a receipt that does not match and go on. Throws only for faults of our own. */
export async function judgeReceipt(
  receipt: Uint8Array,
  trust: Trust,
  verify: VerifySignature = verifySignature,
  seals: VerifyHeaders = verifyHeaders,
): Promise<Verification> {
  const report = new Report();
  try {
    return await takeSteps(report, receipt, trust, verify, seals);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return { verdict: 'does-not-match', finality: 'unproved', steps: report.steps, facts: null };
  }
}

async function takeSteps(
  report: Report,
  bytes: Uint8Array,
  trust: Trust,
  verify: VerifySignature,
  seals: VerifyHeaders,
) {
  const receipt = await report.step('parse', () => parseReceipt(bytes), describeReceipt);
  const entry = parseEntry(receipt.entry);
  const statement = await takeRecordSteps(report, receipt, entry, verify);

  // An unreadable checkpoint is that step's fault, although `inclusion` comes before it and needs size and root.
  const unverified = readableCheckpoint(receipt.checkpoint);
  if (unverified === undefined) report.skip('inclusion', 'the checkpoint cannot be read');
  else
    await report.step(
      'inclusion',
      () => verifyEntryInclusion(receipt, entry, unverified),
      () => `entry ${receipt.inclusion.index} of the ${unverified.size} in the tree`,
    );
  const signed = await report.step(
    'checkpoint',
    () => verifyCheckpoint(receipt.checkpoint, trust),
    ({ checkpoint, key }) =>
      `size ${checkpoint.size} is signed by ${key.key.name}+${formatHex(key.key.keyId)}`,
  );

  const facts = entryFacts(receipt, entry, signed.checkpoint);
  const algorithm = statement === undefined ? {} : { algorithm: statement.alg };
  if (receipt.evidence === null) {
    for (const name of ['seals', 'anchor', 'key', 'time'] as const) report.skip(name, 'not yet anchored');
    return {
      verdict: 'not-yet-anchored',
      finality: 'unproved',
      steps: report.steps,
      facts: { ...facts, ...algorithm },
    } as const;
  }
  const { block, key } = await takeEvidenceSteps(report, receipt.evidence, entry, signed, statement, seals);
  return {
    verdict: 'matches',
    finality: block.sealed ? 'proved' : 'unproved',
    steps: report.steps,
    facts: { ...facts, ...keyFacts(key), ...blockFacts(block) },
  } as const;
}

async function takeRecordSteps(report: Report, receipt: Receipt, entry: Entry, verify: VerifySignature) {
  const { record } = receipt;
  if (record === undefined) {
    for (const name of ['statement', 'commitment', 'batch'] as const)
      report.skip(name, 'no record in this receipt');
    return undefined;
  }
  const statement = await report.step(
    'statement',
    () => verifyRecordStatement(record, entry, receipt.checkpoint, verify),
    ({ alg, kid, aud }) => `signed with ${alg} by the key ${kid} for ${aud}`,
  );
  await report.step(
    'commitment',
    () => verifyCommitment(record, statement, entry),
    () => `the entry commits to this statement and ${entry.kind} event`,
  );
  const { batch } = record;
  if (batch === undefined) report.skip('batch', 'the statement is over one event');
  else
    await report.step(
      'batch',
      () => verifyBatch(batch, statement),
      size => `event ${batch.index} of the ${size} under the statement`,
    );
  return statement;
}

async function takeEvidenceSteps(
  report: Report,
  evidence: Evidence,
  entry: Entry,
  signed: SignedCheckpoint,
  statement: Statement | undefined,
  seals: VerifyHeaders,
): Promise<{ block: Block; key: SigningKey | undefined }> {
  const { chain } = signed.log;
  const block = await report.step(
    'seals',
    () => seals(chain, evidence.headers),
    ({ header, sealed }) =>
      sealed
        ? `enough validators of chain ${chain.chainId} sealed block ${header.number}`
        : // Its header was read, and an unreadable one fails; but nobody vouches for it.
          { notApplied: `nobody seals blocks on the development chain ${chain.chainId}` },
  );
  const bag = new NodeBag(evidence.nodes);
  await report.step(
    'anchor',
    () => {
      verifyAnchor(bag, block, signed);
      // Without a key these were all the walks, and nothing in a receipt is decoration.
      if (!isRecord(entry.kind)) bag.finish();
    },
    () => `block ${block.header.number} holds this root for size ${signed.checkpoint.size}`,
  );
  let key: SigningKey | undefined;
  if (isRecord(entry.kind)) {
    key = await report.step('key', () => verifyKey(bag, block, signed, entry, statement), describeKey);
  } else report.skip('key', `a ${entry.kind} entry has no key`);
  await report.step(
    'time',
    () => verifyTime(entry, block),
    () => `the entry is of ${formatTime(entry.time)}, the block of ${formatTime(block.header.time * 1000)}`,
  );
  return { block, key };
}

/** What the steps have said so far. */
class Report {
  readonly steps: Step[] = [];

  /** Takes a step: what it gives is for the steps after it. @throws {StepFailed} when what it stands for does not hold */
  async step<T>(
    name: StepName,
    verify: () => T | Promise<T>,
    describe: (found: T) => string | { readonly notApplied: string },
  ): Promise<T> {
    let found: T;
    try {
      found = await verify();
    } catch (error) {
      // Any other error is our own fault, and says nothing about the receipt.
      if (!(error instanceof FormatError || error instanceof ProofError)) throw error;
      this.steps.push({ name, ok: false, detail: describeError(error) });
      throw new StepFailed();
    }
    const detail = describe(found);
    if (typeof detail === 'string') this.steps.push({ name, ok: true, detail });
    else this.skip(name, detail.notApplied);
    return found;
  }

  /** A step that does not apply. */
  skip(name: StepName, reason: string): void {
    this.steps.push({ name, ok: null, detail: reason });
  }
}

/** Ends the verification; the report has the reason. */
class StepFailed extends Error {}

/** How many faults of one receipt are told: a hostile one may have a million. */
const maxFaults = 8;

function describeError(error: FormatError | ProofError): string {
  if (!(error instanceof FormatError) || error.issues.length <= maxFaults) return error.message;
  return `${new FormatError(error.issues.slice(0, maxFaults)).message}; and ${error.issues.length - maxFaults} more`;
}

function describeReceipt({ entry, record }: Receipt): string {
  const { kind } = parseEntry(entry);
  if (!isRecord(kind)) return `a receipt for a ${kind} entry`;
  return `a receipt for a record of kind ${kind}, ${record === undefined ? 'without the record' : 'with the record'}`;
}

function describeKey({ agency, algorithmName, validFrom, validUntil }: SigningKey): string {
  const end = validUntil === noEnd ? 'without end' : `until ${formatTime(validUntil * 1000)}`;
  return `${agency} holds the key, for ${algorithmName}, from ${formatTime(validFrom * 1000)} ${end}`;
}

function entryFacts(receipt: Receipt, entry: Entry, { size, root }: Checkpoint) {
  return {
    leafHash: formatHex(leafHash(receipt.entry)),
    index: receipt.inclusion.index,
    size,
    root: formatHex(root),
    kind: entry.kind,
    time: formatTime(entry.time),
  };
}

function keyFacts(key: SigningKey | undefined) {
  return key === undefined ? {} : { agency: key.agency, algorithm: key.algorithmName };
}

function blockFacts({ header, hash }: Block) {
  return {
    block: header.number,
    blockTime: formatTime(header.time * 1000),
    blockHash: formatHex0x(hash),
  };
}
