/**
 * `npm run mutate`: does a test fail when a rule is inverted? Stryker changes one thing at a time and runs the tests that mirror it.
 *
 *   npm run mutate                          every folder of formats/ and local/; what has not changed since the last run is not run again
 *   npm run mutate -- FOLDER|FILE…          these
 *   npm run mutate -- --changed [BASE]      lines changed since BASE (default: where the branch left main, else the commit before)
 *
 * Results lie in `.mutation/`, a file per folder, also of a run that was interrupted: the next one goes on there. The table of
 * `docs/mutation.md` is printed from them. Exit 1 when changed lines score below `MINIMUM`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { changedLines, spread } from './mutation/changed.ts';
import { MUTATED, mutatedFolders, testsOf, testsOfFile } from './mutation/folders.ts';
import { describeSurvivor, keepScores, type Mutant, printScores, scoreOf } from './mutation/scores.ts';

const ROOT = new URL('..', import.meta.url).pathname;
/** What CI has time for. A line holds about one mutant, a mutant takes about a second. */
const CHANGED_LINES_AT_MOST = 60;
const CHANGED_MS_AT_MOST = 4 * 60_000;
/** Percent of the changed lines' mutants that a test must notice: some changes change nothing that can be observed. */
const MINIMUM = 75;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    changed: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '2' },
    'timeout-seconds': { type: 'string', default: '10' },
  },
});

process.chdir(ROOT);
// The sandbox lies deeper than the checkout, beside which the corpus is looked for.
process.env['GLIMPSE_CORPUS'] ??= join(ROOT, '../shared/corpus');
mkdirSync('.mutation', { recursive: true });
if (values.changed) await mutateChanged(positionals[0] ?? forkPoint());
else await mutateAll(positionals.length === 0 ? mutatedFolders(ROOT) : positionals);

async function mutateAll(places: readonly string[]): Promise<void> {
  for (const place of places) {
    const isFile = place.endsWith('.ts');
    const tests = isFile ? testsOfFile(ROOT, place) : testsOf(place);
    try {
      const mutants = await mutate(
        tests,
        [isFile ? place : `${place}/*.ts`],
        `.mutation/${place.replaceAll('/', '.')}.incremental.json`,
      );
      keepScores(mutants);
      report(place, mutants);
      await printScores();
    } catch (error) {
      console.error(`mutation: ${place} was not run: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}

async function mutateChanged(base: string): Promise<void> {
  const all = changedLines(base, MUTATED);
  const chosen = spread(all, CHANGED_LINES_AT_MOST);
  console.log(`mutation: ${chosen.length} of ${all.length} lines of formats/ and local/ changed since ${base}`);
  const until = Date.now() + CHANGED_MS_AT_MOST;
  const mutants: Mutant[] = [];
  for (const folder of new Set(chosen.map(({ file }) => dirname(file)))) {
    if (Date.now() > until) {
      console.log(`mutation: no time left for ${folder}`);
      continue;
    }
    const ranges = chosen
      .filter(({ file }) => dirname(file) === folder)
      .map(({ file, line }) => `${file}:${line}-${line}`);
    const found = await mutate(testsOf(folder), ranges);
    report(folder, found);
    mutants.push(...found);
  }
  const { score, counted } = scoreOf(mutants);
  if (counted > 0 && score < MINIMUM) {
    console.error(`mutation: ${score.toFixed(0)} % of the changed lines' mutants are noticed; ${MINIMUM} % must be`);
    process.exitCode = 1;
  }
}

/** One run of Stryker. With `incrementalFile` what is already there, and whose source and tests are the same, is not run again. */
async function mutate(tests: string[], files: string[], incrementalFile?: string): Promise<Mutant[]> {
  process.env['MUTATION_TESTS'] = tests.join(' ');
  const stryker = new Stryker({
    mutate: files,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner', `${ROOT}scripts/mutation/prose.ts`],
    ignorers: ['prose'],
    vitest: { configFile: 'vitest.mutation.config.ts', related: true },
    // TypeScript 7 has no API that Stryker could rewrite a tsconfig with; nothing in the sandbox reads one.
    tsconfigFile: 'none',
    concurrency: Number(values.concurrency),
    reporters: ['progress-append-only'],
    tempDirName: '.mutation/sandbox',
    ignorePatterns: ['.mutation', '.glimpse', '.sst', 'docs', 'infra'],
    timeoutMS: 1000 * Number(values['timeout-seconds']),
    allowEmpty: true,
    ...(incrementalFile === undefined ? {} : { incremental: true, incrementalFile }),
  });
  return (await stryker.runMutationTest()) as Mutant[];
}

function report(folder: string, mutants: readonly Mutant[]): void {
  const { score, noticed, counted } = scoreOf(mutants);
  console.log(`\n${folder}: ${noticed} of ${counted} noticed${counted === 0 ? '' : `, ${score.toFixed(1)} %`}`);
  for (const mutant of mutants) {
    const line = describeSurvivor(mutant);
    if (line !== undefined) console.log(`  ${line}`);
  }
}

/** Where this branch left main; on main itself the commit before. */
function forkPoint(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const head = git('rev-parse', 'HEAD');
  try {
    const base = git('merge-base', 'main', 'HEAD');
    if (base !== head) return base;
  } catch {
    // A clone of one branch has no main.
  }
  return git('rev-parse', 'HEAD~1');
}
