import { expect, it } from 'vitest';
import { isOriginForm } from '../../../../local/wire/target.ts';

it.each<[string | undefined, boolean]>([
  ['/', true],
  ['/a/b?c=d#e', true],
  ['/a//b', true],
  ['/a\\b', true],
  ['/~', true],
  ['/!', true],
  ['/\u0080\uffff', true],
  [undefined, false],
  ['', false],
  ['a', false],
  ['x/a', false],
  ['//host/a', false],
  ['/\\host/a', false],
  ['http://host/a', false],
  ['*', false],
  ['/a b', false],
  ['/a\u007f', false],
  ['/a\n', false],
])('%j is in origin form: %s', (target, is) => {
  expect(isOriginForm(target)).toBe(is);
});
