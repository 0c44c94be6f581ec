import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { houseRules } from './helpers/house-rules.ts';
import { parseSource, reach, type Source } from './helpers/sources.ts';

const root = new URL('../', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const rules = houseRules(Object.keys(manifest.dependencies));

/** Every file that we write in some language, wherever it stands. Solidity is read as text: its rules ask for no more. */
function ourSources(): readonly Source[] {
  const folders = ['merkle', 'contracts', 'service', 'scripts', 'test', '.ci', '.github'];
  const listed = folders.flatMap(folder =>
    readdirSync(new URL(folder, root), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => `${entry.parentPath.slice(fileURLToPath(root).length)}/${entry.name}`),
  );
  return [...listed, 'hardhat.config.ts', 'vitest.config.ts', 'package.json', 'biome.json', 'tsconfig.json']
    .filter(path => !path.startsWith('test/vectors/'))
    .map(path => read(path, readFileSync(new URL(path, root), 'utf8')));
}

function read(path: string, text: string): Source {
  return /\.(ts|mjs)$/.test(path) ? parseSource(path, text) : { path, text, imports: [], uses: new Set() };
}

describe('the house', () => {
  const sources = ourSources();

  it('is found whole', () => {
    const paths = sources.map(({ path }) => path);
    for (const known of ['merkle/verification.ts', 'service/http/app.ts', 'contracts/AnchorRegistry.sol'])
      expect(paths).toContain(known);
    // The verifier's graph is not empty by a mistake in how paths are joined.
    expect(reach(sources, 'merkle/verification.ts')).toContain('merkle/bytes.ts');
  });

  for (const { claim, faults } of rules) it(claim, () => expect(faults(sources)).toEqual([]));
});

describe('each rule', () => {
  const opening = '/** A file. */\n';
  // The rule's claim; files that break it, as path and text; what is then said. The last file is the one that does it.
  const broken: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    [
      'merkle/ imports nothing of ours but merkle/',
      { 'merkle/tree.ts': "import type { Store } from '../service/store.ts';" },
      'merkle/tree.ts imports service/store.ts',
    ],
    [
      'merkle/ imports nothing of ours but merkle/',
      { 'merkle/tree.ts': "export * from '../hardhat.config.ts';" },
      'merkle/tree.ts imports hardhat.config.ts',
    ],
    [
      'merkle/ has nothing that only Node has',
      { 'merkle/tree.ts': "const { createHash } = await import('node:crypto');" },
      'merkle/tree.ts imports node:crypto',
    ],
    [
      'merkle/ has nothing that only Node has',
      { 'merkle/tree.ts': "const bytes = globalThis.Buffer.from('');" },
      'merkle/tree.ts uses Buffer',
    ],
    [
      'merkle/ imports noble by exact subpaths, and merkletreejs in prove.ts only',
      { 'merkle/tree.ts': "import { MerkleTree } from 'merkletreejs';" },
      'merkle/tree.ts imports merkletreejs',
    ],
    [
      'merkle/ imports noble by exact subpaths, and merkletreejs in prove.ts only',
      { 'merkle/tree.ts': "import * as noble from '@noble/hashes';" },
      'merkle/tree.ts imports @noble/hashes',
    ],
    [
      'merkle/ has no clock, no chance and no connection',
      { 'merkle/entry.ts': 'const time = new Date();' },
      'merkle/entry.ts uses new Date()',
    ],
    [
      'what verifies does not bring in merkletreejs',
      {
        'merkle/verification.ts': "import { a } from './verify.ts';",
        'merkle/verify.ts': "export type { a } from './prove.ts';",
        'merkle/prove.ts': "import { MerkleTree } from 'merkletreejs';",
      },
      'merkle/verification.ts reaches merkle/prove.ts, which imports merkletreejs',
    ],
    [
      'service/http never imports the store',
      { 'service/http/app.ts': "let store: import('../store.ts').Store;" },
      'service/http/app.ts imports service/store.ts',
    ],
    [
      'nothing but main.ts imports service/http',
      { 'service/ledger.ts': "import { createApp } from './http/app.ts';" },
      'service/ledger.ts imports service/http/app.ts',
    ],
    [
      'the store imports nothing of the service but its errors and hashes',
      { 'service/store.ts': "import { Ledger } from './ledger.ts';" },
      'service/store.ts imports service/ledger.ts',
    ],
    [
      'the auditor, the client and the web page never reach the store or the ledger',
      {
        'service/receipts.ts': "import { Ledger } from './ledger.ts';",
        'service/client/client.ts': "import { Receipts } from '../receipts.ts';",
      },
      'service/client/client.ts reaches service/ledger.ts',
    ],
    [
      'the client imports nothing but merkle/, itself and Node, so that it can be used anywhere',
      { 'service/client/client.ts': "import { z } from 'zod';" },
      'service/client/client.ts imports zod',
    ],
    [
      'the client imports nothing but merkle/, itself and Node, so that it can be used anywhere',
      { 'service/client/client.ts': "import { LedgerError } from '../errors.ts';" },
      'service/client/client.ts imports service/errors.ts',
    ],
    [
      'the auditor imports nothing of the service but itself and rpc.ts, which can lose but not lie',
      { 'service/audit/log.ts': "import { Requests } from '../client/requests.ts';" },
      'service/audit/log.ts imports service/client/requests.ts',
    ],
    [
      'nothing in service/ imports main.ts, which wires it',
      { 'service/ledger.ts': "import { startService } from './main.ts';" },
      'service/ledger.ts imports service/main.ts',
    ],
    [
      'service/ imports no scripts',
      { 'service/config.ts': "new Worker(new URL('../scripts/zegel.ts', import.meta.url));" },
      'service/config.ts imports scripts/zegel.ts',
    ],
    [
      'no source imports a test',
      { 'scripts/demo.ts': "import { aRecord } from '../test/helpers/builders.ts';" },
      'scripts/demo.ts imports test/helpers/builders.ts',
    ],
    [
      "the citizen's page imports nothing but merkle/, itself, Preact and cryptography",
      { 'service/web/page.ts': "import { html } from '../audit/markup.ts';" },
      'service/web/page.ts imports service/audit/markup.ts',
    ],
    [
      "the citizen's page imports nothing but merkle/, itself, Preact and cryptography",
      { 'service/web/page.ts': "import { html } from 'lit';" },
      'service/web/page.ts imports lit',
    ],
    [
      "the citizen's page makes no markup of text, runs none and stores nothing",
      { 'service/web/page.ts': "element['innerHTML'] = text;" },
      'service/web/page.ts',
    ],
    [
      'only main.ts and scripts read the environment',
      { 'service/config.ts': "const port = globalThis['process'].env['ZEGEL_PORT'];" },
      'service/config.ts uses process.env',
    ],
    [
      'only main.ts and scripts read the environment',
      { 'service/config.ts': 'const { env } = process;' },
      'service/config.ts uses process.env',
    ],
    [
      'only main.ts and scripts read the environment',
      { 'service/config.ts': "import { env } from 'node:process';" },
      'service/config.ts uses import env',
    ],
    [
      'sources import only packages that are installed with them',
      { 'service/main.ts': "import { it } from 'vitest';" },
      'service/main.ts imports vitest',
    ],
    [
      'sources import only packages that are installed with them',
      { 'service/main.ts': 'const room = await import(name);' },
      'service/main.ts imports (computed)',
    ],
    [
      'bootstrap and the command import no package, for there may be none yet',
      { 'scripts/zegel.mjs': "import { Command } from 'commander';" },
      'scripts/zegel.mjs imports commander',
    ],
    [
      'contracts know contracts only',
      { 'contracts/Rfc9162.sol': 'import {Twin} from "../test/contracts/Twin.sol";' },
      'contracts/Rfc9162.sol imports ../test/contracts/Twin.sol',
    ],
    [
      'every source opens with a comment that introduces it',
      { 'scripts/demo.ts': "import 'koa';" },
      'scripts/demo.ts',
    ],
    ['no source has more than 350 lines', { 'merkle/tree.ts': '\n'.repeat(351) }, 'merkle/tree.ts'],
    [
      'no test is left running alone',
      { 'test/layers.test.ts': "it.only('is alone', () => {});" },
      'test/layers.test.ts uses it.only',
    ],
    ['nothing is cast to any', { 'test/a.test.ts': 'const a = {} as any;' }, 'test/a.test.ts uses as any'],
    ['no file names a path of one machine', { '.ci/run': `cd ${['', 'home', 'me'].join('/')}` }, '.ci/run'],
  ];

  it('is among those that are broken here', () => {
    expect(new Set(broken.map(([claim]) => claim))).toEqual(new Set(rules.map(({ claim }) => claim)));
  });

  for (const [claim, files, said] of broken) {
    it(`"${claim}" is broken when ${said}`, () => {
      const sources = Object.entries(files).map(([path, text]) => read(path, text));
      expect(rules.find(rule => rule.claim === claim)?.faults(sources)).toEqual([said]);
    });
  }

  it('leaves alone what it does not mean', () => {
    const sources = Object.entries({
      'merkle/prove.ts': "import { MerkleTree } from 'merkletreejs';",
      'merkle/verification.ts': "// import { x } from './prove.ts';\nconst text = \"import './prove.ts'\";",
      'merkle/entry.ts': "import { sha256 } from '@noble/hashes/sha2.js';\nnew Date(0).toISOString();",
      'service/http/app.ts': "import type { Ledger } from '../ledger.ts';",
      'service/ledger.ts': "import { Store } from './store.ts';\nimport { x } from '../merkle/prove.ts';",
      'service/client/index.ts':
        "import { randomBytes } from 'node:crypto';\nexport * from '../../merkle/bytes.ts';",
      'service/audit/chain.ts': "import { Rpc } from '../rpc.ts';\nimport { ethers } from 'ethers';",
      'service/web/page.ts': "import { h } from 'preact';\nimport { sha256 } from '@noble/hashes/sha2.js';",
      'scripts/bundle.ts': "const { build } = await import('vite');",
      'service/main.ts': "import { createApp } from './http/app.ts';\nprocess.env['ZEGEL_DATA'];",
      'service/config.ts': "const wanted = 'process.env';",
      'scripts/serve.ts': "import { startService } from '../service/main.ts';\nprocess.env;",
      'contracts/A.sol':
        'import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";\nimport "./B.sol";',
    }).map(([path, text]) => read(path, opening + text));
    expect(rules.flatMap(({ faults }) => faults(sources))).toEqual([]);
  });
});
