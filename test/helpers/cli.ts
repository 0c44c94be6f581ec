/** Runs the command line as people do: as a process of its own, with an environment that holds nothing of this machine's. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

/** The command line's file. */
export const zegel = fileURLToPath(new URL('../../scripts/zegel.ts', import.meta.url));

// Compiled code is kept between the many short processes of a run, which halves what each one costs.
const compiled = fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url));

/** The environment without any setting of the ledger: a developer's shell must not change what a test says. */
export function cleanEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('ZEGEL_') && !name.startsWith('VITEST'),
  );
  return { ...Object.fromEntries(kept), NODE_COMPILE_CACHE: compiled, ...more };
}

/** Runs `zegel` to its end. */
export async function runZegel(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [zegel, ...args], {
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', text => {
    output.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    output.err += text;
  });
  const [code] = await once(child, 'close');
  return { code, ...output };
}

/** Runs `zegel` and gives what it prints with `--json`. @throws {Error} with what it said, if it does not exit with 0 */
export async function zegelJson(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, out, err } = await runZegel([...args, '--json'], env);
  if (code !== 0) throw new Error(`zegel ${args.join(' ')} exited with ${code}: ${err}`);
  return out
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));
}
