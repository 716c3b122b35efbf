import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../../core/policy/evaluate.ts';
import { type Expression, PolicySyntaxError } from '../../../../core/policy/expression.ts';
import { parseListRule, parseRule } from '../../../../core/policy/parse.ts';
import { callerWith } from '../../../support/caller.ts';

const remote = () => Promise.resolve(false);

/** The verdict of a rule for a caller who has exactly these roles. */
function holds(expression: Expression, roles: readonly string[] = [], target: Record<string, unknown> = {}) {
  return evaluate(expression, { rule: 'test', target, caller: callerWith({ roles }), find: () => undefined, remote });
}

describe('parseRule', () => {
  it.each([
    ['', true],
    ['   ', true],
    ['@', true],
    ['!', false],
    ['role:a', true],
    ['role:A', true],
    ['role:c', false],
    ['not role:c', true],
    ['NOT role:c AND role:a', true],
    ['not role:a or role:b', true],
    ['not (role:a or role:b)', false],
    ['role:a or role:b and role:c', true],
    ['(role:a or role:b) and role:c', false],
    ['role:c and role:a or role:b', true],
    ['((role:a))', true],
    ['( role:a )', true],
    ['not not_a_keyword:x', true],
    ["'x':x", true],
    ["'x':y", false],
    ['True:True', true],
    ['None:None', true],
    ['1:1', true],
    ['1.5:1.5', true],
    ['user_id:u1', true],
    ['user_id:a:b', false],
    ['nothing:x', false],
    ['roles:b', true],
    ['roles.x:b', false],
    ['is_admin:True', false],
    ['domain_id:None', true],
    ['100%%:x', false],
  ])('%j is %s', (rule, expected) => {
    expect(holds(parseRule(rule), ['a', 'b'])).toBe(expected);
  });

  it.each([
    ['role:%(who)s', { who: 'A' }, true],
    ['user_id:%(owner)s', { owner: 'u1' }, true],
    ['user_id:%(owner)s', {}, false],
    ['user_id:%(toString)s', {}, false],
    ['domain_id:%(owner)s', { owner: null }, true],
    ["'True':%(protected)s", { protected: true }, true],
    ['7:%(min_ram)s', { min_ram: 7 }, true],
    ["'a-1-b':a-%(x)s-b", { x: 1 }, true],
    ["'a%b':a%%b", {}, true],
    ["'public':%(visibility)s", { visibility: 'public' }, true],
  ])('%j on %j is %s', (rule, target, expected) => {
    expect(holds(parseRule(rule), ['a'], target)).toBe(expected);
  });

  it.each([
    ['role:a role:b', 7, '"and" or "or" is missing'],
    ['role:a and', 10, 'ends where'],
    ['and role:a', 0, 'a check is expected'],
    ['role:a or or role:b', 10, 'a check is expected'],
    ['not not role:a', 4, 'a check is expected'],
    ['(role:a', 0, '"(" without ")"'],
    ['role:a)', 6, '")" without "("'],
    ['()', 1, 'a check is expected'],
    ['nonsense', 0, 'no check'],
    ['role:a and :x', 11, 'no check'],
    ['"role:a"', 0, 'no check'],
    ['owner:%(x)d', 6, '"%" must be followed'],
    ['(role:a or owner:50%)', 19, '"%" must be followed'],
    [`${'('.repeat(101)}@${')'.repeat(101)}`, 100, 'too deeply'],
  ])('refuses %j and names position %i', (rule, position, message) => {
    const parse = () => parseRule(rule);

    expect(parse).toThrow(PolicySyntaxError);
    expect(parse).toThrow(expect.objectContaining({ position, message: expect.stringContaining(message) }));
  });

  it('throws nothing but its own error, whatever it reads', () => {
    const word = fc.oneof(
      fc.constantFrom('(', ')', '((', 'and', 'or', 'not', '@', '!', 'role:a', 'rule:b', 'x:%(y)s', '%', "'a':b", ':'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          const verdict = holds(parseRule(words.join(' ')), ['a'], { y: 1 });
          return typeof verdict === 'boolean' || verdict instanceof Promise;
        } catch (error) {
          return error instanceof PolicySyntaxError;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('binds not, and, or like the boolean operators', () => {
    const formula = fc.letrec<{ any: { rule: string; value: boolean } }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 5, depthIdentifier: 'formula' },
        fc.constantFrom({ rule: 'role:a', value: true }, { rule: 'role:z', value: false }),
        tie('any').map(({ rule, value }) => ({ rule: `not (${rule})`, value: !value })),
        fc
          .tuple(tie('any'), tie('any'))
          .map(([l, r]) => ({ rule: `(${l.rule}) and (${r.rule})`, value: l.value && r.value })),
        fc
          .tuple(tie('any'), tie('any'))
          .map(([l, r]) => ({ rule: `(${l.rule}) or (${r.rule})`, value: l.value || r.value })),
      ),
    })).any;
    fc.assert(fc.property(formula, ({ rule, value }) => holds(parseRule(rule), ['a']) === value));

    const flat = fc.array(
      fc.record({ not: fc.boolean(), value: fc.boolean(), operator: fc.constantFrom('and', 'or') }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(flat, (parts) => {
        const rule = parts
          .map(
            ({ not, value, operator }, at) =>
              `${at === 0 ? '' : `${operator} `}${not ? 'not ' : ''}${value ? '@' : '!'}`,
          )
          .join(' ');
        const script = parts
          .map(
            ({ not, value, operator }, at) =>
              `${at === 0 ? '' : operator === 'and' ? '&&' : '||'}${not ? '!' : ''}${value}`,
          )
          .join('');
        return holds(parseRule(rule)) === orOfAnds(script);
      }),
    );
  });
});

/** `a&&!b||c` by the book. */
function orOfAnds(script: string): boolean {
  const isTrue = (word: string) => word === 'true' || word === '!false';
  return script.split('||').some((part) => part.split('&&').every(isTrue));
}

describe('parseListRule', () => {
  it.each([
    [[], true],
    [[['role:a', 'role:b'], ['role:z']], true],
    [[['role:a', 'role:z'], ['role:z']], false],
    [['role:z', 'role:a'], true],
    [[['!']], false],
  ])('%j is %s', (rule, expected) => {
    expect(holds(parseListRule(rule), ['a', 'b'])).toBe(expected);
  });

  it.each([[[1]], [[['role:a', 2]]], [['nonsense']]])('refuses %j', (rule) => {
    expect(() => parseListRule(rule)).toThrow(PolicySyntaxError);
  });
});
