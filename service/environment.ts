/**
 * Every environment variable that our functions and the gateway read, in one place: infra sets exactly these. Secrets come by
 * variable; the configuration is a file, because it outgrows what a function's environment may hold.
 */
export const ENVIRONMENT = {
  table: 'GLIMPSE_TABLE',
  stagingBucket: 'GLIMPSE_STAGING_BUCKET',
  /** Partitions that each visibility is spread over in the indexes, the same for every process of a stage; grows, never shrinks; default 1. */
  indexShards: 'GLIMPSE_INDEX_SHARDS',
  /** ARN of the state machine `import-image`. */
  importWorkflow: 'GLIMPSE_IMPORT_WORKFLOW',
  /** Path of the JSON configuration file (core/config.ts). */
  config: 'GLIMPSE_CONFIG',
  /** Number of the AWS account: stands for `{account}` in the configuration. */
  account: 'GLIMPSE_ACCOUNT',
  /** Base URL in links and in the catalog; goes before `public_endpoint` of the configuration. */
  publicEndpoint: 'GLIMPSE_PUBLIC_ENDPOINT',
  /** JSON array of private JWKs (ES256); the first one signs. For the process that serves identity, and no other. */
  signingKeys: 'GLIMPSE_SIGNING_KEYS',
  /** JSON array of the public halves: what checks tokens and makes none holds these. */
  verificationKeys: 'GLIMPSE_VERIFICATION_KEYS',
  /** By which the edge is known to what answers behind it (api/client-address.ts); absent: there is no edge. */
  edgeSecret: 'GLIMPSE_EDGE_SECRET',
  /** Password of the service user at an existing Keystone (`identity.mode: keystone`). */
  keystonePassword: 'GLIMPSE_KEYSTONE_PASSWORD',
  /** Keys of 32 bytes, base64url, by commas: the first seals what imports keep apart (core/tasks/source-secrets.ts). For the image API and the fetch. */
  sourceKeys: 'GLIMPSE_SOURCE_KEYS',
  /** Port of the gateway's own process; default 8080. */
  gatewayPort: 'GLIMPSE_GATEWAY_PORT',
  /** Base URL of the API: where the gateway's own process hands on what is not image bytes; absent: it answers 404. */
  apiUrl: 'GLIMPSE_API_URL',
  /** MiB that all uploads of one gateway may hold in memory, at least two slices of 16 MiB; default 96. */
  uploadBudgetMib: 'GLIMPSE_UPLOAD_BUDGET_MIB',
  /** MiB that the clients of all downloads of one gateway may hold in memory, one each; default 128. */
  downloadBudgetMib: 'GLIMPSE_DOWNLOAD_BUDGET_MIB',
  /** Seconds of work above which a step of an import leaves its function for a container; absent: no step does by its estimate. */
  functionSeconds: 'GLIMPSE_FUNCTION_SECONDS',
  /** Endpoint of everything AWS; absent on AWS itself. */
  endpoint: 'AWS_ENDPOINT_URL',
  region: 'AWS_REGION',
} as const;

type Name = keyof typeof ENVIRONMENT;
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable is missing or unusable; `message` names it. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/** @throws EnvironmentError when it is not set */
export function required(env: Environment, name: Name): string {
  const value = env[ENVIRONMENT[name]];
  if (value === undefined || value === '') throw new EnvironmentError(`${ENVIRONMENT[name]} is not set`);
  return value;
}

export function optional(env: Environment, name: Name): string | undefined {
  const value = env[ENVIRONMENT[name]];
  return value === '' ? undefined : value;
}

/** A number of things, `least` or more; `value` as `optional` gave it. @throws EnvironmentError when it is none */
export function asCount(name: Name, value: string, least = 1): number {
  if (!/^[1-9]\d{0,3}$/.test(value) || Number(value) < least)
    throw new EnvironmentError(`${ENVIRONMENT[name]}: "${value}" is not a number from ${least} to 9999`);
  return Number(value);
}
