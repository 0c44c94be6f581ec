/**
 * SHA-256 by OpenSSL, for where the service makes many hashes: what `merkle/` computes in functions of the same names, several times
 * as fast.
 */

import { hash } from 'node:crypto';
import { formatUint64 } from '../merkle/bytes.ts';

// What is hashed is put together here: it is hashed at once, so one place serves all, and a new one each time costs more than the hash.
let input = new Uint8Array(1 << 16);

/** SHA-256 of byte strings one after another. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return bytesOf(sha256Text(...parts));
}

/** SHA-256 as a text of 32 characters, one for each byte: whoever only compares needs no array. */
export function sha256Text(...parts: readonly Uint8Array[]): string {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length > input.length) input = new Uint8Array(2 * length);
  let at = 0;
  for (const part of parts) {
    input.set(part, at);
    at += part.length;
  }
  return hash('sha256', input.subarray(0, at), 'binary');
}

/**
 * Bytes from a text that has a character for each. Asked for bytes, Node makes memory outside V8's heap for each hash, which takes four
 * times as long as the hash (measured) and has to be collected.
 */
function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
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
  return sha256(salt, sha256(event), bytesOf(hash('sha256', statement, 'binary')));
}

/** A key for HMAC-SHA-256 (RFC 2104): made ready once, since each message begins with a block of it, within and without. */
export class HmacKey {
  readonly #inner = new Uint8Array(blockLength);
  readonly #outer = new Uint8Array(blockLength);

  /** @param key at most 64 bytes, which is what a longer one would be hashed down to */
  constructor(key: Uint8Array) {
    if (key.length > blockLength)
      throw new RangeError(`a key of ${key.length} bytes, want at most ${blockLength}`);
    this.#inner.set(key);
    this.#outer.set(key);
    for (let i = 0; i < blockLength; i++) {
      this.#inner[i] = (this.#inner[i] ?? 0) ^ 0x36;
      this.#outer[i] = (this.#outer[i] ?? 0) ^ 0x5c;
    }
  }

  /** HMAC-SHA-256 of a message, 32 bytes. Node's own makes several objects for each, and takes three times as long (measured). */
  mac(message: Uint8Array): Uint8Array {
    return sha256(this.#outer, sha256(this.#inner, message));
  }
}

const blockLength = 64;

/** The salt of a batch's event, with the batch's secret as a key. */
export function batchSalt(secret: HmacKey, index: number): Uint8Array {
  return secret.mac(formatUint64(index));
}
