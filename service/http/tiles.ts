/** `GET /log/checkpoint` and `/log/tile/…`: the log as C2SP static files (tlog-tiles), as far as it is signed. */

import type Router from '@koa/router';
import { FormatError } from '../../merkle/errors.ts';
import { formatBundle, formatTile, parseTilePath, tileWidth, tileWidthAt } from '../../merkle/tiles.ts';
import { LedgerError } from '../errors.ts';
import type { Ledger } from '../ledger.ts';
import { answer } from './answers.ts';
import { noQuery } from './query.ts';

export type TileParts = { readonly ledger: Pick<Ledger, 'signed' | 'read'> };

export function tileRoutes(router: Router, { ledger }: TileParts): void {
  router.get('/log/checkpoint', noQuery, ctx => {
    answer(ctx, 'text/plain; charset=utf-8', ledger.signed().checkpoint, 'no-cache');
  });

  router.get('/log/tile/*rest', noQuery, async ctx => {
    const file = parsePath(ctx.path.slice('/log/'.length));
    const { level, index, width } = file.kind === 'tile' ? file.tile : { ...file, level: 0 };
    // A narrower tile is the beginning of the one that there is: it was whole when the log was smaller, and never changes.
    if (width > tileWidthAt(level, index, ledger.signed().size)) throw notThere();

    const from = index * tileWidth;
    const content =
      file.kind === 'tile'
        ? formatTile(await ledger.read.tile(file.tile))
        : formatBundle(await ledger.read.entries(from, from + width));
    answer(ctx, 'application/octet-stream', content, 'immutable');
  });
}

/** To a reader of static files, a name that no file can have is a file that is not there. */
function parsePath(path: string): ReturnType<typeof parseTilePath> {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof FormatError) throw notThere();
    throw error;
  }
}

function notThere(): LedgerError {
  return new LedgerError('RESOURCE_NOT_FOUND', 'the signed log has no such tile or bundle');
}
