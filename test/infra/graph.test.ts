import { describe, expect, inject, test } from 'vitest';
import { answererOf } from '../../api/dispatch.ts';
import { ROUTES } from '../../api/routes.ts';
import { VERSION_SEGMENTS } from '../../api/versions.ts';
import { ENVIRONMENT } from '../../service/environment.ts';
import { FUNCTIONS } from '../../workflows/topology.ts';
import { allowed, containersOf, functionOf, ofType, only, statements, variablesOf } from './graph.ts';
import { answeredBy } from './http-routes.ts';
import { STAGES, type StageName } from './stages.ts';

describe.each(Object.entries(STAGES))('%s', (name, scenario) => {
  const graph = inject('graphs')[name as StageName];
  const onLocalStack = scenario.stage === 'localstack';
  const production = scenario.stage === 'production';
  const buckets = ofType(graph, 's3/bucket:Bucket');
  const lambdas = ofType(graph, 'lambda/function:Function');
  const roles = ofType(graph, 'iam/role:Role');

  test('the program completes, asks nothing unknown, and gives its outputs', () => {
    expect(graph.errors).toEqual([]);
    expect(graph.warnings).toEqual([]);
    expect(graph.resources.length).toBeGreaterThan(150);
    expect(Object.keys(graph.outputs).sort()).toEqual(
      ['_protect', 'api', 'config', 'importWorkflow', 'region', 'stagingBucket', 'table', 'url'].sort(),
    );
  });

  test('every function of the topology is one of the graph, with its handler, time and memory', () => {
    expect(graph.builds.map(({ handler }) => handler).sort()).toEqual(
      Object.values(FUNCTIONS)
        .map(({ handler }) => handler)
        .sort(),
    );
    expect(lambdas).toHaveLength(Object.keys(FUNCTIONS).length);
    for (const [name, { timeoutSeconds, memoryMiB }] of Object.entries(FUNCTIONS)) {
      expect(functionOf(graph, name).inputs).toMatchObject({
        timeout: timeoutSeconds,
        memorySize: memoryMiB,
        runtime: 'nodejs24.x',
        architectures: ['arm64'],
      });
    }
  });

  test('every package holds the configuration, the files it names, and the hashing thread where bytes are hashed', () => {
    for (const { handler, copyFiles, hashes } of graph.builds) {
      expect(copyFiles).toContainEqual({ from: graph.outputs['config'], to: graph.outputs['config'] });
      expect(
        copyFiles.some(({ to }) => to === 'digest-worker.mjs'),
        handler,
      ).toBe(hashes);
    }
    expect(graph.builds.filter(({ hashes }) => hashes)).toHaveLength(4);
    for (const { to } of graph.builds.flatMap(({ copyFiles }) => copyFiles)) expect(to).not.toMatch(/\.ts$/);
  });

  test('every function has a log group with a retention, an encrypted environment, tracing, and no VPC', () => {
    const groups = ofType(graph, 'cloudwatch/logGroup:LogGroup');
    for (const { name, inputs } of lambdas) {
      const { logGroup } = inputs['loggingConfig'] as { logGroup: string };
      const group = groups.find((candidate) => candidate.inputs['name'] === logGroup);
      expect(group?.inputs['retentionInDays'], name).toBe(production ? 90 : 7);
      expect(inputs, name).toMatchObject({ kmsKeyArn: expect.any(String), tracingConfig: { mode: 'Active' } });
      expect(inputs['vpcConfig'], name).toBeUndefined();
    }
  });

  test('API functions have concurrency of their own, and so has what begins, ends and cleans imports', () => {
    const own = [/^api-/, /^import-(begin|finish|revert|ended|render)$/, /^(drop|janitor)$/];
    for (const name of Object.keys(FUNCTIONS)) {
      const reserved = functionOf(graph, name).inputs['reservedConcurrentExecutions'];
      if (!own.some((pattern) => pattern.test(name))) expect(reserved, name).toBeUndefined();
      else expect(reserved, name).toBeGreaterThanOrEqual(name === 'janitor' ? 2 : 5);
    }
  });

  test('rendering is bounded, and what is reserved fits an account of 1,000', () => {
    const reserved = lambdas.map(({ inputs }) => Number(inputs['reservedConcurrentExecutions'] ?? 0));
    expect(functionOf(graph, 'import-render').inputs['reservedConcurrentExecutions']).toBe(production ? 400 : 50);
    expect(reserved.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(900);
  });

  test('no value anywhere is undefined, an object or a token by mistake', () => {
    for (const { name, inputs } of graph.resources) {
      const text = JSON.stringify(inputs);
      expect(text, name).not.toMatch(/\bundefined\b|\[object |Calling \[to|\$\{Fn/);
    }
  });

  test('the environment is what handlers read: all that is required, and nothing they do not know', () => {
    const known = new Set<string>(Object.values(ENVIRONMENT));
    const gateway = ofType(graph, 'ecs/taskDefinition:TaskDefinition')
      .flatMap(containersOf)
      .flatMap(({ environment, secrets }) => [...environment, ...secrets].map(({ name }) => name));
    const set = new Set([...lambdas.flatMap((fn) => Object.keys(variablesOf(fn))), ...gateway]);
    const ours = [...set].filter((name) => name.startsWith('GLIMPSE_') || name === 'AWS_REGION');
    expect(ours.filter((name) => !known.has(name))).toEqual([]);
    // Set by the platform, or only in one kind of stage.
    const elsewhere = new Set<string>([ENVIRONMENT.endpoint, ENVIRONMENT.region, ENVIRONMENT.keystonePassword]);
    if (onLocalStack) {
      for (const name of [
        ENVIRONMENT.gatewayPort,
        ENVIRONMENT.uploadBudgetMib,
        ENVIRONMENT.downloadBudgetMib,
        ENVIRONMENT.apiUrl,
        ENVIRONMENT.functionSeconds,
      ])
        elsewhere.add(name);
    }
    expect([...known].filter((name) => !ours.includes(name) && !elsewhere.has(name))).toEqual([]);
    for (const fn of lambdas) {
      expect(Object.keys(variablesOf(fn)), fn.name).toEqual(
        expect.arrayContaining([
          ENVIRONMENT.table,
          ENVIRONMENT.stagingBucket,
          ENVIRONMENT.importWorkflow,
          ENVIRONMENT.config,
        ]),
      );
    }
  });

  test('private keys go to what makes tokens, as a secret, and to nothing else', () => {
    const holders = (variable: string) =>
      Object.keys(FUNCTIONS).filter((name) => variable in variablesOf(functionOf(graph, name)));
    expect(holders(ENVIRONMENT.signingKeys)).toEqual(['api-identity']);
    expect(holders(ENVIRONMENT.verificationKeys)).toEqual(['api-images', 'api-metadefs']);
    for (const name of [...holders(ENVIRONMENT.signingKeys), ...holders(ENVIRONMENT.verificationKeys)])
      expect(functionOf(graph, name).secrets.some((path) => path.startsWith('environment'))).toBe(true);
    for (const container of ofType(graph, 'ecs/taskDefinition:TaskDefinition').flatMap(containersOf)) {
      const known = [...container.environment, ...container.secrets].map(({ name }) => name);
      expect(known).not.toContain(ENVIRONMENT.signingKeys);
      expect(container.environment.map(({ name }) => name)).not.toContain(ENVIRONMENT.verificationKeys);
    }
  });

  test('the key to what imports keep apart goes to the image API and to the fetch, as a secret, and to nothing else', () => {
    const holders = Object.keys(FUNCTIONS).filter(
      (name) => ENVIRONMENT.sourceKeys in variablesOf(functionOf(graph, name)),
    );
    expect(holders).toEqual(['api-images', 'import-fetch']);
    for (const name of holders)
      expect(functionOf(graph, name).secrets.some((path) => path.startsWith('environment'))).toBe(true);
    const containers = ofType(graph, 'ecs/taskDefinition:TaskDefinition').map((task) => ({
      task: String(task.inputs['family']),
      open: containersOf(task).flatMap(({ environment }) => environment.map(({ name }) => name)),
      secret: containersOf(task).flatMap(({ secrets }) => secrets.map(({ name }) => name)),
    }));
    for (const { open } of containers) expect(open).not.toContain(ENVIRONMENT.sourceKeys);
    const told = containers.filter(({ secret }) => secret.includes(ENVIRONMENT.sourceKeys)).map(({ task }) => task);
    expect(told).toEqual(told.filter((task) => task.endsWith('import-fetch')));
    expect(told.length).toBe(onLocalStack ? 0 : 1);
  });

  test('what checks tokens holds public keys, of the signing keys and nothing more', () => {
    const values = [
      ...['api-images', 'api-metadefs'].map(
        (name) => variablesOf(functionOf(graph, name))[ENVIRONMENT.verificationKeys],
      ),
      ...ofType(graph, 'ssm/parameter:Parameter')
        .filter(({ inputs }) => String(inputs['name']).endsWith('verification-keys'))
        .map(({ inputs }) => inputs['value']),
    ];
    for (const value of values)
      expect(JSON.parse(String(value))).toEqual([{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'k1' }]);
  });

  test('every route of the table leads to the function of its group, and the rest to the image API', () => {
    for (const { method, path, group } of Object.values(ROUTES)) {
      if (group === 'gateway') continue;
      expect(answeredBy(graph, method, path), `${method} ${path}`).toBe(`api-${group}`);
    }
    for (const path of ['/', '/versions', '/v2', '/v2/', '/healthcheck', '/nothing'])
      expect(answeredBy(graph, 'GET', path), path).toBe('api-images');
    expect(answeredBy(graph, 'OPTIONS', '/identity/v3/auth/tokens')).toBe('api-identity');
  });

  test('every version of a path, listed or not, is answered by whom the front door asks', () => {
    const versions = [...VERSION_SEGMENTS, 'v2.14', 'v2.99', 'v2.', 'v3', 'versions', 'x'];
    const paths = Object.values(ROUTES)
      .filter(({ group }) => group !== 'gateway')
      .map(({ path }) => path);
    const sent = versions.flatMap((version) => paths.map((path) => path.replace(/^\/v2(?=\/|$)/, `/${version}`)));
    for (const path of new Set(sent)) expect(answeredBy(graph, 'GET', path), path).toBe(`api-${answererOf(path)}`);
    // Quotas of an HTTP API, and of the permissions of a function: 20 KB, of which each takes less than half a kilobyte.
    expect(ofType(graph, 'apigatewayv2/route:Route').length).toBeLessThanOrEqual(300);
    expect(ofType(graph, 'lambda/permission:Permission').length).toBeLessThanOrEqual(40);
  });

  test('the HTTP API is throttled, logs, speaks payload 2.0 and leaves CORS to the handlers', () => {
    expect(only(graph, 'apigatewayv2/api:Api').inputs['corsConfiguration']).toBeUndefined();
    expect(only(graph, 'apigatewayv2/stage:Stage').inputs).toMatchObject({
      defaultRouteSettings: { throttlingRateLimit: expect.any(Number), throttlingBurstLimit: expect.any(Number) },
      accessLogSettings: { destinationArn: expect.any(String) },
    });
    for (const { inputs } of ofType(graph, 'apigatewayv2/integration:Integration'))
      expect(inputs['payloadFormatVersion']).toBe('2.0');
  });

  test('every bucket is closed to the public and refuses plain HTTP', () => {
    for (const bucket of buckets) {
      const mine = (type: string) =>
        ofType(graph, type).filter((resource) => resource.inputs['bucket'] === bucket.state['bucket']);
      const [block] = mine('s3/bucketPublicAccessBlock:BucketPublicAccessBlock');
      expect(block?.inputs, bucket.name).toMatchObject({
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      });
      expect(block?.region, bucket.name).toBe(bucket.region);
      const policy = mine('s3/bucketPolicy:BucketPolicy').flatMap(({ inputs }) => statements(inputs['policy']));
      expect(policy, bucket.name).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': expect.anything() } } }),
      );
    }
  });

  test('every bucket of images is encrypted, aborts stale uploads and nothing else, in its own region', () => {
    const images = buckets.filter(({ name }) => !name.startsWith('Console'));
    expect(images.length).toBeGreaterThanOrEqual(2);
    for (const bucket of images) {
      const mine = (type: string) =>
        ofType(graph, type).filter((resource) => resource.inputs['bucket'] === bucket.state['bucket']);
      const [encryption] = mine('s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration');
      const [lifecycle] = mine('s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration');
      expect([encryption?.region, lifecycle?.region], bucket.name).toEqual([bucket.region, bucket.region]);
      expect(encryption?.inputs['rules'], bucket.name).toMatchObject([
        { applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } },
      ]);
      const rules = lifecycle?.inputs['rules'] as Record<string, unknown>[];
      expect(rules, bucket.name).toHaveLength(1);
      expect(rules[0], bucket.name).toMatchObject({
        status: 'Enabled',
        abortIncompleteMultipartUpload: { daysAfterInitiation: 15 },
      });
      for (const forbidden of ['expiration', 'noncurrentVersionExpiration', 'transitions'])
        expect(rules[0], bucket.name).not.toHaveProperty(forbidden);
      expect(bucket.inputs['forceDestroy'], bucket.name).toBe(!production);
    }
  });

  test('no role may do everything of a service, and none may act on everything without review', () => {
    const reviewed = new Set([
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
    ]);
    expect(roles.length).toBeGreaterThan(lambdas.length);
    for (const role of roles) {
      for (const { Action, Resource } of allowed(role)) {
        expect(
          Action.filter((action) => /\*/.test(action)),
          role.name,
        ).toEqual([]);
        if (Resource.includes('*'))
          expect(
            Action.filter((action) => !reviewed.has(action)),
            role.name,
          ).toEqual([]);
        expect(Resource, role.name).not.toEqual([]);
      }
      for (const arn of (role.inputs['managedPolicyArns'] ?? []) as string[])
        expect(arn, role.name).toMatch(/:policy\/service-role\//);
    }
    // Rights that a role would get beside its inline policies would not be seen here.
    for (const type of ['rolePolicy:RolePolicy', 'rolePolicyAttachment:RolePolicyAttachment', 'policy:Policy'])
      expect(ofType(graph, `iam/${type}`)).toEqual([]);
  });

  test('nobody outside the account is let in without a condition', () => {
    const documents = graph.resources.flatMap(({ type, name, inputs }) =>
      /(Policy|Key|Topic)$/.test(type) && inputs['policy'] !== undefined
        ? statements(inputs['policy']).map((statement) => ({ name, ...statement }))
        : [],
    );
    expect(documents.length).toBeGreaterThan(3);
    for (const { name, Effect, Principal, Condition } of documents) {
      const wide = JSON.stringify(Principal).includes('"*"') || JSON.stringify(Principal).includes('"Service"');
      if (Effect === 'Allow' && wide) expect(Condition, name).toBeDefined();
    }
  });

  test('a function can be invoked by one named source only', () => {
    for (const { name, inputs } of ofType(graph, 'lambda/permission:Permission'))
      expect(inputs['sourceArn'], name).toMatch(/^arn:aws:(events|execute-api):/);
    expect(ofType(graph, 'lambda/functionUrl:FunctionUrl')).toEqual([]);
  });

  test('the table can be restored to any second, expires what has a TTL, and is encrypted with our key', () => {
    const table = only(graph, 'dynamodb/table:Table');
    expect(table.inputs).toMatchObject({
      billingMode: 'PAY_PER_REQUEST',
      pointInTimeRecovery: { enabled: true },
      ttl: { enabled: true, attributeName: 'ttl' },
      serverSideEncryption: { enabled: true, kmsKeyArn: only(graph, 'kms/key:Key').state['arn'] },
      deletionProtectionEnabled: production,
    });
    expect(table.retainOnDelete).toBe(production);
    expect(only(graph, 'kms/key:Key').inputs).toMatchObject({ enableKeyRotation: true, deletionWindowInDays: 30 });
  });

  test('no secret is readable in the outputs', () => {
    expect(JSON.stringify(graph.outputs)).not.toContain('"kty"');
  });
});
