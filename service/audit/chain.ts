/**
 * The chain, as an auditor sees it who believes nobody: its blocks from the contracts' creation to a final one, their transactions
 * replayed on a chain of the auditor's own, and the contracts at the end compared with the real ones.
 *
 * From the node come bytes that hash to what a header commits to; from the operator, hints where to begin. If nothing is found, every
 * change of the contracts is one that a recorded transaction made, under the rules of this repository's sources.
 */

import { equalBytes, formatHex0x, parseHex0x } from '../../merkle/bytes.ts';
import { logId } from '../../merkle/genesis.ts';
import type { Trust, TrustedLog } from '../../merkle/trust.ts';
import { data, dataOf, formatQuantity, type Rpc } from '../rpc.ts';
import type { ChainView } from './chain-view.ts';
import type { Artifacts, FollowedContract } from './contracts.ts';
import { findFinal } from './finality.ts';
import { CouldNotCheck, type Report } from './findings.ts';
import { ChainNode } from './node.ts';
import { Refutation } from './refutation.ts';
import { RegistryEvents } from './registry-events.ts';
import { type Plan, type Replayed, replayChain, type SeenBlock } from './replaying.ts';
import { type ComparedContract, compareContract, compareEvents } from './storage.ts';

/** What is audited, and with what. */
export type ChainAudit = {
  readonly rpc: Rpc;
  readonly trust: Trust;
  /** What the log says about itself. Hints: where they are wrong, the audit takes longer. */
  readonly log: {
    readonly origin: string;
    /** The block from which the contracts are on the chain. */
    readonly firstBlock?: number | undefined;
    /** The newest block that the log names: a node without it has fallen behind. */
    readonly knownBlock?: number | undefined;
  };
  /** A block that an earlier audit saw as final: it must still be there. */
  readonly from?: SeenBlock | undefined;
  readonly artifacts: Artifacts;
  /** Blocks on top that make a block final where consensus is `none`. */
  readonly confirmations?: number;
  /** Transactions that are replayed before the network is renewed, each of which takes some 35 kB of memory. */
  readonly room?: number;
  readonly report: Report;
  /** Blocks that were read, of so many. */
  readonly progress?: (done: number, total: number) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
};

/**
 * Audits the chain. Gives undefined when a finding leaves nothing to judge a log by: another chain, or blocks that do not fit.
 * @throws {CouldNotCheck} when the node does not answer what is needed, or what it has cannot be replayed here
 */
export async function auditChain(audit: ChainAudit): Promise<ChainView | undefined> {
  const log = audit.trust.logs.find(({ origin }) => origin === audit.log.origin);
  if (log === undefined)
    throw new CouldNotCheck({
      what: 'the chain',
      where: 'the trust file',
      why: `it has no log ${audit.log.origin}`,
    });
  try {
    return await auditLogChain(audit, log);
  } catch (error) {
    if (!(error instanceof Refutation)) throw error;
    audit.report(error.finding);
    return undefined;
  }
}

async function auditLogChain(audit: ChainAudit, log: TrustedLog): Promise<ChainView> {
  const {
    rpc,
    artifacts,
    report,
    now,
    sleep,
    confirmations = 0,
    progress = () => undefined,
    room = 500,
  } = audit;
  const { chain, anchorRegistry, keyRegistry } = log;
  const node = new ChainNode({ rpc, sleep });
  const knownBlock = Math.max(audit.log.knownBlock ?? 0, audit.from?.number ?? 0);
  const finding = { node, chain, confirmations, now };
  const found = await findFinal({ ...finding, knownBlock, report });
  const { finality } = found;
  let final = found.block;

  const registries = [anchorRegistry, keyRegistry].map(({ address }) => formatHex0x(address));
  const firstBlock = audit.log.firstBlock ?? (await creationHint(node, registries, final.number));
  const authorities = await Promise.all(
    registries.map(address => presentAuthority(node, address, final.number)),
  );
  const newEvents = () =>
    new RegistryEvents({
      artifacts,
      anchorRegistry: anchorRegistry.address,
      keyRegistry: keyRegistry.address,
      logId: logId(chain.chainId, anchorRegistry.address, log.origin),
    });
  let plan: Plan = {
    from: Math.min(Math.max(1, firstBlock), final.number),
    followed: new Set([...registries, ...authorities.filter(address => !isZero(address))]),
    everything: false,
    recovers: false,
  };
  let replayed: Replayed | undefined;
  // Each plan replays more than the one before, so this ends.
  while (replayed === undefined) {
    const world = { node, chain, final, seen: audit.from, newEvents, room, progress };
    const walked = await replayChain(world, plan);
    if ('plan' in walked) plan = walked.plan;
    else replayed = walked;
    while (replayed !== undefined) {
      // Nodes forget states, some after a hundred blocks: so what came while we read is read as well, until it is little.
      const newer = await orClosed(replayed, () =>
        findFinal({ ...finding, knownBlock: final.number, report: () => undefined }),
      );
      if (newer.block.number - final.number <= freshBlocks) break;
      final = newer.block;
      const next: Plan | undefined = await orClosed(replayed, to => to.goOn(final));
      if (next === undefined) continue;
      await replayed.replay.close();
      [plan, replayed] = [next, undefined];
    }
  }

  const { replay, events, index, counts } = replayed;
  try {
    const contracts = followedContracts(log, events);
    const met: Parameters<Report>[0][] = [];
    const world = {
      node,
      final,
      replay,
      events,
      slots: { rootsSlot: anchorRegistry.rootsSlot, keysSlot: keyRegistry.keysSlot },
      artifacts,
      pinned: new Map([
        ['AnchorRegistry' as const, anchorRegistry.codeHash],
        ['KeyRegistry' as const, keyRegistry.codeHash],
      ]),
      report: (finding: Parameters<Report>[0]) => met.push(finding),
    };
    const compared: ComparedContract[] = [];
    for (const contract of contracts) compared.push(await compareContract(world, contract));
    await compareEvents(world, contracts);
    reportAll(report, replayed, met);
    const { number, hash, time, stateRoot } = final;
    return {
      final: { number, hash, time, stateRoot },
      finality,
      anchors: events.anchors,
      anchorer: parseHex0x(events.anchorer, 20),
      paused: events.paused,
      closed: events.closed,
      key: keyId => events.keys.get(formatHex0x(keyId)),
      agencies: new Map([...events.agencies].map(([agency, { name }]) => [agency, name])),
      blockByHash: hash => index.find(hash),
      contracts: compared,
      counts,
    };
  } finally {
    await replay.close();
  }
}

/** A state this old can still be had of every node. */
const freshBlocks = 32;

async function orClosed<T>(replayed: Replayed, ask: (replayed: Replayed) => Promise<T>): Promise<T> {
  try {
    return await ask(replayed);
  } catch (error) {
    await replayed.replay.close();
    throw error;
  }
}

/** Where something could not be replayed, what differs afterwards may come from that: it is no finding then, nor is it nothing. */
function reportAll(
  report: Report,
  { differing, unreplayed }: Replayed,
  found: readonly Parameters<Report>[0][],
): void {
  const [first] = unreplayed;
  for (const finding of unreplayed) report(finding);
  if (first !== undefined && differing.length + found.length > 0) {
    const what = [...differing, ...found].map(({ message }) => message).join('; ');
    throw new CouldNotCheck({
      what: 'the replay',
      where: 'the replaying network',
      why: `${first.message}; and so ${what}`,
    });
  }
  for (const finding of [...differing, ...found]) report(finding);
}

/** The registries, and what governs them by their own events. */
function followedContracts(
  { anchorRegistry, keyRegistry }: TrustedLog,
  { authorities }: RegistryEvents,
): FollowedContract[] {
  const registries: FollowedContract[] = [
    { name: 'AnchorRegistry', address: anchorRegistry.address },
    { name: 'KeyRegistry', address: keyRegistry.address },
  ];
  const others = [...authorities]
    .map(address => Uint8Array.from(Buffer.from(address.slice(2), 'hex')))
    .filter(address => !registries.some(registry => equalBytes(registry.address, address)));
  return [...others.map(address => ({ name: 'AccessManager' as const, address })), ...registries];
}

/** Which contract governs a registry now: AccessManaged keeps it in slot 0. A hint; the replay says whether it is so. */
async function presentAuthority(node: ChainNode, registry: string, block: number): Promise<string> {
  const word = await node.ask("the registries' authority", {
    method: 'eth_getStorageAt',
    params: [registry, `0x${'00'.repeat(32)}`, formatQuantity(block)],
    shape: dataOf(32),
  });
  return formatHex0x(word.subarray(12));
}

/**
 * Where reading begins if nobody has said: about where a node first shows code for a registry. A hint, and one that nodes may have
 * forgotten; then it is the chain's first block.
 */
async function creationHint(node: ChainNode, registries: readonly string[], last: number): Promise<number> {
  const isThere = async (address: string, block: number): Promise<boolean> => {
    const params = [address, formatQuantity(block)];
    const code = await node.ask("the registries' code", { method: 'eth_getCode', params, shape: data });
    return code.length > 0;
  };
  try {
    const blocks = registries.map(async address => {
      let [without, within] = [0, last];
      while (within - without > 1) {
        const middle = Math.floor((without + within) / 2);
        if (await isThere(address, middle)) within = middle;
        else without = middle;
      }
      return within;
    });
    // What governs them was created before them, in the same go as a rule.
    return Math.max(1, Math.min(...(await Promise.all(blocks))) - deploymentBlocks);
  } catch (error) {
    if (error instanceof CouldNotCheck) return 1;
    throw error;
  }
}

/** Blocks that a deployment takes, at most: if it took longer, all is read again from the first block on. */
const deploymentBlocks = 100;

function isZero(address: string): boolean {
  return /^0x0*$/.test(address);
}
