import { isObject, type Json, type JsonObject } from '../wire/json.ts';
import { evaluate, find, type Scope } from './template.ts';

type Test = (value: Json, operand: Json) => boolean;

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
/** True for an ISO 8601 date and time with an offset, the only form that the language knows. */
export const isTimestamp = (value: Json): boolean => typeof value === 'string' && TIMESTAMP.test(value);

/** Comparisons of two values of one type: `StringLessThan`, `NumericEquals`, `TimestampGreaterThanEquals`, ... */
const KINDS: Readonly<Record<string, (value: Json) => string | number | undefined>> = {
  String: (value) => (typeof value === 'string' ? value : undefined),
  Numeric: (value) => (typeof value === 'number' ? value : undefined),
  Timestamp: (value) => (isTimestamp(value) ? Date.parse(String(value)) : undefined),
};
const ORDERS: Readonly<Record<string, (a: string | number, b: string | number) => boolean>> = {
  Equals: (a, b) => a === b,
  LessThan: (a, b) => a < b,
  GreaterThan: (a, b) => a > b,
  LessThanEquals: (a, b) => a <= b,
  GreaterThanEquals: (a, b) => a >= b,
};

const compare = (kind: string, order: string): Test => {
  return (value, operand) => {
    const a = KINDS[kind]?.(value);
    const b = KINDS[kind]?.(operand);
    return a !== undefined && b !== undefined && (ORDERS[order]?.(a, b) ?? false);
  };
};

/** `StringMatches`: `*` stands for any characters, `\*` for itself. */
const matchesPattern: Test = (value, operand) => {
  if (typeof value !== 'string' || typeof operand !== 'string') return false;
  const source = operand.replace(/\\\*|\*|[.+?^${}()|[\]\\]/g, (found) =>
    found === '*' ? '.*' : found === '\\*' ? '\\*' : `\\${found}`,
  );
  return new RegExp(`^${source}$`, 's').test(value);
};

const isType =
  (test: (value: Json) => boolean): Test =>
  (value, operand) =>
    test(value) === operand;

/** Comparison operators by name; `IsPresent` is apart because it alone takes an absent value. */
const TESTS: ReadonlyMap<string, Test> = new Map([
  ...Object.keys(KINDS).flatMap((kind) =>
    Object.keys(ORDERS).map((order): [string, Test] => [kind + order, compare(kind, order)]),
  ),
  ['StringMatches', matchesPattern],
  ['BooleanEquals', (value, operand) => typeof value === 'boolean' && value === operand],
  ['IsNull', isType((value) => value === null)],
  ['IsNumeric', isType((value) => typeof value === 'number')],
  ['IsString', isType((value) => typeof value === 'string')],
  ['IsBoolean', isType((value) => typeof value === 'boolean')],
  ['IsTimestamp', isType(isTimestamp)],
]);

/** True when a rule of a Choice state holds (Amazon States Language, "Choice State"). Throws when its variable is absent. */
export function holds(rule: JsonObject, scope: Scope): boolean {
  if (Array.isArray(rule['And'])) return rule['And'].every((inner) => isObject(inner) && holds(inner, scope));
  if (Array.isArray(rule['Or'])) return rule['Or'].some((inner) => isObject(inner) && holds(inner, scope));
  if (isObject(rule['Not'])) return !holds(rule['Not'], scope);
  const variable = String(rule['Variable']);
  if (typeof rule['IsPresent'] === 'boolean') return isPresent(variable, scope) === rule['IsPresent'];
  const operator = operatorOf(rule);
  const value = evaluate(variable, scope);
  const raw = rule[operator] ?? null;
  if (TESTS.has(operator)) return TESTS.get(operator)?.(value, raw) ?? false;
  return TESTS.get(operator.slice(0, -'Path'.length))?.(value, evaluate(String(raw), scope)) ?? false;
}

function isPresent(variable: string, scope: Scope): boolean {
  const found = find(variable, scope);
  return found !== undefined && !(Array.isArray(found) && found.length === 0 && /[*:?]|\.\./.test(variable));
}

/** The comparison operator of a rule, or '' when it has none. */
export function operatorOf(rule: JsonObject): string {
  const isOperator = (key: string) =>
    key === 'IsPresent' || TESTS.has(key) || (key.endsWith('Path') && TESTS.has(key.slice(0, -4)));
  return Object.keys(rule).find(isOperator) ?? '';
}
