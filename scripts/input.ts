/**
 * What `zegel submit` reads: events or statements, one or as many as there are lines, and what form a file has is told from its
 * content. A line that cannot be sent is refused in its place, and spoils no other.
 */

import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { abbreviate, equalBytes, formatBase64url, parseUtf8 } from '../merkle/bytes.ts';
import { FormatError } from '../merkle/errors.ts';
import { parseEvent } from '../merkle/event.ts';
import { type Json, JsonReader, parseJson } from '../merkle/json.ts';
import { type Jwk, thumbprint } from '../merkle/jwk.ts';
import { parseBatchPayload, parseStatement } from '../merkle/statement.ts';
import { batchOf, maxBatchBytes, splitLines } from '../service/client/batch.ts';
import type { Problem } from '../service/client/errors.ts';
import { type Item, malformed } from '../service/client/groups.ts';
import { type Line, linesOf } from '../service/client/lines.ts';
import { CommandError } from './command.ts';

/** One event in a file of its own, one statement, events on lines, or statements on lines (with the events of those over many). */
export const forms = ['event', 'statement', 'events', 'statements'] as const;
export type Form = (typeof forms)[number];

export const formNames: Readonly<Record<Form, string>> = {
  event: 'one event',
  statement: 'one statement',
  events: 'events, one on each line',
  statements: 'statements, one on each line, with the events of batch statements',
};

export type InputParts = {
  readonly path: string;
  readonly eventMaxBytes: number;
  /** Public keys that statements may be signed with. */
  readonly keys: readonly Jwk[];
  /** Told how many bytes of the file were read. */
  readonly onRead?: (bytes: number) => void;
};

/** What a line may have beside its event: white space. */
const whiteSpaceBytes = 1_024;

/** Compact JWS: three parts in base64url. */
const compactJws = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/;

/**
 * Tells a file's form from its first line, and from whether there is a second one. A file that is named `.ndjson` or `.jsonl` has lines
 * even where it has only one. (An event alone is signed as its file has it, to the last byte; one on a line ends before the line feed.)
 *
 * @throws {CommandError} exit code 2 if it has none of the forms, or cannot be read
 */
export async function formOf({ path, eventMaxBytes }: InputParts): Promise<Form> {
  const maxBytes = statementMaxBytes(eventMaxBytes);
  const beginning = await readBeginning(path, maxBytes + 2);
  const lines = splitLines(beginning);
  const [first = new Uint8Array(0)] = lines;
  // A file of lines that has only one today may have two tomorrow, and the bytes of its first event must not change.
  const isAlone = lines.length <= 1 && !/\.(ndjson|jsonl)$/.test(path);
  const text = textOf(first);
  if (text !== undefined && compactJws.test(text)) return isAlone ? 'statement' : 'statements';

  const value = jsonOf(first);
  if (value instanceof Map) {
    // An event may have an extension of any name; what a statement's line has no room for is this.
    if (value.has('specversion')) return isAlone ? 'event' : 'events';
    if (value.has('statement')) return 'statements';
  }
  // An event that is written over many lines: read as a whole, it says itself what is wrong with it.
  if (
    !isAlone &&
    beginning.length <= eventMaxBytes &&
    value === undefined &&
    text?.trimStart().startsWith('{')
  )
    return 'event';
  if (isAlone && value !== undefined) return 'event';
  // Where it is cut off, its last character may be, too.
  if (text?.trimStart().startsWith('{') === true || first[0] === openBrace) {
    const what = `${path} begins with an object that is neither event nor statement: ${faultIn(first, maxBytes)}`;
    throw new CommandError(2, `${what}. If other lines are good, say what it has with --form`);
  }
  throw new CommandError(
    2,
    `${path} begins with neither an event (a JSON object with specversion) nor a statement: say what it has with --form`,
  );
}

const openBrace = 0x7b;

/** What is wrong with an object at a file's beginning, from which its form cannot be told. */
function faultIn(first: Uint8Array, maxBytes: number): string {
  if (first.length > maxBytes) return `it is longer than the ${maxBytes} bytes that the longest may have`;
  try {
    parseJson(first);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return 'it has neither specversion nor statement';
}

/** The items of a file in its form. @throws {CommandError} exit code 2 if it cannot be read */
export function itemsIn(parts: InputParts, form: Form): AsyncGenerator<Item> {
  if (form === 'event' || form === 'statement') return single(parts, form);
  return form === 'events' ? events(parts) : statements(parts);
}

async function* single(parts: InputParts, form: 'event' | 'statement'): AsyncGenerator<Item> {
  const maxBytes = statementMaxBytes(parts.eventMaxBytes) + 2;
  const bytes = await readBeginning(parts.path, maxBytes);
  parts.onRead?.(bytes.length);
  if (form === 'event') yield eventItem(1, bytes, parts);
  else yield statementItem(1, parseUtf8(bytes).trimEnd(), parts);
}

async function* events(parts: InputParts): AsyncGenerator<Item> {
  for await (const line of linesIn(parts, parts.eventMaxBytes + whiteSpaceBytes))
    yield lineFault(line, parts.eventMaxBytes) ?? eventItem(line.number, bytesOf(line), parts);
}

async function* statements(parts: InputParts): AsyncGenerator<Item> {
  const maxBytes = statementMaxBytes(parts.eventMaxBytes);
  // A batch's events together have a limit, and each alone may reach it.
  const lines = linesIn(parts, maxBatchBytes);
  for await (const line of lines) {
    const fault = lineFault(line, maxBytes);
    if (fault !== undefined) {
      yield fault;
      continue;
    }
    const text = textOf(bytesOf(line)) ?? '';
    const found: Opening | FormatError = compactJws.test(text)
      ? { statement: text }
      : readStatementLine(line);
    if (found instanceof FormatError) yield refused(line.number, malformed(found));
    else if (found.secret !== undefined)
      yield* batch(line.number, found.statement, found.secret, lines, parts);
    else yield statementItem(line.number, found.statement, parts);
  }
}

/** A statement, with the secret that goes with one over many events. */
type Opening = { readonly statement: string; readonly secret?: Uint8Array };

function readStatementLine(line: Line): Opening | FormatError {
  try {
    const reader = new JsonReader();
    const members = reader.object(parseJson(bytesOf(line)), '', ['statement'], ['secret']);
    const statement = reader.string(members.get('statement'), 'statement');
    if (!members.has('secret')) return reader.finish({ statement });
    return reader.finish({ statement, secret: reader.bytes(members.get('secret'), 'secret', 32) });
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

/** A batch that was signed before: its events are the lines that follow. */
async function* batch(
  at: number,
  statement: string,
  secret: Uint8Array,
  lines: AsyncGenerator<Line>,
  parts: InputParts,
): AsyncGenerator<Item> {
  const { root, size, kid } = readBatchStatement(at, statement);
  const first = at + 1;
  const held: Uint8Array[] = [];
  let fault: FormatError | undefined;
  let lengthBytes = 0;
  while (held.length < size) {
    // Not with for-await, which would close the lines for those that come after.
    const { done, value: line } = await lines.next();
    if (done === true) {
      fault ??= FormatError.at('', `the file ends after ${held.length} of the ${size} events of the batch`);
      break;
    }
    lengthBytes += line.lengthBytes + 1;
    if (line.bytes === undefined || lengthBytes > maxBatchBytes)
      fault ??= FormatError.at('', `the events of the batch have more than ${maxBatchBytes} bytes together`);
    // Of a batch that is refused the lines are counted, and not held.
    held.push(fault === undefined ? bytesOf(line) : new Uint8Array(0));
  }
  const key = keyNamed(kid, parts.keys);
  try {
    if (fault !== undefined) throw fault;
    if (key === undefined) throw unknownKey(kid);
    const made = batchOf(held, secret);
    if (!equalBytes(made.root, root))
      throw FormatError.at('payload.root', 'is not that of the events that follow, with this secret');
    yield { line: first, kind: 'batch', batch: { ...made, statement }, key };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    for (let i = 0; i < Math.max(1, held.length); i++) yield refused(first + i, malformed(error));
  }
}

/** @throws {CommandError} exit code 2 where it is unknown how many events follow */
function readBatchStatement(at: number, text: string) {
  try {
    const { typ, kid, payload } = parseStatement(text);
    if (typ !== 'zegel-batch+jws')
      throw FormatError.at('header.typ', 'a statement over one event has no secret');
    return { ...parseBatchPayload(payload), kid };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const why = `line ${at} begins a batch and cannot be read, so it is unknown which lines are its events`;
    throw new CommandError(2, `${why}: ${error.message}`, error);
  }
}

function eventItem(line: number, event: Uint8Array, { eventMaxBytes }: InputParts): Item {
  try {
    parseEvent(event, { maxBytes: eventMaxBytes });
    return { line, kind: 'event', event };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return refused(line, malformed(error));
  }
}

function statementItem(line: number, statement: string, { keys }: InputParts): Item {
  try {
    const { kid } = parseStatement(statement);
    const key = keyNamed(kid, keys);
    if (key === undefined) throw unknownKey(kid);
    return { line, kind: 'statement', statement, key };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return refused(line, malformed(error));
  }
}

function keyNamed(kid: string, keys: readonly Jwk[]): Jwk | undefined {
  return keys.find(key => formatBase64url(thumbprint(key)) === kid);
}

function unknownKey(kid: string): FormatError {
  return FormatError.at('header.kid', `is ${abbreviate(kid)}, a key that was not named with --key`);
}

/** What is wrong with a line, whatever it should hold. */
function lineFault({ number, bytes, lengthBytes }: Line, maxBytes: number): Item | undefined {
  if (bytes === undefined || lengthBytes > maxBytes) {
    const detail = `the line has ${lengthBytes} bytes, want at most ${maxBytes}`;
    return refused(number, { status: 413, name: 'body-too-large', detail, issues: [] });
  }
  if (bytes.length === 0) return refused(number, malformed(FormatError.at('', 'the line is empty')));
  if (!bytes.includes(carriageReturn)) return undefined;
  const message = 'the line has a carriage return; lines end in a line feed alone';
  return refused(number, malformed(FormatError.at('', message)));
}

const carriageReturn = 0x0d;

function refused(line: number, problem: Problem): Item {
  return { line, kind: 'refused', problem };
}

/** The bytes of a line that was not too long. */
function bytesOf({ bytes }: Line): Uint8Array {
  return bytes ?? new Uint8Array(0);
}

/** As long as the service takes them, with the names and quotes around. */
function statementMaxBytes(eventMaxBytes: number): number {
  return Math.ceil((eventMaxBytes * 4) / 3) + 3_072;
}

function linesIn({ path, onRead }: InputParts, maxBytes: number): AsyncGenerator<Line> {
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  return linesOf(counted(stream, onRead), maxBytes);
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onRead: InputParts['onRead'],
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    onRead?.(bytes);
    yield chunk;
  }
}

/** A file's beginning, or the whole of it where it is no longer. @throws {CommandError} exit code 2 if it cannot be read */
async function readBeginning(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const buffer = new Uint8Array(Math.min(maxBytes, Math.max(1, (await file.stat()).size)));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

/** How long a file is. @throws {CommandError} exit code 2 if it cannot be read */
export async function lengthOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    cause => {
      throw cannotRead(path, cause);
    },
  );
}

function cannotRead(path: string, cause: unknown): CommandError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  if (code === 'ESPIPE')
    return new CommandError(
      2,
      `${path} is a pipe, and is read more than once: write it to a file first`,
      cause,
    );
  return new CommandError(2, `${path} cannot be read (${code})`, cause);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return parseUtf8(bytes);
  } catch {
    return undefined;
  }
}

function jsonOf(bytes: Uint8Array): Json | undefined {
  try {
    return parseJson(bytes);
  } catch {
    return undefined;
  }
}
