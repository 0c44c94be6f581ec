/**
 * A receipt (`application/vnd.zegel.receipt+json`, DESIGN 3.5): the file that a citizen keeps, read and printed.
 *
 * Reading refuses what shows without cryptography and without foreign formats: JSON, members, types, integers, base64url, lengths,
 * the entry's fields, the key's shape, a record on an entry that has none. The statement (a JWS), the checkpoint (a signed note)
 * and the evidence (RLP) stay as they are: the step of `verification.ts` that verifies them reads them.
 */

import { formatBase64url } from './bytes.ts';
import { type EntryKind, entryLength, isRecord, parseEntry } from './entry.ts';
import { type Json, JsonNumber, JsonReader, parseJson } from './json.ts';
import { type Jwk, readJwk } from './jwk.ts';

export type Receipt = {
  /** The 74 bytes in the log. */
  readonly entry: Uint8Array;
  /** The entry's place in the tree of the checkpoint. */
  readonly inclusion: TreePath;
  /** A C2SP signed note. */
  readonly checkpoint: string;
  /** Null until the anchor is final. */
  readonly evidence: Evidence | null;
  /** Left out in a proof-only receipt, and always for genesis and chain entries. */
  readonly record?: ReceiptRecord;
};

/** A leaf's index and the hashes from it up to the root (RFC 9162 section 2.1.3). */
export type TreePath = { readonly index: number; readonly path: readonly Uint8Array[] };

export type Evidence = {
  /** Block headers in RLP; the anchor stands in the state of the first. At least one. */
  readonly headers: readonly Uint8Array[];
  /** State trie nodes in RLP, in the order in which the walks first need them. */
  readonly nodes: readonly Uint8Array[];
};

/** What opens the entry's commitment. */
export type ReceiptRecord = {
  /** A compact JWS. */
  readonly statement: string;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  readonly key: Jwk;
  /** There exactly when the statement is a batch statement, whose payload is no event. */
  readonly batch?: BatchedEvent;
};

/** One event's place under a batch statement. */
export type BatchedEvent = TreePath & { readonly event: Uint8Array; readonly salt: Uint8Array };

/** Reads a receipt. @throws {FormatError} naming every fault with its place, or the first one that is no JSON */
export function parseReceipt(bytes: Uint8Array): Receipt {
  const reader = new JsonReader();
  const members = reader.object(
    parseJson(bytes),
    '',
    ['version', 'entry', 'inclusion', 'checkpoint', 'evidence'],
    ['record'],
  );
  const version = members.get('version');
  if (version !== undefined && !(version instanceof JsonNumber && version.text === '1')) {
    reader.fail('version', 'want 1');
  }
  const entry = reader.bytes(members.get('entry'), 'entry', entryLength);
  const kind = readKind(reader, entry);
  const inclusion = reader.object(members.get('inclusion'), 'inclusion', ['index', 'path']);
  const receipt = {
    entry,
    inclusion: {
      index: reader.integer(inclusion.get('index'), 'inclusion.index'),
      path: reader.hashes(inclusion.get('path'), 'inclusion.path'),
    },
    checkpoint: reader.string(members.get('checkpoint'), 'checkpoint'),
    evidence:
      members.get('evidence') === null ? null : readEvidence(reader, members.get('evidence'), 'evidence'),
  };
  if (!members.has('record')) return reader.finish(receipt);

  const record = readRecord(reader, members.get('record'), 'record');
  if (kind !== undefined && !isRecord(kind)) reader.fail('record', `there is none behind a ${kind} entry`);
  return reader.finish({ ...receipt, record });
}

function readKind(reader: JsonReader, entry: Uint8Array): EntryKind | undefined {
  // Another length has been named as a fault already.
  if (entry.length !== entryLength) return undefined;
  return reader.parse('entry', () => parseEntry(entry).kind, undefined);
}

/** Reads a receipt's `evidence`, which the list of anchors has in the same form. */
export function readEvidence(reader: JsonReader, value: Json | undefined, place: string): Evidence {
  const members = reader.object(value, place, ['headers', 'nodes']);
  const list = (name: string) =>
    reader
      .array(members.get(name), `${place}.${name}`)
      .map((item, i) => reader.bytes(item, `${place}.${name}[${i}]`));
  const evidence = { headers: list('headers'), nodes: list('nodes') };
  const headers = members.get('headers');
  if (Array.isArray(headers) && headers.length === 0)
    reader.fail(`${place}.headers`, 'want at least one header');
  return evidence;
}

/** Reads a `record`, which the service's answers have in the same form. */
export function readRecord(reader: JsonReader, value: Json | undefined, place: string): ReceiptRecord {
  const members = reader.object(value, place, ['statement', 'salt', 'key'], ['batch']);
  const record = {
    statement: reader.string(members.get('statement'), `${place}.statement`),
    salt: reader.bytes(members.get('salt'), `${place}.salt`, 32),
    key: readJwk(reader, members.get('key'), `${place}.key`),
  };
  // Left out is not the same as null.
  if (!members.has('batch')) return record;
  return { ...record, batch: readBatch(reader, members.get('batch'), `${place}.batch`) };
}

function readBatch(reader: JsonReader, value: Json | undefined, place: string): BatchedEvent {
  const members = reader.object(value, place, ['event', 'salt', 'index', 'path']);
  return {
    event: reader.bytes(members.get('event'), `${place}.event`),
    salt: reader.bytes(members.get('salt'), `${place}.salt`, 32),
    index: reader.integer(members.get('index'), `${place}.index`),
    path: reader.hashes(members.get('path'), `${place}.path`),
  };
}

/** Prints a receipt, its members in DESIGN's order and without white space. */
export function formatReceipt({ entry, inclusion, checkpoint, evidence, record }: Receipt): string {
  return JSON.stringify({
    version: 1,
    entry: formatBase64url(entry),
    inclusion: { index: inclusion.index, path: inclusion.path.map(formatBase64url) },
    checkpoint,
    evidence: evidence === null ? null : formatEvidence(evidence),
    // JSON.stringify leaves a member out that is undefined.
    record: record === undefined ? undefined : formatRecord(record),
  });
}

/** A receipt's `evidence` as a value for JSON.stringify. */
export function formatEvidence({ headers, nodes }: Evidence) {
  return { headers: headers.map(formatBase64url), nodes: nodes.map(formatBase64url) };
}

/** A `record` as a value for JSON.stringify. */
export function formatRecord({ statement, salt, key, batch }: ReceiptRecord) {
  const record = { statement, salt: formatBase64url(salt), key: formatKey(key) };
  if (batch === undefined) return record;
  return {
    ...record,
    batch: {
      event: formatBase64url(batch.event),
      salt: formatBase64url(batch.salt),
      index: batch.index,
      path: batch.path.map(formatBase64url),
    },
  };
}

/** The key's members in their order, and no other members that an object of a wider type may have, such as a private part. */
export function formatKey(key: Jwk): Jwk {
  switch (key.kty) {
    case 'EC':
      return { kty: key.kty, crv: key.crv, x: key.x, y: key.y };
    case 'RSA':
      return { kty: key.kty, n: key.n, e: key.e };
    case 'OKP':
      return { kty: key.kty, crv: key.crv, x: key.x };
  }
}
