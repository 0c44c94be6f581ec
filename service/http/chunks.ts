/** A body in chunks, as they come, whose reading can be ended at any moment, also while a chunk is waited for. */

import type { Readable } from 'node:stream';

/**
 * The chunks of a body, in order. Ending the iteration ends a wait for the next chunk with it, and leaves the body as it is: what was
 * read is still to be answered. It throws where the body breaks off.
 */
export function chunksOf(body: Readable): AsyncIterator<Uint8Array, undefined> {
  let hasEnded = false;
  let failure: Error | undefined;
  let wake = () => {};
  const look = () => wake();
  const fail = (error: Error) => {
    failure = error;
    wake();
  };
  body.on('readable', look).on('end', look).on('close', look).on('error', fail);

  const end = () => {
    hasEnded = true;
    body.off('readable', look).off('end', look).off('close', look).off('error', fail);
    wake();
  };
  return {
    async next() {
      while (!hasEnded) {
        const chunk: Uint8Array | null = body.destroyed ? null : body.read();
        if (chunk !== null) return { done: false, value: chunk };
        if (body.readableEnded) end();
        else if (body.destroyed) throw failure ?? new Error('the body breaks off');
        else
          await new Promise<void>(resolve => {
            wake = resolve;
          });
      }
      return { done: true, value: undefined };
    },
    async return() {
      end();
      return { done: true, value: undefined };
    },
  };
}
