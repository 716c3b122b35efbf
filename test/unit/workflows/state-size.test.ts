/** No state of an import grows beyond what Step Functions takes (256 KB), whatever is asked for; the interpreter refuses one that does. */
import { expect, it } from 'vitest';
import type { Machine } from '../../../local/stepfunctions/definition.ts';
import { type HistoryEvent, trail } from '../../../local/stepfunctions/history.ts';
import { runMachine } from '../../../local/stepfunctions/interpreter.ts';
import { StateError } from '../../../local/stepfunctions/state-error.ts';
import type { Json } from '../../../local/wire/json.ts';
import { importImage, importImageInFunctions } from '../../../workflows/import-image.ts';

const STORES = Array.from({ length: 1_000 }, (_, n) => `store-${n}-`.padEnd(63, 'x'));
const BATCHES = Array.from({ length: 1_000 }, (_, n) => n);
const PLUGINS = ['no_op', 'inject_image_metadata', 'image_decompression', 'image_conversion', 'image_introspection'];
const ID = '00000000-0000-4000-8000-000000000000';
/** Error names and causes have a length of their own (API reference, StopExecution: 32,768 characters of cause). */
const CAUSE = 'x'.repeat(32_768);

/** Of each function; a copy fails as long as it may, so that each store has a cause. */
function answer(name: string, failing: ReadonlySet<string>): Json {
  const step = name.replace(/^.*import-([\w-]+).*$/, '$1');
  if (failing.has(step)) throw new StateError('StoreFailed', CAUSE);
  if (step === 'plan') return { batches: BATCHES };
  if (step !== 'begin') return {};
  const flags = { ended: false, signed: true, hashOnly: false, allStoresMustSucceed: false };
  return { taskId: ID, imageId: ID, plugins: PLUGINS, stores: STORES, ...flags };
}

async function run(definition: unknown, failing: readonly string[]): Promise<{ status: string; largest: number }> {
  const events: HistoryEvent[] = [];
  const unused = (): never => {
    throw new Error('no state does this here');
  };
  const run = {
    ports: {
      invokeFunction: async (name: string) => answer(name, new Set(failing)),
      runContainer: async () => ({}),
      putEvents: unused,
      issueToken: unused,
    },
    signal: new AbortController().signal,
    trail: trail(events),
    context: { Execution: { Id: `arn:aws:states:us-east-1:1:execution:import-image:${ID}`, Name: ID, Input: {} } },
    waitScale: 0,
    sub: runMachine,
  };
  const status = await runMachine(definition as Machine, { taskId: ID, imageId: ID }, run).then(
    () => 'SUCCEEDED',
    (error: unknown) => (error instanceof StateError ? (error.error ?? '') : String(error)),
  );
  const outputs = events.map((event) => JSON.stringify(event).length);
  return { status, largest: Math.max(...outputs) };
}

it.each([
  ['with containers', importImage],
  ['in functions', importImageInFunctions],
])('a thousand stores, %s', async (_, definition) => {
  expect(await run(definition, [])).toMatchObject({ status: 'SUCCEEDED' });
});

it('a thousand stores that all fail, each with a long cause', async () => {
  expect(await run(importImage, ['copy'])).toMatchObject({ status: 'SUCCEEDED' });
});

it('a failure of the main line with a long cause', async () => {
  const { status, largest } = await run(importImage, ['hash', 'copy']);

  expect(status).toBe('ImportFailed');
  expect(largest).toBeLessThan(262_144);
});
