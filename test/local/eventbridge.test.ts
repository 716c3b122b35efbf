import {
  DeleteRuleCommand,
  DescribeRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matches } from '../../local/eventbridge/pattern.ts';
import { targetInput } from '../../local/eventbridge/target-input.ts';
import { type FunctionHost, hostFunctions } from '../../local/lambda/runtime.ts';
import type { Json, JsonObject } from '../../local/wire/json.ts';
import { clientOf, type Running, startProcesses, until } from './processes.ts';

let running: Running;
let events: EventBridgeClient;
let sfn: SFNClient;
let host: FunctionHost;
let received: JsonObject[] = [];
let isDown = false;

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:receive';

beforeAll(async () => {
  host = await hostFunctions({ functions: { receive: async (event: JsonObject) => received.push(event) } });
  running = await startProcesses({
    onRestart: async () => {
      if (!isDown) await host.register(running.aws.endpoint);
    },
  });
  events = new EventBridgeClient(clientOf(running.aws.endpoint));
  sfn = new SFNClient(clientOf(running.aws.endpoint));
  await host.register(running.aws.endpoint);
});
afterAll(async () => {
  await running.stop();
  await host.close();
});

const putEvent = (Source: string, DetailType: string, detail: object) =>
  events.send(new PutEventsCommand({ Entries: [{ Source, DetailType, Detail: JSON.stringify(detail) }] }));

async function rule(Name: string, pattern: object, target: object = {}): Promise<void> {
  await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
  await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: '1', Arn: FUNCTION, ...target }] }));
}

const receivedFrom = (source: string, count = 1) =>
  until(`${count} events from ${source}`, async () => {
    const found = received.filter((event) => event['source'] === source || event['from'] === source);
    return found.length >= count && found;
  });

describe('patterns', () => {
  const event = {
    source: 'a.b',
    detail: { n: 5, name: 'disk.qcow2', tags: ['x', 'y'], empty: null, in: { deep: true } },
  };

  it.each<[JsonObject, boolean]>([
    [{ source: ['a.b'] }, true],
    [{ source: ['other', 'a.b'] }, true],
    [{ source: ['other'] }, false],
    [{ source: [{ prefix: 'a.' }] }, true],
    [{ detail: { name: [{ suffix: '.qcow2' }] } }, true],
    [{ detail: { name: [{ wildcard: 'd*.qcow?' }] } }, false],
    [{ detail: { name: [{ wildcard: 'd*.qcow2' }] } }, true],
    [{ detail: { n: [{ numeric: ['>', 1, '<=', 5] }] } }, true],
    [{ detail: { n: [{ numeric: ['>', 5] }] } }, false],
    [{ detail: { tags: ['y'] } }, true],
    [{ detail: { empty: [null] } }, true],
    [{ detail: { none: [{ exists: false }] } }, true],
    [{ detail: { n: [{ exists: false }] } }, false],
    [{ detail: { name: [{ 'anything-but': ['disk.raw'] }] } }, true],
    [{ detail: { name: [{ 'anything-but': { prefix: 'disk' } }] } }, false],
    [{ detail: { in: { deep: [true] } } }, true],
    [{ $or: [{ source: ['z'] }, { detail: { n: [5] } }] }, true],
    [{ source: [{ 'equals-ignore-case': 'A.B' }] }, true],
  ])('%j is %s', (pattern, wanted) => {
    expect(matches(pattern, event)).toBe(wanted);
  });
});

describe('target input', () => {
  const event: Json = { source: 's', detail: { id: 'x"y', n: 3, list: ['a'] } };

  it.each<[JsonObject, Json]>([
    [{}, event],
    [{ Input: '{"fixed":1}' }, { fixed: 1 }],
    [{ InputPath: '$.detail.list' }, ['a']],
    [
      {
        InputTransformer: {
          InputPathsMap: { id: '$.detail.id', n: '$.detail.n', first: '$.detail.list[0]' },
          InputTemplate: '{"id": <id>, "text": "<id> has <n>", "n": <n>, "first": "<first>", "none": <gone>}',
        },
      },
      { id: 'x"y', text: 'x"y has 3', n: 3, first: 'a', none: null },
    ],
  ])('of %j', (target, wanted) => {
    expect(targetInput(target, event)).toEqual(wanted);
  });
});

describe('rules', () => {
  it('are described, listed and deleted after their targets', async () => {
    await rule('short', { source: ['none'] });
    const described = await events.send(new DescribeRuleCommand({ Name: 'short' }));
    const listed = await events.send(new ListRulesCommand({ NamePrefix: 'sho' }));

    expect(described).toMatchObject({ Name: 'short', State: 'ENABLED', EventPattern: '{"source":["none"]}' });
    expect(listed.Rules?.map((each) => each.Name)).toEqual(['short']);
    await expect(events.send(new DeleteRuleCommand({ Name: 'short' }))).rejects.toThrow(/targets/);
    await events.send(new RemoveTargetsCommand({ Rule: 'short', Ids: ['1'] }));
    await events.send(new DeleteRuleCommand({ Name: 'short' }));
    await expect(events.send(new DescribeRuleCommand({ Name: 'short' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('refuse a pattern that cannot match', async () => {
    const attempt = events.send(new PutRuleCommand({ Name: 'bad', EventPattern: '{"source":"text"}' }));

    await expect(attempt).rejects.toMatchObject({ name: 'InvalidEventPatternException' });
  });

  it('bring matching events to functions', async () => {
    await rule('to-function', { source: ['orders'], detail: { kind: ['big'] } });
    await putEvent('orders', 'Order', { kind: 'small' });
    await putEvent('orders', 'Order', { kind: 'big' });

    expect(await receivedFrom('orders')).toMatchObject([{ 'detail-type': 'Order', detail: { kind: 'big' } }]);
  });

  it('start state machines with transformed input', async () => {
    const { stateMachineArn = '' } = await sfn.send(
      new CreateStateMachineCommand({
        name: 'started',
        roleArn: 'arn:role',
        definition: JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', End: true } } }),
      }),
    );
    const InputTransformer = { InputPathsMap: { id: '$.detail.id' }, InputTemplate: '{"id": <id>}' };
    await rule('to-machine', { source: ['starter'] }, { Arn: stateMachineArn, RoleArn: 'arn:role', InputTransformer });
    await putEvent('starter', 'Go', { id: 7 });

    await until('the execution', async () => {
      const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED' }));
      return executions?.length === 1;
    });
  });

  it('hear of the status of executions', async () => {
    await rule('status', { source: ['aws.states'], detail: { status: ['RUNNING', 'FAILED'] } });
    const { stateMachineArn } = await sfn.send(
      new CreateStateMachineCommand({
        name: 'failing',
        roleArn: 'arn:role',
        definition: JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Fail', Error: 'Bad', Cause: 'Because' } } }),
      }),
    );
    await sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'one', input: '{"a":1}' }));
    const found = await receivedFrom('aws.states', 2);

    expect(found.map((event) => (event['detail'] as JsonObject)['status']).sort()).toEqual(['FAILED', 'RUNNING']);
    expect(found.find((event) => (event['detail'] as JsonObject)['status'] === 'FAILED')).toMatchObject({
      'detail-type': 'Step Functions Execution Status Change',
      detail: {
        name: 'one',
        input: '{"a":1}',
        output: null,
        error: 'Bad',
        cause: 'Because',
        stopDate: expect.any(Number),
      },
    });
  });

  it('hear of objects in buckets', async () => {
    await rule('objects', { source: ['aws.s3'], 'detail-type': ['Object Created'] });
    const s3 = new S3Client({ ...clientOf(running.aws.endpoint), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'incoming' }));
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: 'incoming',
        NotificationConfiguration: { EventBridgeConfiguration: {} },
      }),
    );
    await s3.send(new PutObjectCommand({ Bucket: 'incoming', Key: 'drop/a b.qcow2', Body: 'bytes' }));

    expect(await receivedFrom('aws.s3')).toMatchObject([
      { detail: { bucket: { name: 'incoming' }, object: { key: 'drop/a b.qcow2', size: 5 }, reason: 'PutObject' } },
    ]);
  });
});

describe('delivery', () => {
  it('happens after a kill when the function was away before it', async () => {
    await rule('durable', { source: ['durable'] });
    const token = await fetch(`${running.aws.endpoint}/_glimpse/lambda/receive`, { method: 'DELETE' });
    expect(token.ok).toBe(true);
    received = [];
    const answer = await putEvent('durable', 'Kept', { n: 1 });
    isDown = true;
    await running.killControl();
    isDown = false;
    expect([answer.FailedEntryCount, received]).toEqual([0, []]);

    await host.register(running.aws.endpoint);

    expect(await receivedFrom('durable')).toMatchObject([{ detail: { n: 1 } }]);
  });

  it('reports entries that are not events', async () => {
    const result = await events.send(
      new PutEventsCommand({ Entries: [{ Source: 'x', DetailType: 'y', Detail: '[' }] }),
    );

    expect(result).toMatchObject({ FailedEntryCount: 1, Entries: [{ ErrorCode: 'MalformedDetail' }] });
  });
});
