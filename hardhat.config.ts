/** How the contracts are compiled and tested. Hardhat is also the embedded chain of `npm start` and of the tests. */

import { fileURLToPath } from 'node:url';
import { defineConfig, task } from 'hardhat/config';
import { ArgumentType } from 'hardhat/types/arguments';

// A government ledger does not phone home. The CLI reads this before it would ask or send anything.
process.env['HARDHAT_DISABLE_TELEMETRY'] ??= 'true';

const solcVersion = '0.8.37';

/** An option that need not be there is empty. */
const text = (name: string, description: string) =>
  ({ name, description, type: ArgumentType.STRING, defaultValue: '' }) as const;

const audit = task('audit', 'Read a whole log, replay its chain, and say whether all holds: zegel audit')
  .addOption(text('url', 'where the log is served'))
  .addOption(text('rpc', "the chain's JSON-RPC URL"))
  .addOption(text('trust', 'the trust file that you rely on'))
  .addOption(text('origin', "the log's origin, where the trust file has several"))
  .addOption(text('confirmations', 'blocks on top that make a block final, on a chain without seals'))
  .addOption(text('export', 'records to audit, as zegel export writes them'))
  .addOption(text('state', 'where the audit stands: it goes on from there'))
  .addFlag({ name: 'fromScratch', description: 'begin anew, whatever the state says' })
  .addOption(text('saveEvery', 'how often the state is written, in entries'))
  .addOption(text('report', 'where the report goes, as a page for people'))
  .addOption(text('evidence', 'where proofs of a fork go'))
  .addOption(text('timeout', 'for how long an answer is waited for, in seconds'))
  .addFlag({ name: 'json', description: 'print the report as an object for machines' })
  .setAction(() => import('./scripts/audit-task.ts'))
  .build();

export default defineConfig({
  tasks: [audit],
  solidity: {
    compilers: [
      {
        version: solcVersion,
        // npm's compiler: Hardhat would download one, which is not possible everywhere, and package-lock.json pins this one.
        path: fileURLToPath(import.meta.resolve('solc/soljson.js')),
        settings: {
          optimizer: { enabled: true, runs: 10_000 },
          // geth's Clique chains stop before Shanghai, which has PUSH0.
          evmVersion: 'paris',
          // With no hash of the sources' metadata and no immutables, the runtime code is the same on every network.
          metadata: { bytecodeHash: 'none' },
        },
      },
    ],
    npmFilesToBuild: ['@openzeppelin/contracts/access/manager/AccessManager.sol'],
    // The services need the contracts' artifacts only; the Solidity tests are compiled by `hardhat test solidity`.
    splitTestsCompilation: true,
  },
  paths: {
    sources: './contracts',
    tests: { solidity: './test/contracts' },
  },
  test: {
    solidity: {
      fuzz: { runs: 500 },
      // A failure is shown with the acts that led to it, made shorter: not for minutes.
      invariant: { runs: 48, depth: 64, failOnRevert: true, shrinkRunLimit: 100 },
    },
  },
});
