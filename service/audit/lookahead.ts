/** Work that is begun a little ahead of whoever takes its results, which come in their order: so little is ever held. */

/**
 * Begins at most `width` jobs before the first of them is taken.
 * @throws what a job throws, in its place in the order; what was begun after it is left to end by itself
 */
export async function* inOrder<T>(jobs: Iterable<() => Promise<T>>, width: number): AsyncGenerator<T> {
  const waiting = jobs[Symbol.iterator]();
  const begun: Promise<T>[] = [];
  const begin = (): void => {
    const { done, value } = waiting.next();
    if (done === true) return;
    const result = value();
    // Met by whoever takes it, and not before.
    result.catch(() => undefined);
    begun.push(result);
  };
  for (let i = 0; i < width; i++) begin();
  for (let next = begun.shift(); next !== undefined; next = begun.shift()) {
    begin();
    yield await next;
  }
}
