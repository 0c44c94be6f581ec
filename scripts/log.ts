/** `zegel log`: opens a log in the registry, and tells how it stands there. */

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { getAddress, Wallet } from 'ethers';
import { z } from 'zod';
import { formatHex0x, parseHex0x } from '../merkle/bytes.ts';
import { parseVerifierKey } from '../merkle/note.ts';
import type { Config } from '../service/config.ts';
import { writeDeployment } from '../service/deployment.ts';
import { readAccountKey } from '../service/keyfiles.ts';
import { dataPaths } from '../service/paths.ts';
import { contractOf, deploymentOn, transact, withAdmin, withChain } from './administration.ts';
import { addCommand, CommandError, type ExitCode } from './command.ts';
import type { LogFacts } from './init.ts';

const factsShape = z.object({
  origin: z.string(),
  logId: z.string(),
  verifierKey: z.string(),
  genesisLeaf: z.string(),
});

export function addLog(program: Command): void {
  const log = program.command('log').description('open a log in the registry, and see how it stands there');
  addOpen(log);
  addStatus(log);
}

function addOpen(parent: Command): void {
  addCommand(
    parent,
    'open',
    'open the log of a data folder in the registry, for an anchor key',
    {
      needs: ['dataFolder', 'deploymentFolder', 'rpcUrl', 'adminKeyFile'],
      uses: ['anchorKeyFile', 'passphraseFile'],
    },
    async ({ config, output }, _, flags) => {
      const facts = factsShape.parse(JSON.parse(await readFile(dataPaths(config).facts, 'utf8')));
      const anchorer = await anchorerOf(flags['anchorer'], config);
      const { isNew } = await withAdmin(config, admin =>
        openLog(admin, config.deploymentFolder, facts, anchorer),
      );
      const { origin, logId } = facts;
      output.result(
        [
          isNew
            ? `opened ${origin} for the anchor key ${anchorer}`
            : `${origin} was opened before, for the same anchor key ${anchorer}`,
          `${config.deploymentFolder}/trust.json has it: verifiers pin that file`,
        ],
        { origin, logId, anchorer: anchorer.toLowerCase(), isNew },
      );
      return 0;
    },
  ).option('--anchorer <address>', "the anchor key's address (default: that of the anchor key file)");
}

/**
 * Opens a log in the registry, for the anchor key with this address, and adds it to what verifiers pin. Where a crash came between
 * the two, doing it again finds the log open and does the rest.
 *
 * @throws {CommandError} if the registry refuses, or has the log from another data folder or for another anchor key
 */
export async function openLog(
  admin: Wallet,
  folder: string,
  facts: Omit<LogFacts, 'genesis'>,
  anchorer: string,
): Promise<{ readonly isNew: boolean }> {
  const { origin, genesisLeaf } = facts;
  const deployment = await deploymentOn(admin, folder);
  const registry = await contractOf('AnchorRegistry', deployment, admin);
  const head = await registry.getFunction('head')(facts.logId);
  const isNew = head.size === 0n;
  if (isNew) await transact(registry, 'openLog', [origin, anchorer, genesisLeaf]);
  const first = await registry.getFunction('rootAt')(facts.logId, 1);
  if (first !== genesisLeaf) {
    const why = `${origin} was opened with the genesis leaf ${first}, this data folder has ${genesisLeaf}`;
    throw new CommandError(1, `${why}: an origin is never used twice, make a log under another one`);
  }

  const logId = parseHex0x(facts.logId, 32);
  const verifierKey = parseVerifierKey(facts.verifierKey);
  const others = deployment.logs.filter(log => log.origin !== origin);
  const logs = [...others, { origin, logId, verifierKey }];
  await writeDeployment(folder, { ...deployment, logs }, Date.now());
  if (!isNew && getAddress(head.anchorer) !== getAddress(anchorer)) {
    const why = `${origin} was opened before, for the anchor key ${head.anchorer}, not ${anchorer}`;
    throw new CommandError(1, `${why}: serve with that key, or have the registry's log opener replace it`);
  }
  return { isNew };
}

async function anchorerOf(named: unknown, { anchorKeyFile, passphraseFile }: Config): Promise<string> {
  if (typeof named === 'string') {
    const address = named.toLowerCase();
    if (!/^0x[0-9a-f]{40}$/.test(address)) throw new CommandError(2, `"${named}" is not an address`);
    return getAddress(address);
  }
  if (anchorKeyFile !== undefined)
    return new Wallet(await readAccountKey(anchorKeyFile, passphraseFile)).address;
  throw new CommandError(2, 'name the anchor key with --anchorer or --anchor-key-file');
}

function addStatus(parent: Command): void {
  addCommand(
    parent,
    'status',
    'show the logs of a deployment as the registry has them',
    { needs: ['deploymentFolder', 'rpcUrl'] },
    async ({ config, output }) =>
      withChain(config.rpcUrl, async (provider): Promise<ExitCode> => {
        const deployment = await deploymentOn(provider, config.deploymentFolder);
        const registry = await contractOf('AnchorRegistry', deployment, provider);
        for (const { origin, logId } of deployment.logs) {
          const [size, root, anchorer, paused, closed] = await registry.getFunction('head')(logId);
          const state = closed ? 'closed' : paused ? 'paused' : 'open';
          output.result(
            [`${origin}: ${state}, anchored at size ${size}`, `  root ${root}`, `  anchor key ${anchorer}`],
            {
              origin,
              logId: formatHex0x(logId),
              state,
              size: Number(size),
              root,
              anchorer: anchorer.toLowerCase(),
            },
          );
        }
        return 0;
      }),
  );
}
