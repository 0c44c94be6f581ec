/**
 * The worker that does the arithmetic, so that the page never stands still. It runs the page's own script: that is whole in itself, so
 * the worker needs no second file, and the hash in the page's policy covers both. A browser that gives no worker does it all here.
 */

import { type TaskName, type Tasks, work } from './work.ts';

type Question = { readonly id: number; readonly name: TaskName; readonly given: unknown };
type Answer = { readonly id: number; readonly gives?: unknown; readonly fault?: string };

type Waiting = { readonly resolve: (gives: unknown) => void; readonly reject: (error: Error) => void };

/** How long a worker may take to come to life, milliseconds. */
const patienceMs = 5_000;

/** Does tasks one after another, wherever they are done. */
export class Desk {
  readonly #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #isThere: Promise<boolean> = Promise.resolve(false);
  #last = 0;

  /** @param script the page's own script, to run in the worker */
  constructor(script: string) {
    this.#worker = startWorker(script);
    if (this.#worker === undefined) return;
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#settle(data);
    this.#isThere = new Promise(resolve => {
      this.#waiting.set(0, { resolve: () => resolve(true), reject: () => resolve(false) });
    });
    const giveUp = () => {
      // It never came to life, or died: what waits is told, and what comes is done here.
      this.#worker?.terminate();
      this.#isThere = Promise.resolve(false);
      for (const { reject } of this.#waiting.values()) reject(new Error('the worker ended'));
      this.#waiting.clear();
    };
    this.#worker.onerror = giveUp;
    // Nor does every browser that gives none say so.
    setTimeout(() => this.#waiting.has(0) && giveUp(), patienceMs);
  }

  /** Does a task. Rejects with a plain Error for faults of our own, which say nothing about a receipt. */
  async do<N extends TaskName>(name: N, given: Tasks[N]['given']): Promise<Tasks[N]['gives']> {
    if (!(await this.#isThere)) return work[name](given);
    const id = ++this.#last;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#worker?.postMessage({ id, name, given } satisfies Question);
    // The worker runs the same script, in which this name gives this type.
    return (await answer) as Tasks[N]['gives'];
  }

  #settle({ id, gives, fault }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (fault === undefined) waiting?.resolve(gives);
    else waiting?.reject(new Error(fault));
  }
}

function startWorker(script: string): Worker | undefined {
  try {
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    return new Worker(trusted(url));
  } catch {
    // A browser may allow no worker in a file from the disk.
    return undefined;
  }
}

type TrustedTypes = {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): {
    createScriptURL(url: string): string;
  };
};

/** Where the page's policy forbids that texts become scripts, this is the one that may. */
function trusted(url: string): string {
  const types: TrustedTypes | undefined = Reflect.get(globalThis, 'trustedTypes');
  return types === undefined
    ? url
    : types.createPolicy('zegel', { createScriptURL: text => text }).createScriptURL(url);
}

/** The other end: answers every question, and first says that it is there. */
export function serveTasks(): void {
  const post = (answer: Answer): void => globalThis.postMessage(answer);
  globalThis.onmessage = async ({ data: { id, name, given } }: MessageEvent<Question>) => {
    try {
      // The other end is the same script: name and given belong together.
      post({ id, gives: await work[name](given as never) });
    } catch (error) {
      post({ id, fault: error instanceof Error ? error.message : String(error) });
    }
  };
  post({ id: 0 });
}
