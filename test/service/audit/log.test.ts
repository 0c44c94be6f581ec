import { describe, expect, it } from 'vitest';
import { formatHex, utf8 } from '../../../merkle/bytes.ts';
import { parseFork, verifyFork } from '../../../merkle/fork.ts';
import { formatGenesis, genesisEntry, parseGenesis } from '../../../merkle/genesis.ts';
import { leafHash } from '../../../merkle/tree.ts';
import { CouldNotCheck } from '../../../service/audit/findings.ts';
import { aLongLog, audit, changing, changingJson, codesOf } from '../../helpers/auditing.ts';
import { aLogKey, startTime } from '../../helpers/forge.ts';
import { ForgedLog, type Lie } from '../../helpers/forged-log.ts';

const honest = await aLongLog(ForgedLog.open());
const bundle1 = '/log/tile/entries/001';
/** Where entry 300 stands in its bundle: after 44 entries of 74 bytes with their lengths. */
const at300 = 44 * 76;

describe('auditLog', () => {
  it('finds nothing in an honest log, and tells what is in it', async () => {
    const { view, kept } = await audit(honest);
    expect(kept).toEqual([]);
    expect(view).toMatchObject({
      size: 835,
      root: honest.rootAt(835),
      kinds: { genesis: 1, transaction: 830, audit: 0, chain: 4, unreadable: 0 },
      unanchored: { records: 30 },
      unjudged: 0,
      listedAnchors: 5,
    });
    expect(view.anchors.map(({ size, records }) => [size, records])).toEqual([
      [1, 0],
      [202, 200],
      [403, 200],
      [604, 200],
      [805, 200],
    ]);
    expect(Object.values(view.keys)).toMatchObject([{ records: 830, firstIndex: 1, lastIndex: 834 }]);
    expect(view.days).toEqual({ [(startTime / 86_400_000) | 0]: { [Object.keys(view.keys)[0] ?? '']: 830 } });
  });

  it('finds nothing where a partial file has gone because the log has grown', async () => {
    const log = await ForgedLog.open();
    log.addSome(99);
    await log.anchor();
    const checkpoint = await log.sign();
    const chain = log.view();
    log.addSome(300);
    const without: Lie = (path, answer) =>
      path.includes('.p/100') ? { status: 404, type: 'text/plain', body: '' } : answer;
    expect((await audit(log, without, { checkpoint, chain })).kept).toEqual([]);
  });

  it('says nothing of anchors, keys and times without a chain', async () => {
    const { view, kept } = await audit(honest, undefined, { chain: undefined });
    expect(kept).toEqual([]);
    expect(view).toMatchObject({ size: 835, anchors: [], state: { size: 835, judged: false } });
  });

  it('refuses to go on from a state of another log, or of an audit without a chain', async () => {
    const { view } = await audit(honest, undefined, { chain: undefined });
    await expect(audit(honest, undefined, { from: view.state ?? undefined })).rejects.toThrow(
      'without a chain',
    );
    const from = view.state === null ? undefined : { ...view.state, origin: 'other' };
    await expect(audit(honest, undefined, { from })).rejects.toThrow('the state is of "other"');
  });
});

describe('a changed log is found where', () => {
  it('a byte of a bundle is changed: the tiles still lead to the root', async () => {
    const { kept } = await audit(
      honest,
      changing(bundle1, body => body.with(at300 + 2 + 50, (body[at300 + 52] ?? 0) ^ 1)),
    );
    expect(kept).toMatchObject([
      {
        code: 'BUNDLE_DIFFERS',
        place: { index: 300 },
        proof: { leafHash: formatHex(leafHash(honest.entries[300] ?? new Uint8Array())) },
      },
    ]);
  });

  it('two changes stand on both sides of an anchor in one bundle', async () => {
    // 403 is anchored, and so decides what came before it.
    const flip = (body: Uint8Array, index: number) => {
      const at = (index - 256) * 76 + 60;
      return body.with(at, (body[at] ?? 0) ^ 1);
    };
    const { kept } = await audit(
      honest,
      changing(bundle1, body => flip(flip(body, 300), 450)),
    );
    expect(kept.map(({ code, place }) => [code, place.index])).toEqual([
      ['BUNDLE_DIFFERS', 300],
      ['BUNDLE_DIFFERS', 450],
    ]);
  });

  it('a record is dropped from the bundles, and all after it moves up', async () => {
    const shorter = Object.assign(new ForgedLog(), { now: honest.now });
    shorter.entries.push(...honest.entries.filter((_, i) => i !== 500));
    shorter.addSome(1);
    const served = shorter.fetch();
    const dropping: Lie = async (path, answer) =>
      path.includes('entries') ? served(`http://log.example${path}`) : answer;
    const { kept } = await audit(honest, dropping);
    expect(kept[0]).toMatchObject({ code: 'BUNDLE_DIFFERS', place: { index: 500 } });
    // Told anew after each anchor that has decided.
    expect(kept.map(({ place }) => place.index)).toEqual([500, 512, 604, 768, 805]);
    expect(new Set(kept.map(({ code }) => code))).toEqual(new Set(['BUNDLE_DIFFERS']));
  });

  it('two records are swapped', async () => {
    const { kept } = await audit(
      honest,
      changing(bundle1, body => {
        const swapped = body.slice();
        swapped.set(body.subarray(at300, at300 + 76), at300 + 76);
        swapped.set(body.subarray(at300 + 76, at300 + 152), at300);
        return swapped;
      }),
    );
    expect(kept.map(({ code, place }) => [code, place.index])).toEqual([
      ['ENTRY_TIME_DECREASED', 301],
      ['BUNDLE_DIFFERS', 300],
    ]);
  });

  it('the length of an entry is changed, so that the bundle falls apart', async () => {
    const { kept, view } = await audit(
      honest,
      changing(bundle1, body => body.with(at300 + 1, 75)),
    );
    expect(codesOf({ counts: new Map(kept.map(({ code }) => [code, 1])) })).toEqual(['BUNDLE_MALFORMED']);
    expect(view).toMatchObject({ root: honest.rootAt(835), kinds: { unreadable: 256 } });
  });

  it('a tile does not fit', async () => {
    const { kept } = await audit(
      honest,
      changing('/log/tile/0/001', body => body.with(44 * 32, (body[44 * 32] ?? 0) ^ 1)),
    );
    expect(kept).toMatchObject([
      { code: 'TILE_DIFFERS', place: { index: 300 }, proof: { file: 'tile/0/001' } },
    ]);
  });

  it('a tile above the leaves does not fit', async () => {
    const { kept } = await audit(
      honest,
      changing('/log/tile/1/000.p/3', body => body.with(40, (body[40] ?? 0) ^ 1)),
    );
    expect(kept).toMatchObject([{ code: 'TILE_DIFFERS', place: { index: 256 } }]);
  });

  it('a tile has another length', async () => {
    const { kept } = await audit(
      honest,
      changing('/log/tile/0/001', body => body.subarray(0, 100)),
    );
    expect(kept).toMatchObject([{ code: 'TILE_DIFFERS', place: { index: 256 } }]);
  });

  it('a tile is not there', async () => {
    const without: Lie = (path, answer) =>
      path === '/log/tile/0/001' ? { status: 404, type: 'text/plain', body: '' } : answer;
    expect((await audit(honest, without)).kept).toMatchObject([
      { code: 'TILE_MISSING', proof: { file: 'tile/0/001' } },
    ]);
  });

  it('all that is served fits together, and is not what was anchored', async () => {
    const other = await aLongLog(ForgedLog.open());
    const chain = other.view();
    other.entries[300] = honest.entries[299] ?? new Uint8Array();
    const { kept } = await audit(other, undefined, { chain });
    // The checkpoints in the list of anchors were signed for the tree that was anchored.
    expect(kept.map(({ code, place }) => [code, place.size])).toContainEqual(['ANCHOR_ROOT_DIFFERS', 403]);
    const fork = kept.find(({ code }) => code === 'CHECKPOINT_FORKED');
    const { first, second } = verifyFork(parseFork(utf8(fork?.proof['evidence'] ?? '')), other.trust);
    expect([first.checkpoint.size, second.checkpoint.size]).toEqual([403, 835]);
  });
});

describe('a wrong entry is found where', () => {
  const withEntry = async (add: (log: ForgedLog) => void) => {
    const log = await ForgedLog.open();
    log.addSome(5);
    add(log);
    await log.anchor();
    return audit(log);
  };

  it('it is not 74 bytes', async () => {
    const { kept, view } = await withEntry(log => log.add(new Uint8Array(73)));
    expect(kept).toMatchObject([{ code: 'ENTRY_MALFORMED', place: { index: 6 } }]);
    expect(view.kinds.unreadable).toBe(1);
  });

  it('it is a second genesis', async () => {
    const { kept } = await withEntry(log => log.add(genesisEntry(log.genesis, log.now)));
    expect(kept).toMatchObject([{ code: 'ENTRY_MALFORMED', place: { index: 6 } }]);
  });

  it('it is dated before the one before it', async () => {
    const { kept } = await withEntry(log => log.addSome(1, { time: log.now - 1 }));
    expect(kept).toMatchObject([{ code: 'ENTRY_TIME_DECREASED', place: { index: 6 } }]);
  });

  it('entry 0 is not that of the genesis document', async () => {
    const log = new ForgedLog();
    log.mine();
    log.add(genesisEntry(`${log.genesis} `, startTime));
    await log.anchor();
    expect((await audit(log)).kept).toMatchObject([{ code: 'GENESIS_DIFFERS', place: { index: 0 } }]);
  });
});

describe('another log is told where', () => {
  type About = Record<string, unknown>;
  const saying = (change: About) =>
    audit(
      honest,
      changingJson<About>('/v1/log', about => ({ ...about, ...change })),
    );

  it('the service names another origin, log id, chain or key', async () => {
    for (const change of [
      { origin: 'ledger.example/other' },
      { logId: `0x${'00'.repeat(32)}` },
      { chainId: '2027' },
      { verifierKey: 'x' },
    ])
      expect((await saying(change)).kept).toMatchObject([{ code: 'LOG_FOREIGN' }]);
  });

  it('the genesis document is for another chain, registry or log, or none', async () => {
    const genesis = parseGenesis(honest.genesis);
    for (const change of [
      { chainId: '2027' },
      { registry: new Uint8Array(20) },
      { origin: 'ledger.example/other' },
    ]) {
      const codes = codesOf(await saying({ genesis: formatGenesis({ ...genesis, ...change }) }));
      expect(codes).toEqual(['GENESIS_DIFFERS']);
    }
    expect(codesOf(await saying({ genesis: '{}' }))).toEqual(['GENESIS_DIFFERS']);
  });

  it('another key signed the newest checkpoint', async () => {
    const other = Object.assign(new ForgedLog(), { signer: aLogKey(honest.log.origin, 'stolen') });
    other.entries.push(...honest.entries);
    const note = await other.sign();
    const { kept, view } = await audit(
      honest,
      changing('/log/checkpoint', () => utf8(note)),
      { checkpoint: note },
    );
    expect(kept).toMatchObject([{ code: 'CHECKPOINT_INVALID' }]);
    // What the chain vouches for is audited all the same.
    expect(view).toMatchObject({ size: 805, checkpoint: null });
  });
});

describe('checkpoints that contradict are found where', () => {
  it('the log shows the auditor another root than its entries give', async () => {
    const checkpoint = await honest.sign(835, new Uint8Array(32).fill(1));
    expect((await audit(honest, undefined, { checkpoint })).kept).toMatchObject([
      { code: 'CHECKPOINT_ROOT_DIFFERS', place: { size: 835 }, proof: { checkpoint } },
    ]);
  });

  it('it showed others another one of the same size', async () => {
    const seen = [await honest.sign(835, new Uint8Array(32).fill(1))];
    const { kept } = await audit(honest, undefined, { seen });
    // That shows before an entry is read.
    expect(kept.map(({ code }) => code)).toEqual(['CHECKPOINT_FORKED', 'CHECKPOINT_ROOT_DIFFERS']);
    const fork = parseFork(utf8(kept[0]?.proof['evidence'] ?? ''));
    expect(fork.nodes).toEqual([]);
    expect(() => verifyFork(fork, honest.trust)).not.toThrow();
  });

  it('it showed others another one of a smaller size, whatever that is', async () => {
    for (const size of [2, 3, 64, 200, 256, 257, 511, 512, 768, 834]) {
      const seen = [await honest.sign(size, new Uint8Array(32).fill(1))];
      const { kept } = await audit(honest, undefined, { seen });
      expect(kept.map(({ code }) => code)).toEqual(['CHECKPOINT_ROOT_DIFFERS', 'CHECKPOINT_FORKED']);
      expect(() => verifyFork(parseFork(utf8(kept[1]?.proof['evidence'] ?? '')), honest.trust)).not.toThrow();
    }
  });

  it('its newest one is smaller than what was seen, or anchored', async () => {
    const old = await honest.sign(700);
    const stale = changing('/log/checkpoint', () => utf8(old));
    const lie: Lie = (path, answer) =>
      path === '/log/checkpoint' ? { ...answer, body: old } : stale(path, answer);
    expect((await audit(honest, lie)).kept).toMatchObject([
      {
        code: 'CHECKPOINT_BEHIND',
        place: { size: 700 },
        message: expect.stringContaining('the chain has anchored 805'),
      },
    ]);
    const seen = [await honest.sign()];
    expect((await audit(honest, lie, { seen })).kept).toMatchObject([
      {
        code: 'CHECKPOINT_BEHIND',
        message: expect.stringContaining('the log had signed 835'),
        proof: { checkpoint: seen[0] },
      },
    ]);
  });

  it('and not where one was had before the chain was looked at', async () => {
    const checkpoint = await honest.sign(700);
    expect((await audit(honest, undefined, { checkpoint })).kept).toEqual([]);
  });

  it('refuses what was seen elsewhere if this log has not signed it', async () => {
    await expect(audit(honest, undefined, { seen: ['nonsense'] })).rejects.toThrow('blank line');
  });
});

describe('what is no proof', () => {
  const answering = (path: string, answer: (init: RequestInit) => Promise<Response> | Response): Lie => {
    return (asked, honestAnswer) => (asked === path ? answer({}) : honestAnswer);
  };
  const could = async (lie: Lie) => {
    const error = await audit(honest, lie).catch(error => error);
    expect(error).toBeInstanceOf(CouldNotCheck);
    return error as CouldNotCheck; // As was just expected.
  };

  it('is a page of HTML with status 200', async () => {
    const html = () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
    for (const path of [bundle1, '/log/tile/0/001', '/log/checkpoint', '/v1/log', '/v1/anchors?cursor=0'])
      expect((await could(answering(path, html))).message).toContain('the answer is of type "text/html"');
  });

  it('is a tile without end, of which little is read', async () => {
    let sent = 0;
    const endless = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 1 << 16;
            controller.enqueue(new Uint8Array(1 << 16));
          },
        }),
        { headers: { 'content-type': 'application/octet-stream' } },
      );
    expect((await could(answering('/log/tile/0/001', endless))).message).toContain('more than');
    expect(sent).toBeLessThan(1 << 20);
  });

  it('is a bundle that is not there, or a refusal', async () => {
    for (const status of [404, 403, 429, 503]) {
      const { what, message } = await could(answering(bundle1, () => new Response('', { status })));
      expect([what, message]).toEqual([bundle1, expect.stringContaining(String(status))]);
    }
  });

  it('is an answer that is not in its form', async () => {
    const answer = (body: string, type: string) => () =>
      new Response(body, { headers: { 'content-type': type } });
    for (const [path, type] of [
      ['/v1/log', 'application/json'],
      ['/v1/anchors?cursor=0', 'application/json'],
      ['/log/checkpoint', 'text/plain'],
    ] as const)
      for (const body of ['', '{}', '{"items":{}}', '\u0000'])
        await could(answering(path, answer(body, type)));
  });
});
