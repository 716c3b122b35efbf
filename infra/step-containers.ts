/**
 * Steps too long for a function (workflows/steps.ts): for each a Fargate task definition of the gateway's image, with the rights of the
 * step's own function. They cost nothing until the workflow starts one. They only call out: nothing may reach them.
 */
import { CONTAINER_NAME } from '../workflows/steps.ts';
import { LONG_STEPS, type LongStep } from '../workflows/topology.ts';
import { environmentOf } from './environment.ts';
import { cluster, gateway, vpc } from './gateway.ts';
import { key } from './kms.ts';
import { GRANTS, statementsOf } from './permissions.ts';
import { sourceKeys } from './secrets.ts';
import { account, logical, named, settings, sizes } from './stage.ts';
import { targets } from './targets.ts';

const LOG_DAYS = { '1 week': 7, '3 months': 90 } as const;

const assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: 'ecs-tasks.amazonaws.com' });

const logs = new aws.cloudwatch.LogGroup('StepLogs', {
  name: `/${$app.name}/${$app.stage}/steps`,
  retentionInDays: LOG_DAYS[sizes.logRetention],
});

/** A task definition can be read by many: it names where the key lies. */
const sourceKeysParameter = new aws.ssm.Parameter('SourceKeysParameter', {
  name: `/${$app.name}/${$app.stage}/source-keys`,
  type: 'SecureString',
  keyId: key.arn,
  value: sourceKeys,
});

/** Of the host: it fetches the image, hands the key over and writes the log. */
const executionRole = new aws.iam.Role('StepExecutionRole', {
  assumeRolePolicy,
  managedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy'],
  inlinePolicies: [
    {
      name: 'secrets',
      policy: aws.iam.getPolicyDocumentOutput({
        statements: [
          { actions: ['ssm:GetParameters'], resources: [sourceKeysParameter.arn] },
          { actions: ['kms:Decrypt'], resources: [key.arn] },
        ],
      }).json,
    },
  ],
});

const securityGroup = new aws.ec2.SecurityGroup('StepSecurityGroup', {
  description: named('steps'),
  vpcId: vpc.id,
  ingress: [],
  egress: [{ protocol: '-1', fromPort: 0, toPort: 0, cidrBlocks: ['0.0.0.0/0'] }],
});

/** The image that the gateway runs, given or built. */
const image = gateway.nodes.taskDefinition.containerDefinitions.apply((text) => {
  const [container] = JSON.parse(text) as { readonly image: string }[];
  if (container === undefined) throw new Error('the gateway has no container');
  return container.image;
});

interface StepContainer {
  readonly definition: aws.ecs.TaskDefinition;
  readonly role: aws.iam.Role;
}

function declare(step: LongStep): StepContainer {
  const role = new aws.iam.Role(`${logical(step)}ContainerRole`, {
    assumeRolePolicy,
    inlinePolicies: [
      { name: 'step', policy: aws.iam.getPolicyDocumentOutput({ statements: statementsOf(step, targets) }).json },
    ],
  });
  const { GLIMPSE_SOURCE_KEYS: _, ...variables } = environmentOf(step);
  const environment = { ...variables, AWS_REGION: settings.region };
  const definition = new aws.ecs.TaskDefinition(`${logical(step)}Container`, {
    family: named(step),
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
    cpu: String(sizes.step.cpu),
    memory: String(sizes.step.memoryMiB),
    taskRoleArn: role.arn,
    executionRoleArn: executionRole.arn,
    containerDefinitions: $jsonStringify([
      {
        name: CONTAINER_NAME,
        image,
        essential: true,
        readonlyRootFilesystem: true,
        environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
        secrets: GRANTS[step].sources ? [{ name: 'GLIMPSE_SOURCE_KEYS', valueFrom: sourceKeysParameter.arn }] : [],
        logConfiguration: {
          logDriver: 'awslogs',
          options: {
            'awslogs-group': logs.name,
            'awslogs-region': settings.region,
            'awslogs-stream-prefix': step,
          },
        },
      },
    ]),
  });
  return { definition, role };
}

const containers = Object.fromEntries(LONG_STEPS.map((step) => [step, declare(step)])) as Record<
  LongStep,
  StepContainer
>;

const subnet = (at: number) =>
  vpc.publicSubnets.apply((subnets) => {
    const id = subnets[at];
    if (id === undefined) throw new Error(`the network has no public subnet ${at}`);
    return id;
  });

/** A family, not a revision: an execution that began before an upgrade starts what is deployed now. */
export const containerTokens: Readonly<Record<string, $util.Output<string>>> = {
  ...Object.fromEntries(LONG_STEPS.map((step) => [`Task.${step}`, containers[step].definition.family])),
  'Ecs.cluster': cluster.nodes.cluster.arn,
  'Ecs.subnet-a': subnet(0),
  'Ecs.subnet-b': subnet(1),
  'Ecs.security-group': securityGroup.id,
};

const ecs = $interpolate`arn:aws:ecs:${settings.region}:${account}`;

/** What a state machine needs to run them and to wait for their end (Step Functions guide, "IAM policies for ECS"). */
export const containerStatements = [
  {
    actions: ['ecs:RunTask'],
    resources: LONG_STEPS.map((step) => $interpolate`${ecs}:task-definition/${containers[step].definition.family}:*`),
    conditions: [{ test: 'ArnEquals', variable: 'ecs:cluster', values: [cluster.nodes.cluster.arn] }],
  },
  {
    actions: ['ecs:StopTask', 'ecs:DescribeTasks'],
    resources: [$interpolate`${ecs}:task/${cluster.nodes.cluster.name}/*`],
  },
  {
    actions: ['iam:PassRole'],
    resources: [executionRole.arn, ...LONG_STEPS.map((step) => containers[step].role.arn)],
    conditions: [{ test: 'StringEquals', variable: 'iam:PassedToService', values: ['ecs-tasks.amazonaws.com'] }],
  },
  {
    actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
    resources: [$interpolate`arn:aws:events:${settings.region}:${account}:rule/StepFunctionsGetEventsForECSTaskRule`],
  },
];
