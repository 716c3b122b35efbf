/** What CONTRIBUTING and the architecture page say about the tree is so: paths are there, rooms and nouns are all named, recipes are short. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url).pathname;
const page = (name: string) => readFileSync(ROOT + name, 'utf8');
const CONTRIBUTING = page('CONTRIBUTING.md');
const ARCHITECTURE = page('docs/architecture.md');

const tops = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
  .map(({ name }) => name);
/** Folders that hold sources. */
const rooms = tops.filter((name) => globSync(`${ROOT}${name}/**/*.ts`, { exclude: ['**/node_modules'] }).length > 0);
const startsHere = (path: string) => tops.includes(path.split('/')[0] ?? '');

/** Code spans that are paths of this repository. */
const pathsOf = (text: string) =>
  [...text.matchAll(/`([\w./{}*-]+)`/gu)]
    .map(([, span = '']) => span)
    .filter((span) => span.includes('/') && startsHere(span));
/** `a/{b}/c.ts` as a pattern; names in braces are what a recipe makes. */
const there = (path: string) =>
  path.includes('{') || path.includes('*')
    ? globSync(ROOT + path.replace(/\{[^}]+\}/gu, '*').replace(/\/$/u, '')).length > 0
    : existsSync(ROOT + path);

interface Recipe {
  readonly title: string;
  readonly text: string;
}
const recipes: readonly Recipe[] = CONTRIBUTING.split(/^## /mu)
  .filter((section) => /^To add a(n| )/u.test(section))
  .map((section) => ({ title: section.split('\n')[0] ?? '', text: section }));
/** The files that a recipe's steps are about: what stands before the colon of each. */
const filesOf = ({ text }: Recipe) =>
  [...text.matchAll(/^\d\. (.*?): /gmu)].flatMap(([, files = '']) => pathsOf(files));
/** What does not exist before: a kind of store is the first of its room. */
const NEW_ROOMS = ['stores/{kind}.ts'];

describe('pages about the tree', () => {
  it.each([
    ['CONTRIBUTING.md', CONTRIBUTING],
    ['docs/architecture.md', ARCHITECTURE],
  ])('%s names paths that are there', (_name, text) => {
    const paths = pathsOf(text).filter((path) => !NEW_ROOMS.includes(path));

    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !there(path))).toEqual([]);
  });

  it('name every folder with sources: who may import whom, and what is in it', () => {
    expect(rooms.filter((room) => !CONTRIBUTING.includes(`\`${room}/\``))).toEqual([]);
    const inNoRoom = ['bench', 'infra', 'scripts', 'test'];
    const rows = rooms.filter((room) => !inNoRoom.includes(room));
    expect(rows.filter((room) => !new RegExp(`^\\|.*\`${room}/\``, 'mu').test(ARCHITECTURE))).toEqual([]);
  });

  it('name every noun of core/', () => {
    const nouns = readdirSync(`${ROOT}core`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const picture = ARCHITECTURE.split('```').find((block) => block.includes('janitor  ')) ?? '';

    expect(nouns.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`, 'u').test(picture))).toEqual([]);
  });
});

describe('recipes', () => {
  it.each([
    'To add a disk format',
    'To add a conversion target',
    'To add a route',
    'To add a kind of store',
    'To add an import plugin',
  ])('%s: at most three files besides a new folder and tests', (title) => {
    const recipe = recipes.find((one) => one.title === title);
    if (recipe === undefined) throw new Error(`no recipe: ${title}`);
    const files = filesOf(recipe).filter((path) => !path.endsWith('/'));

    expect(files.length).toBeGreaterThan(0);
    expect(files.length).toBeLessThanOrEqual(3);
  });
});
