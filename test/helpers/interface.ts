/**
 * The service's answers held against `/v1/openapi.json`: every one that leaves a server, whoever asked for it and by whatever means.
 *
 * What the document leaves open for later is closed here: a member that it does not name is a fault.
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type DescribedAnswer, openApiDocument } from '../../service/http/openapi/document.ts';

export const document = openApiDocument();

const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
ajv.addSchema(closed(document) as object, 'interface');

/** Objects take no members but those that are named, unless they say so. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]));
  return 'type' in value && value.type === 'object' && 'properties' in value
    ? { additionalProperties: false, ...members }
    : members;
}

/** What is wrong with a value at a place of the document; nothing if it is as described there. */
export function faultsAt(pointer: readonly string[], value: unknown): readonly string[] {
  const fragment = pointer.map(part => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  const validate: ValidateFunction | undefined = ajv.getSchema(`interface#/${fragment.join('/')}`);
  if (validate === undefined) return [`the document has nothing at ${pointer.join(' ')}`];
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

/** The paths of the document, those without a parameter first, each with what a path of a request looks like. */
const paths = Object.keys(document.paths)
  .sort((a, b) => Number(a.includes('{')) - Number(b.includes('{')))
  .map(path => ({
    path,
    // A tile's name has slashes in it.
    pattern: new RegExp(
      `^${path
        .replaceAll('.', '\\.')
        .replace(/\{path\}/, '.+')
        .replace(/\{\w+\}/, '[^/]+')}$`,
    ),
  }));

export type Answered = {
  readonly method: string;
  /** The target of the request, with its query; undefined where the request could not be read. */
  readonly target: string | undefined;
  readonly status: number;
  readonly fields: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Whether the answer was cut off: then its end is not looked at. */
  readonly isCut?: boolean;
};

/** What every request can be answered, whatever its path: problems that are met before it is looked at. */
const anyway = { path: '/v1/log', method: 'get' } as const;

/** What is wrong with an answer, by the document. */
export function faultsOf(answered: Answered): readonly string[] {
  const { method, target, status } = answered;
  const found = place(answered);
  const said = target === undefined ? 'unreadable' : `${method} ${target.slice(0, 80)}`;
  const pointers = found
    .map(pointer => ({ pointer, answer: at(pointer) }))
    .filter(({ answer }) => answer !== undefined);
  if (pointers.length === 0) return [`${said} is answered with ${status}, which the document does not have`];
  const tried = pointers.map(({ pointer, answer }) => faultsIn(answered, pointer, answer as DescribedAnswer));
  const best = tried.reduce((least, faults) => (faults.length < least.length ? faults : least));
  return best.map(fault => `${said} ${status}: ${fault}`);
}

/** Where the document describes an answer like this: one of these places. */
function place({ method, target, status }: Answered): readonly (readonly string[])[] {
  const common = ['paths', anyway.path, anyway.method, 'responses', String(status)];
  if (target === undefined) return [common];
  // A target in absolute form is answered as its path.
  const path = target.replace(/^http:\/\/[^/]*/, '').split('?')[0] ?? '';
  const known = paths.find(({ pattern }) => pattern.test(path))?.path;
  if (known === undefined) return [['components', 'responses', 'ResourceNotFound'], common];
  const item = document.paths[known];
  const asked = method === 'HEAD' && item?.['get']?.['x-head'] ? 'get' : method.toLowerCase();
  if (method === 'OPTIONS' && status === 204) return [['components', 'responses', 'Methods']];
  if (item?.[asked] === undefined) return [['components', 'responses', 'MethodNotAllowed'], common];
  return [['paths', known, asked, 'responses', String(status)]];
}

function at(pointer: readonly string[]): unknown {
  let value: unknown = document;
  for (const part of pointer) value = (value as Record<string, unknown> | undefined)?.[part];
  return value;
}

function faultsIn(
  answered: Answered,
  pointer: readonly string[],
  answer: DescribedAnswer,
): readonly string[] {
  const { fields, method, body, isCut = false } = answered;
  const faults: string[] = [];
  for (const [name, { $ref }] of Object.entries(answer.headers)) {
    const component = String($ref).split('/').at(-1) ?? '';
    const value = fields[name.toLowerCase()];
    const header = document.components['headers']?.[component] as {
      required: boolean;
      schema: { type?: string };
    };
    if (value === undefined) {
      if (header.required) faults.push(`the field ${name} is missing`);
      continue;
    }
    const read = header.schema.type === 'integer' ? Number(value) : value;
    faults.push(
      ...faultsAt(['components', 'headers', component, 'schema'], read).map(fault => `${name}${fault}`),
    );
  }
  if (answer.content === undefined) {
    if (body.length > 0) faults.push('has a body, and should have none');
    return faults;
  }
  const mediaType = fields['content-type'] ?? '';
  const content = answer.content[mediaType];
  if (content === undefined) return [...faults, `is of type "${mediaType}"`];
  if (method === 'HEAD') return body.length === 0 ? faults : [...faults, 'has a body'];
  return [...faults, ...bodyFaults(body, [...pointer, 'content', mediaType], content, isCut)];
}

function bodyFaults(
  body: Uint8Array,
  pointer: readonly string[],
  content: Readonly<Record<string, unknown>>,
  isCut: boolean,
): readonly string[] {
  const mediaType = pointer.at(-1) ?? '';
  if (mediaType === 'application/octet-stream') return [];
  const text = new TextDecoder().decode(body);
  if (content['x-itemSchema'] !== undefined) {
    const lines = text.split('\n');
    const last = lines.pop();
    const faults = last === '' || isCut ? [] : ['the last line is not ended'];
    return [...faults, ...lines.flatMap(line => faultsAt([...pointer, 'x-itemSchema'], parsed(line)))];
  }
  if (content['x-events'] !== undefined) return eventFaults(text, pointer);
  if (isCut) return [];
  const isJson = /[/+]json$/.test(mediaType);
  return faultsAt([...pointer, 'schema'], isJson ? parsed(text) : text);
}

/** Events that have come whole. A comment is no event. */
function eventFaults(text: string, pointer: readonly string[]): readonly string[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .flatMap(block => {
      const name = /^event: (.+)$/m.exec(block)?.[1];
      const data = /^data: (.+)$/m.exec(block)?.[1];
      if (name === undefined || data === undefined) return [];
      return faultsAt([...pointer, 'x-events', name], parsed(data));
    });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** More than this of one answer is not kept, so that a test of memory stays one: of lines the first are looked at. */
const keptBytes = 4 << 20;

/** Looks at every answer that a server gives, those to what is no HTTP included. @param tell told of each fault */
export function watchAnswers(server: Server, tell: (fault: string) => void): void {
  server.prependListener('request', (req: IncomingMessage, res: ServerResponse) => watchOne(req, res, tell));
  server.prependListener('connection', (socket: Socket) => {
    const end = socket.end.bind(socket);
    // What the server's parser refuses is answered on the bare socket.
    socket.end = ((...args: Parameters<typeof end>) => {
      const [text] = args as readonly unknown[];
      if (typeof text === 'string' && text.startsWith('HTTP/1.1 '))
        for (const fault of bareFaults(text)) tell(fault);
      return end(...args);
    }) as typeof socket.end;
  });
}

function watchOne(req: IncomingMessage, res: ServerResponse, tell: (fault: string) => void): void {
  const { method = '', url = '' } = req;
  const chunks: Buffer[] = [];
  let kept = 0;
  let isCut = false;
  const keep = (chunk: unknown) => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return;
    const bytes = Buffer.from(chunk as string);
    kept += bytes.length;
    if (kept > keptBytes) isCut = true;
    else chunks.push(bytes);
  };
  const write = res.write.bind(res);
  const end = res.end.bind(res);
  res.write = ((...args: Parameters<typeof write>) => {
    keep(args[0]);
    return write(...args);
  }) as typeof res.write;
  res.end = ((...args: Parameters<typeof end>) => {
    keep(args[0]);
    return end(...args);
  }) as typeof res.end;
  res.once('close', () => {
    if (!res.headersSent) return;
    const fields = Object.fromEntries(
      Object.entries(res.getHeaders()).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
    const answered = { method, target: url, status: res.statusCode, fields, body: Buffer.concat(chunks) };
    for (const fault of faultsOf({ ...answered, isCut: isCut || !res.writableFinished })) tell(fault);
  });
}

function bareFaults(text: string): readonly string[] {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const fields = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const status = Number(first.split(' ')[1]);
  return faultsOf({ method: '', target: undefined, status, fields, body: Buffer.from(body) });
}
