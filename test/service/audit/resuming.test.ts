import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../merkle/bytes.ts';
import { FormatError } from '../../../merkle/errors.ts';
import { parseFork, verifyFork } from '../../../merkle/fork.ts';
import { CarriedFindings } from '../../../service/audit/carried.ts';
import type { LogView } from '../../../service/audit/log.ts';
import { formatLogState, type LogState, parseLogState } from '../../../service/audit/log-state.ts';
import { changing, changingJson, codesOf, audit as hurriedAudit } from '../../helpers/auditing.ts';
import { ForgedLog } from '../../helpers/forged-log.ts';

/** Days pass in this log while records wait. */
const audit: typeof hurriedAudit = (log, lie, changes) =>
  hurriedAudit(log, lie, { anchorWaitLimitMs: 1e12, ...changes });

/** Audits step by step as the log grows, each step from where the one before stood, as it is written down. */
async function inSteps(sizes: readonly number[]): Promise<LogView> {
  let from: LogState | undefined;
  let view: LogView | undefined;
  for (const size of sizes) {
    const chain = whole.view({ anchors: whole.anchors.filter(anchor => anchor.size <= size) });
    const result = await audit(whole, undefined, {
      checkpoint: checkpoints.get(size) ?? '',
      chain,
      ...(from && { from }),
    });
    expect(result.kept).toEqual([]);
    view = result.view;
    from = view.state === null ? undefined : parseLogState(formatLogState(view.state));
  }
  if (view === undefined) throw new Error('there is a step');
  return view;
}

/** What an audit from scratch has, too: how many anchors it went through in the list is its own. */
const lasting = ({ listedAnchors: _, ...view }: LogView) => view;

let whole: ForgedLog;
let scratch: LogView;
const checkpoints = new Map<number, string>();
/** Sizes at which an audit stops, not all of them anchored. */
const stops: number[] = [];

beforeAll(async () => {
  whole = await ForgedLog.open();
  for (let i = 0; whole.size < 1400; i++) {
    whole.addSome([1, 90, 255, 3][i % 4] ?? 1, i % 3 === 0 ? { kind: 'audit' } : {});
    // Days pass.
    if (i % 5 === 0) whole.now += 40_000_000;
    whole.mine();
    whole.addChainEntry();
    await whole.anchor();
    stops.push(whole.size);
    whole.addSome(i % 7);
    stops.push(whole.size);
  }
  for (const size of new Set(stops)) checkpoints.set(size, await whole.sign(size));
  scratch = await inSteps([whole.size]);
});

describe('an audit that goes on', () => {
  it('gives the view of one from scratch, wherever it was split', async () => {
    const split = fc.uniqueArray(fc.constantFrom(...new Set(stops)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(split, async sizes => {
        const steps = [...sizes.filter(size => size < whole.size).sort((a, b) => a - b), whole.size];
        expect(lasting(await inSteps(steps))).toEqual(lasting(scratch));
      }),
      { numRuns: 8 },
    );
  });

  it('gives it from every place that is saved on the way', async () => {
    const saved: LogState[] = [];
    const checkpoint = checkpoints.get(whole.size) ?? '';
    await audit(whole, undefined, { checkpoint, save: state => void saved.push(state), saveEvery: 1 });
    expect(saved.map(({ size }) => size)).toEqual([256, 512, 768, 1024, 1280].filter(size => size < 1400));
    for (const state of saved) {
      const from = parseLogState(formatLogState(state));
      const { view, kept } = await audit(whole, undefined, { checkpoint, from });
      expect(kept).toEqual([]);
      expect(lasting(view)).toEqual(lasting(scratch));
    }
  });

  it('reads nothing again but the stretch that it stood in', async () => {
    const first = await inSteps([stops.at(-4) ?? 0]);
    const asked: string[] = [];
    const { view } = await audit(
      whole,
      (path, answer) => {
        if (path.includes('entries')) asked.push(path);
        return answer;
      },
      first.state === null ? {} : { from: first.state },
    );
    const from = Math.floor((first.state?.size ?? 0) / 256);
    expect(asked).toHaveLength(Math.ceil(whole.size / 256) - from);
    expect(lasting(view)).toEqual(lasting(scratch));
  });

  it('has nothing to read where nothing is new', async () => {
    const view = await inSteps([whole.size, whole.size]);
    expect(lasting(view)).toEqual(lasting(scratch));
  });
});

describe('what was audited before', () => {
  const stateBefore = async () => (await inSteps([stops[5] ?? 0])).state ?? undefined;

  it('must still be how the log begins', async () => {
    const from = await stateBefore();
    const other = await ForgedLog.open();
    other.now = whole.now;
    other.addSome(1500);
    await other.anchor();
    const { kept } = await audit(other, undefined, from && { from });
    const codes = kept.map(({ code }) => code);
    // The chain lost its anchors, the entries other roots; and the checkpoint of then shows that the log forked.
    expect(codes).toContain('ANCHOR_ROOT_DIFFERS');
    expect(codes).toContain('CHECKPOINT_ROOT_DIFFERS');
  });

  it('must still be served in the stretch where the audit goes on', async () => {
    const from = await stateBefore();
    expect((from?.size ?? 0) % 256).toBeGreaterThan(10);
    const at = Math.floor((from?.size ?? 0) / 256);
    const name = `/log/tile/entries/${String(at).padStart(3, '0')}`;
    const { kept } = await audit(
      whole,
      changing(name, body => body.with(60, (body[60] ?? 0) ^ 1)),
      from && { from },
    );
    expect(kept).toMatchObject([{ code: 'BUNDLE_DIFFERS', place: { index: 256 * at } }]);
  });

  it('may not be longer than what is there now', async () => {
    const from = scratch.state ?? undefined;
    const short = await ForgedLog.open();
    expect(codesOf(await audit(short, undefined, from && { from }))).toEqual(['CHECKPOINT_BEHIND']);
  });

  it('is still anchored as it was', async () => {
    const from = await stateBefore();
    const anchors = whole.anchors.filter(({ size }) => size !== from?.anchors[2]?.size);
    const { kept } = await audit(whole, undefined, { chain: whole.view({ anchors }), ...(from && { from }) });
    expect(kept).toMatchObject([
      { code: 'ANCHOR_INVENTED', place: { size: from?.anchors[2]?.size } },
      {
        code: 'ANCHOR_ROOT_DIFFERS',
        place: { size: from?.anchors[2]?.size },
        message: expect.stringContaining('now the chain has none'),
      },
    ]);
  });

  it('is not gone on from where it says otherwise of its anchors than the chain', async () => {
    const from = await stateBefore();
    const [, second = never()] = from?.anchors ?? [];
    for (const change of [{ block: second.block + 1 }, { blockTime: 1 }, { gasUsed: 1 }]) {
      const anchors = from?.anchors.map(anchor => (anchor === second ? { ...anchor, ...change } : anchor));
      const changed = audit(whole, undefined, from && { from: { ...from, anchors: anchors ?? [] } });
      await expect(changed).rejects.toThrow('the anchor of size');
    }
  });

  it('is still listed, as the chain and the log have it', async () => {
    const from = await stateBefore();
    const old = from?.anchors[2]?.size ?? 0;
    type Page = { items: { size: number; block: number; checkpoint: string }[] };
    const listing = (change: (items: Page['items']) => Page['items']) =>
      changingJson<Page>('/v1/anchors', page => ({ ...page, items: change(page.items) }));
    for (const [lie, code] of [
      [listing(items => items.filter(({ size }) => size !== old)), 'ANCHOR_OMITTED'],
      [
        listing(items => items.map(item => (item.size === old ? { ...item, block: item.block + 1 } : item))),
        'ANCHOR_DIFFERS',
      ],
      [
        listing(items =>
          items.map(item => (item.size === old ? { ...item, checkpoint: checkpoints.get(1) ?? '' } : item)),
        ),
        'CHECKPOINT_INVALID',
      ],
    ] as const)
      expect((await audit(whole, lie, from && { from })).kept).toMatchObject([
        { code, place: { size: old } },
      ]);
  });
});

describe('an audit that is interrupted after a contradiction', () => {
  /** Stops where it is saved first after a size, and goes on from there. */
  async function interrupted(changes: Parameters<typeof audit>[2] & {}, after: number) {
    const saved: LogState[] = [];
    const first = new CarriedFindings({ cut: whole.size, carried: undefined });
    const checkpoint = checkpoints.get(whole.size) ?? '';
    const all = { checkpoint, ...changes };
    await audit(whole, undefined, {
      ...all,
      report: first.report,
      save: state => void saved.push(state),
      saveEvery: 1,
    });
    const from = saved.find(({ size }) => size > after) ?? never();
    const carried = first.before(from.size);
    // Evidence that takes entries from all of the log is not there yet at that moment.
    const kept = carried.kept.filter(({ code }) => code !== 'CHECKPOINT_FORKED');
    const second = new CarriedFindings({
      cut: whole.size,
      carried: { ...carried, kept, counts: { CHECKPOINT_ROOT_DIFFERS: 1 } },
      position: from.size,
    });
    const { seen: _, ...again } = all;
    await audit(whole, undefined, {
      ...again,
      from: parseLogState(formatLogState(from)),
      carried: kept,
      listedBefore: 0,
      report: second.report,
    });
    return { whole: first.found().kept, resumed: second.found().kept };
  }

  it('has the same evidence of a fork of another size as one that is not', async () => {
    const seen = [await whole.sign(300, new Uint8Array(32).fill(1))];
    const { whole: uncut, resumed } = await interrupted({ seen }, 300);
    expect(resumed.map(({ code }) => code).sort()).toEqual(['CHECKPOINT_FORKED', 'CHECKPOINT_ROOT_DIFFERS']);
    expect(resumed).toEqual(expect.arrayContaining([...uncut]));
    const evidence = resumed.find(({ code }) => code === 'CHECKPOINT_FORKED')?.proof['evidence'] ?? '';
    expect(() => verifyFork(parseFork(utf8(evidence)), whole.trust)).not.toThrow();
  });

  it('still holds the checkpoint that the audit before it saw against the entries', async () => {
    const before = (await inSteps([stops[5] ?? 0])).state ?? never();
    // Signed for a size to which that audit's tree had not grown yet.
    const forked = await whole.sign(700, new Uint8Array(32).fill(1));
    const saved: LogState[] = [];
    await audit(whole, undefined, {
      from: { ...before, checkpoint: forked },
      save: state => void saved.push(state),
      saveEvery: 1,
    });
    const [from] = saved;
    expect(from?.size).toBeLessThan(700);
    const { kept } = await audit(whole, undefined, from && { from });
    expect(kept.map(({ code }) => code)).toEqual(['CHECKPOINT_ROOT_DIFFERS', 'CHECKPOINT_FORKED']);
  });
});

describe('parseLogState', () => {
  const text = () => formatLogState(scratch.state ?? never());

  it('reads what is printed', () => {
    expect(parseLogState(text())).toEqual(scratch.state);
  });

  it('refuses whatever is not as it would be printed, or not true in itself', () => {
    const state = scratch.state ?? never();
    const [first, ...rest] = state.tiles;
    for (const wrong of [
      '',
      'null',
      `${text()} `,
      text().replace('"version":1', '"version":2'),
      text().replace('{', '{"more":1,'),
      JSON.stringify({ ...state, size: state.size + 1 }),
      JSON.stringify({ ...state, root: '00'.repeat(32) }),
      JSON.stringify({ ...state, tiles: [first?.slice(1), ...rest] }),
      JSON.stringify({ ...state, tiles: [[], ...rest] }),
      JSON.stringify({ ...state, tiles: [['XX'], ...rest] }),
      JSON.stringify({ ...state, kinds: { ...state.kinds, chain: 0 } }),
      JSON.stringify({ ...state, anchors: [...state.anchors].reverse() }),
      JSON.stringify({ ...state, time: -1 }),
      JSON.stringify({ ...state, keys: {} }),
      JSON.stringify({ ...state, days: {} }),
      JSON.stringify({ ...state, anchors: state.anchors.slice(2) }),
      JSON.stringify({ ...state, segment: { ...state.segment, records: state.segment.records + 1 } }),
    ])
      expect(() => parseLogState(wrong)).toThrow(FormatError);
  });
});

function never(): never {
  throw new Error('an audit with a chain leaves a state');
}
