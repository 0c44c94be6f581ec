/**
 * How long an audit takes, beside the bars that it must stay under; exit code 1 when it does not.
 *
 *     node test/bench/audit.ts [records] [anchors]
 *
 * A real site, each part a process of its own: a Hardhat node, the service, the auditor. A third of the records each is under ES256 and
 * Ed25519 statements and under batch statements; all are submitted, anchored, exported and audited, their signatures included. Beside
 * it, in the same run, OpenSSL alone checks as many signatures on all cores.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import hre from 'hardhat';
import { auditAnchors } from './audit-chain.ts';
import { auditOnce, exportTo, grow, rawChecks, servedSite } from './audit-site.ts';

const [records = 300_000, anchors = 1_000] = process.argv.slice(2).map(Number);
const bars = { checks: 3, memoryMiB: 500, replayS: 60, second: 0.05 };

await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
const replay = await auditAnchors(anchors);
const site = await servedSite();
try {
  const third = Math.floor(records / 3);
  await grow(site, third);
  const whole = join(site.folder, 'whole.ndjson');
  const size = await exportTo(site, whole, 0);
  // Before and after, for a machine that is not alone does not give the same all the time.
  const before = await rawChecks(third);
  const state = join(site.folder, 'audit.state');
  const first = await auditOnce(site, ['--export', whole, '--state', state]);
  const after = await rawChecks(third);
  const raw = (before.seconds + after.seconds) / 2;
  const processor = first.processorSeconds / ((before.processorSeconds + after.processorSeconds) / 2);

  await grow(site, Math.ceil(third / 100));
  const more = join(site.folder, 'more.ndjson');
  await exportTo(site, more, size);
  const second = await auditOnce(site, ['--export', more, '--state', state]);

  const partsOf = ({ log, records }: { readonly log: number; readonly records: number }) => log + records;
  const share = partsOf(second.parts) / partsOf(first.parts);
  const memories = [first.memoryMiB, second.memoryMiB, replay.memoryMiB];
  const rows: readonly (readonly [string, number, number, string])[] = [
    [
      `${records} records, whole audit ÷ raw checks (${first.seconds.toFixed(1)} s, of it log ${first.parts.log.toFixed(1)} and export ${first.parts.records.toFixed(1)}, ÷ ${raw.toFixed(1)} s; by processor time ${processor.toFixed(2)})`,
      first.seconds / raw,
      bars.checks,
      '',
    ],
    [
      `memory of the first audit, the second, and the replay (${memories.map(Math.round).join(', ')})`,
      Math.max(...memories),
      bars.memoryMiB,
      ' MiB',
    ],
    [`replay of ${anchors} anchors`, replay.seconds, bars.replayS, ' s'],
    [
      `second audit after 1 % more ÷ first (${partsOf(second.parts).toFixed(2)} s ÷ ${partsOf(first.parts).toFixed(1)} s)`,
      share,
      bars.second,
      '',
    ],
  ];
  for (const [name, value, bar, unit] of rows)
    console.log(
      `${value <= bar ? 'ok  ' : 'OVER'} ${name}: ${value.toFixed(3)}${unit}, at most ${bar}${unit}`,
    );
  const findings = [...replay.findings, ...first.findings, ...second.findings];
  if (findings.length > 0) console.log(`findings on an honest log: ${findings.join(' ')}`);
  process.exitCode = findings.length > 0 || rows.some(([, value, bar]) => value > bar) ? 1 : 0;
} finally {
  await site.remove();
  await rm(site.folder, { recursive: true, force: true });
}
