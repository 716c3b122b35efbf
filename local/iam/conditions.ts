import { isObject, type Json } from '../wire/json.ts';
import { fits, fitsArn } from './match.ts';

/** What is known of a request, by condition key in lower case; a key that is absent has no list. */
export type Context = Readonly<Record<string, readonly string[]>>;

/** All of them must hold. */
export type ConditionBlock = readonly Condition[];

interface Condition {
  readonly operator: Operator;
  readonly quantifier: 'one' | 'ForAllValues' | 'ForAnyValue';
  readonly ifExists: boolean;
  readonly key: string;
  readonly values: readonly string[];
}

interface Operator {
  /** One value of the request against one of the policy. */
  readonly test: (given: string, wanted: string) => boolean;
  /** Holds when no value of the policy fits. */
  readonly negated?: true;
}

const sameText = (given: string, wanted: string): boolean => given === wanted;
const sameLetters = (given: string, wanted: string): boolean => given.toLowerCase() === wanted.toLowerCase();
const like = (given: string, wanted: string): boolean => fits(wanted, given);
const likeArn = (given: string, wanted: string): boolean => fitsArn(wanted, given);

/** IAM User Guide, "IAM JSON policy elements: Condition operators". ArnEquals and ArnLike are the same there. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: { test: sameText },
  StringNotEquals: { test: sameText, negated: true },
  StringEqualsIgnoreCase: { test: sameLetters },
  StringNotEqualsIgnoreCase: { test: sameLetters, negated: true },
  StringLike: { test: like },
  StringNotLike: { test: like, negated: true },
  ArnEquals: { test: likeArn },
  ArnLike: { test: likeArn },
  ArnNotEquals: { test: likeArn, negated: true },
  ArnNotLike: { test: likeArn, negated: true },
  Bool: { test: sameLetters },
  /** Compared with whether the key is absent; see `holds`. */
  Null: { test: sameLetters },
  NumericEquals: { test: (given, wanted) => Number(given) === Number(wanted) },
  NumericLessThanEquals: { test: (given, wanted) => Number(given) <= Number(wanted) },
  NumericGreaterThanEquals: { test: (given, wanted) => Number(given) >= Number(wanted) },
};

/** Reads the Condition element of a statement. Throws TypeError for an operator that is not in the table. */
export function conditionsOf(element: Json | undefined): ConditionBlock {
  if (element === undefined) return [];
  if (!isObject(element)) throw new TypeError('a Condition is no object');
  return Object.entries(element).flatMap(([name, keys]) => {
    const [, prefix = 'one', base = '', ifExists] =
      /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(name) ?? [];
    const operator = OPERATORS[base];
    if (operator === undefined || !isObject(keys))
      throw new TypeError(`the condition operator ${name} is not known here`);
    return Object.entries(keys).map(([key, values]) => ({
      operator,
      quantifier: prefix as Condition['quantifier'],
      ifExists: ifExists !== undefined,
      key: key.toLowerCase(),
      values: (Array.isArray(values) ? values : [values]).map(String),
    }));
  });
}

/** True when every condition holds for a request. */
export const holdAll = (conditions: ConditionBlock, context: Context): boolean =>
  conditions.every((condition) => holds(condition, context));

function holds({ operator, quantifier, ifExists, key, values }: Condition, context: Context): boolean {
  const given = context[key] ?? [];
  if (operator === OPERATORS['Null']) return values.some((value) => sameLetters(String(given.length === 0), value));
  const { test, negated = false } = operator;
  const passes = (one: string): boolean => values.some((value) => test(one, value)) !== negated;
  if (quantifier === 'ForAllValues') return given.every(passes);
  if (quantifier === 'ForAnyValue') return given.some(passes);
  if (given.length === 0) return ifExists || negated;
  return negated ? given.every(passes) : given.some(passes);
}
