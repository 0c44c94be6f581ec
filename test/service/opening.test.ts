import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatUint64, parseHex0x, utf8 } from '../../merkle/bytes.ts';
import { logId } from '../../merkle/genesis.ts';
import { readConfig, type ServiceConfig, serviceNeeds } from '../../service/config.ts';
import { createLog } from '../../service/creation.ts';
import type { Deployment } from '../../service/deployment.ts';
import { fileGuard } from '../../service/guard.ts';
import { createLogKey, createPrivateKeyFile, readLogKey } from '../../service/keyfiles.ts';
import { metaKeys } from '../../service/layout.ts';
import { openLedger } from '../../service/opening.ts';
import { openDatabase, Store } from '../../service/store.ts';
import { aSubmission, countingBytes, testGenesis, testOrigin, testStart } from '../helpers/ledger.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'zegel-opening-'));
});
afterAll(() => rm(root, { recursive: true }));

let folders = 0;

/** A data folder as `init` leaves it, and the configuration that names it. */
async function aDataFolder(changes: Readonly<Record<string, string>> = {}) {
  const folder = join(root, `data-${folders++}`);
  await mkdir(folder);
  await createLogKey(join(folder, 'log.key'));
  const signer = await readLogKey(join(folder, 'log.key'), testOrigin);
  const store = await storeIn(folder, true);
  const guard = fileGuard(join(folder, 'guard'));
  await createLog({ store, guard, signer, genesis: testGenesis, randomBytes: countingBytes('log') });
  await store.close();
  return { folder, config: configOf(folder, changes), key: signer.key };
}

function configOf(folder: string, changes: Readonly<Record<string, string>> = {}): ServiceConfig {
  const flags = {
    data: folder,
    rpc: 'http://127.0.0.1:1',
    network: 'test',
    'anchor-key-file': 'none',
    ...changes,
  };
  return readConfig({}, flags, serviceNeeds);
}

async function storeIn(folder: string, create = false): Promise<Store> {
  return new Store(await openDatabase(join(folder, 'db'), { create }), error => {
    throw error;
  });
}

function aDeployment(changes: Partial<Deployment> = {}): Deployment {
  const contract = { codeHash: new Uint8Array(32), block: 1, transaction: new Uint8Array(32) };
  return {
    network: 'test',
    chainId: testGenesis.chainId,
    genesisHash: new Uint8Array(32),
    rules: { consensus: 'none', validators: [] },
    contracts: {
      AccessManager: { ...contract, name: 'AccessManager', address: new Uint8Array(20).fill(1) },
      AnchorRegistry: { ...contract, name: 'AnchorRegistry', address: testGenesis.registry },
      KeyRegistry: { ...contract, name: 'KeyRegistry', address: new Uint8Array(20).fill(2) },
    },
    rootsSlot: 1,
    keysSlot: 1,
    logs: [],
    agencies: {},
    ...changes,
  };
}

const faults: unknown[] = [];
function open(config: ServiceConfig, deployment = aDeployment()) {
  const now = () => testStart;
  return openLedger(config, deployment, {
    now,
    randomBytes: countingBytes(),
    onFault: error => faults.push(error),
  });
}

/** Opens, closes again, and gives the size. */
async function sizeIn(config: ServiceConfig): Promise<number> {
  const { store, ledger } = await open(config);
  await ledger.stop();
  await store.close();
  return ledger.signed().size;
}

describe('openLedger', () => {
  test('opens what init made, again and again', async () => {
    const { config } = await aDataFolder();
    const { store, ledger } = await open(config);
    await ledger.submit(aSubmission());
    await ledger.stop();
    await store.close();
    expect(await sizeIn(config)).toBe(2);
    expect(await sizeIn(config)).toBe(2);
    expect(faults).toEqual([]);
  });

  test.each([
    ['is not there', async () => join(root, 'nowhere')],
    [
      'is empty, because a volume is not mounted',
      async () => {
        await mkdir(join(root, 'empty'));
        return join(root, 'empty');
      },
    ],
  ])('refuses a folder that %s, and leaves it as it is', async (_, make) => {
    const folder = await make();
    await expect(open(configOf(folder))).rejects.toThrow(
      `${folder} holds no log: mount the volume that has it, set ZEGEL_DATA, or make a new log with \`zegel init\``,
    );
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });

  test('refuses a folder that another process has open', async () => {
    const { config, folder } = await aDataFolder();
    const { store, ledger } = await open(config);
    await expect(open(config)).rejects.toThrow(
      `${join(folder, 'db')} is in use by another process: stop that one first`,
    );
    await ledger.stop();
    await store.close();
  });

  test('refuses a database whose file was lost, without repairing it', async () => {
    const { config, folder } = await aDataFolder();
    await rm(join(folder, 'db', 'CURRENT'));
    await expect(open(config)).rejects.toThrow(
      /cannot be opened \(.*\): nothing was repaired; restore the data folder/,
    );
    expect(await readdir(join(folder, 'db'))).not.toContain('CURRENT');
  });

  test.each([
    ['a value that was changed', (bytes: Uint8Array) => bytes.fill(0, 60, 120)],
    ['a table whose end is gone', (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)],
  ])('refuses a database with %s, and says what to do', async (_, harm) => {
    const { config, folder } = await aDataFolder();
    // Opening it once more makes a table of what was in the write-ahead log.
    await sizeIn(config);
    const tables = (await readdir(join(folder, 'db'))).filter(name => name.endsWith('.ldb'));
    for (const name of tables) {
      const path = join(folder, 'db', name);
      await writeFile(path, harm(await readFile(path)));
    }
    await expect(open(config)).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/cannot be read \(.+\): nothing was repaired; restore the data folder/),
    });
  });

  test('refuses a foreign database', async () => {
    const folder = join(root, 'foreign');
    const store = await storeIn(folder, true);
    await store.write([{ table: 'entry', key: formatUint64(0), value: utf8('x') }]);
    await store.close();
    await expect(open(configOf(folder))).rejects.toThrow('holds no log');
  });

  test('refuses a newer format, and says which program reads it', async () => {
    const { config, folder } = await aDataFolder();
    const store = await storeIn(folder);
    await store.write([{ table: 'meta', key: metaKeys.format, value: utf8('2') }]);
    await store.close();
    await expect(open(config)).rejects.toThrow('the data folder has format "2"');
  });

  test('refuses a newer format whose genesis it cannot read', async () => {
    const { config, folder } = await aDataFolder();
    const store = await storeIn(folder);
    await store.write([
      { table: 'meta', key: metaKeys.format, value: utf8('2') },
      { table: 'meta', key: metaKeys.genesis, value: utf8('{"something":"new"}') },
    ]);
    await store.close();
    await expect(open(config)).rejects.toThrow('the data folder has format "2"');
  });

  test('refuses the deployment of another chain or another registry', async () => {
    const { config, folder } = await aDataFolder();
    await expect(open(config, aDeployment({ chainId: '2026' }))).rejects.toThrow(
      `the log in ${folder} is for chain 31337, deployments/test for chain 2026: set ZEGEL_DATA or ZEGEL_DEPLOYMENT`,
    );
    const { contracts } = aDeployment();
    const other = { ...contracts.AnchorRegistry, address: new Uint8Array(20).fill(9) };
    await expect(
      open(config, aDeployment({ contracts: { ...contracts, AnchorRegistry: other } })),
    ).rejects.toThrow(`is for the registry 0x${'07'.repeat(20)}, deployments/test has 0x${'09'.repeat(20)}`);
  });

  test('refuses another origin than the configured one', async () => {
    const { config } = await aDataFolder({ origin: 'ledger.test/other' });
    await expect(open(config)).rejects.toThrow(
      `is ${testOrigin}, ZEGEL_ORIGIN says ledger.test/other: correct or unset it`,
    );
  });

  test('refuses a log key that verifiers were not told', async () => {
    const { config, folder, key } = await aDataFolder();
    const pinned = {
      origin: testOrigin,
      logId: logId(testGenesis.chainId, testGenesis.registry, testOrigin),
      verifierKey: key,
    };
    const { store, ledger } = await open(config, aDeployment({ logs: [pinned] }));
    await ledger.stop();
    await store.close();

    await rm(join(folder, 'log.key'));
    await createPrivateKeyFile(join(folder, 'log.key'), generateKeyPairSync('ed25519').privateKey);
    await expect(open(config, aDeployment({ logs: [pinned] }))).rejects.toThrow(
      /the log key is .*, verifiers were told .*: set ZEGEL_LOG_KEY_FILE to that key/,
    );
  });

  test('refuses a folder without its key, and one without its guard', async () => {
    const { config, folder } = await aDataFolder();
    await rm(join(folder, 'guard'));
    await expect(open(config)).rejects.toThrow(/guard/);
    await rm(join(folder, 'log.key'));
    await expect(open(config)).rejects.toThrow('log.key cannot be read: no such file or folder');
  });

  test('refuses an older copy under a guard that has seen more', async () => {
    const { config, folder } = await aDataFolder();
    const copy = join(root, 'copy');
    await cp(join(folder, 'db'), copy, { recursive: true });
    const { store, ledger } = await open(config);
    await ledger.submit(aSubmission());
    await ledger.stop();
    await store.close();
    await rm(join(folder, 'db'), { recursive: true });
    await cp(copy, join(folder, 'db'), { recursive: true });
    await expect(open(config)).rejects.toThrow(/behind|ahead|size 2/);
  });

  test('lets go of the folder when it refuses', async () => {
    const { config, folder } = await aDataFolder();
    await expect(open(config, aDeployment({ chainId: '2026' }))).rejects.toThrow('for chain 2026');
    expect(await sizeIn(config)).toBe(1);
    await writeFile(join(folder, 'guard'), 'nonsense');
    await expect(open(config)).rejects.toThrow();
    await expect(storeIn(folder).then(store => store.close())).resolves.toBeUndefined();
  });

  test('takes the origin from the log and not from the key file', async () => {
    const { config } = await aDataFolder();
    const { store, ledger } = await open(config);
    expect(ledger.verifierKey.name).toBe(testOrigin);
    expect(ledger.logId).toEqual(logId('31337', parseHex0x(`0x${'07'.repeat(20)}`, 20), testOrigin));
    await ledger.stop();
    await store.close();
  });
});
