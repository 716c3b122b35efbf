/**
 * The service on an AWS of somebody else: front door, handlers of the API and gateway are this process, everything else is there. The
 * functions are those of a deployment, package by package. Whatever was begun before is gone on with: every part is idempotent.
 */
import { join } from 'node:path';
import { startAwsProcesses } from '../../local/processes.ts';
import { ENVIRONMENT } from '../../service/environment.ts';
import { FUNCTIONS } from '../../workflows/topology.ts';
import { makeDeployment, packagedFunctions, readDeployment } from '../as-deployed.ts';
import { writeCredentials } from '../credentials.ts';
import { takeFrontDoor } from '../front-door.ts';
import {
  greeting,
  openDataDir,
  REGION,
  type Service,
  type ServiceOptions,
  setEnvironment,
  withCertificates,
} from '../one-machine.ts';
import { provision } from '../provision.ts';
import { loadSecrets } from '../secrets.ts';
import type { EmulatorSettings, Settings } from '../settings.ts';
import { refused } from './failure.ts';
import { putFunctions } from './functions.ts';
import { untilItAnswers, whoAnswers } from './health.ts';
import { traitsOf } from './lacks.ts';
import { watchState } from './watch.ts';

/** For one that is being started beside this service. */
const AWAY_MS = 60_000;

type Given = Settings & { readonly emulator: EmulatorSettings };

/** @throws Error with one line for people */
export async function startAtEmulator(
  given: Given,
  options: ServiceOptions,
  undo: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<Service> {
  const { endpoint, dynamodb: ownTables } = given.emulator;
  const dataDir = await openDataDir(given, undo);
  const config = await withCertificates(given.config, dataDir);
  const door = await takeFrontDoor(given.port, { hosts: given.hosts, origins: config.cors_allowed_origins });
  undo.push(() => door.close());
  const url = `http://127.0.0.1:${door.port}`;
  const secrets = await loadSecrets(dataDir);
  await untilItAnswers(endpoint, AWAY_MS);
  const dynamodb = ownTables ?? (await startTables(given, dataDir, secrets.controlToken, options, undo));
  const traits = traitsOf(await whoAnswers(endpoint), dynamodb === endpoint ? undefined : dynamodb);
  for (const line of traits.lines) console.log(line);
  await setEnvironment(config, dataDir, secrets, {
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    [ENVIRONMENT.endpoint]: endpoint,
  });
  const deployment = join(dataDir, 'deployment');
  const client = { endpoint, region: REGION };
  const where = { ...client, config, dynamodbEndpoint: dynamodb, abilities: traits.abilities };
  const [{ workflowArns, newBuckets }] = await Promise.all([
    provision(where).catch(refused(traits.title, endpoint)),
    makeDeployment(config, deployment, 'localstack'),
  ]);
  process.env[ENVIRONMENT.importWorkflow] = workflowArns['import-image'];
  const functions = packagedFunctions(await readDeployment(deployment), deployment, url, process.env);
  await putFunctions(client, withTables(functions, endpoint, dynamodb)).catch(refused(traits.title, endpoint));
  const parts = await import('../parts.ts');
  const doors = await parts.openParts(secrets);
  const openrc =
    config.identity.mode === 'keystone'
      ? undefined
      : await writeCredentials(dataDir, url, config.region_name, secrets.passwords);
  const lost = await parts.lostWith(newBuckets);
  if (lost !== undefined) console.log(lost);
  await parts.recover();
  door.open(doors);
  const seeding = parts.seed();
  undo.push(() => seeding);
  const watch = watchState(client, workflowArns['import-image'], traits.title);
  undo.push(async () => watch.close());
  return {
    ...{ url, awsEndpoint: endpoint, dataDir, close },
    greeting: greeting(config, url, `${traits.title} ${endpoint}`, dataDir, openrc?.admin),
  };
}

/** The embedded DynamoDB, at a port that stays the same: functions that run on while this process is away come back to it. */
async function startTables(
  { awsPort, hosts }: Given,
  dataDir: string,
  controlToken: string,
  { onFailure }: ServiceOptions,
  undo: (() => Promise<void>)[],
): Promise<string> {
  const tables = await startAwsProcesses({
    port: awsPort,
    dataDir: join(dataDir, 'aws'),
    controlToken,
    hosts,
    onFailure: (_name, cause) =>
      onFailure(new Error(`the embedded DynamoDB cannot be restarted: ${cause.message}`, { cause })),
  });
  undo.push(() => tables.close());
  return tables.endpoint;
}

type Packaged = ReturnType<typeof packagedFunctions>;

/** What emulators set themselves, as Lambda does, and refuse from others. */
const SET_THERE: readonly string[] = [
  ENVIRONMENT.endpoint,
  ENVIRONMENT.region,
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
];

/** The tables where they are, and in as many partitions of the indexes as this process reads. */
function withTables(functions: Packaged, endpoint: string, dynamodb: string): Packaged {
  const entries = Object.entries(functions)
    .filter(([name]) => !name.startsWith('api-') && name in FUNCTIONS)
    .map(([name, fn]) => {
      const own = Object.entries(fn.environment).filter(([variable]) => !SET_THERE.includes(variable));
      const environment = {
        ...Object.fromEntries(own),
        ...(dynamodb !== endpoint && { AWS_ENDPOINT_URL_DYNAMODB: dynamodb }),
        [ENVIRONMENT.indexShards]: process.env[ENVIRONMENT.indexShards] ?? '1',
      };
      return [name, { ...fn, environment }] as const;
    });
  return Object.fromEntries(entries);
}
