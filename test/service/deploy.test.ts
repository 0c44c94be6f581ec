/** Deployment: who may do what afterwards, and that only our own code is taken for ours. */

import { Interface, VoidSigner, ZeroAddress } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployContracts, functionRoles, type RoleName, roles } from '../../service/deploy.ts';
import { artifacts, deployRegistries, type EmbeddedChain, embeddedChain } from '../helpers/contracts.ts';

let chain: EmbeddedChain;

beforeAll(async () => {
  chain = await embeddedChain();
});
afterAll(() => chain.close());

const nobody: Record<RoleName, string[]> = {
  LOG_OPENER: [],
  LOG_PAUSER: [],
  LOG_CLOSER: [],
  KEY_REGISTRAR: [],
};

describe('deployContracts', () => {
  it('gives each role to its holders and to nobody else', async () => {
    const [deployer, ...accounts] = await chain.provider.listAccounts();
    if (deployer === undefined) throw new Error('the chain has accounts');
    const holder = (i: number) => accounts[i]?.address ?? ZeroAddress;
    const roleHolders: Record<RoleName, string[]> = {
      LOG_OPENER: [holder(0)],
      LOG_PAUSER: [holder(1), holder(2)],
      LOG_CLOSER: [],
      KEY_REGISTRAR: [holder(3)],
    };
    const { contracts } = await deployContracts({ signer: deployer, artifacts, roleHolders });
    const manager = new Interface(artifacts.AccessManager.abi);
    const hasRole = async (role: bigint, account: string) => {
      const data = manager.encodeFunctionData('hasRole', [role, account]);
      const answer = await chain.provider.call({ to: contracts.AccessManager.address, data });
      return manager.decodeFunctionResult('hasRole', answer)[0];
    };

    for (const [name, role] of Object.entries(roles) as [RoleName, bigint][]) {
      for (const account of [deployer.address, ...accounts.slice(0, 5).map(({ address }) => address)]) {
        expect([name, account, await hasRole(role, account)]).toEqual([
          name,
          account,
          roleHolders[name].includes(account),
        ]);
      }
    }
    expect(await hasRole(0n, deployer.address)).toBe(true);
  });

  it('puts every function that changes something under its role, but the anchorer and the authority', async () => {
    const { accessManager, deployment } = await deployRegistries(chain.signer);
    for (const name of ['AnchorRegistry', 'KeyRegistry'] as const) {
      const assigned: Readonly<Record<string, RoleName>> = functionRoles[name];
      const changing: string[] = [];
      for (const { name: functionName, selector, constant } of functionsOf(name)) {
        if (constant || functionName === 'anchor' || functionName === 'setAuthority') continue;
        changing.push(functionName);
        const role = assigned[functionName];
        expect([
          functionName,
          await accessManager.getFunction('getTargetFunctionRole')(
            deployment.contracts[name].address,
            selector,
          ),
        ]).toEqual([functionName, role === undefined ? 'a role' : roles[role]]);
      }
      expect(changing.sort()).toEqual(Object.keys(assigned).sort());
    }
  });

  it('says where the contracts are: address, code hash, block and transaction, in lower case', async () => {
    const { deployment } = await deployRegistries(chain.signer);
    for (const { name, address, block, transaction } of Object.values(deployment.contracts)) {
      expect(address).toMatch(/^0x[0-9a-f]{40}$/);
      const receipt = await chain.provider.getTransactionReceipt(transaction);
      expect([name, receipt?.blockNumber, receipt?.contractAddress?.toLowerCase()]).toEqual([
        name,
        block,
        address,
      ]);
    }
  });

  it('refuses a signer without a provider', async () => {
    await expect(
      deployContracts({ signer: new VoidSigner(ZeroAddress), artifacts, roleHolders: nobody }),
    ).rejects.toThrow('the signer has no provider to send with');
  });

  it("refuses a node that shows other code than the artifact's", async () => {
    const other = {
      ...artifacts,
      AnchorRegistry: {
        ...artifacts.AnchorRegistry,
        deployedBytecode: artifacts.KeyRegistry.deployedBytecode,
      },
    };
    await expect(
      deployContracts({ signer: chain.signer, artifacts: other, roleHolders: nobody }),
    ).rejects.toThrow(/^code of AnchorRegistry at 0x[0-9a-f]{40} hashes to 0x[0-9a-f]{64}, want 0x/);
  });
});

function functionsOf(name: 'AnchorRegistry' | 'KeyRegistry') {
  const functions: { name: string; selector: string; constant: boolean }[] = [];
  new Interface(artifacts[name].abi).forEachFunction(found => functions.push(found));
  return functions;
}
