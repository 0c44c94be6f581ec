/**
 * Holding receipts against a trust file before they are kept. What a service says of an anchor is its word; a receipt that was kept on
 * it would seem complete for ever, and nobody would ask again.
 */

import { formatHex, utf8 } from '../../merkle/bytes.ts';
import { formatReceipt, type Receipt } from '../../merkle/receipt.ts';
import { type Block, type ChainRules, type VerifyHeaders, verifyHeaders } from '../../merkle/seals.ts';
import type { VerifySignature } from '../../merkle/signature.ts';
import type { Trust } from '../../merkle/trust.ts';
import { verifyReceipt } from '../../merkle/verification.ts';

/** What receipts are held against. Without a trust file they are taken as the service gives them. */
export type Judging = {
  readonly trust?: Trust | undefined;
  /** Checks statements' signatures; by default the core's own code does. */
  readonly verify?: VerifySignature | undefined;
};

/** Headers take some kilobytes, and receipts in the order of the log lean on one block after another. */
const blocksKept = 16;

/** Judges receipts under one trust file. Each is judged whole, but the seals of a block once: they cost more than all the rest. */
export class Judge {
  readonly #trust: Trust;
  readonly #verify: VerifySignature | undefined;
  readonly #blocks = new Map<string, { readonly rules: ChainRules; readonly block: Block }>();

  constructor(trust: Trust, verify?: VerifySignature) {
    this.#trust = trust;
    this.#verify = verify;
  }

  /** @throws {ReceiptError} if it does not match; one that is not yet anchored is no failure */
  async require(receipt: Receipt): Promise<void> {
    await verifyReceipt(utf8(formatReceipt(receipt)), this.#trust, this.#verify, this.#seals);
  }

  readonly #seals: VerifyHeaders = (rules, headers) => {
    const name = headers.map(formatHex).join(' ');
    const known = this.#blocks.get(name);
    // The same headers may stand for another chain, with other validators.
    if (known?.rules === rules) return known.block;
    const block = verifyHeaders(rules, headers);
    this.#blocks.set(name, { rules, block });
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > blocksKept && oldest !== undefined) this.#blocks.delete(oldest);
    return block;
  };
}

/** Judges by a trust file, or, where there is none, not at all. */
export function judgeBy({ trust, verify }: Judging): Judge | undefined {
  return trust === undefined ? undefined : new Judge(trust, verify);
}
