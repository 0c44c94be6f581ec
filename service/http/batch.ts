/** `POST /v1/records/batch`: lines of statements in, a line of answer for each record out, both as streams. */

import { Readable } from 'node:stream';
import type Router from '@koa/router';
import { formatBase64url, formatHex } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { type JsonObject, JsonReader, parseJson } from '../../merkle/json.ts';
import { formatRecord } from '../../merkle/receipt.ts';
import { type Batch, BatchIntake } from '../batch-intake.ts';
import { LedgerError } from '../errors.ts';
import { type Intake, refusal, wellFormed } from '../intake.ts';
import type { Ledger } from '../ledger.ts';
import type { Acknowledgement, Submission } from '../submission.ts';
import { bodyOf } from './body.ts';
import { deadlineOf } from './deadline.ts';
import { Answers, type Line, LineReader } from './ndjson.ts';
import { internalProblem, problemOf, type Report } from './problems.ts';
import { noQuery } from './query.ts';

export type BatchParts = {
  readonly intake: Intake;
  readonly ledger: Pick<Ledger, 'submit' | 'signed'>;
  readonly stopping: AbortSignal;
  readonly report: Report;
};

/** What a line may have beside its statement: names, quotes, the secret, and some white space. */
const aroundStatementBytes = 1_024;

export function batchRoutes(router: Router, { intake, ledger, stopping, report }: BatchParts): void {
  const batches = new BatchIntake(intake);

  router.post('/v1/records/batch', noQuery, bodyOf('application/x-ndjson'), ctx => {
    intake.ready();
    const { req, res } = ctx;
    const deadline = deadlineOf(req);
    deadline.stop();
    // Ending the iteration must not end the connection: what was read is still to be answered.
    const chunks = req.iterator({ destroyOnReturn: false });
    const answers = new Answers();
    res.once('close', () => answers.cancel());
    const upload = new Upload({
      lines: new LineReader(chunks, deadline),
      answers,
      intake,
      batches,
      ledger,
      stopping,
      report: error => report(error, ctx.state['ids']),
    });
    upload
      .read()
      .then(async () => {
        await chunks.return?.();
        // What is left is read away after the answers, in the time that any body has.
        if (!req.readableEnded && !req.destroyed) res.once('finish', () => deadline.start());
        answers.end(() => JSON.stringify({ checkpoint: ledger.signed().checkpoint }));
      })
      .catch(error => {
        // The sender is gone, or we are at fault. Either way the end must not look like one.
        if (!req.destroyed) report(error, ctx.state['ids']);
        answers.cancel();
        res.destroy();
      });
    ctx.status = 200;
    ctx.set('Content-Type', 'application/x-ndjson');
    ctx.body = Readable.from(answers.text(), { objectMode: false });
  });
}

/** One upload: takes its lines up in their order, and goes on while their signatures are checked and their records written. */
class Upload {
  readonly #lines: LineReader;
  readonly #answers: Answers;
  readonly #intake: Intake;
  readonly #batches: BatchIntake;
  readonly #ledger: Pick<Ledger, 'submit'>;
  readonly #stopping: AbortSignal;
  readonly #report: (error: unknown) => void;
  /** Settled when the line before has gone to the ledger, or is refused: of two lines with one event the second is the retry. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly lines: LineReader;
    readonly answers: Answers;
    readonly intake: Intake;
    readonly batches: BatchIntake;
    readonly ledger: Pick<Ledger, 'submit'>;
    readonly stopping: AbortSignal;
    /** Told of what is no refusal. */
    readonly report: (error: unknown) => void;
  }) {
    this.#lines = parts.lines;
    this.#answers = parts.answers;
    this.#intake = parts.intake;
    this.#batches = parts.batches;
    this.#ledger = parts.ledger;
    this.#stopping = parts.stopping;
    this.#report = parts.report;
  }

  /** Reads to the end, or to where it is unknown what the lines mean. */
  async read(): Promise<void> {
    const lineMaxBytes = this.#intake.statementMaxBytes + aroundStatementBytes;
    while (await this.#answers.room()) {
      const line = await this.#lines.line(lineMaxBytes);
      if (line === undefined) return;
      if (this.#stopping.aborted) {
        this.#refuse(new LedgerError('LOG_STOPPING', 'the service is stopping', { retryAfterS: 5 }));
        return;
      }
      if (!(await this.#take(line, lineMaxBytes))) return;
    }
  }

  /** Takes a line up. False where no line can follow. */
  async #take(line: Line, lineMaxBytes: number): Promise<boolean> {
    if (line.kind !== 'whole') {
      this.#refuse(lineFault(line.kind, lineMaxBytes));
      return line.kind === 'long';
    }
    let members: JsonObject;
    try {
      members = readLine(line.bytes);
    } catch (error) {
      this.#refuse(error);
      return true;
    }
    if (members.has('secret')) return this.#takeBatch(members);
    this.#submit(this.#acceptSingle(members), line.bytes.length);
    return true;
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
      batch = this.#batches.begin(members);
    } catch (error) {
      // Which lines are its events, and which come after them, is unknown.
      this.#refuse(error);
      return false;
    }
    try {
      const goesOn = await this.#takeEvents(batch);
      if (await this.#isVerified(batch)) {
        for (let i = 0; i < batch.size && (await this.#answers.room()); i++)
          this.#submit(
            accept(() => batch.submission(i)),
            batch.lengthBytes(i),
          );
      }
      return goesOn;
    } finally {
      batch.release();
    }
  }

  /** Whether a batch is what its statement says. If not, it is refused whole. */
  async #isVerified(batch: Batch): Promise<boolean> {
    try {
      await batch.verify();
      return true;
    } catch (error) {
      this.#refuse(error, batch.size);
      return false;
    }
  }

  /** Reads a batch's events. False where no line can follow them. */
  async #takeEvents(batch: Batch): Promise<boolean> {
    await batch.opened();
    for (let i = 0; i < batch.size; i++) {
      const line = await this.#lines.line(batch.roomBytes, bytes => batch.hold(bytes));
      if (line === undefined) return true;
      if (line.kind === 'cut' || line.kind === 'endless') {
        batch.refuse(lineFault(line.kind, batch.roomBytes));
        return false;
      }
      batch.add(line.kind === 'whole' ? line.bytes : undefined);
    }
    return true;
  }

  /** Submits in its turn what is being accepted, and answers when it is in the log or refused. */
  #submit(accepted: Promise<Submission>, lengthBytes: number): void {
    const submitted = this.#inTurn(this.#turn, accepted);
    this.#turn = submitted.catch(() => undefined);
    // A refusal that comes before its turn is not forgotten: it is met then.
    accepted.catch(() => undefined);
    const answer = submitted
      .then(({ acknowledged }) => acknowledged)
      .then(formatAcknowledgement, error => this.#problemLine(error));
    this.#answers.add(answer, lengthBytes);
  }

  async #inTurn(before: Promise<unknown>, accepted: Promise<Submission>) {
    await before;
    const submission = await accepted;
    // Wrapped, since the next one need not wait for the ledger's answer.
    return { acknowledged: this.#ledger.submit(submission) };
  }

  #refuse(error: unknown, times = 1): void {
    this.#answers.repeat(this.#problemLine(error), times);
  }

  #problemLine(error: unknown): string {
    const isRefusal = error instanceof LedgerError;
    if (!isRefusal) this.#report(error);
    const problem = isRefusal ? problemOf(error) : internalProblem;
    return JSON.stringify({ status: problem.status, problem });
  }
}

async function accept(read: () => Submission): Promise<Submission> {
  return read();
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

function lineFault(kind: 'long' | 'cut' | 'endless', maxBytes: number): LedgerError {
  if (kind === 'long') return new LedgerError('BODY_TOO_LARGE', `the line has more than ${maxBytes} bytes`);
  if (kind === 'endless') return new LedgerError('BODY_TOO_LARGE', 'the line does not end');
  return refusal([{ place: '', message: 'the last line does not end in a line feed' }]);
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
