import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import { operatorOf } from './choice.ts';
import type { Machine, State } from './definition.ts';
import { parsePath } from './json-path.ts';
import { resourceOf } from './resources.ts';
import { ACTIONS } from './states.ts';
import { checkExpression, checkTemplate } from './template.ts';

const TERMINAL = new Set(['Succeed', 'Fail']);
const WITHOUT_NEXT = new Set([...TERMINAL, 'Choice']);
const PATHS = ['InputPath', 'OutputPath', 'ItemsPath', 'SecondsPath', 'TimestampPath', 'TimeoutSecondsPath'] as const;
const TEMPLATES = ['Parameters', 'ResultSelector', 'ItemSelector'] as const;
/** Fields that belong to features this interpreter does not have; running such a state as if they were absent would mislead. */
const UNSUPPORTED = ['ItemReader', 'ItemBatcher', 'ResultWriter', 'Assign', 'Arguments', 'Output'];

/**
 * What is wrong with a definition, one sentence each; empty when it can run. Refuses what AWS refuses (bad targets,
 * unreachable resources, unreadable paths) and what this interpreter does not have, so that nothing is silently ignored.
 */
export function problemsOf(definition: unknown): string[] {
  const problems: string[] = [];
  checkMachine(definition, '', problems, new Set());
  return problems;
}

function checkMachine(value: unknown, where: string, problems: string[], names: Set<string>): void {
  if (!isObject(value) || typeof value['StartAt'] !== 'string' || !isObject(value['States'])) {
    problems.push(`${where || 'the definition'} needs StartAt and States`);
    return;
  }
  if (value['QueryLanguage'] !== undefined && value['QueryLanguage'] !== 'JSONPath') {
    problems.push(`${where || 'the definition'}: only the query language JSONPath is supported`);
  }
  const machine = value as unknown as Machine;
  const states = Object.entries(machine.States);
  if (!Object.hasOwn(machine.States, machine.StartAt)) problems.push(`StartAt names no state: ${machine.StartAt}`);
  for (const [name, state] of states) {
    if (names.has(name)) problems.push(`the state name '${name}' is used twice`);
    names.add(name);
    checkState(name, state, machine, problems, names);
  }
}

function checkState(name: string, state: State, machine: Machine, problems: string[], names: Set<string>): void {
  const report = (text: string) => problems.push(`state '${name}': ${text}`);
  if (!isObject(state) || !ACTIONS.has(String(state.Type))) {
    report(`unknown type ${String((state as unknown as JsonObject)?.['Type'])}`);
    return;
  }
  for (const field of UNSUPPORTED) if (Object.hasOwn(state, field)) report(`${field} is not supported`);
  checkTargets(state, machine, report);
  checkExpressions(state, report);
  if (state.Type === 'Task' && resourceOf(state.Resource ?? '') === undefined) {
    report(`the resource ${state.Resource} is not supported`);
  }
  for (const branch of state.Branches ?? []) checkMachine(branch, `a branch of '${name}'`, problems, names);
  const processor = state.ItemProcessor ?? state.Iterator;
  if (state.Type === 'Map') checkMachine(processor, `the ItemProcessor of '${name}'`, problems, names);
}

function checkTargets(state: State, machine: Machine, report: (text: string) => void): void {
  const targets = [
    state.Next,
    state.Default,
    ...(state.Choices ?? []).map((rule) => rule['Next']),
    ...(state.Catch ?? []).map((catcher) => catcher.Next),
  ];
  for (const target of targets) {
    if (target !== undefined && !Object.hasOwn(machine.States, String(target))) report(`there is no state '${target}'`);
  }
  const ends = (state.Next !== undefined ? 1 : 0) + (state.End === true ? 1 : 0);
  if (!WITHOUT_NEXT.has(state.Type) && ends !== 1) report('it needs either Next or End');
  if (state.Type === 'Choice' && (state.Choices ?? []).length === 0) report('it needs Choices');
}

function checkExpressions(state: State, report: (text: string) => void): void {
  const attempt = (check: () => unknown) => {
    try {
      check();
    } catch (error) {
      report(error instanceof Error ? error.message : String(error));
    }
  };
  for (const field of PATHS) {
    const path = state[field];
    if (typeof path === 'string') attempt(() => checkExpression(path));
  }
  for (const field of TEMPLATES) {
    const template = state[field];
    if (template !== undefined) attempt(() => checkTemplate(template));
  }
  for (const path of [state.ResultPath, ...(state.Catch ?? []).map((catcher) => catcher.ResultPath)]) {
    if (typeof path === 'string') attempt(() => checkReference(path));
  }
  for (const rule of state.Choices ?? []) attempt(() => checkRule(rule));
}

function checkReference(path: string): void {
  if (!parsePath(path).isReference) throw new Error(`ResultPath ${path} is not a reference path`);
}

function checkRule(rule: JsonObject): void {
  const inner: Json[] = [rule['And'], rule['Or']].find(Array.isArray) ?? (isObject(rule['Not']) ? [rule['Not']] : []);
  if (inner.length > 0) {
    for (const each of inner) if (isObject(each)) checkRule(each);
    return;
  }
  if (operatorOf(rule) === '') throw new Error(`a rule has no known operator: ${JSON.stringify(rule)}`);
  checkExpression(String(rule['Variable']));
}
