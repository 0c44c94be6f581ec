/** The citizen's page as it is handed out, by the real route, beside a service that answers for receipts as a test wants it to. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Router from '@koa/router';
import Koa from 'koa';
import { buildPage } from '../../scripts/bundle.ts';
import { pageRoutes } from '../../service/http/page.ts';
import { putTogether, readBundle } from '../../service/page.ts';
import { type Language, languages, type Settings } from '../../service/web/settings.ts';

export type PageSite = {
  readonly url: string;
  /** A folder for files that a test chooses; removed at the end. */
  readonly folder: string;
  /** The page as a file on a disk, which asks the service unless `settings` say otherwise. */
  onDisk(settings?: Partial<Settings>): Promise<string>;
  /** Writes a file into the folder. */
  file(name: string, content: Uint8Array | string): Promise<string>;
  /** What is answered for a leaf hash; 404 for what is not here. */
  readonly answers: Map<string, Answer>;
  /** Whatever was asked of the server, by its path. */
  readonly asked: string[];
  close(): Promise<void>;
};

/** A body to send; `hang` never answers, and `drop` cuts the connection. */
export type Answer = Uint8Array | string | 'hang' | 'drop' | { readonly status: number };

export async function aPageSite({
  trust,
  on = languages,
  anchorIntervalMs = 1_000,
}: {
  trust: string | null;
  on?: readonly Language[];
  anchorIntervalMs?: number;
}): Promise<PageSite> {
  await buildPage();
  const bundle = await readBundle();
  if (bundle === undefined) throw new Error('the page is not built');
  const folder = await mkdtemp(join(tmpdir(), 'zegel-page-'));
  const answers = new Map<string, Answer>();
  const asked: string[] = [];

  const router = new Router({ sensitive: true, strict: true });
  pageRoutes(router, {
    bundle,
    trust: async () => trust,
    languages: on,
    anchorIntervalMs,
    baseUrl: undefined,
  });
  const app = new Koa();
  app.use(router.routes());
  const page = app.callback();
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const [, leaf] = /^\/v1\/records\/([0-9a-f]{64})\/receipt$/.exec(request.url ?? '') ?? [];
    if (leaf === undefined) page(request, response);
    else give(response, answers.get(leaf));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port, not on a path.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const file = async (name: string, content: Uint8Array | string) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  return {
    url,
    folder,
    answers,
    asked,
    file,
    async onDisk(changes = {}) {
      const settings = { trust, service: url, languages: on, language: null, anchorIntervalMs, ...changes };
      return pathToFileURL(await file('verify.html', putTogether(bundle, settings).html)).href;
    },
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

function give(response: ServerResponse, answer: Answer | undefined): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
  if (answer === 'drop') response.destroy();
  else if (answer === undefined) response.writeHead(404).end();
  else if (typeof answer === 'object' && 'status' in answer) response.writeHead(answer.status).end();
  else if (answer !== 'hang') response.end(answer);
}
