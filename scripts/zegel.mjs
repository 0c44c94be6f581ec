#!/usr/bin/env node
/** The command `zegel`: finds or fetches Node as bootstrap does, then runs the command line in TypeScript, or as built JavaScript once it is installed. */

import { join } from 'node:path';
import { house, orStop, runScript } from './bootstrap/prepare.mjs';

const place = house();
// Node refuses to run TypeScript under node_modules.
const script = place.installed ? join('dist', 'scripts', 'zegel.js') : join('scripts', 'zegel.ts');

await orStop(() => runScript(place, join(place.root, script), process.argv.slice(2), { dev: false }));
