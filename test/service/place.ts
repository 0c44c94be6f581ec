/** A place for a whole service: contracts on a chain, a log opened there, an agency with a key, and the settings to serve it. */

import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet, ZeroAddress } from 'ethers';
import { pino } from 'pino';
import type { Algorithm } from '../../merkle/signature.ts';
import { parseTrust } from '../../merkle/trust.ts';
import { registerAgency } from '../../scripts/agency.ts';
import { deployNetwork } from '../../scripts/deploy.ts';
import { initLog } from '../../scripts/init.ts';
import { makeKey, registerKey } from '../../scripts/key.ts';
import { openLog } from '../../scripts/log.ts';
import { keySigner, type StatementSigner, signStatement } from '../../service/client/signer.ts';
import { readConfig, serviceNeeds } from '../../service/config.ts';
import { createAccountKey, readPrivateKeyFile } from '../../service/keyfiles.ts';
import { anEvent } from '../helpers/builders.ts';
import type { TestChain } from '../helpers/chain.ts';

export const placeAgency = 'OVO002949';

export type Place = Awaited<ReturnType<typeof aPlace>>;

let places = 0;

/** Makes a place on a running chain. Each has contracts, a log and a folder of its own. */
export async function aPlace(chain: TestChain) {
  const root = await mkdtemp(join(tmpdir(), 'zegel-place-'));
  const network = join(root, 'network');
  const anchorKeyFile = join(root, 'anchor');
  const anchorer = new Wallet(await createAccountKey(anchorKeyFile));
  const funding = await chain.admin.sendTransaction({ to: anchorer.address, value: 10n ** 18n });
  await funding.wait();

  const deployment = await deployNetwork(chain.admin, network, { consensus: 'none', validators: [] });
  const flags = {
    data: join(root, 'data'),
    origin: `ledger.test/place-${places++}`,
    rpc: chain.url,
    network,
    port: '0',
    guard: join(root, 'guard', 'checkpoint'),
    'anchor-key-file': anchorKeyFile,
    'anchor-interval-ms': '100',
    'log-level': 'warn',
  };
  const config = readConfig({}, flags, [...serviceNeeds, 'origin']);
  await mkdir(config.dataFolder);
  await openLog(chain.admin, network, await initLog(config), anchorer.address);
  await registerAgency(chain.admin, network, { id: placeAgency, name: 'Agency', controller: ZeroAddress });

  const addKey = async (name: string, alg: Algorithm): Promise<StatementSigner> => {
    const file = join(root, name);
    await registerKey(chain.admin, network, await makeKey(file, placeAgency, alg, deployment));
    return keySigner(await readPrivateKeyFile(file), alg);
  };
  const signer = await addKey('key', 'ES256');

  return {
    root,
    network,
    config,
    flags,
    signer,
    addKey,
    /** A statement over an event that no other has sent, unless the test gives one. */
    statement: (event = freshEvent(), by = signer) => signStatement(event, config.origin, by),
    trust: async () => parseTrust(await readFile(join(network, 'trust.json'))),
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

export function freshEvent(): Uint8Array {
  return anEvent({ id: randomUUID() });
}

/** A logger that keeps what it is told. */
export function aLogger() {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: pino({ level: 'debug' }, { write: line => lines.push(JSON.parse(line)) }) };
}
