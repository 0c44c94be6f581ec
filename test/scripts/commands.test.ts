/** What the administrator's commands do a second time, and how each says no: by its exit code and a sentence that helps. */

import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wallet, ZeroAddress } from 'ethers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseBase64url, parseUtf8, utf8 } from '../../merkle/bytes.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import { parseBatchPayload, parseStatement } from '../../merkle/statement.ts';
import { parseTrust } from '../../merkle/trust.ts';
import { contractOf, transact } from '../../scripts/administration.ts';
import { registerAgency, renameAgency } from '../../scripts/agency.ts';
import { deployNetwork } from '../../scripts/deploy.ts';
import { initLog, type LogFacts } from '../../scripts/init.ts';
import { type KeyRequest, makeKey, registerKey } from '../../scripts/key.ts';
import { openLog } from '../../scripts/log.ts';
import { type Retirement, retireKey } from '../../scripts/retire.ts';
import { encodeAgency } from '../../service/abi.ts';
import { batchOf } from '../../service/client/batch.ts';
import { generateKey } from '../../service/client/signer.ts';
import { readConfig } from '../../service/config.ts';
import { type Deployment, readDeployment, writeDeployment } from '../../service/deployment.ts';
import { createPrivateKeyFile } from '../../service/keyfiles.ts';
import { anEvent } from '../helpers/builders.ts';
import { fundedKeys, startAnvil, startHardhat, type TestChain } from '../helpers/chain.ts';
import { type Ran, runZegel } from '../helpers/cli.ts';

const rules = { consensus: 'none', validators: [] } as const;
const agency = { id: 'OVO002949', name: 'Departement Voorbeeld', controller: ZeroAddress };
const anchorer = new Wallet(fundedKeys[1]).address;
const stranger = new Wallet(fundedKeys[2]);

let chain: TestChain;
let root: string;
/** The network's folder, deployed and with nothing in it, and the deployment as it was then. */
let network: string;
let deployment: Deployment;
beforeAll(async () => {
  chain = await startHardhat();
  root = await mkdtemp(join(tmpdir(), 'zegel-commands-'));
  await writeFile(join(root, 'admin'), `${fundedKeys[0]}\n`, { mode: 0o600 });
  await writeFile(join(root, 'stranger'), `${fundedKeys[2]}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await chain.stop();
  await rm(root, { recursive: true });
});

let worlds = 0;
beforeEach(async () => {
  network = join(root, `network-${worlds++}`);
  deployment = await deployNetwork(chain.admin, network, rules);
});

/** A data folder with a new log in it. */
function aNewLog(origin = `ledger.test/commands-${worlds}`): Promise<LogFacts> {
  const flags = { data: join(root, `data-${worlds++}`), origin, network };
  return initLog(readConfig({}, flags, ['dataFolder', 'origin', 'deploymentFolder']));
}

const aKey = (): Promise<KeyRequest> =>
  makeKey(join(root, `key-${worlds++}`), agency.id, 'ES256', deployment);
const trust = async () => parseTrust(await readFile(join(network, 'trust.json')));

/** Puts the folder back to where it was before the transaction: what a crash in between leaves behind. */
const forget = () => writeDeployment(network, deployment, Date.now());

describe('log open', () => {
  it('finishes what a crash after the transaction has left', async () => {
    const facts = await aNewLog();
    expect(await openLog(chain.admin, network, facts, anchorer)).toEqual({ isNew: true });
    await forget();
    await rm(join(network, 'trust.json'));

    expect(await openLog(chain.admin, network, facts, anchorer)).toEqual({ isNew: false });
    expect((await readDeployment(network)).logs).toMatchObject([{ origin: facts.origin }]);
    expect((await trust()).logs).toMatchObject([{ origin: facts.origin }]);
  });

  it('changes nothing when all is there', async () => {
    const facts = await aNewLog();
    await openLog(chain.admin, network, facts, anchorer);
    const before = await trust();
    expect(await openLog(chain.admin, network, facts, anchorer)).toEqual({ isNew: false });
    expect(await trust()).toEqual(before);
  });

  it('refuses the origin of another data folder', async () => {
    const [first, second] = [await aNewLog('ledger.test/taken'), await aNewLog('ledger.test/taken')];
    await openLog(chain.admin, network, first, anchorer);
    await expect(openLog(chain.admin, network, second, anchorer)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/an origin is never used twice, make a log under another one$/),
    });
    expect((await readDeployment(network)).logs).toHaveLength(1);
  });

  it('says for which anchor key a log was opened before, and keeps the log', async () => {
    const facts = await aNewLog();
    await openLog(chain.admin, network, facts, anchorer);
    await forget();
    await expect(openLog(chain.admin, network, facts, stranger.address)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(`for the anchor key ${anchorer}, not ${stranger.address}`),
    });
    expect((await trust()).logs).toHaveLength(1);
  });
});

describe('agency add', () => {
  it('finishes what a crash after the transaction has left', async () => {
    expect(await registerAgency(chain.admin, network, agency)).toEqual({ isNew: true });
    await forget();
    expect(await registerAgency(chain.admin, network, agency)).toEqual({ isNew: false });
    expect((await readDeployment(network)).agencies).toEqual({ [agency.id]: agency.name });
  });

  it('shows the name that the registry has, whatever it is told', async () => {
    await registerAgency(chain.admin, network, agency);
    await forget();
    await expect(registerAgency(chain.admin, network, { ...agency, name: 'Other' })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(`registered before, as "${agency.name}"`),
    });
    expect((await readDeployment(network)).agencies).toEqual({ [agency.id]: agency.name });
  });
});

describe('key add', () => {
  it('finds the key there the second time', async () => {
    await registerAgency(chain.admin, network, agency);
    const request = await aKey();
    expect(await registerKey(chain.admin, network, request)).toEqual({ isNew: true });
    expect(await registerKey(chain.admin, network, request)).toEqual({ isNew: false });
  });

  it('says with which validity a key was registered before', async () => {
    await registerAgency(chain.admin, network, agency);
    const request = await aKey();
    const validFrom = Math.floor(Date.parse('2100-01-01T00:00:00Z') / 1000);
    await registerKey(chain.admin, network, request, { validFrom });
    await expect(
      registerKey(chain.admin, network, request, { validUntil: validFrom + 1 }),
    ).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('valid from 2100-01-01T00:00:00Z until further notice'),
    });
  });

  it('refuses a proof of possession that was made for another agency', async () => {
    await registerAgency(chain.admin, network, agency);
    const request = { ...(await aKey()), agency: 'OVO000001' };
    await expect(registerKey(chain.admin, network, request)).rejects.toMatchObject({ name: 'ProofError' });
    const keys = await contractOf('KeyRegistry', deployment, chain.admin);
    expect((await keys.getFunction('keyOf')(thumbprint(request.key))).algorithm).toBe(0n);
  });
});

describe('agency rename', () => {
  it('changes the name and the trust file once, and finishes what a crash has left', async () => {
    await openLog(chain.admin, network, await aNewLog(), anchorer);
    await registerAgency(chain.admin, network, agency);
    const before = await trust();
    const named = { id: agency.id, name: 'Agentschap Voorbeeld' };
    expect(await renameAgency(chain.admin, network, named)).toEqual({ isNew: true });
    const after = await trust();
    expect(after).toMatchObject({ sequence: before.sequence + 1 });
    expect(after.agencies).toEqual(new Map([[named.id, named.name]]));

    await writeDeployment(network, { ...(await readDeployment(network)), agencies: {} }, Date.now());
    expect(await renameAgency(chain.admin, network, named)).toEqual({ isNew: false });
    expect((await readDeployment(network)).agencies).toEqual({ [named.id]: named.name });
  });

  it.each([
    ['OVO000001', 'Other', 'OVO000001 is not registered: register it with zegel agency add'],
    [agency.id, '', 'the name is empty, and an agency has a name'],
  ])('refuses %s as "%s", and leaves the folder alone', async (id, name, message) => {
    await registerAgency(chain.admin, network, agency);
    await expect(renameAgency(chain.admin, network, { id, name })).rejects.toMatchObject({
      exitCode: 1,
      message,
    });
    expect((await readDeployment(network)).agencies).toEqual({ [agency.id]: agency.name });
  });
});

describe('key retire', () => {
  const aRegisteredKey = async (): Promise<Uint8Array> => {
    await registerAgency(chain.admin, network, agency);
    const request = await aKey();
    await registerKey(chain.admin, network, request);
    return thumbprint(request.key);
  };
  const retire = (keyId: Uint8Array, more: Partial<Retirement> = {}, by = chain.admin) =>
    retireKey(by, network, keyId, { reason: 0, suspectSince: 0, ...more });
  const latest = async () => (await chain.admin.provider?.getBlock('latest'))?.timestamp ?? 0;

  it('ends a key as soon as the notice allows, and finds that done the second time', async () => {
    const keyId = await aRegisteredKey();
    const first = await retire(keyId);
    expect(first).toMatchObject({ agency: agency.id, isNew: true });
    expect(first.validUntil - (await latest())).toBeGreaterThanOrEqual(120);
    // Half a minute more than the notice, and the seconds by which this chain's clock is behind.
    expect(first.validUntil - (await latest())).toBeLessThanOrEqual(160);
    expect(await retire(keyId)).toEqual({ ...first, isNew: false });
    expect(await retire(keyId, { validUntil: first.validUntil })).toEqual({ ...first, isNew: false });
  });

  it('records why, and since when the key is suspect', async () => {
    const keyId = await aRegisteredKey();
    await retire(keyId, { validUntil: 4_000_000_000, reason: 1, suspectSince: 1_700_000_000 });
    const keys = await contractOf('KeyRegistry', deployment, chain.admin);
    const [event] = await keys.queryFilter('KeyRetired', deployment.contracts.KeyRegistry.block);
    expect(event && keys.interface.parseLog(event)?.args.toArray().slice(2)).toEqual([
      4_000_000_000n,
      1n,
      1_700_000_000n,
    ]);
    await expect(retire(keyId, { validUntil: 4_000_000_000, reason: 4 })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /ends at 2096-10-02T07:06:40Z already, for keyCompromise, as was said then: only an earlier end can be set$/,
      ),
    });
  });

  it('says why an end cannot be set', async () => {
    const keyId = await aRegisteredKey();
    await expect(retire(keyId, { validUntil: (await latest()) + 60 })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /^\S+Z is too soon: an end is announced 120 s before, so now it can be \S+Z at the earliest/,
      ),
    });
    await retire(keyId, { validUntil: 4_000_000_000 });
    await expect(retire(keyId, { validUntil: 4_000_000_001 })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /ends at 2096-10-02T07:06:40Z already: an end can only be brought forward, not moved back to 2096-10-02T07:06:41Z$/,
      ),
    });
  });

  it('is for the registrar and for the controller of the very agency', async () => {
    const keyId = await aRegisteredKey();
    const other = new Wallet(fundedKeys[2], chain.admin.provider);
    await expect(retire(keyId, {}, other)).rejects.toMatchObject({
      exitCode: 1,
      message: `${other.address} may not retire keys of ${agency.id}: it is neither the registrar's account nor that of the agency's controller`,
    });
    const keys = await contractOf('KeyRegistry', deployment, chain.admin);
    await transact(keys, 'setController', [encodeAgency(agency.id), other.address]);
    expect(await retire(keyId, {}, other)).toMatchObject({ isNew: true });
  });

  it('knows no key that was never registered', async () => {
    await expect(retire(new Uint8Array(32).fill(7))).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^no key BwcHB\S+ was ever registered$/),
    });
  });
});

describe('deploy', () => {
  it('does not write over a deployment whose contracts stand on the chain', async () => {
    await registerAgency(chain.admin, network, agency);
    await expect(deployNetwork(chain.admin, network, rules)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('name another network'),
    });
    expect((await readDeployment(network)).agencies).toEqual({ [agency.id]: agency.name });
  });

  it('takes the place of one whose chain was started anew', async () => {
    const another = await startAnvil('--chain-id', '31337');
    try {
      await deployNetwork(another.admin, network, rules);
      expect((await readDeployment(network)).genesisHash).not.toEqual(deployment.genesisHash);
    } finally {
      await another.stop();
    }
  });
});

describe('sign --batch', () => {
  it('writes a batch whose events are the bytes of the file, and names the lines that cannot be sent', async () => {
    const file = (name: string) => join(root, name);
    await createPrivateKeyFile(file('batch-key'), generateKey('Ed25519'));
    const lines = [anEvent({ id: 'a' }), anEvent({ id: 'b' })].map(event => parseUtf8(event));
    await writeFile(file('events'), lines.join('\n'));
    const args = ['sign', '--batch', '--key', file('batch-key'), '--origin', 'ledger.test/1', '--json'];
    const { code, out } = await runZegel([...args, file('events'), '--out', file('batch')]);
    expect({ code, ...JSON.parse(out) }).toMatchObject({ code: 0, size: 2, out: file('batch') });
    expect((await stat(file('batch'))).mode & 0o777).toBe(0o600);
    const [first = '', ...events] = (await readFile(file('batch'), 'utf8')).split('\n');
    expect(events).toEqual([...lines, '']);
    const secret = parseBase64url(JSON.parse(first).secret);
    const { payload } = parseStatement(JSON.parse(first).statement);
    const { root: wanted } = batchOf(
      lines.map(line => utf8(line)),
      secret,
    );
    expect(parseBatchPayload(payload)).toEqual({ root: wanted, size: 2 });

    await writeFile(file('events'), `${lines[0]}\n{"id":\n\n`);
    const bad = await runZegel([...args, file('events'), '--out', file('bad')]);
    expect(bad.code).toBe(2);
    expect(bad.err).toMatch(/^zegel: line 2: .*; line 3: /);
  });
});

/** Each a process of its own, which costs a second: what only a whole command line shows. */
describe('a command that cannot do what it is told', () => {
  const file = (name: string) => join(root, name);
  const refused = ({ code, out, err }: Ran, exitCode: number, message: string | RegExp) => {
    expect(err).toMatch(message);
    expect({ code, out }).toEqual({ code: exitCode, out: '' });
    // A sentence for people, not a stack.
    expect(err).not.toMatch(/\bat .*\.ts:\d/);
  };
  const onChain = (more: Readonly<Record<string, string>> = {}) => ({
    ZEGEL_RPC_URL: chain.url,
    ZEGEL_DEPLOYMENT: network,
    ZEGEL_ADMIN_KEY_FILE: file('admin'),
    ...more,
  });

  it('exits with 2 when settings are missing, malformed or unknown, and names each', async () => {
    const env = { ZEGEL_RPC_URL: 'node:8545', ZEGEL_DATE: '/x', ZEGEL_JOURNAL: '/y' };
    const ran = await runZegel(['log', 'open'], env);
    refused(ran, 2, /^zegel: ZEGEL_ADMIN_KEY_FILE is missing: set it \(or --admin-key-file\) to the key/m);
    for (const part of [
      'ZEGEL_DATA is missing',
      'ZEGEL_DATE is not a setting',
      'ZEGEL_JOURNAL is reserved',
      'ZEGEL_RPC_URL is not an http',
    ])
      expect(ran.err).toContain(part);
  });

  it('exits with 3 when the node is down', async () => {
    const env = onChain({ ZEGEL_RPC_URL: 'http://127.0.0.1:9' });
    refused(
      await runZegel(['log', 'status'], env),
      3,
      /^zegel: the chain at 127\.0\.0\.1:9 does not answer: start its node/,
    );
  });

  it('exits with 2 on the wrong network', async () => {
    const another = await startAnvil('--chain-id', '2026');
    try {
      const ran = await runZegel(['key', 'list'], onChain({ ZEGEL_RPC_URL: another.url }));
      refused(ran, 2, /the node is on chain 2026, .* is for chain 31337/);
    } finally {
      await another.stop();
    }
  });

  it('exits with 2 on a chain that was started anew', async () => {
    const elsewhere = { ...deployment, contracts: { ...deployment.contracts } };
    elsewhere.contracts.KeyRegistry = {
      ...deployment.contracts.KeyRegistry,
      address: new Uint8Array(20).fill(9),
    };
    await writeDeployment(network, elsewhere, Date.now());
    refused(
      await runZegel(['key', 'list'], onChain()),
      2,
      /does not have KeyRegistry.*: it was reset, deploy again/,
    );
  });

  it('exits with 2 when an origin is used twice', async () => {
    const facts = await aNewLog();
    await openLog(chain.admin, network, facts, anchorer);
    const env = { ZEGEL_DATA: file('twice'), ZEGEL_DEPLOYMENT: network, ZEGEL_ORIGIN: facts.origin };
    refused(await runZegel(['init'], env), 2, /is the origin of another log: an origin is never used twice/);
  });

  it('exits with 2 when others can read a private key', async () => {
    await writeFile(file('open'), `${fundedKeys[0]}\n`);
    await chmod(file('open'), 0o644);
    const ran = await runZegel(
      ['agency', 'add', 'OVO1', 'x'],
      onChain({ ZEGEL_ADMIN_KEY_FILE: file('open') }),
    );
    refused(ran, 2, /has mode 0644, so other users can reach the private key: run chmod 600/);
  });

  it('exits with 2 for an RSA key without its algorithm', async () => {
    await createPrivateKeyFile(file('rsa'), generateKey('RS256'));
    await writeFile(file('event.json'), anEvent());
    const args = ['sign', file('event.json'), '--key', file('rsa'), '--origin', 'ledger.test/1'];
    refused(await runZegel(args), 2, /is an RSA key: add --alg RS256 or --alg PS256/);
  });

  it('exits with 2 for a retirement that says not who, which key or why in the known words', async () => {
    const env = { ZEGEL_RPC_URL: chain.url, ZEGEL_DEPLOYMENT: network };
    const kid = 'A'.repeat(43);
    refused(await runZegel(['key', 'retire', kid], env), 2, /the agency with --controller-key-file/);
    refused(await runZegel(['key', 'retire', 'AAAA'], env), 2, /"AAAA" is not a key's kid: zegel key list/);
    const onHold = await runZegel(['key', 'retire', kid, '--reason', '6'], env);
    refused(onHold, 2, /"6" is not a reason for which a key ends: give one of unspecified, keyCompromise/);
  });

  it('exits with 2 for an encrypted key without its passphrase, or with another', async () => {
    await writeFile(file('passphrase'), 'correct horse\n', { mode: 0o600 });
    await writeFile(file('wrong'), 'wrong horse\n', { mode: 0o600 });
    await createPrivateKeyFile(file('locked'), generateKey('ES256'), file('passphrase'));
    await writeFile(file('locked.json'), anEvent());
    const args = ['sign', file('locked.json'), '--key', file('locked'), '--origin', 'ledger.test/1'];
    refused(
      await runZegel(args),
      2,
      /locked is encrypted: set ZEGEL_PASSPHRASE_FILE \(or --passphrase-file\)/,
    );
    const ran = await runZegel([...args, '--passphrase-file', file('wrong')]);
    refused(ran, 2, /^zegel: the passphrase in \S+wrong does not open \S+locked: it is another one's/);
  });

  it("exits with 1 when a contract refuses, with the error's name and facts", async () => {
    const env = onChain({ ZEGEL_ADMIN_KEY_FILE: file('stranger') });
    const ran = await runZegel(['agency', 'add', agency.id, agency.name, '--json'], env);
    refused(ran, 1, `registerAgency was refused: AccessManagedUnauthorized(${stranger.address})`);
  });

  it('lets no stranger speak to the terminal', async () => {
    const evil = { ...agency, name: 'Agentschap\u001b[2J\u202e\nOVO000001  Ander' };
    await registerAgency(chain.admin, network, evil);
    const { code, out } = await runZegel(['agency', 'list'], onChain());
    expect({ code, out }).toEqual({
      code: 0,
      out: `${agency.id}  Agentschap\ufffd[2J\ufffd\ufffdOVO000001  Ander\n`,
    });
  });

  it('exits with 2 for a mistake on the command line', async () => {
    refused(await runZegel(['key', 'ad']), 2, /unknown command/);
  });
});

describe('with --json', () => {
  it('commands print what they did, for machines', async () => {
    const env = {
      ZEGEL_RPC_URL: chain.url,
      ZEGEL_DEPLOYMENT: network,
      ZEGEL_ADMIN_KEY_FILE: join(root, 'admin'),
    };
    const args = ['agency', 'add', agency.id, agency.name, '--json'];
    const printed = async () => JSON.parse((await runZegel(args, env)).out);
    const facts = { agency: agency.id, name: agency.name, controller: ZeroAddress };
    expect(await printed()).toEqual({ ...facts, isNew: true });
    expect(await printed()).toEqual({ ...facts, isNew: false });
    const { code, out } = await runZegel(['agency', 'list', '--json'], env);
    expect({ code, out }).toEqual({
      code: 0,
      out: `${JSON.stringify({ agency: agency.id, name: agency.name })}\n`,
    });
  });
});
