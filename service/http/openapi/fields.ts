/** Header fields: those that requests may have, and those that answers have always or sometimes. */

import type { JsonSchema } from './schemas.ts';

const text = { type: 'string' } as const;
/** What can stand in a line of the log as it is. Others are dropped. */
const identifier = { type: 'string', pattern: '^[\\x20-\\x7e]{1,128}$' } as const;

const inRequests: Readonly<Record<string, readonly [description: string, schema: JsonSchema]>> = {
  'x-correlation-id': ['Comes back in the answer and stands in the log of the service.', identifier],
  'x-request-id': ['The same; one is made where none is sent.', identifier],
  'x-tracing-id': ['The same.', identifier],
  'If-None-Match': ['The entity tag of what you have: 304 if that is still good.', text],
  Prefer: ['`wait=N`: answer once the record is final, after N seconds at the latest; at most 60.', text],
  'Last-Event-ID': ['The `id` of the last event that you have seen: what came after it is sent first.', text],
};

const inAnswers: Readonly<Record<string, readonly [description: string, schema: JsonSchema]>> = {
  'API-Version': ['The version of the interface.', { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+$' }],
  'x-request-id': ['By which this request stands in the log of the service.', identifier],
  'x-correlation-id': ['As it was sent.', identifier],
  'x-tracing-id': ['As it was sent.', identifier],
  'Cache-Control': ['Who may keep the answer, and for how long.', text],
  ETag: ['The entity tag: a hash of the body.', { type: 'string', pattern: '^"[A-Za-z0-9_-]{22}"$' }],
  Vary: ['What the answer also depends on.', { enum: ['Authorization', 'Accept-Language'] }],
  Location: [
    'The full URL of the receipt.',
    { type: 'string', pattern: '/v1/records/[0-9a-f]{64}/receipt$' },
  ],
  'Preference-Applied': ['How long the answer could be kept.', { type: 'string', pattern: '^wait=\\d+$' }],
  'Retry-After': ['After how many seconds it makes sense to send it again.', { type: 'integer', minimum: 1 }],
  'WWW-Authenticate': [
    'That a token is wanted (RFC 6750).',
    { type: 'string', pattern: '^Bearer realm="zegel"' },
  ],
  Allow: ['The methods that there are.', text],
};

/** The fields of requests, as parameters. */
export const requestFields: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(inRequests).map(([name, [description, schema]]) => [
    name,
    { name, in: 'header', required: false, description, schema },
  ]),
);

/** The fields of answers: each as one that is always there, and as one that may be. */
export const answerFields: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(inAnswers).flatMap(([name, [description, schema]]) => [
    [name, { description, required: true, schema }],
    [`${name}.optional`, { description, required: false, schema }],
  ]),
);

/** References to fields that are always there, and to those that may be. */
export function fieldRefs(
  always: readonly string[],
  sometimes: readonly string[],
): Readonly<Record<string, JsonSchema>> {
  const ref = (name: string, component: string) =>
    [name, { $ref: `#/components/headers/${component}` }] as const;
  return Object.fromEntries([
    ...always.map(name => ref(name, name)),
    ...sometimes.map(name => ref(name, `${name}.optional`)),
  ]);
}
