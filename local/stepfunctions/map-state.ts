import { randomUUID } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import type { Machine, State } from './definition.ts';
import { trail } from './history.ts';
import { outcome, selectInput } from './input-output.ts';
import { type Action, bounded, type Run } from './run.ts';
import { Aborted, StateError, toStateError } from './state-error.ts';
import { evaluate, fill, type Scope } from './template.ts';

/** AWS runs at most 40 iterations of an inline map at once, whatever MaxConcurrency says. */
const INLINE_CONCURRENCY = 40;
/** AWS allows 10,000 child executions at once; one machine does not gain from more than this. */
const DISTRIBUTED_CONCURRENCY = 1000;

interface Iteration {
  index: number;
  input: Json;
  item: Json;
}

/** A map state, inline or distributed. Distributed children have their own history and context, as on AWS. */
export const map: Action = async (state, scope, run, name) => {
  const selected = selectInput(state, scope);
  const found = state.ItemsPath === undefined ? selected.input : evaluate(state.ItemsPath, selected);
  if (!Array.isArray(found)) {
    throw new StateError('States.Runtime', `The items of the Map state '${name}' are not an array`);
  }
  const iterations = found.map((item, index) => ({ index, item, input: itemInput(state, selected, item, index) }));
  const machine = state.ItemProcessor ?? state.Iterator;
  if (machine === undefined) throw new StateError('States.Runtime', `The Map state '${name}' has no ItemProcessor`);
  run.trail.add('MapStateStarted', { length: iterations.length });
  const distributed = machine.ProcessorConfig?.Mode === 'DISTRIBUTED';
  const go = distributed ? runDistributed : runInline;
  const width = concurrency(state, selected, distributed ? DISTRIBUTED_CONCURRENCY : INLINE_CONCURRENCY);
  const result = await go({ state, machine, name, iterations, width }, run);
  bounded(result, name);
  run.trail.add('MapStateSucceeded');
  return outcome(state, scope, result);
};

interface MapWork {
  state: State;
  machine: Machine;
  name: string;
  iterations: Iteration[];
  width: number;
}

function itemInput(state: State, selected: Scope, item: Json, index: number): Json {
  const template = state.ItemSelector ?? state.Parameters;
  if (template === undefined) return item;
  return fill(template, { input: selected.input, context: { ...selected.context, ...mapContext(item, index) } });
}

const mapContext = (item: Json, index: number): JsonObject => ({ Map: { Item: { Index: index, Value: item } } });

function concurrency(state: State, scope: Scope, cap: number): number {
  const path = state.MaxConcurrencyPath;
  const value = path === undefined ? (state.MaxConcurrency ?? 0) : evaluate(path, scope);
  return typeof value === 'number' && value > 0 ? Math.min(value, cap) : cap;
}

async function runInline(work: MapWork, run: Run): Promise<Json[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const results: Json[] = new Array(work.iterations.length).fill(null);
  let failure: StateError | undefined;
  await pool(work.iterations, work.width, signal, async ({ index, input, item }) => {
    const line = run.trail.fork();
    const details = { name: work.name, index };
    try {
      line.add('MapIterationStarted', details);
      const context = { ...run.context, ...mapContext(item, index) };
      results[index] = await run.sub(work.machine, input, { ...run, signal, trail: line, context });
      line.add('MapIterationSucceeded', details);
    } catch (error) {
      const aborted = error instanceof Aborted;
      line.add(aborted ? 'MapIterationAborted' : 'MapIterationFailed', details, true);
      if (!aborted) failure ??= toStateError(error);
      stop.abort();
    }
  });
  if (run.signal.aborted) throw new Aborted();
  if (failure === undefined) return results;
  run.trail.add('MapStateFailed', { error: failure.error, cause: failure.causeText }, true);
  throw failure;
}

async function runDistributed(work: MapWork, run: Run): Promise<Json[]> {
  const label = work.state.Label ?? work.name;
  const mapRunArn = `${childArn(run.context, label).replace(':execution:', ':mapRun:')}:${randomUUID()}`;
  run.trail.add('MapRunStarted', { mapRunArn });
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const results: Json[] = new Array(work.iterations.length).fill(null);
  const tolerated = toleratedFailures(work);
  let failures = 0;
  await pool(work.iterations, work.width, signal, async ({ index, input }) => {
    try {
      const context = childContext(run.context, label, input);
      results[index] = await run.sub(work.machine, input, { ...run, signal, trail: trail([]), context });
    } catch (error) {
      if (error instanceof Aborted) return;
      const { error: name, causeText } = toStateError(error);
      results[index] = { Error: name, Cause: causeText };
      failures++;
      if (failures > tolerated) stop.abort();
    }
  });
  if (run.signal.aborted) throw new Aborted();
  if (failures <= tolerated) {
    run.trail.add('MapRunSucceeded');
    return results;
  }
  // The parent learns that a child failed, never which error it raised.
  const error = 'States.ExceedToleratedFailureThreshold';
  const cause = 'The specified tolerated failure threshold was exceeded';
  run.trail.add('MapRunFailed', { error, cause }, true);
  run.trail.add('MapStateFailed', { error, cause }, true);
  throw new StateError(error, cause);
}

function toleratedFailures({ state, iterations }: MapWork): number {
  const byShare = Math.floor(((state.ToleratedFailurePercentage ?? 0) * iterations.length) / 100);
  return Math.max(state.ToleratedFailureCount ?? 0, byShare);
}

const executionOf = (context: JsonObject): JsonObject => (isObject(context['Execution']) ? context['Execution'] : {});

const childArn = (context: JsonObject, label: string): string =>
  `${String(executionOf(context)['Id']).split(':').slice(0, -1).join(':')}/${label}`;

function childContext(context: JsonObject, label: string, input: Json): JsonObject {
  const name = randomUUID();
  const Execution = { ...executionOf(context), Id: `${childArn(context, label)}:${name}`, Name: name, Input: input };
  return { ...context, Execution };
}

/** Runs `each` over the items, at most `width` at once, and starts no more when the signal fires. */
async function pool<T>(
  items: readonly T[],
  width: number,
  signal: AbortSignal,
  each: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      if (signal.aborted) return;
      await each(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
