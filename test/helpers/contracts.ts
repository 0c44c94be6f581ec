/** The contracts, for tests in TypeScript: their artifacts, and a chain of the test's own with the registries on it. */

import { readFileSync } from 'node:fs';
import { Contract, type Signer } from 'ethers';
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

export const artifacts: Readonly<Record<ContractName, ContractArtifact>> = {
  AccessManager: artifact('AccessManager'),
  AnchorRegistry: artifact('AnchorRegistry'),
  KeyRegistry: artifact('KeyRegistry'),
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
