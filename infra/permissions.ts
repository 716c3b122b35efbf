/**
 * Who may do what, in one place and as data. A function gets the actions of the ports it uses (core/deps.ts) and named access to the
 * buckets, nothing else; test/infra derives the SDK calls of every handler from its code and compares.
 */
import { IDENTITY_KEYS, PROJECT_KEYS, SERVICE_KEYS, SOURCE_KEYS, TOKEN_KEYS } from '../workflows/table-keys.ts';
import type { FunctionName } from '../workflows/topology.ts';

export type Port =
  | 'images'
  | 'members'
  | 'imageList'
  | 'usage'
  | 'tasks'
  | 'sourceSecrets'
  | 'sourceSecretReads'
  | 'duties'
  | 'identityRecords'
  | 'identityReads'
  | 'projects'
  | 'bytes'
  | 'locations'
  | 'metadefs'
  | 'workflows'
  | 'dropBox'
  | 'keyManager'
  | 'uploadSessions'
  | 'direct';

/** Of records that are read, listed and changed together. A transaction needs the action of each of its items, not one of its own. */
const TRANSACTED = [
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  'dynamodb:UpdateItem',
  'dynamodb:DeleteItem',
  'dynamodb:ConditionCheckItem',
  'dynamodb:Query',
];

/** What a port's implementation asks of the table, of the import executions, and of the secrets that hold certificates. */
export const PORT_ACTIONS: Readonly<
  Record<
    Port,
    {
      readonly table?: readonly string[];
      readonly executions?: readonly string[];
      readonly certificates?: readonly string[];
    }
  >
> = {
  images: { table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'] },
  members: { table: TRANSACTED },
  imageList: { table: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:BatchGetItem'] },
  usage: { table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'] },
  tasks: {
    table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query', 'dynamodb:BatchWriteItem'],
  },
  sourceSecrets: { table: ['dynamodb:PutItem', 'dynamodb:DeleteItem'] },
  sourceSecretReads: { table: ['dynamodb:GetItem'] },
  duties: { table: ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:Query'] },
  identityRecords: { table: TRANSACTED },
  identityReads: { table: ['dynamodb:GetItem', 'dynamodb:Query'] },
  projects: { table: ['dynamodb:GetItem'] },
  metadefs: {
    table: [...TRANSACTED, 'dynamodb:BatchWriteItem'],
  },
  bytes: {},
  locations: {},
  dropBox: {},
  uploadSessions: { table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query'] },
  direct: {},
  keyManager: { certificates: ['secretsmanager:GetSecretValue'] },
  workflows: {
    executions: [
      'states:StartExecution',
      'states:DescribeExecution',
      'states:StopExecution',
      'states:GetExecutionHistory',
    ],
  },
};

/**
 * Which partitions a port's actions may touch, in the table and in its indexes (docs/adr/0022-identity-is-out-of-reach.md). What is not
 * here has the records of the service.
 */
const KEYS_OF: Partial<Record<Port, readonly string[]>> = {
  identityRecords: IDENTITY_KEYS,
  identityReads: TOKEN_KEYS,
  projects: PROJECT_KEYS,
  sourceSecrets: SOURCE_KEYS,
  sourceSecretReads: SOURCE_KEYS,
};

/** Ways to use a bucket. Without ListBucket a missing key is answered with 403, which no one could tell from a lost permission. */
export const BUCKET_ACTIONS = {
  read: { bucket: ['s3:ListBucket'], objects: ['s3:GetObject'] },
  /** In parts, which are aborted when the upload fails. */
  upload: { bucket: [], objects: ['s3:PutObject', 's3:AbortMultipartUpload'] },
  /** Goes on with an upload that an earlier attempt lost. */
  resume: { bucket: [], objects: ['s3:ListMultipartUploadParts'] },
  remove: { bucket: [], objects: ['s3:DeleteObject'] },
  /** Whatever lies under a prefix, uploads included. */
  sweep: {
    bucket: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
    objects: ['s3:DeleteObject', 's3:AbortMultipartUpload'],
  },
} as const;
export type Access = keyof typeof BUCKET_ACTIONS;

export interface Grants {
  readonly ports: readonly Port[];
  readonly staging: readonly Access[];
  readonly stores: readonly Access[];
  /** Makes tokens, so it gets the private keys; or checks them, so it gets the public ones. */
  readonly tokens: 'makes' | 'checks' | false;
  /** Seals or opens what imports keep apart, so it gets the key. */
  readonly sources: boolean;
  /** Asks an existing Keystone for more than tokens, so it gets the service user's password. */
  readonly keystone: boolean;
  /** Is called by an event rule: what it fails at is sent to the dead-letter queue, by Lambda in its name. */
  readonly event: boolean;
}

const grants = (ports: readonly Port[], access: Partial<Omit<Grants, 'ports'>> = {}): Grants => ({
  ports,
  staging: [],
  stores: [],
  tokens: false,
  sources: false,
  keystone: false,
  event: false,
  ...access,
});

/** Removes what an import, an upload or an image left. */
const SWEEP = { staging: ['sweep'], stores: ['sweep'] } as const;
/** Reads what is there. A worker that was overtaken removes what it wrote, from staging and stores (bytes/imports/step.ts). */
const LOOK = { staging: ['read', 'sweep'], stores: ['read', 'sweep'] } as const;
/** As `LOOK`, and joins parts that clients send; what a signed URL does, it does in the name of who signed it. */
const DIRECT = { staging: ['read', 'upload', 'resume', 'sweep'], stores: ['read', 'sweep'] } as const;
/** Sets dropped files aside; large ones in parts. */
const DROP = { staging: ['read', 'upload', 'resume', 'remove'] } as const;
/** Makes objects in the staging bucket. */
const WORK = { staging: ['read', 'upload', 'sweep'], stores: ['read', 'sweep'] } as const;
/** Makes one there that takes long. */
const LONG_WORK = { staging: ['read', 'upload', 'resume', 'sweep'], stores: ['read', 'sweep'] } as const;
/** Makes objects in stores, too. */
const STORE = { staging: ['read', 'upload', 'sweep'], stores: ['read', 'upload', 'resume', 'sweep'] } as const;
/** What the gateway receives, and what it hands out. */
const SERVE = { staging: ['read', 'upload', 'sweep'], stores: ['read', 'upload', 'sweep'] } as const;

export const GRANTS: Readonly<Record<FunctionName | 'gateway', Grants>> = {
  'api-images': grants(
    [
      'images',
      'members',
      'imageList',
      'usage',
      'tasks',
      'sourceSecrets',
      'duties',
      'identityReads',
      'bytes',
      'locations',
      'workflows',
      'keyManager',
      'uploadSessions',
      'direct',
    ],
    { ...DIRECT, tokens: 'checks', sources: true },
  ),
  'api-identity': grants(['identityRecords'], { tokens: 'makes' }),
  'api-metadefs': grants(['identityReads', 'metadefs'], { tokens: 'checks' }),
  'import-begin': grants(['duties', 'imageList', 'images', 'tasks', 'usage'], { keystone: true }),
  'import-fetch': grants(['bytes', 'duties', 'images', 'sourceSecretReads', 'tasks'], {
    ...LONG_WORK,
    sources: true,
  }),
  'import-verify': grants(['bytes', 'duties', 'images', 'tasks'], LOOK),
  'import-inspect': grants(['bytes', 'images', 'members', 'tasks'], LOOK),
  'import-plugin': grants(['bytes', 'duties', 'images', 'members', 'tasks'], LONG_WORK),
  'import-plan': grants(['bytes', 'images', 'members', 'tasks'], WORK),
  'import-render': grants(['bytes', 'duties', 'images', 'members', 'tasks'], WORK),
  'import-gather': grants(['bytes', 'duties', 'images', 'members', 'tasks'], LONG_WORK),
  'import-hash': grants(['bytes', 'duties', 'images', 'members', 'tasks'], LOOK),
  'import-copy': grants(['bytes', 'duties', 'images', 'tasks'], STORE),
  'import-store-failed': grants(['bytes', 'duties', 'images', 'tasks'], SWEEP),
  'import-clean': grants(['bytes', 'tasks'], SWEEP),
  'import-outcome': grants(['tasks']),
  'import-finish': grants(['duties', 'images', 'sourceSecrets', 'tasks']),
  'import-revert': grants(['bytes', 'duties', 'images', 'sourceSecrets', 'tasks'], SWEEP),
  drop: grants(['dropBox', 'duties', 'imageList', 'images', 'keyManager', 'projects', 'tasks', 'usage', 'workflows'], {
    ...DROP,
    keystone: true,
    event: true,
  }),
  'import-ended': grants(['bytes', 'duties', 'images', 'sourceSecrets', 'tasks'], { ...SWEEP, event: true }),
  janitor: grants(
    [
      'bytes',
      'dropBox',
      'duties',
      'imageList',
      'images',
      'keyManager',
      'members',
      'metadefs',
      'projects',
      'sourceSecrets',
      'tasks',
      'uploadSessions',
      'usage',
      'workflows',
    ],
    { staging: ['read', 'upload', 'resume', 'sweep'], stores: SWEEP.stores, keystone: true },
  ),
  gateway: grants(['bytes', 'duties', 'identityReads', 'imageList', 'images', 'keyManager', 'members', 'usage'], {
    ...SERVE,
    tokens: 'checks',
  }),
};

/** ARNs the statements speak of; `stores` are buckets. */
export interface Targets<T> {
  readonly table: T;
  readonly tableIndexes: T;
  readonly key: T;
  readonly stagingBucket: T;
  readonly stagingObjects: T;
  readonly storeBuckets: readonly T[];
  readonly storeObjects: readonly T[];
  /** With the credentials of stores at other services. */
  readonly storeSecrets: readonly T[];
  /** With certificates of signatures; none where they are kept elsewhere. */
  readonly certificates: readonly T[];
  readonly workflow: T;
  readonly executions: T;
  readonly deadLetters: T;
}

export interface Statement<T> {
  actions: string[];
  resources: T[];
  conditions?: { test: string; variable: string; values: string[] }[];
}

/** The statements of one function. Actions of one resource are sorted and named once. */
export function statementsOf<T>(name: keyof typeof GRANTS, targets: Targets<T>): Statement<T>[] {
  const { ports, staging, stores, event } = GRANTS[name];
  const executions = unique(ports.flatMap((port) => PORT_ACTIONS[port].executions ?? []));
  const on = (access: readonly Access[], kind: 'bucket' | 'objects') =>
    unique(access.flatMap((one) => BUCKET_ACTIONS[one][kind]));
  return [
    ...tableStatements(ports, targets),
    { actions: ['kms:Decrypt'], resources: [targets.key] },
    { actions: on(staging, 'bucket'), resources: [targets.stagingBucket] },
    { actions: on(staging, 'objects'), resources: [targets.stagingObjects] },
    { actions: on(stores, 'bucket'), resources: [...targets.storeBuckets] },
    { actions: on(stores, 'objects'), resources: [...targets.storeObjects] },
    { actions: stores.length > 0 ? ['secretsmanager:GetSecretValue'] : [], resources: [...targets.storeSecrets] },
    {
      actions: unique(ports.flatMap((port) => PORT_ACTIONS[port].certificates ?? [])),
      resources: [...targets.certificates],
    },
    { actions: executions.filter((action) => action === 'states:StartExecution'), resources: [targets.workflow] },
    { actions: executions.filter((action) => action !== 'states:StartExecution'), resources: [targets.executions] },
    { actions: event ? ['sqs:SendMessage'] : [], resources: [targets.deadLetters] },
  ].filter(({ actions, resources }) => actions.length > 0 && resources.length > 0);
}

/** A statement for each set of partitions that the ports share. Every action that is granted names its keys: ForAllValues has some. */
function tableStatements<T>(ports: readonly Port[], targets: Targets<T>): Statement<T>[] {
  const sets = new Map<readonly string[], string[]>();
  for (const port of ports) {
    const keys = KEYS_OF[port] ?? SERVICE_KEYS;
    sets.set(keys, [...(sets.get(keys) ?? []), ...(PORT_ACTIONS[port].table ?? [])]);
  }
  return [...sets].map(([keys, actions]) => ({
    actions: unique(actions),
    resources: [targets.table, targets.tableIndexes],
    conditions: [{ test: 'ForAllValues:StringLike', variable: 'dynamodb:LeadingKeys', values: [...keys] }],
  }));
}

const unique = (actions: readonly string[]): string[] => [...new Set(actions)].sort();
