/**
 * Every resource the service needs, declared once, as plain data. `infra/` makes AWS resources of it, `scripts/provision.ts`
 * makes them at an endpoint. `{stage}` names are filled in by whoever reads it; stores add one bucket each from configuration.
 */

/** Generic, overloaded indexes: keys are named in aws/dynamodb/keys.ts. All are declared at once; none is added later. */
export const TABLE = {
  name: 'glimpse',
  partitionKey: 'pk',
  sortKey: 'sk',
  ttlAttribute: 'ttl',
  indexes: [
    { name: 'gsi1', partitionKey: 'gsi1pk', sortKey: 'gsi1sk' },
    { name: 'gsi2', partitionKey: 'gsi2pk', sortKey: 'gsi2sk' },
    { name: 'gsi3', partitionKey: 'gsi3pk', sortKey: 'gsi3sk' },
    { name: 'gsi4', partitionKey: 'gsi4pk', sortKey: 'gsi4sk' },
  ],
} as const;

/**
 * Partitions of the indexes that the images of one visibility are spread over. A list reads all of them, and an index partition takes
 * 1,000 writes a second. It may grow: what lies in the first ones is found as before; it never shrinks.
 */
export const INDEX_SHARDS = 4;

/** Bytes on their way in: `staged/`, `images/` (rendered, before the copies), `plans/`, `drop/{project}/` (bucket drop-in). */
export const STAGING_BUCKET = { name: 'glimpse-staging', events: true } as const;

/** What pages of the console may send to the staging bucket: parts of uploads, with the headers that their URLs sign. */
export const STAGING_CORS = {
  methods: ['PUT'],
  headers: ['content-length', 'x-amz-checksum-crc32'],
  maxAgeSeconds: 600,
} as const;

/** The memory that comes with one whole vCPU (AWS Lambda developer guide, "Configure memory"); paces of functions/tasks/too-long.ts are of that. */
const ONE_CPU_MIB = 1769;

/** Seconds are the Lambda limit; `heavy` ones parse, decode or compress and locally run in worker threads; the others wait for the network. */
export const FUNCTIONS = {
  // API groups (one per route group of api/routes.ts)
  'api-images': { handler: 'functions/api/images.handler', timeoutSeconds: 29, memoryMiB: 512, heavy: false },
  'api-identity': { handler: 'functions/api/identity.handler', timeoutSeconds: 29, memoryMiB: 512, heavy: false },
  'api-metadefs': { handler: 'functions/api/metadefs.handler', timeoutSeconds: 29, memoryMiB: 512, heavy: false },
  // steps of workflows/import-image.ts
  'import-begin': { handler: 'functions/tasks/begin.handler', timeoutSeconds: 60, memoryMiB: 256, heavy: false },
  'import-fetch': {
    handler: 'functions/tasks/fetch.handler',
    timeoutSeconds: 900,
    memoryMiB: ONE_CPU_MIB,
    heavy: false,
  },
  'import-verify': {
    handler: 'functions/tasks/verify.handler',
    timeoutSeconds: 900,
    memoryMiB: ONE_CPU_MIB,
    heavy: true,
  },
  'import-inspect': { handler: 'functions/tasks/inspect.handler', timeoutSeconds: 120, memoryMiB: 512, heavy: true },
  'import-plugin': {
    handler: 'functions/tasks/plugin.handler',
    timeoutSeconds: 900,
    memoryMiB: ONE_CPU_MIB,
    heavy: true,
  },
  'import-plan': { handler: 'functions/tasks/plan.handler', timeoutSeconds: 300, memoryMiB: 1024, heavy: true },
  'import-render': {
    handler: 'functions/tasks/render.handler',
    timeoutSeconds: 900,
    memoryMiB: ONE_CPU_MIB,
    heavy: true,
  },
  'import-gather': {
    handler: 'functions/tasks/gather.handler',
    timeoutSeconds: 900,
    memoryMiB: ONE_CPU_MIB,
    heavy: true,
  },
  'import-hash': { handler: 'functions/tasks/hash.handler', timeoutSeconds: 900, memoryMiB: ONE_CPU_MIB, heavy: true },
  'import-copy': { handler: 'functions/tasks/copy.handler', timeoutSeconds: 900, memoryMiB: ONE_CPU_MIB, heavy: false },
  'import-store-failed': {
    handler: 'functions/tasks/store-failed.handler',
    timeoutSeconds: 60,
    memoryMiB: 256,
    heavy: false,
  },
  'import-clean': { handler: 'functions/tasks/clean.handler', timeoutSeconds: 300, memoryMiB: 256, heavy: false },
  'import-outcome': { handler: 'functions/tasks/outcome.handler', timeoutSeconds: 60, memoryMiB: 256, heavy: false },
  'import-finish': { handler: 'functions/tasks/finish.handler', timeoutSeconds: 60, memoryMiB: 256, heavy: false },
  'import-revert': { handler: 'functions/tasks/revert.handler', timeoutSeconds: 120, memoryMiB: 256, heavy: false },
  // events
  drop: { handler: 'functions/events/drop.handler', timeoutSeconds: 60, memoryMiB: 512, heavy: false },
  'import-ended': {
    handler: 'functions/events/import-ended.handler',
    timeoutSeconds: 60,
    memoryMiB: 256,
    heavy: false,
  },
  janitor: { handler: 'functions/events/janitor.handler', timeoutSeconds: 120, memoryMiB: 512, heavy: false },
} as const satisfies Record<string, { handler: string; timeoutSeconds: number; memoryMiB: number; heavy: boolean }>;

export type FunctionName = keyof typeof FUNCTIONS;

/** Steps that may need longer than a function may run: then the same handler runs as a container of the gateway's image. */
export const LONG_STEPS = [
  'import-fetch',
  'import-verify',
  'import-plugin',
  'import-gather',
  'import-hash',
  'import-copy',
] as const satisfies readonly FunctionName[];
export type LongStep = (typeof LONG_STEPS)[number];
/** Seconds of work, by a step's own estimate, above which it leaves its function. */
export const FUNCTION_SECONDS = 480;

/** State machines: name → the definition's module is `workflows/{name}.ts`. */
export const WORKFLOWS = ['import-image'] as const;
export type WorkflowName = (typeof WORKFLOWS)[number];

/** EventBridge rules. `{staging}` and `{workflow:NAME}` are replaced by the bucket name and the state machine's ARN. */
export const RULES = [
  {
    name: 'drop',
    pattern: {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: ['{staging}'] }, object: { key: [{ prefix: 'drop/' }] } },
    },
    target: 'drop',
  },
  {
    name: 'import-ended',
    pattern: {
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: ['{workflow:import-image}'] },
    },
    target: 'import-ended',
  },
] as const satisfies readonly { name: string; pattern: unknown; target: FunctionName }[];

export const SCHEDULES = [{ name: 'janitor', rate: 'rate(1 minute)', target: 'janitor' }] as const satisfies readonly {
  name: string;
  rate: string;
  target: FunctionName;
}[];
