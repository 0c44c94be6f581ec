/** Each of the six algorithms through a whole life: a key is made, registered, signs, and is believed. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encryptKeystoreJsonSync, Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Algorithm, algorithms } from '../../merkle/signature.ts';
import { parseStatement } from '../../merkle/statement.ts';
import { makeKey, registerKey } from '../../scripts/key.ts';
import { readSigner } from '../../scripts/sign.ts';
import { LedgerClient, receiptFile } from '../../service/client/client.ts';
import type { ServiceConfig } from '../../service/config.ts';
import { readDeployment } from '../../service/deployment.ts';
import { readAccountKey } from '../../service/keyfiles.ts';
import { type Service, startService } from '../../service/main.ts';
import { anEvent } from '../helpers/builders.ts';
import { fundedKeys, startHardhat, type TestChain } from '../helpers/chain.ts';
import { zegelJson } from '../helpers/cli.ts';
import { aLogger, aPlace, freshEvent, type Place, placeAgency } from '../service/place.ts';

let chain: TestChain;
let place: Place;
let service: Service | undefined;
beforeAll(async () => {
  chain = await startHardhat();
  place = await aPlace(chain);
});
afterEach(() => service?.stop());
afterAll(async () => {
  await chain.stop();
  await place.remove();
});

/** A service that knows all keys from its first moment: a running one sees a new key when it next looks at the chain. */
async function serve(more: Partial<ServiceConfig> = {}): Promise<string> {
  service = await startService({ ...place.config, ...more }, { log: aLogger().log });
  return service.url;
}

/** Keeps an account as a Web3 keystore, at a cost that no one should use, so that the test is quick. */
async function keepAccount(file: string, privateKey: string, passphrase: string): Promise<string> {
  const account = { address: new Wallet(privateKey).address, privateKey };
  const json = encryptKeystoreJsonSync(account, passphrase, { scrypt: { N: 2 } });
  await writeFile(file, json, { mode: 0o600 });
  return file;
}

const at = (name: string) => join(place.root, name);

describe('a key', () => {
  it('of each algorithm is made, registered and used, and its receipts match', async () => {
    const deployment = await readDeployment(place.network);
    const names = algorithms.map(({ name }) => name);
    // One account sends these transactions, one after another.
    for (const alg of names)
      await registerKey(chain.admin, place.network, await makeKey(at(alg), placeAgency, alg, deployment));

    const client = new LedgerClient(await serve());
    const receipts = await Promise.all(
      names.map(async (alg: Algorithm) => {
        // An RSA key is good for two algorithms, so its user says which.
        const signer = await readSigner(at(alg), /^[RP]S/.test(alg) ? alg : undefined);
        const statement = await place.statement(freshEvent(), signer);
        expect(parseStatement(statement).alg).toBe(alg);
        const submitted = await client.submit(statement, signer.key, { waitS: 30 });
        expect(submitted.isNew).toBe(true);
        await writeFile(at(`${alg}.receipt.json`), receiptFile(await client.complete(submitted.receipt)));
        return at(`${alg}.receipt.json`);
      }),
    );
    const trust = join(place.network, 'trust.json');
    const verified = await zegelJson(['verify', ...receipts, '--trust', trust]);
    expect(verified.map(({ verdict, facts }) => [verdict, facts.algorithm])).toEqual(
      names.map(alg => ['matches', alg]),
    );
  });

  it('goes the same way by the command line, with every key under a passphrase', async () => {
    const passphrase = 'correct horse';
    const env = {
      ZEGEL_RPC_URL: chain.url,
      ZEGEL_DEPLOYMENT: place.network,
      ZEGEL_ORIGIN: place.config.origin,
      ZEGEL_ADMIN_KEY_FILE: at('admin'),
      ZEGEL_PASSPHRASE_FILE: at('passphrase'),
    };
    await keepAccount(env.ZEGEL_ADMIN_KEY_FILE, fundedKeys[0], passphrase);
    await writeFile(env.ZEGEL_PASSPHRASE_FILE, `${passphrase}\n`, { mode: 0o600 });
    await writeFile(at('event'), anEvent());

    const [made] = await zegelJson(
      ['key', 'generate', at('desk'), '--agency', placeAgency, '--alg', 'PS256'],
      env,
    );
    expect(await zegelJson(['key', 'add', made.request], env)).toMatchObject([
      { kid: made.kid, isNew: true },
    ]);
    const anchorKey = await readAccountKey(place.config.anchorKeyFile);
    const anchorKeyFile = await keepAccount(at('anchor.json'), anchorKey, passphrase);
    const url = await serve({ anchorKeyFile, passphraseFile: env.ZEGEL_PASSPHRASE_FILE });
    const key = ['--key', at('desk'), '--alg', 'PS256'];
    await zegelJson(['sign', at('event'), ...key, '--out', at('event.jws')], env);
    const args = ['submit', at('event.jws'), ...key, '--url', url, '--out', at('receipt.json')];
    expect(await zegelJson([...args, '--wait', '30'], env)).toMatchObject([{ status: 201, anchored: true }]);
  });
});
