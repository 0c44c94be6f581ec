/** The story that the document's examples tell: one step after another, against a log of fixed keys, clock and chance. */

import { utf8 } from '../../../merkle/bytes.ts';
import type { Step } from '../../../service/http/openapi/examples.ts';
import { aBatch } from '../../helpers/batches.ts';
import { aToken } from '../../helpers/tokens.ts';
import { aFixedWorld, type Call, type FixedWorld, fixedNow, statement } from './calls.ts';
import { type Answer, ask } from './world.ts';

const event = (id: string, permit: string) =>
  utf8(
    JSON.stringify({
      specversion: '1.0',
      id,
      source: 'https://permits.example/decisions',
      type: 'example.permit.granted',
      time: '2026-11-24T07:59:00Z',
      recordkind: 'transaction',
      data: { permit },
    }),
  );

const permit = statement('', { payload: event('2026-000017', 'OMV-2026-118822') });
const batch = aBatch({
  events: [event('2026-000018', 'OMV-2026-118823'), event('2026-000019', 'OMV-2026-118824')],
  alg: 'Ed25519',
});
const lines = [JSON.stringify({ statement: permit }), ...batch.lines, '{"statement":"no.statement.here"}'];

type Asked = Omit<Call, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

/** The steps. A body that is volatile, long or no text is not shown, nor is a step that is nothing but its path. */
const script: readonly {
  readonly operation: string;
  readonly name: string;
  readonly summary: string;
  readonly hides?: 'body' | 'all';
  readonly given?: (world: FixedWorld) => void;
  readonly call: (world: FixedWorld) => Asked;
}[] = [
  {
    operation: 'submitRecord',
    name: 'new',
    summary: 'A new record',
    call: () => post('/v1/records', 'application/jose', permit),
  },
  {
    operation: 'submitRecord',
    name: 'retry',
    summary: 'The same again',
    call: () => post('/v1/records', 'application/jose', permit),
  },
  {
    operation: 'submitRecords',
    name: 'mixed',
    summary: 'A record that is there already, a batch of two, and a line that is refused',
    call: () => post('/v1/records/batch', 'application/x-ndjson', lines.map(line => `${line}\n`).join('')),
  },
  {
    operation: 'readRecord',
    name: 'own',
    summary: 'A record of one’s own',
    call: world => own(`/v1/records/${world.leaf}`, 'read'),
  },
  {
    operation: 'exportRecords',
    name: 'range',
    summary: 'Two records',
    call: () => own('/v1/records/export?from=1&to=3', 'export'),
  },
  {
    operation: 'getReceipt',
    name: 'proof-only',
    summary: 'Without a token, before the anchor',
    call: world => get(`/v1/records/${world.leaf}/receipt`),
  },
  {
    operation: 'getReceipt',
    name: 'complete',
    summary: 'With a token of the agency',
    call: world => own(`/v1/records/${world.leaf}/receipt`, 'receipt'),
  },
  {
    operation: 'proveInclusion',
    name: 'path',
    summary: 'Entry 1 in a tree of 4',
    call: world => get(`/v1/proofs/inclusion?leafHash=${world.leaf}&size=4`),
  },
  {
    operation: 'proveConsistency',
    name: 'path',
    summary: 'From 2 to 4 entries',
    call: () => get('/v1/proofs/consistency?first=2&second=4'),
  },
  {
    operation: 'listAnchors',
    name: 'page',
    summary: 'The last page',
    call: () => get('/v1/anchors?cursor=0'),
  },
  { operation: 'getAnchor', name: 'final', summary: 'An anchor', call: () => get('/v1/anchors/4') },
  { operation: 'getLog', name: 'log', summary: 'A log of nine entries', call: () => get('/v1/log') },
  {
    operation: 'watchLog',
    name: 'first',
    summary: 'What comes first',
    call: () => get('/v1/log/stream'),
  },
  {
    operation: 'getCheckpoint',
    name: 'newest',
    summary: 'The newest checkpoint',
    call: () => get('/log/checkpoint'),
  },
  {
    operation: 'getTile',
    name: 'partial',
    summary: 'A tile that is not full',
    hides: 'body',
    call: () => get('/log/tile/0/000.p/4'),
  },
  { operation: 'getHealth', name: 'up', summary: 'All is well', call: () => get('/health') },
  { operation: 'getLiveness', name: 'up', summary: 'It lives', call: () => get('/livez') },
  { operation: 'getReadiness', name: 'up', summary: 'It is ready', call: () => get('/readyz') },
  {
    operation: 'getHealth',
    name: 'degraded',
    summary: 'The chain is silent',
    given: ({ state }) => {
      state.health = { status: 'DEGRADED', reasons: ['CHAIN_SILENT'] };
    },
    call: () => get('/health'),
  },
  {
    operation: 'getHealth',
    name: 'down',
    summary: 'It is being stopped',
    given: ({ state }) => {
      state.health = { status: 'DOWN', reasons: ['LOG_STOPPING'] };
    },
    call: () => get('/health'),
  },
  { operation: 'getReadiness', name: 'down', summary: 'It is being stopped', call: () => get('/readyz') },
  {
    operation: 'getMetrics',
    name: 'all',
    summary: 'All metrics',
    hides: 'all',
    call: () => get('/metrics'),
  },
  {
    operation: 'getDocument',
    name: 'all',
    summary: 'This document',
    hides: 'all',
    call: () => get('/v1/openapi.json'),
  },
  { operation: 'getFace', name: 'now', summary: 'How it is', hides: 'all', call: () => get('/') },
  {
    operation: 'getReference',
    name: 'all',
    summary: 'The reference',
    hides: 'all',
    call: () => get('/docs'),
  },
  {
    operation: 'listProblems',
    name: 'all',
    summary: 'All problems',
    hides: 'all',
    call: () => get('/docs/problems'),
  },
  {
    operation: 'getProblem',
    name: 'one',
    summary: 'A problem',
    hides: 'body',
    call: () => get('/docs/problems/log-busy'),
  },
  {
    operation: 'getPage',
    name: 'french',
    summary: 'The page in French',
    hides: 'all',
    call: () => get('/verify?lang=fr'),
  },
  {
    operation: 'getPageFile',
    name: 'all',
    summary: 'The page as a file',
    hides: 'all',
    call: () => get('/verify.html'),
  },
];

/** Tells the story to a service, and gives what it answered. */
export async function aStory(): Promise<readonly Step[]> {
  const world = await aFixedWorld();
  try {
    const told: Step[] = [];
    for (const { operation, name, summary, hides, given, call } of script) {
      given?.(world);
      const { method, path, headers = {}, body } = call(world);
      const answer = await ask(world, path, { method, headers, ...(body === undefined ? {} : { body }) });
      if (hides === 'all') {
        if (answer.status !== 200) throw new Error(`${operation} is answered with ${answer.status}`);
        continue;
      }
      const request = { path, ...(body === undefined ? {} : { body }) };
      const { status } = answer;
      told.push({
        operation,
        name,
        summary,
        request,
        answer: hides === 'body' ? { status } : { status, body: shown(answer) },
      });
    }
    return told;
  } finally {
    await world.stop();
  }
}

/** A body of JSON as a value. */
function shown({ headers, body }: Answer): unknown {
  return /[/+]json$/.test(String(headers['content-type'])) ? JSON.parse(body) : body;
}

const get = (path: string): Asked => ({ method: 'GET', path });
const post = (path: string, type: string, body: string): Asked => ({
  method: 'POST',
  path,
  headers: { 'content-type': type },
  body,
});
const own = (path: string, jti: string): Asked => ({
  ...get(path),
  headers: { authorization: `Bearer ${aToken({ alg: 'Ed25519', nowMs: fixedNow, claims: { jti } })}` },
});

/** The operations that are told of. */
export const operationsTold: ReadonlySet<string> = new Set(script.map(({ operation }) => operation));
