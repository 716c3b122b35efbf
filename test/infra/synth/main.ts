/**
 * The child process: runs the whole SST program with the real components against a mock engine and writes the resource graph.
 * Nothing is deployed and nothing outside this machine is asked.
 *
 *   node test/infra/synth/main.ts --root DIR --stage NAME --out FILE
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lookUp, newResource } from './answers.ts';
import { Bundler } from './bundle.ts';
import type { Graph } from './graph-types.ts';
import { type Recorder, recordInto } from './recorder.ts';
import { startRpc } from './rpc.ts';

interface Pulumi {
  readonly runtime: {
    setMocks(mocks: object, project: string, stack: string, preview: boolean, organization: string): Promise<void>;
    setAllConfig(config: Record<string, string>, secrets: readonly string[]): void;
    runInPulumiStack(program: () => Promise<unknown>): Promise<Record<string, unknown>>;
    disconnect(): Promise<void>;
  };
}

interface MockArgs {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  readonly provider?: string;
  readonly token: string;
}

/** Some three seconds of work: ends what hangs, however many others share the machine. */
const TIMEOUT_MS = 900_000;

const { values } = parseArgs({
  options: { root: { type: 'string' }, stage: { type: 'string' }, out: { type: 'string' } },
});
const { root = process.cwd(), stage = 'dev', out = 'graph.json' } = values;

async function main(): Promise<void> {
  const errors: string[] = [];
  const warnings: string[] = [];
  const work = join(root, '.sst/mock', `${stage}-${process.pid}`);
  await mkdir(work, { recursive: true });
  const bundler = new Bundler(root, join(root, 'sst.config.ts'));
  const rpc = await startRpc(root, work, warnings);
  process.env['SST_SERVER'] = rpc.url;
  let graph: Partial<Graph> = {};
  let recorder: Recorder | undefined;
  const files: string[] = [];
  try {
    const app = await bundler.app(stage);
    const providerConfig = configOf(app.providers['aws'] ?? {});
    const region = providerConfig['aws:region'] ?? 'us-east-1';
    process.env['SST_AWS_REGION'] = region;
    const path = await bundler.program(app, stage, work);
    files.push(path);
    const pulumi = createRequire(join(bundler.platform, 'package.json'))('@pulumi/pulumi') as Pulumi;
    const recording = recordInto(bundler.platform, region);
    recorder = recording;
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs, provider }: MockArgs) =>
          newResource(type, name, inputs, recording.regionOf(provider)),
        call: ({ token, inputs, provider }: MockArgs) => {
          const answer = lookUp(token, inputs, recording.regionOf(provider));
          if (answer === undefined) warnings.push(`the program looks up ${token}, for which the harness has no answer`);
          return answer ?? inputs;
        },
      },
      app.name,
      stage,
      // Not a preview: with unknown inputs the bodies of apply() would not run, and their resources would be missing.
      false,
      'organization',
    );
    pulumi.runtime.setAllConfig(providerConfig, []);
    const program = ((await import(path)) as { default: () => Promise<unknown> }).default;
    const outputs = await withFailures(async () => {
      const result = await pulumi.runtime.runInPulumiStack(program);
      await pulumi.runtime.disconnect();
      return result;
    });
    graph = { app: { name: app.name, stage, providers: app.providers }, providerConfig, outputs: await plain(outputs) };
  } catch (error) {
    errors.push(...messagesOf(error));
  } finally {
    rpc.server.closeAllConnections();
    rpc.server.close();
    for (const file of files) await rm(file, { force: true });
    // A program that failed may still be packing functions there.
    await rm(work, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
  errors.push(...rpc.builds.flatMap((build) => build.errors));
  // Of a program that failed too: what it had asked for by then.
  const resources = recorder?.resources() ?? [];
  const whole = { outputs: {}, providerConfig: {}, ...graph, resources, builds: rpc.builds, warnings, errors };
  await writeFile(out, JSON.stringify(whole));
}

/** What the SST command passes to the engine: strings, arrays and objects; other settings are silently dropped. */
function configOf(provider: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept = Object.entries(provider).filter(([, value]) => typeof value === 'string' || typeof value === 'object');
  return Object.fromEntries(
    kept.map(([key, value]) => [`aws:${key}`, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

/** A throw inside apply() surfaces only as an unhandled rejection, and what depends on it never settles. */
function withFailures<T>(run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const failures: unknown[] = [];
    const timer = setTimeout(() => reject(new Error(`the program did not end within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    process.on('unhandledRejection', (reason) => {
      failures.push(reason);
      // Siblings that fail for their own reason are reported with it.
      if (failures.length === 1) setTimeout(() => reject(new AggregateError(failures, 'the program failed')), 200);
    });
    run()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function messagesOf(error: unknown): string[] {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.flatMap(messagesOf);
  const text = error instanceof Error ? error.message : String(error);
  return [process.env['SYNTH_STACKS'] === undefined || !(error instanceof Error) ? text : String(error.stack)];
}

/** Values of the stack's outputs, which may be wrapped. */
async function plain(outputs: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const entries = Object.entries(outputs).map(async ([key, value]) => {
    const wrapped = value as { promise?: () => Promise<unknown> } | undefined;
    return [key, typeof wrapped?.promise === 'function' ? await wrapped.promise() : value] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

await main();
// Pulumi leaves sockets and timers of its own.
process.exit(0);
