/**
 * `npm start`: the whole ledger on one machine, once through, and then serving.
 *
 * Nothing in it is a stand-in: it deploys the contracts, opens a log, registers agencies with keys, runs the service, submits
 * signed events over HTTP, waits for the anchor, verifies a receipt with the trust file alone, and audits log and chain from outside.
 * `--once` ends there.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Wallet, ZeroAddress } from 'ethers';
import { formatHex, utf8 } from '../merkle/bytes.ts';
import type { Algorithm } from '../merkle/signature.ts';
import { fingerprint, parseTrust } from '../merkle/trust.ts';
import { judgeReceipt } from '../merkle/verification.ts';
import { LedgerClient, receiptFile } from '../service/client/client.ts';
import { signStatement } from '../service/client/signer.ts';
import { type ConfigWith, readConfig, serviceNeeds } from '../service/config.ts';
import { createAccountKey } from '../service/keyfiles.ts';
import { startService } from '../service/main.ts';
import { connect } from './administration.ts';
import { registerAgency } from './agency.ts';
import { auditReport } from './auditing.ts';
import { buildPage } from './bundle.ts';
import { freePort, startDemoChain } from './demo-chain.ts';
import { type DemoPlace, takeDemoPlace } from './demo-place.ts';
import { deployNetwork } from './deploy.ts';
import { initLog } from './init.ts';
import { makeKey, registerKey } from './key.ts';
import { openLog } from './log.ts';
import { sampleEvents } from './samples.ts';
import { stopSignal } from './serve.ts';
import { readSigner } from './sign.ts';

/** Two agencies that submit, and the operator, with an algorithm each. Their codes are invented. */
const agencies = {
  grants: { id: 'OVO900001', name: 'Agentschap Voorbeeldpremies', alg: 'ES256' },
  works: { id: 'OVO900002', name: 'Departement Voorbeeldwerken', alg: 'Ed25519' },
  operator: { id: 'OVO900000', name: 'Beheerder Voorbeeldregister', alg: 'ES256' },
} as const satisfies Readonly<Record<string, { id: string; name: string; alg: Algorithm }>>;

const say = (line = ''): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
  // What must be undone, newest first, whatever happens in between.
  const undo: (() => Promise<void>)[] = [];
  const stopped = stopSignal();
  try {
    const finished = run(undo).then(() => 'finished' as const);
    if ((await Promise.race([finished, stopped])) === 'finished' && !values.once) await stopped;
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

async function run(undo: (() => Promise<void>)[]): Promise<void> {
  const place = await takeDemoPlace();
  undo.push(place.release);
  const config = readConfig(process.env);
  const chain = await startDemoChain(await freePort(8545, false));
  undo.push(chain.stop);
  say(`chain       ${chain.url} (Hardhat, embedded)`);

  const settings = await prepare(place, chain, config.port);
  await buildPage();
  const service = await startService(settings);
  undo.push(service.stop);
  say(`service     ${service.url}`);
  say();

  const receipts = await submitSamples(place, settings.origin, service.url);
  const leafHashes = await verifyOffline(place, receipts);
  await auditFromOutside(place, chain.url, service.url);
  printNext(place, service.url, chain.url, receipts, leafHashes);
}

type DemoConfig = ConfigWith<(typeof serviceNeeds)[number] | 'origin'>;

/** Keys, contracts, a log and agencies: what `zegel deploy`, `init`, `log open`, `agency add` and `key add` do. */
async function prepare(
  place: DemoPlace,
  chain: Awaited<ReturnType<typeof startDemoChain>>,
  port: number,
): Promise<DemoConfig> {
  const keyFile = (name: string) => join(place.folder, 'keys', name);
  const provider = await connect(chain.url);
  const admin = new Wallet(await createAccountKey(keyFile('admin')), provider);
  const anchorer = new Wallet(await createAccountKey(keyFile('anchor')));
  for (const { address } of [admin, anchorer]) await chain.fund(address);
  const origin = `demo.zegel.example/${admin.address.slice(2, 14).toLowerCase()}`;

  const deployment = await deployNetwork(admin, place.deployment, { consensus: 'none', validators: [] });
  for (const { name, address } of Object.values(deployment.contracts))
    say(`deployed    ${name} at 0x${formatHex(address)}`);

  const explicit = process.env['ZEGEL_PORT'] !== undefined;
  const settings: DemoConfig = readConfig(
    {},
    {
      data: join(place.folder, 'data'),
      origin,
      rpc: chain.url,
      network: place.deployment,
      port: String(await freePort(port, explicit)),
      'anchor-key-file': keyFile('anchor'),
      'service-key-file': keyFile('operator'),
      'anchor-interval-ms': '1000',
      'log-level': 'warn',
    },
    [...serviceNeeds, 'origin'],
  );
  const facts = await initLog(settings);
  await openLog(admin, place.deployment, facts, anchorer.address);
  say(`log         ${origin}`);

  for (const [name, { id, name: fullName, alg }] of Object.entries(agencies)) {
    await registerAgency(admin, place.deployment, { id, name: fullName, controller: ZeroAddress });
    await registerKey(admin, place.deployment, await makeKey(keyFile(name), id, alg, deployment));
    say(`agency      ${id} ${fullName}, key ${alg}`);
  }
  provider.destroy();
  return settings;
}

/** Signs and submits the samples, waits for the anchor, and keeps a complete receipt of each. */
async function submitSamples(place: DemoPlace, origin: string, url: string): Promise<readonly string[]> {
  const client = new LedgerClient(url);
  for (const folder of ['events', 'receipts']) await mkdir(join(place.folder, folder));
  const samples = sampleEvents(new Date().toISOString(), Date.now().toString(36));
  const submitted = await Promise.all(
    samples.map(async ({ by, name, event }) => {
      const text = JSON.stringify(event, null, 2);
      await writeFile(join(place.folder, 'events', `${name}.json`), text);
      const signer = await readSigner(join(place.folder, 'keys', by), undefined);
      const statement = await signStatement(utf8(text), origin, signer);
      return { by, name, ...(await client.submit(statement, signer.key, { waitS: 30 })) };
    }),
  );
  const files: string[] = [];
  for (const { by, name, receipt, leafHash } of submitted) {
    const complete = await client.complete(receipt);
    if (complete.evidence === null) throw new Error(`${name} was not anchored within 30 seconds`);
    const file = join(place.folder, 'receipts', `${name}.json`);
    await writeFile(file, receiptFile(complete));
    say(
      `recorded    ${name.padEnd(19)} by ${agencies[by].id}  leaf ${formatHex(leafHash).slice(0, 16)}…  ${file}`,
    );
    files.push(file);
  }
  return files;
}

/** What a citizen does: the receipt, the trust file, and no connection. Gives the leaf hashes. */
async function verifyOffline(place: DemoPlace, receipts: readonly string[]): Promise<readonly string[]> {
  const trustBytes = await readFile(join(place.deployment, 'trust.json'));
  const trust = parseTrust(trustBytes);
  say();
  say(
    `verified offline, with ${place.deployment}/trust.json (SHA-256 ${fingerprint(trustBytes)}) and nothing else:`,
  );
  const leafHashes: string[] = [];
  for (const file of receipts) {
    const { verdict, finality, steps, facts } = await judgeReceipt(await readFile(file), trust);
    if (verdict !== 'matches') throw new Error(`${file}: ${verdict}: ${steps.at(-1)?.detail}`);
    leafHashes.push(facts?.leafHash ?? '');
    say(
      `  ${file}: ${verdict}, entry ${facts?.index} of ${facts?.size}, block ${facts?.block}, finality ${finality}`,
    );
  }
  say(
    'This chain has no validators, so finality is unproved; README.md, "A real chain", says what a real one adds.',
  );
  return leafHashes;
}

/** What an auditor does: the whole log over its public interface, and the chain replayed from its beginning. */
async function auditFromOutside(place: DemoPlace, rpcUrl: string, url: string): Promise<void> {
  const report = join(place.folder, 'audit.html');
  say();
  say('audited over the public interface and the chain, whose transactions were replayed on another one:');
  const options = { url, rpcUrl, trust: join(place.deployment, 'trust.json'), report };
  const { verdict, sentence, reason, log, figures } = await auditReport(
    { ...options, confirmations: 0, exports: [], fromScratch: true },
    { note: () => undefined, progress: { tell: () => undefined, end: () => undefined } },
  );
  if (verdict !== 'yes') throw new Error(`${verdict}: ${sentence} ${reason}`);
  say(`  ${verdict}: ${sentence} ${log.size} entries, ${figures.blocks?.replayed} transactions replayed.`);
  say(`  report: ${report}`);
}

function printNext(
  place: DemoPlace,
  url: string,
  rpcUrl: string,
  receipts: readonly string[],
  leafHashes: readonly string[],
): void {
  const receipt = receipts[0] ?? '';
  const trust = `${place.deployment}/trust.json`;
  const forged = join(place.folder, 'forged.json');
  say();
  say('Open:');
  say(`  ${url}/verify#leaf=${leafHashes[0]}`);
  say(
    `    the page for citizens, which checks one of these receipts; drop ${receipt} on it, and it shows all`,
  );
  say(`  ${url}/`);
  say('    the log as it grows, for a screen on the wall');
  say(`  ${url}/docs`);
  say('    the interface for programs');
  say(`  ${url}/v1/log`);
  say(`  ${url}/log/checkpoint`);
  say(`  ${url}/v1/anchors`);
  say();
  say('Type next, in a second terminal:');
  say(`  npx zegel verify ${receipt} --trust ${trust}`);
  say('  # change one byte of the entry (its time), and see it refused:');
  say(
    `  sed 's/"entry":"AQEAAAG/"entry":"AQEAAAH/' ${receipt} > ${forged}; npx zegel verify ${forged} --trust ${trust}`,
  );
  say('  # submit an event again: the same answer, no second record');
  say(
    `  npx zegel submit ${place.folder}/events/permit.json --key ${place.folder}/keys/works --url ${url} --out ${place.folder}/again.json --wait 10`,
  );
  say("  # get an agency's records back, for it alone; the log then tells that they were read");
  say(`  npx zegel export --url ${url} --key ${place.folder}/keys/works --out ${place.folder}/works.ndjson`);
  say('  # audit the whole log, and the records of that agency: signatures, commitments, batches');
  say(
    `  npx zegel audit --url ${url} --rpc ${rpcUrl} --trust ${trust} --export ${place.folder}/works.ndjson --report ${place.folder}/audit.html`,
  );
  say();
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(
    `npm start failed: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
  );
  process.exit(1);
}
