/** `GET /health`, `/livez`, `/readyz` and `/metrics`: for operators and their machines. */

import type Router from '@koa/router';
import type { Metrics } from '../metrics.ts';
import type { Health } from '../vitals.ts';
import { answerNow } from './answers.ts';
import type { Liveness, Health as ToldHealth } from './openapi/answers.ts';
import { noQuery } from './query.ts';

export type HealthParts = { readonly health: () => Health; readonly metrics: Metrics };

export function healthRoutes(router: Router, { health, metrics }: HealthParts): void {
  router.get('/health', noQuery, ctx => {
    const { status, reasons } = health();
    const told: ToldHealth = { status, reasons: [...reasons] };
    answerNow(ctx, status === 'DOWN' ? 503 : 200, told);
  });

  // Alive: the process answers. Whoever restarts it because the chain is silent gains nothing.
  router.get('/livez', noQuery, ctx => {
    const told: Liveness = { status: 'UP' };
    answerNow(ctx, 200, told);
  });

  // Ready: requests may be sent here. A silent chain refuses submissions, with a reason, but reads must go on.
  router.get('/readyz', noQuery, ctx => {
    const down = health().status === 'DOWN';
    const told: Liveness = { status: down ? 'DOWN' : 'UP' };
    answerNow(ctx, down ? 503 : 200, told);
  });

  router.get('/metrics', noQuery, async ctx => {
    ctx.body = await metrics.text();
    ctx.set('Content-Type', metrics.contentType);
  });
}
