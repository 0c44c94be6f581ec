/** One upload: takes its lines up in their order, and goes on while their signatures are checked and their records written. */

import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { formatBase64url, formatHex } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { type JsonObject, JsonReader, parseJson } from '../../merkle/json.ts';
import { formatRecord } from '../../merkle/receipt.ts';
import type { Batch, BatchIntake } from '../batch-intake.ts';
import { LedgerError } from '../errors.ts';
import { type Intake, refusal, wellFormed } from '../intake.ts';
import type { Ledger } from '../ledger.ts';
import type { Share } from '../shares.ts';
import type { Acknowledgement, Submission } from '../submission.ts';
import type { Allowance } from './allowance.ts';
import { costOfRefusal, costs, type Limits, type Party, type RateName } from './limits.ts';
import type { Answers, Line, LineReader } from './ndjson.ts';
import { internalProblem, problemOf } from './problems.ts';

export type UploadParts = {
  readonly lines: LineReader;
  readonly answers: Answers;
  readonly intake: Intake;
  readonly batches: BatchIntake;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly limits: Limits;
  /** Who sends it, and what its batches are held in. */
  readonly party: Party;
  readonly share: Share;
  /** Told of each new record: only an agency can bring one. */
  readonly onNew: () => void;
  readonly stopping: AbortSignal;
  /** Told of what is no refusal. */
  readonly report: (error: unknown) => void;
};

/** What a line may have beside its statement: names, quotes, the secret, and some white space. */
const aroundStatementBytes = 1_024;

/** Whoever meets a limit is read no further for so long, milliseconds; refused is only who would have to wait longer. */
const waitMaxMs = 10_000;

/** A line that is on its way to the ledger: what it brings, once that is known, and what takes its answer. */
type Turn = {
  brings: { readonly submission: Submission } | { readonly error: unknown } | undefined;
  readonly answer: (text: string) => void;
};

/** How many events of a batch are read in one turn of the event loop. */
const turnLength = 64;

export class Upload {
  readonly #parts: UploadParts;
  readonly #lines: LineReader;
  readonly #answers: Answers;
  readonly #intake: Intake;
  /** What the address that sends it may still submit. */
  readonly #address: Allowance;
  /** Lines that have not gone to the ledger yet, in their order: of two with one event the second is the retry. */
  readonly #turns: Turn[] = [];
  /** Whether the first of them waits until its key may submit more. */
  #isHeldUp = false;

  constructor(parts: UploadParts) {
    this.#parts = parts;
    this.#lines = parts.lines;
    this.#answers = parts.answers;
    this.#intake = parts.intake;
    this.#address = parts.party.submissions;
  }

  /** Reads to the end, or to where it is unknown what the lines mean. */
  async read(): Promise<void> {
    const lineMaxBytes = this.#intake.statementMaxBytes + aroundStatementBytes;
    while (this.#answers.hasRoom || (await this.#answers.room())) {
      const line = this.#lines.ready(lineMaxBytes) ?? (await this.#lines.line(lineMaxBytes));
      if (line === undefined) return;
      if (this.#address.waitMs() > 0) {
        const refused = await this.#untilAllowed('address', this.#address);
        if (refused !== undefined) return this.#refuse(refused);
      }
      const goesOn = this.#take(line, lineMaxBytes);
      if (!(goesOn === true || (await goesOn))) return;
    }
  }

  /** Takes a line up. False where no line can follow. */
  #take(line: Line, lineMaxBytes: number): boolean | Promise<boolean> {
    if (line.kind !== 'whole') {
      this.#refuse(lineFault(line.kind, lineMaxBytes));
      return !isLast(line);
    }
    let members: JsonObject;
    try {
      members = readLine(line.bytes);
    } catch (error) {
      this.#refuse(error);
      return true;
    }
    if (members.has('secret')) return this.#takeBatch(members);
    this.#submitSingle(members, line.bytes.length);
    return true;
  }

  #submitSingle(members: JsonObject, lengthBytes: number): void {
    const turn: Turn = { brings: undefined, answer: this.#answers.add(lengthBytes) };
    this.#turns.push(turn);
    const bring = (brings: Turn['brings']) => {
      turn.brings = brings;
      this.#goOn();
    };
    this.#acceptSingle(members).then(
      submission => bring({ submission }),
      error => bring({ error }),
    );
  }

  async #acceptSingle(members: JsonObject): Promise<Submission> {
    const statement = wellFormed('', () => {
      const reader = new JsonReader();
      reader.object(members, '', ['statement']);
      return reader.finish(reader.string(members.get('statement'), 'statement'));
    });
    return this.#intake.accept(statement);
  }

  async #takeBatch(members: JsonObject): Promise<boolean> {
    let batch: Batch;
    try {
      batch = this.#parts.batches.begin(members, this.#parts.share);
    } catch (error) {
      // Which lines are its events, and which come after them, is unknown.
      this.#refuse(error);
      return false;
    }
    try {
      const goesOn = await this.#takeEvents(batch);
      if (await this.#isVerified(batch)) await this.#submitEvents(batch);
      return goesOn;
    } finally {
      batch.release();
    }
  }

  /** Reads a batch's events. False where no line can follow them. */
  async #takeEvents(batch: Batch): Promise<boolean> {
    await batch.opened();
    for (let i = 0; i < batch.size; i++) {
      const line = await this.#lines.line(batch.roomBytes, bytes => batch.hold(bytes));
      // An interruption between two lines is one in the middle of the batch.
      const end = line === undefined ? this.#lines.interruption : isLast(line) ? line.kind : undefined;
      if (end !== undefined) {
        batch.refuse(lineFault(end, batch.roomBytes));
        return false;
      }
      if (line === undefined) return true;
      batch.add(line.kind === 'whole' ? line.bytes : undefined);
    }
    return true;
  }

  /** Whether a batch is what its statement says. If not, it is refused whole. */
  async #isVerified(batch: Batch): Promise<boolean> {
    // Paid for before the work is done, so that not many can have it done for nothing at the same time.
    const cost = costs.batchEvent * batch.size + batch.bytes / costs.bytes;
    let isOwed = true;
    try {
      const refused = await this.#untilAllowed('address', this.#address);
      if (refused !== undefined) batch.refuse(refused);
      this.#address.take(cost);
      await batch.verify();
      isOwed = false;
      return true;
    } catch (error) {
      isOwed = costOfRefusal(error) === costs.refusal;
      this.#refuse(error, batch.size);
      return false;
    } finally {
      if (!isOwed) this.#address.giveBack(cost);
    }
  }

  async #submitEvents(batch: Batch): Promise<void> {
    for (let i = 0; i < batch.size && (this.#answers.hasRoom || (await this.#answers.room())); i++) {
      if (this.#parts.stopping.aborted) return this.#refuse(isStopping(), batch.size - i);
      const answer = this.#answers.add(batch.lengthBytes(i));
      this.#turns.push({ brings: brought(() => batch.submission(i)), answer });
      this.#goOn();
      if (i % turnLength === turnLength - 1) await setImmediate();
    }
  }

  /** Lets those go to the ledger whose turn it is. */
  #goOn(): void {
    while (!this.#isHeldUp) {
      const [first] = this.#turns;
      if (first?.brings === undefined) return;
      if ('submission' in first.brings) {
        const { submission } = first.brings;
        const key = this.#parts.limits.key(submission.key);
        if (key.waitMs() > 0) {
          this.#isHeldUp = true;
          void this.#untilKeyAllows(first, submission, key);
          return;
        }
        this.#submit(submission, key, first.answer);
      } else {
        first.answer(this.#refusalLine(first.brings.error));
      }
      this.#turns.shift();
    }
  }

  async #untilKeyAllows({ answer }: Turn, submission: Submission, key: Allowance): Promise<void> {
    const refused = await this.#untilAllowed('key', key);
    if (refused === undefined) this.#submit(submission, key, answer);
    else answer(this.#refusalLine(refused));
    this.#turns.shift();
    this.#isHeldUp = false;
    this.#goOn();
  }

  /** Submits a record, and answers when it is in the log or refused. */
  #submit(submission: Submission, key: Allowance, answer: (text: string) => void): void {
    this.#parts.ledger
      .submit(submission)
      .then(acknowledgement => {
        this.#address.take(costs.submission);
        // Anybody who has seen a record can send it again: a retry shows no agency at the other end.
        if (acknowledgement.status === 201) {
          key.take(costs.submission);
          this.#parts.onNew();
        }
        answer(formatAcknowledgement(acknowledgement));
      })
      .catch(error => answer(this.#refusalLine(error)));
  }

  #refusalLine(error: unknown): string {
    this.#address.take(costOfRefusal(error));
    return this.#problemLine(error);
  }

  /**
   * Waits until something is allowed, while no more is read. Gives a refusal where that would take too long; nobody waits for an
   * upload that is given up, or in a service that stops.
   */
  async #untilAllowed(limit: RateName, allowance: Allowance): Promise<LedgerError | undefined> {
    const { answers, stopping, limits } = this.#parts;
    for (let waitedMs = 0; !answers.isCancelled && !stopping.aborted; ) {
      const waitMs = allowance.waitMs();
      if (waitMs === 0) return undefined;
      if (waitedMs + waitMs > waitMaxMs) return limits.refusal(limit, waitMs);
      // In steps: what was taken for a batch comes back when it is found good.
      const stepMs = Math.min(waitMs, 250);
      await delay(stepMs);
      waitedMs += stepMs;
    }
    return undefined;
  }

  #refuse(error: unknown, times = 1): void {
    this.#answers.repeat(this.#refusalLine(error), times);
  }

  #problemLine(error: unknown): string {
    const isRefusal = error instanceof LedgerError;
    if (!isRefusal) this.#parts.report(error);
    const problem = isRefusal ? problemOf(error) : internalProblem;
    return JSON.stringify({ status: problem.status, problem });
  }
}

function brought(read: () => Submission): Turn['brings'] {
  try {
    return { submission: read() };
  } catch (error) {
    return { error };
  }
}

/** Reads a line as far as its members. @throws {LedgerError} RECORD_MALFORMED */
function readLine(bytes: Uint8Array): JsonObject {
  if (bytes.length === 0) throw refusal([{ place: '', message: 'the line is empty' }]);
  if (bytes.includes(0x0d))
    throw refusal([{ place: '', message: 'the line has a carriage return; lines end in a line feed alone' }]);
  return wellFormed('', () => {
    const members = parseJson(bytes);
    const reader = new JsonReader();
    const isObject = members instanceof Map;
    if (!isObject) reader.fail('', 'the line is not a JSON object');
    return reader.finish(isObject ? members : new Map());
  });
}

/** Whether no line can follow this one. */
function isLast(line: Line): line is Exclude<Line, { readonly kind: 'whole' | 'long' }> {
  return line.kind !== 'whole' && line.kind !== 'long';
}

function lineFault(kind: Exclude<Line['kind'], 'whole'>, maxBytes: number): LedgerError {
  switch (kind) {
    case 'long':
      return new LedgerError('BODY_TOO_LARGE', `the line has more than ${maxBytes} bytes`);
    case 'endless':
      return new LedgerError('BODY_TOO_LARGE', 'the line does not end');
    case 'late':
      return new LedgerError(
        'REQUEST_TIMEOUT',
        'the upload comes too slowly: what was not answered was not taken',
      );
    case 'stopping':
      return isStopping();
    case 'cut':
      return refusal([{ place: '', message: 'the last line does not end in a line feed' }]);
  }
}

function isStopping(): LedgerError {
  return new LedgerError('LOG_STOPPING', 'the service is stopping', { retryAfterS: 5 });
}

/** The line of a record that is in the log. Its checkpoint is the last line's. */
function formatAcknowledgement({ status, leafHash, index, time, salt, record }: Acknowledgement): string {
  return JSON.stringify({
    status,
    leafHash: formatHex(leafHash),
    index,
    time: formatTime(time),
    salt: formatBase64url(salt),
    // JSON.stringify leaves a member out that is undefined.
    record: record === undefined ? undefined : formatRecord(record),
  });
}
