/**
 * The service's answers as schemas: they type what the routes answer, describe it in `/v1/openapi.json`, and tests hold every answer to
 * them. Formats are exact; answers may get more members with time, so who reads them passes over what they don't know.
 */

import { z } from 'zod';
import {
  address,
  checkpoint,
  compactJws,
  entry,
  evidence,
  hash,
  hex32,
  index,
  leafHash,
  path,
  record,
  salt,
  size,
  time,
} from './formats.ts';

export const acknowledgement = z
  .object({
    leafHash,
    index,
    time,
    salt,
    inclusion: z.object({ index, path }),
    checkpoint,
    record: record.optional().describe('The whole record as it stands: in a 200, which answers a retry.'),
  })
  .describe(
    'What is proved from now on: the record is on disk, in the tree, and covered by a signed checkpoint.',
  );
export type AcknowledgementAnswer = z.output<typeof acknowledgement>;

const acknowledged = { leafHash, index, time, salt };

export const singleLine = z.strictObject({ statement: compactJws }).describe('One record.');
export const batchLine = z
  .strictObject({
    statement: compactJws,
    secret: hash.describe("The batch's secret: 32 bytes in base64url."),
  })
  .describe('A batch statement. The next `size` lines are the bytes of its events, as they were signed.');

export const issue = z.object({
  place: z
    .string()
    .describe('Where: in the body, or after `path`, `query` or `header`; empty for the whole.'),
  message: z.string(),
});

export const problem = z
  .object({
    type: z
      .string()
      .regex(/^urn:problem-type:zegel:[a-z-]+$/)
      .describe('The name of the problem. Go by it; `/docs/problems` has a page for each.'),
    title: z.string().describe('What the type says, in English.'),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What was wrong this time: for people.'),
    issues: z.array(issue).describe('Every fault that was found, each with its place.'),
  })
  .describe('A refusal (RFC 9457). Every member is always there.');

export const newLine = z.object({ status: z.literal(201), ...acknowledged }).describe('A new record.');
export const retryLine = z
  .object({ status: z.literal(200), ...acknowledged, record })
  .describe('A record that was there already.');
export const refusedLine = z
  .object({ status: z.int().min(400).max(599), problem })
  .describe('A record that is refused.');
export const lastLine = z.object({ checkpoint }).describe('The last line: it covers all records before it.');

export const ownRecord = z
  .object({ leafHash, index, entry, record })
  .describe('A record as its agency gets it back.');
export const exportedRecord = z
  .object({
    leafHash,
    index,
    entry,
    record: record.nullable().describe('Null for one that has been erased.'),
  })
  .describe('A record in an export.');
export type ExportedRecord = z.output<typeof exportedRecord>;

export const inclusionProof = z
  .object({ leafHash, index, size, path })
  .describe('An inclusion proof (RFC 9162).');
export const consistencyProof = z
  .object({ first: size, second: size, path: z.array(hash) })
  .describe('A consistency proof (RFC 9162): the larger tree begins with the smaller one.');
export type InclusionProof = z.output<typeof inclusionProof>;
export type ConsistencyProof = z.output<typeof consistencyProof>;

export const anchor = z
  .object({
    size,
    root: hash,
    block: z.int().nonnegative().describe('The number of the block that its transaction is in.'),
    blockHash: hex32,
    blockTime: time,
    transaction: hex32,
    checkpoint,
    evidence: evidence
      .nullable()
      .describe("The anchor registry's two walks; null until the anchor is final."),
  })
  .describe('A root that the registry has accepted.');
export type Anchor = z.output<typeof anchor>;

export const anchorPage = z
  .object({
    items: z.array(anchor).describe('Smallest size first.'),
    next: z.string().nullable().describe('The full URL of the next page; null on the last one.'),
  })
  .describe('A page of anchors.');
export type AnchorPage = z.output<typeof anchorPage>;

export const sizes = z
  .object({
    sequenced: size.describe('Entries that are durable and in the tree.'),
    signed: size.describe('Entries that a signed checkpoint covers: what is given out goes no further.'),
    anchored: size.describe('Entries whose root is in a block, as far as the service has seen.'),
    final: size.describe('Entries whose anchor cannot be undone: their receipts are complete.'),
  })
  .describe('How far the log has come, by the states of a record.');

export const sizeEvent = z
  .object({
    time,
    sizes,
    minutes: z
      .array(z.int().nonnegative())
      .length(60)
      .describe(
        'New records in each of the last 60 minutes, as far as the service has run; the last one is not over.',
      ),
  })
  .describe('The log has grown, or a minute has begun.');
export type SizeEvent = z.output<typeof sizeEvent>;

export const anchorEvent = z
  .object({
    size,
    root: hash,
    block: z.int().nonnegative(),
    blockHash: hex32,
    blockTime: time,
    transaction: hex32,
    lagMs: z
      .number()
      .nonnegative()
      .nullable()
      .describe(
        'Milliseconds from the first entry that it covers to its block; null where that is not known.',
      ),
  })
  .describe('An anchor has become final. Its evidence is at `/v1/anchors/{size}`.');
export type AnchorEvent = z.output<typeof anchorEvent>;

export const aboutLog = z
  .object({
    origin: z.string().regex(/^[a-z0-9.:/_-]{1,128}$/),
    logId: hex32,
    verifierKey: z
      .string()
      .describe("The log's key as a C2SP verifier key. A trust file has it from elsewhere."),
    genesis: z.string().describe('The text of the genesis document, to which entry 0 commits.'),
    chainId: z.string().regex(/^[1-9][0-9]*$/),
    sizes,
    contracts: z
      .array(z.object({ name: z.string(), address, block: z.int().nonnegative() }))
      .describe('The contracts and the blocks that they are in: a hint for auditors.'),
    software: z.object({ name: z.literal('zegel'), version: z.string() }),
  })
  .describe('What the log is, how far it has come, and where its contracts are.');
export type AboutLog = z.output<typeof aboutLog>;

export const health = z
  .object({
    status: z
      .enum(['UP', 'DEGRADED', 'DOWN'])
      .describe('`DEGRADED`: reads go on; submissions or anchors may not. `DOWN`: the process is ending.'),
    reasons: z.array(z.string().regex(/^[A-Z_]+$/)).describe('Why it is not `UP`, as codes.'),
  })
  .describe('The state of health.');
export type Health = z.output<typeof health>;

export const healthEvent = z
  .object({
    ...health.shape,
    chain: z
      .enum(['good', 'silent', 'trouble'])
      .describe('`silent`: the chain does not answer. `trouble`: it does, but anchors do not come about.'),
    waitingSince: time.nullable().describe('Since when a record has waited for its anchor to be final.'),
  })
  .describe('The state of health has changed.');
export type HealthEvent = z.output<typeof healthEvent>;

export const liveness = z.object({ status: z.enum(['UP', 'DOWN']) }).describe('Whether it is.');
export type Liveness = z.output<typeof liveness>;
