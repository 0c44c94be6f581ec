/** The contracts, for tests in TypeScript: their artifacts, an embedded chain, and the registries deployed on it. */

import { readFileSync } from 'node:fs';
import { BrowserProvider, Contract, type Eip1193Provider, type JsonRpcSigner, type Signer } from 'ethers';
import hre from 'hardhat';
import {
  type ContractArtifact,
  type ContractName,
  type Deployment,
  deployContracts,
} from '../../service/deploy.ts';

const folder = new URL('../../artifacts/', import.meta.url);

const sources = {
  AccessManager: '@openzeppelin/contracts/access/manager/AccessManager.sol',
  AnchorRegistry: 'contracts/AnchorRegistry.sol',
  KeyRegistry: 'contracts/KeyRegistry.sol',
} as const satisfies Readonly<Record<ContractName, string>>;

/** What the last `hardhat build` made of a contract (global-setup.ts runs it before the tests). */
export function artifact(name: ContractName): ContractArtifact {
  return JSON.parse(readFileSync(new URL(`${sources[name]}/${name}.json`, folder), 'utf8'));
}

/** All three, each read when it is asked for: this file may be loaded before the first build. */
export const artifacts: Readonly<Record<ContractName, ContractArtifact>> = {
  get AccessManager() {
    return artifact('AccessManager');
  },
  get AnchorRegistry() {
    return artifact('AnchorRegistry');
  },
  get KeyRegistry() {
    return artifact('KeyRegistry');
  },
};

export type Registries = {
  readonly deployment: Deployment;
  /** Connected to the signer that deployed them. */
  readonly accessManager: Contract;
  readonly anchorRegistry: Contract;
  readonly keyRegistry: Contract;
  /** The address that has every role and is the AccessManager's administrator: the signer's. */
  readonly rolesGrantedTo: string;
};

/** Deploys the contracts and gives the signer every role. */
export async function deployRegistries(signer: Signer): Promise<Registries> {
  const rolesGrantedTo = await signer.getAddress();
  const holders = [rolesGrantedTo];
  const deployment = await deployContracts({
    signer,
    artifacts,
    roleHolders: { LOG_OPENER: holders, LOG_PAUSER: holders, LOG_CLOSER: holders, KEY_REGISTRAR: holders },
  });
  const connected = (name: ContractName) =>
    new Contract(deployment.contracts[name].address, artifacts[name].abi, signer);
  return {
    deployment,
    accessManager: connected('AccessManager'),
    anchorRegistry: connected('AnchorRegistry'),
    keyRegistry: connected('KeyRegistry'),
    rolesGrantedTo,
  };
}

export type EmbeddedChain = {
  readonly provider: BrowserProvider;
  /** The first of the chain's funded accounts. */
  readonly signer: JsonRpcSigner;
  close(): Promise<void>;
};

/** A chain in this process, without a port. A transaction is mined before its `send` returns. */
export async function embeddedChain(
  override: { readonly chainId?: number; readonly hardfork?: string } = {},
): Promise<EmbeddedChain> {
  const connection = await hre.network.create({ override });
  // ethers would remember answers for 250 ms, in which this chain makes many blocks.
  const provider = new BrowserProvider(connection.provider as Eip1193Provider, undefined, {
    cacheTimeout: -1,
  });
  return { provider, signer: await provider.getSigner(), close: () => connection.close() };
}
