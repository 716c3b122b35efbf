/** The plugin by which LocalStack runs functions without a container engine: its own tests, in Python, with our runtime in the process. */
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

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
