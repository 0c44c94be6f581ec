/** The request's body: of the one media type, without encoding, no longer than allowed, and all of it. */

import type { Socket } from 'node:net';
import type { Context, Middleware } from 'koa';
import getRawBody from 'raw-body';
import { LedgerError } from '../errors.ts';

/** Lets a request pass whose body is of a media type, in UTF-8, and not compressed. */
export function bodyOf(mediaType: string): Middleware {
  const wanted = `send ${mediaType} without Content-Encoding`;
  return (ctx, next) => {
    // Some clients cannot help adding the charset to a text.
    const [type = '', ...parameters] = ctx
      .get('Content-Type')
      .toLowerCase()
      .split(';')
      .map(part => part.trim());
    if (type !== mediaType || parameters.some(parameter => !/^charset="?utf-8"?$/.test(parameter)))
      throw new LedgerError('MEDIA_TYPE_UNSUPPORTED', `the body is of another media type: ${wanted}`, {
        issues: [{ place: 'header Content-Type', message: `want ${mediaType}` }],
      });
    if (ctx.get('Content-Encoding') !== '')
      throw new LedgerError('MEDIA_TYPE_UNSUPPORTED', `the body has a content encoding: ${wanted}`, {
        issues: [{ place: 'header Content-Encoding', message: 'want none' }],
      });
    return next();
  };
}

/**
 * Reads the whole body.
 *
 * @throws {LedgerError} BODY_TOO_LARGE as soon as that shows; REQUEST_MALFORMED if it is empty or ends too early
 */
export async function readBody(ctx: Context, limitBytes: number): Promise<Uint8Array> {
  const length = ctx.request.length;
  try {
    const body = await getRawBody(ctx.req, {
      limit: limitBytes,
      ...(length === undefined ? {} : { length }),
    });
    if (body.length > 0) return body;
  } catch (error) {
    const type = error instanceof Error && 'type' in error ? error.type : undefined;
    if (type === 'entity.too.large')
      throw new LedgerError('BODY_TOO_LARGE', `the body has more than ${limitBytes} bytes`);
    if (type !== 'request.aborted' && type !== 'request.size.invalid') throw error;
    throw new LedgerError('REQUEST_MALFORMED', 'the body is not as long as the request says', {
      cause: error,
    });
  }
  throw new LedgerError('REQUEST_MALFORMED', 'the body is empty: send one statement');
}

/** Connections that have had their answer while the rest of a body is still coming. */
export const lingering = new WeakSet<Socket>();

/**
 * Reads away what is left of a body that nobody wanted, so that its sender comes to read the answer instead of a reset. The time
 * limit of a request holds for that, too.
 */
export const drain: Middleware = async (ctx, next) => {
  await next();
  const { req, res } = ctx;
  if (req.complete) return;
  res.once('finish', () => {
    // A body that is answered while it comes may be there by now.
    if (req.complete) return;
    lingering.add(req.socket);
    req.once('end', () => lingering.delete(req.socket));
    req.resume();
  });
};
