/**
 * Who may do what, in one place and as data. A function gets the actions of the ports it uses (core/deps.ts) and named access to the
 * buckets, nothing else; test/infra derives the SDK calls of every handler from its code and compares.
 */
import type { FunctionName } from '../workflows/topology.ts';

export type Port =
  | 'images'
  | 'members'
  | 'imageList'
  | 'usage'
  | 'tasks'
  | 'duties'
  | 'identityRecords'
  | 'bytes'
  | 'locations'
  | 'metadefs'
  | 'workflows'
  | 'dropBox';

/** What a port's implementation asks of the table and of the import executions. */
export const PORT_ACTIONS: Readonly<
  Record<Port, { readonly table?: readonly string[]; readonly executions?: readonly string[] }>
> = {
  images: { table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'] },
  members: {
    table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:Query'],
  },
  imageList: { table: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:BatchGetItem'] },
  usage: { table: ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:Query'] },
  tasks: {
    table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query', 'dynamodb:BatchWriteItem'],
  },
  duties: { table: ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:Query'] },
  // A transaction needs the action of each of its items, not one of its own.
  identityRecords: {
    table: [
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'dynamodb:DeleteItem',
      'dynamodb:ConditionCheckItem',
      'dynamodb:Query',
    ],
  },
  metadefs: {
    table: [
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:UpdateItem',
      'dynamodb:DeleteItem',
      'dynamodb:ConditionCheckItem',
      'dynamodb:Query',
      'dynamodb:BatchWriteItem',
    ],
  },
  bytes: {},
  locations: {},
  dropBox: {},
  workflows: { executions: ['states:StartExecution', 'states:DescribeExecution', 'states:StopExecution'] },
};

/** Ways to use a bucket. Without ListBucket a missing key is answered with 403, which no one could tell from a lost permission. */
export const BUCKET_ACTIONS = {
  read: { bucket: ['s3:ListBucket'], objects: ['s3:GetObject'] },
  /** In parts, which are aborted when the upload fails. */
  upload: { bucket: [], objects: ['s3:PutObject', 's3:AbortMultipartUpload'] },
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
  /** Makes or checks tokens, so it gets the signing keys. */
  readonly tokens: boolean;
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
  keystone: false,
  event: false,
  ...access,
});

/** Removes what an import, an upload or an image left. */
const SWEEP = { staging: ['sweep'], stores: ['sweep'] } as const;
/** Reads what is there. A worker that was overtaken removes what it wrote, from staging and stores (bytes/imports/step.ts). */
const LOOK = { staging: ['read', 'sweep'], stores: ['read', 'sweep'] } as const;
/** Sets dropped files aside; large ones in parts. */
const DROP = { staging: ['read', 'upload', 'remove'] } as const;
/** Makes objects in the staging bucket. */
const WORK = { staging: ['read', 'upload', 'sweep'], stores: ['read', 'sweep'] } as const;
/** Makes objects in stores, too. */
const STORE = { staging: ['read', 'upload', 'sweep'], stores: ['read', 'upload', 'sweep'] } as const;

export const GRANTS: Readonly<Record<FunctionName | 'gateway', Grants>> = {
  'api-images': grants(
    [
      'images',
      'members',
      'imageList',
      'usage',
      'tasks',
      'duties',
      'identityRecords',
      'bytes',
      'locations',
      'workflows',
    ],
    { ...LOOK, tokens: true },
  ),
  'api-identity': grants(['identityRecords'], { tokens: true }),
  'api-metadefs': grants(['identityRecords', 'metadefs'], { tokens: true }),
  'import-begin': grants(['duties', 'imageList', 'images', 'tasks'], { keystone: true }),
  'import-fetch': grants(['bytes', 'duties', 'images', 'tasks'], WORK),
  'import-inspect': grants(['bytes', 'images', 'members', 'tasks'], LOOK),
  'import-plugin': grants(['bytes', 'duties', 'images', 'members', 'tasks'], WORK),
  'import-plan': grants(['bytes', 'imageList', 'images', 'members', 'tasks'], WORK),
  'import-render': grants(['bytes', 'duties', 'images', 'members', 'tasks'], WORK),
  'import-gather': grants(['bytes', 'duties', 'images', 'members', 'tasks'], WORK),
  'import-hash': grants(['bytes', 'duties', 'images', 'members', 'tasks'], LOOK),
  'import-copy': grants(['bytes', 'duties', 'images', 'tasks'], STORE),
  'import-store-failed': grants(['bytes', 'duties', 'images', 'tasks'], SWEEP),
  'import-clean': grants(['bytes', 'tasks'], SWEEP),
  'import-outcome': grants(['tasks']),
  'import-finish': grants(['duties', 'images', 'tasks']),
  'import-revert': grants(['bytes', 'duties', 'images', 'tasks'], SWEEP),
  drop: grants(['dropBox', 'duties', 'identityRecords', 'imageList', 'images', 'tasks', 'usage', 'workflows'], {
    ...DROP,
    keystone: true,
    event: true,
  }),
  'import-ended': grants(['bytes', 'duties', 'images', 'tasks'], { ...SWEEP, event: true }),
  janitor: grants(
    [
      'bytes',
      'dropBox',
      'duties',
      'identityRecords',
      'imageList',
      'images',
      'members',
      'metadefs',
      'tasks',
      'usage',
      'workflows',
    ],
    { staging: ['read', 'upload', 'sweep'], stores: SWEEP.stores, keystone: true },
  ),
  gateway: grants(['bytes', 'duties', 'identityRecords', 'imageList', 'images', 'members'], { ...STORE, tokens: true }),
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
  readonly workflow: T;
  readonly executions: T;
  readonly deadLetters: T;
}

export interface Statement<T> {
  actions: string[];
  resources: T[];
}

/** The statements of one function. Actions of one resource are sorted and named once. */
export function statementsOf<T>(name: keyof typeof GRANTS, targets: Targets<T>): Statement<T>[] {
  const { ports, staging, stores, event } = GRANTS[name];
  const table = unique(ports.flatMap((port) => PORT_ACTIONS[port].table ?? []));
  const executions = unique(ports.flatMap((port) => PORT_ACTIONS[port].executions ?? []));
  const on = (access: readonly Access[], kind: 'bucket' | 'objects') =>
    unique(access.flatMap((one) => BUCKET_ACTIONS[one][kind]));
  return [
    { actions: table, resources: [targets.table, targets.tableIndexes] },
    { actions: ['kms:Decrypt'], resources: [targets.key] },
    { actions: on(staging, 'bucket'), resources: [targets.stagingBucket] },
    { actions: on(staging, 'objects'), resources: [targets.stagingObjects] },
    { actions: on(stores, 'bucket'), resources: [...targets.storeBuckets] },
    { actions: on(stores, 'objects'), resources: [...targets.storeObjects] },
    { actions: stores.length > 0 ? ['secretsmanager:GetSecretValue'] : [], resources: [...targets.storeSecrets] },
    { actions: executions.filter((action) => action === 'states:StartExecution'), resources: [targets.workflow] },
    { actions: executions.filter((action) => action !== 'states:StartExecution'), resources: [targets.executions] },
    { actions: event ? ['sqs:SendMessage'] : [], resources: [targets.deadLetters] },
  ].filter(({ actions, resources }) => actions.length > 0 && resources.length > 0);
}

const unique = (actions: readonly string[]): string[] => [...new Set(actions)].sort();
