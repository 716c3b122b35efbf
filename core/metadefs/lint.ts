/**
 * Checks custom properties against the catalog. Advice only: the catalog binds nobody (contract: properties.md), and a property
 * that nothing like it is known of is a property of somebody's own: it is named, and nothing is wrong with it.
 */
import { meantBy } from './aliases.ts';
import type { Definition } from './namespace.ts';
import { nearest } from './nearest.ts';

/** One definition of a property, its name with the prefix that it has on images. */
export interface KnownProperty {
  readonly name: string;
  readonly namespace: string;
  readonly definition: Definition;
}

export interface Finding {
  /**
   * `value`: the property is known and does not take this value. `name`: it is unknown and looks like one that is known. `unknown`: it is
   * not in the catalog, nor looks like what is.
   */
  readonly kind: 'value' | 'name' | 'unknown';
  readonly property: string;
  readonly value: string;
  /** A sentence that names property, value and what is expected. */
  readonly message: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** Written by services and clients, never by people. */
const NOT_LINTED = /^(?:os_glance|owner_specified\.)/;

/** Properties that are one for each of something, which no catalog lists: a trait is required or not named at all. */
const FAMILIES: readonly { readonly names: RegExp; readonly definition: Definition }[] = [
  { names: /^trait:[A-Z][A-Z0-9_]*$/, definition: { title: 'Trait', type: 'string', enum: ['required'] } },
  {
    names: /^hw_numa_cpus\.\d+$/,
    definition: { title: 'CPUs of a Node', type: 'string', pattern: '^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$' },
  },
  { names: /^hw_numa_mem\.\d+$/, definition: { title: 'Memory of a Node', type: 'integer', minimum: 1 } },
];

/** Findings in the order of the properties' names. */
export function lintProperties(
  properties: Readonly<Record<string, string | null>>,
  catalog: readonly KnownProperty[],
): Finding[] {
  const known = Map.groupBy(catalog, ({ name }) => name);
  const names = [...known.keys()];
  return Object.entries(properties)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([property, value]) => {
      if (value === null || NOT_LINTED.test(property)) return [];
      const definitions = known.get(property) ?? familyOf(property);
      const finding =
        definitions === undefined ? lintName(property, value, names) : lintValue(property, value, definitions);
      return finding === undefined ? [] : [finding];
    });
}

function familyOf(property: string): readonly KnownProperty[] | undefined {
  const family = FAMILIES.find(({ names }) => names.test(property));
  return family && [{ name: property, namespace: 'Nova', definition: family.definition }];
}

function lintName(property: string, value: string, names: readonly string[]): Finding {
  const suggestion = nearest(property, names);
  if (suggestion === undefined)
    return { kind: 'unknown', property, value, message: `${property} is not in the catalog` };
  const message = `${property} is not in the catalog; ${suggestion} is`;
  return { kind: 'name', property, value, message, suggestion };
}

/** A value is good when one of the definitions that restrict it takes it; those that restrict nothing do not count. */
function lintValue(property: string, value: string, known: readonly KnownProperty[]): Finding | undefined {
  const complaints = known
    .map(({ definition, namespace }) => ({ namespace, verdict: judge(definition, withoutOperator(definition, value)) }))
    .filter(({ verdict }) => verdict !== 'unrestricted');
  if (complaints.length === 0 || complaints.some(({ verdict }) => verdict === 'fits')) return undefined;
  const choices = known.flatMap(({ definition }) => (definition['enum'] as readonly string[] | undefined) ?? []);
  const meant = meantBy(property, value);
  const suggestion = meant !== undefined && choices.includes(meant) ? meant : nearest(value, choices);
  const [first] = complaints;
  const message = `${property}: ${JSON.stringify(value)} ${first?.verdict} (${first?.namespace})`;
  return { kind: 'value', property, value, message, ...(suggestion !== undefined && { suggestion }) };
}

/** Properties of flavors may begin with an operator, such as `<in> `. */
function withoutOperator(definition: Definition, value: string): string {
  const operators = (definition['operators'] as readonly string[] | undefined) ?? [];
  const found = operators.find((operator) => value.startsWith(`${operator} `));
  return found === undefined ? value : value.slice(found.length + 1).trim();
}

type Verdict = 'fits' | 'unrestricted' | `is ${string}` | `does ${string}`;
/** A restriction and what is wrong when it does not hold; undefined when the definition does not have it. */
type Check = (definition: Definition, value: string) => Verdict | undefined;

const CHECKS: readonly Check[] = [
  ({ type }, value) => {
    const rule = TYPES[String(type)];
    if (rule === undefined) return undefined;
    return rule.pattern.test(value) ? 'fits' : `is not ${rule.words}`;
  },
  (definition, value) => {
    const choices = definition['enum'] as readonly string[] | undefined;
    if (choices === undefined) return undefined;
    return choices.includes(value) ? 'fits' : `is not one of ${choices.join(', ')}`;
  },
  ({ pattern }, value) => {
    if (typeof pattern !== 'string') return undefined;
    return new RegExp(pattern.replaceAll('(?P<', '(?<')).test(value) ? 'fits' : `does not match ${pattern}`;
  },
  ({ minimum }, value) => bound(minimum, (limit) => Number(value) >= limit, 'less than'),
  ({ maximum }, value) => bound(maximum, (limit) => Number(value) <= limit, 'more than'),
  ({ minLength }, value) => bound(minLength, (limit) => [...value].length >= limit, 'shorter than'),
  ({ maxLength }, value) => bound(maxLength, (limit) => [...value].length <= limit, 'longer than'),
];

/** Values of image properties are texts, whatever they mean. */
const TYPES: Readonly<Record<string, { readonly pattern: RegExp; readonly words: string }>> = {
  integer: { pattern: /^[+-]?\d+$/, words: 'a whole number' },
  number: { pattern: /^[+-]?\d+(?:\.\d+)?$/, words: 'a number' },
  boolean: { pattern: /^(?:true|false|yes|no)$/i, words: 'true or false' },
};

function bound(limit: unknown, holds: (limit: number) => boolean, words: string): Verdict | undefined {
  if (typeof limit !== 'number') return undefined;
  return holds(limit) ? 'fits' : `is ${words} ${limit}`;
}

function judge(definition: Definition, value: string): Verdict {
  const verdicts = CHECKS.map((check) => check(definition, value)).filter((verdict) => verdict !== undefined);
  return verdicts.find((verdict) => verdict !== 'fits') ?? (verdicts.length > 0 ? 'fits' : 'unrestricted');
}
