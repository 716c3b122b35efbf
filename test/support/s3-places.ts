import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Store } from '../../aws/s3/store.ts';
import { createS3Places } from '../../aws/s3/stores.ts';
import type { Places } from '../../bytes/places.ts';
import type { Config } from '../../core/config.ts';
import { createS3, type EmbeddedS3 } from '../../local/s3/server.ts';

/** An embedded S3 on a free port with the buckets of a configuration. */
export interface S3Rig {
  readonly places: Places;
  readonly faults: EmbeddedS3['faults'];
  readonly endpoint: string;
  /** The next answer to a GET breaks off after so many bytes of its body, and its connection with it. */
  breakNextBody(bytes: number): void;
  /** The store as what it is: with its client. */
  s3(place: string): S3Store;
  /** Keys and unfinished uploads of a place, sorted. */
  keys(place: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Makes staging and store buckets; credentials come from the environment, as everywhere. */
export async function startPlaces(config: Pick<Config, 'stores'>): Promise<S3Rig> {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  const dataDir = await mkdtemp(join(tmpdir(), 'glimpse-s3-'));
  const s3 = createS3({ dataDir });
  await s3.ready;
  const breaks: number[] = [];
  const server = createServer((request, response) => {
    const bytes = request.method === 'GET' ? breaks.shift() : undefined;
    if (bytes !== undefined) breakAfter(response, bytes);
    s3.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const places = createS3Places(config, { stagingBucket: 'staging', endpoint });
  const all = [places.staging, ...places.stores].map((store) => store as S3Store);
  for (const place of all) await place.client.send(new CreateBucketCommand({ Bucket: place.bucket }));
  return {
    places,
    faults: s3.faults,
    endpoint,
    breakNextBody: (bytes) => void breaks.push(bytes),
    s3: (id) => places.of(id) as S3Store,
    keys: (id) => keysOf(places.of(id) as S3Store),
    async close() {
      for (const place of all) place.client.destroy();
      server.closeAllConnections();
      server.close();
      await s3.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function breakAfter(response: ServerResponse, bytes: number): void {
  const write = response.write.bind(response) as (chunk: Uint8Array) => boolean;
  let left = bytes;
  const cut = (chunk: unknown): boolean => {
    if (!(chunk instanceof Uint8Array)) return true;
    if (chunk.length < left) {
      left -= chunk.length;
      return write(chunk);
    }
    write(chunk.subarray(0, left));
    left = 0;
    // Later, so that what was written gets out.
    setTimeout(() => response.destroy(), 20);
    return false;
  };
  Object.assign(response, { write: cut, end: cut });
}

async function keysOf(place: S3Store): Promise<string[]> {
  const bucket = { Bucket: place.bucket };
  const [objects, uploads] = await Promise.all([
    place.client.send(new ListObjectsV2Command(bucket)),
    place.client.send(new ListMultipartUploadsCommand(bucket)),
  ]);
  return [
    ...(objects.Contents ?? []).map(({ Key }) => Key ?? ''),
    ...(uploads.Uploads ?? []).map(({ Key }) => `upload:${Key}`),
  ].sort();
}
