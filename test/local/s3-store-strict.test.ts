/** The store port on an S3 as hard as the world: two regions, each with an endpoint of its own; copies that take time; SlowDown at every fifth request. */
import { CreateBucketCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { createS3Client } from '../../aws/s3/client.ts';
import { createS3Store, type S3Store, type S3StoreOptions } from '../../aws/s3/store.ts';
import { S3Process } from '../support/s3-process.ts';
import { describeStore } from '../support/store-conformance.ts';

const FRANKFURT = 'eu-central-1';
const s3 = new S3Process();
let virginia: S3Client;
let frankfurt: S3Client;

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  await s3.start({ strict: { slowDownRate: 0.2, copyMsPerMib: 20 } });
  virginia = createS3Client('us-east-1', s3.endpoint);
  frankfurt = createS3Client(FRANKFURT, s3.endpoint);
  await virginia.send(new CreateBucketCommand({ Bucket: 'bucket-one' }));
  const there = { CreateBucketConfiguration: { LocationConstraint: FRANKFURT } } as const;
  await frankfurt.send(new CreateBucketCommand({ Bucket: 'bucket-two', ...there }));
});
afterAll(async () => {
  virginia.destroy();
  frankfurt.destroy();
  await s3.dispose();
});

const store = (id: string, client: S3Client, options: Partial<S3StoreOptions> = {}): S3Store =>
  createS3Store({ id, bucket: `bucket-${id}`, client, sparse: true, service: 'aws', ...options });

describeStore('S3 over two regions that is slow and asks to slow down', () => ({
  store: store('one', virginia),
  sibling: store('two', frankfurt),
  strangers: [store('two', frankfurt, { credentials: 'others' }), store('two', frankfurt, { service: 'edge' })],
  // Bodies break off in s3-store.test.ts: nothing stands between here.
  breakNextRead: () => undefined,
  unfinished: async () => {
    const { Uploads = [] } = await virginia.send(new ListMultipartUploadsCommand({ Bucket: 'bucket-one' }));
    return Uploads.map(({ Key = '' }) => Key);
  },
}));
