/** What ONBOARDING.md tells an agency without TypeScript to type works as printed, from nothing to a receipt that verifies. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBase64url, parseHex0x, utf8 } from '../../merkle/bytes.ts';
import { parseJwk, thumbprint } from '../../merkle/jwk.ts';
import { verifyKeyProof } from '../../merkle/keyproof.ts';
import { algorithms } from '../../merkle/signature.ts';
import { cleanEnvironment, runZegel, zegel, zegelJson } from '../helpers/cli.ts';
import { type Block, blocksOf, differences, missingLines, readPage, tableOf } from '../helpers/page.ts';
import { aSite, type ServiceProcess, type Site, siteAgency } from '../helpers/site.ts';

const page = await readPage('ONBOARDING.md');
const blocks = blocksOf(page);
const event = blocks.find(({ under }) => under.includes('3. An event'));

/** Why a listing is skipped here; empty where its tool is installed. */
function missing(tool: string, ...args: string[]): string {
  return spawnSync(tool, args).status === 0 ? '' : ` (skipped: ${tool} ${args.join(' ')} fails)`;
}
// macOS has another program by this name, which lacks what the page uses.
const noShell =
  missing('sh', '-c', "openssl version | grep -q '^OpenSSL [3-9]'") || missing('curl', '--version');
const noPython = missing('python3', '-c', 'import cryptography');
const noJava = missing('sh', '-c', "java --version | grep -qE '^[a-z]+ (1[7-9]|[2-9][0-9])'");

let site: Site;
let service: ServiceProcess;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  site = await aSite();
  // The operator is an agency, too: under its key each reading of a record is recorded.
  const operatorKey = join(site.folder, 'operator');
  await zegelJson(['agency', 'add', 'OVO900001', 'Agentschap Voorbeeldregister'], site.env);
  await zegelJson(['key', 'generate', operatorKey, '--agency', 'OVO900001'], site.env);
  await zegelJson(['key', 'add', `${operatorKey}.json`], site.env);
  service = await site.serve({ ZEGEL_SERVICE_KEY_FILE: operatorKey });
  const bin = join(site.folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'zegel'), `#!/bin/sh\nexec '${process.execPath}' '${zegel}' "$@"\n`);
  await chmod(join(bin, 'zegel'), 0o755);
  // Java's second compiler costs a short program more than it gives.
  const java = { JDK_JAVA_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' };
  env = { ...site.env, ...java, PATH: `${bin}:${process.env['PATH']}` };
});
afterAll(() => site.remove());

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

/** Runs a script as a POSIX shell that stops at the first failure. */
async function sh(script: string, cwd: string): Promise<Ran> {
  const child = spawn('sh', ['-eu'], { cwd, env: cleanEnvironment(env), stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(script);
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', text => {
    output.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    output.err += text;
  });
  const [code] = await once(child, 'close');
  return { code, ...output };
}

/** Runs what must succeed, and gives what it printed. */
async function printed(script: string, cwd: string): Promise<string> {
  const { code, out, err } = await sh(script, cwd);
  expect(code, `${script}\n${out}\n${err}`).toBe(0);
  return out;
}

/** An agency's own folder: the trust file, and the files that the page says to save, for this site's service. */
async function aFolder(name: string, agency: string): Promise<string> {
  const folder = join(site.folder, name);
  await mkdir(folder);
  await copyFile(site.trustFile, join(folder, 'trust.json'));
  for (const { file, text } of blocks) {
    if (file === undefined) continue;
    const adapted = text.replace('http://127.0.0.1:8080', service.url).replace('OVO900003', agency);
    await writeFile(join(folder, file), adapted);
  }
  return folder;
}

/** The blocks of a section that are typed or shown, each what is typed with what is shown after it. */
function stepsOf(
  heading: string,
  isIn = (_: Block) => true,
): readonly { typed: string; shown: readonly Block[] }[] {
  const steps: { typed: string; shown: Block[] }[] = [];
  for (const block of blocks) {
    if (!block.under.includes(heading) || block.file !== undefined || !isIn(block)) continue;
    if (block.language === 'sh') steps.push({ typed: block.text, shown: [] });
    else steps.at(-1)?.shown.push(block);
  }
  return steps;
}

/** Holds what was printed against what the page shows: text line by line, JSON member by member. */
function expectShown(out: string, shown: readonly Block[]): void {
  for (const { language, text } of shown) {
    if (language === 'text') {
      expect(missingLines(text, out), out).toEqual([]);
    } else {
      const real = out.split('\n').find(line => line.startsWith('{'));
      expect(differences(JSON.parse(text), JSON.parse(real ?? 'null'), ['index']), text).toEqual([]);
    }
  }
}

/** The service hears of a new key when it next looks at the chain. A statement without a good signature shows whether it has. */
async function untilKnown(folder: string): Promise<void> {
  const { key } = JSON.parse(await readFile(join(folder, 'request.json'), 'utf8'));
  const kid = formatBase64url(thumbprint(parseJwk(utf8(JSON.stringify(key)))));
  const header = { alg: 'ES256', kid, typ: 'zegel+jws', aud: site.origin };
  const payload = { specversion: '1.0', id: '1', source: 'a', type: 'a', time: '2026-11-24T09:30:00Z' };
  const [first, second] = [header, payload].map(part => formatBase64url(utf8(JSON.stringify(part))));
  const body = `${first}.${second}.${'A'.repeat(86)}`;
  const ask = async () => {
    const headers = { 'content-type': 'application/jose' };
    const answer = await fetch(`${service.url}/v1/records`, { method: 'POST', headers, body });
    return (await answer.json()).type;
  };
  await expect.poll(ask, { timeout: 20_000 }).toBe('urn:problem-type:zegel:signature-invalid');
}

/** Makes a key as a section's first step says, has it registered, and writes the page's event under another id. */
async function register(folder: string, [first]: ReturnType<typeof stepsOf>, id: string): Promise<void> {
  expectShown(await printed(first?.typed ?? '', folder), first?.shown ?? []);
  expect(await runZegel(['key', 'add', join(folder, 'request.json')], env)).toMatchObject({
    code: 0,
    err: '',
  });
  await untilKnown(folder);
  await printed(event?.text.replace('2026-000017', id) ?? '', folder);
}

describe.skipIf(noShell !== '')(`openssl and a shell${noShell}`, () => {
  it('go the whole way as printed', async () => {
    const folder = await aFolder('shell', 'OVO900003');
    const inFolder = (name: string) => readFile(join(folder, name), 'utf8');
    const isRegistrar = ({ under }: Block) => /^[12]\. /.test(under.at(-1) ?? '');
    const steps = stepsOf('Step by step, in a shell');
    expect(steps).toHaveLength(11);

    // One shell up to the registrar, one from there: as on two days. What each step prints ends with a mark.
    for (const part of [isRegistrar, (block: Block) => !isRegistrar(block)]) {
      const some = stepsOf('Step by step, in a shell', part);
      const outs = (
        await printed(some.map(({ typed }) => `${typed}\nprintf '\\n#\\n'\n`).join(''), folder)
      ).split(/^#$/m);
      for (const [i, { shown }] of some.entries()) {
        // Nobody wants to see a receipt on a terminal.
        const file = /> proof\.json/.test(some[i]?.typed ?? '') ? await inFolder('proof.json') : '';
        expectShown(`${file}${outs[i]}`, shown);
      }
      if (part === isRegistrar) await untilKnown(folder);
    }

    // After a retry, too, the receipt is complete: with the record as it stands.
    const complete = steps.find(({ typed }) => typed.includes('record.json'));
    const kept = await inFolder('receipt.json');
    await printed(`. ./ledger.sh\ncp again.json answer.json\nrm record.json\n${complete?.typed}`, folder);
    expect(JSON.parse(await inFolder('receipt.json'))).toEqual(JSON.parse(kept));
    const verify = steps.find(({ typed }) => typed.startsWith('zegel verify'));
    expect(await printed(verify?.typed ?? '', folder)).toContain('receipt.json: matches:');

    // With a token, the service's own receipt is complete as well; and the export has this record alone.
    const token = steps.at(-1)?.typed ?? '';
    const asks = token.replace(/^curl .*$/m, '');
    const get = (path: string) =>
      `${asks}\ncurl -sS -H "Authorization: Bearer $token" "$LEDGER/v1/records/${path}"`;
    const full = await printed(get('$(text leafHash < answer.json)/receipt'), folder);
    expect(JSON.parse(full)).toEqual(JSON.parse(kept));
    const exported = await printed(get('export?from=1'), folder);
    expect(exported).toBe(`${(await printed(token, folder)).trim()}\n`);
  });

  it('make r‖s of full length from any DER', async () => {
    const folder = await aFolder('der', 'OVO900003');
    const numbers = ['01', '00ff', '7f', `00${'ff'.repeat(32)}`, '11'.repeat(31), `7f${'00'.repeat(31)}`];
    for (const r of numbers) {
      const s = numbers[(numbers.indexOf(r) + 3) % numbers.length] ?? '';
      const integers = [r, s].map(n => `02${(n.length / 2).toString(16).padStart(2, '0')}${n}`).join('');
      const der = Buffer.from(`30${(integers.length / 2).toString(16).padStart(2, '0')}${integers}`, 'hex');
      await writeFile(join(folder, 'der'), der);
      const [full, other] = [r, s].map(n => n.replace(/^00/, '').padStart(64, '0'));
      const hex = await printed('. ./ledger.sh\nraw 32 < der | od -An -v -tx1', folder);
      expect(hex.replaceAll(/\s/g, '')).toBe(`${full}${other}`);
    }
  });

  const rows = tableOf(page, '`alg`');
  it('know the six algorithms', () => {
    expect(rows.map(([name]) => name)).toEqual(algorithms.map(({ name }) => name));
  });

  it.each(rows)('prove possession of a key for %s as printed', async (alg = '', keys = '', generate = '') => {
    const algorithm = algorithms.find(({ name }) => name === alg)?.name ?? 'ES256';
    const folder = await aFolder(`key-${alg}`, 'OVO900003');
    const ledger = await readFile(join(folder, 'ledger.sh'), 'utf8');
    await writeFile(join(folder, 'ledger.sh'), ledger.replace('"alg":"ES256"', `"alg":"${alg}"`));
    const [functions] = stepsOf('Other keys');
    const curve = keys.startsWith('EC, ') ? keys.slice(4) : undefined;
    const jwk = curve === undefined ? `jwk_${alg === 'Ed25519' ? alg : 'RSA'}` : `jwk_EC ${curve}`;
    await printed(
      [
        '. ./ledger.sh',
        functions?.typed,
        alg === 'ES256' ? '' : `sign() { sign_${alg}; }`,
        `openssl genpkey ${generate.replaceAll('`', '')} -out key.pem 2> progress`,
        `${jwk} ${curve === undefined ? '' : curve === 'P-384' ? 48 : 32} > key.jwk`,
        stepsOf('2. What the registrar gets')[0]?.typed.replace('"alg":"ES256"', `"alg":"${alg}"`),
      ].join('\n'),
      folder,
    );
    const request = JSON.parse(await readFile(join(folder, 'request.json'), 'utf8'));
    expect(request.alg).toBe(alg);
    const { chainId, registry } = JSON.parse(await readFile(join(folder, 'claim'), 'utf8'));
    await verifyKeyProof(request.proof, {
      agency: 'OVO900003',
      chainId,
      registry: parseHex0x(registry, 20),
      jwk: parseJwk(utf8(JSON.stringify(request.key))),
      algorithm,
    });
  });
});

describe.skipIf(noPython !== '')(`Python${noPython}`, () => {
  const isSingle = ({ under }: Block) => !under.includes('Many events at once');
  const steps = stepsOf('In Python', isSingle);
  let folder: string;

  it('goes the whole way as printed', async () => {
    folder = await aFolder('python', siteAgency);
    await register(folder, steps, 'python-1');
    expectShown(await printed(steps[1]?.typed ?? '', folder), steps[1]?.shown ?? []);
  });

  it('meets a retry with 200, and an event that json has written anew with 409', async () => {
    await printed('rm -r kept', folder);
    expect(await printed('python3 agency.py send event.json', folder)).toMatch(/^200 [0-9a-f]{64}\n$/);
    // What was lost here is complete again.
    const complete = steps[1]?.typed.replace(/^.* send .*$/m, '') ?? '';
    expect(await printed(complete, folder)).toContain('.receipt.json: matches:');
    const rewrite = "import json; print(json.dumps(json.load(open('event.json'))))";
    const again = `python3 -c "${rewrite}" > rewritten.json\npython3 agency.py send rewritten.json`;
    const { code, err } = await sh(again, folder);
    expect(code).toBe(1);
    expect(err).toMatch(/^409 .*event-conflict/);
    // The bytes alone are what differs.
    const [one, other] = await Promise.all(
      ['event.json', 'rewritten.json'].map(name => readFile(join(folder, name), 'utf8')),
    );
    expect(JSON.parse(one ?? '')).toEqual(JSON.parse(other ?? 'null'));
  });

  it('sends a night of events under one signature, each with a receipt of its own', async () => {
    const [step] = stepsOf('Many events at once');
    const text = event?.text.split('\n').slice(1, 4).join('') ?? '';
    const lines = Array.from({ length: 6 }, (_, i) => text.replace('2026-000017', `night-${i}`));
    const nightly = (some: readonly string[]) =>
      writeFile(join(folder, 'nightly.ndjson'), some.map(line => `${line}\n`).join(''));
    await nightly(lines.slice(0, 3));
    expectShown(await printed(step?.typed ?? '', folder), step?.shown ?? []);

    // The next night has three of them again, one of these in other bytes, and trees of other shapes.
    await nightly([`${lines[0]?.replace('12.50', '12.5')}`, ...lines.slice(1)]);
    const { code, out, err } = await sh(step?.typed ?? '', folder);
    expect([code, err]).toEqual([1, '1 of 6 events were refused\n']);
    expect(out.split('\n').map(line => line.slice(0, 3))).toEqual([
      '409',
      '200',
      '200',
      '201',
      '201',
      '201',
      '',
    ]);
    expect(out).toContain('409 line 1 ');
    await nightly([lines[5] ?? '', text.replace('2026-000017', 'night-alone')].slice(1));
    expect(await printed(step?.typed ?? '', folder)).toMatch(/^201 /);

    const receipts = await printed(steps[1]?.typed.replace(/^.* send .*$/m, '') ?? '', folder);
    expect(receipts.match(/: matches: transaction/g)).toHaveLength(8);
    expect((await readdir(join(folder, 'kept'))).filter(name => !name.endsWith('t.json'))).toHaveLength(8);
  });
});

describe.skipIf(noJava !== '')(`Java${noJava}`, () => {
  it('goes the whole way as printed, meets a retry with 200 and other bytes with 409', async () => {
    const folder = await aFolder('java', siteAgency);
    const steps = stepsOf('In Java');
    await register(folder, steps, 'java-1');
    expectShown(await printed(steps[1]?.typed ?? '', folder), steps[1]?.shown ?? []);

    const again = await printed(`rm *.record.json *.receipt.json\n${steps[1]?.typed}`, folder);
    expect(again).toMatch(/^200 .*: matches: transaction /s);
    const rewritten = "tr -d ' ' < event.json > rewritten.json\njava Agency.java send rewritten.json";
    expect(await sh(rewritten, folder)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/409 .*event-conflict/),
    });
  });
});
