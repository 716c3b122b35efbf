/** What is made at an endpoint, by what it can and what it has. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { parseConfig } from '../../../../core/config.ts';
import { type Abilities, provision } from '../../../../scripts/provision.ts';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(() => vi.unstubAllEnvs());

interface Asked {
  /** `AWSEvents.PutRule`, or method and path. */
  readonly what: string;
  // biome-ignore lint/suspicious/noExplicitAny: requests of every operation
  readonly body: any;
}

/** An endpoint that has a table and these buckets, takes everything, and tells what it was asked. */
async function endpoint(buckets: readonly string[]): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const target = request.headers['x-amz-target'];
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.push({
      what: typeof target === 'string' ? target : `${request.method} ${path}`,
      body: text.startsWith('{') ? JSON.parse(text) : undefined,
    });
    if (request.method === 'HEAD') {
      response.writeHead(buckets.includes(path.replaceAll('/', '')) ? 200 : 404).end();
      return;
    }
    if (target === 'DynamoDB_20120810.CreateTable') {
      response.writeHead(400).end(JSON.stringify({ __type: 'com.amazonaws#ResourceInUseException' }));
      return;
    }
    const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:import-image';
    response.end(typeof target === 'string' ? JSON.stringify({ stateMachineArn }) : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const config = parseConfig({ stores: ['a', 'b'].map((id) => ({ id, bucket: `images-${id}` })) });
const made = async (url: string, abilities?: Abilities) =>
  provision({ endpoint: url, region: 'us-east-1', config, ...(abilities && { abilities }) });
const of = (asked: readonly Asked[], what: string) => asked.filter((one) => one.what === what).map(({ body }) => body);

test('where schedules do not fire, rules with their rate call what they would', async () => {
  const { url, asked } = await endpoint([]);

  await made(url, { schedules: false, containers: true });

  expect(asked.filter(({ what }) => what.includes('/schedules'))).toEqual([]);
  expect(of(asked, 'AWSEvents.PutRule')).toContainEqual({
    ...{ Name: 'janitor', ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' },
  });
  const targets = of(asked, 'AWSEvents.PutTargets').find(({ Rule }) => Rule === 'janitor')?.Targets;
  expect(targets).toEqual([{ Id: 'janitor', Arn: 'arn:aws:lambda:us-east-1:000000000000:function:janitor' }]);
});

test('where no container runs, no step asks for one', async () => {
  const { url, asked } = await endpoint([]);

  await made(url, { schedules: true, containers: false });
  const [without] = of(asked, 'AWSStepFunctions.CreateStateMachine');
  await made(url);
  const [, full] = of(asked, 'AWSStepFunctions.CreateStateMachine');

  expect(without.definition).not.toContain('ecs:runTask');
  expect(full.definition).toContain('ecs:runTask.sync');
  expect(asked.some(({ what }) => what.startsWith('POST /schedules/janitor'))).toBe(true);
});

test('buckets that are there stay, and those that had to be made are told', async () => {
  const { url, asked } = await endpoint(['glimpse-staging', 'images-a']);

  expect((await made(url)).newBuckets).toEqual(['images-b']);
  expect(asked.map(({ what }) => what).filter((what) => /^PUT \/(images|glimpse)/.test(what))).toEqual([
    ...['PUT /images-b/', 'PUT /glimpse-staging/'],
  ]);
});
