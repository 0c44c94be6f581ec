/** How the contracts are compiled and tested. Hardhat is also the embedded chain of `npm start` and of the tests. */

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'hardhat/config';

// A government ledger does not phone home. The CLI reads this before it would ask or send anything.
process.env['HARDHAT_DISABLE_TELEMETRY'] ??= 'true';

const solcVersion = '0.8.37';

export default defineConfig({
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
