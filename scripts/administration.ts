/** How commands act on the chain: with one key, one transaction after another, and the contract's own words when it refuses. */

import {
  Contract,
  type ContractRunner,
  type ErrorDescription,
  isError,
  JsonRpcProvider,
  keccak256,
  Wallet,
} from 'ethers';
import { formatHex0x } from '../merkle/bytes.ts';
import type { ConfigWith } from '../service/config.ts';
import type { ContractName } from '../service/deploy.ts';
import { type Deployment, readDeployment } from '../service/deployment.ts';
import { readAccountKey } from '../service/keyfiles.ts';
import { quantity, Rpc } from '../service/rpc.ts';
import { contractArtifacts } from './artifacts.ts';
import { CommandError } from './command.ts';

/**
 * A node, asked call by call: ethers would hold each one back for 10 ms to make batches, and look for blocks every 4 seconds. The
 * chain's id is asked for first: when ethers has to, and nobody answers, it says so on standard output and never gives up.
 *
 * @throws {CommandError} exit code 3 if the node does not answer
 */
export async function connect(rpcUrl: string): Promise<JsonRpcProvider> {
  const rpc = new Rpc({ urls: [rpcUrl] });
  const chainId = await rpc.ask({ method: 'eth_chainId', params: [], shape: quantity }).catch(cause => {
    const why = `the chain at ${new URL(rpcUrl).host} does not answer`;
    throw new CommandError(3, `${why}: start its node, or set ZEGEL_RPC_URL (or --rpc) to another`, cause);
  });
  return new JsonRpcProvider(rpcUrl, chainId, {
    staticNetwork: true,
    batchMaxCount: 1,
    cacheTimeout: -1,
    polling: true,
    pollingInterval: 100,
  });
}

/** Runs an action with a connection that is closed afterwards. */
export async function withChain<T>(
  rpcUrl: string,
  act: (provider: JsonRpcProvider) => Promise<T>,
): Promise<T> {
  const provider = await connect(rpcUrl);
  try {
    return await act(provider);
  } finally {
    provider.destroy();
  }
}

/** Runs an action with the administrator's key. */
export function withAdmin<T>(
  config: ConfigWith<'rpcUrl' | 'adminKeyFile'>,
  act: (admin: Wallet) => Promise<T>,
): Promise<T> {
  return withAccount(config, config.adminKeyFile, act);
}

/** Runs an action with the key of some account. */
export async function withAccount<T>(
  config: ConfigWith<'rpcUrl'>,
  keyFile: string,
  act: (account: Wallet) => Promise<T>,
): Promise<T> {
  const key = await readAccountKey(keyFile, config.passphraseFile);
  return withChain(config.rpcUrl, provider => act(new Wallet(key, provider)));
}

/** Reads the deployment of a network and makes sure that the node is on its chain. */
export async function deploymentOn({ provider }: ContractRunner, folder: string): Promise<Deployment> {
  const deployment = await readDeployment(folder);
  const chainId = (await provider?.getNetwork())?.chainId.toString();
  if (chainId !== deployment.chainId) {
    throw new CommandError(
      2,
      `the node is on chain ${chainId}, ${folder} is for chain ${deployment.chainId}`,
    );
  }
  const genesis = await provider?.getBlock(0);
  if (genesis?.hash !== formatHex0x(deployment.genesisHash)) {
    throw new CommandError(
      2,
      `the node's chain has another genesis block than ${folder} says: it was reset, deploy again`,
    );
  }
  // A development chain that is started anew can have the same genesis block.
  for (const { name, address, codeHash } of Object.values(deployment.contracts)) {
    const code = (await provider?.getCode(formatHex0x(address))) ?? '0x';
    if (keccak256(code) === formatHex0x(codeHash)) continue;
    throw new CommandError(
      2,
      `at ${formatHex0x(address)} the chain does not have ${name}, as ${folder} says: it was reset, deploy again`,
    );
  }
  return deployment;
}

/** One of a deployment's contracts. */
export async function contractOf(
  name: ContractName,
  deployment: Deployment,
  runner: ContractRunner,
): Promise<Contract> {
  const { [name]: artifact } = await contractArtifacts();
  return new Contract(formatHex0x(deployment.contracts[name].address), artifact.abi, runner);
}

/**
 * Calls a function that changes state and waits until it is mined.
 *
 * @param explain says in words for people what the contract's own errors mean; the others are told by name
 * @throws {CommandError} exit code 1 with the contract's reason
 */
export async function transact(
  contract: Contract,
  functionName: string,
  args: readonly unknown[],
  explain: (error: ErrorDescription) => string | undefined = () => undefined,
) {
  try {
    const response = await contract.getFunction(functionName)(...args);
    const receipt = await response.wait();
    if (receipt?.status !== 1) throw new Error(`transaction ${response.hash} was reverted`);
    return receipt;
  } catch (cause) {
    const revert = revertOf(contract, cause);
    const explained = revert === null ? undefined : explain(revert);
    throw new CommandError(1, explained ?? `${functionName} was refused: ${reasonOf(revert, cause)}`, cause);
  }
}

/** The contract's custom error with its facts, where there is one. */
function revertOf(contract: Contract, error: unknown): ErrorDescription | null {
  if (!isError(error, 'CALL_EXCEPTION')) return null;
  // When the node refuses while gas is estimated, ethers has the error's bytes but has not looked them up.
  return error.data === null ? null : contract.interface.parseError(error.data);
}

function reasonOf(revert: ErrorDescription | null, error: unknown): string {
  if (revert !== null) return `${revert.name}(${revert.args.map(String).join(', ')})`;
  if (isError(error, 'INSUFFICIENT_FUNDS')) return 'the account cannot pay for the transaction';
  return error instanceof Error ? (error.message.split(' (')[0] ?? '') : String(error);
}
