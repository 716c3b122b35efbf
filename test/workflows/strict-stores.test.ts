/**
 * The core of the acceptance suite on S3's hard days: each store in a region of its own that answers there only, copies that take time,
 * one request in fifteen the first of a run that is told to slow down.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OperationReport, StrictS3Options } from '../../local/s3/strict.ts';
import { type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { type ImageClient, imageClient } from '../support/image-client.ts';

const MIB = 1024 * 1024;
const HARD: StrictS3Options = { copyMsPerMib: 40, slowDownRate: 1 / 15, slowDownBurst: 3, seed: 7 };
const REGIONS = { central: 'us-east-1', frankfurt: 'eu-central-1', tokyo: 'ap-northeast-1' } as const;
type StoreId = keyof typeof REGIONS;
const STORES = Object.keys(REGIONS) as StoreId[];
const bucketOf = (store: StoreId): string => `example-store-${store}`;

/** Data with a hole, over more slices than one. */
const RAW = Buffer.concat([randomBytes(3 * MIB), Buffer.alloc(14 * MIB), randomBytes(2 * MIB), Buffer.alloc(MIB)]);
const digest = (algorithm: string): string => createHash(algorithm).update(RAW).digest('hex');
const GOOD = { status: 'active', size: RAW.length, checksum: digest('md5'), os_hash_value: digest('sha512') };
const SOON_MS = 120_000;

let glimpse: Glimpse;
let images: ImageClient;
let web: Server;
let uri: string;

beforeAll(async () => {
  glimpse = await startGlimpse({
    env: { GLIMPSE_LOCAL_STRICT: JSON.stringify({ s3: HARD }) },
    config: {
      stores: STORES.map((id) => ({
        ...{ id, bucket: bucketOf(id), region: REGIONS[id] },
        ...(id === 'central' && { default: true }),
        ...(id === 'tokyo' && { sparse: false }),
      })),
    },
  });
  images = imageClient(glimpse, 'admin');
  web = createServer((_request, response) => response.end(RAW)).listen(0, '127.0.0.1');
  await new Promise((resolve) => web.once('listening', resolve));
  uri = `http://127.0.0.1:${(web.address() as AddressInfo).port}/disk.raw`;
});
afterAll(async () => {
  web?.close();
  await glimpse?.stop();
});

async function imported(request: { readonly method: object; readonly stores: readonly string[] }): Promise<string> {
  const { id } = await images.create({ disk_format: 'raw' });
  if (!('uri' in request.method)) expect(await images.put(id, 'stage', RAW)).toBe(204);
  expect(await images.import(id, request)).toMatchObject({ status: 202 });
  return id;
}

/** Objects and unfinished uploads of an image in a store's bucket, asked of its region. */
async function heldOf(store: StoreId, id: string): Promise<string[]> {
  const s3 = new S3Client({
    ...{ region: REGIONS[store], endpoint: glimpse.awsEndpoint, forcePathStyle: true, maxAttempts: 10 },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const at = { Bucket: bucketOf(store), Prefix: `images/${id}/` };
  const { Contents = [] } = await s3.send(new ListObjectsV2Command(at));
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand(at));
  s3.destroy();
  return [...Contents, ...Uploads].map(({ Key = '' }) => Key);
}

const heldAnywhere = async (id: string): Promise<string[]> =>
  (await Promise.all(STORES.map((store) => heldOf(store, id)))).flat();

async function downloaded(id: string): Promise<Buffer> {
  const file = await glimpse.api('admin', 'GET', `/v2/images/${id}/file`);
  expect(file.status).toBe(200);
  return Buffer.from(await file.arrayBuffer());
}

async function reports(): Promise<OperationReport[]> {
  const { controlToken } = JSON.parse(await readFile(join(glimpse.dataDir, 'secrets.json'), 'utf8')) as {
    controlToken: string;
  };
  const answer = await fetch(`${glimpse.awsEndpoint}/_glimpse/s3/report`, {
    headers: { 'x-glimpse-control': controlToken },
  });
  const { operations } = (await answer.json()) as { operations: OperationReport[] };
  return operations;
}

describe('while S3 tells to slow down, copies take time and each region answers for itself', () => {
  let staged: string;

  it('what was staged goes to three regions at once', async () => {
    staged = await imported({ method: { name: 'glance-direct' }, stores: STORES });

    expect(await images.settled(staged, SOON_MS), glimpse.output()).toMatchObject({ ...GOOD, stores: STORES.join() });
    expect((await downloaded(staged)).equals(RAW)).toBe(true);
    for (const store of STORES) expect(await heldOf(store, staged)).not.toEqual([]);
  });

  it('a download from the web is copied to the other regions later', async () => {
    const id = await imported({ method: { name: 'web-download', uri }, stores: ['frankfurt'] });
    expect(await images.settled(id, SOON_MS), glimpse.output()).toMatchObject({ ...GOOD, stores: 'frankfurt' });

    const copy = { method: { name: 'copy-image' }, stores: ['central', 'tokyo'] };
    expect(await images.import(id, copy)).toMatchObject({ status: 202 });
    const copied = await images.settled(id, SOON_MS);

    expect(String(copied['stores']).split(',').toSorted(), glimpse.output()).toEqual(STORES);
    expect(copied).toMatchObject({ ...GOOD, os_glance_failed_import: '' });
    expect((await downloaded(id)).equals(RAW)).toBe(true);
  });

  it('a copy that is deleted goes from its region alone, an image from all', async () => {
    expect((await glimpse.api('admin', 'DELETE', `/v2/stores/frankfurt/${staged}`)).status).toBe(204);
    await expect.poll(() => heldOf('frankfurt', staged), { timeout: SOON_MS }).toEqual([]);
    expect(await heldOf('tokyo', staged)).not.toEqual([]);

    expect((await glimpse.api('admin', 'DELETE', `/v2/images/${staged}`)).status).toBe(204);
    expect((await glimpse.api('admin', 'GET', `/v2/images/${staged}`)).status).toBe(404);
    await expect.poll(() => heldAnywhere(staged), { timeout: SOON_MS }).toEqual([]);
  });

  it('nothing but slowness was answered, and bytes between regions were copied by S3', async () => {
    const operations = await reports();
    // Whether a bucket is there is asked before it is made.
    const asked = operations.filter(({ operation }) => operation !== 'HeadBucket');
    const failures = [...new Set(asked.flatMap((operation) => Object.keys(operation.failures)))];
    const slowed = operations.reduce((sum, operation) => sum + (operation.failures['SlowDown'] ?? 0), 0);
    const copied = operations.reduce((sum, operation) => sum + operation.copiedBytes, 0);

    expect(failures.filter((code) => !['NoSuchKey', 'NotFound', 'SlowDown', 'NoSuchUpload'].includes(code))).toEqual(
      [],
    );
    expect(slowed).toBeGreaterThan(10);
    expect(copied).toBeGreaterThan(5 * MIB);
  });
});
