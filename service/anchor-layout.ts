/** How anchors lie in the store: the values of the tables `anchor`, `evidence` and `transaction`, as JSON. */

import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import {
  formatBase64url,
  formatHex0x,
  parseBase64url,
  parseHex0x,
  parseUtf8,
  utf8,
} from '../merkle/bytes.ts';
import type { Evidence } from '../merkle/receipt.ts';
import { StoreCorruptError } from './store.ts';

/** A final anchor. The block is the one that its transaction is in; opening a log counts as the anchor of size 1. */
export type Anchor = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly block: number;
  readonly blockHash: Uint8Array;
  /** Seconds since 1970. */
  readonly blockTime: number;
  readonly transaction: Uint8Array;
  /** The signed note of this size. */
  readonly checkpoint: string;
};

/** An anchor that is under way. Its root may be in the registry already, or in a block that can still be taken back. */
export type PendingAnchor = {
  readonly size: number;
  readonly root: Uint8Array;
  /** The size of the head that it builds on; 0 for the opening. */
  readonly oldSize: number;
  readonly checkpoint: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Its event is not in an earlier block than this one. */
  readonly fromBlock: number;
  /** What was, or is about to be, sent. None where somebody else's transaction put our own root into the registry. */
  readonly transaction: SignedTransaction | null;
};

/** Everything that was signed for one nonce, oldest first: any of them may be the one that is mined. */
export type SignedTransaction = { readonly nonce: number; readonly attempts: readonly Attempt[] };

export type Attempt = {
  readonly hash: Uint8Array;
  /** The bytes that are sent, and sent again. */
  readonly raw: Uint8Array;
};

const hex32 = z.string().transform(text => parseHex0x(text, 32));
const base64url = z.string().transform(text => parseBase64url(text));
const size = z.int().nonnegative();

const anchorShape = z.strictObject({
  root: hex32,
  block: size,
  blockHash: hex32,
  blockTime: size,
  transaction: hex32,
  checkpoint: z.string(),
});
const proofShape = z.strictObject({ headers: z.array(base64url), hashes: z.array(hex32) });
const pendingShape = z.strictObject({
  size,
  root: hex32,
  oldSize: size,
  checkpoint: z.string(),
  createdAt: size,
  fromBlock: size,
  transaction: z
    .strictObject({ nonce: size, attempts: z.array(z.strictObject({ hash: hex32, raw: base64url })).min(1) })
    .nullable(),
});

export function formatAnchor({
  root,
  block,
  blockHash,
  blockTime,
  transaction,
  checkpoint,
}: Anchor): Uint8Array {
  return json({
    root: formatHex0x(root),
    block,
    blockHash: formatHex0x(blockHash),
    blockTime,
    transaction: formatHex0x(transaction),
    checkpoint,
  });
}

export function parseAnchor(size: number, value: Uint8Array): Anchor {
  return { size, ...parse(anchorShape, value) };
}

/** The headers, and the hashes of the trie nodes in their order: the nodes themselves are shared. */
export function formatProof({ headers, nodes }: Evidence): Uint8Array {
  return json({
    headers: headers.map(formatBase64url),
    hashes: nodes.map(node => formatHex0x(keccak_256(node))),
  });
}

export function parseProof(value: Uint8Array) {
  return parse(proofShape, value);
}

export function formatPending({ root, transaction, ...rest }: PendingAnchor): Uint8Array {
  const attempts = transaction?.attempts.map(({ hash, raw }) => ({
    hash: formatHex0x(hash),
    raw: formatBase64url(raw),
  }));
  return json({
    ...rest,
    root: formatHex0x(root),
    transaction: transaction && { nonce: transaction.nonce, attempts },
  });
}

export function parsePending(value: Uint8Array): PendingAnchor {
  return parse(pendingShape, value);
}

function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

/** Values carry a check hash, so one that is not in its form was written by another version. */
function parse<T>(shape: z.ZodType<T>, value: Uint8Array): T {
  const parsed = shape.safeParse(JSON.parse(parseUtf8(value)));
  if (!parsed.success)
    throw new StoreCorruptError('a kept anchor is not in its form', { cause: parsed.error });
  return parsed.data;
}
