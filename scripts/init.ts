/** `zegel init`: makes a data folder with a new log in it. Nothing else ever creates one. */

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { formatHex0x } from '../merkle/bytes.ts';
import { formatGenesis, type Genesis, logId } from '../merkle/genesis.ts';
import { formatVerifierKey } from '../merkle/note.ts';
import type { ConfigWith } from '../service/config.ts';
import { createLog } from '../service/creation.ts';
import { readDeployment } from '../service/deployment.ts';
import { fileGuard } from '../service/guard.ts';
import { createLogKey, readLogKey } from '../service/keyfiles.ts';
import { dataPaths } from '../service/paths.ts';
import { openDatabase, Store } from '../service/store.ts';
import { addCommand, CommandError } from './command.ts';

export function addInit(program: Command): void {
  addCommand(
    program,
    'init',
    'make the data folder, the log key and entry 0 of a new log',
    {
      needs: ['dataFolder', 'origin', 'deploymentFolder'],
      uses: ['logKeyFile', 'guardFile', 'passphraseFile'],
    },
    async ({ config, output }) => {
      const facts = await initLog(config);
      output.result(
        [
          `made the log ${facts.origin} in ${config.dataFolder}`,
          `log id ${facts.logId}`,
          `verifier key ${facts.verifierKey}`,
          'next: zegel log open',
        ],
        facts,
      );
      return 0;
    },
  );
}

/** What everybody may know of a log, as `init` leaves it in the data folder for `log open`. */
export type LogFacts = {
  readonly origin: string;
  readonly logId: string;
  readonly verifierKey: string;
  readonly genesis: string;
  readonly genesisLeaf: string;
};

/** Makes the data folder with the log key, entry 0 and the guard. @throws {CommandError} if anything is there already */
export async function initLog(
  config: ConfigWith<'dataFolder' | 'origin' | 'deploymentFolder'>,
): Promise<LogFacts> {
  const deployment = await readDeployment(config.deploymentFolder);
  if (deployment.logs.some(log => log.origin === config.origin)) {
    throw new CommandError(2, `${config.origin} is the origin of another log: an origin is never used twice`);
  }
  const paths = dataPaths(config);
  await requireEmpty(config.dataFolder);
  await mkdir(dirname(paths.guard), { recursive: true });
  // A key that is there was put there on purpose, by whoever keeps keys; a new one is made only in our own folder.
  if (config.logKeyFile === undefined) await createLogKey(paths.logKey, config.passphraseFile);
  const signer = await readLogKey(paths.logKey, config.origin, config.passphraseFile);

  const registry = deployment.contracts.AnchorRegistry.address;
  const genesis: Genesis = {
    chainId: deployment.chainId,
    created: new Date().toISOString(),
    origin: config.origin,
    previous: null,
    registry,
  };
  const store = new Store(await openDatabase(paths.database, { create: true }), () => undefined);
  const leaf = await createLog({ store, guard: fileGuard(paths.guard), signer, genesis, randomBytes });
  await store.close();

  const facts: LogFacts = {
    origin: config.origin,
    logId: formatHex0x(logId(genesis.chainId, registry, genesis.origin)),
    verifierKey: formatVerifierKey(signer.key),
    genesis: formatGenesis(genesis),
    genesisLeaf: formatHex0x(leaf),
  };
  await writeFile(paths.facts, `${JSON.stringify(facts, null, 2)}\n`, { flag: 'wx' });
  return facts;
}

async function requireEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await readdir(folder);
  if (found.length === 0) return;
  throw new CommandError(
    2,
    `${join(folder, found[0] ?? '')} is there already: init needs a folder that is empty or not there`,
  );
}
