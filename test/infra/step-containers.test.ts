/** Steps that outlive a function: their containers have what their functions have, and the workflow may start them and nothing else. */
import { describe, expect, inject, test } from 'vitest';
import { ENVIRONMENT } from '../../service/environment.ts';
import { LONG_STEPS } from '../../workflows/topology.ts';
import { allowed, containersOf, functionOf, ofType, only, roleOf, variablesOf } from './graph.ts';
import type { Recorded } from './synth/graph-types.ts';

const { localstack, ...withContainers } = inject('graphs');
const LIMIT = 'GLIMPSE_FUNCTION_SECONDS';
const KEYS = ENVIRONMENT.sourceKeys;
/** Amazon ECS API reference, TaskOverride: the whole of it, as JSON. */
const MAX_OVERRIDES = 8192;

interface RunTask {
  readonly Cluster: string;
  readonly TaskDefinition: string;
  readonly NetworkConfiguration: {
    readonly AwsvpcConfiguration: { readonly Subnets: string[]; readonly SecurityGroups: string[] };
  };
  readonly Overrides: {
    readonly ContainerOverrides: readonly [{ readonly Name: string; readonly 'Command.$': string }];
  };
}

/** Parameters of every state that runs a container, at any depth. */
function runsOf(machine: Recorded): RunTask[] {
  const runs: RunTask[] = [];
  JSON.parse(String(machine.inputs['definition']), (_, value: { Resource?: string; Parameters?: RunTask } | null) => {
    if (value?.Resource === 'arn:aws:states:::ecs:runTask.sync' && value.Parameters) runs.push(value.Parameters);
    return value;
  });
  return runs;
}

describe.each(Object.entries(withContainers))('%s', (_, graph) => {
  const definitions = ofType(graph, 'ecs/taskDefinition:TaskDefinition');
  const definitionOf = (step: string): Recorded => {
    const found = definitions.find(({ inputs }) => String(inputs['family']).endsWith(`-${step}`));
    if (found === undefined) throw new Error(`no task definition of ${step}`);
    return found;
  };
  const gatewayTask = definitions.find(({ name }) => name === 'GatewayTask') ?? definitionOf('gateway');
  const machine = only(graph, 'sfn/stateMachine:StateMachine');
  const policy = allowed(roleOf(graph, machine.inputs['roleArn']));

  test('a container is of the image of the gateway, hardened, without a port, with a log that ends', () => {
    const [gateway] = containersOf(gatewayTask);
    for (const step of LONG_STEPS) {
      const definition = definitionOf(step);
      const [container, second] = containersOf(definition);
      expect(second).toBeUndefined();
      expect(container, step).toMatchObject({
        image: gateway?.image,
        readonlyRootFilesystem: true,
        essential: true,
        logConfiguration: { logDriver: 'awslogs' },
      });
      expect(container, step).not.toHaveProperty('portMappings');
      expect(definition.inputs, step).toMatchObject({
        requiresCompatibilities: ['FARGATE'],
        networkMode: 'awsvpc',
        runtimePlatform: { cpuArchitecture: 'ARM64' },
      });
      const log = container?.['logConfiguration'] as { options: Record<string, string> } | undefined;
      const group = ofType(graph, 'cloudwatch/logGroup:LogGroup').find(
        ({ inputs }) => inputs['name'] === log?.options['awslogs-group'],
      );
      expect(group?.inputs['retentionInDays'], step).toBeGreaterThan(0);
    }
  });

  test('it knows what its function knows, but no limit; what is secret by the name of a parameter', () => {
    for (const step of LONG_STEPS) {
      const [container] = containersOf(definitionOf(step));
      const own = Object.fromEntries((container?.environment ?? []).map(({ name, value }) => [name, value]));
      const { [LIMIT]: limit, [KEYS]: keys, ...inFunction } = variablesOf(functionOf(graph, step));
      expect(limit, step).toBe('480');
      const ours = Object.fromEntries(Object.entries(inFunction).filter(([name]) => name.startsWith('GLIMPSE_')));
      expect(own, step).toEqual({ ...ours, AWS_REGION: graph.outputs['region'] });
      const parameter = ofType(graph, 'ssm/parameter:Parameter').find(({ inputs }) => inputs['value'] === keys);
      expect(parameter === undefined, step).toBe(keys === undefined);
      expect(container?.secrets, step).toEqual(
        parameter === undefined ? [] : [{ name: KEYS, valueFrom: parameter.state['arn'] }],
      );
    }
  });

  test('it may do what its function may do, traces and logs aside', () => {
    const rights = (role: Recorded) =>
      allowed(role).filter(({ Action }) => Action.every((action) => !/^(xray|logs|ssm|ec2):/.test(action)));
    for (const step of LONG_STEPS) {
      const ofContainer = rights(roleOf(graph, definitionOf(step).inputs['taskRoleArn']));
      expect(ofContainer.length, step).toBeGreaterThan(3);
      expect(ofContainer, step).toEqual(rights(roleOf(graph, functionOf(graph, step).inputs['role'])));
    }
  });

  test('the workflow starts what is deployed now, where nothing may reach it', () => {
    const runs = runsOf(machine);
    expect(new Set(runs.map(({ TaskDefinition }) => TaskDefinition))).toEqual(
      new Set(LONG_STEPS.map((step) => definitionOf(step).inputs['family'])),
    );
    const subnets = ofType(graph, 'ec2/subnet:Subnet').filter(({ name }) => name.includes('Public'));
    const group = ofType(graph, 'ec2/securityGroup:SecurityGroup').find(({ name }) => name === 'StepSecurityGroup');
    expect(group?.inputs['ingress']).toEqual([]);
    for (const { Cluster, NetworkConfiguration, Overrides } of runs) {
      const { Subnets, SecurityGroups } = NetworkConfiguration.AwsvpcConfiguration;
      expect(Cluster).toBe(only(graph, 'ecs/cluster:Cluster').state['arn']);
      expect(Subnets.toSorted()).toEqual(subnets.map(({ id }) => id).toSorted());
      expect(SecurityGroups).toEqual([group?.id]);
      expect(JSON.stringify(Overrides).length + 3 * 64).toBeLessThan(MAX_OVERRIDES);
      for (const { name } of containersOf(definitionOf('import-hash')))
        expect(Overrides.ContainerOverrides[0].Name).toBe(name);
    }
  });

  test('its role may run, watch and stop these containers, hand them their roles, and no others', () => {
    const of = (action: string) => policy.filter(({ Action }) => Action.includes(action));
    const cluster = only(graph, 'ecs/cluster:Cluster');
    expect(of('ecs:RunTask')).toEqual([
      expect.objectContaining({
        Resource: LONG_STEPS.map((step) => String(definitionOf(step).state['arn']).replace(/:1$/, ':*')),
        Condition: { ArnEquals: { 'ecs:cluster': [cluster.state['arn']] } },
      }),
    ]);
    expect(of('iam:PassRole')).toEqual([
      expect.objectContaining({
        Resource: [
          definitionOf('import-hash').inputs['executionRoleArn'],
          ...LONG_STEPS.map((step) => definitionOf(step).inputs['taskRoleArn']),
        ],
        Condition: { StringEquals: { 'iam:PassedToService': ['ecs-tasks.amazonaws.com'] } },
      }),
    ]);
    expect(of('ecs:StopTask')).toEqual([
      expect.objectContaining({
        Action: ['ecs:StopTask', 'ecs:DescribeTasks'],
        Resource: [`${String(cluster.state['arn']).replace(':cluster/', ':task/')}/*`],
      }),
    ]);
    expect(of('events:PutRule')).toEqual([
      expect.objectContaining({
        Resource: [expect.stringMatching(/:rule\/StepFunctionsGetEventsForECSTaskRule$/)],
      }),
    ]);
  });
});

test('an emulator has no containers: its steps have no limit of their own and its workflow starts none', () => {
  for (const step of LONG_STEPS) expect(variablesOf(functionOf(localstack, step))).not.toHaveProperty(LIMIT);
  expect(String(only(localstack, 'sfn/stateMachine:StateMachine').inputs['definition'])).not.toContain('ecs:');
});
