/** `npm start` and the cloud agree: what scripts/provision.ts makes at an endpoint is what the graph declares. */
import { DescribeTableCommand, DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
} from '@aws-sdk/client-eventbridge';
import { GetBucketNotificationConfigurationCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { parseConfig } from '../../core/config.ts';
import { type EmbeddedAws, startEmbeddedAws } from '../../local/embedded.ts';
import { type Provisioned, provision } from '../../scripts/provision.ts';
import { RULES, SCHEDULES } from '../../workflows/topology.ts';
import { functionOf, ofType, only } from './graph.ts';

const graph = inject('graphs')['dev behind CloudFront'];
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
let aws: EmbeddedAws;
let made: Provisioned;
let client: { endpoint: string; region: string; credentials: typeof credentials };

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  aws = await startEmbeddedAws();
  client = { endpoint: aws.endpoint, region: 'us-east-1', credentials };
  made = await provision({
    endpoint: aws.endpoint,
    region: 'us-east-1',
    config: parseConfig({ stores: [{ id: 'central', bucket: 'glimpse-dev-central-123456789012' }] }),
  });
});
afterAll(() => aws.close());

/** A function's ARN here or there → its name in the topology. */
const nameOf = (arn: unknown): string => {
  const text = String(arn);
  const inGraph = ofType(graph, 'lambda/function:Function').find(({ state }) => state['arn'] === text);
  return inGraph === undefined
    ? (text.split(':').at(-1) ?? '')
    : String(inGraph.inputs['description']).replace('Glimpse ', '');
};

test('the table: keys, indexes, TTL', async () => {
  const dynamodb = new DynamoDBClient(client);
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: made.table }));
  const { TimeToLiveDescription } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName: made.table }));
  const { inputs } = only(graph, 'dynamodb/table:Table');
  const keys = (schema: { AttributeName?: string | undefined }[] = []) =>
    schema.map(({ AttributeName }) => AttributeName);

  expect(keys(Table?.KeySchema)).toEqual([inputs['hashKey'], inputs['rangeKey']]);
  expect(
    (Table?.GlobalSecondaryIndexes ?? [])
      .map(({ IndexName, KeySchema, Projection }) => ({
        name: IndexName,
        hashKey: keys(KeySchema)[0],
        rangeKey: keys(KeySchema)[1],
        projectionType: Projection?.ProjectionType,
      }))
      .toSorted((a, b) => String(a.name).localeCompare(String(b.name))),
  ).toEqual(inputs['globalSecondaryIndexes']);
  expect(
    (Table?.AttributeDefinitions ?? [])
      .map(({ AttributeName: name, AttributeType: type }) => ({ name, type }))
      .toSorted(byName),
  ).toEqual((inputs['attributes'] as { name: string }[]).toSorted(byName));
  expect(TimeToLiveDescription).toMatchObject({
    TimeToLiveStatus: 'ENABLED',
    AttributeName: (inputs['ttl'] as { attributeName: string }).attributeName,
  });
});
const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }): number =>
  String(a.name).localeCompare(String(b.name));

test('the buckets: staging and one per store, events from staging alone', async () => {
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const stores = ofType(graph, 's3/bucket:Bucket').filter(({ name }) => name.startsWith('Store'));

  expect(Buckets.map(({ Name }) => Name).sort()).toEqual(
    [made.stagingBucket, ...stores.map(({ inputs }) => String(inputs['bucket']))].sort(),
  );
  const { EventBridgeConfiguration } = await s3.send(
    new GetBucketNotificationConfigurationCommand({ Bucket: made.stagingBucket }),
  );
  expect(EventBridgeConfiguration).toBeDefined();
  const notification = only(graph, 's3/bucketNotification:BucketNotification').inputs;
  expect(notification).toMatchObject({ eventbridge: true, bucket: graph.outputs['stagingBucket'] });
});

test('the rules: pattern and target', async () => {
  const events = new EventBridgeClient(client);
  const { Rules = [] } = await events.send(new ListRulesCommand({}));
  const declared = ofType(graph, 'cloudwatch/eventRule:EventRule');

  expect(Rules.map(({ Name }) => Name).sort()).toEqual(RULES.map(({ name }) => name).sort());
  expect(declared).toHaveLength(RULES.length);
  for (const { name } of RULES) {
    const { EventPattern = '{}' } = await events.send(new DescribeRuleCommand({ Name: name }));
    const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: name }));
    const rule = declared.find(({ inputs }) => inputs['name'] === `glimpse-dev-${name}`);
    const here = EventPattern.replaceAll(made.stagingBucket, '{staging}').replaceAll(
      made.workflowArns['import-image'],
      '{workflow}',
    );
    const there = String(rule?.inputs['eventPattern'])
      .replaceAll(String(graph.outputs['stagingBucket']), '{staging}')
      .replaceAll(String(graph.outputs['importWorkflow']), '{workflow}');
    const targets = ofType(graph, 'cloudwatch/eventTarget:EventTarget').filter(
      ({ inputs }) => inputs['rule'] === rule?.state['name'],
    );

    expect(JSON.parse(there)).toEqual(JSON.parse(here));
    expect(targets.map(({ inputs }) => nameOf(inputs['arn']))).toEqual(Targets.map(({ Arn }) => nameOf(Arn)));
    const permission = ofType(graph, 'lambda/permission:Permission').filter(
      ({ inputs }) => inputs['sourceArn'] === rule?.state['arn'],
    );
    expect(permission.map(({ inputs }) => inputs['principal'])).toEqual(['events.amazonaws.com']);
  }
});

test('the schedules: rate and target', async () => {
  const scheduler = new SchedulerClient(client);
  const declared = ofType(graph, 'scheduler/schedule:Schedule');

  expect(declared).toHaveLength(SCHEDULES.length);
  for (const { name } of SCHEDULES) {
    const here = await scheduler.send(new GetScheduleCommand({ Name: name }));
    const there = declared.find(({ inputs }) => inputs['name'] === `glimpse-dev-${name}`)?.inputs;
    expect(there?.['scheduleExpression']).toBe(here.ScheduleExpression);
    expect(nameOf((there?.['target'] as { arn: string } | undefined)?.arn)).toBe(nameOf(here.Target?.Arn));
  }
});

test('the state machines: the same definition over the same functions', async () => {
  const { definition = '' } = await new SFNClient(client).send(
    new DescribeStateMachineCommand({ stateMachineArn: made.workflowArns['import-image'] }),
  );
  const plain = (text: string) =>
    JSON.parse(
      text
        .replaceAll(/"arn:aws:lambda:[^"]+"/g, (arn) => `"${nameOf(JSON.parse(arn))}"`)
        .replaceAll(/"TaskDefinition":"(?:glimpse-dev-)?/g, '"TaskDefinition":"'),
      // One machine has no network to place a container in.
      (key, value: unknown) => (key === 'Cluster' || key === 'NetworkConfiguration' ? undefined : value),
    ) as unknown;

  expect(plain(String(only(graph, 'sfn/stateMachine:StateMachine').inputs['definition']))).toEqual(plain(definition));
  expect(functionOf(graph, 'import-begin').state['arn']).toContain('ImportBegin');
});
