/** A store at somebody else's service: the store port on it, and a whole service with it. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { S3Store } from '../../aws/s3/store.ts';
import { createS3Places } from '../../aws/s3/stores.ts';
import type { Places } from '../../bytes/places.ts';
import { parseConfig } from '../../core/config.ts';
import { startGlimpse } from '../support/glimpse.ts';
import { describeStore } from '../support/store-conformance.ts';
import { hasSwift, type Swift, startSwift } from './support/swift.ts';

const present = hasSwift || process.env['GLIMPSE_REQUIRE_SWIFT'] !== undefined;
if (!present)
  process.stdout.write('skipped: Swift is not installed (swift-proxy swift-account swift-container swift-object)\n');

describe.skipIf(!present)('Swift', () => {
  let dir: string;
  let swift: Swift;
  let places: Places;
  const store = (id: string): S3Store => places.store(id) as S3Store;
  const listed = async (id: string): Promise<string[]> => {
    const { Contents = [] } = await store(id).client.send(new ListObjectsV2Command({ Bucket: store(id).bucket }));
    return Contents.map(({ Key = '' }) => Key);
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'glimpse-swift-'));
    swift = await startSwift(dir);
    const { endpoint, credentials } = swift;
    const { stores } = parseConfig({
      stores: [
        { id: 'one', bucket: 'store-one', endpoint, credentials },
        { id: 'two', bucket: 'store-two', endpoint, credentials },
        { id: 'edge', bucket: 'store-edge', endpoint, credentials },
        { id: 'foreign', bucket: 'store-three', endpoint, credentials: { ...credentials, access_key: 'test:other' } },
      ],
    });
    places = createS3Places({ stores }, { stagingBucket: 'staging' });
    for (const id of ['one', 'two', 'edge'])
      await store(id).client.send(new CreateBucketCommand({ Bucket: store(id).bucket }));
  });
  afterAll(async () => {
    await swift?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('says what it can: it verifies an MD5, and neither verifies nor takes what S3 does of CRC32', async () => {
    await store('one').putObject('any', Buffer.from('x'));

    expect(store('one').abilities).toMatchObject({
      verifiesCrc32: false,
      verifiesMd5: true,
      partChecksumsInComplete: false,
      fullObjectCrc32: false,
      needsContentMd5: true,
    });
    expect(await listed('one')).toEqual(['any', 'probe/abilities.json']);
  });

  describeStore('Swift', () => ({
    store: store('one'),
    sibling: store('two'),
    strangers: [store('foreign'), places.staging],
    // Nothing stands between: that a body is continued is shown on the embedded S3.
    breakNextRead: () => undefined,
    keepsEndedUploads: true,
    unfinished: async () => {
      const { Uploads = [] } = await store('one').client.send(new ListMultipartUploadsCommand({ Bucket: 'store-one' }));
      return Uploads.map(({ Key = '' }) => Key);
    },
  }));

  it('holds images of a service beside a store in AWS: uploaded, copied there and back, removed', async () => {
    const { endpoint } = swift;
    const glimpse = await startGlimpse({
      readyWithinMs: 90_000,
      config: {
        stores: [
          { id: 'central', bucket: 'glimpse-store-central', default: true },
          { id: 'edge', bucket: 'store-edge', endpoint, credentials_secret: 'env:EDGE' },
        ],
      },
      env: { EDGE_ACCESS_KEY: swift.credentials.access_key, EDGE_SECRET_KEY: swift.credentials.secret_key },
    });
    try {
      const body = randomBytes(40 * 1024 * 1024 + 7);
      const made = await glimpse.api('demo', 'POST', '/v2/images', {
        body: { name: 'at the edge', disk_format: 'raw', container_format: 'bare' },
      });
      const { id } = (await made.json()) as { id: string };
      const put = await glimpse.api('demo', 'PUT', `/v2/images/${id}/file`, {
        body,
        headers: { 'content-type': 'application/octet-stream', 'x-image-meta-store': 'edge' },
      });
      expect(put.status).toBe(204);
      const file = await glimpse.api('demo', 'GET', `/v2/images/${id}/file`);
      const sha = createHash('sha256')
        .update(Buffer.from(await file.arrayBuffer()))
        .digest('hex');
      expect(sha).toBe(createHash('sha256').update(body).digest('hex'));
      expect((await listed('edge')).some((key) => key.startsWith(`images/${id}/`))).toBe(true);

      const copy = await glimpse.api('admin', 'POST', `/v2/images/${id}/import`, {
        body: { method: { name: 'copy-image' }, stores: ['central'] },
      });
      expect(copy.status).toBe(202);
      await expect
        .poll(
          async () =>
            ((await (await glimpse.api('demo', 'GET', `/v2/images/${id}`)).json()) as { stores: string }).stores,
          {
            timeout: 60_000,
          },
        )
        .toBe('central,edge');

      expect((await glimpse.api('demo', 'DELETE', `/v2/images/${id}`)).status).toBe(204);
      expect((await listed('edge')).filter((key) => key.startsWith('images/'))).toEqual([]);
      expect(glimpse.output()).not.toContain(swift.credentials.secret_key);
    } finally {
      await glimpse.stop();
    }
  });
});
