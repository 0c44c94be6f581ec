/** A good request for every operation of the interface, against a log of fixed keys, clock and chance: whatever is answered is the same on every run. */

import { createPrivateKey, type KeyObject } from 'node:crypto';
import { formatHex, formatUint64 } from '../../../merkle/bytes.ts';
import { thumbprint } from '../../../merkle/jwk.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { publicJwk } from '../../../service/client/signer.ts';
import type { ListedAnchor } from '../../../service/http/anchors.ts';
import { Store } from '../../../service/store.ts';
import { aBatch, someEvents } from '../../helpers/batches.ts';
import { anEvent, aStatement } from '../../helpers/builders.ts';
import { countingBytes, testStart } from '../../helpers/ledger.ts';
import { aToken } from '../../helpers/tokens.ts';
import { aWorld, operator, submit, viewedKey, type World } from './world.ts';

export type Call = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** An Ed25519 key whose 32 secret bytes are all the same: its signatures are the same on every run. */
export function fixedKey(byte: number): KeyObject {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  return createPrivateKey({
    key: Buffer.concat([prefix, Buffer.alloc(32, byte)]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** When tokens are judged: an hour after the log began. */
export const fixedNow = testStart + 3_600_000;

const serviceKey = fixedKey(2);

const anchors: readonly ListedAnchor[] = [1, 4].map(size => ({
  size,
  root: new Uint8Array(32).fill(size),
  block: size,
  blockHash: new Uint8Array(32).fill(1),
  blockTime: Math.floor(testStart / 1000) + size,
  transaction: new Uint8Array(32).fill(2),
  checkpoint: `ledger.example/2026\n${size}\n…\n`,
  evidence: { headers: [Uint8Array.of(1)], nodes: [Uint8Array.of(2)] },
}));

export type FixedWorld = World & {
  /** The leaf hash of a record of the agency's. */
  readonly leaf: string;
};

/** A world with three records of one agency, in which nothing is left to chance. */
export async function aFixedWorld(changes: Parameters<typeof aWorld>[0] = {}): Promise<FixedWorld> {
  const world = await aWorld({
    anchors,
    clock: () => fixedNow,
    startedAtMs: testStart,
    chance: countingBytes('trail'),
    logKey: fixedKey(1),
    privateKey: serviceKey,
    baseUrl: 'https://ledger.example',
    elapsed: () => 0,
    ...changes,
  });
  const jwk = publicJwk(serviceKey);
  const keyId = thumbprint(jwk);
  world.keys.set(formatHex(keyId), viewedKey('Ed25519', { keyId, jwk, agency: operator }));
  for (let i = 0; i < 3; i++) {
    const { status } = await submit(world, statement(`record-${i}`));
    if (status !== 201) throw new Error(`a record of the fixed world is answered with ${status}`);
  }
  const [entry = new Uint8Array(0)] = await world.ledger.read.entries(1, 2);
  return { ...world, leaf: formatHex(leafHash(entry)) };
}

/** Erases the record that `leaf` names. */
export async function erase({ database }: World): Promise<void> {
  const faults: unknown[] = [];
  await new Store(database, fault => faults.push(fault)).write([
    { table: 'salt', key: formatUint64(1), value: null },
  ]);
}

/** A statement by the agency's Ed25519 key, which signs the same bytes alike. */
export function statement(id: string, changes: Parameters<typeof aStatement>[0] = {}): string {
  return aStatement({ alg: 'Ed25519', payload: anEvent({ id }), ...changes });
}

/** What a provocation changes in a good request. */
export type Changes = {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly leaf?: string;
  /** Sizes and files that are asked for. */
  readonly absent?: boolean;
  readonly statement?: (id: string) => string;
  readonly batch?: Partial<Parameters<typeof aBatch>[0]>;
  readonly token?: Parameters<typeof aToken>[0] | string;
};

let calls = 0;

/** The requests by their operations' ids. */
export function callsOf(world: FixedWorld, changes: Changes = {}): Readonly<Record<string, Call>> {
  const { leaf = world.leaf, query = '', absent = false } = changes;
  const token = () => {
    if (typeof changes.token === 'string') return changes.token;
    const jti = `call-${calls++}`;
    const { claims, ...rest } = changes.token ?? {};
    return aToken({ alg: 'Ed25519', nowMs: fixedNow, claims: { jti, ...claims }, ...rest });
  };
  const get = (path: string, ...withToken: readonly 'token'[]): Call => ({
    method: 'GET',
    path: path + (query === '' ? '' : `${path.includes('?') ? '&' : '?'}${query}`),
    headers: without({
      ...(withToken.length > 0 ? { authorization: `Bearer ${token()}` } : {}),
      ...changes.headers,
    }),
  });
  const post = (path: string, type: string, body: string): Call => ({
    ...get(path),
    method: 'POST',
    headers: without({ 'content-type': type, ...changes.headers }),
    body: changes.body ?? body,
  });
  const made = changes.statement ?? (id => statement(id));
  const batch = aBatch({ events: someEvents(2, `batch-${calls++}`), alg: 'Ed25519', ...changes.batch });
  return {
    submitRecord: post('/v1/records', 'application/jose', made(`call-${calls++}`)),
    submitRecords: post(
      '/v1/records/batch',
      'application/x-ndjson',
      [JSON.stringify({ statement: made(`call-${calls++}`) }), ...batch.lines]
        .map(line => `${line}\n`)
        .join(''),
    ),
    exportRecords: get('/v1/records/export?from=0&to=4', 'token'),
    readRecord: get(`/v1/records/${leaf}`, 'token'),
    getReceipt: get(`/v1/records/${leaf}/receipt`, 'token'),
    proveInclusion: get(`/v1/proofs/inclusion?leafHash=${leaf}&size=4`),
    proveConsistency: get('/v1/proofs/consistency?first=2&second=4'),
    listAnchors: get('/v1/anchors?cursor=0'),
    getAnchor: get(`/v1/anchors/${absent ? 3 : 4}`),
    getLog: get('/v1/log'),
    getCheckpoint: get('/log/checkpoint'),
    getTile: get(`/log/tile/0/000.p/${absent ? 200 : 4}`),
    getHealth: get('/health'),
    getLiveness: get('/livez'),
    getReadiness: get('/readyz'),
    getMetrics: get('/metrics'),
    getDocument: get('/v1/openapi.json'),
    watchLog: get('/v1/log/stream'),
    getFace: get('/'),
    getReference: get('/docs'),
    listProblems: get('/docs/problems'),
    getProblem: get(`/docs/problems/${absent ? 'no-such-problem' : 'log-busy'}`),
    getPage: get('/verify'),
    getPageFile: get('/verify.html'),
  };
}

function without(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
