/** The time limit of a request: how long its sender may take for what the service waits for. */

import type { IncomingMessage } from 'node:http';

const deadlines = new WeakMap<IncomingMessage, Deadline>();

/** A clock that runs while a sender is waited for, and cuts off one who is too slow. */
export class Deadline {
  readonly limitMs: number;
  readonly #onLate: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number, onLate: () => void) {
    this.limitMs = limitMs;
    this.#onLate = onLate;
  }

  /** Starts it, unless it runs already. */
  start(): void {
    this.#timer ??= setTimeout(this.#onLate, this.limitMs).unref();
  }

  /** Stops it. The next start gives the whole time again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Gives a request so long for its body. Node's own limit is one for all requests, and an upload that is read and answered line by
 * line may go on for hours: there the limit holds until its first line is there, and `patience.ts` takes over.
 */
export function limitRequest(req: IncomingMessage, limitMs: number, onLate: () => void): void {
  const deadline = new Deadline(limitMs, () => {
    if (!req.complete) onLate();
  });
  deadlines.set(req, deadline);
  deadline.start();
  req.once('end', () => deadline.stop());
  req.once('close', () => deadline.stop());
}

/** The deadline of a request, for whoever reads its body in parts. */
export function deadlineOf(req: IncomingMessage): Deadline {
  const deadline = deadlines.get(req);
  if (deadline === undefined) throw new Error('the request has no deadline');
  return deadline;
}
