/** The compiled contracts: read where they are, compiled first where they are not. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ContractArtifact, ContractName } from '../service/deploy.ts';

// Beside this folder both in a checkout and in the installed package, which carries them along.
const folder = new URL('../artifacts/', import.meta.url);

const sources = {
  AccessManager: '@openzeppelin/contracts/access/manager/AccessManager.sol',
  AnchorRegistry: 'contracts/AnchorRegistry.sol',
  KeyRegistry: 'contracts/KeyRegistry.sol',
} as const satisfies Readonly<Record<ContractName, string>>;

/** Where the artifacts are, under `artifacts/`. */
export const artifactFiles = Object.entries(sources).map(([name, source]) => `${source}/${name}.json`);

export type Artifacts = Readonly<Record<ContractName, ContractArtifact>>;

/** What `hardhat build` makes of the contracts. In a checkout it runs first, which costs half a second when nothing has changed. */
export async function contractArtifacts(): Promise<Artifacts> {
  if (import.meta.url.endsWith('.ts')) await build();
  const [AccessManager, AnchorRegistry, KeyRegistry] = await Promise.all([
    read('AccessManager'),
    read('AnchorRegistry'),
    read('KeyRegistry'),
  ]);
  return { AccessManager, AnchorRegistry, KeyRegistry };
}

async function build(): Promise<void> {
  // Hardhat would look for it from the folder in which the command was typed.
  process.env['HARDHAT_CONFIG'] = fileURLToPath(new URL('../hardhat.config.ts', import.meta.url));
  const { default: hre } = await import('hardhat');
  for (let tries = 1; ; tries++) {
    try {
      await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
      return;
    } catch (error) {
      // Of two commands that build at the same time, one renames Hardhat's cache away under the other. The work is done by then.
      if (tries === 5 || !isRenamedAway(error)) throw error;
    }
  }
}

function isRenamedAway(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    cause instanceof Error &&
    'code' in cause &&
    cause.code === 'ENOENT' &&
    'syscall' in cause &&
    cause.syscall === 'rename'
  );
}

async function read(name: ContractName): Promise<ContractArtifact> {
  return JSON.parse(await readFile(new URL(`${sources[name]}/${name}.json`, folder), 'utf8'));
}
