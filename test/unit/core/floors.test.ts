/** A noun of core/ knows the nouns below it, and no other (docs/architecture.md, "The house"). */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { expect, test } from 'vitest';

/** From the ground up; nouns of one floor do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ['identity', 'quota', 'members', 'duties', 'executions'],
  ['policy', 'signatures'],
  ['metadefs', 'images'],
  ['tasks', 'stores', 'uploads'],
  ['imports'],
  ['janitor'],
];
const floorOf = (noun: string): number => FLOORS.findIndex((nouns) => nouns.includes(noun));
/** Of a file of core/: its folder, or nothing for what lies beside the folders. */
const nounOf = (path: string): string | undefined => {
  const [, noun, file] = path.split(sep);
  return file === undefined ? undefined : noun;
};

const FILES = globSync('core/**/*.ts');
const IMPORTS = FILES.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, target = '']) => ({
    file,
    target: join(dirname(file), target),
  })),
).filter(({ target }) => target.startsWith(`core${sep}`));

test('every noun has a floor', () => {
  const nouns = new Set(FILES.map(nounOf).filter((noun) => noun !== undefined));

  expect([...nouns].filter((noun) => floorOf(noun) < 0)).toEqual([]);
  expect([...nouns].toSorted()).toEqual(FLOORS.flat().toSorted());
});

test('no arrow goes up, or to a neighbour', () => {
  const wrong = IMPORTS.filter(({ file, target }) => {
    const [from, to] = [nounOf(file), nounOf(target)];
    return from !== undefined && to !== undefined && from !== to && floorOf(to) >= floorOf(from);
  });

  expect(wrong).toEqual([]);
});

test('no noun imports the file that composes them all', () => {
  expect(IMPORTS.filter(({ target }) => target === join('core', 'deps.ts'))).toEqual([]);
});
