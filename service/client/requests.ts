/** Requests to the service: each within a time and a length, and with refusals told apart from outages. */

import { concatBytes, parseUtf8 } from '../../merkle/bytes.ts';
import { parseProblem, RefusedError, UnavailableError } from './errors.ts';

export type Answer = { readonly status: number; readonly bytes: Uint8Array };

const maxAnswerBytes = 4 << 20;

/** Where the service is, and how long it may take for an answer. */
export class Requests {
  /** Without a slash at its end. */
  readonly base: string;
  readonly #timeoutMs: number;

  constructor(url: string, timeoutMs: number) {
    this.base = url.replace(/\/+$/, '');
    this.#timeoutMs = timeoutMs;
  }

  /** Asks for a text. @throws as `bytes` does; {UnavailableError} also for what is not UTF-8 */
  async text(
    path: string,
    init: RequestInit = {},
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { status, bytes } = await this.bytes(path, init);
    try {
      return { status, body: parseUtf8(bytes) };
    } catch (cause) {
      throw new UnavailableError(`${this.base} does not answer`, undefined, cause);
    }
  }

  /** @throws {RefusedError} if the request cannot be answered as it is; {UnavailableError} if it may be later */
  async bytes(path: string, init: RequestInit = {}): Promise<Answer> {
    let response: Response;
    let bytes: Uint8Array;
    try {
      const signal = AbortSignal.timeout(this.#timeoutMs);
      response = await fetch(this.base + path, { ...init, redirect: 'error', signal });
      bytes = await readBody(response);
    } catch (cause) {
      throw new UnavailableError(`${this.base} does not answer`, undefined, cause);
    }
    if (response.ok) return { status: response.status, bytes };
    throw refusalOf(response.status, bytes, response.headers.get('retry-after'));
  }

  /**
   * Asks for a body of any length, of which no more is held than was read. The time holds for each part of it.
   * @throws as `bytes` does; the iteration {UnavailableError} where it is cut off
   */
  async stream(path: string, init: RequestInit = {}): Promise<AsyncIterable<Uint8Array>> {
    const wait = new Wait(this.#timeoutMs);
    wait.start();
    let response: Response;
    let refused: Uint8Array | undefined;
    try {
      response = await fetch(this.base + path, { ...init, redirect: 'error', signal: wait.signal });
      if (!response.ok) refused = await readBody(response);
    } catch (cause) {
      throw new UnavailableError(`${this.base} does not answer`, undefined, cause);
    } finally {
      wait.stop();
    }
    if (refused === undefined) return this.#parts(response, wait);
    throw refusalOf(response.status, refused, response.headers.get('retry-after'));
  }

  async *#parts({ body }: Response, wait: Wait): AsyncGenerator<Uint8Array> {
    wait.start();
    try {
      for await (const part of body ?? []) {
        // Who reads slowly waits for nobody.
        wait.stop();
        yield part;
        wait.start();
      }
    } catch (cause) {
      throw new UnavailableError(`the answer of ${this.base} was cut off`, undefined, cause);
    } finally {
      wait.stop();
    }
  }
}

/** A wait for the service, which is given up after a time. */
class Wait {
  readonly #late = new AbortController();
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#late.signal;
  }

  start(): void {
    this.#timer = setTimeout(() => this.#late.abort(new Error(`no answer in ${this.#ms} ms`)), this.#ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** What an answer that is no success means: a refusal, or an outage that may pass. */
export function refusalOf(
  status: number,
  body: Uint8Array,
  retryAfter: string | null | undefined,
): RefusedError | UnavailableError {
  const problem = parseProblem(status, new TextDecoder().decode(body));
  return isOutage(problem)
    ? new UnavailableError(problem.detail, parseRetryAfter(retryAfter))
    : new RefusedError(problem);
}

// A log that is closed or forked takes no more records however long one waits, and a service without a key for it gives none back.
const lasting = ['log-closed', 'log-forked', 'reading-off'];

/** Whether the same may go through later. */
export function isOutage({ status, name }: { readonly status: number; readonly name: string }): boolean {
  return (status === 408 || status === 429 || status >= 500) && !lasting.includes(name);
}

/** The seconds in a `Retry-After`. A date, which the field may also have (RFC 9110 section 10.2.3), is passed over: clocks differ. */
function parseRetryAfter(text: string | null | undefined): number | undefined {
  return /^[0-9]{1,6}$/.test(text ?? '') ? Number(text) : undefined;
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new Error(`the answer has more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}
