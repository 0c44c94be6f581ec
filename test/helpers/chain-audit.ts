/** Audits of a chain in tests: the codes that are found, or what could not be checked, and what the chain is then seen to say. */

import { auditChain, type ChainAudit } from '../../service/audit/chain.ts';
import type { ChainView } from '../../service/audit/chain-view.ts';
import { CouldNotCheck, type Finding } from '../../service/audit/findings.ts';
import { Rpc } from '../../service/rpc.ts';
import type { OpenLog } from './anchored.ts';
import { artifacts } from './contracts.ts';

export type Audited = {
  readonly view: ChainView | undefined;
  readonly findings: readonly Finding[];
  readonly codes: readonly string[];
  /** What could not be checked. */
  readonly stopped: CouldNotCheck | undefined;
};

/** Audits the chain of a log as somebody would who has its trust file and the address of a node. */
export async function auditedChain(
  log: Pick<OpenLog, 'site' | 'origin' | 'trust'>,
  changes: Partial<ChainAudit> & { readonly url?: string; readonly timeoutMs?: number } = {},
): Promise<Audited> {
  const { url = log.site.chain.url, timeoutMs = 5_000, ...others } = changes;
  const findings: Finding[] = [];
  const audit: ChainAudit = {
    rpc: new Rpc({ urls: [url], timeoutMs }),
    trust: log.trust,
    log: { origin: log.origin, firstBlock: log.site.deployment.contracts.AccessManager.block },
    artifacts,
    report: finding => findings.push(finding),
    now: Date.now,
    // Nothing is slept away: what is asked again is asked at once.
    sleep: async () => undefined,
    ...others,
  };
  const ended = (view: ChainView | undefined, stopped?: CouldNotCheck) => ({
    view,
    stopped,
    findings,
    codes: findings.map(({ code }) => code),
  });
  try {
    return ended(await auditChain(audit));
  } catch (error) {
    if (error instanceof CouldNotCheck) return ended(undefined, error);
    throw error;
  }
}
