/** A service that lies to an auditor: a real HTTP server in front of a real service, which remembers its answers once that is gone. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatCheckpoint } from '../../merkle/checkpoint.ts';
import { type NoteSigner, signNote } from '../../merkle/note.ts';
import { proveConsistency, treeRoot } from '../../merkle/prove.ts';
import {
  bundlePath,
  formatBundle,
  formatTile,
  parseBundle,
  parseTilePath,
  type Tile,
  tileWidth,
} from '../../merkle/tiles.ts';
import { leafHash } from '../../merkle/tree.ts';

export type ServiceAnswer = { readonly status: number; readonly type: string; readonly body: Uint8Array };

/** How a request is answered; `honest` asks the service behind. `stall` answers nothing, `endless` without end. */
export type ServiceLie = (
  path: string,
  honest: () => Promise<ServiceAnswer>,
) => Promise<ServiceAnswer | 'stall' | 'endless'> | ServiceAnswer | 'stall' | 'endless';

export type LyingService = {
  readonly url: string;
  /** What it does; honest when undefined. */
  lie: ServiceLie | undefined;
  stop(): Promise<void>;
};

export async function startLyingService(behind: string): Promise<LyingService> {
  const remembered = new Map<string, ServiceAnswer>();
  const lying: LyingService = { url: '', lie: undefined, stop };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const honest = () => ask(path);
    Promise.resolve(lying.lie === undefined ? honest() : lying.lie(path, honest))
      .then(answer => send(response, answer))
      .catch(error => response.writeHead(502).end(String(error)));
  });

  async function ask(path: string): Promise<ServiceAnswer> {
    try {
      const response = await fetch(behind + path);
      const body = new Uint8Array(await response.arrayBuffer());
      const type = response.headers.get('content-type') ?? '';
      remembered.set(path, { status: response.status, type, body });
    } catch (error) {
      if (!remembered.has(path) && !path.startsWith(anchorsPath)) throw error;
    }
    return remembered.get(path) ?? laterAnchors(path);
  }

  /** Anchors that were listed in another page. */
  function laterAnchors(path: string): ServiceAnswer {
    const whole = remembered.get(`${anchorsPath}0`);
    if (whole === undefined || !path.startsWith(anchorsPath)) return none;
    const after = Number(path.slice(anchorsPath.length));
    const page = JSON.parse(Buffer.from(whole.body).toString());
    const items = page.items.filter(({ size }: { size: number }) => size > after);
    return { ...whole, body: Buffer.from(JSON.stringify({ ...page, items })) };
  }

  async function stop(): Promise<void> {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // A server on TCP has one.
  return Object.assign(lying, { url: `http://127.0.0.1:${port}` });
}

const anchorsPath = '/v1/anchors?cursor=';
const none: ServiceAnswer = { status: 404, type: 'text/plain', body: new Uint8Array() };

function send(response: ServerResponse, answer: ServiceAnswer | 'stall' | 'endless'): void {
  if (answer === 'stall') return;
  if (answer === 'endless') {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    const chunk = new Uint8Array(1 << 16);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', more);
    more();
    return;
  }
  response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
}

/** Every answer but for one path, which is changed. */
export function changingBytes(path: string, change: (body: Uint8Array) => Uint8Array): ServiceLie {
  return async (asked, honest) => {
    const answer = await honest();
    return asked === path ? { ...answer, body: change(new Uint8Array(answer.body)) } : answer;
  };
}

/** Every answer but for one path, whose JSON is changed. */
export function changingJsonAt<T>(path: string, change: (value: T) => unknown): ServiceLie {
  return async (asked, honest) => {
    const answer = await honest();
    if (asked.split('?')[0] !== path) return answer;
    return {
      ...answer,
      body: Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(answer.body).toString())))),
    };
  };
}

/** A tree that somebody who has the log's key can serve: checkpoint, tiles and bundles of whatever entries. */
export class ServedTree {
  readonly entries: readonly Uint8Array[];
  readonly #levels: Uint8Array[][];

  constructor(entries: readonly Uint8Array[]) {
    this.entries = entries;
    this.#levels = [entries.map(leafHash)];
    for (let below = this.#levels[0] ?? []; below.length >= tileWidth; ) {
      const full = Math.floor(below.length / tileWidth);
      below = Array.from({ length: full }, (_, i) =>
        treeRoot(below.slice(i * tileWidth, (i + 1) * tileWidth)),
      );
      this.#levels.push(below);
    }
  }

  get root(): Uint8Array {
    return treeRoot(this.#levels[0] ?? []);
  }

  consistency(first: number): Promise<Uint8Array[]> {
    return proveConsistency(first, this.entries.length, async tiles => tiles.map(tile => this.#hashes(tile)));
  }

  #hashes({ level, index, width }: Tile): Uint8Array[] {
    return (this.#levels[level] ?? []).slice(index * tileWidth, index * tileWidth + width);
  }

  signed(origin: string, signer: NoteSigner): Promise<string> {
    return signNote(formatCheckpoint({ origin, size: this.entries.length, root: this.root }), signer);
  }

  /** Serves this tree in place of the service's, under a checkpoint; all else is the service's. */
  lie(checkpoint: string): ServiceLie {
    return (path, honest) => {
      if (path === '/log/checkpoint')
        return { status: 200, type: 'text/plain; charset=utf-8', body: Buffer.from(checkpoint) };
      if (!path.startsWith('/log/tile/')) return honest();
      const asked = parseTilePath(path.slice('/log/'.length));
      const body =
        asked.kind === 'tile'
          ? formatTile(this.#hashes(asked.tile))
          : formatBundle(this.entries.slice(asked.index * tileWidth, asked.index * tileWidth + asked.width));
      return { status: 200, type: 'application/octet-stream', body };
    };
  }
}

/** All entries that a service has under a size. */
export async function entriesAt(url: string, size: number): Promise<Uint8Array[]> {
  const entries: Uint8Array[] = [];
  for (let index = 0; index * tileWidth < size; index++) {
    const width = Math.min(tileWidth, size - index * tileWidth);
    const response = await fetch(`${url}/log/${bundlePath(index, width)}`);
    entries.push(...parseBundle(new Uint8Array(await response.arrayBuffer())).slice(0, width));
  }
  return entries;
}
