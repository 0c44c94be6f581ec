/**
 * One request to `POST /v1/records/batch`: lines go out while the answers to earlier ones come in. Who sends must read: the service
 * reads no faster than its answers are taken.
 */

import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { concatBytes } from '../../merkle/bytes.ts';
import { FormatError } from '../../merkle/errors.ts';
import { type JsonObject, JsonReader, parseJson } from '../../merkle/json.ts';
import { objectIn } from './answers.ts';
import { RefusedError, UnavailableError } from './errors.ts';
import { linesOf } from './lines.ts';
import { refusalOf } from './requests.ts';
import type { Clock } from './retry.ts';

/** More than the longest answer: a record of the largest event that any service takes, in a batch. */
const maxAnswerBytes = 8 << 20;

/** Pieces are put together to about this length: a write each would cost more than they do. */
const writeBytes = 65_536;

export type UploadParts = {
  /** The service's URL, without a slash at its end. */
  readonly base: string;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Takes an answer. The next one is read when it is done. */
  readonly onAnswer: (answer: JsonObject) => Promise<void>;
  /** For how long the connection may stand still. */
  readonly timeoutMs: number;
  /** How long it may take in all: a connection never stands still for whoever moves a byte now and then. */
  readonly overallMs: number;
  readonly clock: Pick<Clock, 'now'>;
};

/** How often it is looked whether it takes too long. */
const lookMs = 1_000;

/**
 * Sends what comes, and gives the checkpoint of the last line.
 *
 * @throws {RefusedError} if the request is refused as a whole; {UnavailableError} if it was cut, cannot be answered now, or the answers
 *   are no ledger's: those that came before are good all the same; and whatever `pieces` or `onAnswer` throw
 */
export async function upload({
  base,
  pieces,
  onAnswer,
  timeoutMs,
  overallMs,
  clock,
}: UploadParts): Promise<string> {
  const url = new URL(`${base}/v1/records/batch`);
  const headers = { 'content-type': 'application/x-ndjson' };
  const isSecure = url.protocol === 'https:';
  const request = (isSecure ? requestHttps : requestHttp)(url, {
    method: 'POST',
    headers,
    agent: isSecure ? httpsAgent : httpAgent,
  });
  // Whoever waits for the answer hears of it; this is for what comes after that.
  request.on('error', () => undefined);
  request.setTimeout(timeoutMs, () => request.destroy(new Error(`nothing moved for ${timeoutMs} ms`)));
  const endMs = clock.now() + overallMs;
  const looking = setInterval(() => {
    if (clock.now() > endMs) request.destroy(new Error(`not over after ${overallMs} ms`));
  }, lookMs);
  // What goes wrong here and not on the way must come out as it is.
  const own: unknown[] = [];
  const sending = pipeline(Readable.from(keeping(own, joined(pieces))), request).catch(() => undefined);
  try {
    const response = await responseTo(request);
    if (response.statusCode !== 200) throw await wholeRefusal(response);
    return await readAnswers(base, response, async answer => {
      try {
        await onAnswer(answer);
      } catch (error) {
        own.push(error);
        throw error;
      }
    });
  } catch (error) {
    if (own.length > 0) throw own[0];
    if (error instanceof RefusedError || error instanceof UnavailableError) throw error;
    throw new UnavailableError(`the connection to ${base} was cut`, undefined, error);
  } finally {
    clearInterval(looking);
    // Where all was sent and answered there is nothing to destroy, and the connection is used again.
    if (!request.writableFinished || own.length > 0) request.destroy();
    await sending;
  }
}

const httpAgent = new HttpAgent({ keepAlive: true });
const httpsAgent = new HttpsAgent({ keepAlive: true });

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
    request.once('close', () => reject(new Error('closed without an answer')));
  });
}

async function wholeRefusal(response: IncomingMessage): Promise<Error> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    lengthBytes += chunk.length;
    if (lengthBytes > maxAnswerBytes) break;
  }
  return refusalOf(response.statusCode ?? 0, concatBytes(...chunks), response.headers['retry-after']);
}

async function readAnswers(
  base: string,
  response: IncomingMessage,
  onAnswer: UploadParts['onAnswer'],
): Promise<string> {
  let checkpoint: string | undefined;
  // To the end, so that the connection can be used again.
  for await (const { bytes, isWhole } of linesOf(response, maxAnswerBytes)) {
    if (bytes === undefined || !isWhole) break;
    if (checkpoint !== undefined) throw new UnavailableError(`${base} goes on after the checkpoint`);
    const answer = parseAnswer(base, bytes);
    checkpoint = checkpointIn(answer);
    if (checkpoint === undefined) await onAnswer(answer);
  }
  if (checkpoint !== undefined) return checkpoint;
  throw new UnavailableError(`the answers of ${base} were cut off`);
}

/** The checkpoint, where an answer is the last one. */
function checkpointIn(answer: JsonObject): string | undefined {
  const checkpoint = answer.get('checkpoint');
  return typeof checkpoint === 'string' ? checkpoint : undefined;
}

function parseAnswer(base: string, line: Uint8Array): JsonObject {
  try {
    const reader = new JsonReader();
    return reader.finish(objectIn(reader, parseJson(line), ''));
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause;
    throw new UnavailableError(`${base} does not answer in lines of JSON`, undefined, cause);
  }
}

async function* keeping<T>(faults: unknown[], source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    faults.push(error);
    throw error;
  }
}

async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    lengthBytes += piece.length;
    if (lengthBytes < writeBytes) continue;
    yield concatBytes(...waiting);
    waiting = [];
    lengthBytes = 0;
  }
  if (lengthBytes > 0) yield concatBytes(...waiting);
}
