/** A ledger of its own for a test: real code over a real store, with the clock and the randomness in the test's hands. */

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { MemoryLevel } from 'memory-level';
import { formatBase64url, parseBase64url, utf8 } from '../../merkle/bytes.ts';
import type { Genesis } from '../../merkle/genesis.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import { formatJws } from '../../merkle/jws.ts';
import { type NoteSigner, verifierKey } from '../../merkle/note.ts';
import { signingInput } from '../../merkle/statement.ts';
import { generateKey, publicJwk } from '../../service/client/signer.ts';
import { createLog } from '../../service/creation.ts';
import { type Guard, memoryGuard } from '../../service/guard.ts';
import { Ledger, type LedgerParts } from '../../service/ledger.ts';
import { type Database, Store } from '../../service/store.ts';
import type { Submission } from '../../service/submission.ts';

export const testOrigin = 'ledger.test/1';

export const testGenesis: Genesis = {
  chainId: '31337',
  created: '2026-11-24T08:00:00.000Z',
  origin: testOrigin,
  previous: null,
  registry: new Uint8Array(20).fill(7),
};

/** When the first entry is made, milliseconds. */
export const testStart = Date.parse(testGenesis.created);

/** A log key as a test needs it: in memory. */
export function aNoteSigner(
  origin = testOrigin,
  key: KeyObject = generateKeyPairSync('ed25519').privateKey,
): NoteSigner {
  const { x } = key.export({ format: 'jwk' });
  return {
    key: verifierKey(origin, parseBase64url(x ?? '')),
    sign: async message => new Uint8Array(sign(null, message, key)),
  };
}

export function memoryDatabase(): Database {
  return new MemoryLevel<Uint8Array, Uint8Array>({
    keyEncoding: 'view',
    valueEncoding: 'view',
    storeEncoding: 'view',
  });
}

/** A clock that stands until it is moved. */
export function aClock(ms = testStart): { (): number; ms: number } {
  const clock = Object.assign(() => clock.ms, { ms });
  return clock;
}

/** Bytes that differ on every call and are the same on every run. */
export function countingBytes(seed = 'test'): (lengthBytes: number) => Uint8Array {
  let calls = 0;
  return lengthBytes =>
    new Uint8Array(
      createHash('shake256', { outputLength: lengthBytes }).update(`${seed} ${calls++}`).digest(),
    );
}

export type TestLog = {
  readonly database: Database;
  readonly guard: Guard;
  readonly signer: NoteSigner;
  readonly now: { (): number; ms: number };
  readonly faults: unknown[];
  /** Opens a ledger over what is in the database: again, after a stop or a crash. */
  open(changes?: Partial<LedgerParts>): Promise<Ledger>;
};

/** A new log of one entry, not yet open. */
export async function aLog({
  database = memoryDatabase(),
  guard = memoryGuard(),
  origin = testOrigin,
  signer = aNoteSigner(origin),
} = {}): Promise<TestLog> {
  const now = aClock();
  const faults: unknown[] = [];
  const store = new Store(database, error => faults.push(error));
  await createLog({
    store,
    guard,
    signer,
    genesis: { ...testGenesis, origin },
    randomBytes: countingBytes('log'),
  });
  const randomBytes = countingBytes();
  const open = (changes: Partial<LedgerParts> = {}) =>
    Ledger.open({
      store: new Store(database, error => faults.push(error)),
      signer,
      guard,
      now,
      randomBytes,
      batchMax: 1000,
      onFault: cause => faults.push(cause),
      ...changes,
    });
  return { database, guard, signer, now, faults, open };
}

const agencyKey = generateKey('ES256');
const agencyJwk = publicJwk(agencyKey);

/** A submission whose signature is real: an event of an agency under its key, admitted unless the test says otherwise. */
export function aSubmission(changes: Partial<Submission> & { readonly text?: string } = {}): Submission {
  const { text = 'toegekend', ...rest } = changes;
  const source = rest.source ?? 'https://example.org/grants';
  const id = rest.id ?? '1';
  const kind = rest.kind ?? 'transaction';
  const event = utf8(
    JSON.stringify({
      specversion: '1.0',
      id,
      source,
      type: 'org.example.grant.decided',
      time: '2026-11-24T08:00:00Z',
      recordkind: kind,
      data: { decision: text },
    }),
  );
  const kid = formatBase64url(thumbprint(agencyJwk));
  const input = signingInput({ alg: 'ES256', kid, typ: 'zegel+jws', aud: testOrigin }, event);
  const signature = sign('sha256', utf8(input), { key: agencyKey, dsaEncoding: 'ieee-p1363' });
  return {
    statement: formatJws(input, new Uint8Array(signature)),
    key: agencyJwk,
    keyId: thumbprint(agencyJwk),
    agency: 'OVO002949',
    source,
    id,
    kind,
    event,
    admit: () => undefined,
    ...rest,
  };
}
