/** `POST /v1/records/batch`: lines of statements in, a line of answer for each record out, both as streams. */

import { Readable } from 'node:stream';
import type Router from '@koa/router';
import { BatchIntake } from '../batch-intake.ts';
import type { Intake } from '../intake.ts';
import type { Ledger } from '../ledger.ts';
import { bodyOf } from './body.ts';
import { chunksOf } from './chunks.ts';
import { deadlineOf } from './deadline.ts';
import type { Limits } from './limits.ts';
import { Answers, LineReader } from './ndjson.ts';
import { Patience } from './patience.ts';
import type { Report } from './problems.ts';
import { noQuery } from './query.ts';
import { Upload } from './upload.ts';

export type BatchParts = {
  readonly intake: Intake;
  readonly ledger: Pick<Ledger, 'submit' | 'signed'>;
  readonly limits: Limits;
  readonly stopping: AbortSignal;
  readonly report: Report;
};

/**
 * The least speed of who sends an upload: at 0.5 Mbit/s the largest batch takes nine minutes. Whoever is slower has half a minute in
 * all, beside what new records give.
 */
const sentBytesPerS = 65_536;

/** The least speed of who reads its answers, some ten lines a second: a program may keep each on its disk before it reads the next. */
const readBytesPerS = 2_048;

export function batchRoutes(router: Router, parts: BatchParts): void {
  const { intake, ledger, limits, stopping, report } = parts;
  const batches = new BatchIntake(intake);

  router.post('/v1/records/batch', noQuery, bodyOf('application/x-ndjson'), ctx => {
    intake.ready();
    const { req, res } = ctx;
    const party = limits.partyOf(req);
    const { share, end } = limits.beginUpload(party);
    res.once('close', end);

    const deadline = deadlineOf(req);
    const patient = (bytesPerS: number, onLate: () => void) =>
      new Patience({
        limitMs: deadline.limitMs,
        bytesPerS,
        elapsed: limits.elapsed,
        onLate: () => {
          limits.count('patience');
          onLate();
        },
      });
    const sending = patient(sentBytesPerS, () => lines.interrupt('late'));
    const reading = patient(readBytesPerS, () => res.destroy());
    const chunks = chunksOf(req);
    const lines = new LineReader(chunks, {
      start: () => sending.start(),
      stop: () => sending.stop(),
      moved: bytes => {
        // Until something comes, the upload is a request like any other, and refused like one.
        deadline.stop();
        sending.moved(bytes);
      },
    });
    const answers = new Answers(reading);
    res.once('close', () => answers.cancel());
    const stop = () => lines.interrupt('stopping');
    stopping.addEventListener('abort', stop);
    if (stopping.aborted) stop();

    const upload = new Upload({
      lines,
      answers,
      intake,
      batches,
      ledger,
      limits,
      party,
      share,
      onNew: () => {
        sending.renew();
        reading.renew();
      },
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
      })
      .finally(() => stopping.removeEventListener('abort', stop));
    ctx.status = 200;
    ctx.set('Content-Type', 'application/x-ndjson');
    ctx.body = Readable.from(answers.text(), { objectMode: false });
  });
}
