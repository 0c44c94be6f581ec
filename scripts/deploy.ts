/** `zegel deploy`: puts the contracts on a chain and writes `deployments/<network>/`. */

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { Wallet } from 'ethers';
import { formatHex0x, parseHex0x } from '../merkle/bytes.ts';
import type { ChainRules, Consensus, ValidatorSet } from '../merkle/seals.ts';
import { type ContractName, deployContracts, type RoleName, roles } from '../service/deploy.ts';
import {
  type Deployment,
  type PlacedContract,
  readDeployment,
  writeDeployment,
} from '../service/deployment.ts';
import { withAdmin } from './administration.ts';
import { contractArtifacts } from './artifacts.ts';
import { addCommand, CommandError } from './command.ts';

export function addDeploy(program: Command): void {
  addCommand(
    program,
    'deploy',
    'deploy the contracts to a chain and write deployments/<network>/',
    { needs: ['rpcUrl', 'deploymentFolder', 'adminKeyFile'], uses: ['passphraseFile'] },
    async ({ config, output }, _, flags) => {
      const rules = {
        consensus: parseConsensus(String(flags['consensus'])),
        validators: parseValidators(flags['validators']),
      };
      if ((rules.consensus === 'none') !== (rules.validators.length === 0)) {
        throw new CommandError(
          2,
          'name the validators with --validators for qbft and clique, and only for these',
        );
      }
      const folder = config.deploymentFolder;
      const deployment = await withAdmin(config, admin => deployNetwork(admin, folder, rules));
      const contracts = Object.values(deployment.contracts).map(({ name, address, codeHash }) => ({
        name,
        address: formatHex0x(address),
        codeHash: formatHex0x(codeHash),
      }));
      output.result(
        [
          `deployed on chain ${deployment.chainId} (consensus ${rules.consensus}):`,
          ...contracts.map(({ name, address }) => `  ${name.padEnd(14)} ${address}`),
          `written to ${folder}`,
        ],
        { network: deployment.network, chainId: deployment.chainId, contracts },
      );
      return 0;
    },
  )
    .option('--consensus <name>', 'qbft, clique, or none for a development chain', 'none')
    .option('--validators <addresses>', 'the validators that seal from block 0 on, separated by commas');
}

/**
 * Deploys the contracts with an account that then has every role, and writes the network's folder.
 *
 * @param rules what verifiers shall pin about the chain: its consensus and its validators
 * @throws {CommandError} if the folder speaks of contracts that are there: what verifiers pin would be written over
 */
export async function deployNetwork(admin: Wallet, folder: string, rules: ChainRules): Promise<Deployment> {
  await requireFree(admin, folder);
  const artifacts = await contractArtifacts();
  const holders = Object.fromEntries(Object.keys(roles).map(role => [role, [admin.address]]));
  // One entry for every role: made from the list of all of them.
  const roleHolders = holders as Record<RoleName, string[]>;
  const deployed = await deployContracts({ signer: admin, artifacts, roleHolders });
  const placed = (name: ContractName): PlacedContract => {
    const { address, codeHash, block, transaction } = deployed.contracts[name];
    return {
      name,
      address: parseHex0x(address, 20),
      codeHash: parseHex0x(codeHash, 32),
      block,
      transaction: parseHex0x(transaction, 32),
    };
  };
  const deployment: Deployment = {
    network: basename(folder),
    ...(await chainFacts(admin)),
    rules,
    contracts: {
      AccessManager: placed('AccessManager'),
      AnchorRegistry: placed('AnchorRegistry'),
      KeyRegistry: placed('KeyRegistry'),
    },
    rootsSlot: deployed.rootsSlot,
    keysSlot: deployed.keysSlot,
    logs: [],
    agencies: {},
  };
  await writeDeployment(folder, deployment, Date.now());
  await writeAbis(folder, artifacts);
  return deployment;
}

async function requireFree({ provider }: Wallet, folder: string): Promise<void> {
  const file = join(folder, 'deployment.json');
  if ((await stat(file).catch(() => undefined)) === undefined) return;
  const { AnchorRegistry } = (await readDeployment(folder)).contracts;
  const address = formatHex0x(AnchorRegistry.address);
  // One that is gone was on a development chain, which has been started anew.
  if ((await provider?.getCode(address)) === '0x') return;
  throw new CommandError(
    2,
    `${file} is there already, and its contracts stand on this chain: name another network`,
  );
}

async function chainFacts({ provider }: Wallet): Promise<{ chainId: string; genesisHash: Uint8Array }> {
  const genesis = await provider?.getBlock(0);
  const network = await provider?.getNetwork();
  if (!genesis?.hash || !network) throw new CommandError(3, 'the chain does not give its genesis block');
  return { chainId: network.chainId.toString(), genesisHash: parseHex0x(genesis.hash, 32) };
}

async function writeAbis(
  folder: string,
  artifacts: Awaited<ReturnType<typeof contractArtifacts>>,
): Promise<void> {
  const abiFolder = join(folder, 'abi');
  await mkdir(abiFolder, { recursive: true });
  for (const [name, { abi }] of Object.entries(artifacts)) {
    await writeFile(join(abiFolder, `${name}.json`), `${JSON.stringify(abi, null, 2)}\n`);
  }
}

function parseConsensus(text: string): Consensus {
  if (text === 'qbft' || text === 'clique' || text === 'none') return text;
  throw new CommandError(2, `"${text}" is not a consensus, want qbft, clique or none`);
}

function parseValidators(text: unknown): readonly ValidatorSet[] {
  if (typeof text !== 'string') return [];
  return [
    { fromBlock: 0, addresses: text.split(',').map(address => parseHex0x(address.trim().toLowerCase(), 20)) },
  ];
}
