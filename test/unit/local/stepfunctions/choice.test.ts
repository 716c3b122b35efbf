import { describe, expect, it } from 'vitest';
import { holds, operatorOf } from '../../../../local/stepfunctions/choice.ts';
import type { Json, JsonObject } from '../../../../local/wire/json.ts';

const DAY = '2026-01-30T10:00:00Z';
/** The same moment, said otherwise. */
const SAME_DAY = '2026-01-30T12:00:00.000+02:00';
const LATER = '2026-01-30T10:00:00.5Z';

const scope = (x: Json | undefined, y: Json = null) => ({
  input: x === undefined ? { y } : { x, y },
  context: { Execution: { Name: 'run' } },
});

/** By order: whether it holds for a smaller, an equal and a larger value. */
const ORDERS: readonly [string, boolean, boolean, boolean][] = [
  ['Equals', false, true, false],
  ['LessThan', true, false, false],
  ['LessThanEquals', true, true, false],
  ['GreaterThan', false, false, true],
  ['GreaterThanEquals', false, true, true],
];

describe.each([
  ['String', 'a', 'b', 'b', 'c', 5],
  ['Numeric', 1, 2, 2, 3, '2'],
  ['Timestamp', '2026-01-30T09:59:59Z', DAY, SAME_DAY, LATER, '2026-01-30'],
] as const)('%s', (kind, smaller, operand, equal, larger, other) => {
  it.each(ORDERS)('%s', (order, ...wanted) => {
    const of = (x: Json) => holds({ Variable: '$.x', [kind + order]: operand }, scope(x));

    expect([smaller, equal, larger].map(of)).toEqual(wanted);
    expect(of(other)).toBe(false);
  });

  it.each(ORDERS)('%sPath', (order, ...wanted) => {
    const of = (x: Json) => holds({ Variable: '$.x', [`${kind}${order}Path`]: '$.y' }, scope(x, operand));

    expect([smaller, equal, larger].map(of)).toEqual(wanted);
    expect(holds({ Variable: '$.x', [`${kind}${order}Path`]: '$.y' }, scope(equal, other))).toBe(false);
  });
});

describe('holds', () => {
  it.each<[JsonObject, Json | undefined, boolean]>([
    [{ StringMatches: 'a*z' }, 'a/b/z', true],
    [{ StringMatches: 'a*z' }, 'a\nz', true],
    [{ StringMatches: 'a*z' }, 'xaz', false],
    [{ StringMatches: 'a*z' }, 'azx', false],
    [{ StringMatches: 'a.z' }, 'abz', false],
    [{ StringMatches: 'a\\*' }, 'a*', true],
    [{ StringMatches: 'a\\*' }, 'ab', false],
    [{ StringMatches: '[a]+' }, '[a]+', true],
    [{ StringMatches: '*' }, 5, false],
    [{ StringMatches: 5 }, '5', false],
    [{ BooleanEquals: true }, true, true],
    [{ BooleanEquals: true }, false, false],
    [{ BooleanEquals: false }, false, true],
    [{ BooleanEquals: 'yes' }, 'yes', false],
    [{ IsNull: true }, null, true],
    [{ IsNull: true }, 0, false],
    [{ IsNull: false }, 0, true],
    [{ IsNumeric: true }, 0, true],
    [{ IsNumeric: true }, '0', false],
    [{ IsString: true }, '', true],
    [{ IsString: true }, 0, false],
    [{ IsBoolean: true }, false, true],
    [{ IsBoolean: true }, null, false],
    [{ IsTimestamp: true }, DAY, true],
    [{ IsTimestamp: true }, SAME_DAY, true],
    [{ IsTimestamp: true }, `x${DAY}`, false],
    [{ IsTimestamp: true }, `${DAY}x`, false],
    [{ IsTimestamp: true }, 1_769_767_200, false],
    [{ IsTimestamp: false }, 'yesterday', true],
    [{ IsPresent: true }, null, true],
    [{ IsPresent: true }, undefined, false],
    [{ IsPresent: false }, undefined, true],
    [{ IsPresent: false }, 1, false],
    [{ Near: 1 }, 1, false],
  ])('%j of %j: %s', (rule, x, wanted) => {
    expect(holds({ Variable: '$.x', ...rule }, scope(x))).toBe(wanted);
  });

  const yes = { Variable: '$.x', IsNumeric: true };
  const no = { Variable: '$.x', IsNumeric: false };
  it.each<[string, JsonObject, boolean]>([
    ['And of both', { And: [yes, yes] }, true],
    ['And of one', { And: [yes, no] }, false],
    ['And of what is no rule', { And: [yes, 'yes'] }, false],
    ['Or of one', { Or: [no, yes] }, true],
    ['Or of none', { Or: [no, no] }, false],
    ['Or of what is no rule', { Or: ['yes'] }, false],
    ['Not of one that holds', { Not: yes }, false],
    ['Not of one that does not', { Not: no }, true],
  ])('%s', (_name, rule, wanted) => {
    expect(holds(rule, scope(1))).toBe(wanted);
  });

  it.each([
    ['$$.Execution.Name', true],
    ['$$.Execution.Gone', false],
    ['$.x[*]', false],
    ['$.x[0:1]', false],
    ['$..gone', false],
    ['$.x', true],
  ])('looks whether %s is there: %s', (path, wanted) => {
    expect(holds({ Variable: path, IsPresent: true }, scope([]))).toBe(wanted);
  });

  it('reads the context object', () => {
    expect(holds({ Variable: '$$.Execution.Name', StringEquals: 'run' }, scope(1))).toBe(true);
  });

  it('fails when its variable is absent', () => {
    expect(() => holds({ Variable: '$.x', IsNull: true }, scope(undefined))).toThrow(
      "Invalid path '$.x' : No results for path: $['x']",
    );
  });
});

describe('operatorOf', () => {
  it.each([
    [{ Variable: '$.x', IsPresent: true }, 'IsPresent'],
    [{ Next: 'A', StringEquals: 'a' }, 'StringEquals'],
    [{ StringEqualsPath: '$.y' }, 'StringEqualsPath'],
    [{ NearPath: '$.y' }, ''],
    [{ Variable: '$.x' }, ''],
  ])('%j: %s', (rule, operator) => {
    expect(operatorOf(rule)).toBe(operator);
  });
});
