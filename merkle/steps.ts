/**
 * The steps of a receipt's verification, one function each (DESIGN 3.5's table). Every one throws when what it stands for does not
 * hold, and otherwise gives what it found to the steps after it. `verification.ts` takes them in their order.
 */

import { abbreviate, equalBytes, formatHex } from './bytes.ts';
import { type Checkpoint, originLine, readCheckpoint } from './checkpoint.ts';
import { commitmentOf, type Entry, formatTime } from './entry.ts';
import { FormatError, ProofError } from './errors.ts';
import { recordKind } from './event.ts';
import {
  keySlot,
  parseKeySlot,
  type RegisteredKey,
  rootSlot,
  verifyAccount,
  verifySlot,
} from './evidence.ts';
import { logId } from './genesis.ts';
import { thumbprint } from './jwk.ts';
import { verifyNote } from './note.ts';
import type { BatchedEvent, Receipt, ReceiptRecord } from './receipt.ts';
import type { Block } from './seals.ts';
import { type Algorithm, algorithmName, type VerifySignature } from './signature.ts';
import {
  batchLeafHash,
  parseBatchPayload,
  parseStatement,
  type Statement,
  verifyStatement,
} from './statement.ts';
import { leafHash } from './tree.ts';
import type { NodeBag } from './trie.ts';
import type { LogKey, Trust, TrustedLog } from './trust.ts';
import { verifyInclusion } from './verify.ts';

/** `statement`: the agency's key made the signature, and made it for this log. */
export async function verifyRecordStatement(
  record: ReceiptRecord,
  entry: Entry,
  signedNote: string,
  verify: VerifySignature,
): Promise<Statement> {
  const statement = parseStatement(record.statement);
  // Settled here, since the commitment is over the event, and `typ` says where the event is.
  const isBatch = statement.typ === 'zegel-batch+jws';
  if (isBatch !== (record.batch !== undefined)) {
    throw new ProofError(`typ is ${statement.typ}, but record.batch is ${isBatch ? 'not there' : 'there'}`);
  }
  const keyId = thumbprint(record.key);
  if (!equalBytes(keyId, entry.keyId)) {
    throw new ProofError(
      `the key's thumbprint is ${formatHex(keyId)}, the entry's key id ${formatHex(entry.keyId)}`,
    );
  }
  // Whether that is a log that we know is for the step `checkpoint` to say.
  const origin = originLine(signedNote);
  if (statement.aud !== origin) {
    throw new ProofError(
      `aud is "${abbreviate(statement.aud)}", the checkpoint's origin "${abbreviate(origin)}"`,
    );
  }
  await verifyStatement(statement, record.key, verify);
  return statement;
}

/** `commitment`: the entry stands for this very event, statement and salt, and says truly what kind of event it is. */
export function verifyCommitment(record: ReceiptRecord, statement: Statement, entry: Entry): void {
  const event = record.batch?.event ?? statement.payload;
  if (!equalBytes(commitmentOf(record.salt, event, record.statement), entry.commitment)) {
    throw new ProofError("salt, event and statement do not give the entry's commitment");
  }
  const kind = recordKind(event);
  if (kind !== entry.kind) throw new ProofError(`recordkind is ${kind}, the entry's kind ${entry.kind}`);
}

/** `batch`: the event, with its salt, is one of those that the batch statement covers. Gives how many these are. */
export function verifyBatch(batch: BatchedEvent, statement: Statement): number {
  const { root, size } = parseBatchPayload(statement.payload);
  const hash = batchLeafHash(batch.salt, batch.event);
  verifyInclusion({ index: batch.index, size, leafHash: hash, path: batch.path, root });
  return size;
}

/** The checkpoint as the note has it, not yet believed; undefined if it cannot be read, which is for `checkpoint` to refuse. */
export function readableCheckpoint(signedNote: string): Checkpoint | undefined {
  try {
    return readCheckpoint(signedNote);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** `inclusion`: the entry is in the tree of the checkpoint. */
export function verifyEntryInclusion(receipt: Receipt, entry: Entry, checkpoint: Checkpoint): void {
  const { index, path } = receipt.inclusion;
  const { size, root } = checkpoint;
  verifyInclusion({ index, size, leafHash: leafHash(receipt.entry), path, root });
  // Entry 0 is the genesis and no other is: elsewhere it would be an entry that nobody's key vouches for.
  if ((entry.kind === 'genesis') !== (index === 0)) {
    throw new ProofError(`entry ${index} is of kind ${entry.kind}`);
  }
}

/** What `checkpoint` found. */
export type SignedCheckpoint = {
  readonly checkpoint: Checkpoint;
  readonly log: TrustedLog;
  readonly key: LogKey;
};

/** `checkpoint`: a log that we know signed it, with a key that is good for its size. */
export function verifyCheckpoint(signedNote: string, trust: Trust): SignedCheckpoint {
  const checkpoint = readCheckpoint(signedNote);
  const { origin, size } = checkpoint;
  const log = trust.logs.find(log => log.origin === origin);
  if (log === undefined) throw new ProofError(`log "${abbreviate(origin)}" is not in the trust file`);
  if (log.closedAt !== undefined && size > log.closedAt) {
    throw new ProofError(`size ${size}, but the log was closed at ${log.closedAt}`);
  }
  // Every key of the trust file is a known one, the other logs' and the rotated ones too: none may have signed badly.
  const known = trust.logs.flatMap(({ verifierKeys }) => verifierKeys.map(({ key }) => key));
  const signers = verifyNote(signedNote, known);
  const key = log.verifierKeys.find(
    ({ key, untilSize }) =>
      size <= (untilSize ?? size) &&
      signers.some(({ name, keyId }) => name === key.name && equalBytes(keyId, key.keyId)),
  );
  if (key === undefined) throw new ProofError(`no key of the log that is good for size ${size} has signed`);
  return { checkpoint, log, key };
}

/** `anchor`: in the block's state, the anchor registry holds the checkpoint's root for its size. */
export function verifyAnchor(bag: NodeBag, block: Block, { checkpoint, log }: SignedCheckpoint): void {
  const { address, codeHash, rootsSlot } = log.anchorRegistry;
  const storageRoot = verifyAccount(bag, block.header.stateRoot, address, codeHash);
  const id = logId(log.chain.chainId, address, log.origin);
  const root = verifySlot(bag, storageRoot, rootSlot(id, checkpoint.size, rootsSlot));
  if (!equalBytes(root, checkpoint.root)) {
    throw new ProofError(
      `the anchored root is ${formatHex(root)}, the checkpoint's ${formatHex(checkpoint.root)}`,
    );
  }
}

/** What `key` found: who is named in the slot, and which algorithm. */
export type SigningKey = RegisteredKey & { readonly algorithmName: Algorithm };

/** `key`: in the block's state, the key registry holds the entry's key, for the statement's algorithm and at the entry's time. */
export function verifyKey(
  bag: NodeBag,
  block: Block,
  { log }: SignedCheckpoint,
  entry: Entry,
  statement: Statement | undefined,
): SigningKey {
  const { address, codeHash, keysSlot } = log.keyRegistry;
  const storageRoot = verifyAccount(bag, block.header.stateRoot, address, codeHash);
  const word = verifySlot(bag, storageRoot, keySlot(entry.keyId, keysSlot));
  bag.finish();

  const key = parseKeySlot(word);
  const name = algorithmName(key.algorithm);
  if (statement !== undefined && statement.alg !== name) {
    throw new ProofError(`the key is registered for ${name}, the statement says ${statement.alg}`);
  }
  // 2^40 seconds are 2^50 milliseconds, so these products are exact.
  if (entry.time < key.validFrom * 1000) {
    throw new ProofError(
      `the key is valid from ${formatTime(key.validFrom * 1000)}, the entry is of ${formatTime(entry.time)}`,
    );
  }
  if (entry.time >= key.validUntil * 1000) {
    throw new ProofError(
      `the key is valid until ${formatTime(key.validUntil * 1000)}, the entry is of ${formatTime(entry.time)}`,
    );
  }
  return { ...key, algorithmName: name };
}

/** How far the service's clock may run ahead of the chain's. */
export const clockToleranceMs = 30_000;

/** `time`: the entry is not younger than the block that anchors it. */
export function verifyTime(entry: Entry, block: Block): void {
  const blockTime = block.header.time * 1000;
  if (entry.time > blockTime + clockToleranceMs) {
    throw new ProofError(`the entry is of ${formatTime(entry.time)}, the block of ${formatTime(blockTime)}`);
  }
}
