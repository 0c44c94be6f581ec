/**
 * `npm test`: everything that must pass, stage by stage, and on the last line how many tests passed and failed.
 *
 * A failed stage does not stop the next, so that one run shows all there is to mend. `npm test -- lint types` runs only those stages.
 * The numbers are the runners' own. Lint and types are no tests: they count as one failure when they fail and as nothing when they pass.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { endBy, run, withFirst } from './bootstrap/processes.mjs';

type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

const none: Counts = { passed: 0, failed: 0, skipped: 0 };
const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = await mkdtemp(join(tmpdir(), 'zegel-test-'));

const stages: ReadonlyMap<string, () => Promise<Counts>> = new Map([
  ['lint', async () => settle(await succeeds('biome', ['check', '--error-on-warnings']), none)],
  ['types', async () => settle(await succeeds('tsc', ['-p', '.']), none)],
  ['solidity', testSolidity],
  ['vitest', testVitest],
]);

/** Contract tests written in Solidity. Hardhat closes with `58 passing`, and `1 failing`, `2 skipped` where there are any. */
async function testSolidity(): Promise<Counts> {
  let printed = '';
  const ok = await succeeds('hardhat', ['test', 'solidity'], text => {
    printed += text;
  });
  const lines = stripVTControlCharacters(printed);
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, 'm').exec(lines)?.[1] ?? 0);
  return settle(ok, { passed: count('passing'), failed: count('failing'), skipped: count('skipped') });
}

/** All other tests. */
async function testVitest(): Promise<Counts> {
  const report = join(scratch, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const ok = await succeeds('vitest', ['run', ...reporters]);
  // No report when vitest itself could not start.
  const text = await readFile(report, 'utf8').catch(() => undefined);
  if (text === undefined) return settle(false, none);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(text);
  return settle(ok, {
    passed: numPassedTests,
    failed: numFailedTests,
    skipped: numPendingTests + numTodoTests,
  });
}

/** A stage that fails without a failed test, a test file that does not load for instance, is one failure. */
function settle(ok: boolean, counts: Counts): Counts {
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** Runs a command of the packages, and says whether it ended well. */
async function succeeds(
  program: string,
  args: readonly string[],
  onOutput?: (text: string) => void,
): Promise<boolean> {
  const env = withFirst(`${dirname(process.execPath)}${delimiter}${join(root, 'node_modules', '.bin')}`);
  const { code, signal } = await run(program, args, { cwd: root, env, ...(onOutput && { onOutput }) });
  // Interrupted: whoever did it wants all stages to end.
  if (signal === 'SIGINT' || signal === 'SIGTERM') endBy(signal);
  return code === 0;
}

async function main(asked: readonly string[]): Promise<number> {
  const unknown = asked.filter(name => !stages.has(name));
  if (unknown.length > 0) {
    process.stderr.write(`no stage ${unknown.join(', ')}; there are ${[...stages.keys()].join(', ')}\n`);
    return 2;
  }
  const results: { name: string; counts: Counts; seconds: number }[] = [];
  for (const [name, stage] of stages) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    process.stdout.write(`\n== ${name}\n`);
    const start = performance.now();
    const counts = await stage();
    results.push({ name, counts, seconds: (performance.now() - start) / 1000 });
  }

  process.stdout.write('\n');
  for (const { name, counts, seconds } of results) {
    const verdict = counts.failed > 0 ? 'FAILED' : 'passed';
    process.stdout.write(`${verdict}  ${name.padEnd(10)}${seconds.toFixed(1).padStart(6)} s\n`);
  }
  const sum = (key: keyof Counts) => results.reduce((total, { counts }) => total + counts[key], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped}\n`);
  return sum('failed') > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await rm(scratch, { recursive: true, force: true });
}
