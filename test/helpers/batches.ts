/** Builders of batch statements, on the recursive definitions of RFC 9162 and DESIGN 3.1: nothing of what is tested is used. */

import { createHash, createHmac } from 'node:crypto';
import { formatBase64url, utf8 } from '../../merkle/bytes.ts';
import type { Algorithm } from '../../merkle/signature.ts';
import type { StatementType } from '../../merkle/statement.ts';
import { anEvent, aStatement } from './builders.ts';

export const testSecret: Uint8Array = new Uint8Array(32).fill(0x5e);

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** The salt of the event at an index. */
export function saltAt(secret: Uint8Array, index: number): Uint8Array {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(index));
  return new Uint8Array(createHmac('sha256', secret).update(counter).digest());
}

/** The root over a batch's events. */
export function batchRoot(events: readonly Uint8Array[], secret: Uint8Array = testSecret): Uint8Array {
  const leaves = events.map((event, i) => sha256(Uint8Array.of(0), saltAt(secret, i), event));
  const root = (from: number, to: number): Uint8Array => {
    if (to - from <= 1) return leaves[from] ?? sha256();
    let left = 1;
    while (2 * left < to - from) left *= 2;
    return sha256(Uint8Array.of(1), root(from, from + left), root(from + left, to));
  };
  return root(0, leaves.length);
}

/** A batch of events: its statement, and the lines that an upload has for it. */
export function aBatch({
  events,
  secret = testSecret,
  root = batchRoot(events, secret),
  size = events.length,
  payload = `{"root":"${formatBase64url(root)}","size":${size}}`,
  alg = 'ES256',
  typ = 'zegel-batch+jws',
  ...rest
}: {
  events: readonly Uint8Array[];
  secret?: Uint8Array;
  root?: Uint8Array;
  size?: number;
  payload?: string;
  alg?: Algorithm;
  typ?: StatementType;
  aud?: string;
}) {
  const statement = aStatement({ payload: utf8(payload), alg, typ, ...rest });
  const opening = JSON.stringify({ statement, secret: formatBase64url(secret) });
  return { statement, opening, lines: [opening, ...events.map(event => Buffer.from(event).toString())] };
}

/** Events with identifiers of their own. */
export function someEvents(count: number, prefix: string, members: Readonly<Record<string, unknown>> = {}) {
  return Array.from({ length: count }, (_, i) => anEvent({ id: `${prefix}-${i}`, ...members }));
}

/** The line of a statement over one event. */
export function singleLine(payload: Uint8Array, alg: Algorithm = 'ES256'): string {
  return JSON.stringify({ statement: aStatement({ payload, alg }) });
}
