/** `zegel key`: makes an agency's keys, registers them, and lists them; `retire.ts` ends them. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { hexlify, Wallet } from 'ethers';
import { formatBase64url, formatHex, formatHex0x, parseHex0x, utf8 } from '../merkle/bytes.ts';
import { noEnd } from '../merkle/evidence.ts';
import { parseAgency } from '../merkle/genesis.ts';
import { JsonReader, parseJson } from '../merkle/json.ts';
import { canonicalJwk, type Jwk, readJwk, thumbprint } from '../merkle/jwk.ts';
import { verifyKeyProof } from '../merkle/keyproof.ts';
import { type Algorithm, algorithmName, algorithmNumber, verifyPublicKey } from '../merkle/signature.ts';
import { encodeAgency } from '../service/abi.ts';
import { generateKey, keySigner, signKeyProof } from '../service/client/signer.ts';
import { type Deployment, readDeployment } from '../service/deployment.ts';
import { createAccountKey, createPrivateKeyFile } from '../service/keyfiles.ts';
import { contractOf, deploymentOn, transact, withAdmin, withChain } from './administration.ts';
import { agencyText } from './agency.ts';
import { addCommand, CommandError, type ExitCode, readInput } from './command.ts';
import { addRetire } from './retire.ts';
import { parseAlgorithm } from './sign.ts';
import { formatSeconds, parseTime } from './times.ts';

export function addKey(program: Command): void {
  const key = program
    .command('key')
    .description("make keys, register an agency's keys, retire and list them");
  addGenerate(key);
  addAdd(key);
  addRetire(key);
  addList(key);
}

function addGenerate(parent: Command): void {
  addCommand(
    parent,
    'generate <file>',
    'make a key: <file> is private (mode 0600, encrypted if a passphrase is given), <file>.json is what the registrar gets; or with --account a key for the chain',
    { uses: ['deploymentFolder', 'passphraseFile'] },
    async ({ config, output }, [file = ''], flags) => {
      const { passphraseFile } = config;
      await mkdir(dirname(file), { recursive: true });
      if (flags['account'] === true) {
        const address = new Wallet(await createAccountKey(file, passphraseFile)).address.toLowerCase();
        output.result(`${file}: account ${address}`, { file, address });
        return 0;
      }
      if (flags['agency'] === undefined || config.deploymentFolder === undefined) {
        throw new CommandError(
          2,
          'name the agency with --agency and the network with --network: the key proves possession for both',
        );
      }
      const deployment = await readDeployment(config.deploymentFolder);
      const agency = parseAgency(String(flags['agency']));
      const alg = parseAlgorithm(String(flags['alg']));
      const { key } = await makeKey(file, agency, alg, deployment, passphraseFile);
      const kid = formatBase64url(thumbprint(key));
      output.result(
        [`${file}: private key (${alg}), keep it`, `${file}.json: for the registrar, kid ${kid}`],
        {
          file,
          request: `${file}.json`,
          agency,
          alg,
          kid,
        },
      );
      return 0;
    },
  )
    .option('--agency <id>', 'the agency that the key is for')
    .option('--alg <name>', 'ES256, ES384, ES256K, RS256, PS256 or Ed25519', 'ES256')
    .option('--account', 'an account on the chain instead: for deploying, registering and anchoring');
}

/** Makes a private key in a file of its own, and beside it what the registrar gets. */
export async function makeKey(
  file: string,
  agency: string,
  alg: Algorithm,
  deployment: Deployment,
  passphraseFile?: string,
): Promise<KeyRequest> {
  const privateKey = generateKey(alg);
  const signer = keySigner(privateKey, alg);
  const proof = await signKeyProof(claimFor(agency, deployment), signer);
  await createPrivateKeyFile(file, privateKey, passphraseFile);
  const request = { agency, alg, key: signer.key, proof };
  await writeFile(`${file}.json`, formatRequest(request), { flag: 'wx' });
  return request;
}

/** What an agency hands to the registrar: a public key with its proof of possession. */
export type KeyRequest = {
  readonly agency: string;
  readonly alg: Algorithm;
  readonly key: Jwk;
  readonly proof: string;
};

function formatRequest({ agency, alg, key, proof }: KeyRequest): string {
  return `${JSON.stringify({ agency, alg, key: JSON.parse(canonicalJwk(key)), proof }, null, 2)}\n`;
}

function parseRequest(bytes: Uint8Array): KeyRequest {
  const reader = new JsonReader();
  const members = reader.object(parseJson(bytes), '', ['agency', 'alg', 'key', 'proof']);
  const agency = reader.parse(
    'agency',
    () => parseAgency(reader.string(members.get('agency'), 'agency')),
    '',
  );
  const alg = reader.string(members.get('alg'), 'alg');
  const key = readJwk(reader, members.get('key'), 'key');
  const proof = reader.string(members.get('proof'), 'proof');
  return reader.finish({ agency, alg: parseAlgorithm(alg), key, proof });
}

function claimFor(agency: string, { chainId, contracts }: Deployment) {
  return { agency, chainId, registry: contracts.KeyRegistry.address };
}

function addAdd(parent: Command): void {
  addCommand(
    parent,
    'add <request>',
    "register an agency's key from the file that it handed over, after checking its proof of possession",
    { needs: ['deploymentFolder', 'rpcUrl', 'adminKeyFile'], uses: ['passphraseFile'] },
    async ({ config, output }, [file = ''], flags) => {
      const request = parseRequest(await readInput(file));
      const { agency, alg, key } = request;
      const validFrom = parseTime(flags['validFrom']);
      const validUntil = parseTime(flags['validUntil']);
      const { isNew } = await withAdmin(config, admin =>
        registerKey(admin, config.deploymentFolder, request, { validFrom, validUntil }),
      );
      const kid = formatBase64url(thumbprint(key));
      const what = `${alg} key ${kid} of ${agency}`;
      output.result(isNew ? `registered ${what}` : `${what} was registered before`, {
        agency,
        alg,
        kid,
        keyId: formatHex(thumbprint(key)),
        isNew,
      });
      return 0;
    },
  )
    .option('--valid-from <time>', 'from when, such as 2027-01-01T00:00:00Z (default: from now on)')
    .option('--valid-until <time>', 'until when (default: without an end)');
}

/**
 * Registers a key, or finds that this agency has registered it before. Times in seconds: from now on and without an end, where
 * none is given.
 *
 * @throws {ProofError} if the key or its proof is not good
 * @throws {CommandError} if the registry refuses, or has the key with another validity
 */
export async function registerKey(
  admin: Wallet,
  folder: string,
  { agency, alg, key, proof }: KeyRequest,
  { validFrom, validUntil }: { validFrom?: number | undefined; validUntil?: number | undefined } = {},
): Promise<{ readonly isNew: boolean }> {
  const deployment = await deploymentOn(admin, folder);
  verifyPublicKey(key);
  await verifyKeyProof(proof, { ...claimFor(agency, deployment), jwk: key, algorithm: alg });
  const registry = await contractOf('KeyRegistry', deployment, admin);
  const found = await registry.getFunction('keyOf')(thumbprint(key));
  const wasAdded = found.agency === encodeAgency(agency) && Number(found.algorithm) === algorithmNumber(alg);
  if (!wasAdded) {
    const jwk = hexlify(utf8(canonicalJwk(key)));
    const validity = [validFrom ?? 0, validUntil ?? noEnd];
    const args = [encodeAgency(agency), algorithmNumber(alg), jwk, ...validity, hexlify(utf8(proof))];
    await transact(registry, 'addKey', args);
    return { isNew: true };
  }
  const from = Number(found.validFrom);
  const until = Number(found.validUntil);
  if (from !== (validFrom ?? from) || until !== (validUntil ?? until)) {
    const why = `the key was registered before, valid from ${formatSeconds(from)} until ${formatSeconds(until)}`;
    throw new CommandError(1, `${why}: a validity can only be ended, not set anew`);
  }
  return { isNew: false };
}

function addList(parent: Command): void {
  addCommand(
    parent,
    'list',
    'list the keys as the key registry has them',
    { needs: ['deploymentFolder', 'rpcUrl'] },
    async ({ config, output }) =>
      withChain(config.rpcUrl, async (provider): Promise<ExitCode> => {
        const deployment = await deploymentOn(provider, config.deploymentFolder);
        const registry = await contractOf('KeyRegistry', deployment, provider);
        for (const log of await registry.queryFilter('KeyAdded', deployment.contracts.KeyRegistry.block)) {
          const keyId = parseHex0x(registry.interface.parseLog(log)?.args['keyId'], 32);
          const key = await registry.getFunction('keyOf')(formatHex0x(keyId));
          const agency = agencyText(key.agency);
          const alg = algorithmName(Number(key.algorithm));
          const kid = formatBase64url(keyId);
          const [from, until] = [Number(key.validFrom), Number(key.validUntil)];
          const validity = `valid from ${formatSeconds(from)} until ${formatSeconds(until)}`;
          output.result(`${agency}  ${alg.padEnd(7)}  ${kid}  ${validity}`, {
            agency,
            alg,
            kid,
            keyId: formatHex(keyId),
            validFrom: from,
            validUntil: until,
          });
        }
        return 0;
      }),
  );
}
