/** What mutation runs found, kept per folder in `.mutation/` and printed into `docs/mutation.md`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
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

interface FolderScores {
  /** Day of the run, `2026-01-30`. */
  readonly date: string;
  readonly files: Readonly<Record<string, { readonly noticed: number; readonly counted: number }>>;
}

const NOTICED = new Set(['Killed', 'Timeout']);
const MISSED = new Set(['Survived', 'NoCoverage']);
const KEPT = '.mutation';

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

/** Remembers a folder's run until the next one. */
export function keepScores(folder: string, mutants: readonly Mutant[]): void {
  const files = Object.fromEntries(
    [...Map.groupBy(mutants, ({ fileName }) => fileOf(fileName))].map(([file, of]) => {
      const { noticed, counted } = scoreOf(of);
      return [file, { noticed, counted }];
    }),
  );
  const scores: FolderScores = { date: new Date().toISOString().slice(0, 10), files };
  writeFileSync(join(KEPT, `${folder.replaceAll('/', '.')}.scores.json`), `${JSON.stringify(scores, null, 2)}\n`);
}

/** Prints the table of all kept runs into the page. */
export async function printScores(): Promise<void> {
  const kept = readdirSync(KEPT)
    .filter((name) => name.endsWith('.scores.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(KEPT, name), 'utf8')) as FolderScores);
  const rows = kept.flatMap(({ date, files }) =>
    Object.entries(files)
      .filter(([, { counted }]) => counted > 0)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([file, { noticed, counted }]) => [code(file), ...cells(noticed, counted), date]),
  );
  const all = kept.flatMap(({ files }) => Object.values(files));
  const sum = (of: 'noticed' | 'counted') => all.reduce((total, file) => total + file[of], 0);
  rows.push(['all of these', ...cells(sum('noticed'), sum('counted')), '']);
  const text = markdownTable(['File', 'Mutants', 'Noticed', 'Score', 'Run on'], rows);
  await printSections([{ page: 'docs/mutation.md', name: 'scores', text }]);
}

const cells = (noticed: number, counted: number): string[] => [
  String(counted),
  String(noticed),
  `${((100 * noticed) / counted).toFixed(0)} %`,
];

const fileOf = (fileName: string): string => relative(process.cwd(), fileName);
