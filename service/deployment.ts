/**
 * What stands in `deployments/<network>/`: where the contracts are, what was pinned about the chain, and which logs live there.
 *
 * `deployment.json` is what the operator's programs read; `trust.json`, made from it, is what verifiers pin; `abi/` is for people who
 * want to call the contracts. Nothing in the folder is secret.
 */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { formatHex0x, parseHex0x, utf8 } from '../merkle/bytes.ts';
import { parseAgency, parseChainId, parseOrigin } from '../merkle/genesis.ts';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from '../merkle/note.ts';
import type { ChainRules } from '../merkle/seals.ts';
import { formatTrust, parseTrust, type Trust } from '../merkle/trust.ts';
import type { ContractName } from './deploy.ts';

/** A folder under deployments/ that cannot be used. The message says what to do. */
export class DeploymentError extends Error {
  override readonly name = 'DeploymentError';
}

/** A contract as it was deployed. */
export type PlacedContract = {
  readonly name: ContractName;
  readonly address: Uint8Array;
  /** Keccak-256 of its runtime code. */
  readonly codeHash: Uint8Array;
  /** The number of the block that it was deployed in. */
  readonly block: number;
  readonly transaction: Uint8Array;
};

export type PlacedLog = {
  readonly origin: string;
  readonly logId: Uint8Array;
  readonly verifierKey: VerifierKey;
};

export type Deployment = {
  readonly network: string;
  /** In decimal. */
  readonly chainId: string;
  readonly genesisHash: Uint8Array;
  readonly rules: ChainRules;
  readonly contracts: Readonly<Record<ContractName, PlacedContract>>;
  /** The storage slots of the mappings `roots` and `keys`. */
  readonly rootsSlot: number;
  readonly keysSlot: number;
  readonly logs: readonly PlacedLog[];
  /** Display names by agency. */
  readonly agencies: Readonly<Record<string, string>>;
};

const hex = (lengthBytes: number) => z.string().transform(parsedBy(text => parseHex0x(text, lengthBytes)));
const contractShape = z.strictObject({
  name: z.enum(['AccessManager', 'AnchorRegistry', 'KeyRegistry']),
  address: hex(20),
  codeHash: hex(32),
  block: z.int().nonnegative(),
  transaction: hex(32),
});
const fileShape = z.strictObject({
  version: z.literal(1),
  network: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  chainId: z.string().transform(parsedBy(parseChainId)),
  genesisHash: hex(32),
  consensus: z.enum(['qbft', 'clique', 'none']),
  validators: z.array(z.strictObject({ fromBlock: z.int().nonnegative(), addresses: z.array(hex(20)) })),
  contracts: z.array(contractShape).length(3),
  rootsSlot: z.int().nonnegative(),
  keysSlot: z.int().nonnegative(),
  logs: z.array(
    z.strictObject({
      origin: z.string().transform(parsedBy(parseOrigin)),
      logId: hex(32),
      verifierKey: z.string().transform(parsedBy(parseVerifierKey)),
    }),
  ),
  agencies: z.record(z.string().transform(parsedBy(parseAgency)), z.string()),
});

/** A parser of ours as a step of a zod schema: what it throws becomes the schema's fault. */
function parsedBy<T>(parse: (text: string) => T): (text: string, context: z.RefinementCtx) => T {
  return (text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  };
}

/** Reads a deployment. @throws {DeploymentError} naming every fault of its file */
export async function readDeployment(folder: string): Promise<Deployment> {
  const path = join(folder, 'deployment.json');
  let document: unknown;
  try {
    document = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new DeploymentError(
      `${path} cannot be read: deploy the contracts with \`zegel deploy\`, or name another network`,
      {
        cause,
      },
    );
  }
  const parsed = fileShape.safeParse(document);
  if (!parsed.success) throw new DeploymentError(`${path}: ${z.prettifyError(parsed.error)}`);
  const { consensus, validators, contracts, version: _, ...rest } = parsed.data;
  const placed = (name: ContractName): PlacedContract => {
    const contract = contracts.find(each => each.name === name);
    if (contract === undefined) throw new DeploymentError(`${path}: contract ${name} is missing`);
    return contract;
  };
  return {
    ...rest,
    rules: { consensus, validators },
    contracts: {
      AccessManager: placed('AccessManager'),
      AnchorRegistry: placed('AnchorRegistry'),
      KeyRegistry: placed('KeyRegistry'),
    },
  };
}

/**
 * Writes a deployment and the trust file that goes with it. Where that says something new, its sequence is one higher than that of
 * the one before; else it stays as it is, with the fingerprint that people have on paper.
 */
export async function writeDeployment(folder: string, deployment: Deployment, nowMs: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, 'deployment.json'), formatDeployment(deployment));
  // A trust file without a log would vouch for nothing.
  if (deployment.logs.length === 0) return;
  const path = join(folder, 'trust.json');
  const before = await readTrust(path);
  if (before !== undefined && formatTrust(trustOf(deployment, before)) === formatTrust(before)) return;
  const issued = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  await replaceFile(
    path,
    formatTrust(trustOf(deployment, { sequence: (before?.sequence ?? 0) + 1, issued })),
  );
}

async function readTrust(path: string): Promise<Trust | undefined> {
  try {
    return parseTrust(utf8(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.next`, text);
  await rename(`${path}.next`, path);
}

function formatDeployment(deployment: Deployment): string {
  const { network, chainId, genesisHash, rules, contracts, rootsSlot, keysSlot, logs, agencies } = deployment;
  const file = {
    version: 1,
    network,
    chainId,
    genesisHash: formatHex0x(genesisHash),
    consensus: rules.consensus,
    validators: rules.validators.map(({ fromBlock, addresses }) => ({
      fromBlock,
      addresses: addresses.map(formatHex0x),
    })),
    contracts: Object.values(contracts).map(({ name, address, codeHash, block, transaction }) => ({
      name,
      address: formatHex0x(address),
      codeHash: formatHex0x(codeHash),
      block,
      transaction: formatHex0x(transaction),
    })),
    rootsSlot,
    keysSlot,
    logs: logs.map(({ origin, logId, verifierKey }) => ({
      origin,
      logId: formatHex0x(logId),
      verifierKey: formatVerifierKey(verifierKey),
    })),
    agencies,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** What a verifier pins of a deployment (DESIGN 3.6). */
export function trustOf(
  deployment: Deployment,
  { sequence, issued }: { readonly sequence: number; readonly issued: string },
): Trust {
  const { chainId, genesisHash, rules, contracts, rootsSlot, keysSlot, logs, agencies } = deployment;
  const chain = { chainId, genesisHash, ...rules };
  const { AnchorRegistry, KeyRegistry } = contracts;
  return {
    sequence,
    issued,
    chains: [chain],
    logs: logs.map(({ origin, verifierKey }) => ({
      origin,
      chain,
      anchorRegistry: { address: AnchorRegistry.address, codeHash: AnchorRegistry.codeHash, rootsSlot },
      keyRegistry: { address: KeyRegistry.address, codeHash: KeyRegistry.codeHash, keysSlot },
      verifierKeys: [{ key: verifierKey }],
    })),
    agencies: new Map(Object.entries(agencies)),
  };
}
