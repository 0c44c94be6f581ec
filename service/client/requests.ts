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

/** Whether the same may go through later. A log that is closed or forked takes no more records however long one waits. */
export function isOutage({ status, name }: { readonly status: number; readonly name: string }): boolean {
  return (
    (status === 408 || status === 429 || status >= 500) && name !== 'log-closed' && name !== 'log-forked'
  );
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
