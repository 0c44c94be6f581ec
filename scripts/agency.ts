/** `zegel agency`: registers the organisations that may submit records, renames them, and lists them. */

import type { Command } from 'commander';
import { type Contract, getAddress, toUtf8String, type Wallet, ZeroAddress } from 'ethers';
import { parseAgency } from '../merkle/genesis.ts';
import { encodeAgency } from '../service/abi.ts';
import { type Deployment, writeDeployment } from '../service/deployment.ts';
import { contractOf, deploymentOn, transact, withAdmin, withChain } from './administration.ts';
import { addCommand, CommandError, type ExitCode } from './command.ts';

export function addAgency(program: Command): void {
  const agency = program.command('agency').description('register agencies, rename and list them');
  addAdd(agency);
  addRename(agency);
  addList(agency);
}

function addAdd(parent: Command): void {
  addCommand(
    parent,
    'add <id> <name>',
    'register an agency: never a natural person, since its keys and times are public for ever',
    { needs: ['deploymentFolder', 'rpcUrl', 'adminKeyFile'], uses: ['passphraseFile'] },
    async ({ config, output }, [text = '', name = ''], flags) => {
      const id = parseAgency(text);
      const controller = parseAddress(flags['controller'] ?? ZeroAddress);
      const { isNew } = await withAdmin(config, admin =>
        registerAgency(admin, config.deploymentFolder, { id, name, controller }),
      );
      output.result(isNew ? `registered ${id} (${name})` : `${id} (${name}) was registered before`, {
        agency: id,
        name,
        controller: controller.toLowerCase(),
        isNew,
      });
      return 0;
    },
  ).option('--controller <address>', 'an account with which the agency can retire its own keys');
}

/**
 * Registers an agency and adds its name to what verifiers show. Where a crash came between the two, doing it again finds the agency
 * registered and does the rest.
 *
 * @throws {CommandError} if the registry refuses, or has the agency under another name or controller
 */
export async function registerAgency(
  admin: Wallet,
  folder: string,
  agency: { readonly id: string; readonly name: string; readonly controller: string },
): Promise<{ readonly isNew: boolean }> {
  const { id, name, controller } = agency;
  const deployment = await deploymentOn(admin, folder);
  const registry = await contractOf('KeyRegistry', deployment, admin);
  const found = await registry.getFunction('agencyOf')(encodeAgency(id));
  const isNew = !found.registered;
  if (isNew) await transact(registry, 'registerAgency', [encodeAgency(id), name, controller]);

  // What verifiers show is what the registry says, whatever this command was told.
  const registered = (await agencyNames(registry, deployment)).get(id) ?? name;
  const agencies = { ...deployment.agencies, [id]: registered };
  await writeDeployment(folder, { ...deployment, agencies }, Date.now());
  if (!isNew && (registered !== name || found.controller !== controller)) {
    const why = `${id} was registered before, as "${registered}" with the controller ${found.controller}`;
    throw new CommandError(1, `${why}: it stays as it is`);
  }
  return { isNew };
}

function addRename(parent: Command): void {
  addCommand(
    parent,
    'rename <id> <name>',
    'change the name that verifiers show for an agency',
    { needs: ['deploymentFolder', 'rpcUrl', 'adminKeyFile'], uses: ['passphraseFile'] },
    async ({ config, output }, [text = '', name = '']) => {
      const id = parseAgency(text);
      const { isNew } = await withAdmin(config, admin =>
        renameAgency(admin, config.deploymentFolder, { id, name }),
      );
      output.result(isNew ? `${id} is called ${name} from now on` : `${id} was called ${name} before`, {
        agency: id,
        name,
        isNew,
      });
      return 0;
    },
  );
}

/**
 * Gives a registered agency another name, and adds it to what verifiers show. Where a crash came between the two, doing it again
 * finds the agency renamed and does the rest.
 *
 * @throws {CommandError} if the registry refuses, or knows no such agency
 */
export async function renameAgency(
  admin: Wallet,
  folder: string,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<{ readonly isNew: boolean }> {
  const deployment = await deploymentOn(admin, folder);
  const registry = await contractOf('KeyRegistry', deployment, admin);
  const isNew = (await agencyNames(registry, deployment)).get(id) !== name;
  if (isNew) {
    await transact(registry, 'renameAgency', [encodeAgency(id), name], error => {
      if (error.name === 'KeyRegistryAgencyUnknown')
        return `${id} is not registered: register it with zegel agency add`;
      if (error.name === 'KeyRegistryNameEmpty') return 'the name is empty, and an agency has a name';
      return undefined;
    });
  }
  const agencies = { ...deployment.agencies, [id]: name };
  await writeDeployment(folder, { ...deployment, agencies }, Date.now());
  return { isNew };
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
        for (const [agency, name] of await agencyNames(registry, deployment))
          output.result(`${agency}  ${name}`, { agency, name });
        return 0;
      }),
  );
}

/** The names of all agencies as the registry's events have them: the last one counts. */
async function agencyNames(
  registry: Contract,
  { contracts }: Deployment,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const event of ['AgencyRegistered', 'AgencyRenamed']) {
    for (const log of await registry.queryFilter(event, contracts.KeyRegistry.block)) {
      const parsed = registry.interface.parseLog(log);
      if (parsed !== null) names.set(agencyText(parsed.args['agency']), parsed.args['name']);
    }
  }
  return names;
}

/** An agency as people write it: its characters without the zeros that fill the word up. */
export function agencyText(bytes21: string): string {
  return toUtf8String(bytes21).replace(/\0+$/, '');
}
