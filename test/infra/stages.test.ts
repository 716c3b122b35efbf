/** What is particular to an edge, a size or an emulator. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import validate from 'asl-validator';
import { describe, expect, inject, test } from 'vitest';
import { createGatewayServer } from '../../gateway/serve.ts';
import type { StateMachine } from '../../workflows/asl.ts';
import { importImage, importImageInFunctions } from '../../workflows/import-image.ts';
import { outcomesOf } from '../unit/workflows/outcomes.ts';
import { containersOf, functionOf, ofType, only, ROOT, statements, synth, variablesOf } from './graph.ts';
import type { Graph } from './synth/graph-types.ts';

const graphs = inject('graphs');
const dev = graphs['dev behind CloudFront'];
const wide = graphs['production over three regions, with a Keystone'];
const alb = graphs['production behind a load balancer in Frankfurt'];
const { localstack } = graphs;
const all = Object.entries(graphs);

const taskOf = (graph: Graph) => {
  const task = ofType(graph, 'ecs/taskDefinition:TaskDefinition').find(({ name }) => name === 'GatewayTask');
  const [container] = task === undefined ? [] : containersOf(task);
  if (task === undefined || container === undefined) throw new Error('no gateway task');
  return { task, container };
};

/** Who may open a connection to the load balancer. */
const balancerIngress = (graph: Graph): Record<string, unknown>[] =>
  ofType(graph, 'ec2/securityGroup:SecurityGroup')
    .filter(({ name }) => name === 'GatewayLoadBalancerSecurityGroup')
    .flatMap(({ inputs }) => inputs['ingress'] as Record<string, unknown>[]);

interface Behavior {
  readonly pathPattern?: string;
  readonly targetOriginId: string;
  readonly cachePolicyId: string;
  readonly originRequestPolicyId?: string;
  readonly compress: boolean;
  readonly allowedMethods: readonly string[];
  readonly viewerProtocolPolicy: string;
}
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
const ALL_VIEWER_EXCEPT_HOST = 'b689b0a8-53d0-40ab-baf2-68738e2966ac';

describe.each([
  ['dev', dev],
  ['production', wide],
])('edge cloudfront, %s', (_, graph) => {
  const distribution = only(graph, 'cloudfront/distribution:Distribution').inputs;
  const behaviors = distribution['orderedCacheBehaviors'] as Behavior[];

  test('image bytes pass to the data plane unchanged, whatever the minor version', () => {
    const bytes = behaviors.filter(({ targetOriginId }) => targetOriginId === 'gateway');
    expect(bytes.map(({ pathPattern }) => pathPattern)).toEqual(['/v2*/images/*/file', '/v2*/images/*/stage']);
    for (const behavior of bytes) {
      expect(behavior).toMatchObject({
        cachePolicyId: CACHING_DISABLED,
        originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
        compress: false,
        viewerProtocolPolicy: 'https-only',
        allowedMethods: expect.arrayContaining(['GET', 'HEAD', 'OPTIONS', 'PUT']),
      });
    }
  });

  test('everything else passes to the API; nothing behind a token is cached', () => {
    expect(distribution['defaultCacheBehavior']).toMatchObject({
      targetOriginId: 'api',
      cachePolicyId: CACHING_DISABLED,
      originRequestPolicyId: ALL_VIEWER_EXCEPT_HOST,
      allowedMethods: expect.arrayContaining(['DELETE', 'PATCH', 'POST', 'PUT']),
    });
    const cached = behaviors.filter(({ cachePolicyId }) => cachePolicyId !== CACHING_DISABLED);
    expect(
      cached.every(
        ({ targetOriginId, pathPattern }) =>
          targetOriginId === 'console' && pathPattern?.startsWith('/console') === true,
      ),
    ).toBe(true);
  });

  test('no error is kept, nor replaced by a page: another tenant would get it', () => {
    const kept = distribution['customErrorResponses'] as Record<string, unknown>[];
    expect(kept).toEqual(
      [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504].map((errorCode) => ({
        errorCode,
        errorCachingMinTtl: 0,
      })),
    );
  });

  test('the origins are the API, over TLS, and the internal load balancer, through the VPC', () => {
    const balancer = only(graph, 'lb/loadBalancer:LoadBalancer');
    expect(balancer.inputs['internal']).toBe(true);
    const origins = distribution['origins'] as Record<string, unknown>[];
    expect(origins).toContainEqual(
      expect.objectContaining({
        originId: 'api',
        domainName: new URL(String(graph.outputs['api'])).hostname,
        customOriginConfig: expect.objectContaining({ originProtocolPolicy: 'https-only' }),
      }),
    );
    expect(origins).toContainEqual(
      expect.objectContaining({
        originId: 'gateway',
        domainName: balancer.state['dnsName'],
        vpcOriginConfig: expect.objectContaining({ vpcOriginId: only(graph, 'cloudfront/vpcOrigin:VpcOrigin').id }),
      }),
    );
    expect(JSON.stringify(only(graph, 'cloudfront/vpcOrigin:VpcOrigin').inputs)).toContain(
      String(balancer.state['arn']),
    );
  });

  test('names the viewer to what answers, and vouches for it with a secret that identity and the data plane know', () => {
    const secret = variablesOf(functionOf(graph, 'api-identity'))['GLIMPSE_EDGE_SECRET'];
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    const origins = distribution['origins'] as { originId: string; customHeaders?: unknown }[];
    for (const { originId, customHeaders } of origins.filter(({ originId: id }) => id !== 'console'))
      expect(customHeaders, originId).toEqual([{ name: 'x-glimpse-edge', value: secret }]);
    const naming = ofType(graph, 'cloudfront/function:Function').find(({ name }) => name === 'ClientAddress');
    expect(naming?.inputs['code']).toContain("event.request.headers['x-glimpse-client'] = { value: event.viewer.ip }");
    const passing = [distribution['defaultCacheBehavior'] as Behavior, ...behaviors].filter(
      ({ targetOriginId }) => targetOriginId !== 'console',
    );
    for (const behavior of passing)
      expect(behavior, behavior.pathPattern).toMatchObject({
        functionAssociations: [{ eventType: 'viewer-request', functionArn: naming?.state['arn'] }],
      });
    expect(taskOf(graph).container.secrets.map(({ name }) => name)).toContain('GLIMPSE_EDGE_SECRET');
    for (const name of ['api-images', 'api-metadefs', 'import-fetch'] as const)
      expect(variablesOf(functionOf(graph, name)), name).not.toHaveProperty('GLIMPSE_EDGE_SECRET');
  });

  test('only CloudFront reaches the load balancer', () => {
    const [ingress] = balancerIngress(graph);
    expect(ingress).toMatchObject({ fromPort: 80, toPort: 80, prefixListIds: ['pl-cloudfront'] });
  });
});

describe('the console', () => {
  test('is served by the distribution from a private bucket that nobody else reads', () => {
    const files = ofType(wide, 's3/bucketObjectv2:BucketObjectv2').filter(({ name }) => name.startsWith('Console/'));
    expect(files.map(({ inputs }) => [inputs['key'], inputs['contentType'], inputs['cacheControl']])).toEqual([
      ['console/assets/app-1a2b3c.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
      ['console/index.html', 'text/html; charset=utf-8', 'no-cache'],
    ]);
    const policy = ofType(wide, 's3/bucketPolicy:BucketPolicy').find(({ name }) => name === 'ConsolePolicy');
    expect(statements(policy?.inputs['policy'])[0]?.Condition).toEqual({
      StringEquals: { 'aws:SourceArn': only(wide, 'cloudfront/distribution:Distribution').state['arn'] },
    });
  });

  test('is absent where none was built', () => {
    expect(ofType(dev, 's3/bucketObjectv2:BucketObjectv2').filter(({ name }) => name.startsWith('Console/'))).toEqual(
      [],
    );
  });
});

describe('edge alb', () => {
  test('a public load balancer takes TLS with the given certificate and redirects the rest', () => {
    expect(only(alb, 'lb/loadBalancer:LoadBalancer').inputs['internal']).toBe(false);
    const listeners = ofType(alb, 'lb/listener:Listener').map(({ inputs }) => inputs);
    expect(listeners).toContainEqual(
      expect.objectContaining({
        port: 443,
        protocol: 'HTTPS',
        certificateArn: expect.stringContaining('eu-central-1'),
      }),
    );
    expect(JSON.stringify(listeners.find(({ port }) => port === 80))).toContain('redirect');
    expect(ofType(alb, 'cloudfront/distribution:Distribution')).toEqual([]);
  });

  test('clients reach its two ports and nothing else', () => {
    const ingress = balancerIngress(alb);
    expect(ingress.map(({ fromPort, toPort }) => [fromPort, toPort])).toEqual([
      [443, 443],
      [80, 80],
    ]);
  });

  test('the stage lies in its region', () => {
    expect(alb.outputs['region']).toBe('eu-central-1');
    expect(String(alb.outputs['importWorkflow'])).toContain(':eu-central-1:');
    expect(ofType(alb, 's3/bucket:Bucket').find(({ name }) => name.startsWith('Staging'))?.region).toBe('eu-central-1');
  });

  test('and so does a store that names none', () => {
    expect(ofType(alb, 's3/bucket:Bucket').find(({ name }) => name.startsWith('Store'))?.region).toBe('eu-central-1');
  });
});

test.each(all)('%s: the catalog follows the edge', (_, graph) => {
  expect(String(graph.outputs['url'])).toMatch(/^https:\/\/[^/]+$/);
  for (const name of ['api-images', 'api-identity'])
    expect(variablesOf(functionOf(graph, name))['GLIMPSE_PUBLIC_ENDPOINT']).toBe(graph.outputs['url']);
});

test.each(all)('%s: nothing but the public load balancer is open to the world', (name, graph) => {
  const groups = [
    ...ofType(graph, 'ec2/securityGroup:SecurityGroup'),
    ...ofType(graph, 'ec2/defaultSecurityGroup:DefaultSecurityGroup'),
  ];
  const open = groups.filter(({ inputs }) => JSON.stringify(inputs['ingress'] ?? []).includes('0.0.0.0/0'));
  expect(open.map((group) => group.name)).toEqual(
    name.includes('load balancer') ? ['GatewayLoadBalancerSecurityGroup'] : [],
  );
  expect(ofType(graph, 'vpc/securityGroupIngressRule:SecurityGroupIngressRule')).toEqual([]);
  expect(ofType(graph, 'ec2/natGateway:NatGateway')).toEqual([]);
});

describe.each([
  ['dev', dev, 1, 2],
  ['production', wide, 2, 20],
  ['production, alb', alb, 2, 20],
] as const)('the data plane of %s', (_, graph, min, max) => {
  test('drains longer than an upload may be silent, and ends well', () => {
    expect(only(graph, 'lb/loadBalancer:LoadBalancer').inputs['idleTimeout']).toBe(4000);
    expect(only(graph, 'lb/targetGroup:TargetGroup').inputs).toMatchObject({
      deregistrationDelay: 3600,
      loadBalancingAlgorithmType: 'least_outstanding_requests',
      healthCheck: { path: '/healthcheck' },
    });
    expect(taskOf(graph).container['stopTimeout']).toBe(120);
  });

  test('is not ended by its health checks while it is only busy: what fails one is replaced with its transfers', () => {
    const { healthCheck } = taskOf(graph).container as { readonly healthCheck?: Record<string, number> };
    const { interval = 0, timeout = 0, retries = 0 } = healthCheck ?? {};
    const target = only(graph, 'lb/targetGroup:TargetGroup').inputs['healthCheck'] as Record<string, number>;
    expect(interval * retries).toBeGreaterThanOrEqual(300);
    expect(Number(target['interval']) * Number(target['unhealthyThreshold'])).toBeGreaterThanOrEqual(300);
    expect([timeout, Number(target['timeout'])]).toEqual([20, 20]);
    // A task has the time of two good answers before bad ones count.
    expect(only(graph, 'ecs/service:Service').inputs['healthCheckGracePeriodSeconds']).toBeGreaterThanOrEqual(
      2 * Number(target['interval']),
    );
  });

  test('closes no connection that the load balancer still holds', () => {
    const { server } = createGatewayServer(() => undefined);
    const idleSeconds = Number(only(graph, 'lb/loadBalancer:LoadBalancer').inputs['idleTimeout']);
    expect(server.keepAliveTimeout).toBeGreaterThan(idleSeconds * 1000);
    expect(server.requestTimeout).toBe(0);
  });

  test('runs hardened: nothing to write to, one port, no shell, a health check of its own', () => {
    const { container, task } = taskOf(graph);
    expect(container).toMatchObject({
      readonlyRootFilesystem: true,
      portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
      healthCheck: { command: ['CMD', 'node', 'gateway/health.ts'] },
    });
    expect(only(graph, 'ecs/service:Service').inputs['enableExecuteCommand']).toBe(false);
    expect(task.inputs['runtimePlatform']).toMatchObject({ cpuArchitecture: 'ARM64' });
  });

  test('knows its port, the API it hands requests on to, and the public endpoint', () => {
    const { environment, secrets } = taskOf(graph).container;
    const variables = Object.fromEntries(environment.map(({ name, value }) => [name, value]));
    expect(variables).toMatchObject({
      GLIMPSE_GATEWAY_PORT: '8080',
      GLIMPSE_API_URL: graph.outputs['api'],
      GLIMPSE_PUBLIC_ENDPOINT: graph.outputs['url'],
      AWS_REGION: graph.outputs['region'],
    });
    expect(secrets.map(({ name }) => name)).toContain('GLIMPSE_VERIFICATION_KEYS');
    for (const { inputs } of ofType(graph, 'ssm/parameter:Parameter')) expect(inputs['type']).toBe('SecureString');
  });

  test('is replaced when a secret was rotated: a task reads them when it starts', () => {
    const { secrets, dockerLabels } = taskOf(graph).container;
    const named = new Set(secrets.map(({ valueFrom }) => valueFrom));
    const parameters = ofType(graph, 'ssm/parameter:Parameter')
      .filter(({ state }) => named.has(String(state['arn'])))
      .map(({ inputs }) => String(inputs['name']));
    const { secrets: versions } = dockerLabels as { secrets: string };
    expect(secrets).toHaveLength(parameters.length);
    expect(versions.split(' ').sort()).toEqual(parameters.map((name) => `${name}:7`).sort());
  });

  test('scales on connections and network besides processor and memory', () => {
    expect(only(graph, 'appautoscaling/target:Target').inputs).toMatchObject({ minCapacity: min, maxCapacity: max });
    const text = JSON.stringify(ofType(graph, 'appautoscaling/policy:Policy').map(({ inputs }) => inputs));
    for (const metric of ['ActiveConnectionCount', 'ProcessedBytes', 'ECSServiceAverageCPUUtilization'])
      expect(text).toContain(metric);
    // Neither is reported without traffic: a policy without data would keep every task there is.
    expect(text.match(/FILL\(load, 0\)/g)).toHaveLength(2);
  });

  test('reaches S3 and DynamoDB without leaving the network; S3 not where copies cross regions', () => {
    const endpoints = ofType(graph, 'ec2/vpcEndpoint:VpcEndpoint').map(({ inputs }) => inputs);
    const services = endpoints.map((endpoint) => String(endpoint['serviceName']).split('.').at(-1));
    expect(services.sort()).toEqual(graph === wide ? ['dynamodb'] : ['dynamodb', 's3']);
    for (const endpoint of endpoints) expect((endpoint['routeTableIds'] as unknown[]).length).toBe(4);
  });
});

test('a given image is used as it is; without one the Dockerfile is built', () => {
  expect(taskOf(wide).container.image).toBe('123456789012.dkr.ecr.us-east-1.amazonaws.com/glimpse-gateway:1');
  expect(ofType(wide, 'docker-build:index:Image')).toEqual([]);
  const { dockerfile } = only(dev, 'docker-build:index:Image').inputs as { dockerfile: { location: string } };
  expect(dockerfile.location).toBe(join(ROOT, 'gateway/Dockerfile'));
  expect(readFileSync(dockerfile.location, 'utf8')).toContain('USER node');
});

test('the bucket of an example is of its account: names are one for all accounts there are', () => {
  const buckets = ofType(dev, 's3/bucket:Bucket').map(({ state }) => String(state['bucket']));
  expect(buckets).toContain('glimpse-dev-central-123456789012');
  expect(JSON.stringify(dev.resources.map(({ inputs }) => inputs))).not.toContain('{account}');
});

test('every store lies in the region that its definition names, with all that belongs to it', () => {
  const regions = { central: 'us-east-1', frankfurt: 'eu-central-1', tokyo: 'ap-northeast-1' };
  for (const [id, region] of Object.entries(regions)) {
    const belonging = wide.resources.filter(({ inputs }) => inputs['bucket'] === `example-store-${id}`);
    expect(belonging.map(({ type }) => type.split(':').at(-1)).sort()).toEqual([
      'Bucket',
      'BucketLifecycleConfiguration',
      'BucketPolicy',
      'BucketPublicAccessBlock',
      'BucketServerSideEncryptionConfiguration',
    ]);
    expect(new Set(belonging.map((resource) => resource.region))).toEqual(new Set([region]));
  }
  expect(JSON.stringify(ofType(wide, 's3/bucket:Bucket'))).not.toContain('example-store-edge');
});

test('with a Keystone, its password goes where tokens are checked, projects are looked up, and limits are asked for', () => {
  for (const name of ['api-images', 'import-begin', 'drop', 'janitor'] as const)
    expect(variablesOf(functionOf(wide, name))).toHaveProperty('GLIMPSE_KEYSTONE_PASSWORD', 'secret');
  expect(variablesOf(functionOf(wide, 'import-finish'))).not.toHaveProperty('GLIMPSE_KEYSTONE_PASSWORD');
  expect(taskOf(wide).container.secrets.map(({ name }) => name)).toContain('GLIMPSE_KEYSTONE_PASSWORD');
});

test('alarms reach the operator whose address was given', () => {
  expect(only(wide, 'sns/topicSubscription:TopicSubscription').inputs).toMatchObject({ endpoint: 'ops@example.org' });
});

test('production is protected and keeps its data; a development stage leaves nothing behind', () => {
  expect(wide.outputs['_protect']).toBe(true);
  expect(dev.outputs['_protect']).toBe(false);
  for (const { name, retainOnDelete } of ofType(wide, 's3/bucket:Bucket')) expect(retainOnDelete, name).toBe(true);
  for (const { name, retainOnDelete } of ofType(dev, 's3/bucket:Bucket')) expect(retainOnDelete, name).toBe(false);
});

describe('localstack', () => {
  test('declares nothing that an emulator lacks or that has to be paid for', () => {
    for (const service of ['cloudfront', 'ecs', 'lb', 'ec2', 'appautoscaling', 'servicediscovery', 'docker-build'])
      expect(
        localstack.resources.filter(({ type }) => type.includes(`:${service}/`) || type.startsWith(`${service}:`)),
      ).toEqual([]);
  });

  test('every service in the graph has its endpoint at the emulator, and no setting was dropped', () => {
    const [endpoints] = JSON.parse(localstack.providerConfig['aws:endpoints'] ?? '[]') as Record<string, string>[];
    expect(new Set(Object.values(endpoints ?? {}))).toEqual(new Set(['http://127.0.0.1:4599']));
    const alias: Record<string, string> = { iam: 'iam', cloudwatch: 'cloudwatch' };
    const services = new Set(
      localstack.resources
        .filter(({ type }) => type.startsWith('aws:'))
        .map(({ type }) => type.split(':')[1]?.split('/')[0] ?? ''),
    );
    for (const service of services) expect(endpoints, service).toHaveProperty(alias[service] ?? service);
    expect(Object.keys(endpoints ?? {})).toEqual(expect.arrayContaining(['cloudwatchevents', 'cloudwatchlogs', 'sts']));
    const declared = Object.keys(localstack.app.providers['aws'] as object);
    expect(Object.keys(localstack.providerConfig).sort()).toEqual(declared.map((key) => `aws:${key}`).sort());
  });
});

test('stores in other regions lie at the emulator too', async () => {
  const graph = await synth({
    stage: 'localstack',
    env: {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4599',
      GLIMPSE_CONFIG: 'test/infra/config/three-regions.json',
      GLIMPSE_GATEWAY_IMAGE: 'none',
      SST_SECRET_KeystonePassword: 'secret',
    },
  });
  const providers = ofType(graph, 'pulumi:providers:aws').filter(({ name }) => name.startsWith('Aws-'));

  expect(graph.errors).toEqual([]);
  expect(providers.map(({ inputs }) => inputs['region']).sort()).toEqual(['ap-northeast-1', 'eu-central-1']);
  for (const { name, inputs } of providers) {
    expect(JSON.parse(String(inputs['endpoints'])), name).toMatchObject([{ s3: 'http://127.0.0.1:4599' }]);
    expect(inputs, name).toMatchObject({
      accessKey: 'test',
      s3UsePathStyle: 'true',
      skipCredentialsValidation: 'true',
    });
  }
});

const withoutPlacement = (definition: unknown): unknown =>
  JSON.parse(
    JSON.stringify(definition, (key, value: unknown) =>
      key === 'Cluster' || key === 'NetworkConfiguration' ? undefined : value,
    ),
  );

describe('state machines', () => {
  test.each(all)('%s: valid, complete, logged, and the one that the local interpreter runs', (_, graph) => {
    const machine = only(graph, 'sfn/stateMachine:StateMachine').inputs;
    const definition = JSON.parse(String(machine['definition'])) as object;
    // The validator writes into what it is given.
    expect(validate(structuredClone(definition))).toMatchObject({ isValid: true });
    expect(JSON.stringify(definition)).not.toContain('${');
    expect(machine).toMatchObject({
      loggingConfiguration: { level: 'ERROR', includeExecutionData: false },
      tracingConfiguration: { enabled: true },
    });

    const names = new Map<unknown, string>();
    for (const { state, inputs } of ofType(graph, 'lambda/function:Function'))
      names.set(state['arn'], String(inputs['description']).replace('Glimpse ', ''));
    const back = JSON.stringify(definition)
      .replaceAll(/"FunctionName":"([^"]+)"/g, (_match, arn: string) => {
        const name = names.get(arn);
        if (name === undefined) throw new Error(`the workflow calls ${arn}, which is no function of the graph`);
        return `"FunctionName":"\${Fn.${name}}"`;
      })
      // Where containers run is another matter: step-containers.test.ts.
      .replaceAll(/"TaskDefinition":"glimpse-\w+-([\w-]+)"/g, `"TaskDefinition":"\${Task.$1}"`);
    const declared = graph === localstack ? importImageInFunctions : importImage;
    expect(withoutPlacement(JSON.parse(back))).toEqual(withoutPlacement(JSON.parse(JSON.stringify(declared))));
  });

  test('a long step whose function is lost goes on as a container, under every name that the loss may have', () => {
    const machine = only(dev, 'sfn/stateMachine:StateMachine').inputs;
    const names = ['Lambda.Unknown', 'Lambda.ClientExecutionTimeoutException', 'Sandbox.Timedout', 'Runtime.ExitError'];
    const functions = [...names, 'States.Timeout', 'StepTooLong'];
    const outcomes = outcomesOf(JSON.parse(String(machine['definition'])) as StateMachine, {
      functions,
      containers: [],
    });
    for (const step of ['Fetch', 'RunPlugin', 'Hash', 'CopyToStore', 'HashLocation'])
      expect(outcomes[step]).toEqual(Object.fromEntries(functions.map((name) => [name, `${step}InContainer`])));
  });

  test('a call that Lambda turns away waits its turn for as long as the import may, and is not taken for a fault', () => {
    const machine = only(dev, 'sfn/stateMachine:StateMachine').inputs;
    const calls: { Retry?: { ErrorEquals: string[] }[] }[] = [];
    JSON.parse(String(machine['definition']), (_, value: { Resource?: string; Retry?: never } | null) => {
      if (value?.Resource === 'arn:aws:states:::lambda:invoke') calls.push(value);
      return value;
    });
    expect(calls.length).toBeGreaterThan(15);
    for (const { Retry = [] } of calls) {
      const naming = Retry.filter(({ ErrorEquals }) => ErrorEquals.includes('Lambda.TooManyRequestsException'));
      expect(naming).toEqual([
        expect.objectContaining({
          ErrorEquals: ['Lambda.TooManyRequestsException', 'Throttled'],
          MaxAttempts: 1440,
          MaxDelaySeconds: 120,
          JitterStrategy: 'FULL',
        }),
      ]);
    }
  });
});
