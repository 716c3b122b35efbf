import type { Json } from '../wire/json.ts';
import type { State } from './definition.ts';
import { writePath } from './json-path.ts';
import type { Outcome } from './run.ts';
import { evaluate, fill, type Scope } from './template.ts';

/** The scope after InputPath. */
export function selectInput(state: State, scope: Scope): Scope {
  if (state.InputPath === undefined) return scope;
  return { ...scope, input: state.InputPath === null ? {} : evaluate(state.InputPath, scope) };
}

/** The scope after InputPath and Parameters: what a task receives. */
export function effectiveInput(state: State, scope: Scope): Json {
  const selected = selectInput(state, scope);
  return state.Parameters === undefined ? selected.input : fill(state.Parameters, selected);
}

/** Applies ResultSelector, ResultPath and OutputPath to what a state produced. */
export function outcome(state: State, scope: Scope, raw: Json): Outcome {
  const result = state.ResultSelector === undefined ? raw : fill(state.ResultSelector, { ...scope, input: raw });
  const combined = place(state.ResultPath, scope.input, result);
  return { output: selectOutput(state, scope, combined), next: state.Next };
}

/** Puts a result into the state's raw input as a ResultPath says: absent replaces it, null drops the result. */
export function place(resultPath: string | null | undefined, input: Json, result: Json): Json {
  if (resultPath === undefined || resultPath === '$') return result;
  return resultPath === null ? input : writePath(resultPath, input, result);
}

/** Applies OutputPath. */
export function selectOutput(state: State, scope: Scope, value: Json): Json {
  if (state.OutputPath === undefined) return value;
  return state.OutputPath === null ? {} : evaluate(state.OutputPath, { ...scope, input: value });
}
