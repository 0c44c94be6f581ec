/** What an agency's program imports: submits statements, checks what it is told, and gets receipts. */

import { z } from 'zod';
import { concatBytes, equalBytes, formatHex, parseBase64url, parseUtf8, utf8 } from '../../merkle/bytes.ts';
import { readCheckpoint } from '../../merkle/checkpoint.ts';
import { commitmentOf, formatEntry } from '../../merkle/entry.ts';
import { ProofError } from '../../merkle/errors.ts';
import { recordKind } from '../../merkle/event.ts';
import { JsonReader, parseJson } from '../../merkle/json.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import {
  formatReceipt,
  parseReceipt,
  type Receipt,
  type ReceiptRecord,
  readRecord,
} from '../../merkle/receipt.ts';
import { parseStatement } from '../../merkle/statement.ts';
import { leafHash } from '../../merkle/tree.ts';
import { verifyInclusion } from '../../merkle/verify.ts';

/** The service has refused: what was sent must be changed. Its problem document (RFC 9457) says what. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  /** The problem type's last part, such as `signature-invalid`. */
  readonly problem: string;
  readonly issues: readonly { readonly place: string; readonly message: string }[];

  constructor(status: number, problem: Problem) {
    super(problem.detail ?? problem.title ?? `the service answered ${status}`);
    this.status = status;
    this.problem = problem.type?.split(':').at(-1) ?? 'unknown';
    this.issues = problem.issues ?? [];
  }
}

/** The service could not be asked, or cannot answer now: the same call may go through later. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly retryAfterS: number | undefined;

  constructor(message: string, retryAfterS?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterS = retryAfterS;
  }
}

const problemShape = z.object({
  type: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  issues: z.array(z.object({ place: z.string(), message: z.string() })).optional(),
});
type Problem = z.infer<typeof problemShape>;

const acknowledgementShape = z.object({
  leafHash: z.string(),
  index: z.int().nonnegative(),
  time: z.iso.datetime(),
  salt: z.string(),
  inclusion: z.object({ index: z.int().nonnegative(), path: z.array(z.string()) }),
  checkpoint: z.string(),
  record: z.unknown().optional(),
});

const aboutShape = z.object({ origin: z.string(), logId: z.string(), verifierKey: z.string() });

/** What a submission gives: a receipt that is complete but for the anchor, and whether the record was new. */
export type Submitted = { readonly receipt: Receipt; readonly leafHash: Uint8Array; readonly isNew: boolean };

const maxAnswerBytes = 4 << 20;

export class LedgerClient {
  readonly #base: string;
  readonly #timeoutMs: number;

  /** @param url where the service is, such as `http://127.0.0.1:8080` */
  constructor(url: string, { timeoutMs = 90_000 }: { readonly timeoutMs?: number } = {}) {
    this.#base = url.replace(/\/$/, '');
    this.#timeoutMs = timeoutMs;
  }

  /** What the log says of itself. @throws {UnavailableError} */
  async about(): Promise<z.infer<typeof aboutShape>> {
    return this.#parse(aboutShape, (await this.#request('/v1/log')).body);
  }

  /**
   * Submits a statement over one event. What the service answers is not believed: the entry is made again from what was sent, and
   * must be in the tree of the checkpoint that came with it. Sending the same event again is safe at any time.
   *
   * @param waitS seconds to wait for the anchor before the answer comes
   * @throws {RefusedError} if the statement cannot be accepted; {UnavailableError} if it is unknown whether it was;
   *   {ProofError} if the answer does not prove what it claims
   */
  async submit(statement: string, key: Jwk, { waitS = 0 } = {}): Promise<Submitted> {
    const headers = { 'content-type': 'application/jose', ...(waitS > 0 ? { prefer: `wait=${waitS}` } : {}) };
    const { status, body } = await this.#request('/v1/records', { method: 'POST', headers, body: statement });
    const answer = this.#parse(acknowledgementShape, body);
    const salt = parseBase64url(answer.salt, 'salt');
    const { aud, payload } = parseStatement(statement);
    // A retry is answered with the record as it stands: the same event under an earlier signature, perhaps by another key.
    const record = answer.record === undefined ? { statement, salt, key } : recordIn(body);
    if (!equalBytes(record.batch?.event ?? parseStatement(record.statement).payload, payload)) {
      throw new ProofError('the answer is about another event than the one that was sent');
    }

    const entry = formatEntry({
      kind: recordKind(payload),
      time: Date.parse(answer.time),
      keyId: thumbprint(record.key),
      commitment: commitmentOf(record.salt, payload, record.statement),
    });
    const path = answer.inclusion.path.map((hash, i) => parseBase64url(hash, `inclusion.path[${i}]`));
    const {
      checkpoint,
      inclusion: { index },
    } = answer;
    const hash = leafHash(entry);
    if (formatHex(hash) !== answer.leafHash) {
      throw new ProofError(
        `the answer has leaf hash ${answer.leafHash}, what was sent gives ${formatHex(hash)}`,
      );
    }
    const { origin, size, root } = readCheckpoint(checkpoint);
    if (origin !== aud)
      throw new ProofError(`the answer has a checkpoint of "${origin}", the statement is for "${aud}"`);
    verifyInclusion({ index, size, leafHash: hash, path, root });
    return {
      receipt: { entry, inclusion: { index, path }, checkpoint, evidence: null, record },
      leafHash: hash,
      isNew: status === 201,
    };
  }

  /** The receipt as the service has it now, without the record. @throws {RefusedError} if there is no such entry */
  async receipt(hash: Uint8Array): Promise<Receipt> {
    return parseReceipt(utf8((await this.#request(`/v1/records/${formatHex(hash)}/receipt`)).body));
  }

  /**
   * The newest receipt for a kept one, completed with the record that was kept.
   * @throws {ProofError} if the service answers with another entry
   */
  async complete(kept: Receipt): Promise<Receipt> {
    const fresh = await this.receipt(leafHash(kept.entry));
    if (!equalBytes(fresh.entry, kept.entry))
      throw new ProofError('the service answered with the receipt of another entry');
    return kept.record === undefined ? fresh : { ...fresh, record: kept.record };
  }

  async #request(
    path: string,
    init: RequestInit = {},
  ): Promise<{ readonly status: number; readonly body: string }> {
    let response: Response;
    let body: string;
    try {
      response = await fetch(this.#base + path, {
        ...init,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      body = await readBody(response);
    } catch (cause) {
      throw new UnavailableError(`${this.#base} does not answer`, undefined, cause);
    }
    if (response.ok) return { status: response.status, body };

    const retryAfterS = Number(response.headers.get('retry-after') ?? Number.NaN);
    const problem = problemOf(body);
    if (response.status === 429 || response.status >= 500) {
      const why = problem.detail ?? problem.title ?? `status ${response.status}`;
      throw new UnavailableError(why, Number.isSafeInteger(retryAfterS) ? retryAfterS : undefined);
    }
    throw new RefusedError(response.status, problem);
  }

  #parse<T>(shape: z.ZodType<T>, body: string): T {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch (cause) {
      throw new UnavailableError(`${this.#base} does not answer in JSON`, undefined, cause);
    }
    const parsed = shape.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new UnavailableError(
      `${this.#base} is not a ledger of this kind: ${parsed.error.issues[0]?.message}`,
    );
  }
}

/** The record in an answer, in the one form that receipts have, too. */
function recordIn(body: string): ReceiptRecord {
  const reader = new JsonReader();
  const answer = parseJson(utf8(body));
  return reader.finish(
    readRecord(reader, answer instanceof Map ? answer.get('record') : undefined, 'record'),
  );
}

/** The receipt as the file that people keep: one JSON object, then a line feed. */
export function receiptFile(receipt: Receipt): string {
  return `${formatReceipt(receipt)}\n`;
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new Error(`the answer has more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return parseUtf8(concatBytes(...chunks));
}

function problemOf(body: string): Problem {
  try {
    return problemShape.parse(JSON.parse(body));
  } catch {
    return {};
  }
}
