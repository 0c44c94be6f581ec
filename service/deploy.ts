/** Puts the contracts on a chain and hands out their roles: what `zegel deploy`, the demonstration and the tests share. */

import { ContractFactory, Interface, type InterfaceAbi, keccak256, type Provider, type Signer } from 'ethers';

/** The roles in the AccessManager, as in contracts/Roles.sol. */
export const roles = { LOG_OPENER: 1n, LOG_PAUSER: 2n, LOG_CLOSER: 3n, KEY_REGISTRAR: 4n } as const;
export type RoleName = keyof typeof roles;

/** Which role each restricted function needs. A function that is missing here would be for the administrator only. */
export const functionRoles = {
  AnchorRegistry: {
    openLog: 'LOG_OPENER',
    setAnchorer: 'LOG_OPENER',
    setPaused: 'LOG_PAUSER',
    closeLog: 'LOG_CLOSER',
  },
  KeyRegistry: {
    registerAgency: 'KEY_REGISTRAR',
    renameAgency: 'KEY_REGISTRAR',
    setController: 'KEY_REGISTRAR',
    addKey: 'KEY_REGISTRAR',
    retireKey: 'KEY_REGISTRAR',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, RoleName>>>>;

/** The storage slots of the two mappings that evidence is about (contracts/I*.sol): `roots[logId][size]` and `keys[keyId]`. */
export const rootsSlot = 1;
export const keysSlot = 1;

export type ContractName = 'AccessManager' | 'AnchorRegistry' | 'KeyRegistry';

/** What the compiler gives for a contract, as Hardhat writes it. */
export type ContractArtifact = {
  readonly abi: InterfaceAbi;
  /** 0x-prefixed code that deploys the contract, and the code that then stands at its address. */
  readonly bytecode: string;
  readonly deployedBytecode: string;
};

/** A contract on a chain. Hexadecimal is lower case. */
export type DeployedContract = {
  readonly name: ContractName;
  readonly address: string;
  /** keccak256 of the runtime code: the same on every network. */
  readonly codeHash: string;
  /** The number of the block that it was deployed in, and the transaction's hash. */
  readonly block: number;
  readonly transaction: string;
};

export type Deployment = {
  readonly contracts: Readonly<Record<ContractName, DeployedContract>>;
  readonly rootsSlot: number;
  readonly keysSlot: number;
};

/**
 * Deploys AccessManager, AnchorRegistry and KeyRegistry, in this order, and gives every role to its holders, in four transactions.
 * The signer becomes the AccessManager's administrator; it gets no role but those that it is named for.
 *
 * @param roleHolders the addresses that get each role, without an execution delay
 * @throws {Error} if the signer has no provider, a transaction fails, or other code than the artifact's stands at an address
 */
export async function deployContracts({
  signer,
  artifacts,
  roleHolders,
}: {
  readonly signer: Signer;
  readonly artifacts: Readonly<Record<ContractName, ContractArtifact>>;
  readonly roleHolders: Readonly<Record<RoleName, readonly string[]>>;
}): Promise<Deployment> {
  const { provider } = signer;
  if (provider === null) throw new Error('the signer has no provider to send with');
  // Counted here: ethers remembers a nonce for 250 ms, in which a quick chain has mined the transaction already.
  let nonce = await signer.getNonce('pending');

  const deploy = async (name: ContractName, ...args: readonly string[]): Promise<DeployedContract> => {
    const { abi, bytecode, deployedBytecode } = artifacts[name];
    const contract = await new ContractFactory(abi, bytecode, signer).deploy(...args, { nonce: nonce++ });
    const receipt = await contract.deploymentTransaction()?.wait();
    if (!receipt?.contractAddress) throw new Error(`${name} was not deployed`);
    const address = receipt.contractAddress.toLowerCase();
    const codeHash = await verifyCode(provider, name, address, deployedBytecode);
    return { name, address, codeHash, block: receipt.blockNumber, transaction: receipt.hash };
  };

  const accessManager = await deploy('AccessManager', await signer.getAddress());
  const anchorRegistry = await deploy('AnchorRegistry', accessManager.address);
  const keyRegistry = await deploy('KeyRegistry', accessManager.address);
  const contracts = {
    AccessManager: accessManager,
    AnchorRegistry: anchorRegistry,
    KeyRegistry: keyRegistry,
  };

  const manager = new Interface(artifacts.AccessManager.abi);
  const calls = roleCalls(manager, contracts, artifacts, roleHolders);
  const granting = await signer.sendTransaction({
    to: accessManager.address,
    data: manager.encodeFunctionData('multicall', [calls]),
    nonce,
  });
  await granting.wait();
  return { contracts, rootsSlot, keysSlot };
}

/** The AccessManager calls that name the roles, say which functions need them, and give them to their holders. */
function roleCalls(
  manager: Interface,
  contracts: Readonly<Record<ContractName, DeployedContract>>,
  artifacts: Readonly<Record<ContractName, ContractArtifact>>,
  roleHolders: Readonly<Record<RoleName, readonly string[]>>,
): string[] {
  const calls: string[] = [];
  for (const name of ['AnchorRegistry', 'KeyRegistry'] as const) {
    const registry = new Interface(artifacts[name].abi);
    for (const [functionName, role] of Object.entries(functionRoles[name])) {
      const selector = registry.getFunction(functionName)?.selector;
      calls.push(
        manager.encodeFunctionData('setTargetFunctionRole', [
          contracts[name].address,
          [selector],
          roles[role],
        ]),
      );
    }
  }
  for (const [name, role] of Object.entries(roles) as [RoleName, bigint][]) {
    calls.push(manager.encodeFunctionData('labelRole', [role, name]));
    for (const holder of roleHolders[name]) {
      calls.push(manager.encodeFunctionData('grantRole', [role, holder, 0]));
    }
  }
  return calls;
}

/** Checks that a contract's own code stands at its address, and gives its hash: the trust file pins it, so it must be right. */
async function verifyCode(
  provider: Provider,
  name: ContractName,
  address: string,
  wanted: string,
): Promise<string> {
  const code = await provider.getCode(address);
  if (code !== wanted) {
    throw new Error(`code of ${name} at ${address} hashes to ${keccak256(code)}, want ${keccak256(wanted)}`);
  }
  return keccak256(code);
}
