import { expect, test } from 'vitest';
import { cacheControl } from '../../../api/cache-control.ts';

test.each([
  ['a record, a list, a refusal', false, 'no-store'],
  ['image bytes', true, 'private'],
] as const)('of %s', (_, holdsImageBytes, directive) => {
  expect(cacheControl(holdsImageBytes)).toBe(directive);
});
