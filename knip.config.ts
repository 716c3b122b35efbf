import type { KnipConfig } from 'knip';
import { FUNCTIONS } from './workflows/topology.ts';

/** Handlers are named in the topology, as `functions/tasks/begin.handler`. */
const handlers = Object.values(FUNCTIONS).map(({ handler }) => `${handler.slice(0, handler.lastIndexOf('.'))}.ts`);

/**
 * Part of `npm run lint`: exports that nothing imports, files that nothing starts, dependencies that nothing uses. What is started by
 * something else than an import or an npm script is named here.
 */
const config: KnipConfig = {
  entry: [
    ...new Set(handlers),
    // The container (infra/gateway.ts, infra/step-containers.ts) and its steps.
    'gateway/{main,health}.ts',
    'functions/tasks/run-step.ts',
    // What `#codecs/` means on every platform but Node (`imports` of package.json); bundlers resolve it.
    'formats/web/codecs/*.ts',
    // Child processes and worker threads, started by URL.
    'local/{aws,control}-process.ts',
    'test/support/s3-launcher.ts',
    // Commands of docs/ and CONTRIBUTING.md.
    'scripts/{build-inflate,copy-table,prove-stage,stage,try-slow-upload}.ts',
    'scripts/mutation/prose.ts',
    'bench/*.ts',
    'test/fixtures/*/write.ts',
    'test/infra/{mutate,print-cost}.ts',
    'test/infra/synth/main.ts',
    'vitest.mutation.config.ts',
  ],
  ignore: ['test/infra/console-dist/**'],
  // Loaded by name: local/dynamodb/engine.ts has a `require` of its own, Stryker finds its plugin.
  ignoreDependencies: ['dynalite', '@stryker-mutator/vitest-runner'],
  ignoreBinaries: ['qemu-img', 'mkfifo', 'go'],
  // A type that an exported signature speaks of may be imported, whether it is or not.
  ignoreExportsUsedInFile: { interface: true, type: true },
};

export default config;
