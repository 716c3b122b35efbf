/**
 * AWS's own recorded answers on Step Functions: which executions they hold, of which definition, with which input. The folder is
 * LocalStack's test data (Apache-2.0), laid beside the project; which record belongs to which definition is `definitions.json`.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import JSON5 from 'json5';
import type { Machine } from '../../../local/stepfunctions/definition.ts';
import { isObject, type Json, type JsonObject } from '../../../local/wire/json.ts';

/** One event of a recorded history. Strings that held JSON are JSON here; what differs per run is a placeholder. */
export interface RecordedEvent extends JsonObject {
  id: number;
  previousEventId: number;
  type: string;
}

/** One execution that AWS ran, or would not start. */
export interface RecordedExecution {
  /** Folder, file, class and test, with its parameter and the member of the record. */
  readonly name: string;
  readonly definition: Machine;
  readonly input: Json;
  /** When AWS answered. */
  readonly recorded: Date;
  /** What AWS's history says; absent when only the output was recorded. */
  readonly events?: readonly RecordedEvent[];
  readonly output?: Json;
}

/** What stands in the folder: executions with their definitions, and how many records have none. */
export interface Recorded {
  readonly executions: readonly RecordedExecution[];
  /** Records of histories whose definition is not in the folder. */
  readonly withoutDefinition: readonly string[];
}

type Undated = Omit<RecordedExecution, 'recorded'>;

type Row = string | { template: string; set?: [(string | number)[], Json][]; replace?: Record<string, string> };

const ROWS = new Map(
  Object.entries(
    JSON.parse(readFileSync(join(import.meta.dirname, 'definitions.json'), 'utf8')) as Record<string, Row>,
  ),
);

/** Reads the whole folder. Throws when a definition that is named is not there. */
export function readRecords(folder: string): Recorded {
  const executions: RecordedExecution[] = [];
  const withoutDefinition: string[] = [];
  for (const file of globSync('v2/**/*.snapshot.json', { cwd: folder }).sort()) {
    const records = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, JsonObject>;
    for (const [key, record] of Object.entries(records)) {
      const name = (key.split('stepfunctions/v2/')[1] ?? key).replace('.py::', ' ').replaceAll('::', ' ');
      const content = isObject(record['recorded-content']) ? record['recorded-content'] : {};
      const recorded = dateOf(String(record['recorded-date']));
      const found = [...histories(folder, name, content), ...comparisons(folder, name, content)];
      executions.push(...found.filter((each) => each !== undefined).map((each) => ({ ...each, recorded })));
      if (found.includes(undefined)) withoutDefinition.push(name);
    }
  }
  return { executions, withoutDefinition };
}

/** `13-11-2024, 15:09:11` */
function dateOf(text: string): Date {
  const [day, month, year] = text.split(/[-,]/);
  return new Date(`${year}-${month}-${day}`);
}

/** False for records of branches whose ids were taken out because their order is a matter of pace. */
export const hasOrder = (events: readonly RecordedEvent[]): boolean => events.every(({ id }) => typeof id === 'number');

/** Executions whose whole history was recorded; undefined stands for one whose definition is not in the folder. */
function histories(folder: string, name: string, content: JsonObject): (Undated | undefined)[] {
  return Object.entries(content).flatMap(([member, value]) => {
    const events = isObject(value) && Array.isArray(value['events']) ? (value['events'] as RecordedEvent[]) : [];
    const started = events.find((event) => event.type === 'ExecutionStarted');
    if (started === undefined || !/^(get_execution_history|exec_hist_resp)/.test(member)) return [];
    const row = ROWS.get(name) ?? ROWS.get(name.replace(/\[.*$/s, ''));
    if (row === undefined) return [undefined];
    const details = started['executionStartedEventDetails'];
    const given = isObject(details) ? (details['input'] ?? {}) : {};
    const input = typeof given === 'string' ? (JSON.parse(given) as Json) : given;
    const ordered = hasOrder(events) ? events.toSorted((a, b) => a.id - b.id) : events;
    return [{ name: `${name} ${member}`, definition: definitionOf(folder, row), input, events: ordered }];
  });
}

/** Comparisons of Choice states: one definition by operator, many inputs and their outputs. */
function comparisons(folder: string, name: string, content: JsonObject): Undated[] {
  if (!name.startsWith('choice_operators/') || !Array.isArray(content['cases'])) return [];
  const operator = operatorOf(name);
  return content['cases'].filter(isObject).map((each, index) => {
    const input = isObject(each['input']) ? each['input'] : {};
    const text = readFileSync(join(folder, 'templates/choiceoperators/statemachines/template.json5'), 'utf8')
      .replace('%ComparisonOperatorType%', operator)
      .replace('"$.Value"', () => (operator.endsWith('Path') ? '"$.Value"' : JSON.stringify(input['Value'])));
    return {
      name: `${name} ${index}`,
      definition: JSON5.parse<Machine>(text),
      input,
      output: each['output'] ?? null,
    };
  });
}

/** `test_numeric_less_than_equals_path` is about `NumericLessThanEqualsPath`. */
const operatorOf = (name: string): string =>
  (name.split(' ').at(-1) ?? '')
    .replace(/^test_/, '')
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');

function definitionOf(folder: string, row: Row): Machine {
  const { template, set = [], replace = {} } = typeof row === 'string' ? { template: row } : row;
  const file = join(folder, 'templates', `${template.replace('/', '/statemachines/')}.json5`);
  let text = readFileSync(file, 'utf8');
  for (const [from, to] of Object.entries(replace)) text = text.replaceAll(from, () => to);
  const machine = JSON5.parse<Machine>(text);
  for (const [path, value] of set) place(machine as unknown as Record<string | number, unknown>, path, value);
  return machine;
}

function place(root: Record<string | number, unknown>, path: (string | number)[], value: Json): void {
  const last = path.at(-1) ?? '';
  const parent = path.slice(0, -1).reduce((at, step) => at[step] as Record<string | number, unknown>, root);
  parent[last] = value;
}
