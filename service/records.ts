/**
 * A record's value on disk: encrypted under a key that its salt alone gives, so that erasing 32 bytes erases the record wherever
 * its ciphertext still lies.
 *
 * Plaintext, all lengths big-endian: u8 form (1 single, 2 batch) ‖ u16 length ‖ canonical JWK (RFC 7638) ‖ u32 length ‖ compact
 * JWS; a batch adds salt_i(32) ‖ u64 index ‖ u8 path length ‖ path(32 each) ‖ event bytes to the end.
 * Key: HKDF-SHA-256 (RFC 5869) of the record's salt, no HKDF salt, info `zegel record 1`, 32 bytes. Cipher: AES-256-GCM with a
 * nonce of twelve zero bytes (every salt is used once, hence every key), the leaf hash as additional data. Value: ciphertext ‖
 * tag(16).
 */

import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { formatUint64, parseUint64, parseUtf8, utf8 } from '../merkle/bytes.ts';
import { canonicalJwk, parseJwk } from '../merkle/jwk.ts';
import type { ReceiptRecord } from '../merkle/receipt.ts';
import { HmacKey } from './hashing.ts';
import { StoreCorruptError } from './store.ts';

const tagLength = 16;
const nonce = new Uint8Array(12);
const forms = { single: 1, batch: 2 } as const;

/** Encrypts a record under its own salt. */
export function sealRecord(record: ReceiptRecord, leafHash: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', recordKey(record.salt), nonce);
  cipher.setAAD(leafHash);
  return Buffer.concat([cipher.update(formatPlaintext(record)), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts a record with its salt. @throws {StoreCorruptError} if value, salt and leaf hash do not belong together */
export function openRecord(value: Uint8Array, salt: Uint8Array, leafHash: Uint8Array): ReceiptRecord {
  const decipher = createDecipheriv('aes-256-gcm', recordKey(salt), nonce);
  decipher.setAAD(leafHash);
  let plaintext: Uint8Array;
  try {
    decipher.setAuthTag(value.subarray(-tagLength));
    plaintext = Buffer.concat([decipher.update(value.subarray(0, -tagLength)), decipher.final()]);
  } catch (cause) {
    throw new StoreCorruptError('a record does not decrypt with its salt', { cause });
  }
  return parsePlaintext(plaintext, salt);
}

// HKDF's two steps for one block of output (RFC 5869 sections 2.2 and 2.3): `hkdfSync`, and a cipher's key given as bytes, take several
// times as long (measured), and every record pays.
const noSalt = new HmacKey(new Uint8Array(32));
const info = utf8('zegel record 1\u0001');

function recordKey(salt: Uint8Array): KeyObject {
  return createSecretKey(new HmacKey(noSalt.mac(salt)).mac(info));
}

function formatPlaintext({ statement, key, batch }: ReceiptRecord): Uint8Array {
  const jwk = canonicalJwk(key);
  const path = batch?.path ?? [];
  const batchLength = batch === undefined ? 0 : 32 + 8 + 1 + 32 * path.length + batch.event.length;
  // Both texts are ASCII: base64url, dots, and what stands between them in a JWK.
  const room = Buffer.allocUnsafe(1 + 2 + jwk.length + 4 + statement.length + batchLength);
  let at = room.writeUInt8(batch === undefined ? forms.single : forms.batch);
  at = room.writeUInt16BE(jwk.length, at);
  at += room.write(jwk, at, 'latin1');
  at = room.writeUInt32BE(statement.length, at);
  at += room.write(statement, at, 'latin1');
  if (batch === undefined) return room;
  for (const part of [
    batch.salt,
    formatUint64(batch.index),
    Uint8Array.of(path.length),
    ...path,
    batch.event,
  ]) {
    room.set(part, at);
    at += part.length;
  }
  return room;
}

/** The plaintext is authenticated: it is what `formatPlaintext` made, so its lengths are believed. */
function parsePlaintext(plaintext: Uint8Array, salt: Uint8Array): ReceiptRecord {
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return new Uint8Array(plaintext.subarray(at - length, at));
  };
  const form = number(take(1));
  const key = parseJwk(take(number(take(2))));
  const statement = parseUtf8(take(number(take(4))));
  if (form === forms.single) return { statement, salt, key };

  const batchSalt = take(32);
  const index = parseUint64(take(8));
  const path = Array.from({ length: number(take(1)) }, () => take(32));
  return {
    statement,
    salt,
    key,
    batch: { event: new Uint8Array(plaintext.subarray(at)), salt: batchSalt, index, path },
  };
}

function number(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
