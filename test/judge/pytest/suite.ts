import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Verdict } from '../suite.ts';

/** A suite of pytest that lies in a folder. */
interface PytestSuite {
  /** A Python that has what the suite imports. */
  readonly python: string;
  readonly folder: string;
  /** Files, markers and plugins (of `test/judge/pytest/`) as pytest takes them. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface Line {
  readonly name: string;
  readonly when: 'setup' | 'call' | 'teardown';
  readonly outcome: Verdict['outcome'];
  readonly why: string;
  readonly refused: readonly string[];
}

/** Runs a suite to its end. Throws when it says nothing of any test. */
export async function runPytest({ python, folder, args, env }: PytestSuite): Promise<Verdict[]> {
  const temporary = await mkdtemp(join(tmpdir(), 'glimpse-judge-'));
  const file = join(temporary, 'judged.jsonl');
  try {
    const output = await command(
      python,
      folder,
      ['-m', 'pytest', '-q', '-p', 'judged', '-p', 'no:cacheprovider', ...args],
      {
        PYTHONPATH: [import.meta.dirname, folder].join(':'),
        PYTHONDONTWRITEBYTECODE: '1',
        GLIMPSE_JUDGED: file,
        ...env,
      },
    );
    const text = await readFile(file, 'utf8').catch(() => {
      throw new Error(`the suite in ${folder} judged nothing:\n${output.slice(-2000)}`);
    });
    return verdicts(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line),
    );
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** One verdict a test: of what is said of its phases, the worst. What cleans up after it does not count. */
function verdicts(lines: readonly Line[]): Verdict[] {
  const found = new Map<string, Verdict>();
  for (const { when, ...verdict } of lines) {
    if (when === 'teardown') continue;
    if (found.get(verdict.name)?.outcome !== 'failed') found.set(verdict.name, verdict);
  }
  return [...found.values()];
}

function command(
  program: string,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}
