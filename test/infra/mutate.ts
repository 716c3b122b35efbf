/**
 * Shows that the checks can fail: makes each mistake of mutations.ts in a copy of the repository and runs the suite there.
 *
 *   node test/infra/mutate.ts [words of a mutation]
 *
 * Takes some twenty seconds per mutation; for nights and by hand. Exit 1 when a mistake is not noticed by its check.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { MUTATIONS, type Mutation } from './mutations.ts';
import { WITHOUT_GRAPHS } from './setup.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Files as they are here, with the installed packages and platform linked. */
function copyOf(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'glimpse-mutant-'));
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter((name) => name !== '' && !name.startsWith('test/fixtures/'))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    try {
      cpSync(join(root, file), join(copy, file));
    } catch {
      // Deleted here but still tracked.
    }
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, '.sst'));
  for (const name of ['platform', 'provider-lock.json'])
    symlinkSync(join(root, '.sst', name), join(copy, '.sst', name));
  return copy;
}

/** Only the check in question is run; the start of a process that fails has none. */
const isTestName = (noticedBy: string): boolean => !noticedBy.startsWith('the gateway ended');

const sourceOf = (name: string): string => readFileSync(join(ROOT, 'test/infra', name), 'utf8');

/** Test files that hold the check; the image's own when the check is that it starts. */
const filesWith = (noticedBy: string): string[] =>
  readdirSync(join(ROOT, 'test/infra'))
    .filter((name) => name.endsWith('.test.ts') && name !== 'mutations.test.ts')
    .filter((name) => sourceOf(name).includes(noticedBy));

/** Names of the tests that fail with the mistake in place. @throws Error when the text to change is not there exactly once or more */
function failuresOf(copy: string, { file, from, to, noticedBy }: Mutation): string[] {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not contain: ${from}`);
  writeFileSync(path, text.replaceAll(from, to));
  const report = join(copy, '.sst/report.json');
  const files = filesWith(noticedBy);
  const only = isTestName(noticedBy) ? ['-t', noticedBy.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')] : [];
  const args = ['vitest', 'run', '--project', 'infra', ...files, ...only, '--reporter', 'json', '--outputFile', report];
  const graphs = files.some((name) => sourceOf(name).includes('inject(')) ? {} : { [WITHOUT_GRAPHS]: '1' };
  spawnSync('npx', args, { cwd: copy, stdio: 'ignore', env: { ...process.env, ...graphs } });
  writeFileSync(path, text);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { message?: string; assertionResults: { status: string; fullName: string }[] }[];
  };
  rmSync(report, { force: true });
  return testResults.flatMap(({ assertionResults, message }) => [
    ...assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ...(message ? [message] : []),
  ]);
}

const wanted = process.argv.slice(2).join(' ');
const copy = copyOf(ROOT);
let missed = 0;
try {
  for (const mutation of MUTATIONS.filter(({ what, file }) => `${file} ${what}`.includes(wanted))) {
    const failures = failuresOf(copy, mutation);
    const noticed = failures.some((name) => name.includes(mutation.noticedBy));
    if (!noticed) missed++;
    const verdict = noticed
      ? 'noticed'
      : `NOT NOTICED by "${mutation.noticedBy}"; failing: ${failures.slice(0, 3).join(' | ') || 'none'}`;
    process.stdout.write(`${mutation.file}: ${mutation.what}: ${verdict}\n`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exit(missed === 0 ? 0 : 1);
