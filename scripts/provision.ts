/**
 * Makes what workflows/topology.ts declares at an AWS endpoint: buckets, table, state machines, rules, schedules. Idempotent:
 * what is there stays, definitions and targets are brought up to date. Functions are registered by whoever hosts them.
 */
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCorsCommand,
  HeadBucketCommand,
  NotFound,
  PutBucketCorsCommand,
  PutBucketNotificationConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ConflictException, CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import {
  CreateStateMachineCommand,
  SFNClient,
  StateMachineAlreadyExists,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import type { Config } from '../core/config.ts';
import { importImage, importImageInFunctions } from '../workflows/import-image.ts';
import {
  FUNCTIONS,
  RULES,
  SCHEDULES,
  STAGING_BUCKET,
  STAGING_CORS,
  TABLE,
  WORKFLOWS,
  type WorkflowName,
} from '../workflows/topology.ts';

export interface Provisioned {
  readonly table: string;
  readonly stagingBucket: string;
  readonly workflowArns: Readonly<Record<WorkflowName, string>>;
  /** Buckets that were not there before. */
  readonly newBuckets: readonly string[];
}

/** What the AWS at an endpoint can; ours can all of it. */
export interface Abilities {
  /** Schedules of EventBridge Scheduler fire; else rules with a rate do their work. */
  readonly schedules: boolean;
  /** Steps that are too long for a function run as containers; else they have their function alone. */
  readonly containers: boolean;
}

const EVERYTHING: Abilities = { schedules: true, containers: true };

export interface ProvisionOptions {
  readonly endpoint: string;
  /** Of DynamoDB, where it is another one. */
  readonly dynamodbEndpoint?: string;
  readonly abilities?: Abilities;
  readonly region: string;
  readonly config: Pick<Config, 'stores' | 'console_origin'>;
  /** Account in the ARNs of the endpoint; emulators use zeros. */
  readonly account?: string;
}

const definitionsOf = ({ containers }: Abilities): Readonly<Record<WorkflowName, unknown>> => ({
  'import-image': containers ? importImage : importImageInFunctions,
});

/** An emulator loads a service at its first call, a minute on a busy machine. Of whom nothing is heard for longer is lost. Milliseconds. */
const PATIENT = { connectionTimeout: 30_000, requestTimeout: 300_000, throwOnRequestTimeout: true };

/** @throws what the SDK throws when the endpoint refuses or is not there */
export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const { endpoint, region, config, account = '000000000000', abilities = EVERYTHING } = options;
  const client = { endpoint, region, requestHandler: PATIENT };
  const arnOf = (fn: string): string => `arn:aws:lambda:${region}:${account}:function:${fn}`;
  const events = new EventBridgeClient(client);
  const [workflowArns, , newBuckets] = await Promise.all([
    createWorkflows(new SFNClient(client), arnOf, definitionsOf(abilities)),
    createTable(new DynamoDBClient({ ...client, endpoint: options.dynamodbEndpoint ?? endpoint })),
    createBuckets(
      (where) => new S3Client({ ...client, region: where, forcePathStyle: true }),
      region,
      bucketsOf(config, account),
      config.console_origin,
    ),
    abilities.schedules ? createSchedules(new SchedulerClient(client), arnOf) : createRates(events, arnOf),
  ]);
  await createRules(events, arnOf, workflowArns);
  return { table: TABLE.name, stagingBucket: STAGING_BUCKET.name, workflowArns, newBuckets };
}

async function createTable(client: DynamoDBClient): Promise<void> {
  const keys = [
    TABLE.partitionKey,
    TABLE.sortKey,
    ...TABLE.indexes.flatMap((index) => [index.partitionKey, index.sortKey]),
  ];
  const schema = (partition: string, sort: string) => [
    { AttributeName: partition, KeyType: 'HASH' as const },
    { AttributeName: sort, KeyType: 'RANGE' as const },
  ];
  try {
    await client.send(
      new CreateTableCommand({
        TableName: TABLE.name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
        KeySchema: schema(TABLE.partitionKey, TABLE.sortKey),
        GlobalSecondaryIndexes: TABLE.indexes.map((index) => ({
          IndexName: index.name,
          KeySchema: schema(index.partitionKey, index.sortKey),
          Projection: { ProjectionType: 'ALL' as const },
        })),
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
    return;
  }
  await untilActive(client);
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: TABLE.name,
      TimeToLiveSpecification: { Enabled: true, AttributeName: TABLE.ttlAttribute },
    }),
  );
}

async function untilActive(client: DynamoDBClient): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: TABLE.name }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await new Promise((resolve) => setTimeout(resolve, 50 * (attempt + 1)));
  }
  throw new Error(`table ${TABLE.name} did not become active`);
}

const bucketsOf = ({ stores }: Pick<Config, 'stores'>, account: string): Config['stores'] =>
  stores.map((store) => ({ ...store, bucket: store.bucket.replaceAll('{account}', account) }));

/** Each bucket in its region; the staging bucket and stores that name none in the stage's. Resolves with those that it made. */
async function createBuckets(
  clientIn: (region: string) => S3Client,
  region: string,
  stores: Config['stores'],
  consoleOrigin: string | undefined,
): Promise<string[]> {
  const regions = new Map([
    [STAGING_BUCKET.name, region],
    ...stores
      .filter((store) => store.endpoint === undefined)
      .map((store) => [store.bucket, store.region ?? region] as const),
  ]);
  const made = await Promise.all(
    [...regions].map(async ([Bucket, where]) => {
      if (await isThere(clientIn(where), Bucket)) return [];
      const constraint = where as BucketLocationConstraint;
      const elsewhere = { CreateBucketConfiguration: { LocationConstraint: constraint } };
      await clientIn(where).send(new CreateBucketCommand({ Bucket, ...(where === 'us-east-1' ? {} : elsewhere) }));
      return [Bucket];
    }),
  );
  await clientIn(region).send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: STAGING_BUCKET.name,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
  await letPagesSend(clientIn(region), consoleOrigin);
  return made.flat();
}

async function isThere(client: S3Client, Bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket }));
    return true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw error;
  }
}

/** Pages of the console, and no others, may send parts to the staging bucket. */
async function letPagesSend(client: S3Client, origin: string | undefined): Promise<void> {
  const Bucket = STAGING_BUCKET.name;
  if (origin === undefined) {
    await client.send(new DeleteBucketCorsCommand({ Bucket }));
    return;
  }
  const { methods, headers, maxAgeSeconds } = STAGING_CORS;
  const rule = {
    ...{ AllowedOrigins: [origin], AllowedMethods: [...methods], AllowedHeaders: [...headers] },
    MaxAgeSeconds: maxAgeSeconds,
  };
  await client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }));
}

/** What definitions refer to. Containers are registered under their step's name (containers.ts); where ECS would put them has no meaning here. */
const TOKENS = {
  Fn: (fn: string, arnOf: (fn: string) => string): string => {
    if (!(fn in FUNCTIONS)) throw new Error(`a workflow names function ${fn}, which topology.ts does not declare`);
    return arnOf(fn);
  },
  Task: (step: string): string => step,
  Ecs: (name: string): string => name,
} as const;

async function createWorkflows(
  client: SFNClient,
  arnOf: (fn: string) => string,
  definitions: Readonly<Record<WorkflowName, unknown>>,
): Promise<Provisioned['workflowArns']> {
  const entries = WORKFLOWS.map(async (name) => {
    const definition = JSON.stringify(definitions[name]).replaceAll(
      /\$\{(Fn|Task|Ecs)\.([\w-]+)\}/g,
      (_, kind: keyof typeof TOKENS, token: string) => TOKENS[kind](token, arnOf),
    );
    const roleArn = 'arn:aws:iam::000000000000:role/glimpse-workflow';
    try {
      const { stateMachineArn } = await client.send(new CreateStateMachineCommand({ name, definition, roleArn }));
      return [name, stateMachineArn] as const;
    } catch (error) {
      if (!(error instanceof StateMachineAlreadyExists)) throw error;
      const stateMachineArn = arnOf('').replace(/:lambda:(.*):function:$/, `:states:$1:stateMachine:${name}`);
      await client.send(new UpdateStateMachineCommand({ stateMachineArn, definition }));
      return [name, stateMachineArn] as const;
    }
  });
  return Object.fromEntries(await Promise.all(entries)) as Provisioned['workflowArns'];
}

async function createRules(
  client: EventBridgeClient,
  arnOf: (fn: string) => string,
  workflows: Provisioned['workflowArns'],
): Promise<void> {
  for (const rule of RULES) {
    const pattern = JSON.stringify(rule.pattern)
      .replaceAll('{staging}', STAGING_BUCKET.name)
      .replaceAll(/\{workflow:([\w-]+)\}/g, (_, name: WorkflowName) => workflows[name]);
    await client.send(new PutRuleCommand({ Name: rule.name, EventPattern: pattern, State: 'ENABLED' }));
    await client.send(
      new PutTargetsCommand({ Rule: rule.name, Targets: [{ Id: rule.target, Arn: arnOf(rule.target) }] }),
    );
  }
}

/** Schedules as rules, where nothing else fires. */
async function createRates(client: EventBridgeClient, arnOf: (fn: string) => string): Promise<void> {
  for (const { name, rate, target } of SCHEDULES) {
    await client.send(new PutRuleCommand({ Name: name, ScheduleExpression: rate, State: 'ENABLED' }));
    // No Input: LocalStack sends nothing where it is `{}`.
    await client.send(new PutTargetsCommand({ Rule: name, Targets: [{ Id: target, Arn: arnOf(target) }] }));
  }
}

async function createSchedules(client: SchedulerClient, arnOf: (fn: string) => string): Promise<void> {
  await Promise.all(
    SCHEDULES.map(async ({ name, rate, target }) => {
      try {
        await client.send(
          new CreateScheduleCommand({
            Name: name,
            ScheduleExpression: rate,
            FlexibleTimeWindow: { Mode: 'OFF' },
            Target: { Arn: arnOf(target), RoleArn: 'arn:aws:iam::000000000000:role/glimpse-schedule', Input: '{}' },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConflictException)) throw error;
      }
    }),
  );
}
