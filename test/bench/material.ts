/** What the bench sends, made before anything is timed: events of one length, signed one by one or many at once. */

import { randomBytes } from 'node:crypto';
import { utf8 } from '../../merkle/bytes.ts';
import { formatBatch, signBatch } from '../../service/client/batch.ts';
import { type StatementSigner, signStatement } from '../../service/client/signer.ts';
import { sealRecord } from '../../service/records.ts';

/** How long each event is: that of a decision with a few lines of facts. */
export const eventBytes = 600;

let events = Date.now() * 1000;

/** An event that was never sent before. */
export function anEvent(): Uint8Array {
  const event = {
    specversion: '1.0',
    id: `bench-${events++}`,
    source: 'https://example.org/permits',
    type: 'org.example.permit.decided',
    time: '2026-11-24T08:00:00Z',
    recordkind: 'transaction',
    subject: 'permit/2026/0417',
    datacontenttype: 'application/json',
    data: { decision: 'granted', reason: '' },
  };
  const text = 'In accordance with article 4.2.1, with the conditions set by the fire service. ';
  const missing = eventBytes - JSON.stringify(event).length;
  event.data.reason = text.repeat(Math.ceil(missing / text.length)).slice(0, missing);
  return utf8(JSON.stringify(event));
}

/** So many statements over one event each. */
export function statements(count: number, origin: string, signer: StatementSigner): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => signStatement(anEvent(), origin, signer)));
}

/** The body of an upload: a line for each statement. */
export async function singles(count: number, origin: string, signer: StatementSigner): Promise<Buffer> {
  const lines = await statements(count, origin, signer);
  return Buffer.from(lines.map(statement => `${JSON.stringify({ statement })}\n`).join(''));
}

/** How long the value of a record is that the service keeps of an event under a batch statement. */
export async function recordBytes(origin: string, signer: StatementSigner): Promise<number> {
  const batch = await signBatch(Array.from({ length: batchSize }, anEvent), origin, signer, randomBytes);
  const salt = randomBytes(32);
  const { statement } = batch;
  return sealRecord({ statement, salt, key: signer.key, batch: batch.batched(0) }, salt).length;
}

/** How many events a batch statement of the bench covers. */
export const batchSize = 1_000;

/** The body of an upload: batch statements, each with its events. */
export async function batches(count: number, origin: string, signer: StatementSigner): Promise<Buffer> {
  const bodies: Uint8Array[] = [];
  for (let from = 0; from < count; from += batchSize) {
    const size = Math.min(batchSize, count - from);
    bodies.push(
      formatBatch(await signBatch(Array.from({ length: size }, anEvent), origin, signer, randomBytes)),
    );
  }
  return Buffer.concat(bodies);
}
