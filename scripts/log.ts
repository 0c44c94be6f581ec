/** `zegel log`: opens a log in the registry, and tells how it stands there. */

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { getAddress, Wallet } from 'ethers';
import { z } from 'zod';
import { formatHex0x, parseHex0x } from '../merkle/bytes.ts';
import { parseVerifierKey } from '../merkle/note.ts';
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
    { needs: ['dataFolder', 'deploymentFolder', 'rpcUrl', 'adminKeyFile'], uses: ['anchorKeyFile'] },
    async ({ config, output }, _, flags) => {
      const facts = factsShape.parse(JSON.parse(await readFile(dataPaths(config).facts, 'utf8')));
      const anchorer = await anchorerOf(flags['anchorer'], config.anchorKeyFile);
      await withAdmin(config, admin => openLog(admin, config.deploymentFolder, facts, anchorer));
      output.result(
        [
          `opened ${facts.origin} for the anchor key ${anchorer}`,
          `wrote ${config.deploymentFolder}/trust.json: verifiers pin it`,
        ],
        { origin: facts.origin, logId: facts.logId, anchorer: anchorer.toLowerCase() },
      );
      return 0;
    },
  ).option('--anchorer <address>', "the anchor key's address (default: that of the anchor key file)");
}

/** Opens a log in the registry, for the anchor key with this address, and adds it to what verifiers pin. */
export async function openLog(
  admin: Wallet,
  folder: string,
  facts: Omit<LogFacts, 'genesis'>,
  anchorer: string,
): Promise<void> {
  const deployment = await deploymentOn(admin, folder);
  const registry = await contractOf('AnchorRegistry', deployment, admin);
  await transact(registry, 'openLog', [facts.origin, anchorer, facts.genesisLeaf]);
  const { origin } = facts;
  const logId = parseHex0x(facts.logId, 32);
  const verifierKey = parseVerifierKey(facts.verifierKey);
  const logs = [...deployment.logs, { origin, logId, verifierKey }];
  await writeDeployment(folder, { ...deployment, logs }, Date.now());
}

async function anchorerOf(named: unknown, keyFile: string | undefined): Promise<string> {
  if (typeof named === 'string') {
    const address = named.toLowerCase();
    if (!/^0x[0-9a-f]{40}$/.test(address)) throw new CommandError(2, `"${named}" is not an address`);
    return getAddress(address);
  }
  if (keyFile !== undefined) return new Wallet(await readAccountKey(keyFile)).address;
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
