/**
 * How long an audit takes, beside the bars that it must stay under; exit code 1 when it does not.
 *
 *     node test/bench/audit.ts [anchors]
 */

import hre from 'hardhat';
import { auditAnchors } from './audit-chain.ts';

const anchors = Number(process.argv[2] ?? 1_000);
const bars = { seconds: 60, memoryMiB: 500 };

await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
const { seconds, processorSeconds, memoryMiB, findings } = await auditAnchors(anchors);
console.log(
  `replay of ${anchors} anchors: ${seconds.toFixed(1)} s (${processorSeconds.toFixed(1)} s of work), under ${bars.seconds}`,
);
console.log(`memory: ${memoryMiB.toFixed(0)} MiB, under ${bars.memoryMiB}`);
if (findings.length > 0) console.log(`findings on an honest chain: ${findings.join(' ')}`);
process.exitCode = seconds > bars.seconds || memoryMiB > bars.memoryMiB || findings.length > 0 ? 1 : 0;
