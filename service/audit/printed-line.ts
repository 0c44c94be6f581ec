/**
 * Lines of an export read by the platform's own parsers, which are fast and accept too much: what was read is printed again, and counts
 * only if that gives the same bytes. So nothing is accepted that the strict reader would refuse; it reads whatever is left.
 */

import { isAscii } from 'node:buffer';
import { entryLength } from '../../merkle/entry.ts';
import { FormatError } from '../../merkle/errors.ts';
import type { ExportedRecord } from '../../merkle/exported.ts';
import { JsonReader } from '../../merkle/json.ts';
import { type Jwk, readJwk } from '../../merkle/jwk.ts';
import { formatKey, type ReceiptRecord } from '../../merkle/receipt.ts';

/** What a line may turn out to be, before it is known to be one. */
type Members = { readonly [name: string]: unknown };

/** Reads a line without its line feed; undefined where it is not spelt as it is printed. */
export function parsePrintedLine(bytes: Buffer): ExportedRecord | undefined {
  // All of it is printed in ASCII, of which each byte is a character.
  if (!isAscii(bytes)) return undefined;
  let value: unknown;
  const text = bytes.toString('latin1');
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { leafHash, index, entry, record } = value;
  if (typeof leafHash !== 'string' || !Number.isSafeInteger(index) || typeof entry !== 'string')
    return undefined;
  const line = {
    leafHash: Buffer.from(leafHash, 'hex'),
    index: Number(index),
    entry: Buffer.from(entry, 'base64url'),
    record: record === null ? null : readPrintedRecord(record),
  };
  const isWhole = line.leafHash.length === 32 && line.entry.length === entryLength && line.index >= 0;
  if (!isWhole || line.record === undefined) return undefined;
  const read = { ...line, record: line.record };
  return printed(read) === text ? read : undefined;
}

function readPrintedRecord(value: unknown): ReceiptRecord | undefined {
  if (!isObject(value)) return undefined;
  const { statement, salt, key, batch } = value;
  const salted = bytesOf(salt, 32);
  const jwk = readKey(key);
  if (typeof statement !== 'string' || salted === undefined || jwk === undefined) return undefined;
  const record = { statement, salt: salted, key: jwk };
  if (batch === undefined) return record;
  if (!isObject(batch) || !Array.isArray(batch['path'])) return undefined;
  const event = bytesOf(batch['event']);
  const eventSalt = bytesOf(batch['salt'], 32);
  const path: Uint8Array[] = [];
  for (const item of batch['path']) {
    const hash = bytesOf(item, 32);
    if (hash === undefined) return undefined;
    path.push(hash);
  }
  const { index } = batch;
  if (event === undefined || eventSalt === undefined || !Number.isSafeInteger(index) || Number(index) < 0)
    return undefined;
  return { ...record, batch: { event, salt: eventSalt, index: Number(index), path } };
}

const keysKept = 1024;
const keys = new Map<string, Jwk>();

/** Keys come again with every record. The strict reader judges each once. */
function readKey(value: unknown): Jwk | undefined {
  if (!isObject(value)) return undefined;
  const text = JSON.stringify(value);
  const known = keys.get(text);
  if (known !== undefined) return known;
  try {
    const reader = new JsonReader();
    const members = Object.entries(value).map(
      ([name, each]) => [name, typeof each === 'string' ? each : null] as const,
    );
    const key = reader.finish(readJwk(reader, new Map(members), 'record.key'));
    if (keys.size >= keysKept) keys.clear();
    keys.set(text, key);
    return key;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** What a line is printed as, its members in their order. */
function printed({ leafHash, index, entry, record }: ExportedRecord): string {
  return JSON.stringify({
    leafHash: hexOf(leafHash),
    index,
    entry: base64urlOf(entry),
    record: record && {
      statement: record.statement,
      salt: base64urlOf(record.salt),
      key: formatKey(record.key),
      batch: record.batch && {
        event: base64urlOf(record.batch.event),
        salt: base64urlOf(record.batch.salt),
        index: record.batch.index,
        path: record.batch.path.map(base64urlOf),
      },
    },
  });
}

function bytesOf(value: unknown, lengthBytes?: number): Uint8Array | undefined {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64url');
  return lengthBytes === undefined || bytes.length === lengthBytes ? bytes : undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function base64urlOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
