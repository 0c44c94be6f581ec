/** Completing a receipt that waits for its anchor, with what a service has of it by now; and what is said where that is nothing. */

import type { Waiting } from './check.ts';
import type { TrustState } from './judge.ts';
import { askReceipt, type NotSent } from './sent.ts';
import type { Completed } from './work.ts';
import type { Desk } from './worker.ts';

/** What it takes to check: the worker, the service (null where there is none), and how long to wait between two questions. */
export type Means = {
  readonly desk: Desk;
  readonly service: string | null;
  readonly pauseMs: number;
};

/** What is said of an anchor that is waited for when a service sends no receipt. */
const notSent = {
  'no-service': 'no-service',
  unreachable: 'unreachable',
  'not-found': 'not-found',
  'strange-answer': 'not-verified',
} as const satisfies Readonly<Record<NotSent, NonNullable<Waiting['last']>>>;

/** Asks once. What a service sends in vain spoils nothing: the receipt stays what it was. */
export async function complete(
  { desk, service }: Means,
  { receipt, leaf, trust }: { receipt: Uint8Array; leaf: string; trust: TrustState },
): Promise<Completed | NonNullable<Waiting['last']>> {
  const sent = await askReceipt(service, leaf);
  if (typeof sent === 'string') return notSent[sent];
  const completed = await desk.do('complete', { receipt, sent, trust: trust.text }).catch(() => null);
  return completed === 'pending' ? 'not-yet' : (completed ?? 'not-verified');
}
