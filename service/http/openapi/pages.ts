/** The pages for people, as operations. */

import { z } from 'zod';
import { pageQuery } from '../parameters.ts';
import type { Operation } from './operation.ts';

const page = (description: string) => ({
  200: {
    description,
    mediaType: 'text/html; charset=utf-8',
    schema: z.string().regex(/^<!doctype html>/),
    caching: 'no-cache' as const,
  },
});

/** The citizen's page, which is made once for many, and zipped. */
const html = {
  mediaType: 'text/html; charset=utf-8',
  schema: z.string().describe('HTML, zipped for who takes gzip.'),
  caching: 'no-cache',
} as const;

export const pageOperations: readonly Operation[] = [
  {
    id: 'getFace',
    method: 'get',
    path: '/',
    tag: 'Pages',
    head: true,
    summary: 'See how the log is',
    query: { parameters: pageQuery, required: false },
    answers: page("The ledger's face. Its figures are brought up to date from `/v1/log/stream`."),
  },
  {
    id: 'getReference',
    method: 'get',
    path: '/docs',
    tag: 'Pages',
    head: true,
    summary: 'Read this document as a page',
    answers: page('The reference.'),
  },
  {
    id: 'listProblems',
    method: 'get',
    path: '/docs/problems',
    tag: 'Pages',
    head: true,
    summary: 'Read which problems there are',
    answers: page('All problems.'),
  },
  {
    id: 'getProblem',
    method: 'get',
    path: '/docs/problems/{name}',
    tag: 'Pages',
    head: true,
    summary: 'Read what a problem means and what to do',
    inPath: {
      name: z
        .string()
        .regex(/^[a-z-]+$/)
        .describe("What stands behind `urn:problem-type:zegel:` in a problem's type."),
    },
    answers: page('The page of the problem.'),
    problems: ['resource-not-found'],
  },
  {
    id: 'getPage',
    method: 'get',
    path: '/verify',
    tag: 'Pages',
    head: true,
    summary: 'Check receipts in a browser',
    description:
      'Links that are printed go on working: `/verify#leaf=<leafHash>` and `/verify#receipt=<base64url of the file>`. What stands behind `#` is not sent.',
    query: { parameters: pageQuery, required: false },
    answers: { 200: { description: 'The page, in the language that `Accept-Language` prefers.', ...html } },
  },
  {
    id: 'getPageFile',
    method: 'get',
    path: '/verify.html',
    tag: 'Pages',
    head: true,
    summary: 'Have the page as a file, which works without a connection',
    answers: { 200: { description: 'The page, as an attachment.', ...html } },
  },
];
