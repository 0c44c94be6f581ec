/**
 * The service's answers, read strictly: of what is known, each member in its one form. What is not known is passed over, for answers
 * may get more members with time.
 */

import { parseHex, utf8 } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { type Json, type JsonObject, JsonReader, parseJson } from '../../merkle/json.ts';
import { type ReceiptRecord, readRecord, type TreePath } from '../../merkle/receipt.ts';
import { UnavailableError } from './errors.ts';

/** What the service says of a record: not believed before the entry was made again. */
export type Acknowledged = {
  readonly leafHash: Uint8Array;
  readonly index: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly salt: Uint8Array;
  /** The record as it stands, when it was there before. */
  readonly record?: ReceiptRecord;
};

/** What the log says of itself. */
export type AboutLog = {
  readonly origin: string;
  readonly logId: string;
  /** The log's key as C2SP signed-note spells it. From here it is the service's word: a trust file has it from elsewhere. */
  readonly verifierKey: string;
  readonly sizes: LogSizes;
};

/** How many entries are in the tree; covered by a signed checkpoint; in a block; in a block that cannot be undone. */
export type LogSizes = {
  readonly sequenced: number;
  readonly signed: number;
  readonly anchored: number;
  readonly final: number;
};

/** An anchor as the service lists it, as far as receipts need it. */
export type ListedAnchor = {
  readonly size: number;
  readonly checkpoint: string;
  /** Whether it has its evidence, and so is for ever. */
  readonly isFinal: boolean;
};

/** Takes an answer's body apart. @throws {UnavailableError} if it is not what a ledger answers */
export function readAnswer<T>(
  from: string,
  body: string,
  read: (reader: JsonReader, members: JsonObject) => T,
): T {
  let document: Json;
  try {
    document = parseJson(utf8(body));
  } catch (cause) {
    throw new UnavailableError(`${from} does not answer in JSON`, undefined, cause);
  }
  return readDocument(from, document, read);
}

/** The same for what is read as JSON already. */
export function readDocument<T>(
  from: string,
  document: Json,
  read: (reader: JsonReader, members: JsonObject) => T,
): T {
  try {
    const reader = new JsonReader();
    return reader.finish(read(reader, objectIn(reader, document, '')));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new UnavailableError(`${from} is not a ledger of this kind: ${cause.message}`, undefined, cause);
  }
}

/** An object that has the wanted members, and perhaps others. */
export function objectIn(
  reader: JsonReader,
  value: Json | undefined,
  place: string,
  wanted: readonly string[] = [],
): JsonObject {
  const others = value instanceof Map ? [...value.keys()] : [];
  return reader.object(value, place, wanted, others);
}

/** What the service gives in a wrong form does not prove what it claims. @throws {ProofError} */
export function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new ProofError(`the answer has no readable ${what}: ${cause.message}`, { cause });
  }
}

export function readAbout(reader: JsonReader, members: JsonObject): AboutLog {
  objectIn(reader, members, '', ['origin', 'logId', 'verifierKey', 'sizes']);
  const names = ['sequenced', 'signed', 'anchored', 'final'] as const;
  const sizes = objectIn(reader, members.get('sizes'), 'sizes', names);
  const [sequenced = 0, signed = 0, anchored = 0, final = 0] = names.map(name =>
    reader.integer(sizes.get(name), `sizes.${name}`),
  );
  return {
    origin: reader.string(members.get('origin'), 'origin'),
    logId: reader.string(members.get('logId'), 'logId'),
    verifierKey: reader.string(members.get('verifierKey'), 'verifierKey'),
    sizes: { sequenced, signed, anchored, final },
  };
}

/** The members that the answer to a submission has, alone as in a line of many. */
export function readAcknowledged(reader: JsonReader, members: JsonObject): Acknowledged {
  objectIn(reader, members, '', ['leafHash', 'index', 'time', 'salt']);
  const hex = reader.string(members.get('leafHash'), 'leafHash');
  const acknowledged = {
    leafHash: reader.parse('leafHash', () => parseHex(hex, 32), new Uint8Array(32)),
    index: reader.integer(members.get('index'), 'index'),
    time: readTime(reader, members.get('time'), 'time'),
    salt: reader.bytes(members.get('salt'), 'salt', 32),
  };
  if (!members.has('record')) return acknowledged;
  return { ...acknowledged, record: readRecord(reader, members.get('record'), 'record') };
}

/** The same with the path and the checkpoint that a single submission is answered with. */
export function readProvedAcknowledged(
  reader: JsonReader,
  members: JsonObject,
): Acknowledged & { readonly inclusion: TreePath; readonly checkpoint: string } {
  objectIn(reader, members, '', ['inclusion', 'checkpoint']);
  const inclusion = objectIn(reader, members.get('inclusion'), 'inclusion', ['index', 'path']);
  return {
    ...readAcknowledged(reader, members),
    inclusion: {
      index: reader.integer(inclusion.get('index'), 'inclusion.index'),
      path: reader.hashes(inclusion.get('path'), 'inclusion.path'),
    },
    checkpoint: reader.string(members.get('checkpoint'), 'checkpoint'),
  };
}

/** A page of anchors, smallest first. */
export function readAnchors(reader: JsonReader, members: JsonObject): readonly ListedAnchor[] {
  objectIn(reader, members, '', ['items']);
  return reader.array(members.get('items'), 'items').map((item, i) => {
    const anchor = objectIn(reader, item, `items[${i}]`, ['size', 'checkpoint', 'evidence']);
    return {
      size: reader.integer(anchor.get('size'), `items[${i}].size`),
      checkpoint: reader.string(anchor.get('checkpoint'), `items[${i}].checkpoint`),
      isFinal: anchor.get('evidence') !== null,
    };
  });
}

/** A time of an entry, in the one spelling that entries' times have. */
function readTime(reader: JsonReader, value: Json | undefined, place: string): number {
  const text = reader.string(value, place);
  const time = Date.parse(text);
  if (Number.isSafeInteger(time) && time >= 0 && formatTime(time) === text) return time;
  if (typeof value === 'string') reader.fail(place, 'is not a time such as 2026-11-24T08:00:00.000Z');
  return 0;
}
