import { isObject, type Json, type JsonObject } from '../wire/json.ts';

/** Whether one value of an event satisfies an operand. `undefined` is an absent field. */
type Matcher = (value: Json | undefined, operand: Json) => boolean;

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const fold = (operand: Json): string | undefined =>
  isObject(operand) ? text(operand['equals-ignore-case'])?.toLowerCase() : undefined;

const prefix: Matcher = (value, operand) => {
  const folded = fold(operand);
  if (folded !== undefined) return text(value)?.toLowerCase().startsWith(folded) ?? false;
  return text(value)?.startsWith(String(operand)) ?? false;
};

const suffix: Matcher = (value, operand) => {
  const folded = fold(operand);
  if (folded !== undefined) return text(value)?.toLowerCase().endsWith(folded) ?? false;
  return text(value)?.endsWith(String(operand)) ?? false;
};

const wildcard: Matcher = (value, operand) => {
  const source = String(operand)
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(text(value) ?? '\u0000');
};

const ORDERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const numeric: Matcher = (value, operand) => {
  if (typeof value !== 'number' || !Array.isArray(operand)) return false;
  for (let at = 0; at < operand.length; at += 2) {
    if (!(ORDERS[String(operand[at])]?.(value, Number(operand[at + 1])) ?? false)) return false;
  }
  return true;
};

const anythingBut: Matcher = (value, operand) => {
  if (value === undefined) return false;
  if (isObject(operand)) {
    const [name = '', inner = null] = Object.entries(operand)[0] ?? [];
    const list = Array.isArray(inner) ? inner : [inner];
    return !list.some((each) => MATCHERS[name]?.(value, each) ?? false);
  }
  return !(Array.isArray(operand) ? operand : [operand]).includes(value);
};

const MATCHERS: Readonly<Record<string, Matcher>> = {
  prefix,
  suffix,
  wildcard,
  numeric,
  'anything-but': anythingBut,
  exists: (value, operand) => (value !== undefined) === operand,
  'equals-ignore-case': (value, operand) => text(value)?.toLowerCase() === String(operand).toLowerCase(),
};

/** True when an event matches a pattern (Amazon EventBridge User Guide, "Comparison operators"). */
export function matches(pattern: JsonObject, event: Json | undefined): boolean {
  return Object.entries(pattern).every(([name, wanted]) => {
    if (name === '$or' && Array.isArray(wanted)) {
      return wanted.some((branch) => isObject(branch) && matches(branch, event));
    }
    const value = isObject(event) ? event[name] : undefined;
    if (isObject(wanted)) {
      const nested = Array.isArray(value) ? value : [value];
      return nested.some((each) => matches(wanted, each));
    }
    return Array.isArray(wanted) && matchesAny(wanted, value);
  });
}

/** A field matches when one of its values satisfies one of the rules; an array field offers each of its items. */
function matchesAny(rules: readonly Json[], value: Json | undefined): boolean {
  const values = Array.isArray(value) && value.length > 0 ? value : [value];
  return rules.some((rule) => values.some((each) => matchesRule(rule, each)));
}

function matchesRule(rule: Json, value: Json | undefined): boolean {
  if (!isObject(rule)) return rule === value;
  const [name = '', operand = null] = Object.entries(rule)[0] ?? [];
  return MATCHERS[name]?.(value, operand) ?? false;
}

/** What is wrong with a pattern, or undefined. */
export function patternProblem(pattern: Json, where = 'the pattern'): string | undefined {
  if (!isObject(pattern) || Object.keys(pattern).length === 0) return `${where} is not an object with fields`;
  for (const [name, wanted] of Object.entries(pattern)) {
    const problem = fieldProblem(name, wanted);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function fieldProblem(name: string, wanted: Json): string | undefined {
  if (name === '$or') {
    const branches = Array.isArray(wanted) ? wanted : [];
    return branches.length < 2 ? '$or needs two patterns' : firstProblem(branches.map((b) => patternProblem(b, name)));
  }
  if (isObject(wanted)) return patternProblem(wanted, name);
  if (!Array.isArray(wanted) || wanted.length === 0) return `"${name}" must be an object or an array`;
  return firstProblem(
    wanted.map((rule) => {
      const operator = isObject(rule) ? Object.keys(rule)[0] : undefined;
      return isObject(rule) && MATCHERS[operator ?? ''] === undefined
        ? `unknown operator ${operator} in "${name}"`
        : undefined;
    }),
  );
}

const firstProblem = (problems: (string | undefined)[]): string | undefined =>
  problems.find((problem) => problem !== undefined);
