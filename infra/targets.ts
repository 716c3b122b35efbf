/** ARNs that permissions speak of. The workflow's is composed, not read: its functions need it before it exists. */
import { deadLetters } from './dead-letters.ts';
import { key } from './kms.ts';
import type { Targets } from './permissions.ts';
import { account, named, settings } from './stage.ts';
import { staging, stores, table } from './storage.ts';

const importWorkflowName = named('import-image');
const states = $interpolate`arn:aws:states:${settings.region}:${account}`;
export const importWorkflowArn = $interpolate`${states}:stateMachine:${importWorkflowName}`;

export const targets: Targets<$util.Output<string>> = {
  table: table.arn,
  tableIndexes: $interpolate`${table.arn}/index/*`,
  key: key.arn,
  stagingBucket: staging.arn,
  stagingObjects: $interpolate`${staging.arn}/*`,
  storeBuckets: stores.map((store) => store.arn),
  storeObjects: stores.map((store) => $interpolate`${store.arn}/*`),
  storeSecrets: secretsOfStores(),
  certificates: certificates(),
  workflow: importWorkflowArn,
  deadLetters: deadLetters.arn,
  executions: $interpolate`${states}:execution:${importWorkflowName}:*`,
};

/** The ARN of a secret ends in six characters that its name does not tell (Secrets Manager User Guide, "Secrets Manager ARNs"). */
function secretsOfStores(): $util.Output<string>[] {
  const names = settings.config.stores.flatMap(({ credentials_secret: name }) => (name === undefined ? [] : [name]));
  return [...new Set(names)].map((name) =>
    name.startsWith('arn:')
      ? $util.output(name)
      : $interpolate`arn:aws:secretsmanager:${settings.region}:${account}:secret:${name}-??????`,
  );
}

/** Those that the prefix names, and no others. */
function certificates(): $util.Output<string>[] {
  const { key_manager, secret_prefix } = settings.config.signed_images;
  if (key_manager !== 'secrets-manager') return [];
  return [$interpolate`arn:aws:secretsmanager:${settings.region}:${account}:secret:${secret_prefix}*`];
}
