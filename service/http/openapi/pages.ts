/** The pages for people, as operations. */

import { z } from 'zod';
import type { Operation } from './operation.ts';

const page = (description: string) => ({
  200: {
    description,
    mediaType: 'text/html; charset=utf-8',
    schema: z.string().regex(/^<!doctype html>/),
    caching: 'no-cache' as const,
  },
});

export const pageOperations: readonly Operation[] = [
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
];
