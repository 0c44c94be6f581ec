/** `GET /v1/anchors` and `/v1/anchors/{size}`: the roots that the registry has accepted, with what proves it. */

import type Router from '@koa/router';
import { formatBase64url, formatHex0x } from '../../merkle/bytes.ts';
import { formatTime } from '../../merkle/entry.ts';
import { type Evidence, formatEvidence } from '../../merkle/receipt.ts';
import { LedgerError } from '../errors.ts';
import { absoluteUrl, answerJson } from './answers.ts';
import type { Anchor, AnchorPage } from './openapi/answers.ts';
import { anchorsQuery, sizeParameter } from './parameters.ts';
import { noQuery, readOptionalQuery, readPath } from './query.ts';

/** One anchor as it is listed. */
export type ListedAnchor = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly block: number;
  readonly blockHash: Uint8Array;
  /** Seconds since 1970. */
  readonly blockTime: number;
  readonly transaction: Uint8Array;
  readonly checkpoint: string;
  /** The anchor registry's two walks; null until the anchor is final. */
  readonly evidence: Evidence | null;
};

export type AnchorParts = {
  readonly anchors: {
    /** Anchors of more than `size` entries, smallest first. */
    after(size: number, limit: number): Promise<readonly ListedAnchor[]>;
    at(size: number): Promise<ListedAnchor | undefined>;
  };
  readonly baseUrl?: string | undefined;
};

/** Anchors on one page. With evidence, one takes some ten kilobytes. */
const pageLength = 50;

export function anchorRoutes(router: Router, { anchors, baseUrl }: AnchorParts): void {
  router.get('/v1/anchors', async ctx => {
    // The cursor is the size of the last anchor seen: a page reads the same whatever has been anchored since.
    const { cursor = 0 } = readOptionalQuery(ctx, anchorsQuery);
    const page = await anchors.after(cursor, pageLength + 1);
    const items = page.slice(0, pageLength);
    const last = items.at(-1);
    const more = page.length > pageLength && last !== undefined;
    const next = more ? absoluteUrl(ctx, baseUrl, `/v1/anchors?cursor=${last.size}`) : null;
    const answered: AnchorPage = { items: items.map(formatAnchor), next };
    answerJson(ctx, answered, 'no-cache');
  });

  router.get('/v1/anchors/:size', noQuery, async ctx => {
    const anchor = await anchors.at(readPath(ctx, 'size', sizeParameter));
    if (anchor === undefined)
      throw new LedgerError('RESOURCE_NOT_FOUND', 'the log was not anchored at this size');
    answerJson(ctx, formatAnchor(anchor), anchor.evidence === null ? 'no-cache' : 'immutable');
  });
}

function formatAnchor(anchor: ListedAnchor): Anchor {
  return {
    size: anchor.size,
    root: formatBase64url(anchor.root),
    block: anchor.block,
    blockHash: formatHex0x(anchor.blockHash),
    blockTime: formatTime(anchor.blockTime * 1000),
    transaction: formatHex0x(anchor.transaction),
    checkpoint: anchor.checkpoint,
    evidence: anchor.evidence === null ? null : formatEvidence(anchor.evidence),
  };
}
