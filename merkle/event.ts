/**
 * Events: what happened, as a CloudEvents 1.0 JSON object (DESIGN 3.2).
 *
 * Two readers with two duties. A verifier asks only what decides a verdict: `recordKind`. The ledger asks everything that the
 * specification says MUST before it acknowledges a record: `parseEvent`. Whatever the second accepts, the first accepts.
 */

import { abbreviate, parseBase64 } from './bytes.ts';
import { FormatError } from './errors.ts';
import { type Json, JsonNumber, type JsonObject, JsonReader, memberPlace, parseJson } from './json.ts';

export type RecordKind = 'transaction' | 'audit';
const recordKinds: readonly RecordKind[] = ['transaction', 'audit'];

/** The attributes that the ledger goes by. The event itself is its bytes. */
export type Event = {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** RFC 3339, as sent: what the agency says, not what the ledger saw. */
  readonly time: string;
  readonly recordkind: RecordKind;
  readonly subject?: string;
};

/**
 * An event's `recordkind`, which is `audit` where it is absent. To mean the same to everybody, the event must be an I-JSON object
 * at most 32 deep: with a duplicate name, say, two readers could see two kinds.
 * @throws {FormatError} otherwise
 */
export function recordKind(bytes: Uint8Array): RecordKind {
  const reader = new JsonReader();
  return reader.finish(readRecordKind(reader, parseObject(bytes)));
}

/**
 * Reads an event that is to be recorded: CloudEvents 1.0 with `time`, which Zegel requires, and `recordkind`. As strict as the
 * specification where it says MUST, and no stricter. An attribute that is null is one that is absent (JSON format section 2.2).
 * @throws {FormatError} naming every fault with its place
 */
export function parseEvent(bytes: Uint8Array, { maxBytes }: { maxBytes: number }): Event {
  if (bytes.length > maxBytes)
    throw FormatError.at('', `event has ${bytes.length} bytes, want at most ${maxBytes}`);
  const members = parseObject(bytes);
  const reader = new JsonReader();
  const event = {
    id: readText(reader, members, 'id', 'required'),
    source: readText(reader, members, 'source', 'required', uriReference),
    type: readText(reader, members, 'type', 'required'),
    time: readText(reader, members, 'time', 'required', timestamp),
    recordkind: readRecordKind(reader, members),
  };
  const subject = readText(reader, members, 'subject', 'optional');
  readText(reader, members, 'specversion', 'required', specVersion);
  readText(reader, members, 'dataschema', 'optional', absoluteUri);
  const mediaType = readText(reader, members, 'datacontenttype', 'optional', contentType);
  readData(reader, members, mediaType);
  for (const [name, value] of members) if (!ownMembers.has(name)) readExtension(reader, name, value);
  return reader.finish(subject === '' ? event : { ...event, subject });
}

function parseObject(bytes: Uint8Array): JsonObject {
  const document = parseJson(bytes);
  if (!(document instanceof Map)) throw FormatError.at('', 'event is not a JSON object');
  return document;
}

/** Unlike other attributes it may not be null: a verifier, too, refuses that. */
function readRecordKind(reader: JsonReader, members: JsonObject): RecordKind {
  return reader.word(members.get('recordkind'), 'recordkind', recordKinds) ?? 'audit';
}

/** A form of text: how to recognise it, and what to call it. */
type Form = { readonly name: string; readonly accepts: (text: string) => boolean };

/** An attribute of type String, or of one that is spelt as a string. Empty where it is absent. */
function readText(
  reader: JsonReader,
  members: JsonObject,
  name: string,
  presence: 'required' | 'optional',
  form?: Form,
): string {
  const value = members.get(name) ?? undefined;
  if (value === undefined) {
    if (presence === 'required') reader.fail('', `attribute "${name}" is missing`);
    return '';
  }
  const text = reader.string(value, name);
  if (typeof value !== 'string') return '';
  if (text === '') reader.fail(name, 'is empty');
  else if (!failCharacters(reader, name, text) && form !== undefined && !form.accepts(text))
    reader.fail(name, `"${abbreviate(text)}" is not ${form.name}`);
  return text;
}

/** Records a character that CloudEvents' type String forbids: controls and noncharacters. (Lone surrogates are no I-JSON.) */
function failCharacters(reader: JsonReader, place: string, text: string): boolean {
  const [character] = /[\p{Cc}\p{Noncharacter_Code_Point}]/u.exec(text) ?? [];
  if (character === undefined) return false;
  const codePoint = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  reader.fail(place, `has the character U+${codePoint}, which an attribute may not have`);
  return true;
}

/** The members that are read by name; every other one is an extension attribute. */
const ownMembers: ReadonlySet<string> = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'subject',
  'datacontenttype',
  'dataschema',
  'recordkind',
  'data',
  'data_base64',
]);

/** An extension attribute: named in `[a-z0-9]`, of a type that JSON has a word for (CloudEvents, "Type System"). */
function readExtension(reader: JsonReader, name: string, value: Json): void {
  const place = memberPlace('', name);
  if (!/^[a-z0-9]+$/.test(name)) {
    reader.fail(
      '',
      `member "${abbreviate(name)}" is not named in lower-case letters and digits, as attributes are`,
    );
  }
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    failCharacters(reader, place, value);
  } else if (!(value instanceof JsonNumber)) {
    reader.fail(place, 'is an array or an object, which no attribute is');
  } else if (
    !/^-?(?:0|[1-9][0-9]{0,9})$/.test(value.text) ||
    Number(value.text) !== (Number(value.text) | 0)
  ) {
    reader.fail(place, `${abbreviate(value.text)} is not a whole number of 32 bits`);
  }
}

/** The payload: `data` or `data_base64`, and text unless the content type says JSON (JSON format section 3.1). */
function readData(reader: JsonReader, members: JsonObject, mediaType: string): void {
  const binary = members.get('data_base64') ?? undefined;
  const text = reader.string(binary, 'data_base64');
  reader.parse('data_base64', () => parseBase64(text), undefined);

  const data = members.get('data');
  if (data === undefined) return;
  if (binary !== undefined) reader.fail('data', 'stands beside data_base64');
  if (mediaType !== '' && !jsonMediaType.test(mediaType) && typeof data !== 'string')
    reader.fail('data', `is not a string, but datacontenttype is ${abbreviate(mediaType)}`);
}

const specVersion: Form = { name: '1.0', accepts: text => text === '1.0' };

// RFC 3986 sections 2 and 3. An IPv6 address is not counted out: whether it can be reached is not our question.
const hexPair = '%[0-9A-Fa-f]{2}';
const plain = "-A-Za-z0-9._~!$&'()*+,;=";
const character = `(?:[${plain}:@]|${hexPair})`;
const userinfo = `(?:[${plain}:]|${hexPair})*@`;
const host = `(?:\\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\\.[${plain}:]+)\\]|(?:[${plain}]|${hexPair})*)`;
const withAuthority = `//(?:${userinfo})?${host}(?::[0-9]*)?(?:/${character}*)*`;
const withoutAuthority = `(?!//)(?:${character}|/)*`;
const scheme = '[A-Za-z][A-Za-z0-9+.-]*:';
const query = `(?:\\?(?:${character}|[/?])*)?`;
const fragment = `(?:#(?:${character}|[/?])*)?`;
const noColonInFirstSegment = '(?![^/?#]*:)';

/** RFC 3986 section 4.1. */
const uriReference = grammar(
  'a URI reference',
  `(?:${scheme}(?:${withAuthority}|${withoutAuthority})|${withAuthority}|${noColonInFirstSegment}${withoutAuthority})${query}${fragment}`,
);

/** RFC 3986 section 4.3, which CloudEvents' type URI names: a scheme, and no fragment. */
const absoluteUri = grammar(
  'an absolute URI (which has no fragment)',
  `${scheme}(?:${withAuthority}|${withoutAuthority})${query}`,
);

/** RFC 2045 section 5.1, which RFC 2046 refers to. */
const token = "[!#$%&'*+.^_`{|}~0-9A-Za-z-]+";
const contentType = grammar(
  'a media type',
  `${token}/${token}(?: *; *${token} *= *(?:${token}|"(?:[^"\\\\]|\\\\.)*"))*`,
);
const jsonMediaType = new RegExp(`^[^/]*/(?:json|${token}\\+json) *(?:;|$)`, 'i');

/** RFC 3339 section 5.6, with days that exist and leap seconds where there can be one: at the end of a month in UTC. */
const timestamp: Form = {
  name: 'an RFC 3339 time such as 2026-11-24T08:00:00Z',
  accepts(text) {
    const fields = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))$/.exec(
      text,
    );
    if (fields === null) return false;
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] =
      fields.slice(1).map(field => Number(field ?? 0));
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    // A day that the month does not have would have run over into another month.
    if (date.getUTCMonth() !== month - 1) return false;
    if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false;
    if (second < 60) return true;
    const offset = (offsetHour * 60 + offsetMinute) * (/-\d\d:\d\d$/.test(text) ? -1 : 1);
    date.setUTCHours(hour, minute + 1 - offset);
    return second === 60 && date.getUTCDate() === 1 && date.getUTCHours() === 0 && date.getUTCMinutes() === 0;
  },
};

function grammar(name: string, pattern: string): Form {
  const whole = new RegExp(`^(?:${pattern})$`);
  return { name, accepts: text => whole.test(text) };
}
