/** `GET /v1/openapi.json`: the interface as OpenAPI 3.1 describes it, for programs that make clients and for people who read. */

import type Router from '@koa/router';
import { answer } from './answers.ts';
import { openApiDocument } from './openapi/document.ts';
import { noQuery } from './query.ts';

export type DocumentParts = { readonly baseUrl?: string | undefined };

export function documentRoutes(router: Router, { baseUrl }: DocumentParts): void {
  let text: string | undefined;
  router.get('/v1/openapi.json', noQuery, ctx => {
    // Made once, when somebody first asks.
    text ??= JSON.stringify(openApiDocument(baseUrl));
    answer(ctx, 'application/json', text, 'no-cache');
  });
}
