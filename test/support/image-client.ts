/** The image API as tests call it: one object per account, plain fetch, every answer checked. */
import { createReadStream } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { Account, Glimpse } from './glimpse.ts';
import { settled } from './glimpse.ts';

export type WireImage = Record<string, unknown> & { readonly id: string; readonly status: string };
export interface WireTask {
  readonly id: string;
  readonly status: string;
  readonly message: string;
}

export interface ImageClient {
  create(attributes?: Record<string, unknown>): Promise<WireImage>;
  show(id: string): Promise<WireImage>;
  /** Status code of an upload; the body is a file, bytes, or any stream. */
  put(
    id: string,
    what: 'file' | 'stage',
    body: string | Uint8Array | ReadableStream,
    headers?: Record<string, string>,
  ): Promise<number>;
  /** Status code and text of POST import. */
  import(
    id: string,
    body: object,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly text: string }>;
  tasks(id: string): Promise<WireTask[]>;
  /** Create, stage, import; waits for the end. */
  importFile(
    path: string,
    attributes?: Record<string, unknown>,
    request?: object,
  ): Promise<{ readonly image: WireImage; readonly task: WireTask }>;
  settled(id: string, timeoutMs?: number): Promise<WireImage>;
}

export function imageClient(glimpse: Glimpse, account: Account): ImageClient {
  const client: ImageClient = {
    async create(attributes = {}) {
      const response = await glimpse.api(account, 'POST', '/v2/images', {
        body: { disk_format: 'qcow2', container_format: 'bare', ...attributes },
      });
      return expectJson<WireImage>(response, 201);
    },
    async show(id) {
      return expectJson<WireImage>(await glimpse.api(account, 'GET', `/v2/images/${id}`), 200);
    },
    async put(id, what, body, headers = {}) {
      const stream = typeof body === 'string' ? createReadStream(body, { highWaterMark: 1024 * 1024 }) : body;
      const response = await glimpse.api(account, 'PUT', `/v2/images/${id}/${what}`, {
        body: stream,
        headers: { 'content-type': 'application/octet-stream', ...headers },
      });
      await response.arrayBuffer();
      return response.status;
    },
    async import(id, body, headers = {}) {
      const response = await glimpse.api(account, 'POST', `/v2/images/${id}/import`, { body, headers });
      return { status: response.status, text: await response.text() };
    },
    async tasks(id) {
      const { tasks } = await expectJson<{ tasks: WireTask[] }>(
        await glimpse.api(account, 'GET', `/v2/images/${id}/tasks`),
        200,
      );
      return tasks;
    },
    async importFile(path, attributes = {}, request = { method: { name: 'glance-direct' } }) {
      const { id } = await client.create(attributes);
      const staged = await client.put(id, 'stage', path);
      if (staged !== 204) throw new Error(`stage of ${path}: ${staged}`);
      const { status, text } = await client.import(id, request);
      if (status !== 202) throw new Error(`import of ${path}: ${status} ${text}`);
      const image = await client.settled(id);
      const [task] = await client.tasks(id);
      if (task === undefined) throw new Error(`image ${id} has no task`);
      return { image, task };
    },
    async settled(id, timeoutMs) {
      return (await settled(glimpse, account, id, timeoutMs)) as WireImage;
    },
  };
  return client;
}

async function expectJson<T>(response: Response, status: number): Promise<T> {
  const text = await response.text();
  if (response.status !== status) throw new Error(`${response.url}: ${response.status}, expected ${status}: ${text}`);
  return JSON.parse(text) as T;
}

export const BUCKETS = [
  'glimpse-staging',
  'glimpse-store-central',
  'glimpse-store-dcn0',
  'glimpse-store-dcn1',
] as const;

const CLIENT = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

export const s3Of = ({ awsEndpoint }: Glimpse): S3Client =>
  new S3Client({ ...CLIENT, endpoint: awsEndpoint, forcePathStyle: true });

export const dynamoDbOf = ({ awsEndpoint }: Glimpse): DynamoDBClient =>
  new DynamoDBClient({ ...CLIENT, endpoint: awsEndpoint });

export const lambdaOf = ({ awsEndpoint }: Glimpse): LambdaClient =>
  new LambdaClient({ ...CLIENT, endpoint: awsEndpoint });

/** Every object of a bucket under a prefix: key → bytes. */
export async function objectsIn(glimpse: Glimpse, bucket: string, prefix = ''): Promise<Map<string, number>> {
  const s3 = s3Of(glimpse);
  const found = new Map<string, number>();
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
    for (const { Key = '', Size = 0 } of page.Contents ?? []) found.set(Key, Size);
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return found;
}

/**
 * What must hold when nothing is under way: every object belongs to a record, every store that a record names has bytes.
 * @returns one sentence per violation
 */
export async function violations(glimpse: Glimpse): Promise<string[]> {
  const found: string[] = [];
  const images = await allImages(glimpse);
  for (const bucket of BUCKETS) {
    const store = bucket.replace('glimpse-store-', '');
    const writes = new Map<string, Set<string>>();
    for (const key of (await objectsIn(glimpse, bucket)).keys()) {
      const [root = '', imageId = '', writeId = ''] = key.split('/');
      if (root === 'quarantine') continue;
      const image = images.get(imageId);
      const owned =
        bucket === 'glimpse-staging'
          ? image?.status === 'uploading'
          : String(image?.['stores'] ?? '')
              .split(',')
              .includes(store);
      if (!owned) found.push(`${bucket}/${key} belongs to no record (image ${image?.status ?? 'gone'})`);
      writes.set(imageId, (writes.get(imageId) ?? new Set()).add(writeId));
    }
    for (const [imageId, ids] of writes)
      if (ids.size > 1) found.push(`${bucket}: image ${imageId} has bytes of ${ids.size} writes`);
    if (bucket === 'glimpse-staging') continue;
    for (const image of images.values()) {
      const named = String(image['stores'] ?? '')
        .split(',')
        .includes(store);
      if (named && !writes.has(image.id))
        found.push(`image ${image.id} names store ${store}, which has no bytes of it`);
    }
  }
  return found;
}

async function allImages(glimpse: Glimpse): Promise<Map<string, WireImage>> {
  const images = new Map<string, WireImage>();
  let next: string | undefined = '/v2/images?limit=500';
  while (next !== undefined) {
    const page: { images: WireImage[]; next?: string } = await expectJson(await glimpse.api('admin', 'GET', next), 200);
    for (const image of page.images) images.set(image.id, image);
    next = page.next;
  }
  return images;
}
