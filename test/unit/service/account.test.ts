import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { S3Store } from '../../../aws/s3/store.ts';
import { createServiceDeps } from '../../../service/deps.ts';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-account-'));
const config = join(folder, 'config.json');
writeFileSync(config, JSON.stringify({ stores: [{ id: 'central', bucket: 'images-{account}' }] }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const environment = {
  AWS_REGION: 'eu-central-1',
  GLIMPSE_CONFIG: config,
  GLIMPSE_TABLE: 'glimpse',
  GLIMPSE_STAGING_BUCKET: 'staging',
  GLIMPSE_IMPORT_WORKFLOW: 'arn:aws:states:eu-central-1:123456789012:stateMachine:import-image',
};

test('a bucket whose name holds {account} is that of the account, in the region of the service', async () => {
  const { places } = await createServiceDeps({ ...environment, GLIMPSE_ACCOUNT: '123456789012' });

  const store = places.store('central') as S3Store;
  expect(store.bucket).toBe('images-123456789012');
  expect(await store.client.config.region()).toBe('eu-central-1');
});

test.each(['0', 'two', '1.5', '-1'])('"%s" is no number of partitions', async (shards) => {
  await expect(createServiceDeps({ ...environment, GLIMPSE_INDEX_SHARDS: shards })).rejects.toThrow(
    `GLIMPSE_INDEX_SHARDS: "${shards}" is not a number from 1 to 9999`,
  );
});
