import { describe, expect, it } from 'vitest';
import { formatTime } from '../../../merkle/entry.ts';
import { CouldNotCheck } from '../../../service/audit/findings.ts';
import { aLongLog, audit, changingJson, codesOf } from '../../helpers/auditing.ts';
import { ForgedLog, formatListed, type Lie } from '../../helpers/forged-log.ts';

type Listed = ReturnType<typeof formatListed>;
type Page = { readonly items: readonly Listed[]; readonly next: string | null };

const honest = await aLongLog(ForgedLog.open());

/** Changes the anchor of size 403 in the list. */
const listing = (change: (anchor: Listed) => Partial<Listed>): Lie =>
  changingJson<Page>('/v1/anchors', page => ({
    ...page,
    items: page.items.map(anchor => (anchor.size === 403 ? { ...anchor, ...change(anchor) } : anchor)),
  }));

describe('the list of anchors', () => {
  it('is told to leave one out', async () => {
    const { kept } = await audit(
      honest,
      changingJson<Page>('/v1/anchors', page => ({
        ...page,
        items: page.items.filter(({ size }) => size !== 403),
      })),
    );
    expect(kept).toMatchObject([{ code: 'ANCHOR_OMITTED', place: { size: 403, block: 3 + 2 } }]);
  });

  it('may take two minutes to have a new one', async () => {
    const without = changingJson<Page>('/v1/anchors', page => ({
      ...page,
      items: page.items.filter(({ size }) => size !== 805),
    }));
    const [at] = honest.anchors.slice(-1);
    const now = (secondsLater: number) => () => ((at?.blockTime ?? 0) + secondsLater) * 1000;
    expect((await audit(honest, without, { now: now(119) })).kept).toEqual([]);
    expect(codesOf(await audit(honest, without, { now: now(120) }))).toEqual(['ANCHOR_OMITTED']);
  });

  it('is told to have one that the chain has not', async () => {
    const anchors = honest.anchors.filter(({ size }) => size !== 403);
    const { kept } = await audit(honest, undefined, { chain: honest.view({ anchors }) });
    expect(kept).toMatchObject([{ code: 'ANCHOR_INVENTED', place: { size: 403 } }]);
  });

  it('may have one that is newer than the view of the chain', async () => {
    const anchors = honest.anchors.slice(0, -1);
    const final = { number: 7, hash: new Uint8Array(32), time: 0, stateRoot: new Uint8Array(32) };
    expect((await audit(honest, undefined, { chain: honest.view({ anchors, final }) })).kept).toEqual([]);
  });

  it('is told to have one in a block to come, where the chain cannot have it any more, or at a time that is not yet', async () => {
    for (const [cursor, size, laterMs] of [
      [0, 300, 600_000],
      [403, 820, 86_400_000],
    ] as const) {
      const blockTime = formatTime(honest.now + laterMs);
      const lie: Lie = (path, answer) => {
        if (path !== `/v1/anchors?cursor=${cursor}`) return answer;
        const page = JSON.parse(String(answer.body)) as Page;
        const [model = anyListed()] = page.items;
        const items = [...page.items, { ...model, size, block: 9e9, blockTime }];
        return { ...answer, body: JSON.stringify({ ...page, items: items.sort((a, b) => a.size - b.size) }) };
      };
      expect((await audit(honest, lie)).kept).toMatchObject([{ code: 'ANCHOR_INVENTED', place: { size } }]);
    }
  });

  it('is told to have ever more that the chain does not have, and is not read for ever', async () => {
    const log = await ForgedLog.open();
    const model = formatListed(log.listed[0] ?? anyListed());
    const codes = new Set<string>();
    let pages = 0;
    const lie: Lie = (path, answer) => {
      if (!path.startsWith('/v1/anchors')) return answer;
      const cursor = pages++ * 1000;
      const items = Array.from({ length: 1000 }, (_, i) => ({ ...model, size: cursor + i + 1, block: 100 }));
      return { ...answer, body: JSON.stringify({ items, next: 'more' }) };
    };
    const checkpoint = await log.sign(9e15);
    const audited = audit(log, lie, { checkpoint, report: ({ code }) => codes.add(code) });
    // The log signed for more than it serves.
    await expect(audited).rejects.toThrow(CouldNotCheck);
    expect([...codes]).toContain('ANCHOR_LIST_MALFORMED');
    expect(pages).toBeLessThan(15);
  });

  it('is told to have one with another root, block, time or transaction', async () => {
    for (const change of [
      { root: 'A'.repeat(43) },
      { block: 1 },
      { blockHash: `0x${'00'.repeat(32)}` },
      { blockTime: '2026-11-24T08:00:00.000Z' },
      { transaction: `0x${'00'.repeat(32)}` },
    ]) {
      const { kept } = await audit(
        honest,
        listing(() => change),
      );
      expect(kept[0]).toMatchObject({ code: 'ANCHOR_DIFFERS', place: { size: 403 } });
    }
  });

  it('is told to have another checkpoint than the one of its size, which receipts of its entries have', async () => {
    const later = await honest.sign(404);
    const { kept } = await audit(
      honest,
      listing(() => ({ checkpoint: later })),
    );
    expect(kept).toMatchObject([
      { code: 'ANCHOR_DIFFERS', message: expect.stringContaining('the checkpoint of size 404') },
    ]);
  });

  it('is told to have a checkpoint that the log has not signed, or that nobody can read', async () => {
    const checkpoints = [honest.listed[0]?.checkpoint.replace('\n1\n', '\n403\n'), 'nonsense'];
    for (const checkpoint of checkpoints)
      expect(
        codesOf(
          await audit(
            honest,
            listing(() => ({ checkpoint: checkpoint ?? '' })),
          ),
        ),
      ).toEqual(['CHECKPOINT_INVALID']);
  });

  it('is told to have evidence that does not prove it, or none', async () => {
    for (const change of [
      (anchor: Listed) => ({
        evidence: { headers: anchor.evidence?.headers ?? [], nodes: anchor.evidence?.nodes.slice(1) ?? [] },
      }),
      () => ({ evidence: formatListed(honest.listed[0] ?? anyListed()).evidence }),
      () => ({ evidence: null }),
    ])
      expect((await audit(honest, listing(change))).kept).toMatchObject([
        { code: 'EVIDENCE_INVALID', place: { size: 403 } },
      ]);
  });

  it('is told to repeat itself, or never to end', async () => {
    const again: Lie = changingJson<Page>('/v1/anchors', page => ({
      ...page,
      items: [...page.items, ...page.items],
    }));
    expect(codesOf(await audit(honest, again))).toContain('ANCHOR_LIST_MALFORMED');
    const endless: Lie = changingJson<Page>('/v1/anchors', page => ({
      ...page,
      next: 'http://more.example',
    }));
    expect(codesOf(await audit(honest, endless))).toEqual(['ANCHOR_LIST_MALFORMED']);
  });

  it('is not followed to where its next page points', async () => {
    // The forged log names another host in each.
    const asked = new Set<string>();
    await audit(honest, (path, answer) => {
      asked.add(path);
      return answer;
    });
    expect([...asked].filter(path => path.includes('anchors'))).toEqual([
      '/v1/anchors?cursor=0',
      '/v1/anchors?cursor=403',
    ]);
  });

  it('is held without a chain against what stands by itself', async () => {
    const { kept } = await audit(
      honest,
      listing(() => ({ evidence: null })),
      { chain: undefined },
    );
    expect(kept).toMatchObject([{ code: 'EVIDENCE_INVALID', place: { size: 403 } }]);
  });
});

describe('the chain', () => {
  it('has another root for a size than the log ever had', async () => {
    const log = await ForgedLog.open();
    log.addSome(10);
    await log.anchor({ root: new Uint8Array(32).fill(1), checkpoint: await log.sign() });
    const { kept } = await audit(log);
    expect(kept.map(({ code }) => code)).toEqual(['ANCHOR_DIFFERS', 'ANCHOR_ROOT_DIFFERS']);
    expect(kept[1]).toMatchObject({ place: { size: 11, block: 2 } });
  });
});

function anyListed(): never {
  throw new Error('the log is anchored');
}
