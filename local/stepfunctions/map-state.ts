import { randomUUID } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import type { Machine, State } from './definition.ts';
import { type Trail, trail } from './history.ts';
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
  const distributed = machine.ProcessorConfig?.Mode === 'DISTRIBUTED';
  const go = distributed ? runDistributed : runInline;
  const width = concurrency(state, selected, distributed ? DISTRIBUTED_CONCURRENCY : INLINE_CONCURRENCY);
  run.trail.add('MapStateStarted', { length: iterations.length });
  const tolerated = distributed ? toleratedFailures(state, selected, iterations.length) : 0;
  const result = await go({ state, machine, name, iterations, width, tolerated }, run);
  bounded(result, name);
  return outcome(state, scope, result);
};

interface MapWork {
  state: State;
  machine: Machine;
  name: string;
  iterations: Iteration[];
  width: number;
  /** Children that may fail before a distributed map does. */
  tolerated: number;
}

function itemInput(state: State, selected: Scope, item: Json, index: number): Json {
  const template = state.ItemSelector ?? state.Parameters;
  if (template === undefined) return item;
  return fill(template, { input: selected.input, context: { ...selected.context, ...mapContext(item, index) } });
}

const mapContext = (item: Json, index: number): JsonObject => ({ Map: { Item: { Index: index, Value: item } } });

function concurrency(state: State, scope: Scope, cap: number): number {
  const value = integerAt('MaxConcurrency', state, scope);
  return value > 0 ? Math.min(value, cap) : cap;
}

type Limit = 'MaxConcurrency' | 'ToleratedFailureCount' | 'ToleratedFailurePercentage';

/** A limit of a Map state, fixed or by its path; 0 when it has none. */
function numberAt(field: Limit, state: State, scope: Scope, kind: string, isValid: (value: number) => boolean): number {
  const path = state[`${field}Path`];
  if (path === undefined) return state[field] ?? 0;
  const value = evaluate(path, scope);
  if (typeof value === 'number' && isValid(value)) return value;
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  const text = `The ${field}Path field refers to value "${shown}" which is not a valid ${kind}: ${path}`;
  throw new StateError('States.Runtime', text);
}

const integerAt = (field: Limit, state: State, scope: Scope): number =>
  numberAt(field, state, scope, 'integer', Number.isInteger);

async function runInline(work: MapWork, run: Run): Promise<Json[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const results: Json[] = new Array(work.iterations.length).fill(null);
  let failure: StateError | undefined;
  let ended: Trail | undefined;
  await pool(work.iterations, work.width, signal, async ({ index, input, item }) => {
    const line = run.trail.fork();
    const details = { name: work.name, index };
    try {
      line.add('MapIterationStarted', details);
      const context = { ...run.context, ...mapContext(item, index) };
      results[index] = await run.sub(work.machine, input, { ...run, signal, trail: line, context });
      line.add('MapIterationSucceeded', details);
      ended = line;
    } catch (error) {
      const aborted = error instanceof Aborted;
      line.note(aborted ? 'MapIterationAborted' : 'MapIterationFailed', details, true);
      if (!aborted && failure === undefined) {
        failure = toStateError(error);
        run.trail.join(line);
      }
      stop.abort();
    }
  });
  if (run.signal.aborted) throw new Aborted();
  if (failure !== undefined) throw failure.as({ event: 'MapStateFailed' });
  if (ended !== undefined) run.trail.join(ended);
  run.trail.note('MapStateSucceeded');
  return results;
}

async function runDistributed(work: MapWork, run: Run): Promise<Json[]> {
  const label = work.state.Label ?? work.name;
  const mapRunArn = `${childArn(run.context, label).replace(':execution:', ':mapRun:')}:${randomUUID()}`;
  run.trail.add('MapRunStarted', { mapRunArn });
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const results: Json[] = new Array(work.iterations.length).fill(null);
  let failures = 0;
  await pool(work.iterations, work.width, signal, async ({ index, input }) => {
    try {
      const context = childContext(run.context, label, input);
      results[index] = await run.sub(work.machine, input, { ...run, signal, trail: trail([]), context });
    } catch (error) {
      if (error instanceof Aborted) return;
      results[index] = toStateError(error).report;
      failures++;
      if (failures > work.tolerated) stop.abort();
    }
  });
  if (run.signal.aborted) throw new Aborted();
  if (failures <= work.tolerated) {
    const beside = run.trail.fork();
    beside.add('MapRunSucceeded');
    beside.add('MapStateSucceeded');
    return results;
  }
  // The parent learns that a child failed, never which error it raised.
  const error = 'States.ExceedToleratedFailureThreshold';
  const cause = 'The specified tolerated failure threshold was exceeded';
  run.trail.add('MapRunFailed', { error, cause }, true);
  throw new StateError(error, cause, { event: 'MapStateFailed' });
}

function toleratedFailures(state: State, scope: Scope, items: number): number {
  const count = integerAt('ToleratedFailureCount', state, scope);
  const percentage = numberAt('ToleratedFailurePercentage', state, scope, 'float', () => true);
  if (count < 0) throw new StateError('States.Runtime', 'ToleratedFailureCount cannot be negative.');
  if (percentage < 0 || percentage > 100) {
    throw new StateError('States.Runtime', 'ToleratedFailurePercentage must be between 0 and 100.');
  }
  return Math.max(count, Math.floor((percentage * items) / 100));
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
