/** The HTTP application: which middleware every request passes, and which resources there are. */

import Router from '@koa/router';
import Koa, { type Middleware } from 'koa';
import type { Logger } from 'pino';
import { type AnchorParts, anchorRoutes } from './anchors.ts';
import { type BatchParts, batchRoutes } from './batch.ts';
import { drain } from './body.ts';
import { docsRoutes } from './docs.ts';
import { type DocumentParts, documentRoutes } from './document.ts';
import { type FaceParts, faceRoutes } from './face.ts';
import { commonFields, singleFields } from './headers.ts';
import { type HealthParts, healthRoutes } from './health.ts';
import { type LogParts, logRoutes } from './log.ts';
import { type PageParts, pageRoutes } from './page.ts';
import { problems, type Report } from './problems.ts';
import { type ProofParts, proofRoutes } from './proofs.ts';
import { type ReadingParts, readingRoutes } from './reading.ts';
import { type ReceiptParts, receiptRoutes } from './receipts.ts';
import { type RecordParts, recordRoutes } from './records.ts';
import { otherwise } from './routing.ts';
import { type StreamParts, streamRoutes } from './stream.ts';
import { type TileParts, tileRoutes } from './tiles.ts';
import { tracing } from './tracing.ts';

export type AppParts = RecordParts &
  BatchParts &
  ReadingParts &
  ReceiptParts &
  ProofParts &
  AnchorParts &
  LogParts &
  TileParts &
  HealthParts &
  DocumentParts &
  StreamParts &
  FaceParts &
  PageParts & {
    readonly log: Logger;
    /** Told of every error that is no refusal: `main` logs it and decides whether the service can go on. */
    readonly report: Report;
  };

/** Builds the HTTP application. It opens nothing and starts nothing: `main.ts` does. */
export function createApp(parts: AppParts): Koa {
  // One spelling per path: neither another case nor a slash at the end.
  const router = new Router({ sensitive: true, strict: true });
  recordRoutes(router, parts);
  batchRoutes(router, parts);
  readingRoutes(router, parts);
  receiptRoutes(router, parts);
  proofRoutes(router, parts);
  anchorRoutes(router, parts);
  logRoutes(router, parts);
  tileRoutes(router, parts);
  healthRoutes(router, parts);
  documentRoutes(router, parts);
  docsRoutes(router, parts);
  streamRoutes(router, parts);
  faceRoutes(router, parts);
  pageRoutes(router, parts);

  const app = new Koa();
  app.use(commonFields);
  app.use(tracing(parts));
  app.use(closeWhenStopping(parts.stopping));
  app.use(drain);
  app.use(problems(parts.report));
  app.use(singleFields);
  app.use(parts.limits.middleware);
  app.use(router.routes());
  app.use(otherwise);
  // What fails after `problems` has answered is the connection: the caller is gone.
  app.on('error', error => parts.log.debug({ err: error }, 'connection lost'));
  return app;
}

/** Once the service is stopping, an answer is the last one on its connection. */
function closeWhenStopping(stopping: AbortSignal): Middleware {
  return async (ctx, next) => {
    await next();
    if (stopping.aborted) ctx.set('Connection', 'close');
  };
}
