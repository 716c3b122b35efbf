import { afterAll, beforeAll } from 'vitest';
import { AWS_ABILITIES } from '../../aws/s3/bucket.ts';
import { createS3Store, type S3StoreOptions } from '../../aws/s3/store.ts';
import { parseConfig } from '../../core/config.ts';
import { type S3Rig, startPlaces } from '../support/s3-places.ts';
import { describeStore, type StoreRig } from '../support/store-conformance.ts';

const config = parseConfig({
  stores: [
    { id: 'one', bucket: 'bucket-one' },
    { id: 'two', bucket: 'bucket-two' },
  ],
});
let s3: S3Rig;

beforeAll(async () => {
  s3 = await startPlaces(config);
});
afterAll(() => s3.close());

function rig(options: Partial<S3StoreOptions> = {}): StoreRig {
  const { client } = s3.s3('one');
  const store = (id: string, more: Partial<S3StoreOptions> = {}) =>
    createS3Store({ id, bucket: `bucket-${id}`, client, sparse: true, service: s3.endpoint, ...options, ...more });
  return {
    store: store('one'),
    sibling: store('two'),
    strangers: [store('two', { credentials: 'others' }), store('two', { service: 'aws' })],
    breakNextRead: (bytes) => s3.breakNextBody(bytes),
    unfinished: async () =>
      (await s3.keys('one')).flatMap((key) => (key.startsWith('upload:') ? [key.slice('upload:'.length)] : [])),
  };
}

describeStore('S3', () => rig());

/** Spoken to as to a service that can as little as services of this protocol can. */
const poor = {
  ...AWS_ABILITIES,
  verifiesCrc32: false,
  fullObjectCrc32: false,
  needsContentMd5: true,
  conditionalCopies: false,
  etagOfComplete: false,
};
describeStore('S3 without checksums, conditions and answers it can do without', () => rig({ abilities: poor }));
