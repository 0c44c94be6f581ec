/** Child processes: they share our terminal, get each signal once, and we end as they end. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { codeOf, Stop } from './words.mjs';

/**
 * Runs a command with our terminal. Signals that reach us reach it once, and we stay until it has ended.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onOutput?: (text: string) => void }} options `onOutput` overhears standard output
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null }>}
 */
export function run(command, args, { onOutput, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...options,
      stdio: ['inherit', onOutput ? 'pipe' : 'inherit', 'inherit'],
    });
    child.stdout?.setEncoding('utf8').on('data', text => {
      process.stdout.write(text);
      onOutput?.(text);
    });
    /** @type {NodeJS.SignalsListener} */
    const forward = signal => {
      if (signal !== 'SIGINT' || !inForeground()) child.kill(signal);
    };
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
    for (const signal of signals) process.on(signal, forward);
    const settle = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.on('error', error => {
      settle();
      reject(codeOf(error) === 'ENOENT' ? new Stop(`${command} is not on the PATH`) : error);
    });
    child.on('close', (code, signal) => {
      settle();
      resolve({ code, signal });
    });
  });
}

/** Whether a terminal's Ctrl-C reaches us. Then it has reached the child as well, and must not be sent again. */
function inForeground() {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // After the name in brackets: state, parent, process group, session, terminal, the terminal's foreground group.
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === foreground;
  } catch {
    return process.stdin.isTTY === true;
  }
}

/**
 * Runs a command and ends this process as the command ended.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<never>}
 */
export async function runAndExit(command, args, env) {
  const { code, signal } = await run(command, args, { env });
  if (signal) endBy(signal);
  process.exit(code ?? 1);
}

/**
 * Ends this process by a signal, so that whoever waits for it sees how it ended.
 *
 * @param {NodeJS.Signals} signal
 * @returns {never}
 */
export function endBy(signal) {
  process.kill(process.pid, signal);
  // It ends us at the next turn at the latest; nothing else may happen until then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  process.exit(1);
}

/**
 * Our environment with folders put before all others on the PATH.
 *
 * @param {string} folders
 * @returns {NodeJS.ProcessEnv}
 */
export function withFirst(folders) {
  return { ...process.env, PATH: `${folders}${delimiter}${process.env['PATH'] ?? ''}` };
}
