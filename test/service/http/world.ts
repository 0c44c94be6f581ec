/** A service for HTTP tests: the real server and ledger on a port of their own, over keys that the test registers by hand. */

import { type KeyObject, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { expect } from 'vitest';
import { formatHex } from '../../../merkle/bytes.ts';
import { thumbprint } from '../../../merkle/jwk.ts';
import { type Algorithm, algorithms } from '../../../merkle/signature.ts';
import { AnchorBook } from '../../../service/anchors.ts';
import { Bearers } from '../../../service/bearers.ts';
import { generateKey, publicJwk as publicKeyOf } from '../../../service/client/signer.ts';
import { LedgerError } from '../../../service/errors.ts';
import type { ListedAnchor } from '../../../service/http/anchors.ts';
import { createApp } from '../../../service/http/app.ts';
import { type LimitSettings, Limits } from '../../../service/http/limits.ts';
import {
  close,
  createServer,
  listen,
  type ServerLimits,
  serverLimits,
} from '../../../service/http/server.ts';
import { Intake } from '../../../service/intake.ts';
import type { ViewedKey } from '../../../service/keys.ts';
import { Metrics } from '../../../service/metrics.ts';
import { verifyWithOpenSsl } from '../../../service/openssl.ts';
import { Pulse } from '../../../service/pulse.ts';
import { Reading } from '../../../service/reading.ts';
import { Receipts } from '../../../service/receipts.ts';
import { type Database, Store } from '../../../service/store.ts';
import { Trail } from '../../../service/trail.ts';
import type { Health } from '../../../service/vitals.ts';
import { languages } from '../../../service/web/settings.ts';
import { testOrigin } from '../../helpers/builders.ts';
import { watchAnswers } from '../../helpers/interface.ts';
import { keyFor, publicJwk } from '../../helpers/keys.ts';
import { aLog, aNoteSigner, memoryDatabase } from '../../helpers/ledger.ts';

export const agency = 'OVO002949';

/** Every test key, registered for its algorithm. */
export function registeredKeys(): Map<string, ViewedKey> {
  return new Map(algorithms.map(({ name }) => [kidHex(name), viewedKey(name)]));
}

/** The operator's agency, and the key under which the service records what is read. */
export const operator = 'OVO000001';
export const serviceKey = generateKey('ES256');
const serviceJwk = publicKeyOf(serviceKey);
export const serviceKeyId = thumbprint(serviceJwk);

/** The name under which `registeredKeys` has a test key. */
export function kidHex(alg: Algorithm): string {
  return formatHex(thumbprint(publicJwk(keyFor(alg))));
}

export function viewedKey(alg: Algorithm, changes: Partial<ViewedKey> = {}): ViewedKey {
  const jwk = publicJwk(keyFor(alg));
  const validity = { validFrom: 1_700_000_000, validUntil: 2 ** 40 - 1, retired: false };
  return { keyId: thumbprint(jwk), agency, algorithm: alg, jwk, ...validity, ...changes };
}

export type World = Awaited<ReturnType<typeof aWorld>>;

export async function aWorld({
  limits = {},
  rates = {},
  elapsed = () => performance.now(),
  baseUrl,
  eventMaxBytes = 65_536,
  anchors: listed = [],
  database = memoryDatabase(),
  privateKey = serviceKey,
  startedAtMs = Date.now() - 60_000,
  delay,
  clock = Date.now,
  chance = randomBytes,
  logKey,
}: {
  limits?: Partial<ServerLimits>;
  /** What keys and addresses may ask for; without, as much as they like. */
  rates?: Partial<LimitSettings>;
  elapsed?: () => number;
  baseUrl?: string;
  eventMaxBytes?: number;
  /** Anchors as the book would list them, smallest first. */
  anchors?: readonly ListedAnchor[];
  database?: Database;
  /** The service key; null for none. */
  privateKey?: KeyObject | null;
  startedAtMs?: number;
  /** How tokens dated ahead are held; without, the clock goes on at once. */
  delay?: (ms: number) => Promise<unknown>;
  /** The clock by which tokens are judged and reads are recorded, milliseconds. The log has its own, which stands. */
  clock?: () => number;
  /** What the events of recorded reads are told apart by. */
  chance?: (lengthBytes: number) => Uint8Array;
  logKey?: KeyObject;
} = {}) {
  // A test may add to them.
  const anchors = [...listed];
  const log = await aLog({
    origin: testOrigin,
    database,
    ...(logKey === undefined ? {} : { signer: aNoteSigner(testOrigin, logKey) }),
  });
  const ledger = await log.open({ observe: ({ records }) => pulse.count(records) });
  const keys = registeredKeys();
  keys.set(
    formatHex(serviceKeyId),
    viewedKey('ES256', { keyId: serviceKeyId, jwk: serviceJwk, agency: operator }),
  );
  const state = {
    health: { status: 'UP', reasons: [] } as Health,
    silent: false,
    clockOff: false,
    trust: null as string | null,
    /** Since when a record has waited for its anchor. */
    waitingSince: null as number | null,
    /** By how much the clock by which tokens are judged is off. */
    clockMs: 0,
    /** What `report` was told. */
    faults: [] as unknown[],
    reported: [] as unknown[],
    logged: [] as Record<string, unknown>[],
    /** Answers that are not as `/v1/openapi.json` describes them. */
    undescribed: [] as string[],
  };
  const view = {
    find: (keyId: Uint8Array) => keys.get(formatHex(keyId)),
    keys: () => [...keys.values()],
    ready: () => {
      if (state.silent)
        throw new LedgerError('CHAIN_SILENT', 'the chain was last heard 61 s ago', { retryAfterS: 10 });
      if (state.clockOff)
        throw new LedgerError('CLOCK_OFF', 'the clock is 31 s off the chain', { retryAfterS: 30 });
    },
  };
  const stopping = new AbortController();
  const metrics = new Metrics();
  const limiting = new Limits({
    keyLimit: 0,
    addressLimit: 1_000_000,
    readLimit: 0,
    ...rates,
    elapsed,
    count: limit => metrics.countLimited(limit),
  });
  const logger = pino({ level: 'debug' }, { write: line => state.logged.push(JSON.parse(line)) });
  const { origin } = ledger;
  const verify = verifyWithOpenSsl;
  const now = () => clock() + state.clockMs;
  const intake = new Intake({ origin, keys: view, verify, eventMaxBytes });
  const receipts = new Receipts({
    ledger,
    book: await AnchorBook.open(new Store(database, () => undefined)),
  });
  const trail = new Trail({
    origin,
    privateKey: privateKey ?? undefined,
    keys: view,
    intake,
    ledger,
    now,
    randomBytes: chance,
  });
  const goOn = async (ms: number) => {
    state.clockMs += ms;
  };
  const bearers = new Bearers({ origin, keys: view, verify, now, startedAtMs, delay: delay ?? goOn });
  const sizes = () => ({
    sequenced: ledger.sequenced,
    signed: ledger.signed().size,
    anchored: anchors.at(-1)?.size ?? 1,
    final: anchors.at(-1)?.size ?? 1,
  });
  const ticks = new Set<() => void>();
  const pulse = new Pulse({
    sizes,
    condition: () => ({ ...state.health, waitingSince: state.waitingSince }),
    anchors: { newest: async limit => anchors.toReversed().slice(0, limit) },
    read: ledger.read,
    now,
    every: (_, task) => {
      ticks.add(task);
      return () => ticks.delete(task);
    },
    onError: error => state.faults.push(error),
  });
  const reading = new Reading({ bearers, trail, keys: view, ledger, receipts });
  const app = createApp({
    ledger,
    intake,
    receipts,
    reading,
    anchorer: { waitFor: (_, timeoutMs) => setTimeout(timeoutMs, false) },
    anchors: {
      at: async size => anchors.find(anchor => anchor.size === size),
      after: async (size, limit) => anchors.filter(anchor => anchor.size > size).slice(0, limit),
    },
    sizes,
    pulse,
    contracts: [{ name: 'AnchorRegistry', address: new Uint8Array(20).fill(7), block: 1 }],
    version: '0.0.0',
    health: () => state.health,
    metrics,
    limits: limiting,
    stopping: stopping.signal,
    baseUrl,
    bundle: { sources: '', script: 'script();', style: 'p {}' },
    trust: async () => state.trust,
    languages,
    anchorIntervalMs: 10_000,
    log: logger,
    report: (error, request) => {
      state.faults.push(error);
      state.reported.push(request);
    },
  });
  const server = createServer(app, { ...serverLimits, ...limits });
  watchAnswers(server, fault => state.undescribed.push(fault));
  const port = await listen(server, '127.0.0.1', 0);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ledger,
    limits: limiting,
    log,
    keys,
    state,
    app,
    server,
    pulse,
    /** What runs on a timer; a test lets time pass by calling it. */
    ticks,
    anchors,
    bearers,
    reading,
    stopping,
    database,
    /** @throws {Error} if an answer was not as `/v1/openapi.json` describes it, whichever test asked for it */
    async stop(graceMs = 1_000) {
      stopping.abort();
      await close(server, graceMs);
      await ledger.stop();
      expect(state.undescribed, 'answers are as the document describes them').toEqual([]);
    },
  };
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
};

/** One request, with header fields as they are given: `fetch` would correct some of what is tested here. */
export function ask(
  world: Pick<World, 'port'> & { readonly localAddress?: string },
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { port, localAddress } = world;
  const req = request({ host: '127.0.0.1', port, localAddress, path, method, headers, agent: false }, res => {
    const chunks: Buffer[] = [];
    const done = () =>
      resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() });
    res.on('data', chunk => {
      chunks.push(chunk);
      // A stream has no end: it is enough to have been told how things are.
      if (isStream(res.headers) && /^event: health$[\s\S]*\n\n$/m.test(Buffer.concat(chunks).toString())) {
        done();
        req.destroy();
      }
    });
    res.on('end', done);
    res.on('error', reject);
  });
  req.on('error', reject);
  req.end(body);
  return promise;
}

const isStream = (headers: Answer['headers']) => headers['content-type'] === 'text/event-stream';

/** Submits a body as a statement. */
export function submit(
  world: Pick<World, 'port'> & { readonly localAddress?: string },
  body: string | Uint8Array,
  headers: Record<string, string> = {},
) {
  return ask(world, '/v1/records', {
    method: 'POST',
    headers: { 'content-type': 'application/jose', ...headers },
    body,
  });
}

/** Holds an answer against the one shape of a refusal, and gives the problem. */
export function problemOf(answer: Answer, status: number, name: string) {
  const problem = JSON.parse(answer.body);
  expect(problem).toEqual({
    type: `urn:problem-type:zegel:${name}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    issues: expect.any(Array),
  });
  for (const issue of problem.issues)
    expect(issue).toEqual({ place: expect.any(String), message: expect.any(String) });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers['api-version']).toBe('1.0.0');
  expect(answer.headers['cache-control']).toBe('no-store');
  // Nothing of ours: no stack, no path, no name of a file; and nothing that a terminal would obey.
  expect(answer.body).not.toMatch(/\.ts|\.js|node_modules|\/work|\bat \w+ \(|Error:/);
  expect(answer.body).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  expect(answer.body.length).toBeLessThan(20_000);
  return problem as {
    readonly detail: string;
    readonly issues: readonly { readonly place: string; readonly message: string }[];
  };
}
