/** `npm run docs:workflow`: diagram and table of the import workflow, printed from its definition. */
import type { ChoiceState, State, States } from '../workflows/asl.ts';
import { importImage } from '../workflows/import-image.ts';
import { FUNCTIONS, type FunctionName } from '../workflows/topology.ts';
import { code, markdownTable, type PrintedSection, printSections } from './printed-section.ts';

const PAGE = 'docs/import.md';

/** The printed sections of the page about the import. */
export function workflowSections(): PrintedSection[] {
  return [
    { page: PAGE, name: 'diagram', text: diagram(importImage) },
    { page: PAGE, name: 'steps', text: stepsTable(importImage.States) },
  ];
}

interface Machine {
  readonly StartAt: string;
  readonly States: States;
}

/** A Mermaid flowchart: maps and parallel branches are boxes, failures are dotted lines. */
function diagram(machine: Machine): string {
  const lines = ['flowchart TD', `  start([start]) --> ${machine.StartAt}`, ...bodyOf(machine.States, '  ')];
  return ['```mermaid', ...lines, '```'].join('\n');
}

function bodyOf(states: States, indent: string): string[] {
  const entries = Object.entries(states);
  return [
    ...entries.flatMap(([name, state]) => nodeOf(name, state, indent)),
    ...entries.flatMap(([name, state]) => edgesOf(name, state).map((edge) => indent + edge)),
    ...failureEdges(states).map((edge) => indent + edge),
  ];
}

function nodeOf(name: string, state: State, indent: string): string[] {
  switch (state.Type) {
    case 'Map':
      return box(name, mapTitle(name, state), [state.ItemProcessor], indent);
    case 'Parallel':
      return box(name, `${name}: side by side`, state.Branches, indent);
    case 'Choice':
      return [`${indent}${name}{${name}}`];
    case 'Succeed':
    case 'Fail':
      return [`${indent}${name}([${name}])`];
    case 'Task':
    case 'Pass':
      return [`${indent}${name}[${name}]`];
  }
}

function mapTitle(name: string, { ItemsPath = '$', MaxConcurrency }: Extract<State, { Type: 'Map' }>): string {
  const pace = MaxConcurrency === 1 ? 'one after another' : `up to ${MaxConcurrency ?? 'all'} at once`;
  return `${name}: each of ${ItemsPath}, ${pace}`;
}

function box(name: string, title: string, parts: readonly Machine[], indent: string): string[] {
  const inside = parts.flatMap((part) => bodyOf(part.States, `${indent}  `));
  return [`${indent}subgraph ${name}["${title}"]`, ...inside, `${indent}end`];
}

function edgesOf(name: string, state: State): string[] {
  if (state.Type === 'Choice') return choiceEdges(name, state);
  return 'Next' in state && state.Next !== undefined ? [`${name} --> ${state.Next}`] : [];
}

function choiceEdges(name: string, { Choices, Default }: ChoiceState): string[] {
  const edges = Choices.map(({ Next, ...rule }) => `${name} -- "${ruleInWords(rule)}" --> ${String(Next)}`);
  return Default === undefined ? edges : [...edges, `${name} -- "otherwise" --> ${Default}`];
}

function ruleInWords({ Variable, ...test }: Readonly<Record<string, unknown>>): string {
  const [operator, operand] = Object.entries(test)[0] ?? [];
  return `${String(Variable)} ${operator} ${String(operand)}`;
}

/** One line for all states that catch the same to the same one. */
function failureEdges(states: States): string[] {
  const sources = new Map<string, string[]>();
  for (const [name, state] of Object.entries(states)) {
    const catchers = 'Catch' in state ? (state.Catch ?? []) : [];
    // What is caught under several names, for the same end, is one edge.
    const edges = catchers.map(
      ({ Next, ErrorEquals }) => `-. ${ErrorEquals.includes('StepTooLong') ? 'too long' : 'failure'} .-> ${Next}`,
    );
    for (const edge of new Set(edges)) sources.set(edge, [...(sources.get(edge) ?? []), name]);
  }
  return [...sources].map(([edge, names]) => `${names.join(' & ')} ${edge}`);
}

function stepsTable(states: States): string {
  const rows = tasksOf(states).map(([name, seconds, fn]) => {
    const { handler, memoryMiB, heavy } = FUNCTIONS[fn];
    const file = `${handler.slice(0, handler.lastIndexOf('.'))}.ts`;
    return [name, `[${code(file)}](../${file})`, `${seconds} s`, `${memoryMiB} MiB`, heavy ? 'yes' : ''];
  });
  return markdownTable(['State', 'Function', 'Time limit', 'Memory', 'Locally in a worker thread'], rows);
}

function tasksOf(states: States): [string, number, FunctionName][] {
  return Object.entries(states).flatMap(([name, state]): [string, number, FunctionName][] => {
    if (state.Type === 'Map') return tasksOf(state.ItemProcessor.States);
    if (state.Type === 'Parallel') return state.Branches.flatMap((branch) => tasksOf(branch.States));
    // A container runs what the function before it names.
    if (state.Type !== 'Task' || !state.Resource.endsWith(':lambda:invoke')) return [];
    const fn = /"\$\{Fn\.([\w-]+)\}"/.exec(JSON.stringify(state.Parameters))?.[1] as FunctionName;
    return [[name, state.TimeoutSeconds ?? 0, fn]];
  });
}

if (import.meta.main) await printSections(workflowSections());
