/** The mistakes of mutations.ts can still be made, and every check has one: `node test/infra/mutate.ts` makes them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './graph.ts';
import { MUTATIONS } from './mutations.ts';

const folder = join(ROOT, 'test/infra');
const suites = readdirSync(folder)
  .filter((name) => name.endsWith('.test.ts') && name !== 'mutations.test.ts')
  .map((name) => readFileSync(join(folder, name), 'utf8'));

test.each(MUTATIONS)('$file: $what', ({ file, from, to, noticedBy }) => {
  expect(readFileSync(join(ROOT, file), 'utf8')).toContain(from);
  expect(to).not.toBe(from);
  expect(suites.some((suite) => suite.includes(noticedBy))).toBe(true);
});

/**
 * A check whose whole file fails in a broken image, one that is a table of refusals with a mistake for some of them, and one that makes
 * its mistake itself.
 */
const TOGETHER = [
  'the file set of the image is enough to answer requests',
  '%s',
  'a right that one policy lacks ends the import, and the reason names it',
];

test('every check can fail', () => {
  const names = suites.flatMap((suite) =>
    [...suite.matchAll(/\b(?:test|it)(?:\.each\([^\n]*\))?\(\s*(['"`])(.*?)\1,/g)].map(([, , name = '']) => name),
  );

  expect(names.length).toBeGreaterThan(60);
  expect(
    names.filter((name) => !TOGETHER.includes(name) && !MUTATIONS.some(({ noticedBy }) => name.includes(noticedBy))),
  ).toEqual([]);
});
