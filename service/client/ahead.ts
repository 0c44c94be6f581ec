/** Work on a stream's items ahead of whoever takes the results, so much at a time, with the results in the items' order. */

/**
 * Takes items and begins their work until so many results wait to be taken. What is done is given out, also while the next item is
 * still to come.
 *
 * @throws whatever the source or the work throws, in its place in the order
 */
export async function* ahead<T, R>(
  source: AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const results: Promise<R>[] = [];
  let isDone = false;
  let isStopped = false;
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const put = (result: Promise<R>): void => {
    // Met by whoever takes it, and not before.
    result.catch(() => undefined);
    results.push(result);
    tell();
  };
  const taking = async (): Promise<void> => {
    for await (const item of source) {
      put(work(item));
      while (results.length >= width && !isStopped) await changed.promise;
      if (isStopped) return;
    }
  };
  void taking()
    .catch(error => put(Promise.reject(error)))
    .finally(() => {
      isDone = true;
      tell();
    });

  try {
    for (;;) {
      const result = results.shift();
      if (result !== undefined) {
        tell();
        yield await result;
      } else if (isDone) return;
      else await changed.promise;
    }
  } finally {
    isStopped = true;
    tell();
  }
}
