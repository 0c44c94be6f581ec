/** Brings together a Node and the packages, and runs a script or a command with them. */

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { fetchNode, findNode } from './node.mjs';
import { npm } from './npm.mjs';
import { missingPackages, thisMachine } from './packages.mjs';
import { runAndExit, withFirst } from './processes.mjs';
import { Stop, say } from './words.mjs';

/**
 * Where we stand: a checkout, whose packages are held to its lock file, or an installed package, whose packages are npm's care.
 * `cache` is where a fetched Node goes.
 *
 * @typedef {{ readonly root: string, readonly installed: boolean, readonly cache: string }} House
 */

/** @returns {House} */
export function house() {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const installed = root.split(sep).includes('node_modules');
  const cache = installed
    ? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'zegel')
    : join(root, '.zegel');
  return { root, installed, cache };
}

/**
 * Runs a script of ours and ends as it ends. On a good Node it is imported into this very process, so that nothing stands between the
 * terminal and the script.
 *
 * @param {House} place
 * @param {string} script
 * @param {readonly string[]} args
 * @param {{ dev: boolean }} needs whether the script needs what only developers need; operators may have left that out
 */
export async function runScript(place, script, args, needs) {
  const node = await prepare(place, needs);
  if (node !== process.execPath) return runAndExit(node, [script, ...args], withFirst(dirname(node)));
  process.argv.splice(1, process.argv.length, script, ...args);
  await import(pathToFileURL(script).href);
}

/**
 * Runs any command with our Node and the packages' commands first on the PATH, and ends as it ends.
 *
 * @param {House} place
 * @param {string} program
 * @param {readonly string[]} args
 */
export async function execCommand(place, program, args) {
  const node = await prepare(place, { dev: true });
  const commands = join(place.root, 'node_modules', '.bin');
  return runAndExit(program, args, withFirst(`${dirname(node)}${delimiter}${commands}`));
}

/**
 * Gives a Node that can run us, after fetching it or completing the packages where that is needed. Where it is not, this costs the
 * reading of two lock files.
 *
 * @param {House} place
 * @param {{ dev: boolean }} needs
 * @returns {Promise<string>} its path
 */
async function prepare(place, needs) {
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    throw new Stop(`zegel runs on Linux and macOS; this is ${process.platform}`);

  const found = findNode(place.cache);
  if (found !== undefined && missing(place, needs).length === 0) return found;

  return withLock(join(place.cache, 'bootstrap.lock'), async () => {
    // Whoever held the lock before us may have done all of it: so look again.
    const node = findNode(place.cache) ?? (await fetchNode(place.cache));
    if (missing(place, needs).length > 0) await installPackages(place, node, needs);
    return node;
  });
}

/**
 * @param {House} place
 * @param {{ dev: boolean }} needs
 */
function missing({ installed, root }, needs) {
  return installed ? [] : missingPackages(root, thisMachine(), needs);
}

/**
 * @param {House} place
 * @param {string} node
 * @param {{ dev: boolean }} needs
 */
async function installPackages(place, node, needs) {
  const [first, ...others] = missing(place, needs);
  const why = existsSync(join(place.root, 'node_modules'))
    ? `packages are missing (${first}${others.length > 0 ? ` and ${others.length} more` : ''})`
    : 'there are no packages yet';
  say(`${why}: installing them with npm ci`);
  // No package here needs its install script: native parts come built, inside packages.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional'];
  await npm(place.cache, node, place.root, args);
  const still = missing(place, needs);
  if (still.length > 0) throw new Stop(`npm ci ended well, yet without ${still.join(', ')}`);
}

/**
 * Runs main. A reason to stop is told in its own words; anything else is a fault and keeps its stack.
 *
 * @param {() => Promise<void>} main
 */
export async function orStop(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    say(error.message);
    process.exit(1);
  }
}
