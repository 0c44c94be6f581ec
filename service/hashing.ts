/**
 * SHA-256 by OpenSSL, for where the service makes many hashes: what `merkle/` computes in functions of the same names, several times
 * as fast.
 */

import { createHmac, hash, type KeyObject } from 'node:crypto';
import { formatUint64 } from '../merkle/bytes.ts';

// What is hashed is put together here: it is hashed at once, so one place serves all, and a new one each time costs more than the hash.
let input = new Uint8Array(1 << 16);

/** SHA-256 of byte strings one after another. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > input.length) input = new Uint8Array(2 * length);
  let at = 0;
  for (const part of parts) {
    input.set(part, at);
    at += part.length;
  }
  return plain(hash('sha256', input.subarray(0, at), 'buffer'));
}

/** A byte string as `merkle/` makes them: Node's own class of them is told apart where values are compared. */
function plain(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

const [leafPrefix, nodePrefix] = [Uint8Array.of(0), Uint8Array.of(1)];

/** `SHA-256(0x00 ‖ entry)`, of an entry in as many pieces as it comes. */
export function leafHash(...entry: readonly Uint8Array[]): Uint8Array {
  return sha256(leafPrefix, ...entry);
}

/** `SHA-256(0x01 ‖ left ‖ right)`. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodePrefix, left, right);
}

/** What a record's entry commits to. */
export function commitmentOf(salt: Uint8Array, event: Uint8Array, statement: string): Uint8Array {
  return sha256(salt, sha256(event), hash('sha256', statement, 'buffer'));
}

/** The salt of a batch's event, with the batch's secret as a key: given as bytes, Node takes several times as long to make one of it. */
export function batchSalt(secret: KeyObject, index: number): Uint8Array {
  return plain(createHmac('sha256', secret).update(formatUint64(index)).digest());
}
