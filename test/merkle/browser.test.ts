/** "It runs in a browser": what a verifier imports is pure, and a bundle of it judges receipts in Chromium as it does here. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBase64url } from '../../merkle/bytes.ts';
import { thumbprint } from '../../merkle/jwk.ts';
import { formatStatement, signingInput } from '../../merkle/statement.ts';
import { formatTrust } from '../../merkle/trust.ts';
import { judgeReceipt } from '../../merkle/verification.ts';
import { anEvent, testOrigin } from '../helpers/builders.ts';
import { forge, logKeys, type Plan, startTime } from '../helpers/forge.ts';

const root = new URL('../../', import.meta.url);
const chromiumPath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const chromiumPresent = existsSync(chromiumPath);
const chromiumNote = chromiumPresent ? '' : ` (skipped: no Chromium at ${chromiumPath}, see CHROMIUM_PATH)`;

/** All that a source file of ours leads to: our own files, and what they import from elsewhere. */
function importGraph(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: URL) => {
    if (files.has(file.href)) return;
    files.add(file.href);
    for (const specifier of specifiersIn(readFileSync(file, 'utf8'))) {
      if (specifier.startsWith('.')) visit(new URL(specifier, file));
      else packages.add(specifier);
    }
  };
  visit(new URL(entry, root));
  return { files: new Set([...files].map(file => file.slice(root.href.length))), packages };
}

function specifiersIn(source: string): string[] {
  const statements = source.matchAll(/(?:^|[\s;}])(?:from|import|import\s*\()\s*['"]([^'"]+)['"]/g);
  return Array.from(statements, ([, specifier = '']) => specifier);
}

describe("the verifier's import graph", () => {
  const graphs = ['merkle/verification.ts', 'merkle/trust.ts', 'merkle/receipt.ts'].map(importGraph);
  const files = new Set(graphs.flatMap(graph => [...graph.files]));
  const packages = new Set(graphs.flatMap(graph => [...graph.packages]));

  it('stays in merkle/, with the proving side left out', () => {
    expect([...files].filter(file => !file.startsWith('merkle/'))).toEqual([]);
    expect(files).toContain('merkle/signature.ts');
    expect(files).not.toContain('merkle/prove.ts');
  });

  it('holds no node: module, no merkletreejs, and nothing else but noble', () => {
    expect([...packages].filter(name => !/^@noble\/(hashes|curves)\/[a-z0-9]+\.js$/.test(name))).toEqual([]);
    expect(packages.size).toBeGreaterThan(0);
  });

  it('would show them: the proving side has merkletreejs, and this test node: modules', () => {
    expect(importGraph('merkle/prove.ts').packages).toContain('merkletreejs');
    expect(importGraph('test/merkle/browser.test.ts').packages).toContain('node:http');
  });
});

/** Bundles the verifier for browsers, and gives the files by their names. */
async function bundle(): Promise<ReadonlyMap<string, string>> {
  const outputs = await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(root),
    build: {
      write: false,
      target: 'es2024',
      lib: {
        entry: {
          verification: fileURLToPath(new URL('merkle/verification.ts', root)),
          trust: fileURLToPath(new URL('merkle/trust.ts', root)),
        },
        formats: ['es'],
      },
    },
  });
  if (!Array.isArray(outputs)) throw new Error('want one list of outputs');
  const files = outputs.flatMap(({ output }) => output);
  return new Map(
    files.flatMap(file => (file.type === 'chunk' ? [[`/${file.fileName}`, file.code] as const] : [])),
  );
}

describe('the bundle', () => {
  it('has no import from outside itself', async () => {
    const files = await bundle();
    expect([...files.keys()]).toEqual(expect.arrayContaining(['/verification.js', '/trust.js']));
    for (const code of files.values()) {
      expect(specifiersIn(code).filter(specifier => !specifier.startsWith('./'))).toEqual([]);
    }
  });
});

/** A statement under a key whose modulus is this, with as long a signature. Whether a platform's RSA takes such a key or not. */
function strangeModulus(alg: 'RS256' | 'PS256', modulus: Uint8Array): Plan {
  const key = { kty: 'RSA', n: formatBase64url(modulus), e: 'AQAB' } as const;
  const header = { alg, kid: formatBase64url(thumbprint(key)), typ: 'zegel+jws', aud: testOrigin } as const;
  const statement = formatStatement(signingInput(header, anEvent()), new Uint8Array(modulus.length).fill(1));
  return {
    alg,
    change: {
      entry: entry => ({ ...entry, keyId: thumbprint(key) }),
      receipt: receipt => ({ ...receipt, record: { statement, salt: new Uint8Array(32), key } }),
    },
  };
}

const plans: readonly (readonly [name: string, plan: Plan])[] = [
  ['ES256', { alg: 'ES256' }],
  ['ES384', { alg: 'ES384' }],
  ['ES256K', { alg: 'ES256K' }],
  ['RS256', { alg: 'RS256' }],
  ['PS256', { alg: 'PS256' }],
  ['Ed25519', { alg: 'Ed25519' }],
  ['a batch', { batch: { size: 5, index: 3 } }],
  ['a batch by RS256', { alg: 'RS256', batch: { size: 5, index: 3 } }],
  ['a proof-only receipt', { proofOnly: true }],
  ['a genesis entry', { kind: 'genesis' }],
  ['Clique', { consensus: 'clique' }],
  ['a development chain', { consensus: 'none' }],
  ['one not yet anchored', { pending: true }],
  ['one with its time changed in the log', { time: startTime + 90_001 }],
  ['one with a byte too many', { change: { json: text => `${text} x` } }],
  ['a modulus of ones', strangeModulus('PS256', new Uint8Array(512).fill(0xff))],
  ['an even modulus', strangeModulus('RS256', new Uint8Array(256).fill(0xfe))],
  ['a modulus that is a power of two', strangeModulus('PS256', new Uint8Array(256).fill(0x80, 0, 1))],
  ['one by a log that nobody knows', { signers: [logKeys.witness] }],
  [
    'RS256 under another signature',
    { alg: 'RS256', change: { statement: text => text.replace(/.{4}$/, 'AAAA') } },
  ],
  [
    'PS256 under another signature',
    { alg: 'PS256', change: { statement: text => text.replace(/.{4}$/, 'AAAA') } },
  ],
];

const page = `<!doctype html>
<script type="module">
  import { judgeReceipt } from '/verification.js';
  import { parseTrust } from '/trust.js';
  const bytes = text => new TextEncoder().encode(text);
  globalThis.judge = ({ receipt, trust }) => judgeReceipt(bytes(receipt), parseTrust(bytes(trust)));
</script>`;

describe.skipIf(!chromiumPresent)(`Chromium${chromiumNote}`, () => {
  let server: Server;
  let browser: BrowserContext;
  let origin: string;
  let profile: string;

  beforeAll(async () => {
    profile = mkdtempSync(join(tmpdir(), 'zegel-chromium-'));
    const files = await bundle();
    server = createServer((request, response) => {
      const code = files.get(request.url ?? '');
      if (code !== undefined) response.setHeader('Content-Type', 'text/javascript').end(code);
      else if (request.url === '/') response.setHeader('Content-Type', 'text/html').end(page);
      else response.writeHead(404).end();
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath,
      headless: true,
      // A root account has no sandbox; the rest keeps Chromium from calling home.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });

  afterAll(async () => {
    await browser?.close();
    await new Promise(resolve => server?.close(resolve) ?? resolve(undefined));
    rmSync(profile, { recursive: true, force: true });
  });

  it('judges receipts as Node does, and asks nobody', async () => {
    const tab = await browser.newPage();
    const asked: string[] = [];
    const faults: unknown[] = [];
    tab.on('request', request => asked.push(new URL(request.url()).origin));
    tab.on('pageerror', error => faults.push(error));
    await tab.goto(origin);

    const verdicts = new Set<string>();
    for (const [name, plan] of plans) {
      const { bytes, trust } = await forge(plan);
      const receipt = new TextDecoder().decode(bytes);
      const inBrowser = await tab.evaluate(question => Reflect.get(globalThis, 'judge')(question), {
        receipt,
        trust: formatTrust(trust),
      });
      const here = await judgeReceipt(bytes, trust);
      expect(inBrowser, name).toStrictEqual(here);
      verdicts.add(here.verdict);
    }
    expect(verdicts).toEqual(new Set(['matches', 'not-yet-anchored', 'does-not-match']));
    expect(faults).toEqual([]);
    expect(new Set(asked)).toEqual(new Set([origin]));
  });
});
