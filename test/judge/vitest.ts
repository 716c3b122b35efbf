import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Verdict } from './suite.ts';

/** What vitest's reporter of JSON leaves. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs the vitest of a folder. Names are `tier1/query/select.test.ts: what the test says`, from the folder `under` on. */
export async function runVitest(
  folder: string,
  under: string,
  args: readonly string[],
  more: Readonly<Record<string, string>>,
): Promise<Verdict[]> {
  const temporary = await mkdtemp(join(tmpdir(), 'glimpse-judge-'));
  const report = join(temporary, 'report.json');
  try {
    const program = join(folder, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [program, 'run', '--reporter=json', `--outputFile=${report}`, ...args], {
      cwd: folder,
      env: { ...process.env, ...more },
      stdio: 'ignore',
    });
    await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
    return verdictsOf(JSON.parse(await readFile(report, 'utf8')) as Report, join(folder, under));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const verdictsOf = ({ testResults }: Report, folder: string): Verdict[] =>
  testResults.flatMap(({ name, assertionResults }) => {
    const file = relative(folder, name);
    return assertionResults.map(({ fullName, status, failureMessages }): Verdict => {
      const outcome = status === 'passed' || status === 'failed' ? status : 'skipped';
      const why = outcome === 'skipped' ? `what ${file} needs is not offered` : (failureMessages[0] ?? '');
      return { name: `${file}: ${fullName.trim()}`, outcome, why, refused: [] };
    });
  });
