import { OWNERSHIP, RULES, type RuleDefault } from './defaults.ts';
import type { Expression } from './expression.ts';
import { parseRule } from './parse.ts';
import { PolicyError } from './policy-file.ts';

export interface RuleSetOptions {
  /** Rules of the operator's files, later ones over earlier ones. */
  readonly overrides?: ReadonlyMap<string, Expression>;
  /** `enforce_new_defaults` */
  readonly newDefaults: boolean;
  /** `policy_default_rule` */
  readonly defaultRule: string;
}

export interface RuleSet {
  /** By name, falling back to the default rule; undefined when there is neither. */
  readonly find: (name: string) => Expression | undefined;
  readonly has: (name: string) => boolean;
  /** Names in the operator's file that the service does not know and no rule uses: typing mistakes, most likely. */
  readonly unused: readonly string[];
}

/**
 * The rules that hold: defaults, overrides, and the two switches.
 * @throws PolicyError when rules refer to each other in a circle, or to a rule that does not exist.
 */
export function buildRules(options: RuleSetOptions): RuleSet {
  const { overrides = new Map<string, Expression>(), defaultRule } = options;
  const rules = new Map<string, Expression>();
  for (const [name, rule] of Object.entries<RuleDefault>(RULES))
    rules.set(name, overrides.get(name) ?? defaultOf(rule, options.newDefaults));
  for (const [name, rule] of overrides) rules.set(name, rule);
  checkReferences(rules);
  refuseCircles(rules);
  // After the checks, which speak of what the operator wrote.
  if (!options.newDefaults)
    for (const [name, ownership] of Object.entries(OWNERSHIP)) {
      const rule = rules.get(name);
      if (rule !== undefined) rules.set(name, { kind: 'and', of: [rule, parseRule(ownership)] });
    }
  const used = new Set([...rules.values()].flatMap(referencesOf));
  return {
    find: (name) => rules.get(name) ?? rules.get(defaultRule),
    has: (name) => rules.has(name),
    unused: [...overrides.keys()].filter((name) => !Object.hasOwn(RULES, name) && !used.has(name)),
  };
}

function defaultOf({ check, deprecated }: RuleDefault, newDefaults: boolean): Expression {
  const current = parseRule(check);
  return newDefaults || deprecated === undefined ? current : { kind: 'or', of: [current, parseRule(deprecated)] };
}

/** The original lets a missing rule fall to `default`, which allows everything: here it is a mistake. */
function checkReferences(rules: ReadonlyMap<string, Expression>): void {
  for (const [name, rule] of rules) {
    const missing = referencesOf(rule).find((reference) => !rules.has(reference));
    if (missing !== undefined)
      throw new PolicyError(`policy: rule "${name}" refers to "rule:${missing}", which does not exist`);
  }
}

function refuseCircles(rules: ReadonlyMap<string, Expression>): void {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name))
      throw new PolicyError(
        `policy: rules refer to each other in a circle: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`,
      );
    const rule = rules.get(name);
    if (rule === undefined || done.has(name)) return;
    for (const next of referencesOf(rule)) visit(next, [...path, name]);
    done.add(name);
  };
  for (const name of rules.keys()) visit(name, []);
}

function referencesOf(expression: Expression): string[] {
  switch (expression.kind) {
    case 'rule':
      return [expression.name];
    case 'not':
      return referencesOf(expression.of);
    case 'and':
    case 'or':
      return expression.of.flatMap(referencesOf);
    case 'constant':
    case 'role':
    case 'remote':
    case 'equals':
      return [];
  }
}
