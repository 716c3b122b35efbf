import { defineConfig } from 'vitest/config';

/**
 * The tests of a mutation run (scripts/mutate.ts), which names them: one project, since Stryker steers one. The embedded AWS runs in
 * the test's own process, where a mutant is switched on; tests that kill a process of it, or time it, are left out.
 */
export default defineConfig({
  test: {
    include: (process.env['MUTATION_TESTS'] ?? '').split(' '),
    exclude: ['test/local/s3-durability.test.ts', 'test/local/dynamodb-index-lag.test.ts'],
    env: { GLIMPSE_TEST_ONE_PROCESS: 'yes' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
