/** Judging a receipt for the page: the verdict as the command line gives it, and what a person wants to read beside it. */

import { formatBase64url, formatHex, utf8 } from '../../merkle/bytes.ts';
import { originLine } from '../../merkle/checkpoint.ts';
import { isRecord, parseEntry } from '../../merkle/entry.ts';
import { parseReceipt, type Receipt } from '../../merkle/receipt.ts';
import { parseStatement } from '../../merkle/statement.ts';
import { leafHash } from '../../merkle/tree.ts';
import { fingerprint, parseTrust, type Trust } from '../../merkle/trust.ts';
import { judgeReceipt, type Verification } from '../../merkle/verification.ts';
import { readEvent, type SignedEvent } from './event.ts';

/** A receipt and how it was found. */
export type Judgement = {
  readonly verification: Verification;
  /** What the receipt holds; null when it does not match, for then nothing in it is worth showing. */
  readonly content: Content | null;
};

export type Content = {
  readonly origin: string;
  /** The name that the trust file has for the agency. It is for display, and proves nothing. */
  readonly agencyName: string | null;
  /** The key's thumbprint as a statement spells it (`kid`); null for entries that no agency signs. */
  readonly keyId: string | null;
  /** Null in a proof-only receipt. */
  readonly event: SignedEvent | null;
};

/** What a page says of its trust file. */
export type TrustFacts = {
  /** SHA-256 in hexadecimal. */
  readonly fingerprint: string;
  readonly sequence: number;
  readonly issued: string;
  readonly origins: readonly string[];
};

/** A trust file that is in use. */
export type TrustState = {
  readonly text: string;
  readonly facts: TrustFacts;
  /** Whether the visitor brought it. */
  readonly isOwn: boolean;
};

/** Judges a receipt. Throws only for faults of our own: a receipt that does not match is a judgement. */
export async function judge(bytes: Uint8Array, trust: Trust): Promise<Judgement> {
  const verification = await judgeReceipt(bytes, trust);
  if (verification.facts === null) return { verification, content: null };
  return { verification, content: contentOf(parseReceipt(bytes), verification, trust) };
}

function contentOf(receipt: Receipt, { facts }: Verification, trust: Trust): Content {
  const { kind, keyId } = parseEntry(receipt.entry);
  const event = eventOf(receipt);
  return {
    origin: originLine(receipt.checkpoint),
    agencyName: (facts?.agency === undefined ? undefined : trust.agencies.get(facts.agency)) ?? null,
    keyId: isRecord(kind) ? formatBase64url(keyId) : null,
    event: event === undefined ? null : readEvent(event),
  };
}

/** The bytes of the event that was signed, where the receipt has them. */
export function eventOf({ record }: Receipt): Uint8Array | undefined {
  if (record === undefined) return undefined;
  return record.batch?.event ?? parseStatement(record.statement).payload;
}

/** The name under which everybody knows a receipt's record. */
export function leafHashOf(receipt: Receipt): string {
  return formatHex(leafHash(receipt.entry));
}

/** Reads a trust file. @throws {FormatError} if it is none */
export function readTrust(text: string): { readonly trust: Trust; readonly facts: TrustFacts } {
  const bytes = utf8(text);
  const trust = parseTrust(bytes);
  const { sequence, issued, logs } = trust;
  return {
    trust,
    facts: { fingerprint: fingerprint(bytes), sequence, issued, origins: logs.map(({ origin }) => origin) },
  };
}
