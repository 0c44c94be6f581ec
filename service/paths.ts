/** Where things lie in a data folder. */

import { join } from 'node:path';
import type { ConfigWith } from './config.ts';

export type DataPaths = {
  /** The LevelDB folder. */
  readonly database: string;
  readonly logKey: string;
  /** The last signed checkpoint; best on another volume. */
  readonly guard: string;
  /** The log's public facts as `init` found them: origin, log id, verifier key, genesis. */
  readonly facts: string;
};

/** The places in a data folder, with what the configuration puts elsewhere. */
export function dataPaths(config: ConfigWith<'dataFolder'>): DataPaths {
  const { dataFolder, logKeyFile, guardFile } = config;
  return {
    database: join(dataFolder, 'db'),
    logKey: logKeyFile ?? join(dataFolder, 'log.key'),
    guard: guardFile ?? join(dataFolder, 'guard'),
    facts: join(dataFolder, 'log.json'),
  };
}
