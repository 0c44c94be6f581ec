/** Groups as they come, of which the first can be looked at before it is taken: an upload ends before the one that is too much. */

import type { Group } from './groups.ts';

export class GroupSource {
  readonly #groups: AsyncIterator<Group>;
  readonly #stop: AbortSignal | undefined;
  #coming: Promise<void> | undefined;
  #first: Group | undefined;
  #fault: { readonly error: unknown } | undefined;
  #isDone = false;

  /** @param stop after it has aborted, nothing comes any more */
  constructor(groups: AsyncIterable<Group>, stop: AbortSignal | undefined) {
    this.#groups = groups[Symbol.asyncIterator]();
    this.#stop = stop;
  }

  /**
   * The next group, which stays the next one until it is taken; undefined where none comes any more, or not within a time.
   * @throws what the groups throw, at every look
   */
  async peek(withinMs?: number): Promise<Group | undefined> {
    if (this.#isStopped()) return undefined;
    if (this.#first === undefined && !this.#isDone && this.#fault === undefined) {
      this.#coming ??= this.#fetch();
      await this.#within(this.#coming, withinMs);
    }
    if (this.#isStopped()) return undefined;
    if (this.#fault !== undefined) throw this.#fault.error;
    return this.#first;
  }

  /** Takes the group that was looked at. */
  take(): void {
    this.#first = undefined;
  }

  /** Says that nothing more is wanted. */
  async close(): Promise<void> {
    // One that waits for its next item cannot be closed before that has come.
    if (this.#coming === undefined) await this.#groups.return?.();
  }

  async #fetch(): Promise<void> {
    try {
      const { done, value } = await this.#groups.next();
      if (done === true) this.#isDone = true;
      else this.#first = value;
    } catch (error) {
      this.#fault = { error };
    } finally {
      this.#coming = undefined;
    }
  }

  #isStopped(): boolean {
    return this.#stop?.aborted ?? false;
  }

  async #within(coming: Promise<void>, withinMs: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
    const stopped = () => resolve();
    this.#stop?.addEventListener('abort', stopped);
    await Promise.race([coming, promise]);
    this.#stop?.removeEventListener('abort', stopped);
    clearTimeout(timer);
  }
}
