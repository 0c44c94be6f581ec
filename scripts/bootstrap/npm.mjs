/** npm, run under the Node that the packages are for: it leaves out optional packages whose `engines` its own Node does not meet. */

import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { endBy, run, withFirst } from './processes.mjs';
import { codeOf, Stop, shown } from './words.mjs';

/**
 * Runs npm and gives up with advice if it fails.
 *
 * @param {string} cache where npm may keep its own cache if its usual place cannot be written to
 * @param {string} node
 * @param {string} folder
 * @param {readonly string[]} args
 */
export async function npm(cache, node, folder, args) {
  const env = withFirst(dirname(node));
  const usual = env['npm_config_cache'] || join(homedir(), '.npm');
  if (!isWritable(usual)) env['npm_config_cache'] = join(cache, 'npm');

  const script = npmScript();
  const flags = [...args, '--prefix', folder, '--prefer-offline', '--no-audit', '--no-fund'];
  const ended = await run(script ? node : 'npm', script ? [script, ...flags] : flags, { cwd: folder, env });
  if (ended.signal) endBy(ended.signal);
  if (ended.code !== 0) {
    throw new Stop(
      `npm ${args[0]} failed in ${shown(folder)}; what it says stands above.
  It needs the npm registry, unless its cache already has all packages. Behind a proxy, or with a registry of your own, tell npm:
  npm config set proxy URL, npm config set registry URL. Then type the same command again.`,
    );
  }
}

/**
 * npm's own JavaScript, or undefined where the `npm` on the PATH is something else, which leads to it.
 *
 * @returns {string | undefined}
 */
function npmScript() {
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map(folder => join(folder, 'npm'))
    .find(existsSync);
  const candidates = [
    // npm sets this for what it runs. So do yarn and pnpm, with paths of their own.
    process.env['npm_execpath'],
    onPath && realpathSync(onPath),
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  return candidates
    .map(path => path?.replace(/npx-cli\.js$/, 'npm-cli.js'))
    .find(path => path?.endsWith('npm-cli.js') && existsSync(path));
}

/**
 * Whether a folder, or what it would be made in, can be written to.
 *
 * @param {string} folder
 * @returns {boolean}
 */
function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch (error) {
    const parent = dirname(folder);
    return codeOf(error) === 'ENOENT' && parent !== folder && isWritable(parent);
  }
}
