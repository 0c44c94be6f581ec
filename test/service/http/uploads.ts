/** Uploads to the batch endpoint as a test sends them, and their answers, line by line. */

import { request } from 'node:http';
import type { Readable } from 'node:stream';
import { expect } from 'vitest';
import { readCheckpoint } from '../../../merkle/checkpoint.ts';
import { type VerifierKey, verifyNote } from '../../../merkle/note.ts';

export type AnswerLine = {
  readonly status: number;
  readonly leafHash?: string;
  readonly index?: number;
  readonly time?: string;
  readonly salt?: string;
  readonly record?: unknown;
  readonly problem?: {
    readonly type: string;
    readonly status: number;
    readonly detail: string;
    readonly issues: readonly { readonly place: string; readonly message: string }[];
  };
};

/** Where uploads go to, and whose checkpoint comes back. */
export type Uploading = {
  readonly port: number;
  readonly ledger: { readonly verifierKey: VerifierKey };
  /** The address that they come from: one of this machine, 127.0.0.2 for instance. */
  readonly localAddress?: string | undefined;
};

export type Uploaded = { readonly answers: readonly AnswerLine[]; readonly checkpoint: string };

/** Sends lines, each with its line feed, and reads the answers while it sends. */
export function upload(world: Uploading, lines: readonly string[]): Promise<Uploaded> {
  return uploadBody(world, lines.map(line => `${line}\n`).join(''));
}

/** Sends a body as it is, in one piece or as a stream. */
export async function uploadBody(world: Uploading, body: string | Uint8Array | Readable): Promise<Uploaded> {
  const { status, headers, lines } = await uploadRaw(world, body);
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('application/x-ndjson');
  expect(headers['api-version']).toBe('1.0.0');
  expect(headers['cache-control']).toBe('no-store');
  const parsed = lines.map(line => JSON.parse(line));
  const { checkpoint } = parsed.pop();
  const answers: readonly AnswerLine[] = parsed;
  verifyNote(checkpoint, [world.ledger.verifierKey]);
  const { size } = readCheckpoint(checkpoint);
  for (const answer of answers) {
    if (answer.problem === undefined) {
      const members = ['status', 'leafHash', 'index', 'time', 'salt'];
      expect(Object.keys(answer)).toEqual(answer.status === 200 ? [...members, 'record'] : members);
      expect(answer.index).toBeLessThan(size);
    } else {
      expect(Object.keys(answer)).toEqual(['status', 'problem']);
      expect(Object.keys(answer.problem)).toEqual(['type', 'title', 'status', 'detail', 'issues']);
      expect(answer.problem.status).toBe(answer.status);
    }
  }
  return { answers, checkpoint };
}

export function uploadRaw(
  world: Pick<Uploading, 'port' | 'localAddress'>,
  body: string | Uint8Array | Readable,
  headers: Readonly<Record<string, string>> = {},
): Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly lines: readonly string[];
  readonly body: string;
}> {
  const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<typeof uploadRaw>>>();
  const req = request(
    {
      host: '127.0.0.1',
      port: world.port,
      localAddress: world.localAddress,
      path: '/v1/records/batch',
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...headers },
      agent: false,
    },
    res => {
      const chunks: Buffer[] = [];
      res.on('data', chunk => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const lines = text.split('\n').slice(0, -1);
        resolve({ status: res.statusCode ?? 0, headers: res.headers, lines, body: text });
      });
    },
  );
  req.on('error', reject);
  if (typeof body === 'string' || body instanceof Uint8Array) req.end(body);
  else body.pipe(req);
  return promise;
}

/** What became of each line: its status, and the problem's name where it is one. */
export function outcomes({ answers }: Pick<Uploaded, 'answers'>): string[] {
  return answers.map(({ status, problem }) =>
    problem === undefined ? String(status) : `${status} ${problem.type.split(':').at(-1)}`,
  );
}
