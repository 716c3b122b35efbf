import { expect, it } from 'vitest';
import { isObject, type JsonObject, numberAt, objectAt, stringAt } from '../../../../local/wire/json.ts';

const VALUE: JsonObject = { text: 'a', none: '', number: 0, object: {}, array: [], null: null, truth: true };

it.each([
  ['text', 'a', undefined, undefined],
  ['none', '', undefined, undefined],
  ['number', undefined, 0, undefined],
  ['object', undefined, undefined, {}],
  ['array', undefined, undefined, undefined],
  ['null', undefined, undefined, undefined],
  ['truth', undefined, undefined, undefined],
  ['absent', undefined, undefined, undefined],
])('what stands at %s is taken for what it is only', (key, text, number, object) => {
  expect([stringAt(VALUE, key), numberAt(VALUE, key), objectAt(VALUE, key)]).toEqual([text, number, object]);
});

it.each([
  [{}, true],
  [[], false],
  [null, false],
  ['a', false],
  [undefined, false],
])('%j is an object: %s', (value, is) => {
  expect(isObject(value)).toBe(is);
});
