import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedAws } from '../../../local/embedded.ts';
import type { Judge, Judgement } from '../judge.ts';
import { runPytest } from '../pytest/suite.ts';
import { judgement, readKnown } from '../suite.ts';

const FOLDER = process.env['GLIMPSE_S3_TESTS'];
const PYTHON = process.env['GLIMPSE_S3_TESTS_PYTHON'] ?? 'python3';

/** Kinds of tests about what is not offered at all, as the suite marks them, and what it says is not AWS's. */
const NOT_OFFERED = [
  ...['abac_test', 'appendobject', 'bucket_logging', 'bucket_policy', 'cloud_transition', 'encryption', 'lifecycle'],
  ...['object_lock', 'object_ownership', 'sse_s3', 's3website', 'storage_class', 'tagging', 'fails_on_aws'],
];
/** Of the others, those that concern operations of `local/s3/routes.ts`; access control lists and versions are not among them. */
const CONCERNS =
  '(list or multipart or copy or object or checksum or cors or bucket_create) and not (acl or post_object or version or access_bucket or anon or torrent or usage or tenant)';

/** A public suite judges the embedded S3. */
export const s3Tests: Judge = {
  name: 'The embedded S3 against ceph/s3-tests',
  folders: ['local/s3', 'local/wire'],
  missing: () =>
    FOLDER !== undefined && existsSync(join(FOLDER, 's3tests/functional'))
      ? undefined
      : 'put github.com/ceph/s3-tests into a folder outside this one and name it in GLIMPSE_S3_TESTS; GLIMPSE_S3_TESTS_PYTHON names a Python that has its requirements.txt and pytest-timeout',
  run,
};

async function run(): Promise<Judgement> {
  const temporary = await mkdtemp(join(tmpdir(), 'glimpse-judge-'));
  const aws = await startEmbeddedAws();
  try {
    const file = join(temporary, 's3tests.conf');
    await writeFile(file, configuration(new URL(aws.endpoint).port));
    const verdicts = await runPytest({
      python: PYTHON,
      folder: FOLDER ?? '',
      args: [
        ...['-p', 'ceph_here', '--timeout', '600', '-m', `not (${NOT_OFFERED.join(' or ')})`, '-k', CONCERNS],
        ...['s3tests/functional/test_s3.py', 's3tests/functional/test_headers.py'],
      ],
      env: { S3TEST_CONF: file, AWS_MAX_ATTEMPTS: '1' },
    });
    return judgement(verdicts, readKnown(join(import.meta.dirname, 'known-differences.json')));
  } finally {
    await aws.close();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** The suite's settings: one user is known here, and its names for others are nobody's. */
function configuration(port: string): string {
  const user = (section: string, name: string): string =>
    `[${section}]\ndisplay_name = ${name}\nuser_id = ${name}\nemail = ${name}@example.com\naccess_key = ${name}\nsecret_key = ${name}\ntenant = ${name}\napi_name =\n`;
  return [
    `[DEFAULT]\nhost = 127.0.0.1\nport = ${port}\nis_secure = False\n[fixtures]\nbucket prefix = judged-{random}-\n`,
    user('s3 main', 'test'),
    ...['s3 alt', 's3 tenant', 'iam', 'iam root', 'iam alt root'].map((section) =>
      user(section, section.replaceAll(' ', '-')),
    ),
  ].join('');
}
