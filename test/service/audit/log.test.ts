import { describe, expect, it } from 'vitest';
import { Findings } from '../../../service/audit/findings.ts';
import { auditLog, type LogAudit } from '../../../service/audit/log.ts';
import { httpSource } from '../../../service/audit/sources.ts';
import { ForgedLog, type Lie } from '../../helpers/forged-log.ts';

async function audit(log: ForgedLog, lie?: Lie, changes: Partial<LogAudit> = {}) {
  const findings = new Findings();
  const source = httpSource('http://log.example', { fetch: log.fetch(lie), sleep: async () => undefined });
  const view = await auditLog({
    source,
    trust: log.trust,
    log: log.log,
    chain: log.view(),
    report: findings.report,
    now: () => log.now + 600_000,
    ...changes,
  });
  return { view, ...findings.found() };
}

async function aLog() {
  const log = await ForgedLog.open();
  for (let i = 0; i < 4; i++) {
    log.addSome(200);
    log.addChainEntry();
    await log.anchor();
  }
  log.addSome(30);
  return log;
}

describe('auditLog', () => {
  it('finds nothing in an honest log', async () => {
    const log = await aLog();
    const { view, kept } = await audit(log);
    expect(kept).toEqual([]);
    expect(view).toMatchObject({ size: log.size, root: log.rootAt(log.size), unjudged: 0, listedAnchors: 5 });
  });
});
