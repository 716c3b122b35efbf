import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedAws } from '../../../local/embedded.ts';
import type { Judge, Judgement } from '../judge.ts';
import { runPytest } from '../pytest/suite.ts';
import { judgement, readKnown } from '../suite.ts';

const FOLDER = process.env['GLIMPSE_LOCALSTACK_TESTS'];
const PYTHON = process.env['GLIMPSE_LOCALSTACK_PYTHON'] ?? 'python3';
const TESTS = 'tests/aws/services/s3';
const FILES = ['preconditions', 'list_operations', 'cors', 'notifications_eventbridge', 'api'].map(
  (name) => `test_s3_${name}.py`,
);

/** What AWS really answered (LocalStack's recorded tests) judges the embedded S3: the requests are theirs, the answers AWS's. */
export const s3Recorded: Judge = {
  name: "The embedded S3 against AWS's recorded answers",
  folders: ['local/s3', 'local/wire'],
  missing: () =>
    FOLDER !== undefined && existsSync(join(FOLDER, TESTS))
      ? undefined
      : 'put the folder tests of github.com/localstack/localstack, tag v4.13.1, into a folder and name that in GLIMPSE_LOCALSTACK_TESTS; GLIMPSE_LOCALSTACK_PYTHON names a Python that has localstack-core[runtime]==4.13.1, localstack-snapshot, pytest, pytest-httpserver and pytest-timeout',
  run,
};

async function run(): Promise<Judgement> {
  const aws = await startEmbeddedAws();
  const { host } = new URL(aws.endpoint);
  const plugins = ['localstack.testing.pytest.fixtures', 'localstack_snapshot.pytest.snapshot'];
  try {
    const verdicts = await runPytest({
      python: PYTHON,
      folder: FOLDER ?? '',
      args: [
        ...[...plugins, 'localstack.testing.pytest.marking', 'localstack_here'].flatMap((name) => ['-p', name]),
        ...['--noconftest', '--timeout', '120', '--tb=no', '--show-capture=no'],
        ...[...FILES, 'test_s3.py'].map((file) => `${TESTS}/${file}`),
      ],
      env: {
        TEST_SKIP_LOCALSTACK_START: '1',
        TEST_AWS_ENDPOINT_URL: aws.endpoint,
        LOCALSTACK_HOST: host,
        GATEWAY_LISTEN: host,
        SKIP_SSL_CERT_DOWNLOAD: '1',
        DISABLE_EVENTS: '1',
      },
    });
    const named = verdicts.map(({ name, ...rest }) => ({ name: name.replace(`${TESTS}/`, ''), ...rest }));
    return judgement(named, readKnown(join(import.meta.dirname, 'known-differences.json')));
  } finally {
    await aws.close();
  }
}
