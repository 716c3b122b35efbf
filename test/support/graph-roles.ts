/** Who may do what in a stage's graph, as the embedded AWS takes it: one role per function, container and gateway, by the names they act under. */
import type { RoleInput } from '../../local/iam/iam.ts';
import { containerRole, GATEWAY_ROLE } from '../../scripts/own-roles.ts';
import { FUNCTIONS, LONG_STEPS, STAGING_BUCKET, TABLE } from '../../workflows/topology.ts';
import { functionOf, ofType, only, roleOf } from '../infra/graph.ts';
import type { Graph, Recorded } from '../infra/synth/graph-types.ts';

/** The account that the operator of a local service acts as, with every right. */
const OPERATOR: RoleInput = {
  accessKeyId: 'test',
  policies: [{ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }],
};

/** @throws Error when a function, or the gateway, has no role in the graph */
export function rolesOf(graph: Graph): Record<string, RoleInput> {
  const here = localNames(graph);
  const of = (role: Recorded): RoleInput => ({ policies: policiesOf(role).map(here) });
  const functions = Object.keys(FUNCTIONS).map((name) => [
    name,
    of(roleOf(graph, functionOf(graph, name).inputs['role'])),
  ]);
  const containers = LONG_STEPS.map((step) => [
    containerRole(step),
    of(taskRole(graph, (family) => family.endsWith(step))),
  ]);
  return {
    ...(Object.fromEntries([...functions, ...containers]) as Record<string, RoleInput>),
    [GATEWAY_ROLE]: of(taskRole(graph, (_, name) => name === 'GatewayTask')),
    operator: OPERATOR,
  };
}

function taskRole(graph: Graph, is: (family: string, name: string) => boolean): Recorded {
  const definition = ofType(graph, 'ecs/taskDefinition:TaskDefinition').find(({ inputs, name }) =>
    is(String(inputs['family']), name),
  );
  return roleOf(graph, definition?.inputs['taskRoleArn']);
}

const policiesOf = (role: Recorded): string[] =>
  ((role.inputs['inlinePolicies'] ?? []) as readonly { readonly policy: string }[]).map(({ policy }) => policy);

/** The names of a stage's resources replaced by those of a local service; buckets of stores keep theirs. */
function localNames(graph: Graph): (policy: string) => unknown {
  const { table, stagingBucket } = graph.outputs as Record<string, string>;
  const machine = String(only(graph, 'sfn/stateMachine:StateMachine').state['arn']).split(':').at(-1) ?? '';
  const region = graph.providerConfig['aws:region'] ?? 'us-east-1';
  const names: readonly [string, string][] = [
    [`:${region}:123456789012:`, ':us-east-1:000000000000:'],
    [String(table), TABLE.name],
    [String(stagingBucket), STAGING_BUCKET.name],
    [machine, 'import-image'],
  ];
  return (policy) => JSON.parse(names.reduce((text, [from, to]) => text.replaceAll(from, to), policy));
}
