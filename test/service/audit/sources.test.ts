import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../merkle/bytes.ts';
import { formatGenesis, parseGenesis } from '../../../merkle/genesis.ts';
import { formatTrust, parseTrust } from '../../../merkle/trust.ts';
import { CouldNotCheck, Findings } from '../../../service/audit/findings.ts';
import { auditLog } from '../../../service/audit/log.ts';
import { httpSource, type SourceOptions } from '../../../service/audit/sources.ts';
import { singleLine, someEvents } from '../../helpers/batches.ts';
import { testOrigin } from '../../helpers/builders.ts';
import { ForgedLog } from '../../helpers/forged-log.ts';
import { ask, aWorld } from '../http/world.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that does to each request what a test says. */
async function serving(handle: Parameters<typeof createServer>[1]): Promise<string> {
  const listening = createServer({}, handle);
  server = listening;
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve));
  // A server on TCP has an address with a port.
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

/** Asks for a bundle, and notes the pauses. */
async function bundleOf(url: string, options: SourceOptions = {}) {
  const pauses: number[] = [];
  const sleep = async (ms: number) => void pauses.push(ms);
  const source = httpSource(url, { sleep, timeoutMs: 500, ...options });
  const answer = await source.bundle(0, 256).catch(error => error);
  return { answer, pauses };
}

describe('httpSource', () => {
  it('asks a few times before it believes in an outage, and waits longer each time', async () => {
    let asked = 0;
    const url = await serving((_, response) => {
      response.writeHead(asked++ < 3 ? 503 : 200, { 'content-type': 'application/octet-stream' }).end('x');
    });
    expect(await bundleOf(url)).toEqual({ answer: utf8('x'), pauses: [500, 1000, 2000] });
    asked = -1;
    const { answer } = await bundleOf(url);
    expect(answer).toBeInstanceOf(CouldNotCheck);
    expect(answer.message).toBe(
      `/log/tile/entries/000 could not be had from ${url}: it was answered with HTTP status 503`,
    );
  });

  it('waits as long as it is told, up to half a minute', async () => {
    for (const [told, waited] of [
      ['7', 7000],
      ['7000', 30_000],
      ['tomorrow', 500],
    ] as const) {
      const url = await serving((_, response) => void response.writeHead(429, { 'retry-after': told }).end());
      expect((await bundleOf(url, { attempts: 2 })).pauses).toEqual([waited]);
      server?.close();
    }
  });

  it('ends a stall, wherever it is', async () => {
    for (const headers of [false, true]) {
      const url = await serving((_, response) => {
        if (headers) response.writeHead(200, { 'content-type': 'application/octet-stream' }).write('x');
      });
      const { answer } = await bundleOf(url, { attempts: 1, timeoutMs: 100 });
      expect(answer.message).toContain('no whole answer in 100 ms');
    }
  });

  it('could not check what is cut off, reset, or nowhere', async () => {
    const reset = await serving(request => request.socket.resetAndDestroy());
    expect((await bundleOf(reset, { attempts: 1 })).answer).toBeInstanceOf(CouldNotCheck);
    const cut = await serving((request, response) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': '100' });
      response.write('x', () => request.socket.destroy());
    });
    expect((await bundleOf(cut, { attempts: 1 })).answer).toBeInstanceOf(CouldNotCheck);
    server?.close();
    expect((await bundleOf('http://127.0.0.1:1', { attempts: 1 })).answer).toBeInstanceOf(CouldNotCheck);
  });

  it('follows no redirect', async () => {
    const url = await serving(
      (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    expect((await bundleOf(url, { attempts: 1 })).answer).toBeInstanceOf(CouldNotCheck);
  });

  it('counts what is unpacked, not what is sent', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(new Uint8Array(64 << 20));
    const url = await serving((_, response) => {
      response
        .writeHead(200, { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' })
        .end(bomb);
    });
    expect((await bundleOf(url, { attempts: 1 })).answer.message).toContain('more than 262144 bytes');
  });

  it('keeps the query of an address, where keys may be, out of every message', async () => {
    const { answer } = await bundleOf('http://127.0.0.1:1/log?key=secret#x', { attempts: 1 });
    expect(answer.message).not.toContain('secret');
    expect(answer.where).toBe('http://127.0.0.1:1/log');
  });
});

describe('a real service', () => {
  it('is audited over HTTP, and nothing is found', async () => {
    const world = await aWorld();
    try {
      const lines = someEvents(600, 'audited').map(event => singleLine(event));
      const body = `${lines.join('\n')}\n`;
      const answer = await ask(world, '/v1/records/batch', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body,
      });
      expect(answer.status).toBe(200);
      const forged = new ForgedLog();
      const genesis = parseGenesis(world.ledger.genesisDocument);
      expect(formatGenesis(genesis)).toBe(world.ledger.genesisDocument);
      const [chain] = forged.trust.chains;
      const [log] = forged.trust.logs;
      if (chain === undefined || log === undefined) throw new Error('the trust file has a log');
      const own = { ...chain, chainId: genesis.chainId };
      const trust = parseTrust(
        utf8(
          formatTrust({
            ...forged.trust,
            chains: [own],
            logs: [
              {
                ...log,
                chain: own,
                anchorRegistry: { ...log.anchorRegistry, address: genesis.registry },
                verifierKeys: [{ key: world.ledger.verifierKey }],
              },
            ],
          }),
        ),
      );
      const findings = new Findings();
      const view = await auditLog({
        source: httpSource(world.url),
        trust,
        log: trust.logs[0] ?? log,
        chain: undefined,
        report: findings.report,
      });
      expect(findings.found().kept).toEqual([]);
      expect(view).toMatchObject({ origin: testOrigin, size: 601, kinds: { transaction: 600 } });
    } finally {
      await world.stop();
    }
  });
});
