/**
 * JSON-RPC over HTTP, as Ethereum nodes speak it: questions in batches, answers of a bounded size and time, each in its exact form.
 *
 * It is our own because what matters here is what a client does when a node misbehaves. Whatever is not an answer in its form (no
 * connection, a time-out, 429, 5xx, a page of HTML with status 200, a body without end, a JSON-RPC error) is `ChainUnreachable`:
 * the node has told us nothing about the chain, and the next question goes to the next node.
 */

import { z } from 'zod';

/** The chain gave no answer: try later, or elsewhere. Nothing is known about it that was not known before. */
export class ChainUnreachable extends Error {
  override readonly name: string = 'ChainUnreachable';
}

/** The node took the question and answered with a JSON-RPC error: whoever sent a transaction looks at what it says. */
export class ChainRefused extends ChainUnreachable {
  override readonly name = 'ChainRefused';
  /** What the node said, in full: it may carry the reason for a revert. */
  readonly answer: { readonly code: number; readonly message: string; readonly data?: unknown };

  constructor(method: string, answer: ChainRefused['answer']) {
    super(`${method} was answered with error ${answer.code}: ${abbreviateLine(answer.message)}`);
    this.answer = answer;
  }
}

/** The answer is longer than we read: ask for less at once. */
export class ChainAnswerTooLarge extends ChainUnreachable {
  override readonly name = 'ChainAnswerTooLarge';
}

/** What is wrong with what a node says: whose chain it is, a contract's code, a header, a state proof, or an event. */
export type ChainFault = 'chain' | 'code' | 'header' | 'proof' | 'event';

/** The node answered what is not so, or not about our chain. Nothing that it said is used. */
export class ChainWrong extends Error {
  override readonly name = 'ChainWrong';
  readonly fault: ChainFault;

  constructor(fault: ChainFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}

/** One call, with the form that its answer must have. */
export type Question<T> = {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly shape: z.ZodType<T>;
};

type Answers<Q extends readonly Question<unknown>[]> = {
  -readonly [K in keyof Q]: Q[K] extends Question<infer T> ? T : never;
};

/** Nodes bound the calls in one batch, commonly at 100 or more. */
const batchMax = 100;

export class Rpc {
  readonly #urls: readonly string[];
  readonly #timeoutMs: number;
  readonly #maxBytes: number;
  #current = 0;
  #lastId = 0;
  /** Requests that were answered, and that were not: for metrics. */
  readonly counts = { answered: 0, failed: 0 };

  /** @param options.urls one node or more, of one chain; the first is asked until it fails */
  constructor(options: {
    readonly urls: readonly string[];
    readonly timeoutMs?: number;
    readonly maxBytes?: number;
  }) {
    if (options.urls.length === 0) throw new Error('want at least one URL of a node');
    this.#urls = options.urls;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#maxBytes = options.maxBytes ?? 32 * 1024 * 1024;
  }

  /** Asks one question. @throws {ChainUnreachable} */
  async ask<T>(question: Question<T>): Promise<T> {
    const [answer] = await this.#answers([question]);
    return answer as T; // `#answers` gives one answer per question, parsed by its shape.
  }

  /** Asks several questions at once and gives their answers in order: all of them or none. @throws {ChainUnreachable} */
  async askAll<const Q extends readonly Question<unknown>[]>(questions: Q): Promise<Answers<Q>> {
    const answers: unknown[] = [];
    for (let at = 0; at < questions.length; at += batchMax) {
      answers.push(...(await this.#answers(questions.slice(at, at + batchMax))));
    }
    return answers as Answers<Q>; // As above.
  }

  /** Turns to the next node, for a caller who has found out that this one is wrong. */
  distrust(): void {
    this.#current = (this.#current + 1) % this.#urls.length;
  }

  async #answers(questions: readonly Question<unknown>[]): Promise<unknown[]> {
    const from = this.#current;
    try {
      const answers = await this.#request(questions);
      this.counts.answered++;
      return answers;
    } catch (error) {
      this.counts.failed++;
      // Of several questions that failed at the same time, the first turns to the next node.
      const isAnswer = error instanceof ChainRefused || error instanceof ChainAnswerTooLarge;
      if (from === this.#current && !isAnswer) this.distrust();
      throw error;
    }
  }

  async #request(questions: readonly Question<unknown>[]): Promise<unknown[]> {
    const requests = questions.map(({ method, params }) => ({
      jsonrpc: '2.0',
      id: ++this.#lastId,
      method,
      params,
    }));
    const [first] = requests;
    const what = questions.length === 1 ? (first?.method ?? '') : `${first?.method} and others`;
    const text = await this.#post(JSON.stringify(requests.length === 1 ? first : requests), what);
    const byId = readResponses(text, what);
    return questions.map(({ method, shape }, i) => {
      const response = byId.get(requests[i]?.id ?? 0);
      if (response === undefined) throw new ChainUnreachable(`${method} was not answered`);
      if (response.error != null) throw refusal(method, response.error);
      const parsed = shape.safeParse(response.result);
      if (parsed.success) return parsed.data;
      const place = parsed.error.issues[0]?.path.join('.') || 'result';
      throw new ChainUnreachable(`${method} was answered with something else: ${place} is not in its form`);
    });
  }

  async #post(body: string, what: string): Promise<string> {
    const url = this.#urls[this.#current] ?? '';
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      const text = await readBounded(response, this.#maxBytes, what);
      if (!response.ok)
        throw new ChainUnreachable(`${what} was answered with HTTP status ${response.status}`);
      return text;
    } catch (error) {
      if (error instanceof ChainUnreachable) throw error;
      // fetch rejects with TypeError for any fault of the network, and with what its signal gives.
      const timedOut = error instanceof Error && error.name === 'TimeoutError';
      const why = timedOut ? `gave no answer to ${what} in ${this.#timeoutMs} ms` : 'cannot be reached';
      // The address without path or query: providers put keys there.
      throw new ChainUnreachable(`${new URL(url).host} ${why}`, { cause: error });
    }
  }
}

async function readBounded(response: Response, maxBytes: number, what: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes)
      throw new ChainAnswerTooLarge(`${what} was answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const responseShape = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }).nullish(),
});
// A node that cannot read the request answers without its id.
const failureShape = z.object({ error: z.object({ code: z.number(), message: z.string() }) });

function readResponses(text: string, what: string): Map<number, z.infer<typeof responseShape>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ChainUnreachable(`${what} was answered with something that is not JSON`, { cause });
  }
  const responses = z.array(responseShape).safeParse(Array.isArray(json) ? json : [json]);
  if (responses.success) return new Map(responses.data.map(response => [response.id, response]));
  const failure = failureShape.safeParse(json);
  if (failure.success) throw refusal(what, failure.data.error);
  throw new ChainUnreachable(`${what} was answered with something that is not JSON-RPC`);
}

/** A node that is overloaded says so in many ways; that is no answer to the question (EIP-1474 has -32005 for it). */
function refusal(method: string, answer: ChainRefused['answer']): ChainUnreachable {
  const busy =
    answer.code === -32005 || answer.code === 429 || /rate limit|too many requests/i.test(answer.message);
  return busy
    ? new ChainUnreachable(`${method} was put off: ${abbreviateLine(answer.message)}`)
    : new ChainRefused(method, answer);
}

/** A foreign text for a line of a log: bounded, and nothing but printable ASCII. */
function abbreviateLine(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
}

/** A quantity: `0x0`, or hexadecimal without leading zeros. */
export const quantity = z
  .string()
  .regex(/^0x(0|[1-9a-f][0-9a-f]{0,63})$/)
  .transform(text => BigInt(text));

/** A quantity that is a safe integer: block numbers, nonces, times. */
export const integer = quantity.refine(value => value <= Number.MAX_SAFE_INTEGER).transform(Number);

/** Hexadecimal data of any length. */
export const data = z
  .string()
  .regex(/^0x([0-9a-fA-F]{2})*$/)
  .transform(text => Uint8Array.from(Buffer.from(text.slice(2), 'hex')));

/** Hexadecimal data of one length. */
export function dataOf(lengthBytes: number): z.ZodType<Uint8Array> {
  return data.refine(bytes => bytes.length === lengthBytes);
}

/** A number as a quantity. */
export function formatQuantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
