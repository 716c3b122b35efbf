import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedAws } from '../../../local/embedded.ts';
import type { Judge, Judgement } from '../judge.ts';
import { judgement, readKnown } from '../suite.ts';
import { runVitest } from '../vitest.ts';

const FOLDER = process.env['GLIMPSE_DYNAMODB_CONFORMANCE'];

/** A public suite that was validated on AWS judges the embedded DynamoDB. */
export const dynamodb: Judge = {
  name: 'The embedded DynamoDB against nubo-db/dynamodb-conformance',
  folders: ['local/dynamodb', 'local/wire'],
  missing: () =>
    FOLDER !== undefined && existsSync(join(FOLDER, 'node_modules/vitest'))
      ? undefined
      : 'put github.com/nubo-db/dynamodb-conformance into a folder outside this one, remove its lock file, run npm install --ignore-scripts --no-package-lock there, and name it in GLIMPSE_DYNAMODB_CONFORMANCE',
  run,
};

async function run(): Promise<Judgement> {
  const aws = await startEmbeddedAws();
  try {
    const verdicts = await runVitest(FOLDER ?? '', 'tests', [], {
      DYNAMODB_ENDPOINT: aws.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    return judgement(verdicts, readKnown(join(import.meta.dirname, 'known-differences.json')));
  } finally {
    await aws.close();
  }
}
