import { dynamodb } from './dynamodb/main.ts';
import { infrastructure } from './infrastructure/main.ts';
import type { Judge } from './judge.ts';
import { openapi } from './openapi/main.ts';
import { repositories } from './repositories/main.ts';
import { s3Recorded } from './s3-recorded/main.ts';
import { s3Tests } from './s3-tests/main.ts';
import { stepFunctions } from './step-functions/main.ts';

/** Every judge, by the name that `npm run judge -- NAME` takes. */
export const JUDGES: Readonly<Record<string, Judge>> = {
  'step-functions': stepFunctions,
  's3-recorded': s3Recorded,
  's3-tests': s3Tests,
  dynamodb,
  repositories,
  infrastructure,
  openapi,
};
