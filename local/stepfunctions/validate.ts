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
/** Fields of features that this interpreter does not have; running such a state as if they were absent would mislead. */
const UNSUPPORTED = [
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'Assign',
  'Arguments',
  'Output',
  'Items',
  'Credentials',
];
/** The same in a rule of a Choice state and in a catcher. */
const UNSUPPORTED_INSIDE = ['Assign', 'Output', 'Condition'];

const INVOKE_PARAMETERS = new Set(['FunctionName', 'Payload']);

/** One sentence about a definition: it is wrong, or it needs what is not here. */
interface Finding {
  text: string;
  kind: 'wrong' | 'unsupported';
}

/**
 * What is wrong with a definition, one sentence each; empty when it can run. Refuses what AWS refuses (bad targets,
 * unreachable resources, unreadable paths) and what this interpreter does not have, so that nothing is silently ignored.
 */
export const problemsOf = (definition: unknown): string[] => findingsOf(definition).map(({ text }) => text);

/** Of these, what AWS would run and this interpreter does not: query languages, fields, kinds of resources. */
export const unsupportedIn = (definition: unknown): string[] =>
  findingsOf(definition)
    .filter(({ kind }) => kind === 'unsupported')
    .map(({ text }) => text);

function findingsOf(definition: unknown): Finding[] {
  const findings: Finding[] = [];
  checkMachine(definition, '', findings, new Set());
  return findings;
}

function checkMachine(value: unknown, where: string, findings: Finding[], names: Set<string>): void {
  const place = where || 'the definition';
  if (!isObject(value) || typeof value['StartAt'] !== 'string' || !isObject(value['States'])) {
    findings.push({ kind: 'wrong', text: `${place} needs StartAt and States` });
    return;
  }
  if (value['QueryLanguage'] !== undefined && value['QueryLanguage'] !== 'JSONPath') {
    findings.push({ kind: 'unsupported', text: `${place}: only the query language JSONPath is supported` });
  }
  const machine = value as unknown as Machine;
  const states = Object.entries(machine.States);
  if (!Object.hasOwn(machine.States, machine.StartAt)) {
    findings.push({ kind: 'wrong', text: `StartAt names no state: ${machine.StartAt}` });
  }
  for (const [name, state] of states) {
    if (names.has(name)) findings.push({ kind: 'wrong', text: `the state name '${name}' is used twice` });
    names.add(name);
    checkState(name, state, machine, findings, names);
  }
}

function checkState(name: string, state: State, machine: Machine, findings: Finding[], names: Set<string>): void {
  const report = (text: string, kind: Finding['kind'] = 'wrong') =>
    findings.push({ kind, text: `state '${name}': ${text}` });
  if (!isObject(state) || !ACTIONS.has(String(state.Type))) {
    report(`unknown type ${String((state as unknown as JsonObject)?.['Type'])}`);
    return;
  }
  for (const text of missingIn(state)) report(text, 'unsupported');
  checkTargets(state, machine, report);
  checkExpressions(state, report);
  for (const branch of state.Branches ?? []) checkMachine(branch, `a branch of '${name}'`, findings, names);
  const processor = state.ItemProcessor ?? state.Iterator;
  if (state.Type === 'Map') checkMachine(processor, `the ItemProcessor of '${name}'`, findings, names);
}

function missingIn(state: State): string[] {
  const has = (value: unknown, field: string) => isObject(value as Json) && Object.hasOwn(value as JsonObject, field);
  const inside = [...(state.Choices ?? []), ...(state.Catch ?? [])];
  const parameters = isObject(state.Parameters) ? Object.keys(state.Parameters) : [];
  const isInvoke = /:states:::lambda:invoke/.test(state.Resource ?? '');
  const language = (state as unknown as JsonObject)['QueryLanguage'];
  return [
    ...UNSUPPORTED.filter((field) => has(state, field)).map((field) => `${field} is not supported`),
    ...UNSUPPORTED_INSIDE.filter((field) => inside.some((each) => has(each, field))).map(
      (field) => `${field} is not supported`,
    ),
    ...parameters
      .filter((name) => isInvoke && !INVOKE_PARAMETERS.has(name.replace(/\.\$$/, '')))
      .map((name) => `the parameter ${name} of lambda:invoke is not supported`),
    ...(language === undefined || language === 'JSONPath' ? [] : ['only the query language JSONPath is supported']),
    ...(state.Type !== 'Task' || resourceOf(state.Resource ?? '') !== undefined
      ? []
      : [`the resource ${state.Resource} is not supported`]),
  ];
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

/** A filter in a JSONPath, `[?(…)]`: AWS has it. */
const FILTER = /\[\?/;

function checkExpressions(state: State, report: (text: string, kind?: Finding['kind']) => void): void {
  const attempt = (check: () => unknown) => {
    try {
      check();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      report(text, FILTER.test(text) ? 'unsupported' : 'wrong');
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
