/** What mutation runs found, kept per file in `.mutation/` and printed into `docs/mutation.md`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { code, markdownTable, printSections } from '../printed-section.ts';

/** A mutant as Stryker reports it; lines count from 1. */
export interface Mutant {
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

export interface Score {
  /** Mutants that a test noticed, by failing or by running on without end. */
  readonly noticed: number;
  /** All that were run: without ignored ones and those that are no program. */
  readonly counted: number;
  /** Percent; 100 when nothing was run. */
  readonly score: number;
}

/** By file, from the root of the repository: the last run over it. */
type Kept = Record<string, { readonly noticed: number; readonly counted: number; readonly date: string }>;

const NOTICED = new Set(['Killed', 'Timeout']);
const MISSED = new Set(['Survived', 'NoCoverage']);
const KEPT = '.mutation/scores.json';
const PAGE = 'docs/mutation.md';

export function scoreOf(mutants: readonly Pick<Mutant, 'status'>[]): Score {
  const noticed = mutants.filter(({ status }) => NOTICED.has(status)).length;
  const counted = noticed + mutants.filter(({ status }) => MISSED.has(status)).length;
  return { noticed, counted, score: counted === 0 ? 100 : (100 * noticed) / counted };
}

/** One line about a mutant that no test noticed; undefined for any other. */
export function describeSurvivor({ status, fileName, location, mutatorName, replacement }: Mutant): string | undefined {
  if (!MISSED.has(status)) return undefined;
  const { line, column } = location.start;
  const change = (replacement ?? '').replaceAll(/\s+/gu, ' ').slice(0, 100);
  return `${fileOf(fileName)}:${line}:${column} ${status === 'NoCoverage' ? 'no test comes here' : 'survived'}: ${mutatorName} ${change}`;
}

/** Remembers what a run found about its files, until the next run over them. */
export function keepScores(mutants: readonly Mutant[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const kept = keptScores();
  for (const [file, of] of Map.groupBy(mutants, ({ fileName }) => fileOf(fileName))) {
    const { noticed, counted } = scoreOf(of);
    kept[file] = { noticed, counted, date };
  }
  writeFileSync(KEPT, `${JSON.stringify(kept, null, 2)}\n`);
}

function keptScores(): Kept {
  return existsSync(KEPT) ? (JSON.parse(readFileSync(KEPT, 'utf8')) as Kept) : {};
}

/** The rows of a page: runs of any machine, of which `.mutation/` has this one's only. */
export function printedScores(page: string): Kept {
  const rows = page.matchAll(/^\| `([^`]+)` \| (\d+) \| (\d+) \| \d+ % \| (\d{4}-\d\d-\d\d) \|$/gmu);
  return Object.fromEntries(
    [...rows].map(([, file = '', counted, noticed, date = '']) => [
      file,
      { noticed: Number(noticed), counted: Number(counted), date },
    ]),
  );
}

/** Prints the table of all kept runs into the page; what only the page knows stays, as long as there is the file. */
export async function printScores(): Promise<void> {
  const printed = Object.entries(printedScores(readFileSync(PAGE, 'utf8'))).filter(([file]) => existsSync(file));
  const files = Object.entries({ ...Object.fromEntries(printed), ...keptScores() })
    .filter(([, { counted }]) => counted > 0)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = files.map(([file, { noticed, counted, date }]) => [code(file), ...cells(noticed, counted), date]);
  const sum = (of: 'noticed' | 'counted') => files.reduce((total, [, score]) => total + score[of], 0);
  if (rows.length > 0) rows.push(['all of these', ...cells(sum('noticed'), sum('counted')), '']);
  const text = markdownTable(['File', 'Mutants', 'Noticed', 'Score', 'Run on'], rows);
  await printSections([{ page: PAGE, name: 'scores', text }]);
}

const cells = (noticed: number, counted: number): string[] => [
  String(counted),
  String(noticed),
  `${((100 * noticed) / counted).toFixed(0)} %`,
];

const fileOf = (fileName: string): string => relative(process.cwd(), fileName);
