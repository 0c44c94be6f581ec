/** `GET /v1/records/{leafHash}/receipt`: the file that a citizen keeps, without the record. */

import type Router from '@koa/router';
import { formatReceipt } from '../../merkle/receipt.ts';
import { LedgerError } from '../errors.ts';
import type { Receipts } from '../receipts.ts';
import { answer } from './answers.ts';
import { leafHashText, noQuery, readPath } from './query.ts';

export type ReceiptParts = { readonly receipts: Pick<Receipts, 'receipt'> };

export function receiptRoutes(router: Router, { receipts }: ReceiptParts): void {
  router.get('/v1/records/:leafHash/receipt', noQuery, async ctx => {
    const leafHash = readPath(ctx, 'leafHash', leafHashText);
    const receipt = await receipts.receipt(leafHash);
    if (receipt === undefined)
      throw new LedgerError('RECORD_NOT_FOUND', 'no entry of this log has this leaf hash');
    // With evidence it never changes again; without, the next request may find more.
    const caching = receipt.evidence === null ? 'no-cache' : 'immutable';
    ctx.set('Vary', 'Authorization');
    answer(ctx, 'application/vnd.zegel.receipt+json', formatReceipt(receipt), caching);
  });
}
