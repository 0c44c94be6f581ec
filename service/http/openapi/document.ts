/** The document of the interface, OpenAPI 3.1: put together from the operations, their schemas, the problems and the examples. */

import { listedProblem } from '../catalogue.ts';
import type { ProblemName } from '../guidance.ts';
import { apiVersion } from '../headers.ts';
import { problemExample, type Step, steps } from './examples.ts';
import { answerFields, fieldRefs, requestFields } from './fields.ts';
import { logOperations } from './log.ts';
import { type Content, type Operation, type OperationAnswer, problemsOf, tags } from './operation.ts';
import { pageOperations } from './pages.ts';
import { recordOperations } from './records.ts';
import { type JsonSchema, namedSchemas, parameterSchema, schemaOf } from './schemas.ts';

export const operations: readonly Operation[] = [...recordOperations, ...logOperations, ...pageOperations];

export type OpenApi = {
  readonly openapi: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

export type DescribedOperation = {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly object[];
  readonly parameters: readonly JsonSchema[];
  readonly requestBody?: JsonSchema;
  readonly responses: Readonly<Record<string, DescribedAnswer>>;
  /** Problems that stand in a line of the answer. */
  readonly 'x-line-problems'?: readonly string[];
  readonly 'x-head': boolean;
};

export type DescribedAnswer = {
  readonly description: string;
  readonly headers: Readonly<Record<string, JsonSchema>>;
  readonly content?: Readonly<Record<string, JsonSchema>>;
};

const about = `The public interface of a Zegel ledger: an append-only Merkle log of records that agencies have signed, anchored on a chain.

Every answer has \`API-Version\` and \`x-request-id\`; \`x-correlation-id\` and \`x-tracing-id\` come back as they were sent. Every refusal is a problem (RFC 9457) whose \`type\` is a URN; \`/docs/problems\` has a page for each. A path that is not listed here is answered with 404 \`resource-not-found\`, a method that is not listed with 405 \`method-not-allowed\`. Where GET is answered with an entity tag, HEAD is, too.

Answers may get more members with time: pass over what you don't know. Receipts, records and keys never do.

A token is a JWT that one of the agency's registered keys has signed: the header has exactly \`alg\`, \`kid\` and \`typ\` (\`zegel-read+jwt\`), the claims exactly \`aud\` (the log's origin), \`iat\`, \`exp\` (at most 5 minutes later) and \`jti\`. It is good for one request.`;

/** @param baseUrl where the world reaches the service; without, the document speaks of where it was got */
export function openApiDocument(baseUrl?: string): OpenApi {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Zegel',
      version: apiVersion,
      description: about,
      license: { name: 'EUPL-1.2', identifier: 'EUPL-1.2' },
    },
    servers: [{ url: baseUrl ?? '/' }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: paths(),
    components: {
      schemas: namedSchemas(),
      parameters: requestFields,
      headers: answerFields,
      responses: {
        ResourceNotFound: problemAnswer(404, ['resource-not-found']),
        MethodNotAllowed: problemAnswer(405, ['method-not-allowed']),
        Methods: {
          description: 'What OPTIONS is answered, wherever there is something.',
          headers: fieldRefs(['API-Version', 'x-request-id', 'Cache-Control', 'Allow'], tracingBack),
        },
      },
      examples: Object.fromEntries(usedProblems().map(name => [name, problemExample(name)])),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'A token that a registered key of the agency has signed, good for one request.',
        },
      },
    },
  };
}

function usedProblems(): readonly ProblemName[] {
  const used = operations.flatMap(each => [...problemsOf(each), ...(each.lineProblems ?? [])]);
  return [...new Set<ProblemName>([...used, 'resource-not-found', 'method-not-allowed'])];
}

function paths(): OpenApi['paths'] {
  const all: Record<string, Record<string, DescribedOperation>> = {};
  for (const operation of operations) {
    const item = all[operation.path] ?? {};
    item[operation.method] = described(operation);
    all[operation.path] = item;
  }
  return all;
}

function described(operation: Operation): DescribedOperation {
  const { id, tag, summary, description, token, body, lineProblems } = operation;
  const own = steps.filter(step => step.operation === id);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(token === undefined ? {} : { security: token === 'needed' ? [{ token: [] }] : [{}, { token: [] }] }),
    parameters: parameters(operation, own),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            description: body.description,
            required: true,
            content: content(
              body,
              named(own, step => step.request.body),
            ),
          },
        }),
    responses: responses(operation, own),
    ...(lineProblems === undefined ? {} : { 'x-line-problems': lineProblems }),
    'x-head': operation.head,
  };
}

function parameters(operation: Operation, own: readonly Step[]): readonly JsonSchema[] {
  const { inPath = {}, query, fields = [], answers } = operation;
  const isTagged = Object.values(answers).some(({ caching }) => caching !== undefined);
  const example = own[0] === undefined ? {} : valuesIn(operation, own[0].request.path);
  const shown = (name: string) => (example[name] === undefined ? {} : { example: example[name] });
  return [
    ...Object.entries(inPath).map(([name, parameter]) => ({
      name,
      in: 'path',
      required: true,
      description: parameter.description,
      schema: parameterSchema(parameter),
      ...shown(name),
    })),
    ...Object.entries(query?.parameters ?? {}).map(([name, parameter]) => ({
      name,
      in: 'query',
      required: query?.required,
      description: parameter.description,
      schema: parameterSchema(parameter),
      ...shown(name),
    })),
    ...[...fields, ...(isTagged ? ['If-None-Match'] : []), ...tracingFields].map(name => ({
      $ref: `#/components/parameters/${name}`,
    })),
  ];
}

const tracingFields = ['x-correlation-id', 'x-request-id', 'x-tracing-id'];

/** What the parameters are in a path that was asked for: numbers as numbers. */
function valuesIn({ path, query }: Operation, asked: string): Readonly<Record<string, string | number>> {
  const [place = '', search = ''] = asked.split('?');
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{(\w+)\}/, '(?<$1>.+)')}$`);
  const texts = { ...pattern.exec(place)?.groups, ...Object.fromEntries(new URLSearchParams(search)) };
  const isNumber = (name: string) =>
    name === 'size' || (query !== undefined && !['leafHash', 'lang'].includes(name));
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, isNumber(name) ? Number(text) : text]),
  );
}

function responses(operation: Operation, own: readonly Step[]): DescribedOperation['responses'] {
  const all: Record<string, DescribedAnswer> = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    const shown = own.filter(step => step.answer.status === Number(status));
    all[status] = answerOf(
      answer,
      named(shown, step => step.answer.body),
    );
    if (answer.caching !== undefined)
      all[304] = {
        description: 'What you have is still good: the entity tag that you sent is the one that there is.',
        headers: fieldRefs(['API-Version', 'x-request-id', 'Cache-Control', 'ETag'], tracingBack),
      };
  }
  const byStatus = Map.groupBy(problemsOf(operation), name => listedProblem(name).status);
  for (const [status, names] of byStatus) all[status] = problemAnswer(status, names);
  return all;
}

function answerOf(answer: OperationAnswer, examples: Examples): DescribedAnswer {
  const { fields = [], caching } = answer;
  const always = ['API-Version', 'x-request-id', 'Cache-Control'];
  // A full receipt is for its agency only, and has no entity tag.
  const tag = caching === undefined ? [] : ['ETag'];
  return {
    description: answer.description,
    headers: fieldRefs(always, [...tag, ...fields, ...tracingBack]),
    content: content(answer, examples),
  };
}

const tracingBack = ['x-correlation-id', 'x-tracing-id'];

function problemAnswer(status: number, names: readonly ProblemName[]): DescribedAnswer {
  // What cannot be read has no identifier, and its answer is written past everything that would give it one.
  const isUnparsed = names.some(name =>
    ['request-unreadable', 'request-timeout', 'header-too-large'].includes(name),
  );
  const always = ['API-Version', ...(isUnparsed ? [] : ['x-request-id', 'Cache-Control'])];
  const sometimes = [
    ...(isUnparsed ? ['x-request-id', 'Cache-Control'] : []),
    ...(status === 429 || status === 503 ? ['Retry-After'] : []),
    ...(status === 405 ? ['Allow'] : []),
  ];
  return {
    description: names.map(name => `\`${name}\`: ${listedProblem(name).title}.`).join('\n'),
    headers: fieldRefs(
      [...always, ...(status === 401 ? ['WWW-Authenticate'] : [])],
      [...sometimes, ...tracingBack],
    ),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            {
              properties: {
                type: { enum: names.map(name => listedProblem(name).type) },
                status: { const: status },
              },
            },
          ],
        },
        examples: Object.fromEntries(names.map(name => [name, { $ref: `#/components/examples/${name}` }])),
      },
    },
  };
}

type Examples = Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;

function named(own: readonly Step[], value: (step: Step) => unknown): Examples {
  return Object.fromEntries(
    own
      .filter(step => value(step) !== undefined)
      .map(step => [step.name, { summary: step.summary, value: value(step) }]),
  );
}

function content({ mediaType, schema, lines, events }: Content, examples: Examples) {
  return {
    [mediaType]: {
      schema: schemaOf(schema),
      // OpenAPI 3.2 calls this `itemSchema`; 3.1 has no word for it.
      ...(lines === undefined ? {} : { 'x-itemSchema': schemaOf(lines) }),
      ...(events === undefined
        ? {}
        : {
            'x-events': Object.fromEntries(
              Object.entries(events).map(([name, each]) => [name, schemaOf(each)]),
            ),
          }),
      ...(Object.keys(examples).length === 0 ? {} : { examples }),
    },
  };
}
