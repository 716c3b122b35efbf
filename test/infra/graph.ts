/** Runs the program of a stage in a child process and looks into its graph. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Graph, Recorded } from './synth/graph-types.ts';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface Scenario {
  readonly stage: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Repository to run in; default this one. */
  readonly root?: string;
}

const SECRETS = { SST_SECRET_SigningKeys: '[{"kty":"EC","crv":"P-256","x":"x","y":"y","d":"d","kid":"k1"}]' };

/** Synthesizes a stage in a clean environment. `errors` of the graph say what went wrong, if anything did. */
export async function synth({ stage, env = {}, root = ROOT }: Scenario): Promise<Graph> {
  if (!existsSync(join(ROOT, '.sst/platform/version')))
    throw new Error('The SST platform is not installed: npm run infra:install');
  const folder = await mkdtemp(join(tmpdir(), 'glimpse-infra-'));
  const out = join(folder, 'graph.json');
  const script = join(ROOT, 'test/infra/synth/main.ts');
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [script, '--root', root, '--stage', stage, '--out', out], {
    env: { PATH, HOME, NODE_NO_WARNINGS: '1', ...SECRETS, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const code = await new Promise((done) => child.on('close', done));
  try {
    return JSON.parse(await readFile(out, 'utf8')) as Graph;
  } catch (error) {
    throw new Error(`the program left no graph (exit ${String(code)}): ${stderr.slice(-2000)}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Resources of a type: the end of it is enough (`s3/bucket:Bucket`). */
export const ofType = (graph: Graph, type: string): Recorded[] =>
  graph.resources.filter((resource) => resource.type === type || resource.type.endsWith(`:${type}`));

/** What would exist in AWS; the rest is the program's own book-keeping. */
export const inAws = (graph: Graph): string[] =>
  graph.resources.map(({ type, name }) => `${type} ${name}`).filter((text) => !/^(sst|pulumi):/.test(text));

/** Why a graph lacks what should be there. */
const failures = ({ errors }: Graph): string => (errors.length === 0 ? '' : `: ${errors.join('; ')}`);

export function only(graph: Graph, type: string): Recorded {
  const [found, second] = ofType(graph, type);
  if (found === undefined || second !== undefined)
    throw new Error(`not exactly one ${type} in the graph${failures(graph)}`);
  return found;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const list = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];

/** Statements of a policy document, as text or as object, with lists where one value is allowed. */
export function statements(document: unknown): Statement[] {
  const parsed = (typeof document === 'string' ? JSON.parse(document) : document) as { Statement?: unknown };
  const raw = Array.isArray(parsed.Statement) ? parsed.Statement : [parsed.Statement];
  return raw.map((one: Record<string, unknown>) => ({
    ...one,
    Effect: String(one['Effect']),
    Action: list(one['Action']),
    Resource: list(one['Resource']),
  }));
}

/** What a role may do: its inline policies. */
export function allowed(role: Recorded): Statement[] {
  const policies = (role.inputs['inlinePolicies'] ?? []) as readonly { readonly policy: string }[];
  return policies.flatMap(({ policy }) => statements(policy));
}

/** The role behind an ARN. */
export function roleOf(graph: Graph, arn: unknown): Recorded {
  const found = ofType(graph, 'iam/role:Role').find((role) => role.state['arn'] === arn);
  if (found === undefined) throw new Error(`no role ${String(arn)} in the graph`);
  return found;
}

/** A function by its name in workflows/topology.ts. */
export function functionOf(graph: Graph, name: string): Recorded {
  const found = ofType(graph, 'lambda/function:Function').find((fn) => fn.inputs['description'] === `Glimpse ${name}`);
  if (found === undefined) throw new Error(`no function ${name} in the graph${failures(graph)}`);
  return found;
}

export const variablesOf = (fn: Recorded): Record<string, string> =>
  ((fn.inputs['environment'] ?? {}) as { variables?: Record<string, string> }).variables ?? {};

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly secrets: readonly { readonly name: string; readonly valueFrom: string }[];
  readonly [key: string]: unknown;
}

export const containersOf = (taskDefinition: Recorded): Container[] =>
  JSON.parse(String(taskDefinition.inputs['containerDefinitions'])) as Container[];
