/** Audits of forged logs: what is served, once a liar has had it in hand, and what is found. */

import { expect } from 'vitest';
import { type FindingCode, Findings } from '../../service/audit/findings.ts';
import { auditLog, type LogAudit } from '../../service/audit/log.ts';
import { httpSource, type Source } from '../../service/audit/sources.ts';
import type { ForgedLog, Lie, TestAnswer } from './forged-log.ts';

/** A forged log over the auditor's own reader of HTTP answers. Pauses take no time. */
export function sourceOf(log: ForgedLog, lie?: Lie): Source {
  return httpSource('http://log.example', {
    fetch: log.fetch(lie),
    sleep: async () => undefined,
    timeoutMs: 200,
  });
}

/** Audits a forged log, ten minutes after its clock. */
export async function audit(log: ForgedLog, lie?: Lie, changes: Partial<LogAudit> = {}) {
  const findings = new Findings();
  const view = await auditLog({
    source: sourceOf(log, lie),
    trust: log.trust,
    log: log.log,
    chain: log.view(),
    report: findings.report,
    now: () => log.now + 600_000,
    ...changes,
  });
  return { view, ...findings.found() };
}

export type Audited = Awaited<ReturnType<typeof audit>>;

/** The codes that were found, each once, in the order in which they were met. */
export function codesOf({ counts }: Pick<Audited, 'counts'>): FindingCode[] {
  return [...counts.keys()];
}

/** A log of 835 entries with five anchors, the last thirty entries not anchored yet. */
export async function aLongLog(open: Promise<ForgedLog>): Promise<ForgedLog> {
  const log = await open;
  for (let i = 0; i < 4; i++) {
    log.addSome(200);
    log.mine();
    log.addChainEntry();
    await log.anchor();
  }
  log.addSome(30);
  return log;
}

/** Changes the bytes of one file. */
export function changing(path: string, change: (body: Uint8Array) => Uint8Array): Lie {
  return (asked, answer) =>
    asked === path ? { ...answer, body: change(new Uint8Array(bodyOf(answer))) } : answer;
}

/** Changes the JSON of what is served under a path, whatever the query is. */
export function changingJson<T>(path: string, change: (value: T) => unknown): Lie {
  return (asked, answer) => {
    if (asked.split('?')[0] !== path) return answer;
    return { ...answer, body: JSON.stringify(change(JSON.parse(String(answer.body)))) };
  };
}

function bodyOf({ body }: TestAnswer): Uint8Array {
  expect(body).toBeInstanceOf(Uint8Array);
  return body as Uint8Array; // As was just expected.
}
