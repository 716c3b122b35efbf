import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import { createDutyRepository } from '../aws/dynamodb/duties.ts';
import { createIdentityRepository } from '../aws/dynamodb/identity.ts';
import { createImageListing } from '../aws/dynamodb/image-list.ts';
import { createImageRepository } from '../aws/dynamodb/images.ts';
import { createMemberRepository } from '../aws/dynamodb/members.ts';
import { createMetadefRepository } from '../aws/dynamodb/metadefs.ts';
import { createSourceSecretReads, createSourceSecrets } from '../aws/dynamodb/source-secrets.ts';
import { tableOf } from '../aws/dynamodb/table.ts';
import { createTaskRepository } from '../aws/dynamodb/tasks.ts';
import { createUploadSessions } from '../aws/dynamodb/upload-sessions.ts';
import { createUsageRepository } from '../aws/dynamodb/usage.ts';
import { createS3Places } from '../aws/s3/stores.ts';
import { createWorkflows } from '../aws/stepfunctions/workflows.ts';
import { telemetry } from '../aws/telemetry.ts';
import { directIn } from '../bytes/direct.ts';
import { createDropBox } from '../bytes/drop-box.ts';
import { createLocations } from '../bytes/locations.ts';
import { storeAbilitiesIn, type WithPlaces } from '../bytes/places.ts';
import type { Clock } from '../core/clock.ts';
import { type Config, ConfigError, parseConfig, refuseFolder, refuseKeysInFile } from '../core/config.ts';
import type { Deps } from '../core/deps.ts';
import { createLookUps } from '../core/identity/look-ups.ts';
import { DEFAULT_DOMAIN_ID } from '../core/identity/records.ts';
import type { IdentityRepository } from '../core/identity/repository.ts';
import { countedImages } from '../core/images/counted.ts';
import { configuredPeers, type Peers } from '../core/imports/peers.ts';
import type { JanitorDeps } from '../core/janitor/janitor.ts';
import { catalogLimits } from '../core/metadefs/limits.ts';
import { configuredLimits, type LimitsPort } from '../core/quota/limited-resources.ts';
import type { WithSourceSecretReads } from '../core/tasks/source-secrets.ts';
import { loadPolicy, loadProtections } from '../files/policy-files.ts';
import { createCatalogPeers } from '../keystone/catalog.ts';
import { connectKeystone, type KeystoneConnection } from '../keystone/connection.ts';
import { createKeystoneLimits } from '../keystone/limits.ts';
import { createProjectLookup } from '../keystone/projects.ts';
import { asCount, type Environment, optional, required } from './environment.ts';
import { keyManagerOf } from './key-manager.ts';
import { createLog } from './log.ts';
import { nameId } from './name-id.ts';

/** Everything that functions and gateway work with: the domain's ports on AWS, and the buckets. No secrets of identity. */
export interface ServiceDeps extends Deps, JanitorDeps, WithPlaces, WithSourceSecretReads {
  readonly identityRecords: IdentityRepository;
  /** The existing Keystone of `identity.mode: keystone`. @throws ConfigError when it is not, or not wholly, configured */
  readonly keystone: () => KeystoneConnection;
}

/**
 * A record is read or written in milliseconds. A call that takes longer than this is lost, and tried again by the client, before the
 * request or the step that waits for it runs out of its own time. Milliseconds.
 */
const SOON = { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true };

let built: Promise<ServiceDeps> | undefined;

/** The dependencies of this process, built once from its environment. @throws EnvironmentError, ConfigError */
export function serviceDeps(): Promise<ServiceDeps> {
  built ??= createServiceDeps(process.env);
  return built;
}

/** Builds the dependencies from an environment. @throws EnvironmentError, ConfigError */
export async function createServiceDeps(env: Environment): Promise<ServiceDeps> {
  const config = readConfig(env);
  const clock = { now: () => Date.now() };
  const log = createLog('glimpse');
  const { traced } = await telemetry();
  const table = tableOf(traced(new DynamoDBClient({ requestHandler: SOON })), required(env, 'table'));
  const visibilityShards = asCount('indexShards', optional(env, 'indexShards') ?? '1');
  const places = createS3Places(config, {
    stagingBucket: required(env, 'stagingBucket'),
    stagingRegion: optional(env, 'region'),
    endpoint: optional(env, 'endpoint'),
    env,
  });
  const identityRecords = createIdentityRepository(table, clock);
  const policy = loadPolicy(config, log, clock);
  const protections = loadProtections(config, policy, log, clock);
  const duties = createDutyRepository(table);
  const sourceKeys = () => sourceKeysIn(required(env, 'sourceKeys'));
  const keystone = lazily(() => connectKeystone(config.identity, clock));
  const counter = {
    config,
    clock,
    imageList: createImageListing(table, { visibilityShards }),
    usage: createUsageRepository(table, { clock }),
    limits: limitsIn(config, clock),
  };
  return {
    ...counter,
    lookUps: createLookUps(clock),
    keyManager: keyManagerOf(config),
    log,
    newId: randomUUID,
    nameId,
    images: countedImages(createImageRepository(table, { clock, visibilityShards }), counter),
    members: createMemberRepository(table),
    tasks: createTaskRepository(table, clock),
    sourceSecrets: createSourceSecrets(table, { clock, keys: sourceKeys }),
    sourceSecretReads: createSourceSecretReads(table, sourceKeys),
    peers: peersIn(config),
    duties,
    metadefs: createMetadefRepository(table, { clock, newId: randomUUID, duties, limits: catalogLimits(config), log }),
    bytes: places,
    direct: directIn(places),
    uploadSessions: createUploadSessions(table),
    storeAbilities: storeAbilitiesIn(places),
    locations: createLocations(places),
    workflows: createWorkflows(traced(new SFNClient({ requestHandler: SOON })), required(env, 'importWorkflow')),
    policy,
    ...(protections === undefined ? {} : { protections }),
    places,
    identityRecords,
    keystone,
    findProject: findProjectIn(config, { keystone, clock, identityRecords }),
    dropBox: createDropBox(places.staging),
  };
}

const sourceKeysIn = (text: string): Buffer[] => text.split(',').map((key) => Buffer.from(key, 'base64url'));

/** Built at its first use: most functions have no password, and ask nothing there. */
function lazily<T>(build: () => T): () => T {
  let built: { readonly value: T } | undefined;
  return () => {
    built ??= { value: build() };
    return built.value;
  };
}

function limitsIn(config: Config, clock: Clock): LimitsPort {
  if (config.identity.mode !== 'keystone') return configuredLimits(config);
  // A function that reads images: it holds no password, and goes by what the one that began was told.
  if (config.identity.password === undefined) return { of: async () => undefined };
  const limits = lazily(() =>
    createKeystoneLimits(connectKeystone(config.identity, clock, 'system'), config.oslo_limit, clock),
  );
  return { of: async (project) => limits().of(project) };
}

function peersIn(config: Config): Peers {
  const { mode, auth_url } = config.identity;
  return mode === 'keystone' && auth_url !== undefined ? createCatalogPeers(auth_url) : configuredPeers(config);
}

function findProjectIn(
  { identity }: Config,
  { keystone, clock, identityRecords }: Pick<ServiceDeps, 'keystone' | 'clock' | 'identityRecords'>,
): JanitorDeps['findProject'] {
  if (identity.mode === 'keystone') {
    const lookup = lazily(() => createProjectLookup(keystone(), clock));
    return async (idOrName) => lookup()(idOrName);
  }
  return async (idOrName) =>
    (await identityRecords.get('project', idOrName)) ??
    identityRecords.findByName('project', DEFAULT_DOMAIN_ID, idOrName);
}

/** The configuration file, and what the deployment knows better: its own address, and the one secret that must not stand in a file. */
function readConfig(env: Environment): Config {
  const path = required(env, 'config');
  let parsed: unknown;
  try {
    const text = readFileSync(path, 'utf8');
    parsed = JSON.parse(text.replaceAll('{account}', optional(env, 'account') ?? '{account}'));
  } catch (error) {
    throw new ConfigError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const config = parseConfig(parsed);
  // A stage in AWS, not the one machine of whoever wrote the file.
  if (optional(env, 'endpoint') === undefined) {
    refuseKeysInFile(config);
    refuseFolder(config);
  }
  const publicEndpoint = optional(env, 'publicEndpoint');
  const password = optional(env, 'keystonePassword');
  return {
    ...config,
    ...(publicEndpoint !== undefined && { public_endpoint: publicEndpoint }),
    ...(password !== undefined && { identity: { ...config.identity, password } }),
  };
}
