/** The document of the interface and the service, held against each other: every operation, every problem, every example. */

import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type Router from '@koa/router';
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../../../service/http/catalogue.ts';
import { operations } from '../../../service/http/openapi/document.ts';
import { problemExample, steps } from '../../../service/http/openapi/examples.ts';
import { problemsOf } from '../../../service/http/openapi/operation.ts';
import { close, listen } from '../../../service/http/server.ts';
import { document, faultsAt, faultsOf, watchAnswers } from '../../helpers/interface.ts';
import { aFixedWorld, type Call, callsOf } from './calls.ts';
import { exchangeRaw, interruptedUpload, type Provocation, provocations } from './provocations.ts';
import { aStory, operationsTold } from './story.ts';
import { ask, aWorld, type World } from './world.ts';

/** With this set, the examples are written anew from what the service answers. */
const isWriting = process.env['ZEGEL_TEST_EXAMPLES'] === 'write';
const examplesFile = (name: string) => new URL(`../../../service/http/openapi/${name}.json`, import.meta.url);

type Problem = { readonly type: string; readonly detail: string; readonly issues: readonly unknown[] };
type Seen = { readonly operation: string; readonly isLine: boolean; readonly problem: Problem };

/** What the operations answer to one provocation. */
async function provoked(provocation: Provocation): Promise<readonly Seen[]> {
  const { world: options, given, changes, raw, only, during } = provocation;
  const world = await aFixedWorld(options);
  const undo = await given?.(world);
  const all = callsOf(world, typeof changes === 'function' ? changes(world) : changes);
  const calls = Object.fromEntries(Object.entries(all).filter(([id]) => only === undefined || id === only));
  const seen: Seen[] = [];
  try {
    // Those that wait for a limit of time wait together.
    const answers = await (raw === undefined
      ? inTurn(calls, call =>
          during === undefined
            ? ask(world, call.path, call).then(({ body }) => body)
            : interruptedUpload(world, call, during),
        )
      : Promise.all(
          Object.entries(calls).map(
            async ([id, call]) =>
              [id, (await exchangeRaw(world.port, raw(call))).split('\r\n\r\n').slice(1).join('')] as const,
          ),
        ));
    for (const [operation, body] of answers) {
      const problem = parsed(body);
      if (isProblem(problem)) seen.push({ operation, isLine: false, problem });
      for (const line of operation === 'submitRecords' ? body.split('\n') : []) {
        const answer = parsed(line);
        if (typeof answer !== 'object' || answer === null || !('problem' in answer)) continue;
        if (isProblem(answer.problem)) seen.push({ operation, isLine: true, problem: answer.problem });
      }
    }
  } finally {
    undo?.();
    await world.stop(0);
  }
  return seen;
}

async function inTurn(
  calls: Readonly<Record<string, Call>>,
  send: (call: Call) => Promise<string>,
): Promise<(readonly [string, string])[]> {
  const answers: (readonly [string, string])[] = [];
  for (const [id, call] of Object.entries(calls)) answers.push([id, await send(call)]);
  return answers;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    value.type.startsWith('urn:problem-type:zegel:')
  );
}

/** The methods and patterns that the router knows. */
function routesOf({ app }: World): readonly string[] {
  for (const middleware of app.middleware) {
    if (!('router' in middleware)) continue;
    const { stack } = middleware.router as Pick<Router, 'stack'>;
    return stack.flatMap(({ methods, path }) =>
      methods.map(method => `${method} ${path instanceof RegExp ? '/v1/records/:leafHash' : path}`),
    );
  }
  throw new Error('the application has no router');
}

const nameOf = ({ type }: Problem) => type.split(':').at(-1) ?? '';

describe('the document', () => {
  it('is OpenAPI 3.1, as its schema says', async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('has every route of the service, and no other', async () => {
    const world = await aWorld();
    try {
      const routes = [...routesOf(world)].sort();
      const described = operations
        .flatMap(({ method, path, route = path.replaceAll(/\{(\w+)\}/g, ':$1'), head }) =>
          [method.toUpperCase(), ...(head ? ['HEAD'] : [])].map(each => `${each} ${route}`),
        )
        .sort();
      expect(described).toEqual(routes);
    } finally {
      await world.stop();
    }
  });

  it('is served, and says where it was got', async () => {
    const world = await aWorld({ baseUrl: 'https://ledger.example/zegel' });
    try {
      const answer = await ask(world, '/v1/openapi.json');
      expect(JSON.parse(answer.body)).toEqual({
        ...JSON.parse(JSON.stringify(document)),
        servers: [{ url: 'https://ledger.example/zegel' }],
      });
      const again = await ask(world, '/v1/openapi.json', {
        headers: { 'if-none-match': String(answer.headers['etag']) },
      });
      expect(again.status).toBe(304);
    } finally {
      await world.stop();
    }
  });

  it('has schemas that refuse what is not as they say', () => {
    const schema = (name: string) => ['components', 'schemas', name];
    expect(faultsAt(schema('Health'), { status: 'UP', reasons: [] })).toEqual([]);
    expect(faultsAt(schema('Health'), { status: 'WELL', reasons: [] })).toHaveLength(1);
    expect(faultsAt(schema('Health'), { status: 'UP', reasons: [], more: 1 })).toHaveLength(1);
    expect(faultsAt(schema('Health'), { status: 'UP' })).toHaveLength(1);
    expect(faultsAt(schema('Hash'), `${'A'.repeat(42)}B`)).toHaveLength(1);
    expect(faultsAt(schema('Hash'), 'A'.repeat(43))).toEqual([]);
  });
});

describe('the rules that agencies check, Belgian and Dutch', () => {
  const answers = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.values(item).flatMap(operation =>
      Object.entries(operation.responses).map(([status, answer]) => ({ path, operation, status, answer })),
    ),
  );

  it('every answer names the version, and the major version stands in the path', () => {
    for (const { answer } of answers)
      expect(answer.headers['API-Version']).toEqual({ $ref: '#/components/headers/API-Version' });
    const versioned = Object.keys(document.paths).filter(path => path.startsWith('/v1/'));
    expect(versioned).toHaveLength(Object.keys(document.paths).filter(path => /^\/v\d/.test(path)).length);
  });

  it('every operation takes the three identifiers and gives them back', () => {
    const ids = ['x-correlation-id', 'x-request-id', 'x-tracing-id'];
    for (const { operation, answer } of answers) {
      const taken = operation.parameters.map(({ $ref }) => String($ref).split('/').at(-1));
      expect(taken).toEqual(expect.arrayContaining(ids));
      expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(ids));
    }
  });

  it('faults of input are 400 and never 422, and every refusal is a problem with issues', () => {
    const refusals = answers.filter(
      ({ status, path }) => Number(status) >= 400 && !/health|readyz/.test(path),
    );
    for (const { status, answer } of refusals) {
      expect(status).not.toBe('422');
      expect(Object.keys(answer.content ?? {})).toEqual(['application/problem+json']);
    }
    expect(document.components['schemas']?.['Problem']).toMatchObject({
      required: ['type', 'title', 'status', 'detail', 'issues'],
    });
    for (const { type, title } of catalogue) {
      expect(type).toMatch(/^urn:problem-type:zegel:[a-z]+(-[a-z]+)*$/);
      expect(title).toMatch(/^[A-Z][\x20-\x7e]+$/);
    }
  });

  it('pages have items and the full URL of the next', async () => {
    const world = await aFixedWorld();
    try {
      const page = JSON.parse((await ask(world, '/v1/anchors')).body);
      expect(Object.keys(page)).toEqual(['items', 'next']);
      expect(page.next).toBeNull();
    } finally {
      await world.stop();
    }
  });

  it('what may be asked for again has an entity tag, and then 304', async () => {
    const world = await aFixedWorld();
    try {
      const calls = callsOf(world, { headers: { authorization: undefined } });
      for (const operation of operations.filter(({ answers: own }) => own[200]?.caching !== undefined)) {
        const call = calls[operation.id];
        if (call === undefined) throw new Error(`${operation.id} is not called`);
        const { headers, status } = await ask(world, call.path, call);
        expect(status, operation.id).toBe(200);
        const again = await ask(world, call.path, { headers: { 'if-none-match': String(headers['etag']) } });
        expect(again, operation.id).toMatchObject({ status: 304, body: '' });
      }
    } finally {
      await world.stop();
    }
  });
});

describe('the watch over all answers', () => {
  const fields = {
    'api-version': '1.0.0',
    'x-request-id': 'r',
    'cache-control': 'no-store',
    'content-type': 'application/json',
  };
  const body = Buffer.from('{"status":"UP"}');
  const good = { method: 'GET', target: '/livez', status: 200, fields, body };

  it.each([
    ['another status', { status: 202 }],
    ['a problem that the operation does not have', { status: 409 }],
    ['a missing field', { fields: { ...fields, 'api-version': undefined } }],
    ['another type', { fields: { ...fields, 'content-type': 'text/html' } }],
    ['a member too many', { body: Buffer.from('{"status":"UP","more":1}') }],
    ['no JSON', { body: Buffer.from('UP') }],
    ['a body that should not be there', { method: 'HEAD' }],
    ['a path that there is not', { target: '/nowhere' }],
    ['a method that there is not', { method: 'PUT' }],
  ])('finds %s', (_, changes) => {
    expect(faultsOf(good)).toEqual([]);
    expect(faultsOf({ ...good, ...changes })).not.toEqual([]);
  });

  it('fails the test that stops a world whose answer was not as described', async () => {
    const world = await aWorld();
    world.state.health = { status: 'UP', reasons: ['not a code' as never] };
    await ask(world, '/health');
    await expect(world.stop()).rejects.toThrow('answers are as the document describes them');
  });

  it('sees what is answered on the bare socket', async () => {
    const faults: string[] = [];
    const server = createServer();
    server.on('clientError', (_, socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n\r\n{}');
    });
    watchAnswers(server, fault => faults.push(fault));
    const port = await listen(server, '127.0.0.1', 0);
    await exchangeRaw(port, 'no HTTP\r\n\r\n');
    await close(server, 0);
    expect(faults[0]).toContain('API-Version is missing');
    expect(faults.some(fault => fault.includes("required property 'issues'"))).toBe(true);
  });
});

describe('every operation and every problem', () => {
  let seen: readonly Seen[];
  beforeAll(async () => {
    const all: Seen[] = [];
    for (const provocation of provocations) all.push(...(await provoked(provocation)));
    seen = all;
  });

  it.each(operations.map(operation => [operation.id, operation] as const))(
    '%s gives the problems that are described, and no other',
    (id, operation) => {
      const own = seen.filter(each => each.operation === id);
      const names = (isLine: boolean) =>
        [...new Set(own.filter(each => each.isLine === isLine).map(each => nameOf(each.problem)))].sort();
      expect(names(false)).toEqual([...problemsOf(operation)].sort());
      expect(names(true)).toEqual([...(operation.lineProblems ?? [])].sort());
    },
  );

  it('shows of each problem an answer that was given', async () => {
    const missing = await methodNotAllowed();
    const first = new Map<string, Problem>();
    for (const { problem, isLine } of [...seen.filter(each => !each.isLine), ...seen, ...missing])
      if (
        !first.has(nameOf(problem)) &&
        (!isLine || !seen.some(each => !each.isLine && nameOf(each.problem) === nameOf(problem)))
      )
        first.set(nameOf(problem), problem);
    if (isWriting) {
      const told = catalogue.map(({ name }) => {
        const { detail, issues } = first.get(name) ?? { detail: '', issues: [] };
        return [name, { detail, issues }] as const;
      });
      await writeFile(examplesFile('problem-examples'), JSON.stringify(Object.fromEntries(told)));
      return;
    }
    for (const { name } of catalogue) expect(first.get(name), name).toEqual(problemExample(name).value);
  });

  async function methodNotAllowed(): Promise<readonly Seen[]> {
    const world = await aFixedWorld();
    try {
      const all: Seen[] = [];
      for (const { path } of Object.values(callsOf(world))) {
        const { body, status } = await ask(world, path, { method: 'PUT' });
        expect(status, path).toBe(405);
        all.push({ operation: path, isLine: false, problem: JSON.parse(body) });
      }
      return all;
    } finally {
      await world.stop(0);
    }
  }
});

describe('every example', () => {
  it('is what the service answers', async () => {
    const told = await aStory();
    if (isWriting) await writeFile(examplesFile('story'), JSON.stringify(told));
    else expect(told).toEqual(steps);
  });

  it('stands in the document, and is as its schema says', () => {
    for (const { operation: id, name, request, answer } of steps) {
      const operation = operations.find(each => each.id === id);
      if (operation === undefined) throw new Error(`${id} is no operation`);
      const at = ['paths', operation.path, operation.method];
      if (request.body !== undefined) {
        const type = operation.body?.mediaType ?? '';
        const pointer = [...at, 'requestBody', 'content', type];
        expect(faultsAt([...pointer, 'schema'], request.body), name).toEqual([]);
      }
      const type = operation.answers[answer.status]?.mediaType ?? '';
      const content =
        document.paths[operation.path]?.[operation.method]?.responses[answer.status]?.content?.[type];
      expect(content, `${id} ${answer.status}`).toBeDefined();
      if (answer.body === undefined) continue;
      expect(content?.['examples']).toMatchObject({ [name]: { value: answer.body } });
      const pointer = [...at, 'responses', String(answer.status), 'content', type, 'schema'];
      expect(faultsAt(pointer, answer.body), name).toEqual([]);
    }
  });

  it('is there for every operation', () => {
    expect(operationsTold).toEqual(new Set(operations.map(({ id }) => id)));
  });
});
