/** A step that is too long for its function runs as a container: the same import, the same failures. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListStateMachinesCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { type ImageClient, imageClient, s3Of } from '../support/image-client.ts';
import { becomeService } from '../support/service-role.ts';

const MIB = 1024 * 1024;
const BYTES = Buffer.concat([randomBytes(3 * MIB), Buffer.alloc(20 * MIB), randomBytes(MIB)]);
const digest = (algorithm: string): string => createHash(algorithm).update(BYTES).digest('hex');

let glimpse: Glimpse;
let images: ImageClient;
let web: Server;
let url: string;

/** `/good` is an image, `/packed` the same under gzip, `/cut` ends before the length it announced. */
const ANSWERS: Readonly<Record<string, { readonly length: number; readonly body: Buffer }>> = {
  '/good': { length: BYTES.length, body: BYTES },
  '/packed': (() => {
    const body = gzipSync(BYTES);
    return { length: body.length, body };
  })(),
  '/cut': { length: BYTES.length, body: BYTES.subarray(0, MIB) },
};

beforeAll(async () => {
  web = createServer((request, response) => {
    const { length, body } = ANSWERS[request.url ?? ''] ?? { length: 0, body: Buffer.alloc(0) };
    response.writeHead(200, { 'content-length': length });
    response.end(body, () => response.destroy());
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  glimpse = await startGlimpse({
    // Every estimate is above this.
    env: { GLIMPSE_FUNCTION_SECONDS: '0' },
    config: {
      stores: [
        { id: 'central', bucket: 'glimpse-store-central', default: true },
        { id: 'whole', bucket: 'glimpse-store-whole', sparse: false },
      ],
      image_import_plugins: ['image_decompression'],
    },
  });
  images = imageClient(glimpse, 'admin');
  await becomeService(glimpse);
});

afterAll(async () => {
  web?.close();
  await glimpse?.stop();
});

async function imported(path: string) {
  const { id } = await images.create({ disk_format: 'raw' });
  const stores = ['central', 'whole'];
  expect((await images.import(id, { method: { name: 'web-download', uri: url + path }, stores })).status).toBe(202);
  return ended(id);
}

/** Bytes that lie in a store become an image: the workflow only hashes them. */
async function brought(hash: string) {
  const { id } = await images.create({ disk_format: 'raw' });
  const body = {
    url: 's3://glimpse-store-whole/brought.raw',
    validation_data: { os_hash_algo: 'sha512', os_hash_value: hash },
  };
  expect((await glimpse.api('admin', 'POST', `/v2/images/${id}/locations`, { body })).status).toBe(202);
  return ended(id);
}

async function ended(id: string) {
  const image = await images.settled(id);
  const [task] = await images.tasks(id);
  if (task === undefined) throw new Error(`image ${id} has no task`);
  return { id, image, task, entered: await statesEntered(task.id) };
}

async function statesEntered(taskId: string): Promise<string[]> {
  const sfn = new SFNClient({
    endpoint: glimpse.awsEndpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { stateMachines = [] } = await sfn.send(new ListStateMachinesCommand({}));
  const executionArn = `${String(stateMachines[0]?.stateMachineArn).replace(':stateMachine:', ':execution:')}:${taskId}`;
  await expect
    .poll(async () => (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status)
    .not.toBe('RUNNING');
  const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
  return events.flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []);
}

describe('steps too long for a function', () => {
  it('fetch, unpack, hash and expand as containers, to an active image with the right bytes', async () => {
    const { id, image, entered } = await imported('/packed');

    expect(image).toMatchObject({
      status: 'active',
      size: BYTES.length,
      checksum: digest('md5'),
      os_hash_value: digest('sha512'),
      stores: 'central,whole',
    });
    for (const name of ['Fetch', 'RunPlugin', 'CopyToStore'])
      expect(entered).toEqual(expect.arrayContaining([name, `${name}InContainer`, `${name}Outcome`]));
    const file = await glimpse.api('admin', 'GET', `/v2/images/${id}/file`);
    expect(Buffer.from(await file.arrayBuffer()).equals(BYTES)).toBe(true);
  });

  it('a failure in a container ends the import with the words its function would have used', async () => {
    const { image, task, entered } = await imported('/cut');

    expect(image['status']).toBe('queued');
    expect(entered).toEqual(expect.arrayContaining(['FetchInContainer', 'FetchOutcome', 'Revert']));
    expect(entered).not.toContain('Inspect');
    expect(task).toMatchObject({
      status: 'failure',
      message: expect.stringMatching(/^http:.*\/cut: the connection broke/),
    });
  });
  it('what a client brought is hashed in a container, and refused there when it is not what was said', async () => {
    const put = new PutObjectCommand({ Bucket: 'glimpse-store-whole', Key: 'brought.raw', Body: BYTES });
    await s3Of(glimpse).send(put);

    const right = await brought(digest('sha512'));
    const wrong = await brought('a'.repeat(128));

    expect(right.image).toMatchObject({ status: 'active', checksum: digest('md5') });
    expect(right.entered).toEqual(expect.arrayContaining(['HashLocationInContainer', 'HashLocationOutcome', 'Finish']));
    expect(wrong.image).toMatchObject({ status: 'queued', checksum: null });
    expect(wrong.entered).toEqual(expect.arrayContaining(['HashLocationOutcome', 'Revert']));
    expect(wrong.task.message).toContain(`The sha512 of the location is ${digest('sha512')}`);
  });
});
