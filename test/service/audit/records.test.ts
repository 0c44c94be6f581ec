import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatBase64url, utf8 } from '../../../merkle/bytes.ts';
import { LeafTree } from '../../../merkle/prove.ts';
import { algorithms } from '../../../merkle/signature.ts';
import { batchLeafHash } from '../../../merkle/statement.ts';
import { CouldNotCheck, Findings } from '../../../service/audit/findings.ts';
import { Names } from '../../../service/audit/names.ts';
import { auditRecords, type RecordsAudit } from '../../../service/audit/records.ts';
import { changing, sourceOf } from '../../helpers/auditing.ts';
import { aBatch, saltAt, someEvents, testSecret } from '../../helpers/batches.ts';
import { anEvent, aStatement } from '../../helpers/builders.ts';
import { ForgedLog, type Lie } from '../../helpers/forged-log.ts';
import { countingBytes } from '../../helpers/ledger.ts';

/** A log with no anchor but its opening, and the lines that an export of it has. */
async function aLogOf(fill: (log: ForgedLog) => readonly string[]) {
  const log = await ForgedLog.open();
  return { log, lines: fill(log) };
}

async function auditLines(
  { log, lines }: { readonly log: ForgedLog; readonly lines: readonly string[] },
  changes: Partial<RecordsAudit> = {},
  lie?: Lie,
) {
  const findings = new Findings();
  const view = await auditRecords({
    chunks: chunksOf(lines.join('')),
    source: sourceOf(log, lie),
    log: log.log,
    chain: log.view(),
    tree: { size: log.size, root: log.rootAt(log.size) },
    report: findings.report,
    randomBytes: countingBytes(),
    ...changes,
  });
  return { view, ...findings.found() };
}

async function* chunksOf(text: string, length = 1000): AsyncGenerator<Uint8Array> {
  const bytes = utf8(text);
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** The records of a batch, of three events as a rule, some of them changed by a test. */
function aBatchOf(
  log: ForgedLog,
  change: (item: BatchItem, i: number) => Partial<BatchItem> = () => ({}),
  size = 3,
) {
  const events = someEvents(size, 'batch');
  const { statement } = aBatch({ events, alg: 'Ed25519' });
  const tree = new LeafTree(events.map((event, i) => batchLeafHash(saltAt(testSecret, i), event)));
  return events.map((event, i) => {
    const item: BatchItem = { event, salt: saltAt(testSecret, i), index: i, path: tree.path(i), statement };
    const { statement: signed, event: own, ...batch } = { ...item, ...change(item, i) };
    return log.addRecord({ alg: 'Ed25519', event: own, statement: signed, batch });
  });
}

type BatchItem = {
  readonly event: Uint8Array;
  readonly salt: Uint8Array;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  readonly statement: string;
};

describe('auditRecords', () => {
  it('finds nothing wrong in honest records, of every algorithm and under batch statements', async () => {
    const made = await aLogOf(log => [
      ...algorithms.map(({ name }) => log.addRecord({ alg: name })),
      ...aBatchOf(log),
      log.addRecord({ kind: 'audit', members: { id: 'audit', recordkind: 'audit' } }),
    ]);
    const { view, kept } = await auditLines(made);
    expect(kept).toEqual([]);
    expect(view).toEqual({ lines: 10, good: 10, erased: 0, repeated: 0, beyond: 0, signatures: 8 });
  });

  it('counts what was erased, stands twice, or is beyond the audit, and fails none of it', async () => {
    const made = await aLogOf(log => {
      const line = log.addRecord();
      const index = log.size;
      log.addRecord();
      return [line, log.line(index, null), line, log.addRecord()];
    });
    const { log } = made;
    const { view, kept } = await auditLines(made, {
      tree: { size: log.size - 1, root: log.rootAt(log.size - 1) },
    });
    expect(kept).toEqual([]);
    expect(view).toEqual({ lines: 4, good: 1, erased: 1, repeated: 1, beyond: 1, signatures: 1 });
  });

  it('takes lines in any order, from many bundles', async () => {
    const made = await aLogOf(log =>
      Array.from({ length: 8 }, () => {
        log.addSome(100);
        return log.addRecord();
      }),
    );
    const { view, kept } = await auditLines({ ...made, lines: made.lines.toReversed() });
    expect([view.good, kept]).toEqual([8, []]);
  });

  it('does without a chain, under the keys that the records have', async () => {
    const made = await aLogOf(log => [log.addRecord(), ...aBatchOf(log)]);
    expect((await auditLines(made, { chain: undefined })).view.good).toBe(4);
  });
});

describe('a wrong record is found where', () => {
  const found = async (fill: (log: ForgedLog) => readonly string[]) => {
    const made = await aLogOf(fill);
    const { kept } = await auditLines(made);
    return kept.map(({ code, place }) => [code, place.index ?? null] as const);
  };
  const edited = (line: string, change: (value: never) => unknown): string =>
    `${JSON.stringify(change(JSON.parse(line) as never))}\n`;

  it('its line is no record in its form', async () => {
    for (const line of ['{}\n', '\n', '<html>\n', `"${'x'.repeat(5 << 20)}"\n`])
      expect(await found(() => [line])).toEqual([['RECORD_MALFORMED', null]]);
  });

  it('its entry is another one in the log, or of no record', async () => {
    expect(
      await found(log => {
        const [first, second] = [log.addRecord(), log.addRecord()];
        return [
          edited(first, (line: Record<string, unknown>) => ({ ...line, index: 2 })),
          edited(second, (line: Record<string, unknown>) => ({ ...line, index: 0 })),
        ];
      }),
    ).toEqual([
      ['RECORD_FOREIGN', 2],
      ['RECORD_FOREIGN', 0],
    ]);
  });

  it('its leaf hash is not that of its entry', async () => {
    expect(
      await found(log => [
        edited(log.addRecord(), (line: object) => ({ ...line, leafHash: '00'.repeat(32) })),
      ]),
    ).toEqual([['RECORD_FOREIGN', 1]]);
  });

  it('the entry does not commit to it', async () => {
    const salted = (line: { record: object }) => ({
      ...line,
      record: { ...line.record, salt: formatBase64url(new Uint8Array(32)) },
    });
    expect(await found(log => [edited(log.addRecord(), salted)])).toEqual([['COMMITMENT_DIFFERS', 1]]);
  });

  it('its signature is not good', async () => {
    for (const { name } of algorithms) {
      const signed = aStatement({ alg: name, payload: anEvent({ id: 'x' }) });
      const [header, payload, signature = ''] = signed.split('.');
      const other = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
      const statement = [header, payload, other].join('.');
      expect(
        await found(log => [log.addRecord({ alg: name, event: anEvent({ id: 'x' }), statement })]),
      ).toEqual([['SIGNATURE_INVALID', 1]]);
    }
  });

  it('its statement is no JWS, for another log, of another key or algorithm', async () => {
    const event = anEvent();
    for (const statement of [
      'a.b.c',
      aStatement({ payload: event, aud: 'ledger.example/other' }),
      aStatement({ payload: event, alg: 'Ed25519' }),
      aStatement({ payload: event, typ: 'zegel-batch+jws' }),
    ])
      expect(await found(log => [log.addRecord({ event, statement })])).toEqual([['STATEMENT_INVALID', 1]]);
  });

  it('its key is not the one of the entry', async () => {
    expect(
      await found(log => {
        const other = JSON.parse(log.addRecord({ alg: 'Ed25519' })).record.key;
        const keyed = (line: { record: object }) => ({ ...line, record: { ...line.record, key: other } });
        return [edited(log.addRecord(), keyed)];
      }),
    ).toEqual([['STATEMENT_INVALID', 2]]);
  });

  it('its key is registered for another algorithm', async () => {
    expect(
      await found(log => {
        const [id = '', key] = [...log.keys].find(([, { algorithm }]) => algorithm === 4) ?? [];
        if (key !== undefined) log.keys.set(id, { ...key, algorithm: 5 });
        return [log.addRecord({ alg: 'RS256' })];
      }),
    ).toEqual([['STATEMENT_INVALID', 1]]);
  });

  it('its event is none, or of another kind than the entry', async () => {
    for (const event of [utf8('{}'), utf8('no JSON'), anEvent({ id: '' }), anEvent({ recordkind: 'audit' })])
      expect(await found(log => [log.addRecord({ event })])).toEqual([['EVENT_INVALID', 1]]);
  });

  it('its place under a batch statement is another one', async () => {
    const changes: readonly ((item: BatchItem) => Partial<BatchItem>)[] = [
      ({ index }) => ({ index: index + 1 }),
      ({ path }) => ({ path: path.slice(1) }),
      () => ({ salt: new Uint8Array(32) }),
      () => ({ event: anEvent({ id: 'not in the batch' }) }),
    ];
    for (const change of changes)
      expect(await found(log => aBatchOf(log, (item, i) => (i === 1 ? change(item) : {})))).toEqual([
        ['BATCH_DIFFERS', 2],
      ]);
    const payload = '{"size":3,"root":"x"}';
    const { statement } = aBatch({ events: someEvents(3, 'batch'), alg: 'Ed25519', payload });
    expect((await found(log => aBatchOf(log, () => ({ statement })))).map(([code]) => code)).toEqual([
      'BATCH_DIFFERS',
      'BATCH_DIFFERS',
      'BATCH_DIFFERS',
    ]);
  });

  it('any hash of its path is another one, though its neighbours go the same way', async () => {
    for (const size of [1, 2, 3, 5, 8, 13]) {
      const made = await aLogOf(log => aBatchOf(log, () => ({}), size));
      for (const lines of [made.lines, made.lines.toReversed()])
        expect((await auditLines({ ...made, lines })).view.good).toBe(size);
      for (let wrong = 0; wrong < size; wrong++)
        for (let at = 0; at < 4; at++) {
          const flip = (item: BatchItem) =>
            item.path.map((hash, i) => (i === at ? hash.with(31, (hash[31] ?? 0) ^ 1) : hash));
          const isLonger = (item: BatchItem) => at >= item.path.length;
          const change = (item: BatchItem, i: number) =>
            i !== wrong ? {} : { path: isLonger(item) ? [...item.path, new Uint8Array(32)] : flip(item) };
          expect(await found(log => aBatchOf(log, change, size))).toEqual([['BATCH_DIFFERS', wrong + 1]]);
        }
    }
  });

  it('a batch statement comes back for an entry of another key', async () => {
    expect(
      await found(log => {
        const [first = '', second = ''] = aBatchOf(log);
        const { record } = JSON.parse(second);
        const { key: _, ...rest } = record;
        const foreign = log.addRecord({ members: { id: 'elsewhere' } });
        const with_ = (line: { record: { key: unknown } }) => ({
          ...line,
          record: { ...rest, key: line.record.key },
        });
        return [first, edited(foreign, with_)];
      }),
    ).toEqual([['STATEMENT_INVALID', 4]]);
  });

  it('an event of one agency has the source and id of another', async () => {
    const made = await aLogOf(log => [
      log.addRecord({ members: { id: 'same' } }),
      log.addRecord({ members: { id: 'same', source: 'https://elsewhere.example' } }),
      // Under another key of the same agency.
      log.addRecord({ alg: 'Ed25519', members: { id: 'same', data: 'other' } }),
    ]);
    const { kept, view } = await auditLines(made);
    expect(kept).toMatchObject([
      { code: 'NATURAL_KEY_REPEATED', place: { index: 3 }, proof: { first: '1', second: '3' } },
    ]);
    expect(view.good).toBe(3);
  });

  it('which is no fault among two agencies', async () => {
    const made = await aLogOf(log => {
      for (const [id, key] of log.keys)
        if (key.algorithm === 6) log.keys.set(id, { ...key, agency: 'OVO000002' });
      return [
        log.addRecord({ members: { id: 'same' } }),
        log.addRecord({ alg: 'Ed25519', members: { id: 'same', data: 1 } }),
      ];
    });
    expect((await auditLines(made)).kept).toEqual([]);
  });
});

describe('findings about records', () => {
  it('come in the order of the lines, and quote nothing of a record', async () => {
    const secret = 'geheim';
    const made = await aLogOf(log => [
      log.addRecord({ event: anEvent({ id: '1', recordkind: 'audit', data: secret }) }),
      log.addRecord({ statement: `${formatBase64url(utf8(secret))}.x.y` }),
      '{"geheim":1}\n',
      log.addRecord({ event: anEvent({ id: '4', geheim: { geheim: 1 } }) }),
    ]);
    const { kept } = await auditLines(made);
    expect(kept.map(({ proof }) => proof['line'])).toEqual(['1', '2', '3', '4']);
    const text = JSON.stringify(kept);
    for (const form of [secret, formatBase64url(utf8(secret)), Buffer.from(secret).toString('hex')])
      expect(text).not.toContain(form);
  });

  it('are not made where the log is served otherwise than it was audited', async () => {
    const made = await aLogOf(log => [log.addRecord()]);
    const lie = changing('/log/tile/entries/000.p/2', body => body.with(80, (body[80] ?? 0) ^ 1));
    await expect(auditLines(made, {}, lie)).rejects.toThrow(CouldNotCheck);
  });
});

describe('Names', () => {
  it('finds what stands twice, also once it was spilt, and leaves nothing behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'zegel-names-'));
    for (const heldMax of [1e6, 10]) {
      const names = new Names({ secret: new Uint8Array(32), folder, heldMax });
      for (let i = 0; i < 1000; i++) {
        names.add('OVO1', 's', String(i % 990), i);
        names.add('OVO2', 's', String(i), 1000 + i);
        await names.settle();
      }
      expect((await readdir(folder)).length > 0).toBe(heldMax === 10);
      const found = [];
      for await (const pair of names.repeated()) found.push(pair);
      expect(found.sort((a, b) => a.first - b.first)).toEqual(
        Array.from({ length: 10 }, (_, i) => ({ first: i, second: 990 + i })),
      );
      await names.close();
      expect(await readdir(folder)).toEqual([]);
    }
    await rm(folder, { recursive: true });
  });

  it('tells apart what only looks alike when it is joined', async () => {
    const names = new Names({ secret: new Uint8Array(32) });
    names.add('A', 'b', 'c","d', 1);
    names.add('A', 'b","c', 'd', 2);
    const found = [];
    for await (const pair of names.repeated()) found.push(pair);
    expect(found).toEqual([]);
  });
});
