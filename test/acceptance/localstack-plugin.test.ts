/** LocalStack without a container engine: the plugin's own tests, in Python, with our runtime in the process; and what a start says that cannot be. */
import { execFile, execFileSync } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const TESTS = join(ROOT, 'test/localstack/plugin/tests/test_sandbox.py');

const hasPython = (() => {
  try {
    execFileSync('python3', ['-c', 'import sys; assert sys.version_info >= (3, 11)'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
if (!hasPython) process.stderr.write('not run: tests of the LocalStack plugin: there is no python3 of 3.11 or later\n');

test.skipIf(!hasPython)('a function is a process of Node: answers, errors, time, memory of its log, ends', async () => {
  const env = {
    ...process.env,
    NODE: process.execPath,
    BOOTSTRAP: join(ROOT, 'local/lambda/bootstrap.mjs'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const { stderr } = await promisify(execFile)('python3', [TESTS], { env });
  expect(stderr).toMatch(/Ran \d\d tests in .*\n\nOK/);
});

/** What `npm run localstack` says when it cannot. */
async function refusalOf(env: Readonly<Record<string, string>>): Promise<string> {
  const run = promisify(execFile)(process.execPath, ['scripts/localstack.ts'], {
    ...{ cwd: ROOT, env: { ...process.env, ...env } },
  });
  const failure = await run.then(
    () => undefined,
    (error: { code: number; stderr: string }) => error,
  );
  expect(failure?.code).toBe(1);
  return failure?.stderr ?? '';
}

test('a LocalStack that is not there is told with how to get it', async () => {
  expect(await refusalOf({ GLIMPSE_LOCALSTACK: '/nowhere/python' })).toMatch(
    /^glimpse: GLIMPSE_LOCALSTACK: there is no \/nowhere\/python: python3 -m venv \S+ && [^\n]*4\.13\.1[^\n]*\n$/,
  );
});

test('a port that is taken is told: what holds it would answer for LocalStack', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const said = await refusalOf({ GLIMPSE_LOCALSTACK: process.execPath, GLIMPSE_LOCALSTACK_PORT: String(port) });

  expect(said).toBe(`glimpse: port ${port} is in use; stop what holds it or set GLIMPSE_LOCALSTACK_PORT\n`);
});
