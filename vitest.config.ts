import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Six suites. `unit` is pure and fast; `local` drives the embedded AWS with the real SDK clients, in its own process;
 * `service` starts the whole service on free ports; `index-lag` is its contract suite over indexes that lag and a table that counts units; `infra` runs the SST program against a mock engine
 * (npm run test:infra); `acceptance` needs the real clients and qemu-img (see .ci/run).
 */

/** Ends a test that hangs. Of pace it says nothing: a machine with other work takes ten times as long. Milliseconds. */
const HANGS = { testTimeout: 240_000, hookTimeout: 240_000, expect: { poll: { timeout: 60_000 } } };

/** What GLIMPSE_TEST_CORE leaves out, minutes each: .ci/full runs it. */
const LEFT_TO_FULL =
  process.env['GLIMPSE_TEST_CORE'] === undefined
    ? []
    : ['test/acceptance/{keystone,output-format,sparse,consumers-gophercloud,consumers-horizon}.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default'],
    // Most of these wait: for indexes that lag, for another process, for a clock.
    maxWorkers: availableParallelism() + 1,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...HANGS } },
      { test: { name: 'local', include: ['test/local/**/*.test.ts'], ...HANGS } },
      {
        test: {
          name: 'service',
          include: ['test/contract/**/*.test.ts', 'test/workflows/**/*.test.ts'],
          ...HANGS,
        },
      },
      {
        test: {
          name: 'index-lag',
          include: ['test/contract/**/*.test.ts'],
          // Nothing in them is found by an index.
          exclude: ['test/contract/{doors,gateway-*,prove-stage,resume,web-download-answers}.test.ts'],
          env: {
            GLIMPSE_TEST_INDEX_LAG_MS: '500',
            GLIMPSE_LOCAL_STRICT: JSON.stringify({ dynamodb: { unprocessedRate: 0.2 } }),
          },
          ...HANGS,
        },
      },
      {
        test: {
          name: 'infra',
          include: ['test/infra/**/*.test.ts'],
          globalSetup: ['test/infra/setup.ts'],
          ...HANGS,
        },
      },
      {
        test: {
          name: 'acceptance',
          include: ['test/acceptance/**/*.test.ts'],
          exclude: LEFT_TO_FULL,
          ...HANGS,
          // A start packages every function first when it is as deployed; startGlimpse says when that takes too long.
          hookTimeout: 900_000,
          testTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
