/** Prints what an anchor costs, beside the bars that it must stay under; exit code 1 when it does not. `npm run gas`. */

import { createHash } from 'node:crypto';
import { getBytes, toBeHex, toQuantity } from 'ethers';
import hre from 'hardhat';
import { formatHex0x } from '../../merkle/bytes.ts';
import { mappingSlot, rootSlot, wordOf } from '../../merkle/evidence.ts';
import { logsSlot } from '../../service/abi.ts';
import { rootsSlot } from '../../service/deploy.ts';
import { deployRegistries, embeddedChain } from '../helpers/contracts.ts';
import { Twin } from '../helpers/twin.ts';

type Step = { readonly oldSize: number; readonly newSize: number };
/** One line of the table: some steps, which of their costs counts, and its bar where there is one. */
type Row = {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly measure: 'worst' | 'median';
  readonly bar?: number;
};

const rows: readonly Row[] = [
  {
    name: 'worst pair below 2^32 (2^31-1 to 2^32-1)',
    steps: [{ oldSize: 2 ** 31 - 1, newSize: 2 ** 32 - 1 }],
    measure: 'worst',
    bar: 93_000,
  },
  { name: '200 random pairs below 2^32', steps: randomSteps(200), measure: 'median', bar: 88_000 },
  { name: '40 anchors from 10^6, 10,000 apart', steps: consecutive(1e6), measure: 'median', bar: 70_000 },
  { name: '40 anchors from 10^8, 10,000 apart', steps: consecutive(1e8), measure: 'median' },
  { name: '40 anchors from 4*10^9, 10,000 apart', steps: consecutive(4e9), measure: 'median', bar: 80_000 },
];

await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
const { provider, signer: anchorer, close } = await embeddedChain();
const { anchorRegistry } = await deployRegistries(anchorer);

let over = false;
console.log(
  `${'anchor'.padEnd(42)}${['lowest', 'median', 'worst', 'bar'].map(word => word.padStart(9)).join('')}`,
);
for (const { name, steps, measure, bar } of rows) {
  const costs = (await costsOf(name, steps)).sort((a, b) => a - b);
  const median = Math.round((at(costs, (costs.length - 1) >> 1) + at(costs, costs.length >> 1)) / 2);
  const worst = at(costs, costs.length - 1);
  const counted = measure === 'worst' ? worst : median;
  const verdict = bar === undefined ? '' : counted > bar ? `${measure} over the bar` : `${measure} under it`;
  if (bar !== undefined && counted > bar) over = true;
  const figures = [at(costs, 0), median, worst, bar].map(n => (n?.toLocaleString('en') ?? '').padStart(9));
  console.log(`${name.padEnd(42)}${figures.join('')}  ${verdict}`);
}
console.log(
  "Gas of the whole transaction, calldata included; solc 0.8.37, 10,000 runs, paris code on Hardhat's default hardfork.",
);
await close();
process.exitCode = over ? 1 : 0;

/** Anchors each step, in one log, and gives the gas that each transaction used. */
async function costsOf(name: string, steps: readonly Step[]): Promise<number[]> {
  const origin = name.toLowerCase().replace(/[^a-z0-9]/g, '-');
  const opening = [origin, anchorer.address, `0x${'11'.repeat(32)}`] as const;
  const logId: string = await anchorRegistry.getFunction('openLog').staticCall(...opening);
  await (await anchorRegistry.getFunction('openLog').send(...opening)).wait();

  const tree = treeWith(steps.flatMap(({ oldSize, newSize }) => [oldSize, newSize]));
  const costs: number[] = [];
  let head = 1;
  for (const { oldSize, newSize } of steps) {
    if (oldSize !== head) await moveHead(logId, oldSize, tree.root(oldSize));
    const proof = tree.proof(oldSize, newSize);
    const sent = await anchorRegistry
      .getFunction('anchor')
      .send(logId, oldSize, newSize, tree.root(newSize), proof);
    const receipt = await sent.wait();
    if (receipt === null) throw new Error(`the anchor of ${newSize} was not mined`);
    costs.push(Number(receipt.gasUsed));
    head = newSize;
  }
  return costs;
}

/**
 * A log with these sizes, too large to have leaves. A perfect subtree that none of the sizes cuts in two is never looked into by
 * their roots and the proofs between them, so any hash will do for it.
 */
function treeWith(sizes: readonly number[]): Twin {
  const isPerfect = (n: number) => 2 ** Math.round(Math.log2(n)) === n;
  return new Twin(
    index => createHash('sha256').update(`leaf ${index}`).digest(),
    (start, end) => isPerfect(end - start) && !sizes.some(size => start < size && size < end),
  );
}

/** Writes a head into storage: no log gets to such a size by its own anchors here. */
async function moveHead(logId: string, size: number, root: Uint8Array): Promise<void> {
  const id = getBytes(logId);
  const log = BigInt(anchorer.address) | (BigInt(size) << 160n);
  await setStorage(formatHex0x(mappingSlot(id, wordOf(logsSlot))), toBeHex(log, 32));
  await setStorage(formatHex0x(rootSlot(id, size, rootsSlot)), formatHex0x(root));
}

async function setStorage(slot: string, word: string): Promise<void> {
  await provider.send('hardhat_setStorageAt', [await anchorRegistry.getAddress(), toQuantity(slot), word]);
}

function consecutive(from: number): Step[] {
  return Array.from({ length: 40 }, (_, i) => ({
    oldSize: from + i * 10_000,
    newSize: from + (i + 1) * 10_000,
  }));
}

/** Pairs of sizes from 1 to 2^32 - 1: the same ones on every run. */
function randomSteps(count: number): Step[] {
  const size = (i: number, side: string) =>
    1 + (createHash('sha256').update(`${i} ${side}`).digest().readUInt32BE() % (2 ** 32 - 1));
  return Array.from({ length: count }, (_, i) => {
    const [oldSize, newSize] = [size(i, 'a'), size(i, 'b')];
    return oldSize < newSize ? { oldSize, newSize } : { oldSize: newSize, newSize: oldSize };
  });
}

function at(costs: readonly number[], place: number): number {
  const cost = costs[place];
  if (cost === undefined) throw new Error(`no cost at ${place} of ${costs.length}`);
  return cost;
}
