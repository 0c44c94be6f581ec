/** `GET /v1/log/stream`: server-sent events (HTML, section 9.2) for those who watch the log: new sizes, anchors, health. */

import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { formatBase64url, formatHex0x, parseSafeInteger } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { type AnchorFaultCode, advice } from '../anchor-faults.ts';
import type { Beat, Condition, Position, Pulse, ShownAnchor } from '../pulse.ts';
import type { Limits } from './limits.ts';
import type { AnchorEvent, HealthEvent, SizeEvent } from './openapi/answers.ts';
import { noQuery } from './query.ts';
import { withoutHead } from './routing.ts';

export type StreamParts = {
  readonly pulse: Pick<Pulse, 'watch'>;
  readonly limits: Pick<Limits, 'partyOf' | 'beginStream'>;
  readonly stopping: AbortSignal;
};

/** Who does not read is cut off when so much waits for them, bytes: they come again and are told what they have missed. */
const waitingMaxBytes = 1 << 18;

/** After how many milliseconds a browser asks again when the stream has ended. */
const retryMs = 3_000;

export function streamRoutes(router: Router, { pulse, limits, stopping }: StreamParts): void {
  router.get('/v1/log/stream', noQuery, async ctx => {
    const { res } = ctx;
    const ended = new AbortController();
    // Before anything is waited for: a connection that has closed meanwhile does not say so again.
    res.once('close', () => ended.abort());
    const end = limits.beginStream(limits.partyOf(ctx.req));
    ended.signal.addEventListener('abort', end);
    try {
      const events = new Readable({ read: () => undefined });
      events.push(`retry: ${retryMs}\n\n`);
      const unwatch = await pulse.watch(lastSeen(ctx), (beat, position) => {
        if (events.readableLength > waitingMaxBytes) res.destroy();
        else events.push(formatBeat(beat, position));
      });
      const stop = () => {
        // Who reads slowly is still being sent what came before: after the end nothing may be said.
        unwatch();
        events.push(null);
      };
      const leave = () => {
        unwatch();
        stopping.removeEventListener('abort', stop);
        events.destroy();
      };
      if (ended.signal.aborted) return leave();
      ended.signal.addEventListener('abort', leave);
      stopping.addEventListener('abort', stop);
      if (stopping.aborted) stop();
      ctx.status = 200;
      ctx.set('Content-Type', 'text/event-stream');
      // Some proxies gather what comes until it is worth sending.
      ctx.set('X-Accel-Buffering', 'no');
      ctx.body = events;
    } catch (error) {
      end();
      throw error;
    }
  });
  withoutHead(router);
}

/** Where the caller stands. What is no identifier of ours is no fault: a browser would never ask again. */
function lastSeen(ctx: Context): Position | undefined {
  const [, signed, final] = /^(\d{1,16})-(\d{1,16})$/.exec(ctx.get('Last-Event-ID')) ?? [];
  const position = { signed: parseSafeInteger(signed ?? ''), final: parseSafeInteger(final ?? '') };
  return position.signed === undefined || position.final === undefined
    ? undefined
    : { signed: position.signed, final: position.final };
}

/** A beat as it goes over the wire. */
function formatBeat(beat: Beat, { signed, final }: Position): string {
  if (beat.kind === 'rest') return ':\n\n';
  return `event: ${beat.kind}\nid: ${signed}-${final}\ndata: ${JSON.stringify(dataOf(beat))}\n\n`;
}

function dataOf(beat: Exclude<Beat, { readonly kind: 'rest' }>): SizeEvent | AnchorEvent | HealthEvent {
  switch (beat.kind) {
    case 'size':
      return { time: formatTime(beat.now), sizes: beat.sizes, minutes: [...beat.minutes] };
    case 'anchor':
      return formatShownAnchor(beat.anchor);
    case 'health':
      return formatCondition(beat.condition);
  }
}

function formatShownAnchor(anchor: ShownAnchor): AnchorEvent {
  return {
    size: anchor.size,
    root: formatBase64url(anchor.root),
    block: anchor.block,
    blockHash: formatHex0x(anchor.blockHash),
    blockTime: formatTime(anchor.blockTime * 1000),
    transaction: formatHex0x(anchor.transaction),
    lagMs: anchor.lagMs ?? null,
  };
}

export function formatCondition({ status, reasons, waitingSince }: Condition): HealthEvent {
  return {
    status,
    reasons: [...reasons],
    chain: chainState(reasons),
    waitingSince: waitingSince === null ? null : formatTime(waitingSince),
  };
}

/** What the reasons say about the chain: the node's silence is one thing, anchors that don't come about another. */
function chainState(reasons: Condition['reasons']): HealthEvent['chain'] {
  if (reasons.some(reason => reason === 'CHAIN_SILENT' || reason === 'CHAIN_UNREACHABLE')) return 'silent';
  const isTrouble = (reason: string) =>
    reason === 'ANCHOR_LATE' || Object.hasOwn(advice, reason as AnchorFaultCode);
  return reasons.some(isTrouble) ? 'trouble' : 'good';
}
