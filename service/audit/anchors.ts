/**
 * The service's list of anchors against the chain's own: nothing left out, nothing invented, each with the checkpoint and the evidence
 * with which its receipts are proved (DESIGN 3.5).
 *
 * A receipt is of the first anchor that covers its entry, so each anchor must come with the checkpoint of its very size. What an earlier
 * audit went through must still be listed as the chain has it; its signature and its evidence are not verified a second time.
 */

import { equalBytes, formatHex, formatHex0x } from '../../merkle/bytes.ts';
import { readCheckpoint } from '../../merkle/checkpoint.ts';
import { formatTime } from '../../merkle/entry.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { verifyHeaders } from '../../merkle/seals.ts';
import { type SignedCheckpoint, verifyAnchor, verifyCheckpoint } from '../../merkle/steps.ts';
import { NodeBag } from '../../merkle/trie.ts';
import type { Trust, TrustedLog } from '../../merkle/trust.ts';
import type { ChainAnchor, ChainView } from './chain-view.ts';
import type { FindingCode, Report } from './findings.ts';
import { describeListed, type ListedAnchor, type Source } from './sources.ts';

/** How long the service may take to see an anchor final, gather its evidence and list it. */
const listingDelayMs = 120_000;

/** So many anchors may come that the view of the chain does not have: a log that is anchored every minute has them in a week. */
const unknownMax = 10_000;

export type AnchorParts = {
  readonly source: Source;
  readonly trust: Trust;
  readonly log: TrustedLog;
  /** Without it, only what stands by itself is checked. */
  readonly chain: ChainView | undefined;
  /** Anchors of this size and smaller were gone through by an earlier audit. */
  readonly after: number;
  /** Anchors of larger sizes are beyond this audit. */
  readonly upTo: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: Report;
  /** Told of every checkpoint that the log has signed. */
  readonly seen: (note: string, signed: SignedCheckpoint) => void;
};

/** Goes through the list. Gives how many anchors it has. @throws {CouldNotCheck} */
export async function auditAnchors(parts: AnchorParts): Promise<number> {
  const { chain, upTo, report } = parts;
  const expected = (chain?.anchors ?? []).filter(({ size }) => size <= upTo);
  const missing = new Map(expected.map(anchor => [anchor.size, anchor]));
  let count = 0;
  let unknown = 0;
  for await (const item of listedAnchors(parts)) {
    count++;
    const anchor = missing.get(item.size);
    missing.delete(item.size);
    judgeListed(parts, item, anchor);
    if (anchor !== undefined || chain === undefined || ++unknown < unknownMax) continue;
    report({
      code: 'ANCHOR_LIST_MALFORMED',
      place: { size: item.size },
      message: `the list has ${unknown} anchors that the chain does not have, and goes on`,
      proof: { listed: describeListed(item) },
    });
    return count;
  }
  for (const anchor of missing.values()) {
    if (parts.now() - anchor.blockTime * 1000 < listingDelayMs) continue;
    report({
      code: 'ANCHOR_OMITTED',
      place: { size: anchor.size, block: anchor.block },
      message: `the anchor of size ${anchor.size}, in block ${anchor.block} of ${formatTime(anchor.blockTime * 1000)}, is not listed`,
      proof: { transaction: formatHex0x(anchor.transaction), root: formatHex(anchor.root) },
    });
  }
  return count;
}

/** All pages, as long as each goes on from the one before. */
async function* listedAnchors({ source, upTo, report }: AnchorParts): AsyncGenerator<ListedAnchor> {
  for (let last = 0; ; ) {
    const { items, hasMore } = await source.anchors(last);
    for (const item of items) {
      if (item.size <= last) {
        report({
          code: 'ANCHOR_LIST_MALFORMED',
          place: { size: item.size },
          message: `the list has size ${item.size} where more than ${last} was asked for`,
          proof: { listed: describeListed(item) },
        });
        return;
      }
      if (item.size > upTo) return;
      last = item.size;
      yield item;
    }
    if (!hasMore) return;
    if (items.length > 0) continue;
    report({
      code: 'ANCHOR_LIST_MALFORMED',
      place: { size: last },
      message: `the page after size ${last} is empty, and says that there is more`,
      proof: {},
    });
    return;
  }
}

function judgeListed(parts: AnchorParts, item: ListedAnchor, anchor: ChainAnchor | undefined): void {
  const { chain, report } = parts;
  const { size, block } = item;
  const fault = (code: FindingCode, message: string): void =>
    report({ code, place: { size, block }, message, proof: { listed: describeListed(item) } });

  if (chain !== undefined && anchor === undefined && !mayBeNewer(item, chain, parts.now()))
    return void fault(
      'ANCHOR_INVENTED',
      `the chain has no anchor of size ${size} up to block ${chain.final.number}`,
    );
  if (anchor !== undefined && chain !== undefined)
    for (const difference of differences(item, anchor, chain)) fault('ANCHOR_DIFFERS', difference);

  if (size <= parts.after) return void judgeAgain(item, fault);
  let signed: SignedCheckpoint;
  try {
    signed = verifyCheckpoint(item.checkpoint, parts.trust);
  } catch (error) {
    return void fault(
      'CHECKPOINT_INVALID',
      `the checkpoint of the anchor of size ${size}: ${refusal(error)}`,
    );
  }
  if (signed.log !== parts.log)
    return void fault('CHECKPOINT_INVALID', `the checkpoint of the anchor of size ${size} is another log's`);
  parts.seen(item.checkpoint, signed);
  const { checkpoint } = signed;
  if (checkpoint.size !== size || !equalBytes(checkpoint.root, item.root))
    fault(
      'ANCHOR_DIFFERS',
      `the anchor of size ${size} comes with the checkpoint of size ${checkpoint.size} and root ${formatHex(checkpoint.root)}`,
    );
  else judgeEvidence(parts, item, signed, fault);
}

/** Whether the chain may have it in a block that we have not read: later than that of every smaller anchor, and not of the future. */
function mayBeNewer({ size, block, blockTime }: ListedAnchor, { anchors, final }: ChainView, now: number) {
  const newest = Math.max(now, final.time * 1000) + listingDelayMs;
  return block > final.number && size > (anchors.at(-1)?.size ?? 0) && Date.parse(blockTime) <= newest;
}

/** What is left to look at where an earlier audit has verified the rest. */
function judgeAgain(
  { size, root, checkpoint }: ListedAnchor,
  fault: (code: FindingCode, message: string) => void,
): void {
  try {
    const signed = readCheckpoint(checkpoint);
    if (signed.size !== size || !equalBytes(signed.root, root))
      fault('ANCHOR_DIFFERS', `the anchor of size ${size} comes with the checkpoint of size ${signed.size}`);
  } catch (error) {
    fault('CHECKPOINT_INVALID', `the checkpoint of the anchor of size ${size}: ${refusal(error)}`);
  }
}

function* differences(item: ListedAnchor, anchor: ChainAnchor, chain: ChainView): Generator<string> {
  const where = `the anchor of size ${item.size}`;
  if (!equalBytes(item.root, anchor.root))
    yield `${where} is listed with root ${formatHex(item.root)}, the chain has ${formatHex(anchor.root)}`;
  if (item.block !== anchor.block)
    yield `${where} is listed in block ${item.block}, the chain has it in block ${anchor.block}`;
  else if (chain.blockByHash(item.blockHash)?.number !== anchor.block)
    yield `${where} is listed in block ${formatHex0x(item.blockHash)}, which is not block ${anchor.block}`;
  const time = formatTime(anchor.blockTime * 1000);
  if (item.blockTime !== time)
    yield `${where} is listed with block time ${item.blockTime}, the chain has ${time}`;
  if (!equalBytes(item.transaction, anchor.transaction))
    yield `${where} is listed with transaction ${formatHex0x(item.transaction)}, the chain has ${formatHex0x(anchor.transaction)}`;
}

function judgeEvidence(
  { log, now }: AnchorParts,
  item: ListedAnchor,
  signed: SignedCheckpoint,
  fault: (code: FindingCode, message: string) => void,
): void {
  const { size, evidence, blockTime } = item;
  if (evidence === null) {
    // Not yet final for the service.
    if (now() - Date.parse(blockTime) >= listingDelayMs)
      fault('EVIDENCE_INVALID', `the anchor of size ${size}, of ${blockTime}, has no evidence yet`);
    return;
  }
  try {
    const block = verifyHeaders(log.chain, evidence.headers);
    const bag = new NodeBag(evidence.nodes);
    verifyAnchor(bag, block, signed);
    bag.finish();
  } catch (error) {
    fault('EVIDENCE_INVALID', `the evidence of the anchor of size ${size}: ${refusal(error)}`);
  }
}

/** Why something is refused. Any other error is our own fault. */
function refusal(error: unknown): string {
  if (error instanceof FormatError || error instanceof ProofError) return error.message;
  throw error;
}
