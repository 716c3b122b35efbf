import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedAws, startEmbeddedAws } from '../../local/embedded.ts';
import { listen } from '../../local/front.ts';
import { httpApi } from '../../local/http-api/http-api.ts';
import { startAwsProcesses } from '../../local/processes.ts';
import { ONE_PROCESS } from '../support/one-process.ts';
import { clientOf, startProcesses, until } from './processes.ts';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('one port, one process', () => {
  let aws: EmbeddedAws;
  beforeAll(async () => {
    aws = await startEmbeddedAws();
  });
  afterAll(() => aws.close());

  it('serves JSON services and S3, even a bucket whose name looks like a path of another', async () => {
    const config = clientOf(aws.endpoint);
    const tables = await new DynamoDBClient(config).send(new ListTablesCommand({}));
    const functions = await new LambdaClient(config).send(new ListFunctionsCommand({}));
    const s3 = new S3Client({ ...config, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'schedules-of-mine' }));
    await s3.send(new PutObjectCommand({ Bucket: 'schedules-of-mine', Key: 'k', Body: 'v' }));
    const object = await s3.send(new GetObjectCommand({ Bucket: 'schedules-of-mine', Key: 'k' }));

    expect([tables.TableNames, functions.Functions]).toEqual([[], []]);
    expect(await object.Body?.transformToString()).toBe('v');
  });

  it('names a busy port', async () => {
    const port = Number(new URL(aws.endpoint).port);

    await expect(startEmbeddedAws({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is already in use`);
    await expect(startAwsProcesses({ port })).rejects.toThrow(`port ${port} on 127.0.0.1 is already in use`);
  });
});

describe.skipIf(ONE_PROCESS)('two processes (skipped in one process)', () => {
  it('come back on the same port when one is killed', async () => {
    const running = await startProcesses();
    const dynamodb = new DynamoDBClient(clientOf(running.aws.endpoint));
    const pid = running.aws.pid('aws') ?? 0;
    process.kill(pid, 'SIGKILL');
    const answer = await until('an answer', () => dynamodb.send(new ListTablesCommand({})).catch(() => undefined));
    await running.stop();

    expect(answer.TableNames).toEqual([]);
    expect(running.aws.pid('aws')).not.toBe(pid);
    expect(isAlive(running.aws.pid('aws') ?? 0)).toBe(false);
  });

  it('end when their parent is killed', async () => {
    const module = new URL('../../local/processes.ts', import.meta.url).href;
    const script = `
      const { startAwsProcesses } = await import(${JSON.stringify(module)});
      const aws = await startAwsProcesses({ port: 0 });
      console.log([aws.pid('aws'), aws.pid('control')].join(' '));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = line.toString().trim().split(' ').map(Number);
    const aliveBefore = pids.map(isAlive);
    parent.kill('SIGKILL');

    await until('the end of both', async () => !pids.some(isAlive));
    expect(aliveBefore).toEqual([true, true]);
  });
});

describe('the HTTP API', () => {
  const events: APIGatewayProxyEventV2[] = [];
  let reply: unknown;
  let close: () => Promise<void>;
  let base = '';
  beforeAll(async () => {
    const handler = async (event: APIGatewayProxyEventV2) => {
      events.push(event);
      if (reply instanceof Error) throw reply;
      return reply;
    };
    const listener = await listen(httpApi({ handler }), 0);
    base = `http://127.0.0.1:${listener.port}`;
    close = listener.close;
  });
  afterAll(() => close());

  const call = (path: string, init: RequestInit = {}) => fetch(base + path, init);

  it('passes requests as payload format 2.0', async () => {
    reply = { statusCode: 200 };
    await call('/v2/images/a%2Fb?tag=x&tag=y&name=caf%C3%A9', {
      method: 'PATCH',
      headers: {
        'Content-Type': 'application/openstack-images-v2.1-json-patch',
        'X-Auth-Token': 't',
        cookie: 'a=1; b=2',
      },
      body: '[]',
    });

    expect(events.at(-1)).toMatchObject({
      version: '2.0',
      rawPath: '/v2/images/a/b',
      rawQueryString: 'tag=x&tag=y&name=caf%C3%A9',
      queryStringParameters: { tag: 'x,y', name: 'café' },
      cookies: ['a=1', 'b=2'],
      headers: { 'x-auth-token': 't' },
      requestContext: { http: { method: 'PATCH', path: '/v2/images/a/b' } },
    });
  });

  it('joins repeated headers, passes text as text and bytes as base64', async () => {
    reply = { statusCode: 204 };
    const { port } = new URL(base);
    const req = request({
      port,
      method: 'POST',
      headers: ['host', `localhost:${port}`, 'x-twice', '1', 'x-twice', '2', 'content-type', 'application/json'],
    });
    req.end('{"a":"é"}');
    await once(req, 'response');
    const text = events.at(-1);
    await call('/', {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array([0, 255]),
    });
    const bytes = events.at(-1);

    expect(text).toMatchObject({ body: '{"a":"é"}', isBase64Encoded: false, headers: { 'x-twice': '1,2' } });
    expect(bytes).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
  });

  it('sends status, headers, cookies and bytes', async () => {
    reply = {
      statusCode: 201,
      headers: { Location: '/v2/images/1' },
      cookies: ['a=1', 'b=2'],
      body: 'AP8=',
      isBase64Encoded: true,
    };
    const response = await call('/');

    expect([response.status, response.headers.get('location')]).toEqual([201, '/v2/images/1']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([0, 255]));
  });

  it('takes a plain value as the body of a 200', async () => {
    reply = { hello: 'world' };
    const response = await call('/');

    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toEqual({ hello: 'world' });
  });

  it.each([
    ['a thrown error', () => new Error('secret'), {}, 500],
    ['a thrown statusCode', () => Object.assign(new Error('no such image'), { statusCode: 404 }), {}, 404],
    ['a response above 6 MB', () => ({ statusCode: 200, body: 'x'.repeat(7e6) }), {}, 500],
    ['a request above 10 MB', () => ({ statusCode: 200 }), { method: 'POST', body: 'x'.repeat(11e6) }, 413],
  ])('answers %s with a nested fault', async (_what, make, init, status) => {
    reply = make();
    const response = await call('/', init);
    const body = (await response.json()) as { error: { code: number; message: string } };

    expect([response.status, body.error.code]).toEqual([status, status]);
    expect(body.error.message).not.toContain('secret');
  });
});

it('ports that another program holds are refused, not shared', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;

  await expect(listen(() => undefined, port)).rejects.toThrow('already in use');
  other.close();
});
