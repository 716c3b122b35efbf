import { describe, expect, it } from 'vitest';
import { matches, patternProblem } from '../../../../local/eventbridge/pattern.ts';
import type { Json, JsonObject } from '../../../../local/wire/json.ts';

const rule = (of: Json): JsonObject => ({ f: [of] });

describe('matches', () => {
  it.each<[string, JsonObject, Json, boolean]>([
    ['an equal text', rule('a'), { f: 'a' }, true],
    ['another text', rule('a'), { f: 'b' }, false],
    ['an equal number', rule(1), { f: 1 }, true],
    ['a number as text', rule(1), { f: '1' }, false],
    ['null', rule(null), { f: null }, true],
    ['null, where nothing is', rule(null), {}, false],
    ['one of several', { f: ['a', 'b'] }, { f: 'b' }, true],
    ['an item of a list', rule('b'), { f: ['a', 'b'] }, true],
    ['no item of a list', rule('c'), { f: ['a', 'b'] }, false],
    ['a list without items', rule('a'), { f: [] }, false],
    ['all fields', { f: ['a'], g: ['b'] }, { f: 'a', g: 'b' }, true],
    ['not all fields', { f: ['a'], g: ['b'] }, { f: 'a', g: 'c' }, false],
    ['a nested field', { d: { f: ['a'] } }, { d: { f: 'a' } }, true],
    ['a nested field of another value', { d: { f: ['a'] } }, { d: { f: 'b' } }, false],
    ['a nested field in a list of objects', { d: { f: ['a'] } }, { d: [{ f: 'b' }, { f: 'a' }] }, true],
    ['a nested field of what is no object', { d: { f: ['a'] } }, { d: 'a' }, false],
    ['a field that is neither list nor object', { f: 'a' }, { f: 'a' }, false],
    ['an event that is no object', rule('a'), 'a', false],
    ['an unknown operator', rule({ near: 1 }), { f: 1 }, false],
    ['a text that would be such a number', rule({ numeric: ['<', 6] }), { f: '5' }, false],
    ['a comparison that is no list', rule({ numeric: '<6' }), { f: 5 }, false],
    ['one of $or', { $or: [{ f: ['x'] }, { g: ['b'] }] }, { f: 'a', g: 'b' }, true],
    ['none of $or', { $or: [{ f: ['x'] }, { g: ['x'] }] }, { f: 'a', g: 'b' }, false],
    ['$or beside a field', { $or: [{ f: ['a'] }, { g: ['x'] }], g: ['x'] }, { f: 'a', g: 'b' }, false],
    ['a field named $or', { $or: { f: ['a'] } }, { $or: { f: 'a' } }, true],
    ['$or of what is no pattern', { $or: ['a'] }, { f: 'a' }, false],
  ])('%s', (_name, pattern, event, wanted) => {
    expect(matches(pattern, event)).toBe(wanted);
  });

  it.each<[Json, Json | undefined, boolean]>([
    [{ prefix: 'ab' }, 'abc', true],
    [{ prefix: 'ab' }, 'cab', false],
    [{ prefix: 'ab' }, 'ABc', false],
    [{ prefix: 'ab' }, 5, false],
    [{ prefix: { 'equals-ignore-case': 'AB' } }, 'abc', true],
    [{ prefix: { 'equals-ignore-case': 'ab' } }, 'ABC', true],
    [{ prefix: { 'equals-ignore-case': 'ab' } }, 'cab', false],
    [{ prefix: { 'equals-ignore-case': 'ab' } }, 5, false],
    [{ suffix: '.gz' }, 'a.gz', true],
    [{ suffix: '.gz' }, 'a.gz.b', false],
    [{ suffix: '.gz' }, 5, false],
    [{ suffix: { 'equals-ignore-case': '.GZ' } }, 'a.gz', true],
    [{ suffix: { 'equals-ignore-case': '.gz' } }, 'A.GZ', true],
    [{ suffix: { 'equals-ignore-case': '.gz' } }, 'a.gz.b', false],
    [{ suffix: { 'equals-ignore-case': '.gz' } }, 5, false],
    [{ wildcard: 'a*c' }, 'abbc', true],
    [{ wildcard: 'a*c' }, 'ac', true],
    [{ wildcard: 'a*c' }, 'a\nc', true],
    [{ wildcard: 'a*c' }, 'xac', false],
    [{ wildcard: 'a*c' }, 'acx', false],
    [{ wildcard: 'a.c' }, 'abc', false],
    [{ wildcard: 'a+(c)' }, 'a+(c)', true],
    [{ wildcard: '*' }, 5, true],
    [{ numeric: ['=', 5] }, 5, true],
    [{ numeric: ['=', 5] }, 6, false],
    [{ numeric: ['<', 5] }, 4, true],
    [{ numeric: ['<', 5] }, 5, false],
    [{ numeric: ['<=', 5] }, 5, true],
    [{ numeric: ['<=', 5] }, 6, false],
    [{ numeric: ['>', 5] }, 6, true],
    [{ numeric: ['>', 5] }, 5, false],
    [{ numeric: ['>=', 5] }, 5, true],
    [{ numeric: ['>=', 5] }, 4, false],
    [{ numeric: ['>', 0, '<', 5] }, 3, true],
    [{ numeric: ['>', 0, '<', 5] }, 5, false],
    [{ numeric: ['>', 0, '<', 5] }, 0, false],
    [{ numeric: ['~', 5] }, 5, false],
    [{ numeric: ['=', 5] }, '5', false],
    [{ numeric: '=' }, 5, false],
    [{ 'anything-but': 'a' }, 'b', true],
    [{ 'anything-but': 'a' }, 'a', false],
    [{ 'anything-but': ['a', 1] }, 1, false],
    [{ 'anything-but': ['a', 1] }, 2, true],
    [{ 'anything-but': 'a' }, undefined, false],
    [{ 'anything-but': { prefix: 'a' } }, 'b', true],
    [{ 'anything-but': { prefix: 'a' } }, 'ab', false],
    [{ 'anything-but': { suffix: ['a', 'b'] } }, 'xb', false],
    [{ 'anything-but': { suffix: ['a', 'b'] } }, 'xc', true],
    [{ 'anything-but': { near: 'a' } }, 'a', true],
    [{ exists: true }, 'a', true],
    [{ exists: true }, undefined, false],
    [{ exists: false }, undefined, true],
    [{ exists: false }, 'a', false],
    [{ 'equals-ignore-case': 'A.b' }, 'a.B', true],
    [{ 'equals-ignore-case': 'A.b' }, 'a.c', false],
    [{ 'equals-ignore-case': '5' }, 5, false],
  ])('%j of %j: %s', (operator, value, wanted) => {
    expect(matches(rule(operator), value === undefined ? {} : { f: value })).toBe(wanted);
  });
});

describe('patternProblem', () => {
  it.each<[Json, string | undefined]>([
    [{ source: ['a'] }, undefined],
    [{ source: [{ prefix: 'a' }] }, undefined],
    [{ detail: { n: [1, null] } }, undefined],
    [{ $or: [{ a: ['x'] }, { b: ['y'] }] }, undefined],
    [{}, 'the pattern is not an object with fields'],
    [[], 'the pattern is not an object with fields'],
    ['a', 'the pattern is not an object with fields'],
    [{ source: 'a' }, '"source" must be an object or an array'],
    [{ source: [] }, '"source" must be an object or an array'],
    [{ detail: {} }, 'detail is not an object with fields'],
    [{ detail: { n: 5 } }, '"n" must be an object or an array'],
    [{ ok: ['a'], bad: [{ near: 1 }] }, 'unknown operator near in "bad"'],
    [{ bad: [{}] }, 'unknown operator undefined in "bad"'],
    [{ $or: [{ a: ['x'] }] }, '$or needs two patterns'],
    [{ $or: 'a' }, '$or needs two patterns'],
    [{ $or: [{ a: ['x'] }, {}] }, '$or is not an object with fields'],
  ])('of %j: %s', (pattern, problem) => {
    expect(patternProblem(pattern)).toBe(problem);
  });
});
