import { defineConfig } from 'vitest/config';

// Two cores: two workers keep both busy without starving the chains and services that the tests start.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/contracts/**/*.t.sol', 'node_modules/**'],
    globalSetup: ['test/helpers/global-setup.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
