/** A record as its agency gets it back, alone or as a line of an export: `{leafHash, index, entry, record}` (DESIGN 4). */

import { parseHex } from './bytes.ts';
import { entryLength } from './entry.ts';
import { JsonReader, parseJson } from './json.ts';
import { type ReceiptRecord, readRecord } from './receipt.ts';

export type ExportedRecord = {
  /** 32 bytes, as is said; whether they are the entry's hash is for the reader to check. */
  readonly leafHash: Uint8Array;
  readonly index: number;
  /** The 74 bytes in the log. */
  readonly entry: Uint8Array;
  /** Null for one that has been erased, which only an export mentions. */
  readonly record: ReceiptRecord | null;
};

/** Reads one, without a line feed. @throws {FormatError} naming every fault */
export function parseExportedRecord(bytes: Uint8Array): ExportedRecord {
  const reader = new JsonReader();
  const members = reader.object(parseJson(bytes), '', ['leafHash', 'index', 'entry', 'record']);
  const hex = reader.string(members.get('leafHash'), 'leafHash');
  const record = members.get('record');
  return reader.finish({
    leafHash: reader.parse('leafHash', () => parseHex(hex, 32), new Uint8Array(32)),
    index: reader.integer(members.get('index'), 'index'),
    entry: reader.bytes(members.get('entry'), 'entry', entryLength),
    record: record === null ? null : readRecord(reader, record, 'record'),
  });
}
