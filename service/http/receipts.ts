/** `GET /v1/records/{leafHash}/receipt`: the file that a citizen keeps; with the record for the agency that submitted it. */

import type Router from '@koa/router';
import { formatReceipt } from '../../merkle/receipt.ts';
import { LedgerError } from '../errors.ts';
import type { Reading } from '../reading.ts';
import type { Receipts } from '../receipts.ts';
import { answer } from './answers.ts';
import { leafHashParameter } from './parameters.ts';
import { noQuery, readPath } from './query.ts';

export type ReceiptParts = {
  readonly receipts: Pick<Receipts, 'receipt'>;
  readonly reading: Pick<Reading, 'admit' | 'receipt'>;
};

const mediaType = 'application/vnd.zegel.receipt+json';

export function receiptRoutes(router: Router, { receipts, reading }: ReceiptParts): void {
  router.get('/v1/records/:leafHash/receipt', noQuery, async ctx => {
    const leafHash = readPath(ctx, 'leafHash', leafHashParameter);
    ctx.set('Vary', 'Authorization');
    // A page on a disk, or on anybody's web site, may ask for what is public: the browser sends it no token along.
    ctx.set('Access-Control-Allow-Origin', '*');
    if (ctx.req.headers.authorization !== undefined) {
      const reader = await reading.admit(ctx.req.headers.authorization);
      ctx.body = formatReceipt(await reading.receipt(reader, leafHash));
      ctx.set('Content-Type', mediaType);
      return;
    }
    const receipt = await receipts.receipt(leafHash);
    if (receipt === undefined)
      throw new LedgerError('RECORD_NOT_FOUND', 'no entry of this log has this leaf hash');
    // With evidence it never changes again; without, the next request may find more.
    const caching = receipt.evidence === null ? 'no-cache' : 'immutable';
    answer(ctx, mediaType, formatReceipt(receipt), caching);
  });
}
