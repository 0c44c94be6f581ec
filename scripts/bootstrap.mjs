/**
 * Makes a fresh clone run: finds or fetches a Node that runs TypeScript, completes the packages, then runs what was asked for.
 *
 * Plain JavaScript for Node 18 and later, without packages, because it runs before there is anything else.
 *
 *     node scripts/bootstrap.mjs start [--once]    scripts/demo.ts     (npm start)
 *     node scripts/bootstrap.mjs test [stage…]     scripts/test.ts     (npm test)
 *     node scripts/bootstrap.mjs exec COMMAND…     any command, with that Node and the packages' commands first on the PATH
 */

import { join } from 'node:path';
import { execCommand, house, orStop, runScript } from './bootstrap/prepare.mjs';
import { Stop } from './bootstrap/words.mjs';

const scripts = new Map([
  ['start', { file: 'demo.ts', dev: false }],
  ['test', { file: 'test.ts', dev: true }],
]);

await orStop(async () => {
  const [command, ...args] = process.argv.slice(2);
  const place = house();
  const script = scripts.get(command ?? '');
  if (script !== undefined) {
    process.chdir(place.root);
    return runScript(place, join(place.root, 'scripts', script.file), args, script);
  }
  const [program, ...rest] = args[0] === '--' ? args.slice(1) : args;
  if (command !== 'exec' || program === undefined)
    throw new Stop('usage: bootstrap.mjs start [--once] | test [stage…] | exec COMMAND…');
  return execCommand(place, program, rest);
});
