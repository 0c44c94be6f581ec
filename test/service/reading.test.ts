import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatHex, formatUint64, parseUtf8 } from '../../merkle/bytes.ts';
import { parseEntry } from '../../merkle/entry.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import type { Algorithm } from '../../merkle/signature.ts';
import { leafHash } from '../../merkle/tree.ts';
import { AnchorBook } from '../../service/anchors.ts';
import { type Bearer, Bearers } from '../../service/bearers.ts';
import { publicJwk } from '../../service/client/signer.ts';
import { LedgerError } from '../../service/errors.ts';
import { Intake } from '../../service/intake.ts';
import { eventOf } from '../../service/log-reader.ts';
import { verifyWithOpenSsl } from '../../service/openssl.ts';
import { type OwnRecord, Reading } from '../../service/reading.ts';
import { Receipts } from '../../service/receipts.ts';
import { Store, type Table } from '../../service/store.ts';
import { Trail } from '../../service/trail.ts';
import { anEvent, aStatement, testOrigin } from '../helpers/builders.ts';
import { keyFor, publicJwk as testJwk } from '../helpers/keys.ts';
import { aLog } from '../helpers/ledger.ts';
import { agency, operator, registeredKeys, serviceKey, serviceKeyId, viewedKey } from './http/world.ts';

const other = 'OVO002950';

/** A store that notes which tables are read. */
class WatchedStore extends Store {
  readonly reads: Table[] = [];

  override get(table: Table, key: Uint8Array) {
    this.reads.push(table);
    return super.get(table, key);
  }

  override getMany(table: Table, keys: readonly Uint8Array[]) {
    this.reads.push(table);
    return super.getMany(table, keys);
  }
}

/** A log in which two agencies and the operator may write, and what reads from it. ES384 is another agency's, the rest one's. */
async function aLibrary() {
  const log = await aLog({ origin: testOrigin });
  const store = new WatchedStore(log.database, () => undefined);
  const ledger = await log.open({ store });
  const keys = registeredKeys();
  keys.set(formatHex(keyIdOf('ES384')), viewedKey('ES384', { agency: other }));
  keys.set(
    formatHex(serviceKeyId),
    viewedKey('ES256', { keyId: serviceKeyId, jwk: publicJwk(serviceKey), agency: operator }),
  );
  const view = {
    find: (keyId: Uint8Array) => keys.get(formatHex(keyId)),
    keys: () => [...keys.values()],
    ready: () => undefined,
  };
  const verify = verifyWithOpenSsl;
  const now = log.now;
  const intake = new Intake({ origin: testOrigin, keys: view, verify, eventMaxBytes: 65_536 });
  const trail = new Trail({
    origin: testOrigin,
    privateKey: serviceKey,
    keys: view,
    intake,
    ledger,
    now,
    randomBytes,
  });
  const receipts = new Receipts({ ledger, book: await AnchorBook.open(store) });
  const delay = async () => undefined;
  const bearers = new Bearers({ origin: testOrigin, keys: view, verify, now, startedAtMs: 0, delay });
  const parts = { bearers, trail, keys: view, ledger, receipts };
  const reading = new Reading(parts);
  return {
    parts,
    ledger,
    store,
    keys,
    reading,
    /** Records an event of one agency (ES256) or the other (ES384), and gives its leaf hash. */
    async submit(id: string, alg: Algorithm = 'ES256', members: Record<string, unknown> = {}) {
      const statement = aStatement({ alg, payload: anEvent({ id, ...members }) });
      return (await ledger.submit(await intake.accept(statement))).leafHash;
    },
    async erase(hash: Uint8Array) {
      const index = await ledger.read.findLeaf(hash);
      await store.write([{ table: 'salt', key: formatUint64(index ?? -1), value: null }]);
    },
    async export(by: Bearer, from: number, to: number): Promise<OwnRecord[]> {
      const over = new AbortController();
      const records = await all(await reading.export(by, { from, to }, over.signal));
      over.abort();
      return records;
    },
    /** What the trail holds, in order. */
    async traces() {
      const entries = await ledger.read.entries(0, ledger.signed().size);
      const traces = [];
      for (const [index, entry] of entries.entries()) {
        if (formatHex(parseEntry(entry).keyId) !== formatHex(serviceKeyId)) continue;
        const record = await ledger.read.record(index);
        if (record === 'erased') throw new Error('no trace was erased');
        traces.push({ index, event: JSON.parse(parseUtf8(eventOf(record))) });
      }
      return traces;
    },
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

function keyIdOf(alg: Algorithm): Uint8Array {
  return thumbprint(testJwk(keyFor(alg)));
}

const by = (who: string, alg: Algorithm = 'ES256'): Bearer => ({
  agency: who,
  keyId: keyIdOf(alg),
  jti: 'unused',
  exp: 0,
});
const reader = by(agency);

async function refusalOf(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (error instanceof LedgerError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('nothing was refused');
}

const ids = (records: readonly OwnRecord[]) =>
  records.map(({ record }) => (record === 'erased' ? record : JSON.parse(parseUtf8(eventOf(record))).id));

describe('a record', () => {
  it('is given to its agency with all that the entry commits to, and the read is recorded before', async () => {
    const { reading, submit, traces, ledger } = await aLibrary();
    const hash = await submit('a');
    const { index, entry, record } = await reading.record(reader, hash);
    expect(index).toBe(1);
    expect(leafHash(entry)).toEqual(hash);
    expect(record).toEqual(await ledger.read.record(1));
    expect(await traces()).toEqual([
      {
        index: 2,
        event: {
          specversion: '1.0',
          id: expect.stringMatching(/^[\w-]{22}$/),
          source: `urn:zegel:log:${testOrigin}`,
          type: 'zegel.record.read',
          time: '2026-11-24T08:00:00.000Z',
          recordkind: 'audit',
          datacontenttype: 'application/json',
          data: {
            agency,
            key: Buffer.from(keyIdOf('ES256')).toString('base64url'),
            leafHash: formatHex(hash),
          },
        },
      },
    ]);
  });

  it('is its agency’s under whichever of its keys, retired ones among them', async () => {
    const { reading, submit, keys } = await aLibrary();
    const hash = await submit('a', 'Ed25519');
    keys.set(formatHex(keyIdOf('Ed25519')), viewedKey('Ed25519', { retired: true }));
    expect(await reading.record(reader, hash)).toMatchObject({ index: 1 });
    expect(await reading.receipt(reader, hash)).toMatchObject({ record: { key: { crv: 'Ed25519' } } });
  });

  it('is for anybody else as if it were not there: the same words after the same reads', async () => {
    const { reading, submit, erase, store, ledger, traces } = await aLibrary();
    const foreign = await submit('a', 'ES384');
    const erased = await submit('b', 'ES384');
    await erase(erased);
    await ledger.appendChainEntry({ hash: new Uint8Array(32).fill(1), blockTime: 1 });
    const own = await ledger.read.entries(0, ledger.signed().size);
    const cases = {
      absent: new Uint8Array(32).fill(9),
      foreign,
      erased,
      genesis: leafHash(own[0] ?? new Uint8Array()),
      chain: leafHash(own[3] ?? new Uint8Array()),
    };
    for (const read of ['record', 'receipt'] as const) {
      for (const [name, hash] of Object.entries(cases)) {
        store.reads.length = 0;
        expect(await refusalOf(reading[read](reader, hash)), `${read} ${name}`).toEqual({
          code: 'RECORD_NOT_FOUND',
          message: 'no record of this agency has this leaf hash',
        });
        expect(store.reads, `${read} ${name}`).toEqual(['leaf', 'entry']);
      }
    }
    expect(await traces()).toEqual([]);
  });

  it('is not there before it is signed', async () => {
    const { parts, submit, store } = await aLibrary();
    const hash = await submit('a');
    const { read } = parts.ledger;
    const early = { read, signed: () => ({ ...parts.ledger.signed(), size: 1 }) };
    const reading = new Reading({ ...parts, ledger: early });
    for (const asked of ['record', 'receipt'] as const) {
      store.reads.length = 0;
      expect((await refusalOf(reading[asked](reader, hash))).code).toBe('RECORD_NOT_FOUND');
      expect(store.reads).toEqual(['leaf', 'entry']);
    }
  });

  it('is gone for its agency when it has been erased, and says so', async () => {
    const { reading, submit, erase, traces } = await aLibrary();
    const hash = await submit('a');
    await erase(hash);
    expect((await refusalOf(reading.record(reader, hash))).code).toBe('RECORD_ERASED');
    expect((await refusalOf(reading.receipt(reader, hash))).code).toBe('RECORD_ERASED');
    expect(await traces()).toEqual([]);
  });

  it('is not given when the read cannot be recorded', async () => {
    const { reading, submit, ledger } = await aLibrary();
    const hash = await submit('a');
    ledger.freeze('LOG_CLOSED', 'the log is closed');
    for (const read of ['record', 'receipt'] as const)
      expect(await refusalOf(reading[read](reader, hash))).toEqual({
        code: 'READ_NOT_RECORDED',
        message: 'the read cannot be recorded, so nothing is given: the log is closed',
      });
  });
});

describe('a trace', () => {
  it('is read by the operator’s agency without leaving another one', async () => {
    const { reading, submit, traces, export: exported, ledger } = await aLibrary();
    await reading.record(reader, await submit('a'));
    const [first] = await traces();
    const hash = leafHash(await ledger.read.entry(first?.index ?? -1));
    expect(await reading.record(by(operator), hash)).toMatchObject({ index: 2 });
    expect(await reading.receipt(by(operator), hash)).toMatchObject({ inclusion: { index: 2 } });
    expect(await exported(by(operator), 0, 3)).toHaveLength(1);
    expect(await traces()).toHaveLength(1);
    expect((await refusalOf(reading.record(reader, hash))).code).toBe('RECORD_NOT_FOUND');
  });
});

describe('an export', () => {
  it('has the agency’s own records of the range in their order, and is one read', async () => {
    const { submit, export: exported, traces } = await aLibrary();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await submit(id, id === 'c' ? 'ES384' : 'ES256');
    expect(ids(await exported(reader, 0, 6))).toEqual(['a', 'b', 'd', 'e']);
    expect(ids(await exported(reader, 2, 5))).toEqual(['b', 'd']);
    expect(ids(await exported(by(other, 'ES384'), 0, 6))).toEqual(['c']);
    expect((await traces()).map(({ event }) => [event.type, event.data.agency, event.data])).toMatchObject([
      ['zegel.records.exported', agency, { from: 0, to: 6, records: 4 }],
      ['zegel.records.exported', agency, { from: 2, to: 5, records: 2 }],
      ['zegel.records.exported', other, { from: 0, to: 6, records: 1 }],
    ]);
  });

  it('that gives nothing leaves no trace', async () => {
    const { submit, export: exported, traces } = await aLibrary();
    await submit('a', 'ES384');
    expect(await exported(reader, 0, 2)).toEqual([]);
    expect(await exported(reader, 1, 1)).toEqual([]);
    expect(await traces()).toEqual([]);
  });

  it('has a place for an erased record', async () => {
    const { submit, erase, export: exported } = await aLibrary();
    await submit('a');
    await erase(await submit('b'));
    await submit('c');
    const records = await exported(reader, 0, 4);
    expect(ids(records)).toEqual(['a', 'erased', 'c']);
    expect(records.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  it('misses nothing where one stride of entries ends and the next begins', async () => {
    const { submit, export: exported } = await aLibrary();
    await Promise.all(Array.from({ length: 600 }, (_, i) => submit(`${i}`, i % 3 === 0 ? 'ES384' : 'ES256')));
    for (const [from, to] of [
      [0, 601],
      [1, 257],
      [255, 513],
      [256, 512],
    ] as const) {
      const records = await exported(reader, from, to);
      const others = await exported(by(other, 'ES384'), from, to);
      const indexes = [...records, ...others].map(({ index }) => index).sort((a, b) => a - b);
      const first = Math.max(1, from);
      expect(indexes).toEqual(Array.from({ length: to - first }, (_, i) => first + i));
    }
  });

  it('ends with the reason when it is stopped, before it is recorded or after', async () => {
    const { submit, traces, reading } = await aLibrary();
    for (let i = 0; i < 300; i++) await submit(`${i}`);
    const stopping = new AbortController();
    const records = await reading.export(reader, { from: 0, to: 301 }, stopping.signal);
    const read: OwnRecord[] = [];
    const error = new LedgerError('LOG_STOPPING', 'the service is stopping');
    const stopped = (async () => {
      for await (const record of records) {
        read.push(record);
        if (read.length === 10) stopping.abort(error);
      }
    })();
    expect(await refusalOf(stopped)).toEqual({ code: 'LOG_STOPPING', message: 'the service is stopping' });
    expect(read).toHaveLength(10);
    const again = reading.export(reader, { from: 0, to: 301 }, stopping.signal);
    expect((await refusalOf(again)).code).toBe('LOG_STOPPING');
    expect(await traces()).toHaveLength(1);
  });

  it('waits for others of its agency to end, and leaves room for those of other agencies', async () => {
    const { submit, reading } = await aLibrary();
    await submit('a');
    const begin = async (who: Bearer) => {
      const over = new AbortController();
      await reading.export(who, { from: 0, to: 2 }, over.signal);
      return over;
    };
    const [first] = [await begin(reader), await begin(reader), await begin(reader), await begin(reader)];
    expect(await refusalOf(begin(reader))).toEqual({
      code: 'EXPORTS_EXHAUSTED',
      message: '4 exports of this agency are under way',
    });
    await begin(by(other, 'ES384'));
    first?.abort();
    await begin(reader);
    expect((await refusalOf(begin(reader))).code).toBe('EXPORTS_EXHAUSTED');
    for (let i = 0; i < 27; i++) await begin(by(`OVO1000${i}`));
    expect((await refusalOf(begin(by('OVO200000')))).code).toBe('EXPORTS_EXHAUSTED');
  });
});
