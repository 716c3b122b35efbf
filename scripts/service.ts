/** Puts a local service together: data directory, embedded AWS, resources, functions, accounts, front door. */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { type FunctionHost, type HostOptions, hostFunctions } from '../local/lambda/runtime.ts';
import { startAwsProcesses } from '../local/processes.ts';
import type { Strict } from '../local/strict.ts';
import { ENVIRONMENT } from '../service/environment.ts';
import { FUNCTIONS, type FunctionName } from '../workflows/topology.ts';
import { type ContainerHost, hostContainers } from './containers.ts';
import { writeCredentials } from './credentials.ts';
import { takeFrontDoor } from './front-door.ts';
import {
  greeting,
  openDataDir,
  REGION,
  type Service,
  type ServiceOptions,
  setEnvironment,
  withCertificates,
} from './one-machine.ts';
import { provision } from './provision.ts';
import { loadSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';
import { startFailure } from './start-failure.ts';

/** Starts everything; what was begun is undone when a later part fails. @throws Error with one line for people */
export async function startService(settings: Settings, options: ServiceOptions): Promise<Service> {
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    if (settings.emulator === undefined) return await start(settings, options, undo, close);
    const { startAtEmulator } = await import('./emulator/service.ts');
    return await startAtEmulator({ ...settings, emulator: settings.emulator }, options, undo, close);
  } catch (error) {
    await close();
    throw startFailure(error, settings.dataDir);
  }
}

async function start(
  given: Settings,
  options: ServiceOptions,
  undo: (() => Promise<void>)[],
  close: () => Promise<void>,
): Promise<Service> {
  const dataDir = await openDataDir(given, undo);
  const settings = { ...given, config: await withCertificates(given.config, dataDir) };
  const door = await takeFrontDoor(settings.port, {
    hosts: settings.hosts,
    origins: settings.config.cors_allowed_origins,
    edge: settings.strict.front,
  });
  undo.push(() => door.close());
  const secrets = await loadSecrets(dataDir);
  const { strict, deployment } = await deployed(settings, dataDir);
  const hosting: { host?: FunctionHost; containers?: ContainerHost } = {};
  const register = async (endpoint: string): Promise<void> => {
    await hosting.containers?.register(endpoint, secrets.controlToken);
    await hosting.host?.register(endpoint, functionSettings(), secrets.controlToken);
  };
  const aws = await startAwsProcesses({
    port: settings.awsPort,
    dataDir: join(dataDir, 'aws'),
    controlToken: secrets.controlToken,
    strict,
    hosts: settings.hosts,
    onRestart: () => register(aws.endpoint),
    onFailure: (name, error) =>
      options.onFailure(
        new Error(`the embedded AWS process ${name} cannot be restarted: ${error.message}`, { cause: error }),
      ),
  });
  undo.push(() => aws.close());
  const direct = ['DYNAMODB', 'SFN', 'EVENTBRIDGE'].map((name) => [`AWS_ENDPOINT_URL_${name}`, aws.controlEndpoint]);
  await setEnvironment(settings.config, dataDir, secrets, {
    ...Object.fromEntries(direct),
    [ENVIRONMENT.endpoint]: aws.endpoint,
  });
  const [{ workflowArns }, parts] = await Promise.all([
    provision({ endpoint: aws.endpoint, region: REGION, config: settings.config }),
    import('./parts.ts'),
  ]);
  process.env[ENVIRONMENT.importWorkflow] = workflowArns['import-image'];
  const url = `http://127.0.0.1:${door.port}`;
  const ownRoles = (strict.iam ?? strict.bundles) ? await import('./own-roles.ts') : undefined;
  const host = await hostFunctions(
    deployment?.(url) ??
      ownRoles?.functionsUnderRoles(HEAVY_THREADS, HEAVY_YOUNG_MIB) ?? {
        functions: await functionTable(),
        pools: { heavy: { size: HEAVY_THREADS, maxYoungMiB: HEAVY_YOUNG_MIB } },
      },
  );
  hosting.host = host;
  undo.push(() => host.close());
  const containers = await hostContainers((step) => ownRoles?.credentialsOf(ownRoles.containerRole(step)) ?? {});
  hosting.containers = containers;
  undo.push(() => containers.close());
  const doors = await parts.openParts(secrets);
  await register(aws.endpoint);
  const own = await ownRoles?.doorsUnderRoles(host);
  if (own !== undefined) undo.push(() => own.close());
  const { identity, region_name } = settings.config;
  const credentials =
    identity.mode === 'keystone' ? undefined : await writeCredentials(dataDir, url, region_name, secrets.passwords);
  await parts.recover();
  door.open(own?.doors ?? doors);
  const seeding = parts.seed();
  undo.push(() => seeding);
  return {
    url,
    awsEndpoint: aws.endpoint,
    dataDir,
    greeting: greeting(settings.config, url, `embedded AWS ${aws.endpoint}`, dataDir, credentials?.admin),
    aws,
    close,
  };
}

/**
 * With `bundles`: the deployment whose packages are run, and its roles where policies are asked. `deployment` makes what its functions
 * are hosted with, for the public URL.
 */
async function deployed(
  { strict, config }: Settings,
  dataDir: string,
): Promise<{ strict: Strict; deployment?: (url: string) => HostOptions }> {
  if (strict.bundles === undefined) return { strict };
  const { makeDeployment, packagedFunctions, readDeployment } = await import('./as-deployed.ts');
  const folder = resolve(strict.bundles.deployment ?? join(dataDir, 'deployment'));
  if (strict.bundles.deployment === undefined) await makeDeployment(config, folder);
  const { roles, ...found } = await readDeployment(folder);
  const ownRoles = strict.iam !== undefined && strict.iam.rolesFile === undefined && strict.iam.roles === undefined;
  return {
    strict: ownRoles ? { ...strict, iam: { ...strict.iam, roles } } : strict,
    deployment: (url) => ({
      functions: packagedFunctions({ ...found, roles }, folder, url, process.env),
      ...(strict.bundles && { sandboxes: strict.bundles }),
    }),
  };
}

/** One per core: these functions compute. Each holds the SDK and two slices, so more threads cost memory and gain nothing. */
const HEAVY_THREADS = Math.max(2, availableParallelism());
/** Their garbage is large buffers outside the heap; a large young generation would only be memory. */
const HEAVY_YOUNG_MIB = 3;

/** Steps and events as the embedded Lambda calls them: heavy ones in worker threads, the others in this thread. */
async function functionTable(): Promise<Parameters<typeof hostFunctions>[0]['functions']> {
  const entries = Object.entries(FUNCTIONS).filter(([name]) => !name.startsWith('api-'));
  const table = await Promise.all(
    entries.map(async ([name, { handler, heavy }]) => {
      const at = handler.lastIndexOf('.');
      const module = new URL(`../${handler.slice(0, at)}.ts`, import.meta.url).href;
      const exported = handler.slice(at + 1);
      if (heavy) return [name, { module, export: exported, pool: 'heavy' }] as const;
      return [name, ((await import(module)) as Record<string, () => Promise<unknown>>)[exported]] as const;
    }),
  );
  return Object.fromEntries(table) as Parameters<typeof hostFunctions>[0]['functions'];
}

function functionSettings(): Record<string, { timeoutSeconds: number; memoryMiB: number }> {
  return Object.fromEntries(
    (Object.keys(FUNCTIONS) as FunctionName[]).map((name) => {
      const { timeoutSeconds, memoryMiB } = FUNCTIONS[name];
      return [name, { timeoutSeconds, memoryMiB }];
    }),
  );
}
