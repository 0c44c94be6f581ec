/**
 * Batch statements as an agency makes them: one signature over the Merkle root of many events (DESIGN 3.1).
 *
 * What goes to `POST /v1/records/batch` is NDJSON: a line `{"statement":"…","secret":"…"}`, then the bytes of each event on a line of
 * its own. The secret gives every event its own salt, so that a path in one event's receipt says nothing about its neighbours.
 */

import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import { FormatError, type Issue } from '../../merkle/errors.ts';
import { formatJws } from '../../merkle/jws.ts';
import { LeafTree } from '../../merkle/prove.ts';
import type { BatchedEvent } from '../../merkle/receipt.ts';
import {
  batchLeafHash,
  batchSalt,
  formatBatchPayload,
  maxBatchSize,
  signingInput,
} from '../../merkle/statement.ts';
import { kidOf, type StatementSigner } from './signer.ts';

/** How many bytes the events of one batch may have as they are sent, line ends included: 32 MiB. */
export const maxBatchBytes = 32 << 20;

const [lf, cr] = [0x0a, 0x0d];

/** Events under one tree, not yet signed. */
export type Batch = {
  readonly events: readonly Uint8Array[];
  /** 32 bytes. Nobody needs it once the receipts are complete. */
  readonly secret: Uint8Array;
  readonly root: Uint8Array;
  /** An event's part in the receipt: its salt, index and path. @throws {RangeError} for another index */
  batched(index: number): BatchedEvent;
};

export type SignedBatch = Batch & { readonly statement: string };

/**
 * Puts events under one tree. The same events and the same secret always give the same tree.
 *
 * @param events their exact bytes, in the order in which they will be sent
 * @throws {FormatError} unless there are 1 to 65,536, together at most 32 MiB, and each is one line that is not empty
 */
export function batchOf(events: readonly Uint8Array[], secret: Uint8Array): Batch {
  requireSendable(events);
  const salts = events.map((_, i) => batchSalt(secret, i));
  const tree = new LeafTree(events.map((event, i) => batchLeafHash(salts[i] ?? secret, event)));
  return {
    events,
    secret,
    root: tree.root,
    batched(index) {
      const path = tree.path(index);
      const [event, salt] = [events[index], salts[index]];
      if (event === undefined || salt === undefined) throw new RangeError(`the batch has no event ${index}`);
      return { event, salt, index, path };
    },
  };
}

/**
 * Signs events as one batch for the log with this origin. The events' bytes are kept exactly as they are.
 *
 * @param randomBytes gives so many bytes that nobody can foresee
 * @throws {FormatError} as `batchOf` does
 */
export async function signBatch(
  events: readonly Uint8Array[],
  origin: string,
  signer: StatementSigner,
  randomBytes: (length: number) => Uint8Array,
): Promise<SignedBatch> {
  const batch = batchOf(events, new Uint8Array(randomBytes(32)));
  const header = { alg: signer.alg, kid: kidOf(signer), typ: 'zegel-batch+jws', aud: origin } as const;
  const input = signingInput(header, utf8(formatBatchPayload(batch.root, events.length)));
  return { ...batch, statement: formatJws(input, await signer.sign(utf8(input))) };
}

/** A signed batch as `POST /v1/records/batch` takes it. Several may follow one another in one request. */
export function formatBatch({ statement, secret, events }: SignedBatch): Uint8Array {
  const line = utf8(JSON.stringify({ statement, secret: formatBase64url(secret) }));
  const lengthBytes = events.reduce((sum, event) => sum + event.length + 1, line.length + 1);
  // Filled with LF, so that one stands wherever nothing else is put. As arguments of one call the events would be too many.
  const bytes = new Uint8Array(lengthBytes).fill(lf);
  bytes.set(line);
  let at = line.length + 1;
  for (const event of events) {
    bytes.set(event, at);
    at += event.length + 1;
  }
  return bytes;
}

/** The lines of an NDJSON file, each without its LF. The last one may end with the file. */
export function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lf, start);
    const end = found === -1 ? bytes.length : found;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function requireSendable(events: readonly Uint8Array[]): void {
  const { length } = events;
  if (length < 1 || length > maxBatchSize)
    throw FormatError.at('', `a batch of ${length} events, want 1 to ${maxBatchSize}`);
  const lengthBytes = events.reduce((sum, event) => sum + event.length + 1, 0);
  if (lengthBytes > maxBatchBytes)
    throw FormatError.at('', `the events have ${lengthBytes} bytes, want at most ${maxBatchBytes}`);
  const issues: Issue[] = [];
  for (const [i, event] of events.entries()) {
    const place = `line ${i + 1}`;
    if (event.length === 0) issues.push({ place, message: 'is empty, want an event' });
    // Line by line is how events are sent: a reader would find the end of this one in its middle.
    else if (event.includes(lf))
      issues.push({ place, message: 'has an LF inside, want an event on one line' });
    else if (event.includes(cr)) issues.push({ place, message: 'has a CR, want lines that end in LF alone' });
  }
  if (issues.length > 0) throw new FormatError(issues);
}
