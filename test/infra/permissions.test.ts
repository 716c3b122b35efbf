/** Least privilege, in both directions: what the code can call is allowed, and what is allowed the code can call. */
import { describe, expect, inject, test } from 'vitest';
import { GRANTS, PORT_ACTIONS } from '../../infra/permissions.ts';
import { evaluate } from '../../local/iam/evaluate.ts';
import { parsePolicy } from '../../local/iam/policy.ts';
import { FUNCTIONS, type FunctionName, LONG_STEPS, RULES } from '../../workflows/topology.ts';
import { allowed, containersOf, functionOf, ofType, only, ROOT, roleOf } from './graph.ts';
import { commandsOfPort, PORTS, type PortName, sdkUseOf } from './sdk-use.ts';
import type { Recorded } from './synth/graph-types.ts';

/** Service Authorization Reference: actions that a call needs. A transaction needs those of its items. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  GetCommand: ['dynamodb:GetItem'],
  PutCommand: ['dynamodb:PutItem'],
  UpdateCommand: ['dynamodb:UpdateItem'],
  DeleteCommand: ['dynamodb:DeleteItem'],
  QueryCommand: ['dynamodb:Query'],
  BatchGetCommand: ['dynamodb:BatchGetItem'],
  BatchWriteCommand: ['dynamodb:BatchWriteItem'],
  TransactWriteCommand: [
    'dynamodb:PutItem',
    'dynamodb:UpdateItem',
    'dynamodb:DeleteItem',
    'dynamodb:ConditionCheckItem',
  ],
  StartExecutionCommand: ['states:StartExecution'],
  DescribeExecutionCommand: ['states:DescribeExecution'],
  GetExecutionHistoryCommand: ['states:GetExecutionHistory'],
  StopExecutionCommand: ['states:StopExecution'],
  GetObjectCommand: ['s3:GetObject'],
  HeadObjectCommand: ['s3:GetObject', 's3:ListBucket'],
  ListObjectsV2Command: ['s3:ListBucket'],
  ListMultipartUploadsCommand: ['s3:ListBucketMultipartUploads'],
  PutObjectCommand: ['s3:PutObject'],
  CopyObjectCommand: ['s3:GetObject', 's3:PutObject'],
  CreateMultipartUploadCommand: ['s3:PutObject'],
  UploadPartCommand: ['s3:PutObject'],
  UploadPartCopyCommand: ['s3:GetObject', 's3:PutObject'],
  CompleteMultipartUploadCommand: ['s3:PutObject'],
  ListPartsCommand: ['s3:ListMultipartUploadParts'],
  AbortMultipartUploadCommand: ['s3:AbortMultipartUpload'],
  DeleteObjectCommand: ['s3:DeleteObject'],
  DeleteObjectsCommand: ['s3:DeleteObject'],
  GetSecretValueCommand: ['secretsmanager:GetSecretValue'],
};

function actionsOf(commands: readonly string[]): string[] {
  const actions = commands.flatMap((command) => {
    const known = ACTIONS[command];
    if (known === undefined) throw new Error(`the code sends ${command}; say here which actions it needs`);
    return known;
  });
  return [...new Set(actions)].sort();
}

const graph = inject('graphs')['production over three regions, with a Keystone'];
const policyOf = (name: FunctionName) => allowed(roleOf(graph, functionOf(graph, name).inputs['role']));
const granted = (name: FunctionName, service: string) =>
  new Set(policyOf(name).flatMap(({ Action }) => Action.filter((action) => action.startsWith(`${service}:`))));

describe('ports', () => {
  test.each(Object.keys(PORTS) as PortName[])('%s asks for exactly what it sends', async (port) => {
    const wanted = actionsOf(await commandsOfPort(ROOT, port));
    const { table = [], executions = [], certificates = [] } = PORT_ACTIONS[port];

    expect([...table, ...executions, ...certificates].sort()).toEqual(
      wanted.filter((action) => !action.startsWith('s3:')),
    );
  });
});

describe('functions', () => {
  test.each(Object.entries(FUNCTIONS))('%s has the ports that its code uses', async (name, { handler }) => {
    const { ports } = await sdkUseOf(ROOT, handler.replace(/\.handler$/, '.ts'));

    expect([...GRANTS[name as FunctionName].ports].sort()).toEqual(ports);
  });

  test.each(Object.entries(FUNCTIONS))('%s may make every SDK call its code contains', async (name, { handler }) => {
    const { ports, direct } = await sdkUseOf(ROOT, handler.replace(/\.handler$/, '.ts'));
    const commands = [...direct, ...(await Promise.all(ports.map((port) => commandsOfPort(ROOT, port)))).flat()];
    const may = ['dynamodb', 's3', 'states', 'secretsmanager'].flatMap((service) => [
      ...granted(name as FunctionName, service),
    ]);

    expect(actionsOf(commands).filter((action) => !may.includes(action))).toEqual([]);
  });

  test.each(Object.entries(FUNCTIONS))(
    '%s may not touch buckets in ways its code cannot',
    async (name, { handler }) => {
      const { ports, direct } = await sdkUseOf(ROOT, handler.replace(/\.handler$/, '.ts'));
      const commands = [...direct, ...(await Promise.all(ports.map((port) => commandsOfPort(ROOT, port)))).flat()];
      // A GET of what is not there is told from one that is forbidden by the right to list.
      const can = [...actionsOf(commands), 's3:ListBucket'];

      expect([...granted(name as FunctionName, 's3')].filter((action) => !can.includes(action))).toEqual([]);
    },
  );
});

test('what events call may put what it fails at aside, and nothing else may', () => {
  const called = new Set<string>(RULES.map(({ target }) => target));
  const queue = only(graph, 'sqs/queue:Queue').state['arn'];
  for (const name of Object.keys(FUNCTIONS) as FunctionName[]) {
    const sending = policyOf(name).filter(({ Action }) => Action.some((action) => action.startsWith('sqs:')));
    expect(sending, name).toEqual(
      called.has(name) ? [expect.objectContaining({ Action: ['sqs:SendMessage'], Resource: [queue] })] : [],
    );
  }
});

describe('the gateway', () => {
  const role = () => roleOf(graph, only(graph, 'ecs/service:Service') && taskRole());
  const taskRole = () =>
    ofType(graph, 'ecs/taskDefinition:TaskDefinition').find(({ name }) => name === 'GatewayTask')?.inputs[
      'taskRoleArn'
    ];

  test('may make every SDK call its code contains, and has the ports it uses', async () => {
    const { ports, direct } = await sdkUseOf(ROOT, 'gateway/main.ts');
    const commands = [...direct, ...(await Promise.all(ports.map((port) => commandsOfPort(ROOT, port)))).flat()];
    const may = allowed(role()).flatMap(({ Action }) => Action);

    expect([...GRANTS.gateway.ports].sort()).toEqual(ports);
    expect(actionsOf(commands).filter((action) => !may.includes(action))).toEqual([]);
  });

  test('its host may read its own parameters and nothing else', () => {
    const definition = ofType(graph, 'ecs/taskDefinition:TaskDefinition').find(({ name }) => name === 'GatewayTask');
    const parameters = parametersOf(definition);

    const [reads, decrypts] = allowed(roleOf(graph, definition?.inputs['executionRoleArn']));

    expect(reads).toMatchObject({ Action: ['ssm:GetParameters'], Resource: expect.arrayContaining(parameters) });
    expect(reads?.Resource).toHaveLength(parameters.length);
    expect(decrypts).toMatchObject({ Action: ['kms:Decrypt'] });
  });
});

/** ARNs of the parameters that a task definition names. */
function parametersOf(definition: Recorded | undefined): unknown[] {
  return definition === undefined
    ? []
    : containersOf(definition).flatMap(({ secrets }) => secrets.map(({ valueFrom }) => valueFrom));
}

test('the host of the steps in containers may read the parameters that they name and nothing else', () => {
  const definitions = ofType(graph, 'ecs/taskDefinition:TaskDefinition').filter(({ name }) => name !== 'GatewayTask');
  const named = definitions.flatMap(parametersOf);

  const rights = allowed(roleOf(graph, definitions[0]?.inputs['executionRoleArn']));

  expect(named).toHaveLength(1);
  expect(rights.find(({ Action }) => Action.includes('ssm:GetParameters'))?.Resource).toEqual(named);
});

test('stores of other services get no permission; every store in AWS does', () => {
  const resources = new Set(policyOf('import-copy').flatMap(({ Resource }) => Resource));

  for (const name of ['central', 'frankfurt', 'tokyo'])
    expect(resources).toContain(`arn:aws:s3:::example-store-${name}/*`);
  expect(JSON.stringify([...resources])).not.toContain('example-store-edge');
});

const CERTIFICATES = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:glimpse/certificates/*';

test('certificates are read by what answers requests and takes dropped files, under their prefix, and not by who verifies', () => {
  const readers = (Object.keys(FUNCTIONS) as FunctionName[]).filter((name) =>
    policyOf(name).some(({ Resource }) => Resource.some((arn) => arn === CERTIFICATES)),
  );
  const gateway = ofType(graph, 'iam/role:Role').find(({ name }) => name === 'GatewayTaskRole');

  expect(readers).toEqual(['api-images', 'drop', 'janitor']);
  expect(gateway && allowed(gateway)).toContainEqual(
    expect.objectContaining({ Action: ['secretsmanager:GetSecretValue'], Resource: [CERTIFICATES] }),
  );
});

test('credentials of stores at other services are read by what reads or writes stores, and by nothing else', () => {
  for (const name of Object.keys(FUNCTIONS) as FunctionName[]) {
    const reading = policyOf(name).filter(
      ({ Action, Resource }) =>
        Action.some((action) => action.startsWith('secretsmanager:')) && !Resource.some((arn) => arn === CERTIFICATES),
    );
    expect(reading, name).toEqual(
      GRANTS[name].stores.length === 0
        ? []
        : [
            expect.objectContaining({
              Action: ['secretsmanager:GetSecretValue'],
              Resource: ['arn:aws:secretsmanager:us-east-1:123456789012:secret:glimpse/edge-??????'],
            }),
          ],
    );
  }
});

test('the workflow may call its functions and its own children, and nothing else of ours', () => {
  const machine = only(graph, 'sfn/stateMachine:StateMachine');
  const policy = allowed(roleOf(graph, machine.inputs['roleArn']));
  const invoked = policy
    .filter(({ Action }) => Action.includes('lambda:InvokeFunction'))
    .flatMap(({ Resource }) => Resource);
  const named = [...String(machine.inputs['definition']).matchAll(/"FunctionName":"([^"]+)"/g)].map(([, arn]) => arn);

  expect(new Set(invoked.filter((arn) => !arn.endsWith(':*')))).toEqual(new Set(named));
  expect(policy).toContainEqual(
    expect.objectContaining({ Action: ['states:StartExecution'], Resource: [machine.state['arn']] }),
  );
});

test.each(['import-copy', 'gateway'] as const)('%s may write every store and the staging bucket', (name) => {
  const role =
    name === 'gateway'
      ? ofType(graph, 'iam/role:Role').find((candidate) => candidate.name === 'GatewayTaskRole')
      : roleOf(graph, functionOf(graph, name).inputs['role']);
  if (role === undefined) throw new Error('the gateway has no role');
  const written = allowed(role)
    .filter(({ Action }) => Action.includes('s3:PutObject'))
    .flatMap(({ Resource }) => Resource);

  const stores = ['central', 'frankfurt', 'tokyo'].map((store) => `arn:aws:s3:::example-store-${store}/*`);
  expect(written.sort()).toEqual([...stores, `arn:aws:s3:::${String(graph.outputs['stagingBucket'])}/*`].sort());
});

test('no other function may write a store', () => {
  for (const name of Object.keys(FUNCTIONS) as FunctionName[]) {
    if (name === 'import-copy') continue;
    const written = policyOf(name)
      .filter(({ Action }) => Action.includes('s3:PutObject'))
      .flatMap(({ Resource }) => Resource);
    expect(
      written.filter((resource) => resource.includes('example-store')),
      name,
    ).toEqual([]);
  }
});

describe('records of identity', () => {
  const table = String(only(graph, 'dynamodb/table:Table').state['arn']);
  const roles = new Map([
    ...(Object.keys(FUNCTIONS) as FunctionName[]).map(
      (name) => [name as string, roleOf(graph, functionOf(graph, name).inputs['role'])] as const,
    ),
    ...ofType(graph, 'ecs/taskDefinition:TaskDefinition').map(
      ({ name, inputs }) => [name, roleOf(graph, inputs['taskRoleArn'])] as const,
    ),
  ]);
  /** Who may do this with a partition of the table, or of an index. */
  const whoMay = (action: string, partition: string, index?: string): string[] =>
    [...roles].flatMap(([name, role]) => {
      const policies = (role.inputs['inlinePolicies'] ?? []) as readonly { readonly policy: string }[];
      const decision = evaluate(
        policies.flatMap(({ policy }) => parsePolicy(JSON.parse(policy))),
        {
          action: `dynamodb:${action}`,
          resource: index === undefined ? table : `${table}/index/${index}`,
          context: { 'dynamodb:leadingkeys': [partition] },
        },
      );
      return decision === 'allowed' ? [name] : [];
    });
  const VERIFIERS = ['api-images', 'api-identity', 'api-metadefs', 'GatewayTask'];

  test('the walk sees every function and every container', () => {
    expect(roles.size).toBe(Object.keys(FUNCTIONS).length + LONG_STEPS.length + 1);
    expect(whoMay('UpdateItem', 'IMAGE#1')).toContain('import-inspect');
  });

  test.each(['ID#user#1', 'ID#project#1', 'NAME#user#d#n', 'GRANTS#1', 'REVOCATIONS', 'FAILURES#1'])(
    '%s is written by the function that serves identity alone',
    (partition) => {
      for (const action of ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'ConditionCheckItem'])
        expect(
          whoMay(action, partition).filter((name) => name !== 'api-identity'),
          action,
        ).toEqual([]);
      expect(whoMay('PutItem', partition)).toEqual(['api-identity']);
    },
  );

  test('what a token names is read by what checks tokens; log-ins are not', () => {
    for (const partition of ['ID#user#1', 'ID#role#1', 'GRANTS#1', 'REVOCATIONS'])
      expect(whoMay('Query', partition).sort(), partition).toEqual([...VERIFIERS].sort());
    for (const partition of ['NAME#user#d#n', 'FAILURES#1'])
      expect(whoMay('GetItem', partition), partition).toEqual(['api-identity']);
  });

  test('a dropped file names a project, and nothing else of identity', () => {
    expect(whoMay('GetItem', 'NAME#project#d#n').sort()).toEqual(['api-identity', 'drop', 'janitor']);
    expect(whoMay('GetItem', 'ID#project#1').sort()).toEqual([...VERIFIERS, 'drop', 'janitor'].sort());
  });

  test('lists of identity are not read by another function through an index', () => {
    for (const partition of ['IDS#user#', 'GRANTED', 'GRANTED#project#1'])
      for (const index of ['gsi1', 'gsi2']) expect(whoMay('Query', partition, index)).toEqual(['api-identity']);
    expect(whoMay('Query', 'OWNER#p', 'gsi1')).toContain('api-images');
  });
});
