/** A page of ours: its frame, and the policy under which a browser shows it. Nothing is fetched from anybody else. */

import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { html, type Markup } from '../../audit/markup.ts';
import { answer } from '../answers.ts';
import { baseStyle } from './style.ts';

export type Page = { readonly html: string; readonly policy: string };

/**
 * Frames a page. Its style and its script stand in it, and the policy allows these two texts and no other.
 *
 * @param baseUrl where the world reaches the service: links begin with its path
 * @param script the source of a program, where the page has one; it may ask this service
 */
export function framed(parts: {
  readonly baseUrl?: string | undefined;
  readonly lang: string;
  readonly title: string;
  readonly site: readonly { readonly href: string; readonly text: string }[];
  readonly skip: string;
  readonly main: Markup;
  readonly style?: string;
  readonly script?: string;
}): Page {
  const { lang, title, site, skip, main, script } = parts;
  const style = baseStyle + (parts.style ?? '');
  const page = html`<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${{ markup: style }}</style>
</head>
<body>
<a class="skip" href="#main">${skip}</a>
<header><nav aria-label="Zegel"><ul class="site">${site.map(({ href, text }) => html`<li><a href="${href}">${text}</a></li>`)}</ul></nav></header>
<main id="main">
${main}
</main>
${
  script === undefined
    ? null
    : html`<script>${{ markup: script }}</script>
`
}</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    // The empty picture that keeps browsers from asking for one.
    'img-src data:',
    ...(script === undefined ? [] : [`script-src '${hashOf(script)}'`, "connect-src 'self'"]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  // All our links are to paths of this service.
  const linked = page.markup.replaceAll('href="/', `href="${prefixOf(parts.baseUrl)}/`);
  return { html: linked, policy: policy.join('; ') };
}

/** What stands before every path of ours where the world reaches us under one: `/zegel`, or nothing. */
export function prefixOf(baseUrl: string | undefined): string {
  return baseUrl === undefined ? '' : new URL(baseUrl).pathname.replace(/\/$/, '');
}

/** Answers a page that caches must ask for again. */
export function answerPage(ctx: Context, { html: text, policy }: Page): void {
  ctx.set('Content-Security-Policy', policy);
  answer(ctx, 'text/html; charset=utf-8', text, 'no-cache');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
