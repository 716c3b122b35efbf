import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedAws, startEmbeddedAws } from '../../local/embedded.ts';
import type { IamOptions } from '../../local/iam/iam.ts';

const allow = (Action: string | string[], Resource: string | string[], more: object = {}) => ({
  ...{ Effect: 'Allow', Action, Resource },
  ...more,
});
const of = (...Statement: object[]) => ({ policies: [{ Version: '2012-10-17', Statement }] });
const B = 'arn:aws:s3:::bucket';
const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/records';

const ROLES: IamOptions['roles'] = {
  admin: of(allow('*', '*')),
  nothing: of(allow('s3:ListAllMyBuckets', '*')),
  reader: of(allow('s3:GetObject', `${B}/*`)),
  lister: of(
    allow('s3:GetObject', `${B}/*`),
    allow('s3:ListBucket', B, { Condition: { StringLike: { 's3:prefix': 'open/*' } } }),
  ),
  copier: of(allow(['s3:GetObject', 's3:PutObject', 's3:ListBucket'], [B, `${B}/*`])),
  remover: of(allow('s3:DeleteObject', `${B}/mine/*`)),
  tenant: of(
    allow(['dynamodb:GetItem', 'dynamodb:PutItem'], TABLE, {
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['tenant'] } },
    }),
  ),
};

let aws: EmbeddedAws;
const client = (accessKeyId: string) => ({
  endpoint: aws.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey: 'test' },
  maxAttempts: 1,
});
const s3 = (role: string) => new S3Client({ ...client(role), forcePathStyle: true });
const dynamodb = (role: string) => new DynamoDBClient(client(role));

beforeAll(async () => {
  aws = await startEmbeddedAws({ sweepIntervalMs: 0, strict: { iam: { roles: ROLES } } });
  await s3('admin').send(new CreateBucketCommand({ Bucket: 'bucket' }));
  for (const [Key, Tagging] of [
    ['plain', ''],
    ['tagged', 'a=b'],
    ['open/1', ''],
  ] as const)
    await s3('admin').send(new PutObjectCommand({ Bucket: 'bucket', Key, Body: 'x', ...(Tagging && { Tagging }) }));
  await dynamodb('admin').send(
    new CreateTableCommand({
      TableName: 'records',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
});
afterAll(() => aws.close());

/** What a call comes to: `allowed`, or the error's name and HTTP status. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'allowed';
  } catch (error) {
    const { name, Code, $metadata } = error as { name: string; Code?: string; $metadata?: { httpStatusCode?: number } };
    return `${Code ?? name} ${$metadata?.httpStatusCode}`;
  }
}

describe('S3', () => {
  const get = (Key: string) => new GetObjectCommand({ Bucket: 'bucket', Key });
  const put = (Key: string) => new PutObjectCommand({ Bucket: 'bucket', Key, Body: 'x' });
  const list = (Prefix: string) => new ListObjectsV2Command({ Bucket: 'bucket', Prefix });
  const copy = (key: string, more: object = {}) =>
    new CopyObjectCommand({ Bucket: 'bucket', Key: 'copy', CopySource: `bucket/${key}`, ...more });
  type Asked = GetObjectCommand | PutObjectCommand | ListObjectsV2Command | CopyObjectCommand;
  const asked = (role: string, command: Asked): Promise<unknown> => s3(role).send(command as GetObjectCommand);

  it.each<[string, string, Parameters<typeof asked>[1], string]>([
    ['reads what it may', 'reader', get('plain'), 'allowed'],
    ['writes', 'reader', put('plain'), 'AccessDenied 403'],
    ['is told nothing of what is not there', 'reader', get('none'), 'AccessDenied 403'],
    ['is told so who may list', 'copier', get('none'), 'NoSuchKey 404'],
    ['lists its prefix', 'lister', list('open/'), 'allowed'],
    ['lists all', 'lister', list(''), 'AccessDenied 403'],
    ['copies', 'copier', copy('plain'), 'allowed'],
    ['copies tags', 'copier', copy('tagged'), 'AccessDenied 403'],
    ['leaves the tags behind', 'copier', copy('tagged', { TaggingDirective: 'REPLACE' }), 'allowed'],
    ['copies what is not there', 'copier', copy('none'), 'NoSuchKey 404'],
    ['a key of nobody', 'nobody', get('plain'), 'InvalidAccessKeyId 403'],
  ])('%s: %s', async (_, role, command, expected) => {
    expect(await outcome(asked(role, command))).toBe(expected);
  });

  it('says who may not do what to what', async () => {
    await expect(s3('reader').send(put('plain'))).rejects.toThrow(
      `User: arn:aws:sts::000000000000:assumed-role/reader/reader is not authorized to perform: s3:PutObject on resource: ${B}/plain because no identity-based policy allows the s3:PutObject action`,
    );
  });

  it('deletes of many keys those it may', async () => {
    const Objects = [{ Key: 'mine/1' }, { Key: 'plain' }];

    const { Deleted, Errors } = await s3('remover').send(
      new DeleteObjectsCommand({ Bucket: 'bucket', Delete: { Objects } }),
    );

    expect(Deleted).toEqual([{ Key: 'mine/1' }]);
    expect(Errors).toMatchObject([{ Key: 'plain', Code: 'AccessDenied' }]);
    expect(await outcome(s3('reader').send(get('plain')))).toBe('allowed');
  });
});

describe('JSON services', () => {
  const item = (pk: string) => ({ TableName: 'records', Item: { pk: { S: pk } } });
  const start = (role: string) =>
    new SFNClient(client(role)).send(
      new StartExecutionCommand({ stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:m' }),
    );
  const invoke = (role: string) => new LambdaClient(client(role)).send(new InvokeCommand({ FunctionName: 'f' }));
  const schedule = (role: string) =>
    new SchedulerClient(client(role)).send(
      new CreateScheduleCommand({
        ...{ Name: 's', ScheduleExpression: 'rate(1 hour)', FlexibleTimeWindow: { Mode: 'OFF' } },
        Target: { Arn: 'arn:aws:lambda:us-east-1:000000000000:function:f', RoleArn: 'arn:aws:iam::0:role/r' },
      }),
    );
  const announce = (role: string) =>
    new EventBridgeClient(client(role)).send(
      new PutEventsCommand({ Entries: [{ Source: 's', DetailType: 't', Detail: '{}' }] }),
    );

  it.each<[string, () => Promise<unknown>, string]>([
    ['its own partition', () => dynamodb('tenant').send(new PutItemCommand(item('tenant'))), 'allowed'],
    ['that of another', () => dynamodb('tenant').send(new PutItemCommand(item('other'))), 'AccessDeniedException 400'],
    [
      'another action',
      () => dynamodb('nothing').send(new GetItemCommand({ TableName: 'records', Key: { pk: { S: 'tenant' } } })),
      'AccessDeniedException 400',
    ],
    [
      'a key of nobody',
      () => dynamodb('nobody').send(new PutItemCommand(item('x'))),
      'UnrecognizedClientException 400',
    ],
    ['an execution, without the right', () => start('nothing'), 'AccessDeniedException 400'],
    ['an execution, of no machine', () => start('admin'), 'StateMachineDoesNotExist 400'],
    ['events, without the right', () => announce('nothing'), 'AccessDeniedException 400'],
    ['events', () => announce('admin'), 'allowed'],
    ['a function, without the right', () => invoke('nothing'), 'AccessDeniedException 403'],
    ['a function that is not there', () => invoke('admin'), 'ResourceNotFoundException 404'],
    ['a schedule, without the right', () => schedule('nothing'), 'AccessDeniedException 403'],
    ['a schedule', () => schedule('admin'), 'allowed'],
  ])('%s', async (_, call, expected) => {
    expect(await outcome(call())).toBe(expected);
  });
});

it('roles are put and changed while it runs, for S3 and for the others', async () => {
  const put = async (path: string, role: object) => {
    const response = await fetch(`${aws.endpoint}/_glimpse/${path}/late`, {
      method: 'PUT',
      body: JSON.stringify(role),
    });
    expect(response.status).toBe(200);
  };
  const read = () => outcome(s3('late').send(new GetObjectCommand({ Bucket: 'bucket', Key: 'plain' })));
  const look = () =>
    outcome(dynamodb('late').send(new GetItemCommand({ TableName: 'records', Key: { pk: { S: 'a' } } })));
  expect([await read(), await look()]).toEqual(['InvalidAccessKeyId 403', 'UnrecognizedClientException 400']);

  for (const path of ['s3/iam/roles', 'iam/roles']) await put(path, of(allow('*', '*')));
  expect([await read(), await look()]).toEqual(['allowed', 'allowed']);

  for (const path of ['s3/iam/roles', 'iam/roles']) await put(path, of());
  expect([await read(), await look()]).toEqual(['AccessDenied 403', 'AccessDeniedException 400']);
  const reports = ['s3/iam/report', 'iam/report'].map(async (path) => {
    const { asked } = (await (await fetch(`${aws.endpoint}/_glimpse/${path}`)).json()) as { asked: { role: string }[] };
    return asked.filter(({ role }) => role === 'late').length;
  });
  expect(await Promise.all(reports)).toEqual([2, 2]);
});
