/** `GET /verify`: the citizen's page. `GET /verify.html` is the same as a file to keep, which works from a disk. */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { type Bundle, type Page, putTogether } from '../page.ts';
import { chooseLanguage, formatSettings, type Language } from '../web/settings.ts';
import { absoluteUrl } from './answers.ts';
import { pageQuery } from './parameters.ts';
import { noQuery, readOptionalQuery } from './query.ts';

export type PageParts = {
  /** What the page is made of; undefined where nobody has built it. */
  readonly bundle: Bundle | undefined;
  /** The trust file's text as it is now; null where there is none. */
  readonly trust: () => Promise<string | null>;
  readonly languages: readonly Language[];
  readonly anchorIntervalMs: number;
  readonly baseUrl: string | undefined;
};

/** The page in its two encodings, which are two answers, each with a tag of its own (RFC 9110 section 8.8.3). */
type Answer = { readonly policy: string; readonly plain: Encoded; readonly zipped: Encoded };
type Encoded = { readonly bytes: Buffer; readonly etag: string };

export function pageRoutes(router: Router, parts: PageParts): void {
  const { bundle, trust, languages, anchorIntervalMs, baseUrl } = parts;
  if (bundle === undefined) return;
  const served = new Map<string, Answer>();

  /** Made once for each language and each address that the page is to ask, until the trust file changes. */
  const made = async (service: string | null, language: Language | null): Promise<Answer> => {
    const settings = { trust: await trust(), service, languages, language, anchorIntervalMs };
    const name = formatSettings(settings);
    const known = served.get(name);
    if (known !== undefined) return known;
    if (served.size >= answersKept) served.clear();
    const answer = prepare(putTogether(bundle, settings));
    served.set(name, answer);
    return answer;
  };

  // The query is read in the browser, too: `?lang=fr` asks for a language that this header may not.
  router.get('/verify', async ctx => {
    const { lang } = readOptionalQuery(ctx, pageQuery);
    const wanted = ctx.acceptsLanguages();
    const language = chooseLanguage([...(lang === undefined ? [] : [lang]), ...wanted], languages);
    ctx.vary('Accept-Language');
    give(ctx, await made(null, language));
  });

  router.get('/verify.html', noQuery, async ctx => {
    // Lying on a disk it comes from nowhere, so it is told whom to ask; and its reader's browser says the language.
    const answer = await made(absoluteUrl(ctx, baseUrl, ''), null);
    ctx.set('Content-Disposition', 'attachment; filename="verify.html"');
    give(ctx, answer);
  });
}

/** More than there are languages: a service may be reached at several addresses. */
const answersKept = 20;

function prepare({ html, policy }: Page): Answer {
  const bytes = Buffer.from(html);
  return { policy, plain: tagged(bytes), zipped: tagged(gzipSync(bytes, { level: 9 })) };
}

function tagged(bytes: Buffer): Encoded {
  return { bytes, etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22) };
}

function give(ctx: Context, { policy, plain, zipped }: Answer): void {
  ctx.status = 200;
  ctx.set({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': `${policy}; frame-ancestors 'none'`,
    'Cache-Control': 'no-cache',
  });
  ctx.vary('Accept-Encoding');
  const isZipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  const { bytes, etag } = isZipped ? zipped : plain;
  ctx.etag = etag;
  if (isZipped) ctx.set('Content-Encoding', 'gzip');
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = bytes;
}
