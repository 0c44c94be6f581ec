/** `POST /v1/records`: one statement in, and the proof that it is in the log out. */

import type Router from '@koa/router';
import { formatBase64url, formatHex } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { formatRecord } from '../../merkle/receipt.ts';
import type { Anchorer } from '../anchorer.ts';
import type { Intake } from '../intake.ts';
import type { Ledger } from '../ledger.ts';
import type { Acknowledgement, Submission } from '../submission.ts';
import { absoluteUrl, answerNow } from './answers.ts';
import { bodyOf, readBody } from './body.ts';
import { costs, type Limits } from './limits.ts';
import type { AcknowledgementAnswer } from './openapi/answers.ts';
import { preferredWaitS } from './prefer.ts';
import { noQuery } from './query.ts';

export type RecordParts = {
  readonly intake: Pick<Intake, 'accept' | 'statementMaxBytes'>;
  readonly ledger: Pick<Ledger, 'submit' | 'prove'>;
  readonly anchorer: Pick<Anchorer, 'waitFor'>;
  readonly limits: Pick<Limits, 'key' | 'require'>;
  /** Aborted when the service stops: whoever waits for an anchor is answered then. */
  readonly stopping: AbortSignal;
  readonly baseUrl?: string | undefined;
};

export function recordRoutes(router: Router, parts: RecordParts): void {
  const { intake, ledger, anchorer, limits, stopping, baseUrl } = parts;

  router.post('/v1/records', noQuery, bodyOf('application/jose'), async ctx => {
    const statement = await readBody(ctx, intake.statementMaxBytes);
    const submission = await intake.accept(statement);
    const key = limits.key(submission.key);
    limits.require('key', key);
    const { status, index, leafHash, answer } = await proved(submission);
    // Anybody who has seen a record can send it again: only what is new counts for its key.
    if (status === 201) key.take(costs.submission);

    const waitS = preferredWaitS(ctx.get('Prefer'));
    if (waitS !== undefined) {
      await untilAborted(stopping, anchorer.waitFor(index, waitS * 1000));
      ctx.set('Preference-Applied', `wait=${waitS}`);
    }
    ctx.set('Location', absoluteUrl(ctx, baseUrl, `/v1/records/${formatHex(leafHash)}/receipt`));
    answerNow(ctx, status, answer);
  });

  /** The answer is made at once: the tiles that prove it would otherwise be kept for as long as somebody waits for an anchor. */
  async function proved(submission: Submission) {
    const acknowledgement = await ledger.submit(submission);
    const { status, index, leafHash } = acknowledgement;
    const answer = formatAcknowledgement(acknowledgement, await ledger.prove(acknowledgement));
    return { status, index, leafHash, answer };
  }
}

/** The answer to a submission, its members in DESIGN's order. */
function formatAcknowledgement(
  acknowledgement: Acknowledgement,
  path: readonly Uint8Array[],
): AcknowledgementAnswer {
  const { leafHash, index, time, salt, signed, record } = acknowledgement;
  return {
    leafHash: formatHex(leafHash),
    index,
    time: formatTime(time),
    salt: formatBase64url(salt),
    inclusion: { index, path: path.map(formatBase64url) },
    checkpoint: signed.checkpoint,
    // JSON.stringify leaves a member out that is undefined.
    record: record === undefined ? undefined : formatRecord(record),
  };
}

/** Waits for a promise, or for the signal if that comes first. */
async function untilAborted(signal: AbortSignal, promise: Promise<unknown>): Promise<void> {
  if (signal.aborted) return;
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = () => resolve();
  signal.addEventListener('abort', abort);
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
