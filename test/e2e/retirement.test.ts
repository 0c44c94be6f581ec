/** How a key ends, told from outside: at once for what is new, never for what was accepted. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBase64url } from '../../merkle/bytes.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import { contractOf, transact } from '../../scripts/administration.ts';
import { encodeAgency } from '../../service/abi.ts';
import { LedgerClient, receiptFile } from '../../service/client/client.ts';
import type { StatementSigner } from '../../service/client/signer.ts';
import { readDeployment } from '../../service/deployment.ts';
import { type Service, startService } from '../../service/main.ts';
import { fundedKeys, startHardhat, type TestChain } from '../helpers/chain.ts';
import { runZegel, zegelJson } from '../helpers/cli.ts';
import { aLogger, aPlace, type Place, placeAgency } from '../service/place.ts';

let chain: TestChain;
let place: Place;
let service: Service;
let client: LedgerClient;
/** What the registrar and the agency find in their environment. */
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  chain = await startHardhat();
  place = await aPlace(chain);
  const registry = await contractOf('KeyRegistry', await readDeployment(place.network), chain.admin);
  const controller = new Wallet(fundedKeys[2]).address;
  await transact(registry, 'setController', [encodeAgency(placeAgency), controller]);
  service = await startService(place.config, { log: aLogger().log });
  client = new LedgerClient(service.url);
  env = { ZEGEL_RPC_URL: chain.url, ZEGEL_DEPLOYMENT: place.network };
  await writeFile(join(place.root, 'registrar'), fundedKeys[0], { mode: 0o600 });
  await writeFile(join(place.root, 'controller'), fundedKeys[2], { mode: 0o600 });
});
afterAll(async () => {
  await service.stop();
  await chain.stop();
  await place.remove();
});

const kidOf = (signer: StatementSigner) => formatBase64url(thumbprint(signer.key));

/** How the service refuses a new event under a key; undefined where it accepts it. */
async function refusalOf(signer: StatementSigner): Promise<unknown> {
  const statement = await place.statement(undefined, signer);
  return client.submit(statement, signer.key).then(
    () => undefined,
    error => error,
  );
}

describe('a key that is retired', () => {
  const retirers = [
    ['the registrar', '--admin-key-file', 'registrar', 'superseded', 4],
    ["the agency's controller", '--controller-key-file', 'controller', '1', 1],
  ] as const;
  it.each(retirers)('by %s ends for new records only', async (_, option, account, reason, number) => {
    const signer = await place.addKey(`key-of-${account}`, 'ES256');
    const statement = await place.statement(undefined, signer);
    // The service finds a new key when it next looks at the chain.
    const first = () => client.submit(statement, signer.key, { waitS: 30 }).catch(() => undefined);
    await expect.poll(first, { timeout: 20_000 }).toBeDefined();
    const before = await client.submit(statement, signer.key);

    // A kid may begin with a hyphen.
    const options = [option, join(place.root, account), '--reason', reason, '--json'];
    const ran = await runZegel(['key', 'retire', ...options, '--', kidOf(signer)], env);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(ran.out)).toMatchObject({ kid: kidOf(signer), reason: number, isNew: true });

    // Two minutes before its end: as soon as the service has looked at the chain.
    await expect
      .poll(() => refusalOf(signer), { timeout: 20_000 })
      .toMatchObject({ status: 403, problem: 'key-not-valid' });
    expect(await client.submit(statement, signer.key)).toMatchObject({
      isNew: false,
      leafHash: before.leafHash,
    });

    const file = join(place.root, `${account}.receipt.json`);
    await writeFile(file, receiptFile(await client.complete(before.receipt)));
    const [verified] = await zegelJson(['verify', file, '--trust', join(place.network, 'trust.json')]);
    expect(verified).toMatchObject({ verdict: 'matches', facts: { agency: placeAgency } });
  });
});
