/**
 * Between the log and the chain: whether each entry's time, chain entry and key are what the chain allows (DESIGN 3.3, 3.7).
 *
 * An entry lies between two blocks: that of the last chain entry before it, and that of the first anchor that covers it. What no
 * anchor covers yet may rest on blocks newer than the view of the chain, so there an unknown key or block is not judged: the next
 * audit reads those entries again.
 */

import { formatBase64url, formatHex, formatHex0x } from '../../merkle/bytes.ts';
import { type Entry, formatTime, isRecord } from '../../merkle/entry.ts';
import { FormatError, ProofError } from '../../merkle/errors.ts';
import { noEnd } from '../../merkle/evidence.ts';
import { parseJwk, thumbprint } from '../../merkle/jwk.ts';
import { verifyKeyProof } from '../../merkle/keyproof.ts';
import { algorithmName } from '../../merkle/signature.ts';
import { clockToleranceMs } from '../../merkle/steps.ts';
import type { TrustedLog } from '../../merkle/trust.ts';
import type { ChainAnchor, ChainKey, ChainView } from './chain-view.ts';
import { keyName } from './figures.ts';
import type { Report } from './findings.ts';
import type { AnchorFigures, LogState } from './log-state.ts';

/** DESIGN 3.7: how long before its end a retirement stands on the chain. */
const noticeS = 120;

/** What the last chain entry says: the index it stands at, and the block. */
type ChainEntry = NonNullable<LogState['chainEntry']>;

export class Between {
  readonly #chain: ChainView;
  readonly #log: TrustedLog;
  readonly #report: Report;
  readonly #anchors: readonly ChainAnchor[];
  /** Position in the anchors of the first that covers the next entry. */
  #covering = 0;
  #chainEntry: ChainEntry | null;
  readonly #keys = new Map<string, ChainKey>();
  /** Keys met since the last `settle`, with the entry that showed them first. */
  #newKeys: { readonly id: string; readonly index: number }[] = [];
  /** Entries that no anchor covers and whose key or block is not in the view. */
  unjudged = 0;

  constructor(parts: {
    readonly chain: ChainView;
    readonly log: TrustedLog;
    readonly report: Report;
    readonly from: LogState | undefined;
  }) {
    this.#chain = parts.chain;
    this.#log = parts.log;
    this.#report = parts.report;
    this.#anchors = parts.chain.anchors;
    this.#chainEntry = parts.from?.chainEntry ?? null;
    // Known from before: their proofs were looked at then.
    for (const id of Object.keys(parts.from?.keys ?? {})) {
      const key = this.#find(id);
      if (key !== undefined) this.#keys.set(id, key);
    }
  }

  /** The last chain entry that names a block of this chain. */
  get chainEntry(): ChainEntry | null {
    return this.#chainEntry;
  }

  /** Judges the next entry. `bytes` are its 74. */
  judge(index: number, entry: Entry, bytes: Uint8Array): void {
    while ((this.#anchors[this.#covering]?.size ?? Number.POSITIVE_INFINITY) <= index) this.#covering++;
    const anchor = this.#anchors[this.#covering];
    if (entry.kind === 'chain') this.#judgeChainEntry(index, entry, bytes, anchor !== undefined);
    const { time } = entry;
    const lower = this.#chainEntry;
    if (lower !== null && time < lower.blockTime * 1000 - clockToleranceMs)
      this.#report({
        code: 'ENTRY_BACKDATED',
        place: { index, block: lower.block },
        message: `entry ${index} is of ${formatTime(time)}, after chain entry ${lower.index} with a block of ${formatTime(lower.blockTime * 1000)}`,
        proof: { entry: formatHex(bytes) },
      });
    if (anchor !== undefined && time > anchor.blockTime * 1000 + clockToleranceMs)
      this.#report({
        code: 'ENTRY_POSTDATED',
        place: { index, size: anchor.size, block: anchor.block },
        message: `entry ${index} is of ${formatTime(time)}, and was anchored in a block of ${formatTime(anchor.blockTime * 1000)}`,
        proof: { entry: formatHex(bytes), transaction: formatHex0x(anchor.transaction) },
      });
    if (isRecord(entry.kind)) this.#judgeKey(index, entry, bytes, anchor !== undefined);
  }

  #judgeChainEntry(index: number, entry: Entry, bytes: Uint8Array, isCovered: boolean): void {
    const place = { index };
    const hash = formatHex0x(entry.commitment);
    const proof = { entry: formatHex(bytes) };
    const block = this.#chain.blockByHash(entry.commitment);
    if (block === undefined) {
      if (!isCovered) this.unjudged++;
      else
        this.#report({
          code: 'CHAIN_ENTRY_FOREIGN',
          place,
          message: `chain entry ${index} holds ${hash}, which is no block from the deployment up to block ${this.#chain.final.number}`,
          proof,
        });
      return;
    }
    const before = this.#chainEntry;
    if (before !== null && block.number <= before.block) {
      this.#report({
        code: 'CHAIN_ENTRY_NOT_LATER',
        place: { index, block: block.number },
        message: `chain entry ${index} holds block ${block.number}, chain entry ${before.index} block ${before.block}`,
        proof,
      });
      return;
    }
    this.#chainEntry = { index, block: block.number, blockTime: block.time };
  }

  #judgeKey(index: number, entry: Entry, bytes: Uint8Array, isCovered: boolean): void {
    const { time } = entry;
    const id = keyName(entry.keyId);
    const known = this.#keys.get(id);
    const key = known ?? this.#find(id);
    // Those that the chain does not have are not kept: an entry can name any number of them.
    if (known === undefined && key !== undefined) {
      this.#keys.set(id, key);
      this.#newKeys.push({ id, index });
    }
    const proof = () => ({ entry: formatHex(bytes) });
    if (key === undefined) {
      if (!isCovered) this.unjudged++;
      else
        this.#report({
          code: 'KEY_UNKNOWN',
          place: { index },
          message: `entry ${index} stands under the key ${formatBase64url(entry.keyId)}, which is not registered`,
          proof: proof(),
        });
      return;
    }
    if (time < key.validFrom * 1000 || time >= key.validUntil * 1000) {
      const until = key.validUntil === noEnd ? 'without end' : `until ${formatTime(key.validUntil * 1000)}`;
      this.#report({
        code: 'KEY_NOT_VALID',
        place: { index },
        message: `entry ${index} is of ${formatTime(time)}, its key is valid from ${formatTime(key.validFrom * 1000)} ${until}`,
        proof: { ...proof(), jwk: formatBase64url(key.jwk) },
      });
      return;
    }
    const [retirement] = key.retirements;
    if (retirement !== undefined && time > (retirement.blockTime + noticeS) * 1000)
      this.#report({
        code: 'KEY_USED_AFTER_RETIREMENT',
        place: { index, block: retirement.block },
        message: `entry ${index} is of ${formatTime(time)}, its key was retired in a block of ${formatTime(retirement.blockTime * 1000)}`,
        proof: proof(),
      });
  }

  /** Judges the keys that came up since the last call: their registration, their agency, and how they were retired. */
  async settle(): Promise<void> {
    const keys = this.#newKeys;
    this.#newKeys = [];
    for (const { id, index } of keys) {
      const key = this.#keys.get(id);
      if (key !== undefined) await this.#judgeRegistration(id, key, index);
    }
  }

  async #judgeRegistration(id: string, key: ChainKey, index: number): Promise<void> {
    const place = { index, block: key.addedBlock, contract: 'KeyRegistry' };
    const proof = { keyId: id, jwk: formatBase64url(key.jwk), proof: key.proof };
    const { agency, retirements } = key;
    if (!this.#chain.agencies.has(agency))
      this.#report({
        code: 'AGENCY_UNKNOWN',
        place,
        message: `entry ${index} stands under a key of ${agency}, which is not registered`,
        proof,
      });
    const fault = await faultOfRegistration(id, key, this.#log);
    if (fault !== undefined)
      this.#report({
        code: 'KEY_PROOF_INVALID',
        place,
        message: `entry ${index} stands under a key of ${agency}: ${fault}`,
        proof,
      });
    let end = noEnd;
    for (const { block, blockTime, validUntil } of retirements) {
      if (validUntil > end || validUntil < blockTime + noticeS)
        this.#report({
          code: 'KEY_RETIREMENT_WITHOUT_NOTICE',
          place: { ...place, block },
          message: `a key of ${agency} was retired in block ${block} of ${blockTime} s to ${validUntil} s`,
          proof: { keyId: id },
        });
      end = validUntil;
    }
  }

  /** The records that an anchor is the first to cover waited too long, where they did. */
  judgeWait(anchor: AnchorFigures, limitMs: number): void {
    const { firstTime, blockTime, size, block } = anchor;
    if (firstTime === null) return;
    const waitedMs = blockTime * 1000 - firstTime;
    if (waitedMs > limitMs)
      this.#report({
        code: 'ANCHOR_GAP',
        place: { size, block },
        message: `the first record that the anchor of size ${size} covers waited ${Math.round(waitedMs / 1000)} s for it`,
        proof: {},
      });
  }

  #find(id: string): ChainKey | undefined {
    return this.#chain.key(new Uint8Array(Buffer.from(id, 'hex')));
  }
}

/** What is wrong with a key's registration, as the auditor sees it anew; undefined where nothing is. */
async function faultOfRegistration(id: string, key: ChainKey, log: TrustedLog): Promise<string | undefined> {
  try {
    const jwk = parseJwk(key.jwk);
    // The registry makes the id from the text that it was given: the same id is the same text.
    if (formatHex(thumbprint(jwk)) !== id) return 'its thumbprint is not its id';
    await verifyKeyProof(key.proof, {
      agency: key.agency,
      chainId: log.chain.chainId,
      registry: log.keyRegistry.address,
      algorithm: algorithmName(key.algorithm),
      jwk,
    });
    return undefined;
  } catch (error) {
    if (error instanceof FormatError || error instanceof ProofError) return error.message;
    throw error;
  }
}
