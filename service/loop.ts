/** A task that is done again and again, never twice at the same time. */

/** A running loop. */
export type Loop = {
  /** Starts no further round and waits for the one under way. */
  stop(): Promise<void>;
};

/**
 * Runs a task now and then again, each time so long after the last round has ended.
 *
 * @param onError told when a round fails: the loop has ended then
 */
export function repeat(
  intervalMs: number,
  task: () => Promise<void>,
  onError: (error: unknown) => void,
): Loop {
  const stopped = new AbortController();
  const { signal } = stopped;
  const run = async () => {
    while (!signal.aborted) {
      await task();
      await pause(intervalMs, signal);
    }
  };
  const running = run().catch(onError);
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** Waits, or less long if the signal comes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
