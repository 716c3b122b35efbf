// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import type { Mistakes } from './mistakes.ts';

/** Mistakes in what functions may do and know. */
export const RIGHTS: Mistakes = {
  'infra/permissions.ts': [
    [
      'credentials of stores for everybody',
      "actions: stores.length > 0 ? ['secretsmanager:GetSecretValue'] : []",
      "actions: ['secretsmanager:GetSecretValue']",
      'credentials of stores at other services',
    ],
    [
      'a right that a step of an import lacks',
      "'import-copy': grants(['bytes', 'duties', 'images', 'tasks'], STORE)",
      "'import-copy': grants(['bytes', 'images', 'tasks'], STORE)",
      'every step of the life of an image is allowed',
    ],
    [
      'a wildcard action',
      "table: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:BatchGetItem']",
      "table: ['dynamodb:*']",
      'no role may do everything',
    ],
    [
      'a permission too few',
      "import-begin': grants(['duties', ",
      "import-begin': grants([",
      'has the ports that its code uses',
    ],
    [
      'a permission too many',
      "import-finish': grants(['duties', 'images', 'sourceSecrets', 'tasks'])",
      "import-finish': grants(['duties', 'images', 'sourceSecrets', 'tasks', 'workflows'])",
      'has the ports that its code uses',
    ],
    [
      'certificates for who verifies',
      "'import-verify': grants(['bytes', 'duties', 'images', 'tasks'], LOOK)",
      "'import-verify': grants(['bytes', 'duties', 'images', 'keyManager', 'tasks'], LOOK)",
      'certificates are read by what answers requests',
    ],
    [
      'a store that cannot be written',
      "stores: ['read', 'upload', 'sweep']",
      "stores: ['read', 'sweep']",
      'may write every store',
    ],
    [
      'a write nobody needs',
      "const SWEEP = { staging: ['sweep']",
      "const SWEEP = { staging: ['upload', 'sweep']",
      'may not touch buckets',
    ],
    [
      'every resource',
      'resources: [targets.table, targets.tableIndexes]',
      "resources: ['*' as T]",
      'no role may do everything',
    ],
    [
      'a table without conditions',
      "conditions: [{ test: 'ForAllValues:StringLike', variable: 'dynamodb:LeadingKeys', values: [...keys] }],",
      '',
      'is written by the function that serves identity alone',
    ],
    [
      'log-ins for what checks tokens',
      'identityReads: TOKEN_KEYS,',
      'identityReads: IDENTITY_KEYS,',
      'log-ins are not',
    ],
    [
      'lists for what checks tokens',
      'identityReads: TOKEN_KEYS,',
      "identityReads: [...TOKEN_KEYS, 'GRANTED'],",
      'lists of identity are not read',
    ],
    [
      'users for who looks up projects',
      'projects: PROJECT_KEYS,',
      'projects: TOKEN_KEYS,',
      'a dropped file names a project',
    ],
    [
      'a port with a right it does not use',
      "duties: { table: ['dynamodb:PutItem',",
      "duties: { table: ['dynamodb:Scan', 'dynamodb:PutItem',",
      'asks for exactly what it sends',
    ],
    [
      'work that cannot be written',
      "const WORK = { staging: ['read', 'upload', 'sweep']",
      "const WORK = { staging: ['read', 'sweep']",
      'may make every SDK call',
    ],
    [
      'a queue that everyone may fill',
      "event ? ['sqs:SendMessage'] : []",
      "['sqs:SendMessage']",
      'may put what it fails at aside',
    ],
    [
      'steps that may write stores',
      "'sweep'], stores: ['read', 'sweep'] } as const;\n/** Makes objects in stores",
      "'sweep'], stores: ['read', 'upload', 'sweep'] } as const;\n/** Makes objects in stores",
      'no other function may write a store',
    ],
  ],
  'infra/environment.ts': [
    [
      'the key to what imports keep apart for everybody',
      '...(sources && { GLIMPSE_SOURCE_KEYS: sourceKeys })',
      'GLIMPSE_SOURCE_KEYS: sourceKeys',
      'the key to what imports keep apart',
    ],
    [
      'one partition for all images of a visibility',
      'GLIMPSE_INDEX_SHARDS: String(INDEX_SHARDS)',
      "GLIMPSE_INDEX_SHARDS: '1'",
      'spreads the images of a visibility',
    ],
    [
      'a variable that nobody reads',
      'GLIMPSE_TABLE: table.name,',
      'GLIMPSE_TABLE: table.name, GLIMPSE_TABEL: table.name,',
      'the environment is what handlers read',
    ],
    [
      'a variable that is missing',
      'GLIMPSE_IMPORT_WORKFLOW: importWorkflowArn,',
      '',
      'the environment is what handlers read',
    ],
    [
      'a variable for a function that does not read it',
      "...(name === 'gateway' && {",
      "...((name === 'gateway' || name === 'drop') && {",
      'has exactly the variables that its code reads',
    ],
    [
      'a variable that the gateway lacks',
      'GLIMPSE_UPLOAD_BUDGET_MIB: String(sizes.gateway.uploadBudgetMib),',
      '',
      'the gateway has exactly the variables',
    ],
    ['keys for everybody', 'tokens && tokenSecrets[tokens]', 'tokenSecrets.makes', 'private keys go to'],
    [
      'a value that is not there',
      'GLIMPSE_CONFIG: settings.configFile',
      'GLIMPSE_CONFIG: String(undefined)',
      'no value anywhere is undefined',
    ],
    ['no password for the Keystone', '...(keystone && keystoneSecret),', '', 'with a Keystone'],
  ],
  'infra/functions.ts': [
    ['a plain environment', 'args.kmsKeyArn = key.arn;', '', 'an encrypted environment'],
    [
      'a package without its hashing thread',
      "new Set(['import-fetch', 'import-verify', 'import-plugin', 'import-hash'])",
      "new Set(['import-verify', 'import-plugin', 'import-hash'])",
      'every package holds',
    ],
    [
      'no concurrency of its own',
      '...(own !== undefined && { concurrency: { reserved: own } }),',
      '',
      'concurrency of their own',
    ],
    ['a step that never leaves its function', '...limitOf(name),', '', 'it knows what its function knows'],
    [
      'metrics in a place where nobody looks',
      'POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,',
      "POWERTOOLS_METRICS_NAMESPACE: 'other',",
      'every metric that functions write is shown',
    ],
    [
      'time limits that are not those declared',
      'timeout: `${timeoutSeconds} seconds`',
      "timeout: '60 seconds'",
      'every function of the topology',
    ],
    [
      'a limit where there are no containers',
      '!onLocalStack && LONG_STEPS',
      'LONG_STEPS',
      'an emulator has no containers',
    ],
  ],
  'infra/kms.ts': [
    [
      'a key for the alarms of every account',
      "        Condition: { StringEquals: { 'aws:SourceAccount': account } },\n",
      '',
      'let in without a condition',
    ],
  ],
  'workflows/table-keys.ts': [['images that nobody may write', "  'IMAGE#*',\n", '', 'the walk sees every function']],
  'infra/secrets.ts': [
    [
      'a secret that is missed while resources are made',
      'if (!process.env[`SST_SECRET_${name}`])',
      "if (name === '')",
      'a missing secret',
    ],
    [
      'private keys for what checks tokens',
      'checks: { ...verification,',
      'checks: { ...signing, ...verification,',
      'private keys go to',
    ],
    ['private halves among the public keys', 'keys.map(publicHalf)', 'keys', 'holds public keys'],
    ['keys that nobody looks at', 'keys.every(isSigningKey)', 'true', 'signing keys that are none'],
  ],
};
