/** `GET /docs` and `/docs/problems`: the documentation, made by the service itself from what it runs on, without a script. */

import type Router from '@koa/router';
import { LedgerError } from '../errors.ts';
import { catalogue } from './catalogue.ts';
import { problemList, problemPage } from './docs/problem-pages.ts';
import { referenceOf } from './docs/reference.ts';
import type { DocumentParts } from './document.ts';
import { answerPage, framed, type Page } from './html/shell.ts';
import { openApiDocument } from './openapi/document.ts';
import { noQuery } from './query.ts';

const site = [
  { href: '/', text: 'The ledger' },
  { href: '/verify', text: 'Verify a receipt' },
  { href: '/docs', text: 'The interface' },
  { href: '/docs/problems', text: 'Problems' },
] as const;

const style = `
ul.members { list-style: none; padding: 0; margin: 0 0 .75rem; }
ul.members li { border-top: 1px solid var(--line); padding: .4rem 0; }
ul.members ul.members { margin: .4rem 0 0; padding-left: 1rem; }
ul.members a { display: inline-block; min-height: 1.5rem; }
.operation h3 { border-top: 2px solid var(--line); padding-top: 1.25rem; }
h3 code { font-size: 1em; }
summary { cursor: pointer; min-height: 1.75rem; padding: .15rem 0; color: var(--mark); }
`;

const frame = { lang: 'en', skip: 'To the text', site, style } as const;

export function docsRoutes(router: Router, { baseUrl }: DocumentParts): void {
  const reference = once(() =>
    framed({
      ...frame,
      baseUrl,
      title: 'The interface of this ledger',
      main: referenceOf(openApiDocument(baseUrl)),
    }),
  );
  const list = once(() => framed({ ...frame, baseUrl, title: 'Problems', main: problemList() }));

  router.get('/docs', noQuery, ctx => answerPage(ctx, reference()));

  router.get('/docs/problems', noQuery, ctx => answerPage(ctx, list()));

  router.get('/docs/problems/:name', noQuery, ctx => {
    const problem = catalogue.find(({ name }) => name === ctx['params'].name);
    if (problem === undefined) throw new LedgerError('RESOURCE_NOT_FOUND', 'no problem has this name');
    answerPage(ctx, framed({ ...frame, baseUrl, title: problem.title, main: problemPage(problem) }));
  });
}

/** Made when somebody first asks for it. */
function once(make: () => Page): () => Page {
  let page: Page | undefined;
  return () => {
    page ??= make();
    return page;
  };
}
