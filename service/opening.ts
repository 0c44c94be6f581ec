/** Opening the data folder for the service: only what `init` made, and only with the deployment that it belongs to. */

import { stat } from 'node:fs/promises';
import { equalBytes, formatHex0x, parseUtf8 } from '../merkle/bytes.ts';
import { FormatError } from '../merkle/errors.ts';
import { type Genesis, parseGenesis } from '../merkle/genesis.ts';
import { formatVerifierKey, type NoteSigner, type VerifierKey, verifierKey } from '../merkle/note.ts';
import type { ServiceConfig } from './config.ts';
import type { Deployment } from './deployment.ts';
import { fileGuard } from './guard.ts';
import { readLogKey } from './keyfiles.ts';
import { metaKeys } from './layout.ts';
import { Ledger, type LedgerParts } from './ledger.ts';
import { dataPaths } from './paths.ts';
import { type Database, openDatabase, Store, StoreBrokenError, StoreCorruptError } from './store.ts';

/** The service must not start. The message says why, and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Opens the store and the ledger in the configured folder.
 *
 * @throws {StartError} if there is no data folder, it is in use, or it belongs to another deployment or origin; what recovery and the
 *   key file refuse. Everything is closed again then.
 */
export async function openLedger(
  config: ServiceConfig,
  deployment: Deployment,
  parts: Pick<LedgerParts, 'now' | 'randomBytes' | 'onFault' | 'observe'>,
): Promise<{ readonly store: Store; readonly ledger: Ledger }> {
  const paths = dataPaths(config);
  const database = await openExisting(config.dataFolder, paths.database);
  const store = new Store(database, parts.onFault);
  try {
    const genesis = await readGenesis(store);
    const signer = genesis === undefined ? noSigner : await signerFor(genesis, config, deployment);
    const ledger = await Ledger.open({
      ...parts,
      store,
      signer,
      guard: fileGuard(paths.guard),
      batchMax: config.batchMax,
    });
    return { store, ledger };
  } catch (error) {
    await store.close();
    throw unusable(paths.database, error);
  }
}

/** What the database meets while it is opened, as something to do; every other error as it is. */
function unusable(path: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof StoreBrokenError) {
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    return new StartError(`${path} cannot be written (${why}): see to the disk, then start again`, {
      cause: error,
    });
  }
  const isDatabases = 'code' in error && String(error.code).startsWith('LEVEL_');
  if (!isDatabases && !(error instanceof StoreCorruptError)) return error;
  return new StartError(
    `${path} cannot be read (${error.message}): nothing was repaired; restore the data folder from a backup`,
    { cause: error },
  );
}

/** For a folder without a readable genesis. Recovery refuses it, and says what it found, before anything is signed. */
const noSigner: NoteSigner = {
  key: verifierKey('none', new Uint8Array(32)),
  sign: () => Promise.reject(new Error('there is no log to sign for')),
};

async function signerFor(
  genesis: Genesis,
  config: ServiceConfig,
  deployment: Deployment,
): Promise<NoteSigner> {
  requireFit(config, deployment, genesis);
  const signer = await readLogKey(dataPaths(config).logKey, genesis.origin, config.passphraseFile);
  requirePinnedKey(deployment, genesis, signer.key);
  return signer;
}

async function openExisting(folder: string, path: string): Promise<Database> {
  // Asked first: LevelDB makes the folder even when it then refuses to make a database.
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isDirectory())
    throw new StartError(
      `${folder} holds no log: mount the volume that has it, set ZEGEL_DATA, or make a new log with \`zegel init\``,
    );
  try {
    return await openDatabase(path, { create: false });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'LEVEL_LOCKED')
      throw new StartError(`${path} is in use by another process: stop that one first`, { cause: error });
    const why = cause instanceof Error ? cause.message : 'unknown reason';
    throw new StartError(
      `${path} cannot be opened (${why}): nothing was repaired; restore the data folder from a backup`,
      { cause: error },
    );
  }
}

async function readGenesis(store: Store): Promise<Genesis | undefined> {
  const document = await store.get('meta', metaKeys.genesis);
  if (document === undefined) return undefined;
  try {
    return parseGenesis(parseUtf8(document));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** A log belongs to one registry on one chain. Anchors anywhere else would prove nothing about it. */
function requireFit(config: ServiceConfig, { chainId, contracts }: Deployment, genesis: Genesis): void {
  const { dataFolder, deploymentFolder, origin } = config;
  const { address } = contracts.AnchorRegistry;
  const choose = 'set ZEGEL_DATA or ZEGEL_DEPLOYMENT to the one that fits';
  if (genesis.chainId !== chainId)
    throw new StartError(
      `the log in ${dataFolder} is for chain ${genesis.chainId}, ${deploymentFolder} for chain ${chainId}: ${choose}`,
    );
  if (!equalBytes(genesis.registry, address))
    throw new StartError(
      `the log in ${dataFolder} is for the registry ${formatHex0x(genesis.registry)}, ${deploymentFolder} has ${formatHex0x(address)}: ${choose}`,
    );
  if (origin !== undefined && origin !== genesis.origin)
    throw new StartError(
      `the log in ${dataFolder} is ${genesis.origin}, ZEGEL_ORIGIN says ${origin}: correct or unset it`,
    );
}

/** What verifiers were told of the log's key is what we sign with, or no checkpoint of ours would be believed. */
function requirePinnedKey({ logs }: Deployment, { origin }: Genesis, key: VerifierKey): void {
  const pinned = logs.find(log => log.origin === origin)?.verifierKey;
  if (pinned === undefined || equalBytes(pinned.publicKey, key.publicKey)) return;
  throw new StartError(
    `the log key is ${formatVerifierKey(key)}, verifiers were told ${formatVerifierKey(pinned)}: set ZEGEL_LOG_KEY_FILE to that key`,
  );
}
