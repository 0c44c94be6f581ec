/** The chain part of the audit's bench: a chain of many anchors on a node of its own, and how long an auditor takes over it. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseHex0x } from '../../merkle/bytes.ts';
import type { Trust } from '../../merkle/trust.ts';
import { auditChain } from '../../service/audit/chain.ts';
import { Rpc } from '../../service/rpc.ts';
import { startHardhatProcess } from '../helpers/chain.ts';
import { artifacts } from '../helpers/contracts.ts';
import type { MadeAnchors } from './anchors.ts';

/** How an audit of a chain went: seconds by the clock and of this process's own work, and the most memory that it held, in mebibytes. */
export type ChainFigures = {
  readonly findings: readonly string[];
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly memoryMiB: number;
};

/** Makes so many anchors on a `hardhat node` and audits that chain. */
export async function auditAnchors(anchors: number): Promise<ChainFigures> {
  const chain = await startHardhatProcess();
  try {
    const program = fileURLToPath(new URL('anchors.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, chain.url, String(anchors)]);
    const made = JSON.parse(stdout) as MadeAnchors;
    const findings: string[] = [];
    const start = performance.now();
    const cpu = process.cpuUsage();
    const view = await auditChain({
      rpc: new Rpc({ urls: [chain.url] }),
      trust: trustIn(made),
      log: { origin: made.origin, firstBlock: made.contracts.AccessManager.block },
      artifacts,
      report: ({ code }) => findings.push(code),
      now: Date.now,
      sleep: async () => undefined,
    });
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    // Opening is the anchor of size 1.
    const found = (view?.anchors.length ?? 0) - 1;
    if (found !== anchors) throw new Error(`the audit saw ${found} anchors, want ${anchors}`);
    // Node gives kibibytes.
    const memoryMiB = process.resourceUsage().maxRSS / 1024;
    return { findings, seconds, processorSeconds: (user + system) / 1e6, memoryMiB };
  } finally {
    await chain.stop();
  }
}

function trustIn({ origin, chainId, genesisHash, contracts, rootsSlot, keysSlot }: MadeAnchors): Trust {
  const { AnchorRegistry, KeyRegistry } = contracts;
  const chain = {
    chainId,
    genesisHash: parseHex0x(genesisHash, 32),
    consensus: 'none' as const,
    validators: [],
  };
  const anchorRegistry = { ...placed(AnchorRegistry), rootsSlot };
  const keyRegistry = { ...placed(KeyRegistry), keysSlot };
  return {
    sequence: 1,
    issued: '2026-11-24T08:00:00Z',
    chains: [chain],
    logs: [{ origin, chain, anchorRegistry, keyRegistry, verifierKeys: [] }],
    agencies: new Map(),
  };
}

function placed({ address, codeHash }: { readonly address: string; readonly codeHash: string }) {
  return { address: parseHex0x(address, 20), codeHash: parseHex0x(codeHash, 32) };
}
