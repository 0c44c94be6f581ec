/** The citizen's page, built by Vite from `service/web/`: one script and one style, which `service/page.ts` puts into a page. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bundle, bundlePlace } from '../service/page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the bundle is made of. Merkle's other files change it when they are imported, and then they are here, too. */
const sources = ['service/web', 'merkle', 'package-lock.json', 'scripts/bundle.ts'];

/**
 * Builds the page in a checkout if what it is made of has changed, which takes a second; else it costs the reading of its sources. In
 * the installed package it is there.
 */
export async function buildPage(): Promise<void> {
  if (!import.meta.url.endsWith('.ts')) return;
  const digest = digestOfSources();
  const there = await readFile(bundlePlace, 'utf8').catch(() => '{}');
  if (JSON.parse(there).sources === digest) return;
  // Operators may have left out what only developers need: they go without the page, and are told when they serve.
  if (!existsSync(join(root, 'node_modules', 'vite')) || !existsSync(join(root, 'node_modules', 'preact')))
    return;

  await writePage(fileURLToPath(bundlePlace), digest);
}

/** Builds the page into a file. */
export async function writePage(file: string, digest = digestOfSources()): Promise<void> {
  const bundle: Bundle = { sources: digest, ...(await bundled()) };
  await mkdir(dirname(file), { recursive: true });
  // Two that build at the same time make the same, and nobody reads half of it.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(bundle));
  await rename(draft, file);
}

function digestOfSources(): string {
  const hash = createHash('sha256');
  const files = sources.flatMap(path =>
    path.includes('.')
      ? [path]
      : readdirSync(join(root, path))
          .sort()
          .map(name => `${path}/${name}`),
  );
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

async function bundled(): Promise<{ script: string; style: string }> {
  // Loaded here, since only who builds has it.
  const { build } = await import('vite');
  const outputs = await build({
    configFile: false,
    logLevel: 'error',
    root,
    build: {
      write: false,
      target: 'es2022',
      cssTarget: 'es2022',
      lib: { entry: join(root, 'service/web/main.ts'), formats: ['iife'], name: 'zegel' },
    },
  });
  if (!Array.isArray(outputs)) throw new Error('want one list of outputs');
  const files = outputs.flatMap(({ output }) => output);
  const script = files.flatMap(file => (file.type === 'chunk' ? [file.code] : []));
  const style = files.flatMap(file => (file.type === 'asset' ? [String(file.source)] : []));
  if (script.length !== 1 || style.length !== 1)
    throw new Error(`${script.length} scripts and ${style.length} styles came out, want one of each`);
  return { script: script.join(), style: style.join() };
}
