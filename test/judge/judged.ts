/** What the judges said last: kept in docs/judged.json, printed in docs/judged.md and docs/local.md. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Judgement } from './judge.ts';
import { JUDGES } from './judges.ts';

const ROOT = join(import.meta.dirname, '../..');
const DATA = join(ROOT, 'docs/judged.json');
const PAGE = join(ROOT, 'docs/judged.md');
const LOCAL = join(ROOT, 'docs/local.md');
const TABLE = /(<!-- judged -->\n)[\s\S]*?(<!-- \/judged -->)/;

/** What one judge said, when, and of what. */
interface Said extends Judgement {
  /** Day in UTC, `2026-01-31`. */
  readonly date: string;
  /** Short name of the commit that was checked out; `unknown` without git. */
  readonly commit: string;
  /** Of the folders that it judged, as they were. */
  readonly content: string;
}

/** What all judges said, and the content of their folders when the pages were written last. */
interface Judged {
  readonly said: Readonly<Record<string, Said>>;
  readonly content: Readonly<Record<string, string>>;
}

/** A digest of all that is in folders, whatever git knows of it: the same in a clean clone, a shallow one and a worktree. */
function contentOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.{ts,json}`, { cwd: ROOT })).sort();
  for (const file of files)
    hash
      .update(`${file}\n`)
      .update(readFileSync(join(ROOT, file)))
      .update('\n');
  return hash.digest('hex').slice(0, 16);
}

const contents = (): Record<string, string> =>
  Object.fromEntries(Object.entries(JUDGES).map(([name, { folders }]) => [name, contentOf(folders)]));

function read(): Judged {
  return existsSync(DATA) ? (JSON.parse(readFileSync(DATA, 'utf8')) as Judged) : { said: {}, content: {} };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** Names of judges whose folders changed since they said something, or that said nothing yet. */
export const outdated = (): string[] => {
  const { said } = read();
  return Object.entries(contents())
    .filter(([name, content]) => said[name]?.content !== content)
    .map(([name]) => name);
};

/** Names of judges whose folders changed since the pages were written. */
export const unwritten = (): string[] => {
  const { content } = read();
  return Object.entries(contents())
    .filter(([name, now]) => content[name] !== now)
    .map(([name]) => name);
};

/** Writes the pages: what judges said now, and of the others what they said last, marked when it is of before a change. */
export function write(judgements: Readonly<Record<string, Judgement>>): void {
  const content = contents();
  const now = { date: new Date().toISOString().slice(0, 10), commit: commit() };
  const fresh = Object.entries(judgements).map(([name, judgement]) => [
    name,
    { ...now, content: content[name] ?? '', ...judgement },
  ]);
  const judged: Judged = { said: { ...read().said, ...(Object.fromEntries(fresh) as Record<string, Said>) }, content };
  writeFileSync(DATA, `${JSON.stringify(judged, undefined, 2)}\n`);
  writeFileSync(PAGE, page(judged));
  writeFileSync(LOCAL, local(judged));
}

/** The text of docs/judged.md. */
const page = (judged: Judged): string =>
  [
    '# What others say',
    '',
    'Printed by `npm run judge -- --write` from what each judge said last, when it was there ([how](../CONTRIBUTING.md)). A unit test fails when a folder that is judged changed since this',
    'was written; the command runs the judges that are there and whose folders changed, and keeps the rest with its date.',
    '',
    ...Object.entries(JUDGES).flatMap(([name, judge]) => [
      `## ${judge.name}`,
      '',
      ...section(name, judged, judge.folders),
      '',
    ]),
  ].join('\n');

function section(name: string, { said, content }: Judged, folders: readonly string[]): string[] {
  const found = said[name];
  const command = `\`npm run judge -- ${name}\`, of ${folders.map((folder) => `\`${folder}/\``).join(', ')}`;
  if (found === undefined) return [`${command}: not run yet.`];
  const old = found.content === content[name] ? '' : ', **before the last change of these folders**';
  return [
    `${command}: ${found.date}, at commit ${found.commit}${old}.`,
    '',
    '| Counted | |',
    '| --- | ---: |',
    ...Object.entries(found.counts).map(([what, count]) => `| ${what} | ${count} |`),
    ...(found.failures.length === 0 ? [] : ['', `Wrong: ${found.failures.length}.`, '']),
    ...found.failures.map((line) => `* ${oneLine(line)}`),
    ...(found.accepted.length === 0 ? [] : ['', 'Differs, or was not looked at:', '']),
    ...found.accepted.map((line) => `* ${oneLine(line)}`),
  ];
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 300);

/** The text of docs/local.md with its table as of now. */
function local({ said, content }: Judged): string {
  const rows = Object.entries(JUDGES).map(([name, judge]) => {
    const found = said[name];
    const counts = Object.entries(found?.counts ?? {}).map(([what, count]) => `${count} ${what}`);
    const when =
      found === undefined
        ? 'not run yet'
        : `${found.date}${found.content === content[name] ? '' : ', before the last change'}`;
    return `| ${judge.name} | ${counts.join(', ')} | ${when} |`;
  });
  const table = ['| Judge | Said | When |', '| --- | --- | --- |', ...rows, ''].join('\n');
  const text = existsSync(LOCAL) ? readFileSync(LOCAL, 'utf8') : '# Local\n';
  const whole = TABLE.test(text) ? text : `${text.trimEnd()}\n\n${SECTION}`;
  return whole.replace(TABLE, (_all, open: string, close: string) => `${open}${table}${close}`);
}

const SECTION = `## What the suites say

Others judge what is emulated here: AWS's own recorded answers, public suites that were validated on AWS, linters. What differs, and why: [judged.md](judged.md).

<!-- judged -->
<!-- /judged -->
`;
