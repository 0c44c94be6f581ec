/** The service as an agency's program asks it: submits statements, checks what it is told, and gets receipts. */

import { equalBytes, formatHex, utf8 } from '../../merkle/bytes.ts';
import { originLine } from '../../merkle/checkpoint.ts';
import { ProofError } from '../../merkle/errors.ts';
import type { Jwk } from '../../merkle/jwk.ts';
import { formatReceipt, parseReceipt, type Receipt } from '../../merkle/receipt.ts';
import { parseStatement } from '../../merkle/statement.ts';
import { leafHash } from '../../merkle/tree.ts';
import { verifyInclusion } from '../../merkle/verify.ts';
import { recordedAs } from './acknowledgement.ts';
import { type AboutLog, readAbout, readAnswer, readable, readProvedAcknowledged } from './answers.ts';
import { UnavailableError } from './errors.ts';
import { type Judging, judgeBy } from './judge.ts';
import { Requests } from './requests.ts';
import { type Clock, realClock } from './retry.ts';
import { requireOrigin } from './tiles.ts';

export { RefusedError, UnavailableError } from './errors.ts';

/** What a submission gives: a receipt that is complete but for the anchor, and whether the record was new. */
export type Submitted = { readonly receipt: Receipt; readonly leafHash: Uint8Array; readonly isNew: boolean };

export class LedgerClient {
  /** How the service is asked, for what is built on this. */
  readonly requests: Requests;
  readonly clock: Clock;

  /**
   * @param url where the service is, such as `http://127.0.0.1:8080`
   * @param options.timeoutMs how long an answer may take
   */
  constructor(
    url: string,
    { timeoutMs = 90_000, clock = realClock }: { readonly timeoutMs?: number; readonly clock?: Clock } = {},
  ) {
    this.requests = new Requests(url, timeoutMs);
    this.clock = clock;
  }

  /** What the log says of itself. @throws {UnavailableError} */
  async about(): Promise<AboutLog> {
    const { body } = await this.requests.text('/v1/log');
    return readAnswer(this.requests.base, body, readAbout);
  }

  /**
   * Submits a statement over one event. What the service answers is not believed: the entry is made again from what was sent, and
   * must be in the tree of the checkpoint that came with it. Sending the same event again is safe at any time.
   *
   * @param key the public key that signed
   * @param waitS seconds to wait for the anchor before the answer comes
   * @throws {RefusedError} if the statement cannot be accepted; {UnavailableError} if it is unknown whether it was;
   *   {ProofError} if the answer does not prove what it claims
   */
  async submit(statement: string, key: Jwk, { waitS = 0 } = {}): Promise<Submitted> {
    const headers = { 'content-type': 'application/jose', ...(waitS > 0 ? { prefer: `wait=${waitS}` } : {}) };
    const init = { method: 'POST', headers, body: statement };
    const { status, body } = await this.requests.text('/v1/records', init);
    const answer = readAnswer(this.requests.base, body, readProvedAcknowledged);
    const { aud, payload } = parseStatement(statement);
    const recorded = await recordedAs({ statement, key, event: payload }, answer, aud);

    const { checkpoint } = answer;
    const { index, path } = answer.inclusion;
    const { size, root } = requireOrigin(checkpoint, aud);
    verifyInclusion({ index, size, leafHash: recorded.leafHash, path, root });
    return {
      receipt: {
        entry: recorded.entry,
        inclusion: { index, path },
        checkpoint,
        evidence: null,
        record: recorded.record,
      },
      leafHash: recorded.leafHash,
      isNew: status === 201,
    };
  }

  /** The receipt as the service has it now, without the record. @throws {RefusedError} if there is no such entry; {ProofError} if it is none */
  async receipt(hash: Uint8Array): Promise<Receipt> {
    const { body } = await this.requests.text(`/v1/records/${formatHex(hash)}/receipt`);
    return readable('receipt', () => parseReceipt(utf8(body)));
  }

  /**
   * The newest receipt for a kept one, completed with the record that was kept. Without a trust file its anchor is the service's word.
   * @throws {ReceiptError} if it does not match the trust file; {ProofError} if the service answers with another entry, or does not prove that it is in the same log
   */
  async complete(kept: Receipt, judging: Judging = {}): Promise<Receipt> {
    const fresh = await this.receipt(leafHash(kept.entry));
    if (!equalBytes(fresh.entry, kept.entry))
      throw new ProofError('the service answered with the receipt of another entry');
    const { size, root } = requireOrigin(fresh.checkpoint, originLine(kept.checkpoint));
    verifyInclusion({ ...fresh.inclusion, size, root, leafHash: leafHash(fresh.entry) });
    const receipt = kept.record === undefined ? fresh : { ...fresh, record: kept.record };
    await judgeBy(judging)?.require(receipt);
    return receipt;
  }

  /**
   * Asks again, every second and for so long, until the receipt is complete: until the anchor is final. It may come back without
   * evidence; then it was too early. An outage in between is waited for, too.
   * @throws as `complete` does
   */
  async wait(kept: Receipt, { waitS, ...judging }: Judging & { readonly waitS: number }): Promise<Receipt> {
    const until = this.clock.now() + waitS * 1000;
    for (;;) {
      let pauseMs = 1000;
      try {
        const receipt = await this.complete(kept, judging);
        if (receipt.evidence !== null || this.clock.now() >= until) return receipt;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        pauseMs = Math.max(pauseMs, (error.retryAfterS ?? 0) * 1000);
        if (this.clock.now() + pauseMs > until) throw error;
      }
      await this.clock.sleep(pauseMs);
    }
  }
}

/** The receipt as the file that people keep: one JSON object, then a line feed. */
export function receiptFile(receipt: Receipt): string {
  return `${formatReceipt(receipt)}\n`;
}
