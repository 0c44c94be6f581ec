/** `zegel agency`: registers the organisations that may submit records, and lists them. */

import type { Command } from 'commander';
import { getAddress, toUtf8String, type Wallet, ZeroAddress } from 'ethers';
import { parseAgency } from '../merkle/genesis.ts';
import { encodeAgency } from '../service/abi.ts';
import { writeDeployment } from '../service/deployment.ts';
import { contractOf, deploymentOn, transact, withAdmin, withChain } from './administration.ts';
import { addCommand, CommandError, type ExitCode } from './command.ts';

export function addAgency(program: Command): void {
  const agency = program.command('agency').description('register agencies, and list them');
  addAdd(agency);
  addList(agency);
}

function addAdd(parent: Command): void {
  addCommand(
    parent,
    'add <id> <name>',
    'register an agency: never a natural person, since its keys and times are public for ever',
    { needs: ['deploymentFolder', 'rpcUrl', 'adminKeyFile'] },
    async ({ config, output }, [text = '', name = ''], flags) => {
      const id = parseAgency(text);
      const controller = parseAddress(flags['controller'] ?? ZeroAddress);
      await withAdmin(config, admin =>
        registerAgency(admin, config.deploymentFolder, { id, name, controller }),
      );
      output.result(`registered ${id} (${name})`, { agency: id, name, controller: controller.toLowerCase() });
      return 0;
    },
  ).option('--controller <address>', 'an account with which the agency can retire its own keys');
}

/** Registers an agency and adds its name to what verifiers show. */
export async function registerAgency(
  admin: Wallet,
  folder: string,
  agency: { readonly id: string; readonly name: string; readonly controller: string },
): Promise<void> {
  const { id, name, controller } = agency;
  const deployment = await deploymentOn(admin, folder);
  const registry = await contractOf('KeyRegistry', deployment, admin);
  await transact(registry, 'registerAgency', [encodeAgency(id), name, controller]);
  await writeDeployment(
    folder,
    { ...deployment, agencies: { ...deployment.agencies, [id]: name } },
    Date.now(),
  );
}

function parseAddress(value: unknown): string {
  const text = String(value).toLowerCase();
  if (!/^0x[0-9a-f]{40}$/.test(text)) throw new CommandError(2, `"${value}" is not an address`);
  return getAddress(text);
}

function addList(parent: Command): void {
  addCommand(
    parent,
    'list',
    'list the agencies as the key registry has them',
    { needs: ['deploymentFolder', 'rpcUrl'] },
    async ({ config, output }) =>
      withChain(config.rpcUrl, async (provider): Promise<ExitCode> => {
        const deployment = await deploymentOn(provider, config.deploymentFolder);
        const registry = await contractOf('KeyRegistry', deployment, provider);
        const from = deployment.contracts.KeyRegistry.block;
        const names = new Map<string, string>();
        for (const event of ['AgencyRegistered', 'AgencyRenamed']) {
          for (const log of await registry.queryFilter(event, from)) {
            const parsed = registry.interface.parseLog(log);
            if (parsed !== null) names.set(agencyText(parsed.args['agency']), parsed.args['name']);
          }
        }
        for (const [agency, name] of names) output.result(`${agency}  ${name}`, { agency, name });
        return 0;
      }),
  );
}

/** An agency as people write it: its characters without the zeros that fill the word up. */
export function agencyText(bytes21: string): string {
  return toUtf8String(bytes21).replace(/\0+$/, '');
}
