/** `GET /v1/records/{leafHash}` and `/v1/records/export`: an agency's own records, for it alone. */

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { formatBase64url, formatHex } from '../../merkle/bytes.ts';
import type { Issue } from '../../merkle/errors.ts';
import { formatRecord } from '../../merkle/receipt.ts';
import { LedgerError } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import type { IndexRange, OwnRecord, Reading } from '../reading.ts';
import { answerNow } from './answers.ts';
import { deadlineOf } from './deadline.ts';
import type { Limits } from './limits.ts';
import type { Clock } from './ndjson.ts';
import type { ExportedRecord } from './openapi/answers.ts';
import { exportQuery, leafHashParameter } from './parameters.ts';
import { Patience } from './patience.ts';
import type { Report } from './problems.ts';
import { malformed, noQuery, readOptionalQuery, readPath } from './query.ts';
import { withoutHead } from './routing.ts';

export type ReadingParts = {
  readonly reading: Pick<Reading, 'admit' | 'record' | 'export'>;
  readonly ledger: Pick<Ledger, 'signed'>;
  readonly limits: Pick<Limits, 'elapsed' | 'count'>;
  readonly stopping: AbortSignal;
  readonly report: Report;
};

/** How much text goes out at a time, at least: a line alone would cost a write of its own. */
const pieceLength = 1 << 16;

/** The least speed of who reads an export, which has a place that others wait for. */
const readBytesPerS = 2_048;

export function readingRoutes(router: Router, parts: ReadingParts): void {
  const { reading, ledger, limits, stopping, report } = parts;
  router.get('/v1/records/export', async ctx => {
    const range = readRange(ctx, ledger.signed().size);
    // Before anything is waited for: a connection that has closed meanwhile does not say so again, and would keep its room for ever.
    const cut = cutWhenOver(ctx.res, stopping);
    const reader = await reading.admit(ctx.get('Authorization'));
    const records = await reading.export(reader, range, cut.signal);
    ctx.status = 200;
    ctx.set('Content-Type', 'application/x-ndjson');
    const patience = new Patience({
      limitMs: deadlineOf(ctx.req).limitMs,
      bytesPerS: readBytesPerS,
      elapsed: limits.elapsed,
      onLate: () => {
        limits.count('patience');
        ctx.res.destroy();
      },
    });
    ctx.res.once('close', () => patience.stop());
    const text = pieces(records, patience, error => {
      if (!cut.signal.aborted) report(error, ctx.state['ids']);
      // The end of an answer says that it is whole.
      ctx.res.destroy();
    });
    ctx.body = Readable.from(text, { objectMode: false });
  });
  withoutHead(router);

  // Any name but that of another resource: what is no leaf hash then is a fault in one.
  router.get(/^\/v1\/records\/(?!batch$)([^/]+)$/, noQuery, async ctx => {
    // The router gives what an expression captures no name, and the log no pattern.
    ctx['params'].leafHash = ctx['captures']?.[0] ?? '';
    ctx['_matchedRoute'] = '/v1/records/:leafHash';
    const leafHash = readPath(ctx, 'leafHash', leafHashParameter);
    const reader = await reading.admit(ctx.get('Authorization'));
    answerNow(ctx, 200, formatOwnRecord(await reading.record(reader, leafHash)));
  });
  withoutHead(router);
}

/** The range that a query names; all of the log where it names none. @throws {LedgerError} REQUEST_MALFORMED */
function readRange(ctx: Context, signed: number): IndexRange {
  const query = readOptionalQuery(ctx, exportQuery);
  const { from = 0, to = signed } = query;
  const issues: Issue[] = [];
  if (to > signed)
    issues.push({ place: 'query to', message: `${to} is greater than ${signed}, the signed size` });
  if (from > to) issues.push({ place: 'query from', message: `${from} is greater than to, ${to}` });
  if (issues.length > 0) throw malformed('the query', issues);
  return { from, to };
}

/** A signal that tells when an answer has nobody to go to, or the service stops: then it is cut, so that it does not look whole. */
function cutWhenOver(res: ServerResponse, stopping: AbortSignal): AbortController {
  const over = new AbortController();
  const stop = () => {
    over.abort(new LedgerError('LOG_STOPPING', 'the service is stopping', { retryAfterS: 5 }));
    if (res.headersSent) res.destroy();
  };
  stopping.addEventListener('abort', stop);
  res.once('close', () => {
    stopping.removeEventListener('abort', stop);
    over.abort(new LedgerError('REQUEST_MALFORMED', 'the connection was closed before the answer'));
  });
  if (stopping.aborted) stop();
  return over;
}

/**
 * The lines of records, some at a time.
 * @param clock runs while it is waited for that somebody reads, in the end until it is stopped
 * @param fail told of what ends them too early
 */
async function* pieces(
  records: AsyncIterable<OwnRecord>,
  clock: Clock,
  fail: (error: unknown) => void,
): AsyncGenerator<string> {
  let piece = '';
  try {
    for await (const record of records) {
      piece += `${JSON.stringify(formatOwnRecord(record))}\n`;
      if (piece.length < pieceLength) continue;
      clock.start();
      yield piece;
      clock.stop();
      clock.moved(piece.length);
      piece = '';
    }
    clock.start();
    if (piece !== '') yield piece;
  } catch (error) {
    fail(error);
  }
}

/** A record as its agency gets it, its members in DESIGN's order. An erased one is a line, too, so that nothing seems to be left out. */
function formatOwnRecord({ leafHash, index, entry, record }: OwnRecord): ExportedRecord {
  return {
    leafHash: formatHex(leafHash),
    index,
    entry: formatBase64url(entry),
    record: record === 'erased' ? null : formatRecord(record),
  };
}
