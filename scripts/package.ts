/**
 * Builds what is installed as a package: Node runs no TypeScript under node_modules, so dist/ gets JavaScript, and the contracts'
 * artifacts and the citizen's page beside it, since there is no compiler and no bundler there. npm calls this before it packs.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { artifactFiles, contractArtifacts } from './artifacts.ts';
import { writePage } from './bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
rmSync('dist', { recursive: true, force: true });
execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
await contractArtifacts();
for (const file of artifactFiles) cpSync(`artifacts/${file}`, `dist/artifacts/${file}`);
await writePage('dist/page.json');
