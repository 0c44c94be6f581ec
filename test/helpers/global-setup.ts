/** Runs once before all tests: compiles the contracts, so that every test finds their artifacts. */

import hre from 'hardhat';

export default async function setup(): Promise<void> {
  // Costs half a second when nothing has changed. The Solidity tests are compiled by their own runner.
  await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
}
