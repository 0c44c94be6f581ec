/** Whatever makes the service refuse a good request: done to a world of its own, and then every operation is asked. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { MemoryLevel } from 'memory-level';
import type { Jwk } from '../../../merkle/jwk.ts';
import { anEvent } from '../../helpers/builders.ts';
import { keyFor, kidOf } from '../../helpers/keys.ts';
import { aSubmission } from '../../helpers/ledger.ts';
import { aToken, signToken } from '../../helpers/tokens.ts';
import { type Call, type Changes, erase, type FixedWorld, fixedKey, fixedNow, statement } from './calls.ts';
import { beginUpload, chunk, until } from './connections.ts';
import { type aWorld, kidHex, submit, viewedKey } from './world.ts';

export type Provocation = {
  readonly name: string;
  readonly world?: Parameters<typeof aWorld>[0];
  /** Done before the operations are asked; gives what undoes it, where that does not end with the world. */
  readonly given?: (world: FixedWorld) => Promise<(() => void) | undefined> | undefined;
  readonly changes?: Changes | ((world: FixedWorld) => Changes);
  /** The request as it goes over the socket, where a client would not send it so. */
  readonly raw?: (call: Call) => string;
  /** The one operation that is asked, where the others would take away what provokes it. */
  readonly only?: string;
  /** Done between the first line of an upload and the second. */
  readonly during?: (world: FixedWorld) => void;
};

const nowS = fixedNow / 1000;
const otherKey = { alg: 'Ed25519', key: keyFor('Ed25519') } as const;
const kid = kidOf(otherKey.key);
const anyone = { socket: { remoteAddress: '127.0.0.1' } } as IncomingMessage;

/** A registered key that is not what its kid says. */
const changedKey =
  (changes: Parameters<typeof viewedKey>[1]) =>
  async ({ keys }: FixedWorld) => {
    keys.set(kidHex('Ed25519'), viewedKey('Ed25519', changes));
    return undefined;
  };

const frozen = (code: 'LOG_CLOSED' | 'LOG_FORKED' | 'LOG_STOPPING', why: string): Provocation => ({
  name: `the log is ${code}`,
  given: async ({ ledger }) => {
    ledger.freeze(code, why);
    return undefined;
  },
});

/** A database whose writes wait for as long as a test wants. */
class HeldLevel extends MemoryLevel<Uint8Array, Uint8Array> {
  holding: Promise<void> | undefined;

  constructor() {
    super({ keyEncoding: 'view', valueEncoding: 'view', storeEncoding: 'view' });
  }

  // abstract-level's private method for implementations, which its types do not show.
  async _batch(operations: unknown, options: unknown): Promise<void> {
    await this.holding;
    await Object.getPrototypeOf(HeldLevel.prototype)._batch.call(this, operations, options);
  }
}

/** More records wait than the ledger lets wait, for nothing gets onto the disk. */
function aFullQueue(): Provocation {
  const database = new HeldLevel();
  return {
    name: 'too many records wait',
    world: { database },
    given: async ({ ledger }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      database.holding = promise;
      const submission = aSubmission();
      const waiting = () => ledger.submit(submission).catch(() => undefined);
      const taken = waiting();
      // The first is taken by itself, then the queue fills.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      const queue = Array.from({ length: 20_001 }, waiting);
      return () => {
        resolve();
        void Promise.all([taken, ...queue]);
      };
    },
  };
}

export const provocations: readonly Provocation[] = [
  { name: 'nothing is wrong' },
  { name: 'the query has what nobody knows', changes: { query: 'nonsense=1' } },
  {
    name: 'a line of the header is none',
    raw: ({ method, path }) => `${method} ${path} HTTP/1.1\r\nHost: x\r\nno field\r\n\r\n`,
  },
  { name: 'the header is too large', changes: { headers: { 'x-large': 'a'.repeat(17_000) } } },
  {
    name: 'the header does not end',
    world: { limits: { headersTimeoutMs: 100, checkingIntervalMs: 20 } },
    raw: ({ method, path }) => `${method} ${path} HTTP/1.1\r\nHost: x\r\n`,
  },
  {
    name: 'the body does not end',
    world: { limits: { requestTimeoutMs: 200, checkingIntervalMs: 20 }, elapsed: () => performance.now() },
    raw: ({ method, path, headers, body = '' }) =>
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}${body === '' ? '' : 'Content-Length: 1000\r\n'}\r\n${body.slice(0, 10)}`,
  },
  {
    name: 'the address has used up what it may',
    world: { rates: { addressLimit: 1_000, readLimit: 1_000 } },
    given: async ({ limits }) => {
      const { reads, submissions } = limits.partyOf(anyone);
      for (const allowance of [reads, submissions]) allowance.take(1e9);
      return undefined;
    },
  },
  {
    name: 'the address uses up what it may while it sends',
    world: { rates: { addressLimit: 1 } },
    changes: { body: '[]\n[]\n' },
    only: 'submitRecords',
  },
  {
    name: 'the chain falls silent while it sends',
    only: 'submitRecords',
    during: ({ state }) => {
      state.silent = true;
    },
  },
  {
    name: 'the clock goes wrong while it sends',
    only: 'submitRecords',
    during: ({ state }) => {
      state.clockOff = true;
    },
  },
  {
    name: 'too many uploads are under way',
    world: { rates: { addressLimit: 0 } },
    given: async world => {
      const begun = Array.from({ length: 128 }, () => beginUpload(world));
      await until(() => world.limits.underWay.uploads === 128);
      return () => {
        for (const { socket } of begun) socket.destroy();
      };
    },
  },
  {
    name: 'we are at fault',
    given: async ({ limits }) => {
      limits.partyOf = () => {
        throw new Error('a fault of ours');
      };
      return undefined;
    },
  },
  {
    name: 'we are at fault where records are put in order',
    given: async ({ ledger }) => {
      ledger.submit = () => Promise.reject(new Error('a fault of ours'));
      return undefined;
    },
  },
  { name: 'the body is of another type', changes: { headers: { 'content-type': 'text/plain' } } },
  { name: 'the body is too large', changes: { body: `${'a'.repeat(1 << 20)}\n` } },
  { name: 'the body is no statement', changes: { body: 'junk\n' } },
  {
    name: 'it is meant for another log',
    changes: {
      statement: id => statement(id, { aud: 'ledger.example/2025' }),
      batch: { aud: 'ledger.example/2025' },
      token: { claims: { aud: 'ledger.example/2025' } },
    },
  },
  {
    name: 'the key is not registered',
    given: async ({ keys }) => {
      keys.delete(kidHex('Ed25519'));
      return undefined;
    },
  },
  { name: 'the key has been retired', given: changedKey({ retired: true }) },
  { name: 'the key is for another algorithm', given: changedKey({ algorithm: 'ES256' }) },
  {
    name: 'another key has signed',
    changes: () => ({
      statement: id => statement(id, { key: otherEd25519, kid }),
      token: signToken(
        'Ed25519',
        otherEd25519,
        JSON.stringify({ alg: 'Ed25519', kid, typ: 'zegel-read+jwt' }),
        JSON.stringify({ aud: 'ledger.example/2026', iat: nowS, exp: nowS + 120, jti: 'forged' }),
      ),
    }),
  },
  {
    name: 'the event is recorded in other bytes',
    given: async world => {
      await submit(world, statement('conflict'));
      return undefined;
    },
    changes: { statement: () => statement('', { payload: anEvent({ id: 'conflict', subject: 'other' }) }) },
  },
  {
    name: 'the record has been erased',
    given: async world => {
      await erase(world);
      return undefined;
    },
    changes: { statement: () => statement('record-0') },
  },
  {
    name: 'the key has brought what it may',
    world: { rates: { keyLimit: 1_000 } },
    given: async ({ limits, keys }) => {
      limits.key(keys.get(kidHex('Ed25519'))?.jwk as Jwk).take(1e9);
      return undefined;
    },
  },
  {
    name: 'the chain is silent',
    given: async ({ state }) => {
      state.silent = true;
      return undefined;
    },
  },
  {
    name: 'the clock is off',
    given: async ({ state }) => {
      state.clockOff = true;
      return undefined;
    },
  },
  frozen('LOG_CLOSED', 'the registry says that this log is closed'),
  frozen('LOG_FORKED', 'the registry holds another root at size 4'),
  frozen('LOG_STOPPING', 'the service is stopping'),
  {
    name: 'the service is stopping',
    given: async ({ stopping }) => {
      stopping.abort();
      return undefined;
    },
  },
  aFullQueue(),
  { name: 'there is no token', changes: { headers: { authorization: undefined } } },
  { name: 'the token is none', changes: { token: 'a.b.c' } },
  {
    name: 'the token has ended',
    changes: { token: { nowMs: fixedNow - 600_000 } },
  },
  { name: 'the token is dated ahead', changes: { token: { nowMs: fixedNow + 60_000 } } },
  {
    name: 'the token is older than the process',
    world: { startedAtMs: fixedNow },
    changes: { token: { nowMs: fixedNow - 30_000 } },
  },
  {
    name: 'the token has been used',
    given: async ({ bearers }) => {
      bearers.spend({ agency: '', keyId: viewedKey('Ed25519').keyId, jti: 'used', exp: nowS + 120 });
      return undefined;
    },
    changes: () => ({ token: aToken({ alg: 'Ed25519', nowMs: fixedNow, claims: { jti: 'used' } }) }),
  },
  {
    name: 'too many tokens have been used',
    given: async ({ bearers }) => {
      const { keyId } = viewedKey('Ed25519');
      for (let i = 0; i < 10_000; i++)
        bearers.spend({ agency: '', keyId, jti: `spent-${i}`, exp: nowS + 120 });
      return undefined;
    },
  },
  {
    name: 'too many exports are under way',
    given: async ({ reading }) => {
      const { keyId, agency } = viewedKey('Ed25519');
      const over = new AbortController();
      const bearer = { agency, keyId, jti: 'exporting', exp: nowS + 120 };
      for (let i = 0; i < 4; i++) await reading.export(bearer, { from: 0, to: 1 }, over.signal);
      return () => over.abort();
    },
  },
  {
    name: 'too many streams are under way from this address',
    given: async ({ limits }) => {
      for (let i = 0; i < 20; i++) limits.beginStream(limits.partyOf(anyone));
      return undefined;
    },
  },
  {
    name: 'too many streams are under way',
    world: { rates: { addressLimit: 0 } },
    given: async ({ limits }) => {
      for (let i = 0; i < 500; i++) limits.beginStream(limits.partyOf(anyone));
      return undefined;
    },
  },
  { name: 'there is no service key', world: { privateKey: null } },
  { name: 'the service key is not registered', world: { privateKey: fixedKey(3) } },
  { name: 'there is no such entry', changes: { leaf: 'ab'.repeat(32) } },
  { name: 'there is no such file', changes: { absent: true } },
];

/** Another key of the same kind, which is registered nowhere. */
const otherEd25519 = (() => {
  const { d = '', x = '', ...rest } = fixedKey(4).export({ format: 'jwk' });
  return { ...rest, kty: 'OKP', crv: 'Ed25519', d, x };
})();

/** Sends bytes and gives what comes back until the server closes. */
export async function exchangeRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', chunk => {
    answer += chunk.toString();
    // A stream has no end.
    if (answer.includes('event: health')) socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

/** Sends an upload's first line, has something done, and then sends the rest. */
export async function interruptedUpload(
  world: FixedWorld,
  { body = '' }: Call,
  during: (world: FixedWorld) => void,
): Promise<string> {
  const { socket, text, closed } = beginUpload(world);
  const at = body.indexOf('\n') + 1;
  socket.write(chunk(body.slice(0, at)));
  await until(() => text().includes('"status":201'));
  during(world);
  socket.write(`${chunk(body.slice(at))}0\r\n\r\n`);
  await until(() => text().endsWith('0\r\n\r\n'));
  socket.destroy();
  await closed;
  // Answers come in chunks; each line of this upload stands in one.
  return text();
}
