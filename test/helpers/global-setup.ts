/** Runs once before all tests: compiles the contracts and builds the citizen's page, so that every test finds them. */

import hre from 'hardhat';
import { buildPage } from '../../scripts/bundle.ts';

export default async function setup(): Promise<void> {
  // Costs half a second when nothing has changed. The Solidity tests are compiled by their own runner.
  await hre.tasks.getTask('build').run({ quiet: true, noTests: true });
  await buildPage();
}
