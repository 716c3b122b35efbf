/**
 * The functions of this service as a deployment of the same configuration would have them: the program of the deployment is run (on a
 * mock engine, nothing is asked for outside this machine), and what it says is taken from there: the package of each function, its memory,
 * time and environment, and the policies of its role.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../core/config.ts';
import type { RoleInput } from '../local/iam/iam.ts';
import type { PackagedFunction } from '../local/lambda/sandbox.ts';
import { ENVIRONMENT } from '../service/environment.ts';
import { functionOf, ROOT, synth, variablesOf } from '../test/infra/graph.ts';
import type { Graph } from '../test/infra/synth/graph-types.ts';
import { rolesOf } from '../test/support/graph-roles.ts';
import { FUNCTIONS, type FunctionName } from '../workflows/topology.ts';
import { buildPackages, bundledHandler, type PackageInput } from './bundles.ts';
import { credentialsOf } from './own-roles.ts';

/** What `deployment.json` holds; packages lie beside it. */
export interface Deployment {
  readonly functions: Readonly<Record<FunctionName, Omit<PackagedFunction, 'folder'>>>;
  readonly roles: Readonly<Record<string, RoleInput>>;
}

const NAMES = Object.keys(FUNCTIONS) as FunctionName[];
/** Below the repository, as the configuration of any deployment. */
const CONFIGS = '.sst/as-deployed';

/**
 * Makes `{folder}/deployment.json` and `{folder}/packages/{function}`, those of a stage in AWS, or of one at an emulator,
 * which asks no policies.
 * @throws Error when the program cannot be run for this configuration
 */
export async function makeDeployment(
  config: Config | Readonly<Record<string, unknown>>,
  folder: string,
  stage: 'dev' | 'localstack' = 'dev',
): Promise<void> {
  const configFile = `${CONFIGS}/${randomUUID()}.json`;
  await mkdir(join(ROOT, CONFIGS), { recursive: true });
  await writeFile(join(ROOT, configFile), JSON.stringify(config));
  try {
    const graph = await synth({
      stage,
      env: {
        GLIMPSE_CONFIG: configFile,
        GLIMPSE_GATEWAY_IMAGE: 'gateway',
        SST_SECRET_KeystonePassword: 'of-the-graph',
      },
    });
    if (graph.errors.length > 0) throw new Error(`the deployment's program failed: ${graph.errors.join('; ')}`);
    const packages = Object.fromEntries(NAMES.map((name) => [name, packageOf(graph, name)]));
    await buildPackages(ROOT, packages, join(folder, 'packages'));
    const functions = NAMES.map((name) => {
      const { timeout, memorySize } = functionOf(graph, name).inputs;
      const environment = variablesOf(functionOf(graph, name));
      const limits = { memoryMiB: Number(memorySize), timeoutSeconds: Number(timeout) };
      return [name, { handler: bundledHandler(FUNCTIONS[name]), ...limits, environment }];
    });
    const deployment = { functions: Object.fromEntries(functions), roles: stage === 'dev' ? rolesOf(graph) : {} };
    await writeFile(join(folder, 'deployment.json'), JSON.stringify(deployment));
  } finally {
    await rm(join(ROOT, configFile), { force: true });
  }
}

function packageOf({ builds }: Graph, name: FunctionName): PackageInput {
  const found = builds.find(({ handler }) => handler === FUNCTIONS[name].handler);
  if (found === undefined) throw new Error(`the deployment's program builds no ${name}`);
  return found;
}

export const readDeployment = async (folder: string): Promise<Deployment> =>
  JSON.parse(await readFile(join(folder, 'deployment.json'), 'utf8')) as Deployment;

/** What stands in a stage's environment for its own resources, and what this service has in their place. */
const OWN: readonly string[] = [
  ENVIRONMENT.table,
  ENVIRONMENT.stagingBucket,
  ENVIRONMENT.importWorkflow,
  ENVIRONMENT.signingKeys,
  ENVIRONMENT.verificationKeys,
  ENVIRONMENT.sourceKeys,
  ENVIRONMENT.keystonePassword,
  ENVIRONMENT.functionSeconds,
];

/**
 * The functions of a deployment on this machine, each under its own role. They have exactly the variables of the deployment: values
 * that name resources are this service's own.
 */
export function packagedFunctions(
  { functions }: Deployment,
  folder: string,
  publicEndpoint: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, PackagedFunction> {
  const valueHere = (name: string, deployed: string): string => {
    if (name === ENVIRONMENT.publicEndpoint) return publicEndpoint;
    if (name === ENVIRONMENT.account) return '000000000000';
    return (OWN.includes(name) ? env[name] : undefined) ?? deployed;
  };
  const machine = {
    [ENVIRONMENT.endpoint]: env[ENVIRONMENT.endpoint] ?? '',
    [ENVIRONMENT.region]: env[ENVIRONMENT.region] ?? '',
    AWS_SECRET_ACCESS_KEY: env['AWS_SECRET_ACCESS_KEY'] ?? '',
  };
  const packaged = NAMES.map((name) => {
    const own = Object.entries(functions[name].environment).map(([variable, deployed]) => [
      variable,
      valueHere(variable, deployed),
    ]);
    const environment = { ...Object.fromEntries(own), ...machine, ...credentialsOf(name) } as Record<string, string>;
    return [name, { ...functions[name], folder: join(folder, 'packages', name), environment }] as const;
  });
  return Object.fromEntries(packaged);
}
